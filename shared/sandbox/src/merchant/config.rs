//! How the merchant gateway behaves. The defaults are what the embedded demo expects.

use rust_decimal::Decimal;

use super::order::Method;

/// The merchant's name in the path, unless configured.
pub const MERCHANT_NAME: &str = "sandbox";
/// The key of the create signature and of callbacks, unless configured.
pub const SIGN_KEY: &str = "sandbox-sign-key";
/// The value of `X-Api-Key`, unless configured.
pub const API_KEY: &str = "sandbox-api-key";
/// The default template of `standart_sign`.
const CALLBACK_SIGN: &str = "{order_id}:{sign_key}";

/// What a look-up's `pay_out_id` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusId {
    /// The client's own `order_id`. Of several payouts under one, the newest is told.
    OrderId,
    /// The id of the create answer.
    InternalTransactionId,
}

/// How a wrong create signature is answered; the text is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSign {
    /// HTTP 401.
    Unauthorized,
    /// Like any other refusal: [`MerchantConfig::refusal_status`].
    Refusal,
}

/// A currency that the gateway pays out, and its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency {
    /// Lower case, as in `fiat_currency`.
    pub code: String,
    /// How much of it one USDT buys; 4 decimals.
    pub rate: Decimal,
}

/// The gateway's behaviour that does not change while it runs; what may change is on the dial.
#[derive(Debug, Clone)]
pub struct MerchantConfig {
    /// The `{merchant}` of every path.
    pub name: String,
    /// Signs creates and, through the template, callbacks.
    pub sign_key: String,
    /// What `X-Api-Key` must say.
    pub api_key: String,
    /// What `standart_sign` hashes: fields of the callback in braces, and `{sign_key}`.
    /// `None` is off: callbacks carry an empty one and cancellations are not checked.
    pub callback_sign: Option<String>,
    /// From an accepted create to the payout's final state.
    pub settle_after_ms: u64,
    /// From an accepted create on until its callback may be overdue, or the asker in doubt. Who
    /// asks earlier, and without a reason that is seen here, polls.
    pub look_ups_after_ms: u64,
    /// What look-ups ask by.
    pub status_id: StatusId,
    /// How a wrong signature is answered.
    pub bad_sign: BadSign,
    /// The HTTP status of `ok: false` answers that have none of their own.
    pub refusal_status: u16,
    /// Refuse a repeated `order_id`. Off: it is paid again, which is what tests must catch.
    pub refuse_repeated_order_id: bool,
    /// USDT at the start of the ledger; `low balance` when a payout would exceed what is left.
    pub balance: Decimal,
    /// The platform's fee on top of `usdt_amount`.
    pub fee_per_mille: u32,
    /// What can be paid out; any other `fiat_currency` is refused.
    pub currencies: Vec<Currency>,
    /// Methods that are answered "this payment method is disabled for your merchant".
    pub disabled_methods: Vec<Method>,
    /// Do the cents of the amount choose the outcome?
    pub magic: bool,
    /// Callbacks under way at once.
    pub callback_connections: usize,
    /// How long a callback may stay unanswered.
    pub callback_timeout_ms: u64,
    /// The pause before the second try; it doubles with each, up to 30 s.
    pub callback_retry_ms: u64,
    /// Tries a payout, until the next restart.
    pub callback_tries: u32,
}

impl Default for MerchantConfig {
    fn default() -> Self {
        Self {
            name: MERCHANT_NAME.into(),
            sign_key: SIGN_KEY.into(),
            api_key: API_KEY.into(),
            callback_sign: Some(CALLBACK_SIGN.into()),
            settle_after_ms: 1_000,
            // A request of 30 s and a minute to settle; a callback is overdue much later.
            look_ups_after_ms: 90_000,
            status_id: StatusId::OrderId,
            bad_sign: BadSign::Unauthorized,
            refusal_status: 400,
            refuse_repeated_order_id: false,
            balance: Decimal::new(1_000_000_000_000, 0),
            fee_per_mille: 10,
            currencies: default_currencies(),
            disabled_methods: Vec::new(),
            magic: true,
            callback_connections: 256,
            callback_timeout_ms: 10_000,
            callback_retry_ms: 500,
            callback_tries: 20,
        }
    }
}

/// The regions list of the platform is not public; these are the sandbox's.
fn default_currencies() -> Vec<Currency> {
    let rates = [
        ("rub", 1_002_472),
        ("usd", 10_000),
        ("eur", 9_200),
        ("kzt", 4_805_000),
        ("uzs", 126_500_000),
        ("kgs", 874_000),
        ("tjs", 109_000),
        ("azn", 17_000),
        ("byn", 32_700),
        ("uah", 412_000),
        ("try", 345_000),
        ("inr", 841_000),
    ];
    let currency =
        |(code, units): (&str, i64)| Currency { code: code.into(), rate: Decimal::new(units, 4) };
    rates.into_iter().map(currency).collect()
}
