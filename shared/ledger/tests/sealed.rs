//! S24: what lies in the ledger's file, and what becomes of whoever changes it.
#![cfg(test)]
#![cfg(all(feature = "sealed", feature = "sqlite"))]

use domain::batch::{CurrencyTotal, Totals};
use domain::payout::State;
use domain::{BatchId, BatchState, ChunkId, LaneName, LedgerId, Millis, ReferenceFormat};
use ledger::memory::MemoryLedger;
use ledger::sealed::{MasterKey, Sealed, Shred, retain, shred};
use ledger::sqlite::SqliteLedger;
use ledger::{
    Change, Guard, Ledger, LedgerError, NewBatch, NewChunk, Opened, Register, Seal, Via, Written,
};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tempfile::TempDir;
use ulid::Ulid;

const DAY_MS: u64 = 86_400_000;
/// The third day of 2026, in the morning.
const NOW_MS: u64 = 1_767_427_200_000;
const LONG_MS: u64 = 600_000;

fn batch_id(n: u64) -> BatchId {
    BatchId(Ulid::from_parts(NOW_MS + n, u128::from(n)))
}

fn chunk_id(n: u64, no: u16) -> ChunkId {
    ChunkId { batch: batch_id(n), no }
}

fn block(text: &str) -> Vec<u8> {
    [b"\x28".as_slice(), text.as_bytes()].concat()
}

async fn open(ledger: &dyn Ledger, n: u64) {
    let new = NewBatch {
        id: batch_id(n),
        name: format!("{n}.csv"),
        file_sha256: format!("{n:064x}"),
        lease_ms: LONG_MS,
        terms: domain::Terms::default(),
    };
    assert_eq!(ledger.open_batch(new).await.unwrap(), Opened::Fresh);
}

async fn append(ledger: &dyn Ledger, id: ChunkId, blocks: Vec<Vec<u8>>) {
    let chunk = NewChunk {
        id,
        first: Via { lane: LaneName::new("cards").unwrap(), format: ReferenceFormat::Number },
        second: None,
        rows: 1,
        first_ordinal: 1,
        unsent_give_up_ms: LONG_MS,
        blocks,
        lease_ms: LONG_MS,
    };
    assert!(ledger.append(chunk).await.unwrap());
}

/// Takes batch number `n` in: one chunk with one row.
async fn active(ledger: &dyn Ledger, n: u64) {
    open(ledger, n).await;
    append(ledger, chunk_id(n, 0), vec![block("4111111111111111")]).await;
    let total = CurrencyTotal { rows: 1, minor: 100, exponent: 2 };
    let totals = Totals([("EUR".to_owned(), total)].into());
    let seal = Seal { id: batch_id(n), totals, chunks: 1, state: BatchState::Active };
    assert!(ledger.seal(seal).await.unwrap());
}

/// Brings the row of batch number `n` into a state.
async fn settle(ledger: &dyn Ledger, n: u64, state: State) {
    let from = ledger.chunk(chunk_id(n, 0)).await.unwrap().unwrap().payouts[0];
    let mut to = from;
    (to.state, to.version, to.due) = (state, from.version + 1, Millis::NEVER);
    let change = Change { row: 0, from, to, notes: Vec::new() };
    let written = ledger.write(chunk_id(n, 0), Guard::Fact, vec![change]).await.unwrap();
    assert_eq!(written, Written::Done(Vec::new()));
}

async fn report(ledger: &dyn Ledger, n: u64) {
    let changes = ledger.batch(batch_id(n)).await.unwrap().unwrap().changes;
    ledger.reported(batch_id(n), changes).await.unwrap();
}

fn key(byte: u8) -> MasterKey {
    MasterKey::new(&[byte; 32], "here/ledger.key").unwrap()
}

fn file() -> (TempDir, PathBuf, Arc<SqliteLedger>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let ledger = Arc::new(SqliteLedger::open(&path).unwrap());
    (dir, path, ledger)
}

/// Everything in the ledger's files. One that a closing ledger deletes meanwhile has nothing.
fn bytes(path: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap_or_default()).collect()
}

