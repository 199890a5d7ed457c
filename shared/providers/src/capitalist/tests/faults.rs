//! What goes wrong at the sandbox: ordered codes, lost answers, blind look-ups.

use super::codes::{Made, TABLE};
use super::world::{World, is_taken, is_unknown, look_up, news, news_of, now, of_batch, still};
use super::*;
use domain::News;
use sandbox::{CapitalistConfig, CapitalistPosition, Chance, Fault};
use serde_json::json;

/// The four forms of a look-up that says "not there" and is wrong.
const BLIND: [Fault; 4] =
    [Fault::StatusBlind, Fault::StatusEmpty, Fault::StatusOtherPage, Fault::StatusFilterIgnored];

fn three(name: &str) -> Vec<Payment> {
    ["a", "b", "c"].map(|part| wallet(&format!("{name}-{part}"), "10.00")).into()
}

/// A world with one paid payment, to be looked for beside others.
async fn with_control(config: CapitalistConfig, more: &str) -> (World, Capitalist, Payment) {
    let world = World::start(config).await;
    let adapter = world.adapter(more);
    let control = wallet("CONTROL", "10.00");
    submit(&adapter, std::slice::from_ref(&control)).await;
    (world, adapter, now(control))
}

#[tokio::test]
async fn every_code_has_its_class_over_http_and_what_was_taken_is_never_called_absent() {
    let (world, adapter, control) = with_control(still(), "access = \"plain_password\"").await;
    for (number, made) in TABLE {
        for when in ["before", "after"] {
            let name = format!("{number}-{when}");
            world.order(&json!({"code": number, "when": when, "record": 1})).await;
            // Fresh: a lock, a stop and a narrowed batch are one adapter's own.
            let sender = world.adapter("access = \"plain_password\"");
            let rows = three(&name);
            let shipped = submit(&sender, &rows).await;
            let stops = matches!(made, Made::Stop(_));
            for (at, answer) in shipped.answers.iter().enumerate() {
                let is_named = at == 1 && matches!(answer, Answer::Unlisted { .. });
                let is_right = match answer {
                    Answer::StopLane { .. } => stops,
                    answer => !stops && (is_unknown(answer) || is_named),
                };
                assert!(is_right, "{name}: {answer:?}");
            }
            let asked: Vec<Payment> = rows.iter().cloned().map(now).collect();
            let told = look_up(&adapter, asked, Some(control.clone())).await;
            let taken: Vec<bool> = rows.iter().map(|row| is_in_ledger(&world, row)).collect();
            for (found, taken) in told.found.iter().zip(taken) {
                assert_eq!(*found == Found::Absent, !taken, "{name}: {found:?}");
                assert_eq!(news_of(found).is_some(), taken, "{name}: {found:?}");
            }
        }
    }
    assert_eq!(world.counters().duplicates, 0);
}

fn is_in_ledger(world: &World, payment: &Payment) -> bool {
    world.sandbox.ledger().iter().any(|entry| entry.order_id == payment.reference.as_str())
}

#[tokio::test]
async fn the_record_that_an_error_names_is_found_in_data_in_the_message_and_in_csv() {
    for position in [CapitalistPosition::Data, CapitalistPosition::Message] {
        for more in ["", "response_format = \"csv\""] {
            let world = World::start(CapitalistConfig { position, ..still() }).await;
            for number in [185, 188] {
                world.order(&json!({"code": number, "record": 1})).await;
                let answers = submit(&world.adapter(more), &three("P")).await.answers;
                // A number without its amount names a record, and refuses none.
                assert!(matches!(answers[1], Answer::Unlisted { .. }), "{answers:?}");
                assert!(is_unknown(&answers[0]) && is_unknown(&answers[2]), "{answers:?}");
                world.order(&json!({"code": number, "record": 0})).await;
                let answers = submit(&world.adapter(more), &three("P")[..1]).await.answers;
                assert!(matches!(answers[0], Answer::Refused { .. }), "{answers:?}");
            }
            world.order(&json!({"code": 187, "record": 1})).await;
            let answers = submit(&world.adapter(more), &three("P")).await.answers;
            assert!(answers.iter().all(is_unknown), "{answers:?}");
        }
    }
}

#[tokio::test]
async fn a_token_is_renewed_once_and_the_batch_is_taken_once() {
    let world = World::start(still()).await;
    let adapter = world.adapter("");
    world.order(&json!({"code": 20})).await;
    assert!(submit(&adapter, &three("A")).await.answers.iter().all(is_taken));
    assert_eq!((world.calls("get_token"), world.calls("import_batch_advanced")), (2, 2));
    world.order(&json!({"code": 20, "times": 3})).await;
    let answers = submit(&adapter, &three("B")).await.answers;
    assert!(answers.iter().all(|answer| matches!(answer, Answer::StopLane { .. })), "{answers:?}");
    assert_eq!((world.calls("get_token"), world.calls("import_batch_advanced")), (3, 4));
    assert_eq!(world.sandbox.ledger().len(), 3);
}

#[tokio::test]
async fn a_login_is_not_locked_by_us() {
    let config = CapitalistConfig { password: "another".into(), ..still() };
    let world = World::start(config).await;
    let adapter = world.adapter("access = \"plain_password\"");
    for _ in 0..9 {
        let answers = submit(&adapter, &three("A")).await.answers;
        let [Answer::StopLane { retry_after_ms: None, .. }, ..] = &answers[..] else {
            panic!("{answers:?}")
        };
    }
    assert_eq!(world.calls("import_batch_advanced"), 1, "the fifth would lock it");
}

