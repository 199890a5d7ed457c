//! A ledger with payouts that were sent an hour and more ago, and the list that a true provider
//! would tell of them.

use domain::batch::Totals;
use domain::{
    Account, BatchId, BatchState, ChunkId, Currencies, Destination, LaneName, LedgerId, Method,
    Millis, Money, PayerReference, Payout, Place, ProviderReference, ReferenceFormat, Row, State,
};
use futures::executor::block_on;
use futures::future::{BoxFuture, ready};
use ledger::memory::MemoryLedger;
use ledger::{Change, Guard, Ledger, NewBatch, NewChunk, Note, NoteKind, Seal, Via, Written, rows};
use providers::{Entry, Period, Standing, Statement, StatementPage, Turns};
use reconcile::{CompareError, Job, Kind, Outcome, Progress, compare};
use std::sync::Arc;
use ulid::Ulid;

pub const TEXT: ReferenceFormat = ReferenceFormat::Text { max_bytes: 64 };
pub const HOUR_MS: u64 = 3_600_000;
pub const NOW: Millis = Millis(1_800_000_000_000);
/// Long enough ago to stand in every list.
pub const SENT: Millis = Millis(NOW.0 - 12 * HOUR_MS);

pub fn lane() -> LaneName {
    LaneName::new("main").unwrap()
}

/// Whose list it is.
pub fn account() -> Account {
    Account::of("telling:1")
}

pub fn memory() -> Arc<dyn Ledger> {
    Arc::new(MemoryLedger::new(ledger_id(), Arc::new(|| NOW)))
}

pub fn ledger_id() -> LedgerId {
    LedgerId::parse("abcd").unwrap()
}

pub fn row(number: usize) -> Row {
    let rub = Currencies::default().find("RUB").unwrap();
    Row {
        ordinal: u32::try_from(number).unwrap() + 1,
        line: 2,
        reference: PayerReference::new(&format!("INV-{number}")).unwrap(),
        money: Money::parse(&format!("{}.00", 1_000 + number), &rub, '.').unwrap(),
        method: Method::Card,
        destination: Destination::new(format!("41111111{number:08}")),
        fields: [].into(),
    }
}

pub struct World {
    pub ledger: Arc<dyn Ledger>,
    pub format: ReferenceFormat,
    /// What the provider tells.
    pub list: List,
    pub chunk: ChunkId,
}

/// A list that is told in pages.
#[derive(Clone, Default)]
pub struct List {
    pub entries: Vec<Entry>,
    pub page: usize,
    /// Entries that two pages share.
    pub overlap: usize,
}

impl World {
    /// One payout for each of `states`, on one lane; the provider tells the same of each.
    pub fn of(states: &[State]) -> World {
        World::with(states, TEXT)
    }

    pub fn with(states: &[State], format: ReferenceFormat) -> World {
        World::on(memory(), states, format)
    }

    pub fn on(ledger: Arc<dyn Ledger>, states: &[State], format: ReferenceFormat) -> World {
        let id = BatchId(Ulid::from_parts(SENT.0, 1));
        let chunk = ChunkId { batch: id, no: 0 };
        let all: Vec<Row> = (0..states.len()).map(row).collect();
        block_on(async {
            let (name, file_sha256) = ("a.csv".to_owned(), "0".repeat(64));
            let lease_ms = HOUR_MS;
            ledger
                .open_batch(NewBatch {
                    id,
                    name,
                    file_sha256,
                    lease_ms,
                    terms: domain::Terms::default(),
                })
                .await
                .unwrap();
            let places = (0_u16..).zip(&all);
            let wanted = places.map(|(at, row)| (row.reference.key(), Place { chunk, row: at }));
            ledger.reserve(wanted.collect()).await.unwrap();
            let new = NewChunk {
                id: chunk,
                first: Via { lane: lane(), format },
                second: None,
                rows: u16::try_from(all.len()).unwrap(),
                first_ordinal: 1,
                unsent_give_up_ms: HOUR_MS,
                blocks: rows::encode(&all).unwrap(),
                lease_ms,
            };
            assert!(ledger.append(new).await.unwrap());
            let mut totals = Totals::default();
            all.iter().for_each(|row| totals.add(&row.money));
            let seal = Seal { id, totals, chunks: 1, state: BatchState::Active };
            assert!(ledger.seal(seal).await.unwrap());
        });
        let world = World { ledger, format, list: List::default(), chunk };
        for (at, state) in states.iter().enumerate() {
            world.put(at, |payout| {
                payout.state = *state;
                payout.due = if state.is_open() { NOW } else { Millis::NEVER };
            });
        }
        let entries = (0..states.len()).map(|at| world.entry(at, 1));
        let entries: Vec<Entry> = entries
            .zip(states)
            .map(|(entry, state)| Entry { standing: like(*state), ..entry })
            .collect();
        World { list: List { entries, page: 3, overlap: 0 }, ..world }
    }

