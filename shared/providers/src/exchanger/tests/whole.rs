//! Against the sandbox, over real HTTP: the same site that the worker's demo talks to.

use super::*;
use crate::answer::Heard;
use crate::api::{CallbackKind, CallbackRequest, CancelAnswer};
use domain::News;
use sandbox::{Chance, Fault, WindowBy};
use world::{now, world, world_of};

#[tokio::test]
async fn a_prepaid_payout_is_created_paid_and_settled_and_nothing_is_paid_before() {
    let world = world("").await;
    let payment = world.begun(now("INV-1", "1500.00")).await;
    world.sandbox.settle_now();
    assert_eq!(world.paid(), 0, "a create moves no money");
    let due =
        Found::StepDue { provider_id: payment.past.provider_id.as_deref().map(str::to_owned) };
    assert_eq!(world.look_up(&payment).await, due);
    assert_eq!(confirm(&world.adapter, payment.clone()).await, StepAnswer::Taken);
    let payment = stepped(payment);
    assert!(matches!(world.look_up(&payment).await, Found::Is { news: News::InProgress, .. }));
    // Asked for again after a crash, it is not said again.
    let again = confirm(&world.adapter, payment.clone()).await;
    assert!(matches!(again, StepAnswer::Refused { .. }), "{again:?}");
    world.sandbox.settle_now();
    let found = world.look_up(&payment).await;
    assert!(
        matches!(&found, Found::Is { news: News::Paid, cost: Some(cost), .. } if cost == "15 USDTTRC20"),
        "{found:?}"
    );
    assert_eq!((world.paid(), world.sandbox.ledger().len()), (1, 1));
}

#[tokio::test]
async fn a_payout_that_a_person_funds_waits_and_is_confirmed_by_that_person() {
    let world = world(PERSON).await;
    let payment = world.begun(now("INV-1", "1500.00")).await;
    let Found::Is { news: News::Waiting, text, .. } = world.look_up(&payment).await else {
        panic!()
    };
    assert!(text.contains("send 15 USDTTRC20 to TSandbox"), "{text}");
    assert_eq!(confirm(&world.adapter, payment.clone()).await, StepAnswer::Taken);
    assert!(matches!(world.look_up(&payment).await, Found::Is { news: News::InProgress, .. }));
    let again = confirm(&world.adapter, payment).await;
    assert!(matches!(again, StepAnswer::Refused { .. }), "{again:?}");
}

#[tokio::test]
async fn where_a_module_sees_the_money_the_lane_takes_no_step() {
    let world = world("").await;
    let row = testing::row("W", "10.00", "USDT", Method::Wallet, "TXabcdefghijklmnop");
    let payment = Payment { past: now("W", "10.00").past, ..numbered(row) };
    let payment = world.begun(payment).await;
    let found = world.look_up(&payment).await;
    assert!(
        matches!(&found, Found::Is { news: News::Waiting, text, .. } if text.contains("/payment_")),
        "{found:?}"
    );
    // Nor where a person asks for it: the money itself must come.
    let refused = confirm(&world.adapter, payment.clone()).await;
    assert!(matches!(refused, StepAnswer::Refused { .. }), "{refused:?}");
    assert_eq!(world.calls("pay_bid"), 0);
    world.fund(&payment).await;
    assert!(matches!(world.look_up(&payment).await, Found::Is { news: News::InProgress, .. }));
    world.sandbox.settle_now();
    assert!(matches!(world.look_up(&payment).await, Found::Is { news: News::Paid, .. }));
}

#[tokio::test]
async fn what_was_taken_and_not_answered_is_found_and_never_created_twice() {
    for window in [WindowBy::Changed, WindowBy::Created] {
        let world = world_of("", |config| config.exchanger.window_by = window).await;
        for (number, fault) in [
            Fault::ErrorAfter,
            Fault::HangAfter,
            Fault::ResetAfter,
            Fault::AnswerMalformed,
            Fault::AnswerIncomplete,
        ]
        .into_iter()
        .enumerate()
        {
            let payment = now(&format!("INV-{number}"), "1500.00");
            world.strike(fault);
            let answer = world.submit(&payment).await;
            assert!(matches!(answer, Answer::Unknown { .. }), "{fault:?}: {answer:?}");
            let found = world.look_up(&payment).await;
            assert!(matches!(found, Found::StepDue { .. }), "{fault:?}: {found:?}");
            let again = world.submit(&payment).await;
            assert!(matches!(again, Answer::Exists { .. }), "{fault:?}: {again:?}");
        }
        assert_eq!(world.sandbox.counters_of("exchanger").unwrap().duplicates, 0);
    }
}

