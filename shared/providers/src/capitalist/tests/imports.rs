//! What is sent, byte for byte, and what is made of a batch that was taken.

use super::platform::{Say, code, csv, data, http, json, key};
use super::*;
use crate::testing::Nobody;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::LineEnding;
use rsa::{Pkcs1v15Encrypt, Pkcs1v15Sign};
use serde_json::json as value;
use sha1::{Digest, Sha1};
use std::sync::atomic::Ordering;

const IMPORT: &str = "import_batch_advanced";

fn taken() -> Say {
    data(
        value!({"id": ID, "summary": {"USD": "3.00"}, "fee": {}, "nettoSummary": {}, "errors": []}),
    )
}

async fn platform(answers: impl IntoIterator<Item = Say>) -> (Platform, Capitalist) {
    let platform = Platform::start().await;
    platform.on(IMPORT, answers);
    let adapter = adapter_at(&platform.base, "");
    (platform, adapter)
}

#[tokio::test]
async fn a_shipment_is_one_request_with_the_fields_in_the_documents_words() {
    let (platform, adapter) = platform([taken()]).await;
    let mut card = row("INV-2", "150", "RUB", Method::Card, "4111111111111111");
    card.fields = [("first_name", "Иван"), ("last_name", "Petrov"), ("description", "за работу")]
        .map(|(column, text)| (column.to_owned(), text.to_owned()))
        .into();
    let payments = [wallet("INV-1", "10.5"), payment(card)];
    let shipped = submit(&adapter, &payments).await;
    assert_eq!(shipped.handle.as_deref(), Some(ID));
    assert_eq!(shipped.answers, vec![Answer::Accepted { provider_id: None, cost: None }; 2]);
    assert_eq!(platform.operations(), ["get_token", IMPORT]);
    let [_, form] = &platform.heard("")[..] else { panic!("two requests") };
    let batch = "CAPITALIST;U0000042;10.50;USD;abcd-INV-1;Payout\n\
                 RUCARD;4111111111111111;150.00;RUR;abcd-INV-2;за работу;Иван;Petrov";
    assert_eq!(form["batch"], batch);
    let hidden = hex::decode(&form["encrypted_password"]).unwrap();
    assert_eq!(key().decrypt(Pkcs1v15Encrypt, &hidden).unwrap(), b"sandbox-password");

    let [token, import] = &platform.raw()[..] else { panic!("two requests") };
    let (head, body) = import.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /capitalist/ HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(head.contains("content-type: application/x-www-form-urlencoded"));
    assert!(head.contains("x-response-format: json") && head.contains("x-language: en"));
    assert!(token.ends_with("operation=get_token&login=sandbox"), "{token}");
    let expected = format!(
        "operation=import_batch_advanced&login=sandbox&token=token-1&encrypted_password={}\
         &batch=CAPITALIST%3BU0000042%3B10.50%3BUSD%3Babcd-INV-1%3BPayout%0A\
         RUCARD%3B4111111111111111%3B150.00%3BRUR%3Babcd-INV-2%3B\
         %D0%B7%D0%B0+%D1%80%D0%B0%D0%B1%D0%BE%D1%82%D1%83%3B%D0%98%D0%B2%D0%B0%D0%BD%3BPetrov\
         &account_RUR=R0000001&account_EUR=E0000001&account_USD=U0000001&account_BTC=B0000001\
         &verification_type=PIN&verification_data={}",
        form["encrypted_password"],
        hex::encode(<md5::Md5 as md5::Digest>::digest("sandbox-pin")),
    );
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_signed_batch_verifies_with_the_certificates_key() {
    let (platform, _) = platform([taken()]).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key.pem");
    std::fs::write(&path, key().to_pkcs1_pem(LineEnding::LF).unwrap().as_bytes()).unwrap();
    let more = format!("verification = \"signature\"\nkey = {{ file = \"{}\" }}", path.display());
    let adapter = adapter_at(&platform.base, &more);
    submit(&adapter, &[wallet("INV-1", "1.00")]).await;
    let form = platform.heard(IMPORT).remove(0);
    assert_eq!(form["verification_type"], "SIGNATURE");
    assert_eq!(form["batch"], "CAPITALIST;U0000042;1.00;USD;abcd-INV-1;Payout");
    let signature = STANDARD.decode(&form["verification_data"]).unwrap();
    let hash = Sha1::digest(&form["batch"]);
    let key = key().to_public_key();
    key.verify(Pkcs1v15Sign::new::<Sha1>(), &hash, &signature).unwrap();
}

#[tokio::test]
async fn a_batch_that_waits_for_a_code_is_begun_and_carries_no_proof() {
    let (platform, _) = platform([taken()]).await;
    let adapter = adapter_at(&platform.base, "verification = \"mobile\"");
    let shipped = submit(&adapter, &[wallet("INV-1", "1.00")]).await;
    assert_eq!(shipped.answers, [Answer::Begun { provider_id: None, cost: None }]);
    let form = platform.heard(IMPORT).remove(0);
    assert_eq!(form["verification_type"], "MOBILE");
    assert!(!form.contains_key("verification_data"));
}

#[tokio::test]
async fn with_a_plain_password_no_token_is_asked_for() {
    let (platform, _) = platform([taken()]).await;
    let adapter = adapter_at(&platform.base, "access = \"plain_password\"");
    submit(&adapter, &[wallet("INV-1", "1.00")]).await;
    assert_eq!(platform.operations(), [IMPORT]);
    let form = &platform.heard(IMPORT)[0];
    assert_eq!(form["plain_password"], "sandbox-password");
    assert!(!form.contains_key("token") && !form.contains_key("encrypted_password"));
}

#[tokio::test]
async fn a_token_is_kept_and_renewed_once_when_it_is_no_longer_taken() {
    let (platform, adapter) = platform([taken(), code(20, "token"), taken()]).await;
    submit(&adapter, &[wallet("A", "1.00")]).await;
    let second = submit(&adapter, &[wallet("B", "1.00")]).await;
    assert!(matches!(second.answers[..], [Answer::Accepted { .. }]), "{second:?}");
    assert_eq!(platform.operations(), ["get_token", IMPORT, IMPORT, "get_token", IMPORT]);
    let heard = platform.heard(IMPORT);
    assert_eq!(heard[1]["batch"], heard[2]["batch"], "the same request again");
    let tokens: Vec<_> = heard.iter().map(|form| form["token"].as_str()).collect();
    assert_eq!(tokens, ["token-1", "token-1", "token-2"]);
}

#[tokio::test]
async fn a_token_that_is_never_taken_stops_the_lane_after_one_more_try() {
    let (platform, adapter) = platform([code(20, "token")]).await;
    let shipped = submit(&adapter, &[wallet("A", "1.00")]).await;
    assert!(matches!(shipped.answers[..], [Answer::StopLane { .. }]), "{shipped:?}");
    assert_eq!(platform.heard(IMPORT).len(), 2);
}

#[tokio::test]
async fn many_calls_at_once_ask_for_one_token() {
    let (platform, adapter) = platform([taken()]).await;
    platform.on("get_accounts", [data(value!({"accounts": []}))]);
    let given = Default::default();
    let asked = (0..8).map(|_| adapter.desk().unwrap().ask("balance", &given));
    futures::future::join_all(asked).await;
    assert_eq!(platform.heard("get_token").len(), 1);
    assert_eq!(platform.heard("get_accounts").len(), 8);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    for (answer, stops) in [
        (code(5, "no user"), true),
        (code(1, "x"), false),
        (http(401, ""), true),
        (http(502, ""), false),
        (data(value!({})), false),
    ] {
        let (platform, adapter) = platform([taken()]).await;
        platform.on("get_token", [answer]);
        let shipped = submit(&adapter, &[wallet("A", "1.00"), wallet("B", "1.00")]).await;
        for answer in shipped.answers {
            assert_eq!(matches!(answer, Answer::StopLane { .. }), stops, "{answer:?}");
            assert!(stops || matches!(answer, Answer::Later { .. }), "{answer:?}");
        }
        assert!(platform.heard(IMPORT).is_empty());
    }
}

#[tokio::test]
async fn behind_a_closed_gate_a_batch_is_not_sent_and_the_token_is_kept() {
    let (platform, adapter) = platform([taken()]).await;
    let gate = Gate::new(false);
    let shipped = submit_through(&adapter, &[wallet("A", "1.00")], gate.clone()).await;
    assert_eq!(shipped.answers, [Answer::NotSent]);
    assert!(platform.heard(IMPORT).is_empty());
    assert_eq!(gate.asked.load(Ordering::SeqCst), 1, "a token needs no gate");
    submit(&adapter, &[wallet("A", "1.00")]).await;
    assert_eq!(platform.operations(), ["get_token", IMPORT]);
}

#[tokio::test]
async fn where_no_connection_comes_about_the_rows_are_tried_later() {
    let nobody = Nobody::new();
    let adapter = adapter_at(&nobody.base(), "access = \"plain_password\"");
    let answers = submit(&adapter, &[wallet("A", "1.00")]).await.answers;
    let [Answer::Later { text, retry_after_ms: Some(_) }] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert!(text.starts_with("not sent:") && !text.contains("http:"), "{text}");
}

#[tokio::test]
async fn records_that_were_rejected_at_upload_are_unknown_and_the_others_taken() {
    let errors = value!([{"line": "2", "comment": "card 4111111111111111 is closed"}]);
    for answer in [
        data(value!({"id": ID, "errors": errors})),
        csv(&format!("0;{ID}\n2;card 4111111111111111 is closed\n")),
    ] {
        let (_platform, adapter) = platform([answer]).await;
        let payments = ["A", "B", "C"].map(|name| wallet(name, "1.00"));
        let shipped = submit(&adapter, &payments).await;
        let [Answer::Accepted { .. }, Answer::Unknown { text }, Answer::Accepted { .. }] =
            &shipped.answers[..]
        else {
            panic!("{shipped:?}")
        };
        assert_eq!(text, "rejected at upload: card 4111…1111 is closed");
        assert_eq!(shipped.handle.as_deref(), Some(ID), "the batch tells what became of it");
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_read_leaves_every_row_unknown() {
    for (answer, handle) in [
        (data(value!({"errors": []})), None),
        (data(value!({"id": "", "errors": []})), None),
        (data(value!({"id": "two words", "errors": []})), None),
        (data(value!(null)), None),
        (data(value!({"id": ID, "errors": "none"})), Some(ID)),
        (data(value!({"id": ID, "errors": [{"line": 3}]})), Some(ID)),
        (data(value!({"id": ID, "errors": [{"line": 0}]})), Some(ID)),
        (data(value!({"id": ID, "errors": [{"comment": "x"}]})), Some(ID)),
        (json("{\"code\": 0, \"data\": {\"id"), None),
        (json(""), None),
        (json("{}"), None),
        (json("[]"), None),
        (csv(""), None),
        (csv("zero;x"), None),
        (http(502, "{\"code\": 5}"), None),
        (http(302, ""), None),
        (http(404, ""), None),
        (http(413, ""), None),
        (http(409, ""), None),
        (http(400, &format!("{{\"code\": 0, \"data\": {{\"id\": \"{ID}\"}}}}")), None),
    ] {
        let (_platform, adapter) = platform([answer]).await;
        let shipped = submit(&adapter, &[wallet("A", "1.00"), wallet("B", "1.00")]).await;
        assert!(
            shipped.answers.iter().all(|answer| matches!(answer, Answer::Unknown { .. })),
            "{shipped:?}"
        );
        assert_eq!(shipped.handle.as_deref(), handle);
    }
}

#[tokio::test]
async fn statuses_without_a_code_slow_or_stop_the_lane() {
    let (_platform, slow) = platform([http(429, "")]).await;
    let answers = submit(&slow, &[wallet("A", "1.00")]).await.answers;
    assert!(matches!(answers[..], [Answer::Later { retry_after_ms: Some(1_000), .. }]));
    for status in [401, 403] {
        let (_platform, adapter) = platform([http(status, "")]).await;
        let answers = submit(&adapter, &[wallet("A", "1.00")]).await.answers;
        assert!(matches!(answers[..], [Answer::StopLane { .. }]), "{status}");
    }
    // A wrong address proves nothing about this batch, and is not asked again with the next.
    let (_platform, adapter) = platform([http(404, "")]).await;
    let shipped = submit(&adapter, &[wallet("A", "1.00")]).await;
    assert!(matches!(shipped.answers[..], [Answer::Unknown { .. }]), "{shipped:?}");
    assert!(matches!(shipped.stop, Some((_, None))), "{shipped:?}");
}

#[tokio::test]
async fn a_row_that_cannot_be_written_is_not_sent_and_the_others_are() {
    let errors = value!([{"line": 1, "comment": "closed"}]);
    let (platform, adapter) = platform([data(value!({"id": ID, "errors": errors}))]).await;
    let mut odd = wallet("A", "1.00");
    let mut changed = (*odd.row).clone();
    changed.fields.insert("description".into(), "a;b".into());
    odd.row = Arc::new(changed);
    let shipped = submit(&adapter, &[odd.clone(), wallet("B", "1.00")]).await;
    // The first line is the second row: what is named by its line is not the row that was left out.
    let [Answer::Unlisted { text }, Answer::Unknown { .. }] = &shipped.answers[..] else {
        panic!("{shipped:?}")
    };
    assert!(text.starts_with("not sent: description"), "{text}");
    assert_eq!(platform.heard(IMPORT)[0]["batch"].lines().count(), 1);
    submit(&adapter, &[odd]).await;
    assert_eq!(platform.heard(IMPORT).len(), 1, "an empty batch is not sent");
}

#[tokio::test]
async fn no_text_that_is_kept_shows_the_password() {
    let (_platform, adapter) =
        platform([code(186, "password sandbox-password of 79161234567")]).await;
    let answers = submit(&adapter, &[wallet("A", "1.00")]).await.answers;
    let [Answer::Unlisted { text }] = &answers[..] else { panic!("{answers:?}") };
    assert!(text.contains("password … of 7916…4567"), "{text}");
}

#[tokio::test]
async fn no_text_that_is_kept_shows_what_a_session_is_known_by() {
    let (platform, adapter) = platform([code(186, "token-1 is old")]).await;
    let refusal = async |adapter: &Capitalist| {
        let answers = submit(adapter, &[wallet("A", "1.00")]).await.answers;
        let [Answer::Unlisted { text }] = &answers[..] else { panic!("{answers:?}") };
        text.clone()
    };
    assert!(refusal(&adapter).await.contains("\"… is old\""));
    let hidden = platform.heard(IMPORT)[0]["encrypted_password"].clone();
    // A token that was refused is not forgotten by the answer about it.
    platform.on(IMPORT, [code(20, "x"), code(186, &format!("{hidden} token-1 token-2"))]);
    let text = refusal(&adapter).await;
    assert!(text.contains("\"… … …\""), "{text}");
    assert_eq!(platform.operations().iter().filter(|name| *name == "get_token").count(), 2);
}

#[tokio::test]
async fn no_text_that_is_kept_shows_where_a_payment_goes_however_short_that_is() {
    let (platform, adapter) = platform([code(186, "U0000042 is closed")]).await;
    let answers = submit(&adapter, &[wallet("A", "1.00")]).await.answers;
    let [Answer::Unlisted { text }] = &answers[..] else { panic!("{answers:?}") };
    assert!(text.contains("\"… is closed\""), "{text}");
    let errors = value!([{"line": 2, "comment": "no wallet U0000042"}]);
    platform.on(IMPORT, [data(value!({"id": ID, "errors": errors}))]);
    let answers = submit(&adapter, &[wallet("A", "1.00"), wallet("B", "1.00")]).await.answers;
    let [_, Answer::Unknown { text }] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(text, "rejected at upload: no wallet …");
}
