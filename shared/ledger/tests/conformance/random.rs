//! Random sequences of calls, in lock-step with the memory engine: every answer must be the same,
//! and so must everything that can be read at the end. A failure shrinks to its shortest.
//!
//! Times differ between engines, so the sequences use only moments that are always past or never
//! come, and answers are compared without their times.

use crate::engines;
use crate::given::*;
use crate::world::{World, runtime};
use domain::payout::State;
use domain::{BatchState, ChunkId, LaneName, Millis, Priority, Terms};
use ledger::{
    Change, Claim, Guard, LaneRecord, Ledger, NewBatch, Note, NoteKind, Register, Token, Written,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::fmt::Debug;

const CASES: u32 = 12;
const STEPS: usize = 300;

/// One call; numbers name things of a small world, so that calls meet each other.
#[derive(Clone, Debug)]
enum Step {
    Start { n: u64, awaiting: bool, terms: u64 },
    Open { n: u64, file: u64 },
    Append { n: u64, no: u16, rows: u16 },
    Seal { n: u64, chunks: Vec<u16> },
    Reject { n: u64, abandoned: bool },
    Reserve { wanted: Vec<(u64, u64, u16)> },
    TakeOver { key: u64, from: u64, to: u64 },
    Go { n: u64, from: BatchState, to: BatchState },
    Ready { hint_ms: u64 },
    Claim { n: u64, no: u16 },
    Renew { n: u64, no: u16, old: bool },
    Release { n: u64, no: u16, old: bool, never: bool },
    Write { n: u64, no: u16, guard: GuardKind, rows: Vec<RowWrite> },
    ClaimReport { n: u64 },
    Reported { n: u64, changes: u64 },
    PutLane { ahead: u64 },
    PutRegister { name: String, ahead: u64, text: String },
    AppendEntry { chain: u64, seq: u64, entry: u8 },
}

#[derive(Clone, Copy, Debug)]
enum GuardKind {
    Intent,
    Held,
    Old,
    Fact,
}

#[derive(Clone, Debug)]
struct RowWrite {
    row: u16,
    state: State,
    due_now: bool,
    stale: bool,
    note: Option<String>,
}

fn step() -> impl Strategy<Value = Step> {
    let n = || 0u64..4;
    let no = || 0u16..3;
    let state = || proptest::sample::select(BatchState::ALL.to_vec());
    let wanted = proptest::collection::vec((0u64..12, n(), 0u16..3), 1..5);
    prop_oneof![
        3 => (n(), any::<bool>(), 0u64..6)
            .prop_map(|(n, awaiting, terms)| Step::Start { n, awaiting, terms }),
        2 => (n(), n()).prop_map(|(n, file)| Step::Open { n, file }),
        2 => (n(), no(), 0u16..5).prop_map(|(n, no, rows)| Step::Append { n, no, rows }),
        2 => (n(), proptest::collection::vec(1u16..4, 0..3))
            .prop_map(|(n, chunks)| Step::Seal { n, chunks }),
        1 => (n(), any::<bool>()).prop_map(|(n, abandoned)| Step::Reject { n, abandoned }),
        3 => wanted.prop_map(|wanted| Step::Reserve { wanted }),
        2 => (0u64..12, n(), n()).prop_map(|(key, from, to)| Step::TakeOver { key, from, to }),
        4 => (n(), state(), state()).prop_map(|(n, from, to)| Step::Go { n, from, to }),
        5 => any::<bool>().prop_map(|keep| Step::Ready { hint_ms: if keep { 0 } else { LONG } }),
        8 => (n(), no()).prop_map(|(n, no)| Step::Claim { n, no }),
        3 => (n(), no(), any::<bool>()).prop_map(|(n, no, old)| Step::Renew { n, no, old }),
        6 => (n(), no(), any::<bool>(), any::<bool>())
            .prop_map(|(n, no, old, never)| Step::Release { n, no, old, never }),
        20 => write(),
        3 => n().prop_map(|n| Step::ClaimReport { n }),
        2 => (n(), 0u64..20).prop_map(|(n, changes)| Step::Reported { n, changes }),
        1 => (0u64..2).prop_map(|ahead| Step::PutLane { ahead }),
        3 => ("[ab/]{0,2}", 0u64..2, "[ 0-9é]{0,3}")
            .prop_map(|(name, ahead, text)| Step::PutRegister { name, ahead, text }),
        3 => (0u64..2, 0u64..6, 0u8..2)
            .prop_map(|(chain, seq, entry)| Step::AppendEntry { chain, seq, entry }),
    ]
}

fn write() -> impl Strategy<Value = Step> {
    let guard = prop_oneof![
        4 => Just(GuardKind::Fact),
        3 => Just(GuardKind::Intent),
        2 => Just(GuardKind::Held),
        1 => Just(GuardKind::Old),
    ];
    let state = proptest::sample::select(State::ALL.to_vec());
    let note = proptest::option::weighted(0.3, "[a-zé]{0,6}");
    let row = (0u16..3, state, any::<bool>(), prop::bool::weighted(0.1), note).prop_map(
        |(row, state, due_now, stale, note)| RowWrite { row, state, due_now, stale, note },
    );
    let rows = proptest::collection::vec(row, 0..4);
    (0u64..4, 0u16..2, guard, rows).prop_map(|(n, no, guard, rows)| Step::Write {
        n,
        no,
        guard,
        rows,
    })
}

/// One of the two ledgers, with the newest token of each chunk.
struct Player<'a> {
    ledger: &'a dyn Ledger,
    tokens: BTreeMap<ChunkId, Token>,
}

