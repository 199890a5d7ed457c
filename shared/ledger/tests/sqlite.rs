//! What only the SQLite engine promises: about its file, and about processes that share it.
#![cfg(test)]
#![cfg(feature = "sqlite")]

use domain::batch::{CurrencyTotal, Totals};
use domain::{BatchId, BatchState, ChunkId, LaneName, Millis, ReferenceFormat};
use futures::future::join_all;
use ledger::sqlite::SqliteLedger;
use ledger::{
    Chunk, LaneRecord, Ledger, LedgerError, NewBatch, NewChunk, Opened, Pace, Register, Seal, Via,
};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use tempfile::TempDir;
use ulid::Ulid;

fn place_for_a_ledger() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    (dir, path)
}

fn batch(n: u64) -> NewBatch {
    NewBatch {
        id: BatchId(Ulid::from_parts(n, 1)),
        name: "a.csv".to_owned(),
        file_sha256: format!("{n:064x}"),
        lease_ms: 600_000,
        terms: domain::Terms::default(),
    }
}

fn lane() -> LaneName {
    LaneName::new("lane-a").unwrap()
}

#[tokio::test]
async fn a_ledger_is_the_same_after_it_was_closed_and_opened_again() {
    let (_dir, path) = place_for_a_ledger();
    let ledger = SqliteLedger::open(&path).unwrap();
    let before = ledger.about().await.unwrap();
    ledger.open_batch(batch(1)).await.unwrap();
    let stored = ledger.batch(batch(1).id).await.unwrap();
    drop(ledger);
    let ledger = SqliteLedger::open(&path).unwrap();
    let after = ledger.about().await.unwrap();
    assert_eq!(after.id, before.id);
    assert!(after.now >= before.now);
    assert_eq!(ledger.batch(batch(1).id).await.unwrap(), stored);
}

#[tokio::test]
async fn every_new_ledger_has_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    for _ in 0..8 {
        let (_dir, path) = place_for_a_ledger();
        let about = SqliteLedger::open(&path).unwrap().about().await.unwrap();
        ids.insert(about.id.to_string());
    }
    // Twenty random bits: that more than one pair of eight meets is one in a thousand million.
    assert!(ids.len() >= 7, "{ids:?}");
}

#[tokio::test]
async fn only_its_owner_can_read_a_ledger() {
    let (dir, path) = place_for_a_ledger();
    let ledger = SqliteLedger::open(&path).unwrap();
    ledger.open_batch(batch(1)).await.unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.path());
    }
    names.sort();
    assert_eq!(names, ["ledger.db", "ledger.db-shm", "ledger.db-wal"]);
}

#[test]
fn a_ledger_of_a_newer_program_is_refused_and_the_error_says_what_to_do() {
    let (_dir, path) = place_for_a_ledger();
    drop(SqliteLedger::open(&path).unwrap());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 7").unwrap();
    let Err(LedgerError::Broken(text)) = SqliteLedger::open(&path) else { panic!("it opened") };
    assert!(text.contains("schema version 7"), "{text}");
    assert!(text.contains("use the program that wrote it"), "{text}");
}

/// Makes of a file what the program of version 3 would have left: batches without terms, and one
/// virtual time a lane.
fn make_version_3(path: &Path) {
    let file = Connection::open(path).unwrap();
    file.execute_batch(
        "ALTER TABLE lane ADD COLUMN virtual_time INTEGER NOT NULL DEFAULT 0;
         UPDATE lane SET virtual_time = json_extract(turns, '$.times[1]') WHERE turns IS NOT NULL;
         ALTER TABLE lane DROP COLUMN turns; ALTER TABLE served DROP COLUMN priority;
         ALTER TABLE batch RENAME COLUMN is_followed TO followed;
         ALTER TABLE batch DROP COLUMN not_before_ms; ALTER TABLE batch DROP COLUMN priority;
         PRAGMA user_version = 3;",
    )
    .unwrap();
}

