#![doc = include_str!("../README.md")]

mod arrivals;
mod capay;
mod capitalist;
mod clock;
mod config;
mod control;
mod counters;
mod dial;
mod exchanger;
mod guarded;
mod identity;
mod journal;
mod merchant;
mod outbound;
mod queue;
mod sandbox;
mod server;
mod timers;
mod venue;
mod window;

pub use arrivals::{PaceSnapshot, Tenth};
pub use capay::{
    CAPAY_API_KEY, CAPAY_API_USER, CAPAY_CLIENT_ID, CAPAY_SIGNATURE_HEADER, CAPAY_WEBHOOK_SECRET,
    CapayConfig, CapayRepeat,
};
pub use capitalist::{
    CAPITALIST_ACCOUNT_BTC, CAPITALIST_ACCOUNT_EUR, CAPITALIST_ACCOUNT_RUR, CAPITALIST_ACCOUNT_USD,
    CAPITALIST_LOGIN, CAPITALIST_PASSWORD, CAPITALIST_PIN, CAPITALIST_SMS_CODE, CapitalistConfig,
    CapitalistError, CapitalistNumbers, CapitalistPosition,
};
pub use config::SandboxConfig;
pub use counters::CountersSnapshot;
pub use dial::{Chance, ChanceChange, Dial, DialChange, DialError, DialSettings, Fault};
pub use exchanger::{
    EXCHANGER_API_KEY, EXCHANGER_LOGIN, EXCHANGER_PARTNER_ID, EXCHANGER_USER_ID, ExchangerConfig,
    WindowBy,
};
pub use guarded::TlsInfo;
pub use merchant::{
    API_KEY, BadSign, Currency, MERCHANT_NAME, MerchantConfig, Method, NOT_FOUND, OpenError,
    SIGN_KEY, Status, StatusId, create_sign,
};
pub use sandbox::{Sandbox, SandboxError};
pub use server::TlsError;
pub use venue::LedgerEntry;
