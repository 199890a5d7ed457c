//! Against the sandbox, over real HTTP: the same platform that the worker's demo talks to.

use super::*;
use crate::answer::Heard;
use crate::api::{CallbackKind, CallbackRequest, CancelAnswer};
use crate::testing::{Gate, card, payment, row, until};
use domain::{Method, News};
use sandbox::{Chance, Fault, Sandbox, SandboxConfig};
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Path and body of each callback.
type Called = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

struct World {
    sandbox: Sandbox,
    adapter: Merchant,
    called: Called,
    _dir: tempfile::TempDir,
}

/// A sandbox that settles when told to, an adapter, and an ear for callbacks.
async fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut config = SandboxConfig::new(dir.path());
    config.merchant.settle_after_ms = 3_600_000;
    let sandbox = Sandbox::start(config).await.unwrap();
    let called = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let public_url = format!("http://{}", listener.local_addr().unwrap());
    let ear = Arc::clone(&called);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(listen(stream, Arc::clone(&ear)));
        }
    });
    let context = BuildContext {
        callbacks: Some(CallbackUrls::new(&public_url, [7; 32]).unwrap()),
        sandbox: Some(crate::registry::SandboxAddress {
            url: sandbox.url(),
            id: sandbox.id().to_owned(),
            tls: None,
        }),
        request_timeout_ms: 2_000,
        ..testing::context()
    };
    let adapter = Merchant::to_pay(testing::settings("merchant"), context).unwrap();
    World { sandbox, adapter, called, _dir: dir }
}

async fn listen(mut stream: tokio::net::TcpStream, called: Called) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        seen.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_ascii_lowercase();
        let expected = lower.lines().find_map(|l| l.strip_prefix("content-length: "));
        if expected.is_some_and(|l| body.len() >= l.trim().parse::<usize>().unwrap()) {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            called.lock().unwrap().push((path, body.as_bytes().to_vec()));
            seen.clear();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    }
}

impl World {
    async fn submit(&self, payment: &Payment) -> Answer {
        submit(&self.adapter, payment, Gate::new(true)).await
    }

    async fn look_up(&self, payment: &Payment) -> Found {
        ask(&self.adapter, vec![payment.clone()]).await.remove(0)
    }

    fn strike(&self, fault: Fault) {
        self.sandbox.dial().set(fault, Chance::next(1)).unwrap();
    }

    /// What the adapter makes of all callbacks so far about `payment`.
    fn heard(&self, payment: &Payment) -> Vec<Heard> {
        let urls = self.adapter.line.as_ref().unwrap().callbacks.clone();
        let called = self.called.lock().unwrap();
        called
            .iter()
            .map(|(path, body)| {
                let target = urls.read(path).unwrap();
                assert_eq!(target.place, payment.place);
                let request =
                    CallbackRequest { kind: target.kind, signature: None, body: body.clone() };
                self.adapter.callbacks().unwrap().read(&request, payment)
            })
            .collect()
    }
}

#[tokio::test]
async fn every_method_is_taken_found_paid_and_called_back() {
    for (method, to) in [
        (Method::Card, "4111111111111111"),
        (Method::Sbp, "79161234567"),
        (Method::Score, "40817810099910004312"),
        (Method::Iban, "DE89370400440532013000"),
    ] {
        let world = world().await;
        let mut row = row("INV-1", "1500.00", "RUB", method, to);
        row.fields.insert("bank_name".into(), "Sberbank".into());
        assert_eq!(world.adapter.validate(&row), []);
        let payment = payment(row);
        let answer = world.submit(&payment).await;
        assert!(
            matches!(&answer, Answer::Accepted { provider_id: Some(_), cost: Some(_) }),
            "{answer:?}"
        );
        let found = world.look_up(&payment).await;
        assert!(matches!(&found, Found::Is { news: News::InProgress, .. }), "{found:?}");
        assert_eq!(world.sandbox.settle_now(), 1);
        until("the callback has come", || !world.called.lock().unwrap().is_empty()).await;
        let heard = world.heard(&payment);
        assert!(matches!(heard[0], Heard::Fact { news: News::Paid, .. }), "{heard:?}");
        let Found::Is { news: News::Paid, receipts, .. } = world.look_up(&payment).await else {
            panic!("not paid")
        };
        assert_eq!(receipts.len(), 1);
    }
}

#[tokio::test]
async fn what_was_never_sent_is_absent_and_a_blind_look_up_says_the_same() {
    let world = world().await;
    let payment = card("INV-1", "10.00");
    assert_eq!(world.look_up(&payment).await, Found::Absent);
    world.submit(&payment).await;
    world.strike(Fault::StatusBlind);
    assert_eq!(world.look_up(&payment).await, Found::Absent, "why absence needs a live look-up");
    for fault in
        [Fault::StatusEmpty, Fault::StatusBare404, Fault::StatusError, Fault::TooManyRequests]
    {
        world.strike(fault);
        let found = world.look_up(&payment).await;
        assert!(matches!(found, Found::Unclear { .. }), "{fault:?}: {found:?}");
    }
    world.strike(Fault::AccountClosed);
    assert!(matches!(world.look_up(&payment).await, Found::StopLane { .. }));
}

