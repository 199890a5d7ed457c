//! How the exchange site behaves. The defaults are what the embedded demo expects.

use rust_decimal::Decimal;

/// `API-LOGIN`, unless configured.
pub const EXCHANGER_LOGIN: &str = "sandbox-login";
/// `API-KEY`, unless configured.
pub const EXCHANGER_API_KEY: &str = "sandbox-api-key";
/// The user whose key it is, unless configured.
pub const EXCHANGER_USER_ID: u64 = 7;
/// The partner that this user is.
pub const EXCHANGER_PARTNER_ID: u64 = 3;

/// Which moment of an order the `start_time` and `end_time` of a list mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowBy {
    /// Its last change of status: the `time` that the list shows and is sorted by.
    Changed,
    /// Its creation.
    Created,
}

/// The site's behaviour that does not change while it runs; what may change is on the dial.
#[derive(Debug, Clone)]
pub struct ExchangerConfig {
    /// What `API-LOGIN` must say.
    pub login: String,
    /// What `API-KEY` must say.
    pub api_key: String,
    /// Whose key it is, as `test` tells; 0 is the "System" user.
    pub user_id: u64,
    /// Methods that are not enabled for the key: "Method not supported".
    pub disabled_methods: Vec<String>,
    /// Is the caller's address missing on the key's list? Then every call is "IP blocked".
    pub is_address_blocked: bool,
    /// From a funded order to its final state, and from a partner payout to its.
    pub settle_after_ms: u64,
    /// What a list's time window means.
    pub window_by: WindowBy,
    /// Refuse an `api_id` above 0 that is known. Off: it is ordered again, as on sites that run
    /// another version.
    pub refuse_repeated_api_id: bool,
    /// USD that the partner has at the start of the ledger.
    pub partner_balance: Decimal,
    /// Do the cents of the received amount choose the outcome?
    pub magic: bool,
    /// Callbacks under way at once.
    pub callback_connections: usize,
    /// How long a callback may stay unanswered.
    pub callback_timeout_ms: u64,
    /// The pause before the second try; it doubles with each, up to 30 s.
    pub callback_retry_ms: u64,
    /// Tries a change of status, until the next restart.
    pub callback_tries: u32,
}

impl Default for ExchangerConfig {
    fn default() -> Self {
        Self {
            login: EXCHANGER_LOGIN.into(),
            api_key: EXCHANGER_API_KEY.into(),
            user_id: EXCHANGER_USER_ID,
            disabled_methods: Vec::new(),
            is_address_blocked: false,
            settle_after_ms: 1_000,
            window_by: WindowBy::Changed,
            refuse_repeated_api_id: true,
            partner_balance: Decimal::new(250, 0),
            magic: true,
            callback_connections: 32,
            callback_timeout_ms: 20_000,
            callback_retry_ms: 500,
            callback_tries: 5,
        }
    }
}
