//! S18: between a script that Redis did not know and the same script sent again much may happen.

use super::life::{is_refused, write_intent};
use super::*;
use crate::types::Written;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the relay waits for: the scripts are taught.
const TEACHING: &[u8] = b"SCRIPT\r\n$4\r\nLOAD";

/// Passes on what our connections say; once, when scripts are taught and it is armed, the server
/// becomes a replica and is promoted again before it hears of them.
async fn relay(server: &RedisServer, steering: Arc<RedisLedger>) -> (String, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let armed = Arc::new(AtomicBool::new(false));
    let (to, is_armed) = (server.url().replace("redis://", ""), armed.clone());
    tokio::spawn(async move {
        while let Ok((ours, _)) = listener.accept().await {
            let theirs = TcpStream::connect(&to).await.unwrap();
            let (mut from_us, mut to_us) = ours.into_split();
            let (mut from_it, mut to_it) = theirs.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_it, &mut to_us).await });
            let (armed, steering) = (is_armed.clone(), steering.clone());
            tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 16];
                while let Ok(count @ 1..) = from_us.read(&mut bytes).await {
                    let told = &bytes[..count];
                    let teaches = told.windows(TEACHING.len()).any(|window| window == TEACHING);
                    if teaches && armed.swap(false, Ordering::SeqCst) {
                        demote_and_promote(&steering).await;
                    }
                    to_it.write_all(told).await.unwrap();
                }
            });
        }
    });
    (url, armed)
}

async fn demote_and_promote(steering: &RedisLedger) {
    let follow = |host: &str, port: &str| {
        let mut follow = redis::cmd("REPLICAOF");
        follow.arg(host).arg(port);
        follow
    };
    // A primary that nobody answers for: it keeps its data, and begins another history after it.
    let commands = vec![follow("127.0.0.1", "1"), follow("NO", "ONE")];
    steering.link.all(commands).await.unwrap();
}

async fn forget_scripts(steering: &RedisLedger) {
    let mut flush = redis::cmd("SCRIPT");
    flush.arg("FLUSH");
    steering.link.one(flush).await.unwrap();
}

#[tokio::test]
async fn an_intent_whose_script_is_sent_again_is_held_to_the_life_once_more() {
    let server = RedisServer::with_fsync("no");
    let steering = Arc::new(connect(&server).await);
    let (url, armed) = relay(&server, steering.clone()).await;
    let ledger = RedisLedger::connect(&url, super::super::DEFAULT_PREFIX).await.unwrap();
    let before = ledger.about().await.unwrap().life;
    ledger.trust(before);
    let chunk = ChunkId { batch: sealed(&ledger, 1, 1, 2).await, no: 0 };
    let (token, stand) = held(&ledger, chunk).await;

    forget_scripts(&steering).await;
    armed.store(true, Ordering::SeqCst);
    let written = write_intent(&ledger, chunk, token, stand[0]).await;
    assert!(!armed.load(Ordering::SeqCst), "the scripts were taught, and the life ended before");
    assert!(is_refused(&written), "it was answered in a life that nobody compared: {written:?}");
    assert_ne!(ledger.about().await.unwrap().life, before);
    let stands = ledger.chunk(chunk).await.unwrap().unwrap().payouts;
    assert_ne!(stands, stand, "it was written all the same: whoever asked must not rely on either");
}

#[tokio::test]
async fn an_intent_whose_script_was_forgotten_is_taken_in_the_same_life() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let chunk = ChunkId { batch: sealed(&ledger, 1, 1, 1).await, no: 0 };
    let (token, stand) = held(&ledger, chunk).await;
    forget_scripts(&ledger).await;
    let written = write_intent(&ledger, chunk, token, stand[0]).await.unwrap();
    assert_eq!(written, Written::Done(Vec::new()));
}

#[tokio::test]
async fn a_script_is_not_sent_again_into_a_life_that_is_over_already() {
    let server = RedisServer::with_fsync("no");
    let (ledger, steering) = (connect(&server).await, connect(&server).await);
    let chunk = ChunkId { batch: sealed(&ledger, 1, 1, 1).await, no: 0 };
    let (token, stand) = held(&ledger, chunk).await;
    forget_scripts(&steering).await;
    demote_and_promote(&steering).await;
    assert!(is_refused(&write_intent(&ledger, chunk, token, stand[0]).await));
    assert_eq!(ledger.chunk(chunk).await.unwrap().unwrap().payouts, stand, "nothing was written");
}
