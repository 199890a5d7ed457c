use super::*;
use crate::api::LedgerError;

async fn refusal(server: &RedisServer) -> String {
    match RedisLedger::connect(&server.url(), super::super::DEFAULT_PREFIX).await {
        Err(LedgerError::Broken(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_ledger_of_another_layout_is_refused_and_the_error_says_what_to_do() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let layout = ledger.keys.installation("layout");
    // What a program left that stored no number: payouts of 32 bytes.
    let mut delete = redis::cmd("DEL");
    delete.arg(&layout);
    ledger.link.one(delete).await.unwrap();
    let text = refusal(&server).await;
    assert!(text.contains("layout 1") && text.contains("ledger.prefix"), "{text}");
    assert!(text.contains("would be paid again") && text.contains("lane adopt"), "{text}");
    assert!(refusal(&server).await.contains("layout 1"), "and again: nothing was stored");

    let set = |number: u32| {
        let mut set = redis::cmd("SET");
        set.arg(&layout).arg(number);
        ledger.link.one(set)
    };
    set(4).await.unwrap();
    let text = refusal(&server).await;
    assert!(text.contains("layout 4") && text.contains("layout 3 only"), "{text}");

    // Right as it is, but for what the program that left it does not know: that one starts no more.
    set(2).await.unwrap();
    let again = connect(&server).await;
    assert_eq!(again.about().await.unwrap().id, ledger.about().await.unwrap().id);
    let mut get = redis::cmd("GET");
    get.arg(&layout);
    let number: String = take(ledger.link.one(get).await.unwrap(), "a number").unwrap();
    assert_eq!(number, "3");
}

#[tokio::test]
async fn many_who_make_a_ledger_at_once_share_it() {
    let server = RedisServer::with_fsync("no");
    let all = (0..8).map(|_| connect(&server));
    for ledger in futures::future::join_all(all).await {
        let id = connect(&server).await.about().await.unwrap().id;
        assert_eq!(ledger.about().await.unwrap().id, id);
    }
}