#[tokio::test]
async fn every_fault_of_a_create_has_its_class() {
    type Check = fn(&Answer) -> bool;
    let unknown: Check = |answer| matches!(answer, Answer::Unknown { .. });
    let world = world().await;
    for (number, (fault, check)) in [
        (Fault::ErrorBefore, unknown),
        (Fault::ErrorAfter, unknown),
        (Fault::HangBefore, unknown),
        (Fault::HangAfter, unknown),
        (Fault::ResetBefore, unknown),
        (Fault::ResetAfter, unknown),
        (Fault::AnswerMalformed, unknown),
        (Fault::AnswerIncomplete, unknown),
        (Fault::AnswerDiffers, |answer| matches!(answer, Answer::Differs { .. })),
        (Fault::AccountClosed, |answer| matches!(answer, Answer::StopLane { .. })),
        (Fault::WrongSignKey, |answer| matches!(answer, Answer::StopLane { .. })),
        (Fault::TooManyRequests, |answer| {
            matches!(answer, Answer::Later { retry_after_ms: Some(1_000), .. })
        }),
    ]
    .into_iter()
    .enumerate()
    {
        world.strike(fault);
        let answer = world.submit(&card(&format!("INV-{number}"), "10.00")).await;
        assert!(check(&answer), "{fault:?}: {answer:?}");
    }
    assert_eq!(world.sandbox.counters().duplicates, 0, "nothing was sent twice");
}

#[tokio::test]
async fn the_sandboxes_magic_amounts_have_their_classes() {
    let world = world().await;
    let disabled = world.submit(&card("A", "10.93")).await;
    assert!(matches!(disabled, Answer::Refused { created_nothing: true, .. }), "{disabled:?}");
    let overloaded = world.submit(&card("B", "10.94")).await;
    assert!(matches!(overloaded, Answer::Later { retry_after_ms: None, .. }), "{overloaded:?}");
    assert!(matches!(world.submit(&card("B", "10.94")).await, Answer::Accepted { .. }));
    let unlisted = world.submit(&card("C", "10.95")).await;
    assert!(matches!(unlisted, Answer::Unlisted { .. }), "{unlisted:?}");
    for (reference, amount) in [("D", "10.91"), ("E", "10.92")] {
        let payment = card(reference, amount);
        world.submit(&payment).await;
        world.sandbox.settle_now();
        let found = world.look_up(&payment).await;
        assert!(matches!(found, Found::Is { news: News::Failed, .. }), "{found:?}");
    }
}

#[tokio::test]
async fn of_forged_callbacks_none_is_believed_and_the_true_one_is() {
    let world = world().await;
    let payment = card("INV-1", "10.00");
    world.submit(&payment).await;
    let forgeries = [
        Fault::ForgedSignature,
        Fault::ForgedOrder,
        Fault::ForgedAmount,
        Fault::ForgedStatus,
        Fault::ForgedType,
    ];
    forgeries.into_iter().for_each(|fault| world.strike(fault));
    world.sandbox.settle_now();
    until("all callbacks have come", || world.called.lock().unwrap().len() == 6).await;
    let heard = world.heard(&payment);
    let facts = heard.iter().filter(|h| matches!(h, Heard::Fact { .. })).count();
    assert_eq!(facts, 1, "{heard:?}");
    assert!(matches!(heard[5], Heard::Fact { news: News::Paid, .. }), "{heard:?}");
}

#[tokio::test]
async fn a_rejected_payout_is_called_back_as_a_hint_at_the_other_url() {
    let world = world().await;
    let payment = card("INV-1", "10.91");
    world.submit(&payment).await;
    world.sandbox.settle_now();
    until("the callback has come", || !world.called.lock().unwrap().is_empty()).await;
    assert_eq!(world.heard(&payment), [Heard::Hint { text: "rejected_gate".into() }]);
    let urls = world.adapter.line.as_ref().unwrap().callbacks.clone();
    let kind = urls.read(&world.called.lock().unwrap()[0].0).unwrap().kind;
    assert_eq!(kind, CallbackKind::Error);
}

#[tokio::test]
async fn what_is_not_paid_can_be_cancelled_and_what_is_paid_cannot() {
    let world = world().await;
    let (open, paid) = (card("INV-1", "10.00"), card("INV-2", "10.00"));
    world.submit(&paid).await;
    world.sandbox.settle_now();
    world.submit(&open).await;
    let cancel = Provider::cancel(&world.adapter).unwrap();
    assert_eq!(cancel.cancel(open.clone()).await, CancelAnswer::Taken);
    let found = world.look_up(&open).await;
    assert!(matches!(found, Found::Is { news: News::Cancelled, .. }), "{found:?}");
    let refused = cancel.cancel(paid).await;
    assert!(matches!(refused, CancelAnswer::Refused { .. }), "{refused:?}");
}

#[tokio::test]
async fn the_account_shows_what_is_on_hold() {
    let world = world().await;
    world.submit(&card("INV-1", "1002.47")).await;
    let desk = world.adapter.desk().unwrap();
    let balances = desk.ask("balance", &Default::default()).await.unwrap();
    let hold = balances.rows.iter().find(|row| row[0] == "hold").unwrap();
    assert!(hold[1].starts_with("10.1") && hold[2] == "USDT", "{balances:?}");
    assert_eq!(balances.rows.len(), 3);
    let methods = desk.ask("methods", &Default::default()).await.unwrap();
    assert!(!methods.rows.is_empty(), "{methods:?}");
}
