//! The whole adapter: recorded bodies, every documented code over real HTTP, searches that prove
//! and searches that do not, and the sandbox with its faults.

mod codes;
mod confirms;
mod desk;
mod example;
mod faults;
mod imports;
mod listings;
mod look_ups;
mod platform;
mod resent;
mod rows;
mod searches;
mod whole;
mod world;

use super::*;
use crate::answer::{Answer, Found};
use crate::api::{Payment, Sent, Shipped};
use crate::testing::{self, Gate, payment, row};
use domain::{Method, Millis};
use platform::Platform;

/// What the sandbox's account is set to; also what a `Platform` is asked with.
const ID: &str = "f3b1c8a0-0000-4000-8000-000000000001";
/// 2026-03-10, 22:30 UTC: in Moscow already the 11th.
const SENT_MS: u64 = 1_773_181_800_000;

/// An adapter against `base`, with the sandbox's keys and `more` settings.
fn adapter_at(base: &str, more: &str) -> Capitalist {
    let mut context = testing::context();
    context.sandbox.as_mut().unwrap().url = base.to_owned();
    context.request_timeout_ms = 2_000;
    Capitalist::to_pay(format!("base_url = \"sandbox\"\n{more}").parse().unwrap(), context).unwrap()
}

/// An adapter that has nobody to talk to.
fn adapter(more: &str) -> Capitalist {
    adapter_at("http://127.0.0.1:9", more)
}

/// A payment in dollars to a wallet: the plainest record there is.
fn wallet(reference: &str, amount: &str) -> Payment {
    payment(row(reference, amount, "USD", Method::Wallet, "U0000042"))
}

fn sent(mut payment: Payment) -> Payment {
    payment.past.sent = Some(Sent { from: Millis(SENT_MS), until: Millis(SENT_MS + 31_000) });
    payment
}

/// A payment of a batch that is known.
fn shipped(mut payment: Payment, handle: &str) -> Payment {
    payment.past.shipment = Some(handle.into());
    sent(payment)
}

async fn submit(adapter: &Capitalist, payments: &[Payment]) -> Shipped {
    submit_through(adapter, payments, Gate::new(true)).await
}

async fn submit_through(adapter: &Capitalist, payments: &[Payment], gate: Arc<Gate>) -> Shipped {
    let shipment = Shipment { lane: testing::lane(), payments: payments.to_vec(), gate };
    let shipped = adapter.submit(shipment).await;
    assert_eq!(shipped.answers.len(), payments.len(), "one answer a payment");
    shipped
}

/// What a look-up says; it took a turn for each request.
async fn ask(
    adapter: &Capitalist,
    platform: &Platform,
    payments: Vec<Payment>,
    control: Option<Payment>,
) -> LookedUp {
    let before = platform.heard("").len();
    let (mut question, turns) = testing::question(payments);
    question.control = control;
    let told = adapter.look_up(question).await;
    let asked = platform.heard("").len() - before;
    assert_eq!(turns.0.load(std::sync::atomic::Ordering::SeqCst), asked, "a turn a request");
    told
}

fn error_of(result: Result<Capitalist, BuildError>) -> String {
    result.unwrap_err().to_string()
}

fn is_unclear(found: &Found) -> bool {
    matches!(found, Found::Unclear { .. })
}

#[test]
fn the_fingerprint_names_login_and_accounts_and_not_the_port_of_the_sandbox() {
    let sandbox = "capitalist:sandbox:box:sandbox:R0000001:E0000001:U0000001:B0000001";
    assert_eq!(adapter("").fingerprint(), sandbox);
    let real = "base_url = \"https://API.example.com/\"\nlogin = \"shop\"\nverification = \"mobile\"\n\
                accounts = { USD = \"U1\", RUB = \"R1\" }\npassword = { env = \"PATH\" }";
    let real = Capitalist::to_pay(real.parse().unwrap(), testing::context()).unwrap();
    assert_eq!(real.fingerprint(), "capitalist:api.example.com:shop:R1:U1;mobile");
}

#[test]
fn a_lane_whose_batches_waited_for_codes_is_another_account_once_they_do_not() {
    let of = |more: &str| adapter(more).fingerprint().to_owned();
    let (pin, mobile) = (of("verification = \"pin\""), of("verification = \"mobile\""));
    assert_ne!(pin, mobile, "what waits unseen is never looked for as if it were to be seen");
    assert_eq!(of(""), pin);
    let shown = of("verification = \"mobile\"\nsearch_shows_unconfirmed = false");
    assert_eq!(shown, mobile, "what a search shows is no part of who we are");
    let table = "base_url = \"sandbox\"\nverification = \"mobile\"".parse().unwrap();
    let settings = Settings::read(table, &testing::lane()).unwrap();
    let intake = Capitalist::new(settings, testing::lane(), None, None);
    assert!(intake.fingerprint().ends_with(";mobile"), "at intake too");
}

