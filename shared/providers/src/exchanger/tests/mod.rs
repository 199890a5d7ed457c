//! The whole adapter: every error of the table over real HTTP, orders that are not ours, lists
//! that lie, and the sandbox with its faults.

mod acts;
mod callbacks;
mod creates;
mod desk;
mod example;
mod fields;
mod lists;
mod lookups;
mod readme;
mod rows;
mod site;
mod table;
mod whole;
mod world;

use super::*;
use crate::answer::{Answer, Found};
use crate::api::{Past, Payment, Sent, StepAnswer};
use crate::testing;
use domain::{LedgerId, Millis, PayerReference, ProviderReference};
use serde_json::{Value, json};
use site::Site;

const PREPAID: &str = "";
const PERSON: &str = "funding = \"person\"";
/// When the payouts of these tests were sent, in ms since 1970.
const SENT: Sent = Sent { from: Millis(1_700_000_000_000), until: Millis(1_700_000_031_000) };

/// An adapter against `base`, with the sandbox's keys; it knows that the key is a user's own.
fn adapter_at(base: &str, more: &str) -> Exchanger {
    let adapter = fresh_adapter_at(base, more);
    adapter.own_key.store(true, std::sync::atomic::Ordering::SeqCst);
    adapter
}

/// The same, and nothing is known of the key.
fn fresh_adapter_at(base: &str, more: &str) -> Exchanger {
    let mut context = testing::context();
    let sandbox = context.sandbox.as_mut().unwrap();
    sandbox.url = base.to_owned();
    context.request_timeout_ms = 2_000;
    let settings = format!("base_url = \"sandbox\"\n{more}");
    Exchanger::to_pay(settings.parse().unwrap(), context).unwrap()
}

/// An adapter that has nobody to talk to.
fn adapter(more: &str) -> Exchanger {
    adapter_at("http://127.0.0.1:9", more)
}

fn numbered(row: Row) -> Payment {
    let mut payment = testing::payment(row);
    payment.reference = number(payment.row.reference.as_str());
    payment.past.sent = Some(SENT);
    payment
}

fn number(reference: &str) -> ProviderReference {
    let ledger = LedgerId::parse("abcd").unwrap();
    let payer = PayerReference::new(reference).unwrap();
    ProviderReference::make(ledger, &payer, 1, ReferenceFormat::Number)
}

/// A payment in roubles to a card.
fn card(reference: &str, amount: &str) -> Payment {
    let mut row = testing::row(reference, amount, "RUB", Method::Card, "4111111111111111");
    row.fields.insert("email".to_owned(), "a@b.example".to_owned());
    numbered(row)
}

/// The same, once the site has told its id.
fn known(reference: &str, amount: &str, provider_id: &str) -> Payment {
    let mut payment = card(reference, amount);
    payment.past.provider_id = Some(provider_id.into());
    payment
}

fn stepped(payment: Payment) -> Payment {
    Payment { past: Past { stepped: true, ..payment.past.clone() }, ..payment }
}

/// An order as a create or `bid_info` tells it.
fn order(id: u64, status: &str, amount: &str) -> Value {
    json!({
        "url": format!("https://example.com/hst_h{id}/"), "id": id, "hash": format!("h{id}"),
        "status": status, "status_title": "x", "psys_give": "Tether", "psys_get": "Card",
        "currency_code_give": "USDTTRC20", "currency_code_get": "RUB",
        "amount_give": "0.1", "amount_get": amount,
        "api_actions": {
            "type": "mypaid", "cancel": "api", "pay": "api", "pay_amount": "0.1",
            "instruction": "<p>Send <b>0.1</b> for 4111111111111111</p>",
            "address": "TXaddress12345678901234", "dest_tag": "",
        },
    })
}

/// An order as a list tells it.
fn item(id: u64, api_id: &str, status: &str, amount: &str) -> Value {
    json!({
        "id": id.to_string(), "api_id": api_id, "time": 1_700_000_100, "status": status,
        "currency_code_give": "USDTTRC20", "currency_code_get": "RUB",
        "amount_give": 0.1, "amount_get": amount, "exchange_success": "1",
    })
}

