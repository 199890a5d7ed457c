//! S18: what Redis promised when the ledger was opened is held to as long as intents are taken.

use super::life::{follow, write_intent};
use super::*;
use crate::api::LedgerError;
use crate::redis::Durability;
use crate::types::Written;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

async fn set(ledger: &RedisLedger, name: &str, value: u8) {
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg(name).arg(value);
    ledger.link.one(set).await.unwrap();
}

/// What it says of itself, by section and field.
async fn told(ledger: &RedisLedger, section: &str) -> BTreeMap<String, String> {
    let told = ledger.link.one(super::super::link::info(section)).await.unwrap();
    let told: String = take(told, "statistics").unwrap();
    let fields = told.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn replicas_are(ledger: &RedisLedger, count: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while told(ledger, "replication").await["connected_slaves"] != count {
        assert!(Instant::now() < deadline, "no {count} replicas");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Trusts the life that stands now: a first replica begins another one.
async fn trust_anew(ledger: &RedisLedger) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match ledger.about().await {
            Ok(about) => return ledger.trust(about.life),
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

/// Rows of one chunk under its lease, each for one intent.
struct Rows {
    chunk: ChunkId,
    token: Token,
    stand: Payout,
}

async fn rows(ledger: &RedisLedger, n: u64) -> Rows {
    let chunk = ChunkId { batch: sealed(ledger, n, 1, 1).await, no: 0 };
    let (token, payouts) = held(ledger, chunk).await;
    Rows { chunk, token, stand: payouts[0] }
}

async fn intend(ledger: &RedisLedger, rows: &Rows) -> Result<Written, LedgerError> {
    write_intent(ledger, rows.chunk, rows.token, rows.stand).await
}

/// Until the intent is taken; Redis refuses to write until a replica's first sign of life.
async fn is_taken(ledger: &RedisLedger, rows: &Rows) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match intend(ledger, rows).await {
            Ok(written) => return assert_eq!(written, Written::Done(Vec::new())),
            Err(error @ LedgerError::Unavailable(_)) => {
                assert!(Instant::now() < deadline, "{error}")
            }
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn assert_lags(written: &Result<Written, LedgerError>) {
    match written {
        Err(LedgerError::Unavailable(text)) => {
            assert!(text.contains("Lagging") && text.contains("min-replicas-to-write"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn replicas_that_come_later_and_are_not_waited_for_end_the_taking_of_intents_without_a_restart()
 {
    let (a, b, c) =
        (RedisServer::start(), RedisServer::with_fsync("no"), RedisServer::with_fsync("no"));
    let ledger = connect(&a).await;
    let (first, second, third) =
        (rows(&ledger, 1).await, rows(&ledger, 2).await, rows(&ledger, 3).await);
    // As a process that runs only to see what it would have been told at its start.
    let [b_ledger, c_ledger] = [connect(&b).await, connect(&c).await];
    assert_eq!(ledger.durability(), Durability::Always);

    follow(&b_ledger, Some(&a)).await;
    trust_anew(&ledger).await;
    assert_lags(&intend(&ledger, &first).await);
    assert_eq!(ledger.durability(), Durability::Lagging);
    let stands = ledger.chunk(first.chunk).await.unwrap().unwrap().payouts;
    assert_eq!(stands, [first.stand], "it was known before the write, so nothing was written");

    set(&ledger, "min-replicas-to-write", 1).await;
    is_taken(&ledger, &first).await;
    assert_eq!(ledger.durability(), Durability::Always);

    // The second one begins no other life: only its number tells, behind the very next intent.
    let life = ledger.about().await.unwrap().life;
    follow(&c_ledger, Some(&a)).await;
    replicas_are(&ledger, "2").await;
    assert_lags(&intend(&ledger, &second).await);
    assert_lags(&intend(&ledger, &third).await);
    let stands = ledger.chunk(third.chunk).await.unwrap().unwrap().payouts;
    assert_eq!(stands, [third.stand], "from then on nothing is written either");
    follow(&c_ledger, None).await;
    replicas_are(&ledger, "1").await;
    is_taken(&ledger, &third).await;
    assert_eq!(ledger.about().await.unwrap().life, life);
}

#[tokio::test]
async fn an_intent_asks_for_no_settings_as_long_as_nothing_changed() {
    let server = RedisServer::start();
    let ledger = connect(&server).await;
    let mut asked = Vec::new();
    for n in 1..=4 {
        let rows = rows(&ledger, n).await;
        assert!(intend(&ledger, &rows).await.is_ok());
        asked.push(told(&ledger, "commandstats").await["cmdstat_config|get"].clone());
    }
    let calls = |stat: &String| stat.split(',').next().map(str::to_owned);
    assert!(asked.windows(2).all(|pair| calls(&pair[0]) == calls(&pair[1])), "{asked:?}");
}

#[tokio::test]
async fn whoever_opened_a_redis_that_promised_less_goes_on_with_it() {
    let (a, b) = (RedisServer::with_fsync("no"), RedisServer::with_fsync("no"));
    let (ledger, replica) = (connect(&a).await, connect(&b).await);
    let rows = rows(&ledger, 1).await;
    follow(&replica, Some(&a)).await;
    trust_anew(&ledger).await;
    is_taken(&ledger, &rows).await;
    assert_eq!(ledger.durability(), Durability::None);
}

#[tokio::test]
async fn a_redis_that_comes_back_with_weaker_settings_takes_no_intent() {
    let mut server = RedisServer::start();
    let ledger = connect(&server).await;
    let rows = rows(&ledger, 1).await;
    server.kill();
    server.restart_with_fsync("everysec");
    trust_anew(&ledger).await;
    match intend(&ledger, &rows).await {
        Err(LedgerError::Unavailable(text)) => assert!(text.contains("EverySecond"), "{text}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_replica_that_left_while_it_was_judged_is_judged_when_it_comes_back() {
    let server = RedisServer::start();
    let ledger = connect(&server).await;
    let nobody = ledger.link.seen();
    let one = nobody.with_replicas(Some(1));
    assert_ne!(nobody, one);
    // It was told of, and has left by the time of the question: the answer knows of none.
    ledger.link.see(one);
    ledger.promise.holds(&ledger.link).await.unwrap();
    // It comes back, and what is promised with it is less.
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg("appendfsync").arg("everysec");
    ledger.link.one(set).await.unwrap();
    ledger.link.see(one);
    match ledger.promise.holds(&ledger.link).await {
        Err(LedgerError::Unavailable(text)) => assert!(text.contains("EverySecond"), "{text}"),
        other => panic!("it was never judged: {other:?}"),
    }
}

#[tokio::test]
async fn a_redis_that_hides_its_settings_from_now_on_takes_no_intent_until_it_tells_again() {
    let server = RedisServer::start();
    let ledger = connect(&server).await;
    let rows = rows(&ledger, 1).await;
    let allow = async |what: &str| {
        let mut acl = redis::cmd("ACL");
        acl.arg("SETUSER").arg("default").arg(what);
        ledger.link.one(acl).await.unwrap();
    };
    allow("-config").await;
    // As behind a failover: what is seen is not what was judged.
    ledger.link.see(ledger.link.seen().with_replicas(Some(9)));
    for _ in 0..2 {
        match intend(&ledger, &rows).await {
            Err(LedgerError::Unavailable(text)) => {
                assert!(text.contains("is not known") && text.contains("CONFIG GET"), "{text}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ledger.durability(), Durability::Unknown);
    let stands = ledger.chunk(rows.chunk).await.unwrap().unwrap().payouts;
    assert_eq!(stands, [rows.stand], "nothing was written");
    allow("+config").await;
    is_taken(&ledger, &rows).await;
    assert_eq!(ledger.durability(), Durability::Always);
}