#[test]
fn nothing_that_is_printed_shows_a_key() {
    let adapter = adapter("");
    let table = "base_url = \"sandbox\"".parse().unwrap();
    let settings = Settings::read(table, &testing::lane()).unwrap();
    let keys = settings.keys(&testing::lane()).unwrap();
    let printed = format!("{adapter:?} {settings:?} {keys:?}");
    for key in [
        "sandbox-password",
        "sandbox-pin",
        &hex::encode(<md5::Md5 as md5::Digest>::digest("sandbox-pin")),
    ] {
        assert!(!printed.contains(key), "{printed}");
    }
}

#[tokio::test]
async fn an_adapter_for_intake_reads_no_key_validates_and_sends_nothing() {
    let settings = "base_url = \"https://example.com\"\nlogin = \"l\"\nverification = \"pin\"\n\
                    accounts = { USD = \"U1\" }\npin = { env = \"NO_SUCH_VARIABLE_EVER\" }\n\
                    default_description = \"Payout\"";
    let lane = testing::lane();
    let settings = Settings::read(settings.parse().unwrap(), &lane).unwrap();
    let adapter = Capitalist::new(settings, lane, None, None);
    let payment = wallet("INV-1", "10.00");
    assert_eq!(adapter.validate(&payment.row), []);
    let answers = submit(&adapter, std::slice::from_ref(&payment)).await.answers;
    assert!(matches!(answers[..], [Answer::StopLane { .. }]), "{answers:?}");
    let (question, _) = testing::question(vec![payment]);
    assert!(is_unclear(&adapter.look_up(question).await.found[0]));
}

#[test]
fn a_real_account_names_what_it_lacks() {
    let base = "base_url = \"https://example.com\"\n";
    for (more, words) in [
        ("", "login: missing"),
        ("login = \"l\"", "verification: missing"),
        ("login = \"l\"\nverification = \"pin\"", "accounts: missing"),
        ("login = \"l\"\nverification = \"pin\"\naccounts = { USD = \"U1\" }", "pin: missing"),
        (
            "login = \"l\"\nverification = \"mobile\"\naccounts = { USD = \"U1\" }",
            "password: missing",
        ),
        (
            "login = \"l\"\nverification = \"signature\"\naccounts = { USD = \"U1\" }",
            "key: missing",
        ),
    ] {
        let table = format!("{base}{more}").parse().unwrap();
        let error = error_of(Capitalist::to_pay(table, testing::context()));
        assert!(error.contains(words), "{more}: {error}");
    }
}

#[test]
fn every_wrong_setting_is_named_with_what_would_be_accepted() {
    for (setting, words) in [
        ("page_size = 1001", "page_size: 1001 is not possible; expected 10 to 1000"),
        ("rows_per_call = 0", "rows_per_call"),
        ("utc_offset_minutes = 900", "utc_offset_minutes"),
        ("search_days = 0", "search_days"),
        ("numbers_per_look_up = 0", "numbers_per_look_up"),
        ("number_bytes_max = 40", "number_bytes_max"),
        ("field_chars_max = 1", "field_chars_max"),
        ("lockout_retry_ms = 1", "lockout_retry_ms"),
        ("low_balance_retry_ms = 1", "low_balance_retry_ms"),
        ("connect_timeout_ms = 1", "connect_timeout_ms"),
        ("pasword = 1", "unknown field `pasword`, expected one of `base_url`"),
        ("verification = \"sms\"", "`signature`, `pin`, `mobile`"),
        ("access = \"open\"", "`token` or `plain_password`"),
        ("accounts = { GBP = \"G1\" }", "accounts: currencies are RUR, EUR, USD and BTC"),
        ("accounts = { RUR = \"R1\", RUB = \"R2\" }", "accounts: RUR stands there twice"),
        ("login = \"a:b\"", "login: expected"),
        ("default_description = \"a;b\"", "default_description: holds a semicolon"),
        ("states = { paid = [\"NEW\"] }", "states: \"NEW\""),
        ("proxy = \"http://proxy.example.com\"", "proxy: only https"),
        ("password = \"hunter2\"", "a secret never stands in the config itself"),
    ] {
        let table = format!("base_url = \"sandbox\"\n{setting}").parse().unwrap();
        let error = Settings::read(table, &testing::lane()).unwrap_err().to_string();
        assert!(error.contains(words), "{setting}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_plain_password_never_crosses_a_network_in_the_open() {
    let table = "base_url = \"http://api.example.com\"\naccess = \"plain_password\"";
    let error = Settings::read(table.parse().unwrap(), &testing::lane()).unwrap_err().to_string();
    assert!(error.contains("base_url: only https is allowed"), "{error}");
}

#[test]
fn the_limits_follow_the_settings() {
    let adapter = adapter("rows_per_call = 500\npage_size = 100\nnumber_bytes_max = 64");
    let limits = adapter.limits();
    assert_eq!((limits.rows_per_call, limits.page_size), (500, Some(100)));
    assert_eq!(limits.reference, ReferenceFormat::Text { max_bytes: 64 });
}
