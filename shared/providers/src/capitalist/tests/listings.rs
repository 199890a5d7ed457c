//! Part of a batch proves nothing about the rest of it: a listing is whole, has in it what led to
//! it, or leaves what it lacks in doubt.

use super::platform::{Say, data};
use super::searches::{SEARCH, asked, batch, document, list, platform, record, row_of};
use super::*;
use domain::News;
use serde_json::{Value, json as value};

const BATCH: &str = "get_batch_info";

fn taken(name: &str) -> Value {
    record(name, "NEW", "CAPITALIST")
}

/// A page as it is told, with what it leaves out.
fn page(offset: Option<usize>, total: Option<usize>, names: &[&str]) -> Say {
    let records: Vec<Value> = names.iter().map(|name| taken(name)).collect();
    data(value!({"id": ID, "offset": offset, "totalCount": total, "records": records}))
}

/// Listings that are not whole, though "A" is on each of them.
fn torn() -> Vec<(&'static str, Vec<Say>)> {
    let first = || page(Some(0), Some(3), &["A"]);
    vec![
        ("it ends before its total", vec![first(), page(Some(1), Some(3), &[])]),
        ("it tells no total", vec![page(Some(0), None, &["A"])]),
        ("it never ends", vec![first(), page(Some(1), Some(200_000), &["Z"])]),
        ("the offset is ignored", vec![page(Some(0), Some(2), &["A"])]),
        ("the offset is not told", vec![first(), page(None, Some(3), &["Z", "Y"])]),
        ("it lists more than its total", vec![page(Some(0), Some(1), &["A", "Z"])]),
        ("it grows while it is read", vec![first(), page(Some(1), Some(2), &["Z"])]),
    ]
}

#[tokio::test]
async fn a_batch_that_is_not_listed_whole_leaves_its_unseen_rows_in_doubt() {
    for (why, pages) in torn() {
        let documents = vec![document("A", "NEW"), document("X", "EXECUTED")];
        let (platform, adapter) = platform([list(documents), list(vec![])]).await;
        platform.on(BATCH, pages);
        let rows = ["A", "B"].map(row_of).into();
        let told = ask(&adapter, &platform, rows, Some(row_of("X"))).await;
        assert!(matches!(told.found[0], Found::Is { news: News::InProgress, .. }), "{why}");
        assert!(is_unclear(&told.found[1]), "{why}: {told:?}");
    }
}

#[tokio::test]
async fn a_batch_whose_id_is_known_says_nothing_unless_it_is_listed_whole() {
    for (why, pages) in torn() {
        let (platform, adapter) = platform([list(vec![])]).await;
        platform.on(BATCH, pages);
        let rows = ["A", "B"].map(|name| shipped(wallet(name, "10.00"), ID)).into();
        let told = ask(&adapter, &platform, rows, None).await;
        assert!(told.found.iter().all(is_unclear), "{why}: {told:?}");
    }
}

#[tokio::test]
async fn a_batch_that_never_ends_is_given_up() {
    let (platform, adapter) = platform([list(vec![])]).await;
    let endless = (0..200).map(|at| page(Some(at), Some(200_000), &["A"]));
    platform.on(BATCH, endless);
    let row = shipped(wallet("A", "10.00"), ID);
    let told = ask(&adapter, &platform, vec![row], None).await;
    assert!(is_unclear(&told.found[0]), "{told:?}");
    assert_eq!(platform.heard(BATCH).len(), 101);
}

#[tokio::test]
async fn a_batch_that_lacks_what_a_search_found_in_it_proves_nothing() {
    let documents = vec![document("A", "EXECUTED"), document("X", "EXECUTED")];
    let (platform, adapter) = platform([list(documents), list(vec![])]).await;
    platform.on(BATCH, [batch(vec![taken("Z")])]);
    let rows = ["A", "B", "C"].map(row_of).into();
    let told = ask(&adapter, &platform, rows, Some(row_of("X"))).await;
    assert!(matches!(told.found[0], Found::Is { news: News::Paid, .. }), "{told:?}");
    assert!(told.found[1..].iter().all(is_unclear), "{told:?}");
}

#[tokio::test]
async fn what_was_sent_with_a_payment_of_no_named_batch_is_not_absent() {
    let mut lone = document("A", "EXECUTED");
    lone["batchId"] = Value::Null;
    let documents = vec![lone, document("X", "EXECUTED")];
    let (platform, adapter) = platform([list(documents), list(vec![])]).await;
    let mut other = row_of("C");
    let later = Millis(SENT_MS + 60_000);
    other.past.sent = Some(Sent { from: later, until: later });
    let rows = vec![row_of("A"), row_of("B"), other];
    let told = ask(&adapter, &platform, rows, Some(row_of("X"))).await;
    assert!(is_unclear(&told.found[1]), "sent together with A: {told:?}");
    assert_eq!(told.found[2], Found::Absent, "of another import: {told:?}");
    assert_eq!(asked(&platform), ["", "abcd-C"]);
}

#[tokio::test]
async fn what_is_found_by_its_number_leads_to_its_batch_before_anything_is_absent() {
    for (listed, is_absent) in [(vec![taken("A"), taken("B")], false), (vec![taken("A")], true)] {
        let answers = [
            list(vec![]),
            list(vec![document("X", "EXECUTED")]),
            list(vec![document("A", "NEW")]),
            list(vec![]),
        ];
        let (platform, adapter) = platform(answers).await;
        platform.on(BATCH, [batch(listed)]);
        let rows = ["A", "B"].map(row_of).into();
        let told = ask(&adapter, &platform, rows, Some(row_of("X"))).await;
        assert_eq!(asked(&platform), ["", "abcd-X", "abcd-A", "abcd-B"]);
        assert!(matches!(told.found[0], Found::Is { news: News::InProgress, .. }), "{told:?}");
        assert_eq!(told.found[1] == Found::Absent, is_absent, "{told:?}");
        assert_eq!(platform.heard(SEARCH).len(), 4);
    }
}