fn done(data: Value) -> String {
    json!({ "error": 0, "error_text": "", "error_fields": [], "data": data }).to_string()
}

fn page(items: &[Value]) -> String {
    done(if items.is_empty() { json!([]) } else { json!({ "items": items }) })
}

fn error(code: Value, text: &str) -> String {
    json!({ "error": code, "error_text": text, "error_fields": [], "data": [] }).to_string()
}

async fn submit(adapter: &Exchanger, payment: &Payment) -> Answer {
    let payments = vec![payment.clone()];
    let gate = testing::Gate::new(true);
    let shipped = adapter.submit(Shipment { lane: testing::lane(), payments, gate }).await;
    let [answer] = &shipped.answers[..] else { panic!("one answer per payment") };
    answer.clone()
}

/// What a look-up says; it took a turn for each request.
async fn ask(adapter: &Exchanger, site: &Site, payments: Vec<Payment>) -> Vec<Found> {
    ask_with(adapter, site, payments, None).await.found
}

async fn ask_with(
    adapter: &Exchanger,
    site: &Site,
    payments: Vec<Payment>,
    control: Option<Payment>,
) -> LookedUp {
    let before = site.calls().len();
    let (mut question, turns) = testing::question(payments);
    question.control = control;
    let looked_up = adapter.look_up(question).await;
    let turns = turns.0.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(site.calls().len() - before, turns, "a turn for each request");
    looked_up
}

async fn confirm(adapter: &Exchanger, payment: Payment) -> StepAnswer {
    let step =
        crate::api::Step { payments: vec![payment], code: None, gate: testing::Gate::new(true) };
    Provider::confirm(adapter).unwrap().confirm(step).await
}

#[test]
fn the_fingerprint_names_the_account_and_the_key_and_not_the_port_of_the_sandbox() {
    let hash = hex::encode(&Sha256::digest("sandbox-api-key")[..4]);
    assert_eq!(adapter("").fingerprint(), format!("exchanger:sandbox:box:sandbox-login:{hash}"));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let settings = format!(
        "base_url = \"https://API.example.com/x/\"\nlogin = {{ file = \"{}\" }}\n\
         key = {{ file = \"{}\" }}\n\
         directions = [{{ id = 1, currency = \"RUB\", method = \"card\" }}]",
        file("login", "me"),
        file("key", "hunter2"),
    );
    let real = Exchanger::to_pay(settings.parse().unwrap(), testing::context()).unwrap();
    let hash = hex::encode(&Sha256::digest("hunter2")[..4]);
    assert_eq!(real.fingerprint(), format!("exchanger:api.example.com/x:me:{hash}"));
    assert!(!format!("{real:?} {:?}", real.line).contains("hunter2"));
}

#[test]
fn nothing_that_is_printed_shows_the_key() {
    let adapter = adapter("");
    let printed = format!("{adapter:?} {:?} {:?}", adapter.line, adapter.settings);
    assert!(!printed.contains("sandbox-api-key"), "{printed}");
}

#[tokio::test]
async fn an_adapter_for_intake_reads_no_key_validates_and_sends_nothing() {
    let settings = "base_url = \"https://example.com\"\nkey = { env = \"NO_SUCH_VARIABLE_EVER\" }\n\
                    directions = [{ id = 1, currency = \"RUB\", method = \"card\" }]";
    let adapter = Exchanger::for_intake(settings.parse().unwrap(), testing::lane()).unwrap();
    let payment = card("INV-1", "10.00");
    assert_eq!(adapter.validate(&payment.row), []);
    assert!(matches!(submit(&adapter, &payment).await, Answer::StopLane { .. }));
    let (question, turns) = testing::question(vec![payment.clone()]);
    let found = adapter.look_up(question).await.found;
    assert!(matches!(found[..], [Found::Unclear { .. }]), "{found:?}");
    assert_eq!(turns.0.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert!(matches!(confirm(&adapter, payment).await, StepAnswer::NotSent { .. }));
    assert!(adapter.prepare().unwrap().fetch().await.is_err());
}
