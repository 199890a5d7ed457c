//! S18: a server that was started anew may have forgotten what it answered.

use super::*;
use crate::api::LedgerError;
use crate::types::{Change, Life, Written};

/// Writes an intent for a row that nobody has sent yet.
async fn write_intent(
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

fn is_refused(written: &Result<Written, LedgerError>) -> bool {
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