#[tokio::test]
async fn what_was_not_taken_is_absent_beside_a_live_control() {
    let world = world("").await;
    let control = now("CONTROL", "1500.00");
    world.begun(control.clone()).await;
    for fault in [Fault::ErrorBefore, Fault::ResetBefore, Fault::HangBefore] {
        let payment = now("INV-1", "1500.00");
        world.strike(fault);
        assert!(matches!(world.submit(&payment).await, Answer::Unknown { .. }), "{fault:?}");
        let told = world.ask(vec![payment], Some(control.clone())).await;
        let absent = LookedUp { found: vec![Found::Absent], control_found: Some(true) };
        assert_eq!(told, absent, "{fault:?}");
    }
    // Proved absent, it is created again under the same reference.
    world.begun(now("INV-1", "1500.00")).await;
    assert_eq!(world.sandbox.ledger().len(), 2);
}

#[tokio::test]
async fn no_look_up_that_lies_proves_an_absence() {
    let world = world("").await;
    let control = now("CONTROL", "1500.00");
    world.begun(control.clone()).await;
    let payment = now("INV-1", "1500.00");
    let by_id = world.begun(payment.clone()).await;
    let dial = world.sandbox.dial_of("exchanger").unwrap();
    for fault in [
        Fault::StatusBlind,
        Fault::StatusEmpty,
        Fault::StatusBare404,
        Fault::StatusError,
        Fault::StatusOtherPage,
        Fault::StatusFilterIgnored,
        Fault::TooManyRequests,
    ] {
        // At every question, and at each single one of a round.
        for chances in [Chance::per_mille(1000), Chance::next(1), Chance::next(2), Chance::next(3)]
        {
            for asked in [&payment, &by_id] {
                dial.set(fault, chances).unwrap();
                let told = world.ask(vec![asked.clone()], Some(control.clone())).await;
                let proves = told.found[0] == Found::Absent && told.control_found == Some(true);
                assert!(!proves, "{fault:?}: {told:?}");
                dial.set(fault, Chance { per_mille: 0, next: 0 }).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn the_sandboxes_magic_amounts_have_their_classes() {
    let world = world("").await;
    let refused = world.submit(&now("A", "1500.93")).await;
    assert!(
        matches!(&refused, Answer::Refused { text, created_nothing: true } if text.contains("account2")),
        "{refused:?}"
    );
    let later = world.submit(&now("B", "1500.94")).await;
    assert!(matches!(later, Answer::Later { retry_after_ms: Some(5_000), .. }), "{later:?}");
    assert!(matches!(world.submit(&now("B", "1500.94")).await, Answer::Begun { .. }));
    let unlisted = world.submit(&now("C", "1500.95")).await;
    assert!(matches!(unlisted, Answer::Unknown { .. }), "{unlisted:?}");
    let payment = world.begun(now("D", "1500.91")).await;
    world.sandbox.settle_now();
    assert!(matches!(world.look_up(&payment).await, Found::Is { news: News::Failed, .. }));
    let found = world.look_up(&stepped(payment)).await;
    assert!(matches!(found, Found::Differs { .. }), "never failed once funded: {found:?}");
}

#[tokio::test]
async fn every_other_fault_of_a_create_has_its_class() {
    let world = world("").await;
    world.strike(Fault::AnswerDiffers);
    let answer = world.submit(&now("A", "1500.00")).await;
    assert!(matches!(&answer, Answer::Differs { text } if text.ends_with("it was cancelled")));
    assert_eq!(world.sandbox.ledger()[0].status, "cancel");
    world.strike(Fault::AccountClosed);
    assert!(matches!(world.submit(&now("B", "1500.00")).await, Answer::StopLane { .. }));
    world.strike(Fault::TooManyRequests);
    assert!(matches!(world.submit(&now("B", "1500.00")).await, Answer::Later { .. }));
    let blocked = world_of("", |config| config.exchanger.is_address_blocked = true).await;
    let answer = blocked.submit(&now("A", "1500.00")).await;
    assert!(matches!(&answer, Answer::StopLane { text, .. } if text.contains("allowed IP")));
}

#[tokio::test]
async fn a_step_without_an_answer_is_unknown_and_the_order_tells() {
    let world = world("").await;
    for (number, (fault, was_taken)) in [
        (Fault::StepErrorAfter, true),
        (Fault::StepHangAfter, true),
        (Fault::StepResetBefore, false),
    ]
    .into_iter()
    .enumerate()
    {
        let payment = world.begun(now(&format!("INV-{number}"), "1500.00")).await;
        world.strike(fault);
        let answer = confirm(&world.adapter, payment.clone()).await;
        assert!(matches!(answer, StepAnswer::Unknown { .. }), "{fault:?}: {answer:?}");
        let found = world.look_up(&stepped(payment.clone())).await;
        let is_open = matches!(found, Found::StepDue { .. });
        assert_eq!(is_open, !was_taken, "{fault:?}: {found:?}");
        if is_open {
            assert_eq!(confirm(&world.adapter, payment).await, StepAnswer::Taken);
        }
    }
    world.sandbox.settle_now();
    assert_eq!((world.paid(), world.sandbox.ledger().len()), (3, 3));
    assert_eq!(world.sandbox.counters_of("exchanger").unwrap().duplicates, 0);
}

#[tokio::test]
async fn what_waits_can_be_cancelled_and_what_is_paid_cannot() {
    let world = world("").await;
    let (open, funded) =
        (world.begun(now("A", "1500.00")).await, world.begun(now("B", "1500.00")).await);
    confirm(&world.adapter, funded.clone()).await;
    let cancel = Provider::cancel(&world.adapter).unwrap();
    assert_eq!(cancel.cancel(open.clone()).await, CancelAnswer::Taken);
    assert!(matches!(world.look_up(&open).await, Found::Is { news: News::Failed, .. }));
    let refused = cancel.cancel(funded).await;
    assert!(matches!(refused, CancelAnswer::Refused { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_change_of_status_is_called_back_as_a_hint_at_our_url() {
    let world = world("").await;
    let payment = world.begun(now("A", "1500.00")).await;
    confirm(&world.adapter, payment.clone()).await;
    let is_told = || world.ear.requests().iter().any(|call| call.contains("status=payed"));
    testing::until("the callback has come", is_told).await;
    let calls = world.ear.requests();
    let call = calls.iter().find(|call| call.contains("status=payed")).unwrap();
    let (head, body) = call.split_once("\r\n\r\n").unwrap();
    let urls = world.adapter.line.as_ref().unwrap().callbacks.as_ref().unwrap();
    let target = urls.read(head.split(' ').nth(1).unwrap()).unwrap();
    assert_eq!((target.place, target.kind), (payment.place, CallbackKind::Status));
    let body = body.as_bytes().to_vec();
    let request = CallbackRequest { kind: target.kind, signature: None, body };
    let heard = world.adapter.callbacks().unwrap().read(&request, &payment);
    assert_eq!(heard, Heard::Hint { text: "payed".into() });
}

#[tokio::test]
async fn a_forged_callback_changes_nothing_and_the_look_up_tells_the_truth() {
    let world = world("").await;
    let payment = world.begun(now("A", "1500.00")).await;
    world.strike(Fault::ForgedStatus);
    confirm(&world.adapter, payment.clone()).await;
    let is_forged = || world.ear.requests().iter().any(|call| call.contains("status=success"));
    testing::until("the forged callback has come", is_forged).await;
    let kind = CallbackKind::Status;
    let body = b"bid_id=1&status=success".to_vec();
    let request = CallbackRequest { kind, signature: None, body };
    let heard = world.adapter.callbacks().unwrap().read(&request, &payment);
    assert!(matches!(heard, Heard::Hint { .. }), "{heard:?}");
    let found = world.look_up(&stepped(payment)).await;
    assert!(matches!(found, Found::Is { news: News::InProgress, .. }), "{found:?}");
    assert_eq!(world.paid(), 0);
}

#[tokio::test]
async fn each_kind_of_amount_is_ordered_and_checked_on_its_own_side() {
    for action in 1..=4_u8 {
        let (currency, amount) = if action % 2 == 1 { ("USDT", "15") } else { ("RUB", "1500.00") };
        let code = if currency == "USDT" { "USDTTRC20" } else { currency };
        let world = world(&format!(
            "calc_action = {action}\nquote_before_create = true\n\
             directions = [{{ id = 1, currency = \"{currency}\", method = \"card\", \
             code = \"{code}\", fields = {{ cf6 = \"email\" }} }}]"
        ))
        .await;
        let mut row = testing::row("A", amount, currency, Method::Card, "4111111111111111");
        row.fields.insert("email".into(), "a@b.example".into());
        let payment = Payment { past: now("A", "1.00").past, ..numbered(row) };
        let payment = world.begun(payment).await;
        assert_eq!((world.calls("get_calc"), world.calls("create_bid")), (1, 1));
        assert!(matches!(world.look_up(&payment).await, Found::StepDue { .. }), "{action}");
        let [entry] = &world.sandbox.ledger()[..] else { panic!("one order") };
        assert_eq!(entry.amount, "1500.00", "calc_action {action}");
    }
}

#[tokio::test]
async fn the_sites_rules_are_what_rows_are_held_to() {
    let world = world("").await;
    let prepare = world.adapter.prepare().unwrap();
    prepare.install(&prepare.fetch().await.unwrap()).unwrap();
    assert_eq!(world.adapter.validate(&now("A", "100.00").row), []);
    let mut row = now("A", "99.00").row;
    Arc::make_mut(&mut row).fields.clear();
    let columns: Vec<_> = world.adapter.validate(&row).iter().map(|p| p.column).collect();
    assert_eq!(columns, ["amount", "email"]);
    let system = world_of("", |config| config.exchanger.user_id = 0).await;
    assert!(system.adapter.prepare().unwrap().fetch().await.unwrap_err().contains("System"));
}

#[tokio::test]
async fn the_desk_answers_every_question() {
    let world = world("partner_id = 3").await;
    let payment = world.begun(now("A", "1500.00")).await;
    let id = payment.past.provider_id.as_deref().and_then(wire::BidId::read).unwrap();
    let hash = id.hash.unwrap();
    for question in world.adapter.desk().unwrap().questions() {
        let values = [
            ("direction_id", "1"),
            ("calc_amount", "100"),
            ("calc_action", "2"),
            ("hash", hash.as_str()),
            ("method_id", "11"),
            ("account", "TXabcdefghijklmnop"),
        ];
        let takes = |name: &str| {
            question.parameters.iter().any(|p| p.name == name && (p.required || name == "hash"))
        };
        let given = values.iter().filter(|(name, _)| takes(name));
        let given = given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sheet = world.adapter.desk().unwrap().ask(question.name, &given).await;
        let allowed_empty = question.name == "partner-payouts";
        match sheet {
            Ok(sheet) => assert!(allowed_empty || !sheet.rows.is_empty(), "{}", question.name),
            // The order was completed by "success", which stands before it.
            Err(text) => assert_eq!(question.name, "cancel-bid", "{text}"),
        }
    }
    let mut given = std::collections::BTreeMap::from(
        [("method_id", "11"), ("account", "TXabcdefghijklmnop"), ("balance", "250")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let desk = world.adapter.desk().unwrap();
    desk.ask("partner-payout", &given).await.unwrap();
    given.insert("balance".into(), "0".into());
    let text = desk.ask("partner-payout", &given).await.unwrap_err();
    assert!(text.contains("not decided yet"), "{text}");
}
