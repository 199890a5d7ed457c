//! The whole adapter: recorded bodies, every class of the table over real HTTP, callbacks and
//! forgeries, and the sandbox with its faults.

mod account;
mod callbacks;
mod creates;
mod example;
mod lookups;
mod readme;
mod rows;
mod whole;

use super::*;
use crate::answer::{Answer, Found};
use crate::api::Payment;
use crate::http::RawAnswer;
use crate::testing;
use bytes::Bytes;

/// An adapter against `base`, with the sandbox's keys.
fn adapter_at(base: &str, more: &str) -> Merchant {
    let mut context = testing::context();
    let sandbox = context.sandbox.as_mut().unwrap();
    sandbox.url = base.to_owned();
    context.request_timeout_ms = 2_000;
    let settings = format!("base_url = \"sandbox\"\n{more}");
    Merchant::to_pay(settings.parse().unwrap(), context).unwrap()
}

/// An adapter that has nobody to talk to.
fn adapter(more: &str) -> Merchant {
    adapter_at("http://127.0.0.1:9", more)
}

fn raw(status: u16, body: &str) -> RawAnswer {
    RawAnswer { status, retry_after_ms: None, body: Bytes::copy_from_slice(body.as_bytes()) }
}

async fn submit(adapter: &Merchant, payment: &Payment, gate: Arc<testing::Gate>) -> Answer {
    let payments = vec![payment.clone()];
    let shipped = adapter.submit(Shipment { lane: testing::lane(), payments, gate }).await;
    let [answer] = &shipped.answers[..] else { panic!("one answer per payment") };
    answer.clone()
}

/// What a look-up says; it took a turn for each request.
async fn ask(adapter: &Merchant, payments: Vec<Payment>) -> Vec<Found> {
    let (question, _) = testing::question(payments);
    adapter.look_up(question).await.found
}

fn error_of(result: Result<Merchant, BuildError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_lane_without_callbacks_does_not_start() {
    let context = BuildContext { callbacks: None, ..testing::context() };
    let error = error_of(Merchant::to_pay(testing::settings("merchant"), context));
    assert!(error.contains("[http] listen and public_url"), "{error}");
}

#[test]
fn a_public_url_that_makes_callback_urls_too_long_is_refused_at_start() {
    let long = format!("https://{}.example.com", "a".repeat(50)) + &"/x".repeat(180);
    let callbacks = Some(CallbackUrls::new(&long, [1; 32]).unwrap());
    let context = BuildContext { callbacks, ..testing::context() };
    let error = error_of(Merchant::to_pay(testing::settings("merchant"), context));
    assert!(error.contains("the provider takes 512"), "{error}");
}

#[test]
fn the_fingerprint_names_the_account_and_not_the_port_of_the_sandbox() {
    assert_eq!(adapter("").fingerprint(), "merchant:sandbox:box:sandbox");
    let real = "base_url = \"https://API.example.com/gate/\"\nmerchant = \"shop\"\n\
                sign_key = { env = \"PATH\" }\napi_key = { env = \"PATH\" }";
    let real = Merchant::to_pay(real.parse().unwrap(), testing::context()).unwrap();
    assert_eq!(real.fingerprint(), "merchant:api.example.com/gate:shop");
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    let adapter = adapter("");
    let printed = format!("{adapter:?} {:?}", adapter.line.as_ref().unwrap().get_headers);
    for key in [sandbox::API_KEY, sandbox::SIGN_KEY] {
        assert!(!printed.contains(key), "{printed}");
    }
}

#[tokio::test]
async fn an_adapter_for_intake_reads_no_key_validates_and_sends_nothing() {
    let settings = "base_url = \"https://example.com\"\nmerchant = \"m\"\n\
                    sign_key = { env = \"NO_SUCH_VARIABLE_EVER\" }";
    let lane = testing::lane();
    let settings = Settings::read(settings.parse().unwrap(), &lane).unwrap();
    let adapter = Merchant::new(settings, lane, None, None);
    let payment = testing::card("INV-1", "10.00");
    assert_eq!(adapter.validate(&payment.row), []);
    let gate = testing::Gate::new(true);
    let answer = submit(&adapter, &payment, gate).await;
    assert!(matches!(answer, Answer::StopLane { .. }), "{answer:?}");
    let found = ask(&adapter, vec![payment]).await;
    assert!(matches!(found[..], [Found::Unclear { .. }]), "{found:?}");
}
