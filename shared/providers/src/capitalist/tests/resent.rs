//! A payment that was sent again has not failed because its newest batch says so.

use super::platform::{Say, code};
use super::searches::{SEARCH, asked, batch, document, list, platform, record};
use super::*;
use domain::News;
use serde_json::Value;

const BATCH: &str = "get_batch_info";

/// A payment that has been in more than one import; the newest one's batch is known.
fn resent(name: &str) -> Payment {
    let mut payment = shipped(wallet(name, "10.00"), ID);
    payment.past.resent = true;
    payment
}

/// What the newest batch says of it, and what a search by its number does.
async fn told(of_batch: Value, by_number: Say, payment: Payment) -> (Found, Vec<String>) {
    let (platform, adapter) = platform([by_number]).await;
    platform.on(BATCH, [batch(vec![of_batch])]);
    let told = ask(&adapter, &platform, vec![payment], None).await;
    (told.found[0].clone(), asked(&platform))
}

fn news(found: &Found) -> Option<News> {
    if let Found::Is { news, .. } = found { Some(*news) } else { None }
}

#[tokio::test]
async fn what_an_earlier_batch_may_pay_outweighs_the_refusal_of_the_newest() {
    for kind in ["SKIP", "CAPITALIST"] {
        for (state, stands) in [
            ("NEW", Some(News::InProgress)),
            ("EXECUTED", Some(News::Paid)),
            ("DECLINED", Some(News::Failed)),
            ("ODD", None),
        ] {
            let found = list(vec![document("A", state)]);
            let (found, asked) = told(record("A", "DECLINED", kind), found, resent("A")).await;
            assert_eq!(news(&found), stands, "{kind}, {state}: {found:?}");
            assert_eq!(asked, ["abcd-A"]);
        }
    }
}

#[tokio::test]
async fn a_refusal_that_no_other_document_speaks_against_is_one() {
    let declined = || record("A", "DECLINED", "CAPITALIST");
    let (found, _) = told(declined(), list(vec![]), resent("A")).await;
    assert_eq!(news(&found), Some(News::Failed), "{found:?}");
    let (found, asked) = told(declined(), list(vec![]), shipped(wallet("A", "10.00"), ID)).await;
    assert_eq!(news(&found), Some(News::Failed));
    assert!(asked.is_empty(), "it was sent once: its batch tells all there is");
}

#[tokio::test]
async fn an_unconfirmed_refusal_is_none_yet() {
    for answer in [code(2, "x"), list(vec![document("Z", "EXECUTED")])] {
        let declined = record("A", "DECLINED", "CAPITALIST");
        let (found, _) = told(declined, answer, resent("A")).await;
        assert!(is_unclear(&found), "{found:?}");
    }
}

#[tokio::test]
async fn only_so_many_refusals_are_confirmed_in_one_look_up() {
    let (platform, _) = platform([list(vec![])]).await;
    let names = ["A", "B", "C"];
    let declined = names.map(|name| record(name, "DECLINED", "CAPITALIST"));
    platform.on(BATCH, [batch(declined.into())]);
    let adapter = adapter_at(&platform.base, "numbers_per_look_up = 2");
    let told = ask(&adapter, &platform, names.map(resent).into(), None).await;
    assert!(told.found[..2].iter().all(|found| news(found) == Some(News::Failed)), "{told:?}");
    assert!(is_unclear(&told.found[2]), "{told:?}");
    assert_eq!(platform.heard(SEARCH).len(), 2);
}

#[tokio::test]
async fn where_no_search_proves_anything_nothing_was_sent_again_that_may_be_there() {
    let (platform, _) = platform([list(vec![])]).await;
    let declined = record("A", "DECLINED", "CAPITALIST");
    platform.on(BATCH, [batch(vec![declined])]);
    let more = "verification = \"mobile\"\nsearch_shows_unconfirmed = false";
    let adapter = adapter_at(&platform.base, more);
    let told = ask(&adapter, &platform, vec![resent("A")], None).await;
    assert_eq!(news(&told.found[0]), Some(News::Failed));
    assert!(platform.heard(SEARCH).is_empty());
}
