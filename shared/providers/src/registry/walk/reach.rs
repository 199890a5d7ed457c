//! How each provider reaches its sandbox: the one table that a new provider may add to.

use sandbox::{CAPITALIST_SMS_CODE, Sandbox, SandboxConfig};

/// Longer than any test: the sandboxes settle when they are told to, and not before.
const NEVER_MS: u64 = 3_600_000;

/// What it takes beside `base_url = "sandbox"`.
pub(super) struct Reach {
    /// Further settings of the lane.
    pub(super) settings: &'static str,
    /// Settings with which payouts need the declared second step, where those above do without.
    pub(super) stepping: &'static str,
    /// Settings with which lists come in small pages.
    pub(super) paging: &'static str,
    /// What a person receives, where the second step is a code.
    pub(super) code: Option<&'static str>,
    /// Sets the sandbox: it settles when told to, and deduplicates no more than is declared.
    pub(super) tune: fn(&mut SandboxConfig),
    /// Registers the lane's one URL, where there is one to register.
    pub(super) register: fn(&Sandbox, &str),
}

impl Default for Reach {
    fn default() -> Reach {
        Reach {
            settings: "",
            stepping: "",
            paging: "",
            code: None,
            tune: |_| {},
            register: |_, _| {},
        }
    }
}

/// Every method of the limits, as a site could offer it; the sandbox's own has three of them.
const DIRECTIONS: &str = r#"directions = [
    { id = 1, currency = "RUB", method = "card", fields = { cf6 = "email" } },
    { id = 1, currency = "RUB", method = "sbp", fields = { cf6 = "email" } },
    { id = 1, currency = "RUB", method = "score", fields = { cf6 = "email" } },
    { id = 2, currency = "EUR", method = "iban" },
    { id = 3, currency = "USDT", method = "wallet" },
]"#;

pub(super) fn reach(provider: &str) -> Reach {
    let plain = Reach::default();
    match provider {
        "merchant" => Reach { tune: |all| all.merchant.settle_after_ms = NEVER_MS, ..plain },
        "capitalist" => Reach {
            stepping: "verification = \"mobile\"",
            paging: "page_size = 10",
            code: Some(CAPITALIST_SMS_CODE),
            tune: |all| all.capitalist.settle_after_ms = NEVER_MS,
            ..plain
        },
        "exchanger" => Reach {
            settings: DIRECTIONS,
            paging: "page_size = 10",
            tune: |all| {
                all.exchanger.settle_after_ms = NEVER_MS;
                // Some sites refuse a known number. None promises it, and nothing is declared.
                all.exchanger.refuse_repeated_api_id = false;
            },
            ..plain
        },
        "capay" => Reach {
            paging: "profile = { page_size = 10 }",
            tune: |all| all.capay.settle_after_ms = NEVER_MS,
            register: |sandbox, url| sandbox.set_capay_webhook(url).unwrap(),
            ..plain
        },
        _ => plain,
    }
}