/// Makes of a file what the program of version 2 would have left: payouts of 32 bytes, without
/// sender and account, and neither registers nor audit chains.
fn make_version_2(path: &Path) {
    make_version_3(path);
    let mut file = Connection::open(path).unwrap();
    let transaction = file.transaction().unwrap();
    transaction
        .execute_batch(
            "DROP TABLE register; DROP TABLE entry;
             ALTER TABLE slots RENAME COLUMN packed TO payouts; PRAGMA user_version = 2;",
        )
        .unwrap();
    for (chunk, wide) in slots(&transaction, "payouts") {
        let narrow: Vec<u8> = wide.chunks(40).flat_map(|payout| payout[..32].to_vec()).collect();
        let sql = "UPDATE slots SET payouts = ?2 WHERE chunk = ?1";
        transaction.execute(sql, params![chunk, narrow]).unwrap();
    }
    transaction.commit().unwrap();
}

fn slots(db: &Connection, column: &str) -> Vec<(i64, Vec<u8>)> {
    let mut read =
        db.prepare(&format!("SELECT chunk, {column} FROM slots ORDER BY chunk")).unwrap();
    let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn version(path: &Path) -> i64 {
    let file = Connection::open(path).unwrap();
    file.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

fn chunk(no: u16, rows: u16) -> NewChunk {
    NewChunk {
        id: ChunkId { batch: batch(1).id, no },
        first: Via { lane: lane(), format: ReferenceFormat::Number },
        second: None,
        rows,
        first_ordinal: 1,
        unsent_give_up_ms: 600_000,
        blocks: vec![vec![1, 2, 3]],
        lease_ms: 600_000,
    }
}

/// A ledger with a sealed batch of two chunks; gives their payouts.
async fn with_payouts(path: &Path) -> Vec<Option<Chunk>> {
    let ledger = SqliteLedger::open(path).unwrap();
    ledger.open_batch(batch(1)).await.unwrap();
    for (no, rows) in [(0, 3), (1, 1)] {
        assert!(ledger.append(chunk(no, rows)).await.unwrap());
    }
    let total = CurrencyTotal { rows: 4, minor: 400, exponent: 2 };
    let totals = Totals([("EUR".to_owned(), total)].into());
    let seal = Seal { id: batch(1).id, totals, chunks: 2, state: BatchState::Active };
    assert!(ledger.seal(seal).await.unwrap());
    chunks(&ledger).await
}

async fn chunks(ledger: &SqliteLedger) -> Vec<Option<Chunk>> {
    let read = (0..2).map(|no| ledger.chunk(chunk(no, 1).id));
    join_all(read).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn the_payouts_of_a_ledger_of_version_2_get_room_for_sender_and_account() {
    let (_dir, path) = place_for_a_ledger();
    let before = with_payouts(&path).await;
    assert_eq!(before.iter().flatten().map(|chunk| chunk.payouts.len()).sum::<usize>(), 4);
    make_version_2(&path);

    // A process of version 2 that has the file open must not read on as if nothing had changed.
    let older = Connection::open(&path).unwrap();
    let mut reads = older.prepare("SELECT payouts FROM slots WHERE chunk = 1").unwrap();
    let narrow: Vec<u8> = reads.query_row([], |row| row.get(0)).unwrap();
    assert_eq!(narrow.len(), 3 * 32);
    let ledger = SqliteLedger::open(&path).unwrap();
    assert!(reads.query_row([], |row| row.get::<_, Vec<u8>>(0)).is_err(), "it read on");

    assert_eq!(chunks(&ledger).await, before);
    let register = Register { name: "a".to_owned(), version: 0, text: "b".to_owned() };
    assert!(ledger.put_register(register).await.unwrap());
    assert!(ledger.append_entry("c".to_owned(), 0, vec![1]).await.unwrap());
    drop(ledger);
    let ledger = SqliteLedger::open(&path).unwrap();
    assert_eq!((chunks(&ledger).await, version(&path)), (before, 4), "it is done once");
    assert_eq!(ledger.entry_count("c".to_owned()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_batch_of_version_3_asked_for_nothing_and_its_lane_goes_on_where_it_was() {
    let (_dir, path) = place_for_a_ledger();
    with_payouts(&path).await;
    let ledger = SqliteLedger::open(&path).unwrap();
    for _ in 0..2 {
        assert_eq!(ledger.take_ready(lane(), 1, 0).await.unwrap().len(), 1);
    }
    drop(ledger);
    let served = |path: &Path| -> (u64, u64) {
        let file = Connection::open(path).unwrap();
        let sql = "SELECT json_extract(turns, '$.times[1]'), (SELECT max(virtual_time) FROM served)
                   FROM lane";
        file.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let before = served(&path);
    assert_eq!(before, (1, 2));
    make_version_3(&path);

    // A process of version 3 that has the file open must not store a batch without its terms.
    let older = Connection::open(&path).unwrap();
    let mut writes = older.prepare("UPDATE batch SET followed = 0").unwrap();
    writes.execute([]).unwrap();
    older.execute("UPDATE batch SET followed = 1", []).unwrap();
    let ledger = SqliteLedger::open(&path).unwrap();
    assert!(writes.execute([]).is_err(), "it went on");

    assert_eq!((served(&path), version(&path)), (before, 4));
    let found = ledger.batch(batch(1).id).await.unwrap().unwrap();
    assert_eq!(found.terms, domain::Terms::default());
    assert_eq!(ledger.take_ready(lane(), 9, 0).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_step_up_that_fails_half_way_leaves_the_file_as_it_was() {
    let (_dir, path) = place_for_a_ledger();
    with_payouts(&path).await;
    make_version_2(&path);
    let file = Connection::open(&path).unwrap();
    // The last chunk: by then the others have been rewritten.
    file.execute("UPDATE slots SET payouts = x'0102' WHERE chunk = 2", []).unwrap();
    let before = slots(&file, "payouts");
    let Err(LedgerError::Broken(text)) = SqliteLedger::open(&path) else { panic!("it opened") };
    assert!(text.contains("payouts of version 2"), "{text}");
    assert_eq!((slots(&file, "payouts"), version(&path)), (before, 2));
}

#[tokio::test]
async fn a_ledger_of_version_1_is_brought_up_to_date_and_keeps_what_it_holds() {
    let (_dir, path) = place_for_a_ledger();
    let old = SqliteLedger::open(&path).unwrap();
    let (id, lane) = (old.about().await.unwrap().id, LaneName::new("main").unwrap());
    assert!(old.put_lane(LaneRecord::new(lane.clone())).await.unwrap());
    drop(old);
    make_version_2(&path);
    let before = "DROP TABLE rules; PRAGMA user_version = 1;";
    Connection::open(&path).unwrap().execute_batch(before).unwrap();
    let new = SqliteLedger::open(&path).unwrap();
    assert_eq!(new.about().await.unwrap().id, id);
    assert_eq!(new.lane(lane.clone()).await.unwrap().version, 1);
    new.put_rules(lane.clone(), "min 1".to_owned()).await.unwrap();
    let again = SqliteLedger::open(&path).unwrap();
    assert_eq!(again.rules(lane).await.unwrap().unwrap().1, "min 1");
}

#[test]
fn a_file_of_somebody_else_is_refused_and_not_touched() {
    let (_dir, path) = place_for_a_ledger();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").unwrap();
    let Err(LedgerError::Broken(text)) = SqliteLedger::open(&path) else { panic!("it opened") };
    assert!(text.contains("not a ledger"), "{text}");
    let tables: i64 =
        other.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);

    let (_dir, path) = place_for_a_ledger();
    std::fs::write(&path, "reference,amount\nINV-1,10.00\n".repeat(100)).unwrap();
    assert!(matches!(SqliteLedger::open(&path), Err(LedgerError::Broken(_))));
}

#[test]
fn a_place_that_cannot_be_written_is_told() {
    let (dir, _) = place_for_a_ledger();
    let nowhere = dir.path().join("nowhere").join("ledger.db");
    let Err(LedgerError::Unavailable(text)) = SqliteLedger::open(&nowhere) else {
        panic!("it opened")
    };
    assert!(text.contains("nowhere"), "{text}");
}

#[tokio::test]
async fn many_who_make_a_ledger_at_once_share_it() {
    for _ in 0..10 {
        let (_dir, path) = place_for_a_ledger();
        let barrier = Arc::new(Barrier::new(4));
        let threads = [(); 4].map(|()| {
            let (path, barrier) = (path.clone(), barrier.clone());
            std::thread::spawn(move || {
                barrier.wait();
                SqliteLedger::open(&path).unwrap()
            })
        });
        let mut ids = BTreeSet::new();
        for thread in threads {
            ids.insert(thread.join().unwrap().about().await.unwrap().id.to_string());
        }
        assert_eq!(ids.len(), 1);
    }
}

#[tokio::test]
async fn time_does_not_go_back_when_the_clock_of_the_machine_does() {
    let (_dir, path) = place_for_a_ledger();
    let ledger = SqliteLedger::open(&path).unwrap();
    ledger.open_batch(batch(1)).await.unwrap();
    // An hour ahead: as if the clock had been set back by an hour since the last commit.
    let ahead = ledger.about().await.unwrap().now.plus(3_600_000);
    let file = Connection::open(&path).unwrap();
    file.execute("UPDATE ledger SET mark_ms = ?1", [ahead.0]).unwrap();
    assert_eq!(ledger.about().await.unwrap().now, ahead);
    ledger.open_batch(batch(2)).await.unwrap();
    let created = ledger.batch(batch(2).id).await.unwrap().unwrap().created;
    assert_eq!(created, ahead);
    drop(ledger);
    let ledger = SqliteLedger::open(&path).unwrap();
    assert!(ledger.about().await.unwrap().now >= ahead);
}

#[tokio::test]
async fn what_a_step_wrote_lies_before_the_mark() {
    let (_dir, path) = place_for_a_ledger();
    let ledger = SqliteLedger::open(&path).unwrap();
    ledger.open_batch(batch(1)).await.unwrap();
    let created = ledger.batch(batch(1).id).await.unwrap().unwrap().created;
    let file = Connection::open(&path).unwrap();
    let mark = file.query_row("SELECT mark_ms FROM ledger", [], |row| row.get(0)).unwrap();
    assert!(created <= Millis(mark));
}

#[tokio::test]
async fn a_step_that_fails_does_not_spoil_those_that_share_its_commit() {
    let (_dir, path) = place_for_a_ledger();
    let ledger = SqliteLedger::open(&path).unwrap();
    ledger.open_batch(batch(0)).await.unwrap();
    let steps = (1..200).map(|n| {
        // Every third asks for the impossible: batch 0 for another file.
        let id = if n % 3 == 0 { batch(0).id } else { batch(n).id };
        ledger.open_batch(NewBatch { id, ..batch(n) })
    });
    for (n, opened) in (1..200).zip(join_all(steps).await) {
        if n % 3 == 0 {
            assert!(matches!(opened, Err(LedgerError::Broken(_))));
        } else {
            assert_eq!(opened.unwrap(), Opened::Fresh);
        }
        assert_eq!(ledger.batch(batch(n).id).await.unwrap().is_some(), n % 3 != 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_process_leaves_turns_to_the_others() {
    // More than a group, so that the busy one always has another waiting.
    const BUSY_TASKS: u64 = 800;
    let (_dir, path) = place_for_a_ledger();
    let pace = Pace { interval_us: 1, horizon_ms: 1_000 };
    let busy = SqliteLedger::open(&path).unwrap();
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let tasks: Vec<_> = (0..BUSY_TASKS)
        .map(|_| {
            let (busy, done, stop) = (busy.clone(), done.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    busy.permits(lane(), 1, pace).await.unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let other = SqliteLedger::open(&path).unwrap();
    let mut overtaken = Vec::new();
    for _ in 0..51 {
        let before = done.load(Ordering::SeqCst);
        other.permits(lane(), 1, pace).await.unwrap();
        overtaken.push(done.load(Ordering::SeqCst) - before);
    }
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    // It looks for the lock every millisecond and is let in between two groups: rarely does a
    // third get ahead of it. The median, because on a busy machine it may itself be kept waiting.
    overtaken.sort_unstable();
    assert!(overtaken[25] <= 20 * 256, "overtaken by {overtaken:?} steps");
}

#[tokio::test]
async fn the_newest_ten_thousand_strays_of_a_lane_are_kept() {
    let (_dir, path) = place_for_a_ledger();
    let ledger = SqliteLedger::open(&path).unwrap();
    for _ in 0..20 {
        ledger.keep_stray(lane(), "old".to_owned()).await.unwrap();
    }
    let keep = (0..10_000).map(|n| ledger.keep_stray(lane(), n.to_string()));
    for kept in join_all(keep).await {
        kept.unwrap();
    }
    ledger.keep_stray(LaneName::new("other").unwrap(), "x".to_owned()).await.unwrap();
    let strays = ledger.strays(lane()).await.unwrap();
    assert_eq!((strays.len(), strays.contains(&"old".to_owned())), (10_000, false));
}
