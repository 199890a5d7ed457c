//! Whole paths against the sandbox: the same platform that the worker's demo talks to.

use super::platform::key;
use super::world::{World, is_taken, is_unknown, look_up, news, now, of_batch, still};
use super::*;
use crate::api::{Step, StepAnswer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::News;
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use sandbox::{CapitalistConfig, CapitalistNumbers, Chance, Fault};
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;
use std::path::Path;

/// A row of each kind that has a default record type.
fn rows() -> Vec<Payment> {
    let names = [("first_name", "Ivan"), ("last_name", "Petrov")];
    let mut card = row("CARD", "1500.50", "RUB", Method::Card, "4111111111111111");
    let mut sbp = row("SBP", "500", "RUB", Method::Sbp, "79161234567");
    for row in [&mut card, &mut sbp] {
        row.fields.extend(names.map(|(column, text)| (column.to_owned(), text.to_owned())));
    }
    sbp.fields.insert("bank_name".into(), "Sberbank".into());
    sbp.fields.insert("email".into(), "a@example.com".into());
    let coins = row("BTC", "0.00010000", "BTC", Method::Wallet, "B0000042");
    vec![payment(card), payment(sbp), payment(coins), wallet("WALLET", "10.00")]
}

/// Rows go up in one batch, are seen under way, are paid, and stand in the ledger as they were.
async fn pays(world: &World, adapter: &Capitalist) {
    let rows = rows();
    rows.iter().for_each(|payment| assert_eq!(adapter.validate(&payment.row), []));
    let shipped = submit(adapter, &rows).await;
    assert!(shipped.answers.iter().all(is_taken), "{shipped:?}");
    assert_eq!(news(adapter, &rows, &shipped).await, [Some(News::InProgress); 4]);
    assert_eq!(world.sandbox.settle_now(), rows.len());
    assert_eq!(news(adapter, &rows, &shipped).await, [Some(News::Paid); 4]);
    let ledger = world.sandbox.ledger();
    for (entry, payment) in ledger.iter().zip(&rows) {
        assert_eq!(entry.order_id, payment.reference.as_str());
        assert_eq!(entry.destination, payment.row.destination.reveal());
        assert_eq!(entry.amount.parse(), Ok(payment.row.money.amount()));
        assert!(entry.paid);
    }
    assert_eq!((ledger.len(), world.counters().duplicates), (4, 0));
}

#[tokio::test]
async fn a_batch_with_a_pin_is_paid_by_token_or_password_in_json_or_csv() {
    for more in [
        "",
        "access = \"plain_password\"",
        "response_format = \"csv\"",
        "access = \"plain_password\"\nresponse_format = \"csv\"",
    ] {
        let world = World::start(still()).await;
        pays(&world, &world.adapter(more)).await;
        let tokens = u64::from(!more.contains("plain"));
        assert_eq!(world.calls("get_token"), tokens, "one token for all calls: {more}");
    }
}

#[tokio::test]
async fn numbers_may_be_strings_and_strings_numbers() {
    for numbers in [CapitalistNumbers::Strings, CapitalistNumbers::Bare] {
        let world = World::start(CapitalistConfig { numbers, ..still() }).await;
        pays(&world, &world.adapter("")).await;
    }
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    format!("{{ file = \"{}\" }}", path.display())
}

#[tokio::test]
async fn a_signed_batch_is_paid_with_either_pem_and_with_the_providers_encrypted_file() {
    let dir = tempfile::tempdir().unwrap();
    let pem = key().to_pkcs1_pem(LineEnding::LF).unwrap();
    let mut hidden = pem.as_bytes().to_vec();
    key_file::rc4(&Sha1::digest("salt42sandboxfile-password"), &mut hidden);
    let files = [
        write(dir.path(), "pkcs1.pem", &pem),
        write(dir.path(), "pkcs8.pem", &key().to_pkcs8_pem(LineEnding::LF).unwrap()),
        write(dir.path(), "old.key", &format!("salt42\n{}\n", STANDARD.encode(hidden))),
    ];
    let password = write(dir.path(), "password", "file-password");
    let public = key().to_public_key().to_pkcs1_pem(LineEnding::LF).unwrap();
    for file in files {
        let more = format!(
            "verification = \"signature\"\nkey = {file}\n{}",
            if file.contains("old") { format!("key_password = {password}") } else { String::new() }
        );
        let public_key_pem = Some(public.clone());
        let world = World::start(CapitalistConfig { public_key_pem, ..still() }).await;
        pays(&world, &world.adapter(&more)).await;

        let unregistered = World::start(still()).await;
        let shipped = submit(&unregistered.adapter(&more), &rows()).await;
        assert!(shipped.answers.iter().all(is_unknown), "{shipped:?}");
        assert!(shipped.stop.unwrap().0.contains("code 181"));
    }
}

#[tokio::test]
async fn a_wrong_pin_stops_the_lane_and_pays_nobody() {
    let world = World::start(CapitalistConfig { pin: "another".into(), ..still() }).await;
    let shipped = submit(&world.adapter(""), &rows()).await;
    assert!(shipped.answers.iter().all(is_unknown), "{shipped:?}");
    let (text, until) = shipped.stop.unwrap();
    assert!(text.contains("code 110") && until.is_none(), "{text}");
    assert!(world.sandbox.ledger().is_empty());
}

async fn confirm(adapter: &Capitalist, payments: Vec<Payment>, code: &str) -> StepAnswer {
    let step = Step { payments, code: Some(code.to_owned()), gate: Gate::new(true) };
    Provider::confirm(adapter).unwrap().confirm(step).await
}

#[tokio::test]
async fn a_batch_that_waits_is_paid_once_a_person_has_entered_the_right_code() {
    let world = World::start(still()).await;
    let adapter = world.adapter("verification = \"mobile\"");
    let rows = rows();
    let shipped = submit(&adapter, &rows).await;
    assert_eq!(shipped.answers, vec![Answer::Begun { provider_id: None, cost: None }; 4]);
    assert_eq!(news(&adapter, &rows, &shipped).await, [Some(News::Waiting); 4]);
    let batch: Vec<Payment> = rows.iter().map(|row| of_batch(row, &shipped)).collect();
    let wrong = confirm(&adapter, batch.clone(), "111111").await;
    assert!(matches!(wrong, StepAnswer::Refused { .. }), "{wrong:?}");
    assert_eq!(news(&adapter, &rows, &shipped).await, [Some(News::Waiting); 4]);
    assert_eq!(world.sandbox.settle_now(), 0, "nothing moves before the code");
    assert_eq!(confirm(&adapter, batch, "424242").await, StepAnswer::Taken);
    assert_eq!(news(&adapter, &rows, &shipped).await, [Some(News::InProgress); 4]);
    assert_eq!(world.sandbox.settle_now(), 4);
    assert_eq!(news(&adapter, &rows, &shipped).await, [Some(News::Paid); 4]);
    assert_eq!(world.counters().duplicates, 0);
}

#[tokio::test]
async fn a_confirmation_without_an_answer_is_told_by_the_batch() {
    let world = World::start(still()).await;
    let adapter = world.adapter("verification = \"mobile\"");
    for (fault, stands) in
        [(Fault::ErrorBefore, News::Waiting), (Fault::ErrorAfter, News::InProgress)]
    {
        let rows = [wallet(&format!("{fault:?}"), "10.00")];
        let shipped = submit(&adapter, &rows).await;
        world.set(fault, Chance::next(1));
        let answer = confirm(&adapter, vec![of_batch(&rows[0], &shipped)], "424242").await;
        assert!(matches!(answer, StepAnswer::Unknown { .. }), "{answer:?}");
        assert_eq!(news(&adapter, &rows, &shipped).await, [Some(stands)], "{fault:?}");
    }
}

#[tokio::test]
async fn no_page_is_larger_than_a_thousand_and_all_pages_are_read() {
    let rows: Vec<Payment> = (0..1_000).map(|n| wallet(&format!("P{n}"), "10.00")).collect();
    let world = World::start(still()).await;
    for (more, pages, largest) in [("", 1, 1_000), ("page_size = 300", 4, 300)] {
        let world = if more.is_empty() { &world } else { &World::start(still()).await };
        let adapter = world.adapter(more);
        let shipped = submit(&adapter, &rows).await;
        assert!(shipped.answers.iter().all(is_taken));
        assert_eq!(world.calls("import_batch_advanced"), 1, "one call for the whole shipment");
        world.sandbox.settle_now();
        assert!(news(&adapter, &rows, &shipped).await.iter().all(|n| *n == Some(News::Paid)));
        let counters = world.counters();
        assert_eq!((counters.calls["get_batch_info"], counters.max_page), (pages, largest));
    }
}

#[tokio::test]
async fn too_large_a_batch_is_halved_and_none_of_its_rows_was_taken() {
    let world = World::start(CapitalistConfig { records_max: 3, ..still() }).await;
    let adapter = world.adapter("");
    let rows = rows();
    let shipped = submit(&adapter, &rows).await;
    assert!(shipped.answers.iter().all(is_unknown), "{shipped:?}");
    assert_eq!(shipped.rows_max, Some(2));
    let first = submit(&adapter, &rows[..2]).await;
    assert!(first.answers.iter().all(is_taken), "{first:?}");
    let told = look_up(&adapter, vec![now(rows[3].clone())], Some(now(rows[0].clone()))).await;
    assert_eq!((told.found, told.control_found), (vec![Found::Absent], Some(true)));
    assert_eq!(world.sandbox.ledger().len(), 2);
}

#[tokio::test]
async fn magic_amounts_end_as_the_sandbox_says() {
    let world = World::start(still()).await;
    let adapter = world.adapter("");
    let cents = [".91", ".93", ".95", ".96", ".00"];
    let rows = cents.map(|cents| wallet(&format!("C{cents}"), &format!("10{cents}")));
    let shipped = submit(&adapter, &rows).await;
    let unknown: Vec<bool> = shipped.answers.iter().map(is_unknown).collect();
    assert_eq!(unknown, [false, true, true, false, false], "rejected ones are asked about first");
    world.sandbox.settle_now();
    let (failed, paid) = (Some(News::Failed), Some(News::Paid));
    let expected = [failed, failed, failed, Some(News::InProgress), paid];
    assert_eq!(news(&adapter, &rows, &shipped).await, expected);

    // .94: code 2, nothing is taken; once that is proved, the same row goes up again and is.
    let later = [wallet("LATER", "10.94")];
    assert!(is_unknown(&submit(&adapter, &later).await.answers[0]));
    let told = look_up(&adapter, later.clone().map(now).into(), Some(now(rows[4].clone()))).await;
    assert_eq!((told.found, told.control_found), (vec![Found::Absent], Some(true)));
    assert!(is_taken(&submit(&adapter, &later).await.answers[0]));
    assert_eq!(world.counters().duplicates, 0);
}

#[tokio::test]
async fn every_question_of_the_desk_is_answered_by_the_sandbox() {
    let world = World::start(still()).await;
    let adapter = world.adapter("");
    let shipped = submit(&adapter, &rows()).await;
    let day = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (from, to) = (day.yesterday().unwrap(), day.tomorrow().unwrap());
    let days = [("from", from.to_string()), ("to", to.to_string())];
    let account = || ("account", "U0000001".to_owned());
    let desk = adapter.desk().unwrap();
    for question in desk.questions() {
        let given: Vec<(&str, String)> = match question.name {
            "fees" => vec![
                ("type", "CAPITALIST".into()),
                account(),
                ("amount", "100.00".into()),
                ("to", "U0000042".into()),
            ],
            "verified" => vec![account()],
            "history" | "history-old" => [&[account()][..], &days].concat(),
            "batch" => vec![("id", shipped.handle.clone().unwrap())],
            "search" => [&[("number", "abcd-WALLET".to_owned())][..], &days].concat(),
            _ => vec![],
        };
        for parameter in question.parameters.iter().filter(|parameter| parameter.required) {
            assert!(given.iter().any(|(name, _)| *name == parameter.name), "{question:?}");
        }
        let given: BTreeMap<String, String> =
            given.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        let sheet = desk.ask(question.name, &given).await.unwrap();
        assert!(!sheet.rows.is_empty(), "{}: {sheet:?}", question.name);
        assert!(!format!("{sheet:?}").contains("4111111111111111"), "{sheet:?}");
    }
    let rates = desk.ask("balance", &BTreeMap::new()).await.unwrap();
    assert!(rates.rows.iter().any(|row| row.contains(&"U0000001".to_owned())), "{rates:?}");
}
