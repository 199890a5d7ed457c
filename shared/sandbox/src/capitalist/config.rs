//! How Capitalist behaves. The defaults are what the embedded demo expects.

use rust_decimal::Decimal;

use super::currency::Currency;

/// The `login` of every call, unless configured.
pub const CAPITALIST_LOGIN: &str = "sandbox";
/// The account's password, unless configured.
pub const CAPITALIST_PASSWORD: &str = "sandbox-password";
/// The PIN whose md5 confirms a batch, unless configured.
pub const CAPITALIST_PIN: &str = "sandbox-pin";
/// The code that the confirmation message holds, unless configured.
pub const CAPITALIST_SMS_CODE: &str = "424242";
/// Our rouble account.
pub const CAPITALIST_ACCOUNT_RUR: &str = "R0000001";
/// Our euro account.
pub const CAPITALIST_ACCOUNT_EUR: &str = "E0000001";
/// Our dollar account.
pub const CAPITALIST_ACCOUNT_USD: &str = "U0000001";
/// Our bitcoin account.
pub const CAPITALIST_ACCOUNT_BTC: &str = "B0000001";

/// How numbers stand in JSON: the real answers mix both, and an adapter reads either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapitalistNumbers {
    /// Counts as strings, amounts as numbers.
    Mixed,
    /// All as strings.
    Strings,
    /// All as numbers.
    Bare,
}

/// Where a JSON error 185, 187 or 188 names its record; in CSV it is always the second line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapitalistPosition {
    /// `data`.
    Data,
    /// A second line of `message`.
    Message,
}

/// The provider's behaviour that does not change while it runs; what may change is on the dial.
#[derive(Debug, Clone)]
pub struct CapitalistConfig {
    /// The `login` of every call.
    pub login: String,
    /// What `encrypted_password` hides and `plain_password` says.
    pub password: String,
    /// Its lower-case md5 is the `verification_data` of `PIN`.
    pub pin: String,
    /// The `verification_data` of `process_batch`.
    pub sms_code: String,
    /// The registered certificate's public key, as PEM; without one `SIGNATURE` is code 181.
    pub public_key_pem: Option<String>,
    /// Bits of the key that passwords are encrypted with, 1024 to 2048. Small keys are made fast.
    pub key_bits: usize,
    /// How long a token lives.
    pub token_life_ms: u64,
    /// So many wrong passwords in a row lock the login: code 16.
    pub wrong_passwords_max: u32,
    /// How long a locked login stays locked.
    pub lock_ms: u64,
    /// From an accepted (or confirmed) batch to the last record's final state; the first half of it
    /// passes before the first record's.
    pub settle_after_ms: u64,
    /// Records in a batch; more are code 112.
    pub records_max: usize,
    /// Records in a page; more are code 25.
    pub page_max: usize,
    /// Documents that `documents_search` tells at most; the oldest are left out without a word.
    pub search_max: usize,
    /// Does `documents_search` tell records of a batch that waits for its code?
    pub unconfirmed_documents: bool,
    /// Are the limits of each payment type kept? A record outside of them is rejected.
    pub limits: bool,
    /// In each account at the start of the ledger; code 135 when a batch exceeds what is left.
    pub balance: Decimal,
    /// The platform's fee on top of each amount.
    pub fee_per_mille: u32,
    /// Do the cents of the amount choose the outcome?
    pub magic: bool,
    /// How numbers stand in JSON.
    pub numbers: CapitalistNumbers,
    /// Where a JSON error names its record.
    pub position: CapitalistPosition,
}

impl CapitalistConfig {
    /// Our account in a currency.
    pub(super) fn account(currency: Currency) -> &'static str {
        match currency {
            Currency::Rur => CAPITALIST_ACCOUNT_RUR,
            Currency::Eur => CAPITALIST_ACCOUNT_EUR,
            Currency::Usd => CAPITALIST_ACCOUNT_USD,
            Currency::Btc => CAPITALIST_ACCOUNT_BTC,
        }
    }
}

impl Default for CapitalistConfig {
    fn default() -> Self {
        Self {
            login: CAPITALIST_LOGIN.into(),
            password: CAPITALIST_PASSWORD.into(),
            pin: CAPITALIST_PIN.into(),
            sms_code: CAPITALIST_SMS_CODE.into(),
            public_key_pem: None,
            key_bits: 1024,
            token_life_ms: 1_800_000,
            wrong_passwords_max: 5,
            lock_ms: 1_800_000,
            settle_after_ms: 300,
            records_max: 1_000,
            page_max: 1_000,
            search_max: 100_000,
            unconfirmed_documents: true,
            limits: true,
            balance: Decimal::new(1_000_000_000_000, 0),
            fee_per_mille: 10,
            magic: true,
            numbers: CapitalistNumbers::Mixed,
            position: CapitalistPosition::Data,
        }
    }
}
