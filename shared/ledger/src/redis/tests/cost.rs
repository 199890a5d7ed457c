//! What a row costs Redis. Run with `--nocapture` to see the figures.

use super::*;
use std::collections::BTreeMap;

const CHUNKS: u16 = 10;
const ROWS: u16 = 1_000;

/// References that were taken in before: an index that is used, not the first rows of an empty
/// one, where each row pays for a hash of its own.
const OLDER_REFERENCES: u32 = 300_000;

/// Bytes of all keys like `pattern`, as Redis counts them.
async fn bytes(ledger: &RedisLedger, pattern: &str) -> u64 {
    let usage = |key: &String| {
        let mut usage = redis::cmd("MEMORY");
        usage.arg("USAGE").arg(key).arg("SAMPLES").arg(0);
        usage
    };
    let keys = keys_like(ledger, pattern).await;
    let mut total = 0;
    for page in keys.chunks(1_000) {
        let answers = ledger.link.all(page.iter().map(usage).collect()).await.unwrap();
        total += answers.into_iter().map(|a| take::<u64>(a, "bytes").unwrap()).sum::<u64>();
    }
    total
}

/// A chunk under its lease.
struct Sending {
    chunk: ChunkId,
    token: Token,
    rows: Vec<(u16, Payout)>,
}

async fn sending(ledger: &RedisLedger, id: BatchId) -> Vec<Sending> {
    let mut all = Vec::new();
    for no in 0..CHUNKS {
        let chunk = ChunkId { batch: id, no };
        let (token, payouts) = held(ledger, chunk).await;
        all.push(Sending { chunk, token, rows: numbered(payouts) });
    }
    all
}

/// Writes intents and outcomes in groups of `group` rows, all chunks side by side.
async fn send(ledger: &RedisLedger, all: &mut [Sending], group: usize) {
    let chunks = all.iter_mut().map(async |one| {
        for rows in one.rows.chunks_mut(group) {
            all_change(ledger, one.chunk, Guard::Intent(one.token), intent(), rows).await;
            all_change(ledger, one.chunk, Guard::Fact, accepted(), rows).await;
        }
    });
    futures::future::join_all(chunks).await;
}

/// Writes the news that the rows were paid: every `apart`-th row in one group, as callbacks come.
async fn settle(ledger: &RedisLedger, all: &mut [Sending], apart: usize) {
    let chunks = all.iter_mut().map(async |one| {
        for first in 0..apart {
            let mut rows: Vec<_> = one.rows.iter().skip(first).step_by(apart).copied().collect();
            all_change(ledger, one.chunk, Guard::Fact, paid(), &mut rows).await;
        }
    });
    futures::future::join_all(chunks).await;
}

#[tokio::test]
async fn a_paid_row_costs_at_most_140_bytes_beside_its_blocks() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let older = references(batch_id(9), 0, OLDER_REFERENCES);
    assert!(ledger.reserve(older).await.unwrap().is_empty());
    let index_before = bytes(&ledger, "*{r:*").await;

    let own = references(batch_id(1), OLDER_REFERENCES, u32::from(CHUNKS) * u32::from(ROWS));
    assert!(ledger.reserve(own).await.unwrap().is_empty());
    let id = sealed(&ledger, 1, CHUNKS, ROWS).await;
    let mut all = sending(&ledger, id).await;
    send(&ledger, &mut all, 100).await;
    settle(&ledger, &mut all, 10).await;
    let batch = ledger.batch(id).await.unwrap().unwrap();
    assert_eq!(batch.state, BatchState::Complete);
    assert_eq!(ledger.notes(ChunkId { batch: id, no: 9 }).await.unwrap().len(), 1_000);

    let index = bytes(&ledger, "*{r:*").await - index_before;
    let batch = bytes(&ledger, &format!("*{{b:{id}}}*")).await;
    let blocks = bytes(&ledger, &format!("*{{b:{id}}}:r:*")).await;
    let slots = bytes(&ledger, &format!("*{{b:{id}}}:s:*")).await;
    let notes = bytes(&ledger, &format!("*{{b:{id}}}:n:*")).await;
    let rows = u64::from(CHUNKS) * u64::from(ROWS);
    let per_row = |bytes: u64| format!("{}.{}", bytes / rows, bytes * 10 / rows % 10);
    println!(
        "bytes a row: {} = index {} + slots {} + notes {} + rest {}; beside them blocks {}",
        per_row(index + batch - blocks),
        per_row(index),
        per_row(slots),
        per_row(notes),
        per_row(batch - blocks - slots - notes),
        per_row(blocks),
    );
    assert!(index + batch - blocks < 140 * rows);
}

/// Microseconds inside commands so far, without the waiting for the disk.
async fn busy_us(ledger: &RedisLedger) -> u64 {
    let mut info = redis::cmd("INFO");
    info.arg("commandstats");
    let text: String = take(ledger.link.one(info).await.unwrap(), "statistics").unwrap();
    let fields: BTreeMap<&str, &str> = text.lines().filter_map(|l| l.split_once(':')).collect();
    let Some(scripts) = fields.get("cmdstat_evalsha") else { return 0 };
    let usec = scripts.split(',').find_map(|field| field.strip_prefix("usec=")).unwrap();
    usec.parse().unwrap()
}

/// Microseconds of processor time of the whole server.
async fn cpu_us(ledger: &RedisLedger) -> u64 {
    let mut info = redis::cmd("INFO");
    info.arg("cpu");
    let text: String = take(ledger.link.one(info).await.unwrap(), "statistics").unwrap();
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let used = fields.filter(|(name, _)| *name == "used_cpu_user" || *name == "used_cpu_sys");
    used.map(|(_, seconds)| seconds.replace('.', "").trim().parse::<u64>().unwrap()).sum()
}

/// What a phase cost, told and given: microseconds in scripts, for all rows.
async fn told(ledger: &RedisLedger, what: &str, phase: impl Future<Output = ()>) -> u64 {
    let (busy, cpu) = (busy_us(ledger).await, cpu_us(ledger).await);
    phase.await;
    let busy = busy_us(ledger).await - busy;
    let cpu = cpu_us(ledger).await - cpu;
    let rows = u64::from(CHUNKS) * u64::from(ROWS);
    let per_row = |us: u64| format!("{}.{:02}", us / rows, us * 100 / rows % 100);
    println!("{what}: {} us a row in scripts, {} us of processor", per_row(busy), per_row(cpu));
    busy
}

#[tokio::test]
async fn a_row_costs_redis_a_few_microseconds() {
    let server = RedisServer::start();
    let ledger = connect(&server).await;
    let rows = u64::from(CHUNKS) * u64::from(ROWS);
    for (n, group) in [(1, 100), (2, 500), (3, 10)] {
        let id = batch_id(n);
        let own = references(id, u32::try_from(n).unwrap() * 10_000, 10_000);
        let intake = async {
            assert!(ledger.reserve(own).await.unwrap().is_empty());
            sealed(&ledger, n, CHUNKS, ROWS).await;
        };
        told(&ledger, "intake", intake).await;
        let mut all = sending(&ledger, id).await;
        let what = format!("intent and outcome in groups of {group}");
        let busy = told(&ledger, &what, send(&ledger, &mut all, group)).await;
        // Ten times what it is on a quiet machine: only a change of the kind is to fail here.
        assert!(group < 100 || busy < 30 * rows);
        let apart = usize::from(ROWS) / group;
        let what = format!("news in groups of {group} rows that are {apart} apart");
        let busy = told(&ledger, &what, settle(&ledger, &mut all, apart)).await;
        assert!(group < 100 || busy < 30 * rows);
    }
}