#[tokio::test]
async fn every_fault_of_an_import_has_its_class_and_its_rows_are_found_if_they_were_taken() {
    let (world, adapter, control) = with_control(still(), "").await;
    for (fault, taken) in [
        (Fault::ErrorBefore, false),
        (Fault::ErrorAfter, true),
        (Fault::HangBefore, false),
        (Fault::HangAfter, true),
        (Fault::ResetBefore, false),
        (Fault::ResetAfter, true),
        (Fault::AnswerMalformed, true),
        (Fault::AnswerIncomplete, true),
    ] {
        let rows = three(&format!("{fault:?}"));
        world.set(fault, Chance::next(1));
        let shipped = submit(&adapter, &rows).await;
        assert!(shipped.answers.iter().all(is_unknown), "{fault:?}: {shipped:?}");
        let told = look_up(&adapter, rows.into_iter().map(now).collect(), Some(control.clone()));
        for found in told.await.found {
            let is_right = if taken { news_of(&found).is_some() } else { found == Found::Absent };
            assert!(is_right, "{fault:?}: {found:?}");
        }
    }
    world.set(Fault::TooManyRequests, Chance::next(1));
    let slow = submit(&adapter, &three("slow")).await.answers;
    assert!(matches!(slow[..], [Answer::Later { .. }, ..]), "{slow:?}");
    for fault in [Fault::AccountClosed, Fault::WrongSignKey] {
        world.set(fault, Chance::next(1));
        let shipped = submit(&adapter, &three("stop")).await;
        let stops = matches!(shipped.answers[0], Answer::StopLane { .. }) || shipped.stop.is_some();
        assert!(stops, "{fault:?}: {shipped:?}");
    }
    assert_eq!(world.counters().duplicates, 0);
}

#[tokio::test]
async fn no_blind_look_up_calls_a_payment_absent_that_is_there() {
    let (world, adapter, control) = with_control(still(), "").await;
    let rows = three("THERE");
    let shipped = submit(&adapter, &rows).await;
    for fault in BLIND {
        world.set(fault, Chance::ALWAYS);
        let unknown: Vec<Payment> = rows.iter().cloned().map(now).collect();
        let told = look_up(&adapter, unknown, Some(control.clone())).await;
        let is_believed = told.control_found == Some(true) && told.found.contains(&Found::Absent);
        assert!(!is_believed, "{fault:?}: {told:?}");
        let known = rows.iter().map(|row| of_batch(row, &shipped)).collect();
        let told = look_up(&adapter, known, Some(control.clone())).await;
        assert!(!told.found.contains(&Found::Absent), "{fault:?}: {told:?}");
        let failed = |found: &Found| news_of(found) == Some(News::Failed);
        assert!(!told.found.iter().any(failed), "{fault:?}: {told:?}");
        world.calm();
    }
    // Blind for the first requests of a look-up only, and seeing for the rest.
    for fault in BLIND {
        for requests in 1..=5 {
            world.set(fault, Chance::next(requests));
            let unknown: Vec<Payment> = rows.iter().cloned().map(now).collect();
            let told = look_up(&adapter, unknown, Some(control.clone())).await;
            world.calm();
            let is_believed =
                told.control_found == Some(true) && told.found.contains(&Found::Absent);
            assert!(!is_believed, "{fault:?}, {requests}: {told:?}");
        }
    }
    assert_eq!(news(&adapter, &rows, &shipped).await, [Some(News::InProgress); 3]);
}

#[tokio::test]
async fn other_faults_of_a_look_up_say_nothing() {
    let (world, adapter, control) = with_control(still(), "").await;
    let rows = three("THERE");
    let shipped = submit(&adapter, &rows).await;
    for fault in [Fault::StatusBare404, Fault::StatusError, Fault::TooManyRequests] {
        world.set(fault, Chance::ALWAYS);
        let unknown: Vec<Payment> = rows.iter().cloned().map(now).collect();
        let known: Vec<Payment> = rows.iter().map(|row| of_batch(row, &shipped)).collect();
        for asked in [unknown, known] {
            let told = look_up(&adapter, asked, Some(control.clone())).await;
            assert!(told.found.iter().all(is_unclear), "{fault:?}: {told:?}");
        }
        world.calm();
    }
}

#[tokio::test]
async fn a_search_that_leaves_out_old_documents_does_not_make_them_absent() {
    let config = CapitalistConfig { search_max: 2, ..still() };
    let world = World::start(config).await;
    let adapter = world.adapter("");
    let rows = three("OLD");
    submit(&adapter, &rows).await;
    let newer = [wallet("NEWER", "10.00"), wallet("CONTROL", "10.00")];
    submit(&adapter, &newer).await;
    // Never sent: without it, the first one asked for by number would tell.
    let mut asked = vec![now(wallet("NEVER", "10.00"))];
    asked.extend(rows.into_iter().map(now));
    let told = look_up(&adapter, asked, Some(now(newer[1].clone()))).await;
    assert_eq!(told.found[0], Found::Absent);
    assert!(told.found[1..].iter().all(|found| news_of(found).is_some()), "{told:?}");
}

#[tokio::test]
async fn a_batch_that_waits_unseen_is_not_imported_again() {
    let config = CapitalistConfig { unconfirmed_documents: false, ..still() };
    let (world, _, control) = with_control(config, "").await;
    let adapter = world.adapter("verification = \"mobile\"\nsearch_shows_unconfirmed = false");
    world.set(Fault::ErrorAfter, Chance::next(1));
    let rows = three("UNSEEN");
    let shipped = submit(&adapter, &rows).await;
    assert!(shipped.answers.iter().all(is_unknown), "{shipped:?}");
    let told = look_up(&adapter, rows.into_iter().map(now).collect(), Some(control)).await;
    assert!(told.found.iter().all(is_unclear), "{told:?}");
}