    /// Changes a payout that was sent.
    pub fn put(&self, at: usize, change: impl FnOnce(&mut Payout)) {
        self.put_with(at, Vec::new(), change);
    }

    pub fn put_with(&self, at: usize, notes: Vec<Note>, change: impl FnOnce(&mut Payout)) {
        let chunk = block_on(self.ledger.chunk(self.chunk)).unwrap().unwrap();
        let from = chunk.payouts[at];
        let mut to = from;
        to.intents = to.intents.max(1);
        to.send_before = SENT;
        to.since = SENT;
        change(&mut to);
        to.version = from.version + 1;
        let change = Change { row: u16::try_from(at).unwrap(), from, to: to.normal(), notes };
        let written = block_on(self.ledger.write(self.chunk, Guard::Fact, vec![change])).unwrap();
        assert_eq!(written, Written::Done(vec![]));
    }

    /// What a true provider tells of a payout.
    pub fn entry(&self, at: usize, attempt: u8) -> Entry {
        let row = row(at);
        let made = ProviderReference::make(ledger_id(), &row.reference, attempt, self.format);
        Entry {
            reference: made.to_string(),
            provider_id: Some(format!("doc-{at}-{attempt}")),
            amount: Some(row.money.amount()),
            currency: Some("RUB".to_owned()),
            destination: Some(row.destination.clone()),
            standing: Standing::Paid,
            at: Some(SENT),
        }
    }

    /// The last two days.
    pub fn job<'a>(&'a self, lane: &'a LaneName) -> Job<'a> {
        Job {
            ledger: &*self.ledger,
            lane,
            account: account(),
            statement: &self.list,
            format: self.format,
            period: Period { from: Millis(NOW.0 - 48 * HOUR_MS), until: NOW },
            turns: &AtOnce,
        }
    }

    pub fn try_compare(&self) -> Result<Outcome, CompareError> {
        let lane = lane();
        block_on(compare(&self.job(&lane), &Progress::default()))
    }

    pub fn compare(&self) -> Outcome {
        self.try_compare().unwrap()
    }

    /// The kinds that were found, each once for each finding, in order.
    pub fn found(&self) -> Vec<(Kind, String)> {
        let mut found: Vec<_> =
            self.compare().shown.into_iter().map(|one| (one.kind, one.reference)).collect();
        found.sort();
        found
    }
}

/// A cost as an adapter notes it.
pub fn cost(text: &str) -> Note {
    Note::new(NoteKind::Cost, text)
}

/// Where the provider has a payout that stands here in `state`, if both agree.
fn like(state: State) -> Standing {
    match state {
        State::Paid => Standing::Paid,
        State::Failed | State::Cancelled => Standing::Failed,
        _ => Standing::Open,
    }
}

impl Statement for List {
    fn page<'a>(
        &'a self,
        _: Period,
        cursor: Option<&'a str>,
        turns: &'a dyn Turns,
    ) -> BoxFuture<'a, Result<StatementPage, String>> {
        Box::pin(async move {
            turns.next().await;
            let from: usize = cursor.unwrap_or("0").parse().unwrap();
            let until = (from + self.page).min(self.entries.len());
            let next = (until < self.entries.len()).then(|| (until - self.overlap).to_string());
            let entries = self.entries[from..until].to_vec();
            Ok(StatementPage { entries, next, total: u64::try_from(self.entries.len()).ok() })
        })
    }
}

struct AtOnce;

impl Turns for AtOnce {
    fn next(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}
