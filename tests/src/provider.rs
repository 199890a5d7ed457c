//! The sandbox's providers, and how a lane is set up to pay through each.
//!
//! All four take the same rows (cards in RUB), so that one file can be spread over them and one
//! judge can compare them.

use crate::sandbox::{Sandbox, Tls};

/// A provider of the sandbox. The lane that pays through it has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The merchant payout gateway: one call a payout, callbacks.
    Merchant,
    /// A whole batch in one call, read back by pages.
    Capitalist,
    /// An order, then the word that it is funded; unsigned callbacks.
    Exchanger,
    /// One call a payout behind mutual TLS; webhooks.
    Capay,
}

impl Provider {
    /// All of them.
    pub const ALL: [Provider; 4] =
        [Provider::Merchant, Provider::Capitalist, Provider::Exchanger, Provider::Capay];

    /// As in `provider = …`, and the lane's name.
    pub fn name(self) -> &'static str {
        match self {
            Provider::Merchant => "merchant",
            Provider::Capitalist => "capitalist",
            Provider::Exchanger => "exchanger",
            Provider::Capay => "capay",
        }
    }

    /// The lane's own settings. Secrets are named, never written; [`Provider::environment`] has
    /// them.
    pub(crate) fn settings(self, sandbox: &Sandbox) -> String {
        let url = sandbox.url();
        match self {
            Provider::Merchant => format!(
                r#"base_url = "{url}/merchant"
merchant = "sandbox"
sign_key = {{ env = "TEST_SIGN_KEY" }}
api_key = {{ env = "TEST_API_KEY" }}"#
            ),
            Provider::Capitalist => format!(
                r#"base_url = "{url}/capitalist/"
login = "sandbox"
password = {{ env = "TEST_PASSWORD" }}
accounts = {{ RUR = "R0000001" }}"#
            ),
            Provider::Exchanger => format!(
                r#"base_url = "{url}/exchanger"
login = {{ env = "TEST_LOGIN" }}
key = {{ env = "TEST_EXCHANGER_KEY" }}
funding = "prepaid"
directions = [
    {{ id = 1, currency = "RUB", method = "card", fields = {{ cf6 = "email" }} }},
]"#
            ),
            Provider::Capay => {
                let Tls { url, ca_file, certificate_file, key_file } = sandbox.tls();
                format!(
                    r#"base_url = "{url}/capay"
environment = "sandbox"
api_user = {{ env = "TEST_API_USER" }}
api_key = {{ env = "TEST_CAPAY_KEY" }}
ca_file = "{ca_file}"
certificate_file = "{certificate_file}"
key_file = "{key_file}"
persona = "pm"
client_id = "client-1"
webhook_secret = {{ env = "TEST_WEBHOOK_SECRET" }}"#
                )
            }
        }
    }

    /// The secrets that the settings name: what the sandbox is set to.
    pub(crate) fn environment() -> Vec<(&'static str, String)> {
        let fixed = [
            ("TEST_API_KEY", "sandbox-api-key"),
            ("TEST_PASSWORD", "sandbox-password"),
            ("TEST_PIN", "sandbox-pin"),
            ("TEST_LOGIN", "sandbox-login"),
            ("TEST_EXCHANGER_KEY", "sandbox-api-key"),
            ("TEST_API_USER", "sandbox-user"),
            ("TEST_WEBHOOK_SECRET", "sandbox-webhook-secret"),
        ];
        let mut all: Vec<_> =
            fixed.map(|(name, secret)| (name, secret.to_owned())).into_iter().collect();
        all.push(("TEST_CAPAY_KEY", "sandbox-api-key-".repeat(4)));
        all
    }
}

/// A lane of a test, named after its provider.
#[derive(Clone, Debug)]
pub struct Lane {
    /// Through whom it pays.
    pub provider: Provider,
    /// Further lines of `[lanes.<name>.settings]`.
    pub settings: &'static str,
}

impl Lane {
    /// One that has all it needs and nothing of its own.
    pub fn of(provider: Provider) -> Lane {
        let settings = match provider {
            Provider::Capitalist => "verification = \"pin\"\npin = { env = \"TEST_PIN\" }",
            _ => "",
        };
        Lane { provider, settings }
    }

    /// One of each.
    pub fn of_each() -> Vec<Lane> {
        Provider::ALL.map(Lane::of).into()
    }
}
