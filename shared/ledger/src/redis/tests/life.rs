//! S18: a server that was started anew may have forgotten what it answered.

use super::*;
use crate::api::LedgerError;
use crate::types::{Change, Life, Written};

/// Writes an intent for a row that nobody has sent yet.
pub(super) async fn write_intent(
    ledger: &RedisLedger,
    chunk: ChunkId,
    token: Token,
    from: Payout,
) -> Result<Written, LedgerError> {
    let to = match domain::decide(&from, &intent(), domain::Millis(0), &Policy::default()) {
        Ok(domain::Decision::Change(to)) => to,
        other => panic!("{other:?}"),
    };
    let change = Change { row: 0, from, to, notes: Vec::new() };
    ledger.write(chunk, Guard::Intent(token), vec![change]).await
}

pub(super) fn is_refused(written: &Result<Written, LedgerError>) -> bool {
    matches!(written, Err(LedgerError::Unavailable(text)) if text.contains("started anew"))
}

#[tokio::test]
async fn no_intent_is_taken_before_somebody_vouched_for_this_life() {
    let server = RedisServer::with_fsync("no");
    let ledger = RedisLedger::connect(&server.url(), super::super::DEFAULT_PREFIX).await.unwrap();
    let chunk = ChunkId { batch: sealed(&ledger, 1, 1, 1).await, no: 0 };
    let (token, stand) = held(&ledger, chunk).await;
    let life = ledger.about().await.unwrap().life;
    assert!(is_refused(&write_intent(&ledger, chunk, token, stand[0]).await));
    ledger.trust(Life(life.0 ^ 1));
    assert!(is_refused(&write_intent(&ledger, chunk, token, stand[0]).await));
    assert_eq!(ledger.chunk(chunk).await.unwrap().unwrap().payouts, stand, "nothing was written");
    ledger.trust(life);
    let written = write_intent(&ledger, chunk, token, stand[0]).await.unwrap();
    assert_eq!(written, Written::Done(Vec::new()));
}

#[tokio::test]
async fn after_a_restart_no_intent_is_taken_until_journals_were_compared_and_facts_are() {
    let mut server = RedisServer::start();
    let ledger = connect(&server).await;
    let chunk = ChunkId { batch: sealed(&ledger, 1, 1, 2).await, no: 0 };
    let (token, stand) = held(&ledger, chunk).await;
    let before = ledger.about().await.unwrap().life;
    assert_eq!(connect(&server).await.about().await.unwrap().life, before, "one run, one life");
    server.kill();
    server.restart();

    // The first call on the dead connection fails by it; from then on it is the life that counts.
    loop {
        let written = write_intent(&ledger, chunk, token, stand[0]).await;
        assert!(written.is_err(), "an intent was taken in a life that nobody vouched for");
        if is_refused(&written) {
            break;
        }
    }
    let after = ledger.about().await.unwrap().life;
    assert_ne!(after, before);
    assert_eq!(ledger.chunk(chunk).await.unwrap().unwrap().payouts, stand, "nothing was written");

    let mut second = vec![(1, stand[1])];
    all_change(&ledger, chunk, Guard::Fact, paid(), &mut second).await;
    ledger.trust(before);
    assert!(is_refused(&write_intent(&ledger, chunk, token, stand[0]).await), "an older life");
    ledger.trust(after);
    let written = write_intent(&ledger, chunk, token, stand[0]).await.unwrap();
    assert_eq!(written, Written::Done(Vec::new()));
}

#[tokio::test]
async fn a_connection_that_broke_on_the_same_server_needs_no_new_trust() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let chunk = ChunkId { batch: sealed(&ledger, 1, 1, 1).await, no: 0 };
    let (token, stand) = held(&ledger, chunk).await;
    let mut kill = redis::cmd("CLIENT");
    kill.arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("no");
    // It closes the connection that asked, so there may be an answer or none.
    let _ = ledger.link.one(kill).await;
    let written = loop {
        match write_intent(&ledger, chunk, token, stand[0]).await {
            Err(LedgerError::Unavailable(text)) => {
                assert!(!text.contains("started anew"), "{text}")
            }
            written => break written.unwrap(),
        }
    };
    assert_eq!(written, Written::Done(Vec::new()));
}

/// `REPLICAOF`, and until the server follows as told: a replica that has all that its primary has.
pub(super) async fn follow(ledger: &RedisLedger, of: Option<&RedisServer>) {
    let mut follow = redis::cmd("REPLICAOF");
    let url = of.map(RedisServer::url);
    match url.as_deref().and_then(|url| url.rsplit_once(':')) {
        Some((_, port)) => follow.arg("127.0.0.1").arg(port),
        None => follow.arg("NO").arg("ONE"),
    };
    ledger.link.one(follow).await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let told = ledger.link.one(super::super::link::info("replication")).await.unwrap();
        let told: String = take(told, "a role").unwrap();
        let follows = match of {
            Some(_) => told.contains("master_link_status:up"),
            None => told.contains("role:master"),
        };
        if follows {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{told}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_primary_that_was_demoted_forgot_and_was_promoted_again_is_another_life_to_everybody() {
    let (a, b) = (RedisServer::with_fsync("no"), RedisServer::with_fsync("no"));
    let (first, second) = (connect(&a).await, connect(&b).await);
    let chunk = ChunkId { batch: sealed(&first, 1, 1, 1).await, no: 0 };
    follow(&second, Some(&a)).await;
    follow(&second, None).await;
    // The partition: it goes on with A, whose second intent B never hears of.
    let (token, stand) = held(&first, chunk).await;
    // B came: that is another history already, and is noticed by the next who asks.
    let before = loop {
        if let Ok(about) = first.about().await {
            break about.life;
        }
    };
    first.trust(before);
    let written = write_intent(&first, chunk, token, stand[0]).await.unwrap();
    assert_eq!(written, Written::Done(Vec::new()));
    // Another connection of ours steers, so that the first stands idle and open meanwhile.
    let steering = RedisLedger::connect(&a.url(), super::super::DEFAULT_PREFIX).await.unwrap();
    follow(&steering, Some(&b)).await;
    follow(&steering, None).await;

    assert_eq!(steering.chunk(chunk).await.unwrap().unwrap().payouts, stand, "it was forgotten");
    let refused = write_intent(&first, chunk, token, stand[0]).await;
    assert!(
        is_refused(&refused),
        "the open connection belongs to a life that is over: {refused:?}"
    );
    assert_ne!(first.about().await.unwrap().life, before, "the same process, another life");
    let again = write_intent(&first, chunk, token, stand[0]).await;
    assert!(is_refused(&again), "nobody compared in it: {again:?}");
}

#[tokio::test]
async fn replicas_that_redis_does_not_wait_for_make_its_answers_worth_less() {
    use crate::redis::Durability;
    let (a, b) = (RedisServer::start(), RedisServer::with_fsync("no"));
    let (first, second) = (connect(&a).await, connect(&b).await);
    follow(&second, Some(&a)).await;
    assert_eq!(connect(&a).await.durability(), Durability::Lagging);
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg("min-replicas-to-write").arg(1);
    first.link.one(set).await.unwrap();
    // Redis refuses to write until the replica's first sign of life, which comes every second.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let waited_for = loop {
        match RedisLedger::connect(&a.url(), super::super::DEFAULT_PREFIX).await {
            Ok(ledger) => break ledger.durability(),
            Err(error) => assert!(std::time::Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(waited_for, Durability::Always);
}