impl Player<'_> {
    /// Takes a step and gives the answer as text, without its times.
    async fn play(&mut self, step: &Step) -> String {
        let ledger = self.ledger;
        match step.clone() {
            Step::Start { n, awaiting, terms } => self.start(n, awaiting, terms).await,
            Step::Open { n, file } => told(ledger.open_batch(with_file(n, file)).await),
            Step::Append { n, no, rows } => {
                told(ledger.append(new_chunk(chunk_id(batch_id(n), no), rows)).await)
            }
            Step::Seal { n, chunks } => {
                told(ledger.seal(seal_of(batch_id(n), &chunks, BatchState::Active)).await)
            }
            Step::Reject { n, abandoned } => {
                told(ledger.reject(batch_id(n), "random".to_owned(), abandoned).await)
            }
            Step::Reserve { wanted } => {
                let place = |(k, n, row)| (key(k), place(batch_id(n), row));
                told(ledger.reserve(wanted.into_iter().map(place).collect()).await)
            }
            Step::TakeOver { key: k, from, to } => {
                let at = |n| place(batch_id(n), 0);
                told(ledger.take_over(key(k), at(from), at(to)).await)
            }
            Step::Go { n, from, to } => told(ledger.set_batch_state(batch_id(n), from, to).await),
            Step::Ready { hint_ms } => {
                let mut ready = ledger.take_ready(lane(), u16::MAX, hint_ms).await.unwrap();
                ready.sort();
                format!("{ready:?}")
            }
            Step::Claim { n, no } => self.claim(chunk_id(batch_id(n), no)).await,
            Step::Renew { n, no, old } => {
                let chunk = chunk_id(batch_id(n), no);
                told(ledger.renew(chunk, self.token(chunk, old), LONG).await)
            }
            Step::Release { n, no, old, never } => {
                let chunk = chunk_id(batch_id(n), no);
                let next_at = if never { Millis::NEVER } else { Millis(0) };
                told(ledger.release(chunk, self.token(chunk, old), next_at).await)
            }
            Step::Write { n, no, guard, rows } => {
                self.write(chunk_id(batch_id(n), no), guard, rows).await
            }
            Step::ClaimReport { n } => {
                let batch = ledger.claim_report(batch_id(n), LONG).await.unwrap();
                format!("{:?}", batch.map(without_times))
            }
            Step::Reported { n, changes } => told(ledger.reported(batch_id(n), changes).await),
            Step::PutLane { ahead } => {
                let name = LaneName::new("lane-r").unwrap();
                let version = ledger.lane(name.clone()).await.unwrap().version + ahead;
                told(ledger.put_lane(LaneRecord { version, ..LaneRecord::new(name) }).await)
            }
            Step::PutRegister { name, ahead, text } => {
                let stands = ledger.register(name.clone()).await.unwrap();
                let version = stands.map_or(0, |stands| stands.version) + ahead;
                told(ledger.put_register(Register { name, version, text }).await)
            }
            Step::AppendEntry { chain, seq, entry } => {
                told(ledger.append_entry(chain.to_string(), seq, vec![entry]).await)
            }
        }
    }

    /// The way of every good batch, in one step.
    async fn start(&mut self, n: u64, awaiting: bool, terms: u64) -> String {
        let id = batch_id(n);
        let never = if terms % 2 == 1 { Millis::NEVER } else { Millis(0) };
        let priority = Priority::ALL[usize::try_from(terms / 2).unwrap()];
        let terms = Terms { not_before: never, priority };
        let opened = told(self.ledger.open_batch(NewBatch { terms, ..new_batch(n) }).await);
        let mut appended = Vec::new();
        for no in 0..2 {
            appended.push(told(self.ledger.append(new_chunk(chunk_id(id, no), 3)).await));
        }
        let state = if awaiting { BatchState::Awaiting } else { BatchState::Active };
        let sealed = told(self.ledger.seal(seal_of(id, &[3, 3], state)).await);
        format!("{opened} {appended:?} {sealed}")
    }

    fn token(&self, chunk: ChunkId, old: bool) -> Token {
        let newest = self.tokens.get(&chunk).copied().unwrap_or(Token(1));
        Token(newest.0.saturating_sub(u64::from(old)))
    }

    async fn claim(&mut self, chunk: ChunkId) -> String {
        match self.ledger.claim(chunk, LONG).await.unwrap() {
            Claim::Held { token, chunk, batch, terms, now: _ } => {
                self.tokens.insert(chunk.id, token);
                format!("{token:?} {chunk:?} {batch} {terms:?}")
            }
            other => format!("{other:?}"),
        }
    }

    async fn write(&mut self, chunk: ChunkId, guard: GuardKind, rows: Vec<RowWrite>) -> String {
        let Some(stands) = self.ledger.chunk(chunk).await.unwrap() else {
            return told(self.ledger.write(chunk, Guard::Fact, Vec::new()).await);
        };
        let guard = match guard {
            GuardKind::Intent => Guard::Intent(self.token(chunk, false)),
            GuardKind::Held => Guard::Held(self.token(chunk, false)),
            GuardKind::Old => Guard::Held(self.token(chunk, true)),
            GuardKind::Fact => Guard::Fact,
        };
        let change = |write: RowWrite| {
            let mut from = stands.payouts.get(usize::from(write.row)).copied()?;
            from.version += u32::from(write.stale);
            let due = if write.due_now { Millis(0) } else { Millis::NEVER };
            let notes = write.note.iter().map(|text| Note::new(NoteKind::Reason, text));
            let notes: Vec<Note> = notes.collect();
            let same = !notes.is_empty() && write.due_now;
            let to = if same { from } else { next(from, write.state, due) };
            Some(Change { row: write.row, from, to, notes })
        };
        let changes: Vec<Change> = rows.into_iter().filter_map(change).collect();
        match self.ledger.write(chunk, guard, changes).await.unwrap() {
            Written::Done(mut conflicts) => {
                conflicts.sort_by_key(|(row, _)| *row);
                format!("{conflicts:?}")
            }
            Written::Refused => "refused".to_owned(),
        }
    }

    /// Everything that can be read.
    async fn all(&self) -> Vec<String> {
        let mut all = Vec::new();
        for batch in self.ledger.batches(None, 99).await.unwrap() {
            for no in 0..3 {
                let chunk = chunk_id(batch.id, no);
                all.push(format!("{:?}", self.ledger.chunk(chunk).await.unwrap()));
                all.push(format!("{:?}", self.ledger.notes(chunk).await.unwrap()));
            }
            if batch.state.was_sealed() {
                assert_counted(self.ledger, batch.id).await;
            }
            all.push(format!("{:?}", without_times(batch)));
        }
        for k in 0..12 {
            all.push(format!("{k}: {:?}", self.ledger.find(key(k)).await.unwrap()));
        }
        for prefix in ["", "a", "a/"] {
            all.push(format!("{:?}", self.ledger.registers(prefix.to_owned()).await.unwrap()));
        }
        for chain in 0..2 {
            let entries = self.ledger.entries(chain.to_string(), 0, 99).await.unwrap();
            let count = self.ledger.entry_count(chain.to_string()).await.unwrap();
            all.push(format!("{count}: {entries:?}"));
        }
        all.push(format!("{:?}", self.ledger.lane(LaneName::new("lane-r").unwrap()).await));
        all
    }
}

