//! The provider: the sandbox as a process of its own, asked through its control API what it was
//! called with and what it paid. Its ledger is what every test is judged by.

use crate::binaries::binary;
use crate::http;
use crate::process::Process;
use crate::provider::Provider;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What signs creates, unless a test says otherwise.
pub const SIGN_KEY: &str = "sandbox-sign-key";

/// The largest page that any provider may be asked for, in every test.
const PAGE_MAX: u64 = 1_000;

/// A running sandbox: what is asked and set is the merchant gateway's, unless another provider
/// was chosen with [`Sandbox::of`].
#[derive(Debug)]
pub struct Sandbox {
    _process: Option<Process>,
    url: String,
    tls: Option<Tls>,
    provider: Provider,
}

/// The listener with mutual TLS, and what it takes to be let in.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) url: String,
    pub(crate) ca_file: String,
    pub(crate) certificate_file: String,
    pub(crate) key_file: String,
}

/// Counts since the start; those of the ledger since ever.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Counters {
    /// Create calls, whatever they were answered.
    pub create: u64,
    /// Look-ups.
    pub status: u64,
    /// Those of them for which the dossier lists no reason; the merchant gateway alone tells it.
    #[serde(default)]
    pub unlisted: u64,
    /// The age of the youngest payout that one of them asked for, rejected ones aside.
    #[serde(default)]
    pub youngest_asked_ms: Option<u64>,
    /// Genuine callbacks sent.
    pub callbacks_sent: u64,
    /// Genuine callbacks that were answered with 200.
    pub callbacks_acknowledged: u64,
    /// Forged callbacks sent.
    pub forged_sent: u64,
    /// Calls answered 429.
    pub too_many_requests: u64,
    /// The most creates in any sliding second.
    pub max_per_second: u64,
    /// The most creates under way at once.
    #[serde(default)]
    pub max_at_once: u64,
    /// Creates accepted.
    pub accepted: u64,
    /// Payouts made.
    pub paid: u64,
    /// Payouts that are not final.
    pub pending: u64,
    /// Order ids accepted more than once: double pays.
    pub duplicates: u64,
    /// Calls of each method, where the provider has several.
    #[serde(default)]
    pub calls: BTreeMap<String, u64>,
    /// The largest page that was asked for.
    #[serde(default)]
    pub max_page: u64,
    /// How often each fault struck; those that never did are not named.
    pub faults: BTreeMap<String, u64>,
}

impl Counters {
    /// How often a fault struck.
    pub fn struck(&self, fault: &str) -> u64 {
        self.faults.get(fault).copied().unwrap_or(0)
    }

    #[track_caller]
    fn must_have_no_large_page(&self) {
        let page = self.max_page;
        assert!(page <= PAGE_MAX, "a page of {page} records was asked for: {self:?}");
    }

    #[track_caller]
    fn must_have_no_polling(&self) {
        assert_eq!(self.unlisted, 0, "look-ups without a listed reason: {self:?}");
    }

    /// How often a method was called.
    pub fn called(&self, method: &str) -> u64 {
        self.calls.get(method).copied().unwrap_or(0)
    }
}

/// A tenth of a second at the merchant gateway.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Tenth {
    /// Creates that came, refused ones included.
    pub creates: u64,
    /// Those of them that the limit answered 429.
    pub over_limit: u64,
    /// The most creates in any sliding second that ended in it.
    pub busiest: u64,
}

/// How creates came over the last two minutes, without a gap.
#[derive(Clone, Debug, Deserialize)]
pub struct Pace {
    /// The number of the present tenth: the last of these.
    pub now: u64,
    /// Oldest first.
    pub tenths: Vec<Tenth>,
}

impl Pace {
    /// The tenths `from..until`, all of which are known.
    #[track_caller]
    pub fn between(&self, from: u64, until: u64) -> Vec<Tenth> {
        let first = self.now + 1 - u64::try_from(self.tenths.len()).expect("a length");
        assert!(first <= from && until <= self.now + 1, "not known: {from}..{until}: {self:?}");
        let kept = self.tenths.iter().zip(first..);
        kept.filter(|(_, no)| (from..until).contains(no)).map(|(tenth, _)| *tenth).collect()
    }
}

/// Creates that came in these tenths.
pub fn creates(tenths: &[Tenth]) -> u64 {
    tenths.iter().map(|tenth| tenth.creates).sum()
}

/// The most creates in any sliding second that ended in these tenths.
pub fn busiest(tenths: &[Tenth]) -> u64 {
    tenths.iter().map(|tenth| tenth.busiest).max().unwrap_or(0)
}

/// An accepted create.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// Our provider reference.
    pub order_id: String,
    /// The provider's own id.
    pub internal_transaction_id: String,
    /// Two decimals.
    pub amount: String,
    /// Lower case.
    pub currency: String,
    /// The card or account that was paid.
    pub destination: String,
    /// Did money move?
    pub paid: bool,
    /// When it was accepted, in milliseconds since 1970.
    pub created_ms: u64,
}

impl Entry {
    /// As in ISO 4217; some providers have their own name for the rouble.
    pub fn currency(&self) -> String {
        match self.currency.to_uppercase() {
            old if old == "RUR" => "RUB".to_owned(),
            code => code,
        }
    }
}

