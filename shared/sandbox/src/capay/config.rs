//! How Capay behaves, and the fixed credentials of its sandbox. They are no secrets: what they open
//! pays nobody.

use std::net::{Ipv4Addr, SocketAddr};

/// The `apiUser` of the token call, unless configured.
pub const CAPAY_API_USER: &str = "sandbox-user";
/// The `apiKey` of the token call, unless configured: 64 characters, as the document has it.
pub const CAPAY_API_KEY: &str = "sandbox-api-key-sandbox-api-key-sandbox-api-key-sandbox-api-key-";
/// The client that a Program Manager may name. Any other name is taken too.
pub const CAPAY_CLIENT_ID: &str = "client-1";
/// The key of the webhooks' signature, unless configured.
pub const CAPAY_WEBHOOK_SECRET: &str = "sandbox-webhook-secret";
/// The header of a webhook's signature: lower-case hex of HMAC-SHA256 over the raw body.
pub const CAPAY_SIGNATURE_HEADER: &str = "x-capay-signature";

/// What becomes of a create that was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapayRepeat {
    /// It is paid again, which is what tests must catch.
    PaysAgain,
    /// The `Idempotency-Key` of an accepted create gets that create's payout; nothing is paid.
    SamePayout,
    /// The `reference` of an accepted create gets 409; nothing is paid.
    Conflict,
}

/// Capay's behaviour that does not change while it runs; what may change is on the dial.
#[derive(Debug, Clone)]
pub struct CapayConfig {
    /// Where it listens with mutual TLS; port 0 takes a free one.
    pub listen_tls: SocketAddr,
    /// What the token call must name.
    pub api_user: String,
    /// And prove itself with.
    pub api_key: String,
    /// Is the caller a Program Manager? Then each create must name a `clientId`.
    pub persona_pm: bool,
    /// Signs webhooks; without it they carry no signature.
    pub webhook_secret: Option<String>,
    /// How long a token lives, as its own `exp` and the token call's answer have it.
    pub token_expires_in_s: u64,
    /// How long it lives in truth. `None`: as long as was told.
    pub token_life_ms: Option<u64>,
    /// From an accepted create to the final state; it is `PROCESSING` from half of that time on.
    pub settle_after_ms: u64,
    /// What becomes of a repeated create.
    pub repeat: CapayRepeat,
    /// Do the cents of the amount choose the outcome?
    pub magic: bool,
    /// Webhooks under way at once. Those of one payout are never sent side by side.
    pub callback_connections: usize,
    /// How long a webhook may stay unanswered.
    pub callback_timeout_ms: u64,
    /// The pause before the second try; it doubles with each, up to 30 s.
    pub callback_retry_ms: u64,
    /// Tries a webhook, until the next restart.
    pub callback_tries: u32,
}

impl Default for CapayConfig {
    fn default() -> Self {
        Self {
            listen_tls: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            api_user: CAPAY_API_USER.into(),
            api_key: CAPAY_API_KEY.into(),
            persona_pm: false,
            webhook_secret: Some(CAPAY_WEBHOOK_SECRET.into()),
            token_expires_in_s: 3_600,
            token_life_ms: None,
            settle_after_ms: 1_000,
            repeat: CapayRepeat::PaysAgain,
            magic: true,
            callback_connections: 16,
            callback_timeout_ms: 10_000,
            callback_retry_ms: 500,
            callback_tries: 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_has_the_documented_length() {
        assert_eq!(CAPAY_API_KEY.len(), 64);
    }
}