fn has(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

#[tokio::test]
async fn no_destination_lies_in_the_file_and_who_has_the_key_reads_it() {
    let (_dir, path, inner) = file();
    let ledger = Sealed::open(inner.clone(), key(1)).await.unwrap();
    active(&ledger, 1).await;
    assert!(!has(&bytes(&path), "4111111111111111"));
    let again = Sealed::open(inner, key(1)).await.unwrap();
    let blocks = again.blocks(chunk_id(1, 0), 0, 9).await.unwrap();
    assert_eq!(blocks, [block("4111111111111111")]);
}

#[tokio::test]
async fn another_master_key_is_refused_before_any_row_is_read() {
    let (_dir, _, inner) = file();
    Sealed::open(inner.clone(), key(1)).await.unwrap();
    let Err(LedgerError::Broken(text)) = Sealed::open(inner, key(2)).await else { panic!() };
    assert!(text.contains("here/ledger.key") && text.contains("another key"), "{text}");
    assert_eq!(format!("{:?}", key(2)), "MasterKey from here/ledger.key");
}

#[tokio::test]
async fn a_block_that_was_moved_or_slipped_in_is_refused() {
    for (what, tamper) in [
        (
            "swapped",
            "UPDATE block SET no = no + 10 WHERE chunk = 1; UPDATE block SET no = 12 - no WHERE no > 9",
        ),
        (
            "moved to another chunk",
            "UPDATE block SET data = (SELECT data FROM block WHERE chunk = 2) WHERE chunk = 1",
        ),
        (
            "moved to another batch",
            "UPDATE block SET data = (SELECT data FROM block WHERE chunk = 3) WHERE chunk = 1",
        ),
        ("changed", "UPDATE block SET data = CAST(data || x'00' AS BLOB) WHERE chunk = 1"),
        ("cut", "UPDATE block SET data = substr(data, 1, 9) WHERE chunk = 1"),
        ("emptied", "UPDATE block SET data = x'' WHERE chunk = 1"),
        ("not encrypted", "UPDATE block SET data = x'2834' WHERE chunk = 1"),
        ("without its key", "DELETE FROM register WHERE name LIKE 'key/0%'"),
        (
            "not encrypted, without its key",
            "UPDATE block SET data = x'2834' WHERE chunk = 1;
          DELETE FROM register WHERE name LIKE 'key/0%'",
        ),
        (
            "under the key of another batch",
            "UPDATE register SET text = (SELECT max(text) FROM register WHERE name LIKE 'key/0%')
          WHERE name LIKE 'key/0%'",
        ),
    ] {
        let (_dir, path, inner) = file();
        let ledger = Sealed::open(inner.clone(), key(1)).await.unwrap();
        open(&ledger, 1).await;
        open(&ledger, 2).await;
        append(&ledger, chunk_id(1, 0), vec![block("a"), block("b"), block("c")]).await;
        append(&ledger, chunk_id(1, 1), vec![block("d")]).await;
        append(&ledger, chunk_id(2, 0), vec![block("e")]).await;
        Connection::open(&path).unwrap().execute_batch(tamper).unwrap();
        let mut refused = 0;
        for chunk in [chunk_id(1, 0), chunk_id(2, 0)] {
            // Another process, which remembers no key.
            let reader = Sealed::open(inner.clone(), key(1)).await.unwrap();
            match reader.blocks(chunk, 0, 0).await {
                Err(LedgerError::Broken(_)) => refused += 1,
                Err(error) => panic!("{what}: {error}"),
                Ok(_) => {}
            }
        }
        assert!(refused > 0, "a block that was {what} was read");
    }
}

#[tokio::test]
async fn rows_that_were_taken_in_before_encryption_are_still_read() {
    let (_dir, _, inner) = file();
    active(&*inner, 1).await;
    let ledger = Sealed::open(inner.clone(), key(1)).await.unwrap();
    active(&ledger, 2).await;
    for n in [1, 2, 1] {
        let blocks = ledger.blocks(chunk_id(n, 0), 0, 0).await.unwrap();
        assert_eq!(blocks, [block("4111111111111111")]);
    }
    settle(&ledger, 1, State::Paid).await;
    report(&ledger, 1).await;
    assert_eq!(shred(&ledger, batch_id(1)).await.unwrap(), Shred::NoKey);
}

#[tokio::test]
async fn a_batch_whose_opening_died_before_its_key_gets_one_with_its_first_rows() {
    let (_dir, path, inner) = file();
    let ledger = Sealed::open(inner.clone(), key(1)).await.unwrap();
    open(&*inner, 1).await;
    append(&ledger, chunk_id(1, 0), vec![block("4111")]).await;
    assert!(!has(&bytes(&path), "4111"));
    let reader = Sealed::open(inner, key(1)).await.unwrap();
    assert_eq!(reader.blocks(chunk_id(1, 0), 0, 0).await.unwrap(), [block("4111")]);
}

#[tokio::test]
async fn destroyed_rows_are_told_as_such_and_what_became_of_them_too() {
    let (_dir, path, inner) = file();
    let ledger = Sealed::open(inner.clone(), key(1)).await.unwrap();
    active(&ledger, 1).await;
    settle(&ledger, 1, State::Paid).await;
    report(&ledger, 1).await;
    let name = format!("key/{}", batch_id(1));
    let wrapped = ledger.register(name).await.unwrap().unwrap().text;
    assert!(has(&bytes(&path), &wrapped));

    assert_eq!(shred(&ledger, batch_id(1)).await.unwrap(), Shred::Destroyed);
    assert_eq!(shred(&ledger, batch_id(1)).await.unwrap(), Shred::Before);
    let reader = Sealed::open(inner, key(1)).await.unwrap();
    for ledger in [&ledger, &reader] {
        let error = ledger.blocks(chunk_id(1, 0), 0, 0).await.unwrap_err();
        assert!(matches!(&error, LedgerError::Destroyed { batch, .. } if *batch == batch_id(1)));
        assert!(error.to_string().contains("were destroyed at retention on 2"), "{error}");
        let payouts = ledger.chunk(chunk_id(1, 0)).await.unwrap().unwrap().payouts;
        assert_eq!(payouts[0].state, State::Paid);
    }
    drop((ledger, reader));
    // The last one to close the file writes the log back into it and deletes the log. Two that
    // close at one moment may each see the other: then it is left to whoever opens it next.
    let left = || {
        drop(SqliteLedger::open(&path).unwrap());
        bytes(&path)
    };
    let deadline = Instant::now() + std::time::Duration::from_secs(10);
    let piece = |at: usize| &wrapped[at..at + 24];
    while (0..wrapped.len() - 24).any(|at| has(&left(), piece(at))) {
        assert!(Instant::now() < deadline, "a piece of the key still lies in the file");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(has(&left(), "destroyed 2"));
}

#[tokio::test]
async fn rows_that_somebody_may_need_are_kept() {
    let (_dir, _, inner) = file();
    let ledger = Sealed::open(inner, key(1)).await.unwrap();
    active(&ledger, 1).await;
    let kept = async || shred(&ledger, batch_id(1)).await.unwrap() == Shred::Kept;
    assert!(kept().await, "it is being paid");
    settle(&ledger, 1, State::Review).await;
    report(&ledger, 1).await;
    assert!(kept().await, "a person looks at it");
    settle(&ledger, 1, State::Failed).await;
    assert!(kept().await, "its result file is not written yet");
    report(&ledger, 1).await;
    assert_eq!(shred(&ledger, batch_id(1)).await.unwrap(), Shred::Destroyed);
    open(&ledger, 2).await;
    assert_eq!(shred(&ledger, batch_id(2)).await.unwrap(), Shred::Kept);
    assert!(ledger.reject(batch_id(2), "line 3".to_owned(), false).await.unwrap());
    assert_eq!(shred(&ledger, batch_id(2)).await.unwrap(), Shred::Destroyed);
    assert_eq!(shred(&ledger, batch_id(3)).await.unwrap(), Shred::NoKey);
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_machines_that_start_a_pool_with_two_keys_one_is_refused() {
    use ledger::redis::RedisLedger;
    let server = system_tests::redis_server::RedisServer::with_fsync("no");
    for round in 0..20 {
        let prefix = format!("p{round}");
        let machine = async |byte| {
            let inner = RedisLedger::connect(&server.url(), &prefix).await.unwrap();
            Sealed::open(Arc::new(inner), key(byte)).await
        };
        let (one, two) = futures::future::join(machine(1), machine(2)).await;
        assert_ne!(one.is_ok(), two.is_ok(), "each ledger has one key");
        let (ledger, same) = if one.is_ok() { (one, 1) } else { (two, 2) };
        let (ledger, other) = (ledger.unwrap(), machine(same).await.unwrap());
        active(&ledger, 1).await;
        let blocks = other.blocks(chunk_id(1, 0), 0, 0).await.unwrap();
        assert_eq!(blocks, [block("4111111111111111")]);
    }
}

/// A ledger in memory, counted; its clock is moved by the test.
struct Counted {
    inner: MemoryLedger,
    registers: Arc<AtomicU64>,
}

impl Ledger for Counted {
    ledger::forward! { self.inner =>
        about, trust, open_batch, reserve, take_over, find, append, seal, reject, batch, batches,
        chunk, blocks, notes, take_ready, claim, renew, release, write, set_batch_state,
        claim_report, reported, lane, put_lane, permits, rules, put_rules, keep_stray, registers,
        append_entry, entries, entry_count
    }

    fn register(&self, name: String) -> ledger::Answer<'_, Option<Register>> {
        self.registers.fetch_add(1, Ordering::SeqCst);
        self.inner.register(name)
    }

    fn put_register(&self, register: Register) -> ledger::Answer<'_, bool> {
        self.registers.fetch_add(1, Ordering::SeqCst);
        self.inner.put_register(register)
    }
}

async fn counted() -> (Sealed, Arc<AtomicU64>, Arc<AtomicU64>) {
    let (time, registers) = (Arc::new(AtomicU64::new(NOW_MS)), Arc::<AtomicU64>::default());
    let clock = time.clone();
    let clock = Arc::new(move || Millis(clock.load(Ordering::SeqCst)));
    let inner = MemoryLedger::new(LedgerId::from_random(7), clock);
    let inner = Counted { inner, registers: registers.clone() };
    (Sealed::open(Arc::new(inner), key(1)).await.unwrap(), time, registers)
}

#[tokio::test]
async fn a_batch_costs_two_round_trips_more_and_its_chunks_and_rows_none() {
    let (ledger, _, registers) = counted().await;
    let before = registers.load(Ordering::SeqCst);
    open(&ledger, 1).await;
    for no in 0..50 {
        append(&ledger, chunk_id(1, no), vec![block("a"); 10]).await;
        ledger.blocks(chunk_id(1, no), 3, 7).await.unwrap();
    }
    assert_eq!(registers.load(Ordering::SeqCst) - before, 2);
}

#[tokio::test]
async fn rows_are_destroyed_so_many_days_after_their_intake_and_not_before() {
    let (ledger, time, registers) = counted().await;
    let readable = async |n| match ledger.blocks(chunk_id(n, 0), 0, 0).await {
        Ok(_) => true,
        Err(LedgerError::Destroyed { on, .. }) => {
            assert_eq!(on, "2026-02-02");
            false
        }
        Err(error) => panic!("{error}"),
    };
    for n in 0..600 {
        active(&ledger, n).await;
        if n != 5 {
            settle(&ledger, n, State::Paid).await;
            report(&ledger, n).await;
        }
    }
    time.store(NOW_MS + 30 * DAY_MS - 1, Ordering::SeqCst);
    assert_eq!(retain(&ledger, 30).await.unwrap(), 0);
    time.store(NOW_MS + 30 * DAY_MS + 500, Ordering::SeqCst);
    assert_eq!(retain(&ledger, 0).await.unwrap(), 0, "0 keeps them for ever");
    assert_eq!(retain(&ledger, 30).await.unwrap(), 499, "500 are old enough, one is open");
    for (n, expected) in [(0, false), (4, false), (5, true), (6, false), (499, false), (500, true)]
    {
        assert_eq!(readable(n).await, expected, "batch {n}");
    }
    assert_eq!(retain(&ledger, 30).await.unwrap(), 0);
    settle(&ledger, 5, State::Paid).await;
    report(&ledger, 5).await;
    assert_eq!(retain(&ledger, 30).await.unwrap(), 1, "the one that was left is not forgotten");
    assert!(!readable(5).await);

    let before = registers.load(Ordering::SeqCst);
    assert_eq!(retain(&ledger, 30).await.unwrap(), 0);
    assert_eq!(registers.load(Ordering::SeqCst) - before, 1, "what is done is not read again");
}

#[tokio::test]
async fn a_batch_that_is_damaged_or_destroyed_already_keeps_no_other_from_its_retention() {
    let (_dir, path, inner) = file();
    let ledger = Sealed::open(inner.clone(), key(1)).await.unwrap();
    for n in 1..=5 {
        active(&ledger, n).await;
        settle(&ledger, n, State::Paid).await;
        report(&ledger, n).await;
    }
    assert_eq!(shred(&ledger, batch_id(4)).await.unwrap(), Shred::Destroyed);
    let change = |sql: &str, n: u64| {
        let name = format!("key/{}", batch_id(n));
        let db = Connection::open(&path).unwrap();
        assert_eq!(db.execute(sql, [name]).unwrap(), 1, "{sql}");
    };
    // Of batch 2 no block can be read; of batch 3 not even the register of its key.
    change("UPDATE block SET data = x'00' WHERE chunk = 2 AND ?1 <> ''", 2);
    change("UPDATE register SET text = CAST(x'ff' || text AS TEXT) WHERE name = ?1", 3);
    let unreadable = inner.register(format!("key/{}", batch_id(3))).await;
    assert!(matches!(unreadable, Err(LedgerError::Broken(_))), "{unreadable:?}");

    assert_eq!(retain(&ledger, 1).await.unwrap(), 3, "all but the two");
    for (n, outcome) in [(1, Shred::Before), (2, Shred::Before), (4, Shred::Before)] {
        assert_eq!(shred(&ledger, batch_id(n)).await.unwrap(), outcome, "batch {n}");
    }
    assert_eq!(shred(&ledger, batch_id(5)).await.unwrap(), Shred::Before);
    assert!(shred(&ledger, batch_id(3)).await.is_err(), "asked for by name, it is an error");
    change(
        "UPDATE register SET text = CAST(substr(CAST(text AS BLOB), 2) AS TEXT) WHERE name = ?1",
        3,
    );
    assert_eq!(retain(&ledger, 1).await.unwrap(), 1, "the damaged one was not forgotten");
}