impl Sandbox {
    /// Starts one on a free port; it keeps its ledger in `data`.
    pub fn start(data: &Path, more: &[&str]) -> Sandbox {
        let mut command = Command::new(binary("sandbox"));
        command.arg("--data").arg(data).args(more);
        let mut process = Process::start("sandbox", &mut command);
        // The last line that it says; the others stand before it.
        let url = said(&mut process, "listening on ");
        let tls = Tls {
            url: said(&mut process, "tls on "),
            ca_file: said(&mut process, "  ca "),
            certificate_file: said(&mut process, "  certificate "),
            key_file: said(&mut process, "  key "),
        };
        let provider = Provider::Merchant;
        Sandbox { url, tls: Some(tls), provider, _process: Some(process) }
    }

    /// The one that `worker up` carries in itself.
    pub fn inside(merchant_url: &str) -> Sandbox {
        let url = merchant_url.strip_suffix("/merchant").expect("a merchant's URL").to_owned();
        Sandbox { url, tls: None, provider: Provider::Merchant, _process: None }
    }

    /// What another provider was asked and paid.
    pub fn of(&self, provider: Provider) -> Sandbox {
        let Sandbox { url, tls, .. } = self;
        Sandbox { url: url.clone(), tls: tls.clone(), provider, _process: None }
    }

    /// Where all but those behind TLS are.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The other listener.
    #[track_caller]
    pub(crate) fn tls(&self) -> &Tls {
        self.tls.as_ref().expect("a listener with TLS")
    }

    /// Holds in every test: nobody was asked for a page that is larger than any document allows.
    #[track_caller]
    pub fn was_asked_for_no_large_page(&self) {
        for provider in Provider::ALL {
            self.of(provider).counters().must_have_no_large_page();
        }
    }

    /// Holds in every test whose ledger did not go back in time: the merchant gateway was asked
    /// about no payout without a reason that its dossier lists.
    #[track_caller]
    pub fn was_never_polled(&self) {
        self.of(Provider::Merchant).counters().must_have_no_polling();
    }

    /// All counts at this moment.
    pub fn counters(&self) -> Counters {
        serde_json::from_str(&self.control("GET", "counters", "")).expect("counters")
    }

    /// How creates came over the last two minutes: the merchant gateway alone tells it.
    pub fn pace(&self) -> Pace {
        serde_json::from_str(&self.control("GET", "pace", "")).expect("a pace")
    }

    /// All that it accepted, oldest first.
    pub fn ledger(&self) -> Vec<Entry> {
        let lines = self.control("GET", "ledger", "");
        lines.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect()
    }

    /// Pays records of Capitalist's own form (`RUCARD;…`) as nobody of ours does: by another program
    /// that has the same login.
    pub fn pay_behind_our_back(&self, records: &[String]) {
        let fields = [
            ("operation", "import_batch_advanced"),
            ("login", "sandbox"),
            ("plain_password", "sandbox-password"),
            ("account_RUR", "R0000001"),
            ("verification_type", "PIN"),
            // MD5 of "sandbox-pin".
            ("verification_data", "e6343c796ecfb5948d0a1a5b79adbcdf"),
            ("batch", &records.join("\n")),
        ];
        let escaped = |text: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            let one = |b: u8| match plain(b) {
                true => char::from(b).to_string(),
                false => format!("%{b:02X}"),
            };
            text.bytes().map(one).collect::<String>()
        };
        let body: Vec<String> =
            fields.iter().map(|(name, text)| format!("{name}={}", escaped(text))).collect();
        let url = format!("{}/capitalist/", self.url);
        let kind = "application/x-www-form-urlencoded";
        let answer = http::call_with("POST", &url, kind, &body.join("&")).expect("an answer");
        assert!(answer.body.starts_with("0;"), "{}", answer.body);
    }

    /// Turns the dial; what is not named stays.
    pub fn dial(&self, change: &Value) {
        self.control("PUT", "dial", &change.to_string());
    }

    /// Of a thousand calls, so many are struck by `fault`.
    pub fn fault(&self, fault: &str, per_mille: u16) {
        self.dial(&serde_json::json!({ "faults": { fault: { "per_mille": per_mille } } }));
    }

    /// Every answer waits so long.
    pub fn latency_ms(&self, latency_ms: u64) {
        self.dial(&serde_json::json!({ "latency_ms": latency_ms }));
    }

    /// No faults any more.
    pub fn calm(&self) {
        self.control("DELETE", "dial", "");
    }

    /// A control call of the provider; its answer.
    #[track_caller]
    pub fn control(&self, verb: &str, what: &str, body: &str) -> String {
        let url = match self.provider {
            Provider::Merchant => format!("{}/sandbox/{what}", self.url),
            other => format!("{}/sandbox/{}/{what}", self.url, other.name()),
        };
        let answer = http::call(verb, &url, body).expect("the sandbox answers");
        assert_eq!(answer.status, 200, "{verb} {url}: {}", answer.body);
        answer.body
    }
}

/// What stands behind `words` in a line of its stdout.
fn said(process: &mut Process, words: &str) -> String {
    let line = process.wait_for_line(words, Duration::from_secs(20));
    let (_, rest) = line.split_once(words).expect("the words");
    rest.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_rules_allow_is_allowed() {
        let counters = Counters { status: 40, max_page: 1_000, ..Counters::default() };
        counters.must_have_no_large_page();
        counters.must_have_no_polling();
    }

    #[test]
    #[should_panic(expected = "a page of 1001 records")]
    fn a_page_above_a_thousand_is_seen() {
        Counters { max_page: 1_001, ..Counters::default() }.must_have_no_large_page();
    }

    #[test]
    #[should_panic(expected = "without a listed reason")]
    fn one_look_up_that_nothing_lists_is_seen() {
        Counters { status: 40, unlisted: 1, ..Counters::default() }.must_have_no_polling();
    }
}
