//! What a person asks, and cancellations.

use super::server::{Server, target};
use super::*;
use crate::api::CancelAnswer;
use crate::testing::{Nobody, Script, card, say};
use std::collections::BTreeMap;

async fn question(
    server: &Server,
    name: &str,
    given: &[(&str, &str)],
) -> Result<crate::Sheet, String> {
    let given: BTreeMap<_, _> =
        given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    adapter_at(&server.base(), "").desk().unwrap().ask(name, &given).await
}

#[tokio::test]
async fn a_full_page_of_beneficiaries_says_how_to_see_more() {
    let body = r#"{"data": [{"id": "biz-01", "name": "A"}, {"id": "0000000000001", "name": "4111111111111111"}]}"#;
    let server = Server::saying(say(200, body)).await;
    let sheet = question(&server, "businesses", &[("skip", "4"), ("limit", "2")]).await.unwrap();
    assert_eq!(sheet.rows, [["biz-01", "A", ""], ["0000000000001", "4111…1111", ""]]);
    assert_eq!(sheet.more.as_deref(), Some("skip=6 shows the next ones"));
    question(&server, "individuals", &[]).await.unwrap();
    question(&server, "payouts", &[("client_id", "client-2")]).await.unwrap();
    let asked: Vec<_> = server.requests().iter().map(|r| target(r).to_owned()).collect();
    assert_eq!(
        asked,
        [
            "/beneficiaries/businesses?skip=4&limit=2&clientId=client-1",
            "/beneficiaries/individuals?skip=0&limit=100&clientId=client-1",
            "/transactions/payouts?skip=0&limit=100&clientId=client-2"
        ]
    );
}

#[tokio::test]
async fn payouts_are_listed_and_one_is_shown_by_id() {
    let one = r#"{"id": "p-1", "ticketId": "t-1", "reference": "r", "status": "PENDING", "amount": 1.50, "currency": "EUR"}"#;
    let row = ["p-1", "t-1", "r", "PENDING", "1.50", "EUR"];
    let server = Server::saying(say(200, one)).await;
    assert_eq!(question(&server, "payout", &[("id", "p-1")]).await.unwrap().rows, [row]);
    let server = Server::saying(say(200, &format!("{{\"data\": [{one}]}}"))).await;
    let sheet = question(&server, "payouts", &[]).await.unwrap();
    assert_eq!((sheet.rows, sheet.more), (vec![row.map(str::to_owned).to_vec()], None));
}

/// Whoever registers it at Capay makes the lane's listener the one that is called.
#[tokio::test]
async fn the_url_that_is_to_be_registered_for_notices_is_the_lanes() {
    let server = Server::saying(say(500, "")).await;
    let sheet = question(&server, "webhook", &[]).await.unwrap();
    let [row] = &sheet.rows[..] else { panic!("one URL") };
    let urls = testing::context().callbacks.unwrap();
    let path = row[0].strip_prefix("http://127.0.0.1:9").unwrap();
    assert_eq!(urls.read_lane(path), Some(testing::lane()));
    assert_eq!((server.requests().len(), server.tokens()), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_asked_is_told_and_what_cannot_be_read_too() {
    let server = Server::saying(say(200, "[]")).await;
    for (name, given) in [
        ("balance", vec![]),
        ("payout", vec![]),
        ("payout", vec![("id", "..")]),
        ("payouts", vec![("limit", "1001")]),
        ("payouts", vec![("limit", "0")]),
        ("payouts", vec![("skip", "-1")]),
    ] {
        assert!(question(&server, name, &given).await.is_err(), "{name} {given:?}");
    }
    assert!(server.requests().is_empty(), "nothing of this was asked");
    assert!(question(&server, "payouts", &[]).await.unwrap_err().contains("cannot be read"));
    let server = Server::saying(say(404, r#"{"error": {"message": "payout not found"}}"#)).await;
    let error = question(&server, "payout", &[("id", "x")]).await.unwrap_err();
    assert_eq!(error, "HTTP 404 payout not found");
}

#[tokio::test]
async fn every_answer_to_a_cancellation_has_its_meaning() {
    type Check = fn(&CancelAnswer) -> bool;
    let unknown: Check = |answer| matches!(answer, CancelAnswer::Unknown { .. });
    let refused: Check = |answer| matches!(answer, CancelAnswer::Refused { .. });
    for (script, check) in [
        (say(200, ""), (|answer| *answer == CancelAnswer::Taken) as Check),
        (say(400, ""), refused),
        (say(401, ""), refused),
        (say(403, ""), refused),
        (say(404, ""), refused),
        (say(409, ""), refused),
        (say(302, ""), unknown),
        (say(500, ""), unknown),
        (Script::Hang, unknown),
    ] {
        let server = Server::saying(script).await;
        let adapter = adapter_at(&server.base(), "");
        let payment = known(&card("INV-1", "10.00"), "p/1");
        let answer = Provider::cancel(&adapter).unwrap().cancel(payment).await;
        assert!(check(&answer), "{answer:?}");
        let expected = "/transactions/payouts/p%2F1/cancel?clientId=client-1";
        assert_eq!(target(&server.requests()[0]), expected);
    }
}

#[tokio::test]
async fn a_cancellation_without_an_id_or_a_connection_was_not_sent() {
    let nobody = Nobody::new();
    let adapter = adapter_at(&nobody.base(), "");
    let cancel = Provider::cancel(&adapter).unwrap();
    for payment in [card("INV-1", "10.00"), known(&card("INV-1", "10.00"), "p-1")] {
        let answer = cancel.cancel(payment).await;
        let CancelAnswer::Refused { text } = answer else { panic!("{answer:?}") };
        assert!(text.contains("not sent"), "{text}");
    }
}