/// An answer as text; of an error, its kind alone.
fn told<T: Debug>(answer: Result<T, ledger::LedgerError>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(ledger::LedgerError::Broken(_)) => "broken".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

fn without_times(mut batch: domain::Batch) -> domain::Batch {
    batch.created = Millis(0);
    batch
}

async fn play_both(steps: &[Step], model: World, tested: World) -> Result<(), TestCaseError> {
    let mut expected = Player { ledger: &*model.ledger, tokens: BTreeMap::new() };
    let mut found = Player { ledger: &*tested.ledger, tokens: BTreeMap::new() };
    for (at, step) in steps.iter().enumerate() {
        // Every other step goes through the other handle: nothing may live in one process only.
        let handle = if at % 2 == 0 { &tested.ledger } else { &tested.second };
        found.ledger = &**handle;
        let (expected, found) = (expected.play(step).await, found.play(step).await);
        prop_assert_eq!(found, expected, "answer to step {}: {:?}", at, step);
    }
    let (expected, found) = (expected.all().await, found.all().await);
    for (expected, found) in expected.into_iter().zip(found) {
        prop_assert_eq!(found, expected, "at the end");
    }
    Ok(())
}

fn lock_step<Opening: Future<Output = World>>(open: fn() -> Opening) {
    let runtime = runtime();
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let sequences = proptest::collection::vec(step(), STEPS);
    let outcome = TestRunner::new_with_rng(config, rng).run(&sequences, |steps| {
        runtime.block_on(async { play_both(&steps, engines::memory().await, open().await).await })
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn the_same_calls_at_the_same_times_give_the_same_answers_in_memory() {
    lock_step(engines::memory);
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_answers_as_memory_does() {
    lock_step(engines::sqlite);
}

#[cfg(feature = "redis")]
#[test]
fn redis_answers_as_memory_does() {
    lock_step(engines::redis);
}
