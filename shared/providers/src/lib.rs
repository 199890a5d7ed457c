//! How the engine speaks to payment providers, and the adapters that do the speaking.
//!
//! A provider never sees the ledger, and never decides what becomes of a payout: it says what
//! was answered, in one of a few closed forms, and the engine does the rest. The engine fans
//! out, paces and times every call.
//!
//! - [`api`]: the [`Provider`] trait and the small capabilities beside it
//! - [`answer`]: what a create, a look-up, a callback can say
//! - [`limits`]: what a provider allows, as data
//! - [`statement`]: its own list of payouts, to be held against the ledger
//!
//! With the feature `adapters` (default): the one HTTP client (S8) and one folder per provider,
//! all of one shape: `mod.rs` (limits, what is offered), `wire.rs` (requests and answers as
//! types), `auth.rs` (signatures), `errors.rs` (every documented code → class), `README.md`.
//!
//! - [`registry`]: the one table of providers, and how an adapter is built from settings
//! - [`http`]: the one HTTP client (S8) and the gate before the first byte (S7)
//! - [`callback_url`]: the URLs that providers call, with the place and a MAC in them
//! - [`secret`]: keys from the environment or a file, never from the config itself
//! - `settings`, `told`: what all adapters read alike: a lane's settings, a provider's JSON
//! - [`merchant`]: the merchant payout gateway
//! - [`capitalist`]: batches to Capitalist
//! - [`exchanger`]: exchange sites that run Premium Exchanger
//! - [`capay`]: Capay OpenAPI

pub mod answer;
pub mod api;
#[cfg(feature = "adapters")]
pub mod callback_url;
#[cfg(feature = "adapters")]
pub mod capay;
#[cfg(feature = "adapters")]
pub mod capitalist;
#[cfg(feature = "adapters")]
pub mod exchanger;
#[cfg(feature = "adapters")]
pub mod http;
pub mod limits;
#[cfg(feature = "adapters")]
pub mod merchant;
mod past;
#[cfg(feature = "adapters")]
mod quote;
#[cfg(feature = "adapters")]
pub mod registry;
#[cfg(feature = "adapters")]
pub mod secret;
#[cfg(feature = "adapters")]
mod settings;
pub mod statement;
#[cfg(feature = "adapters")]
#[cfg(test)]
mod testing;
#[cfg(feature = "adapters")]
mod told;

pub use answer::{Answer, Found, Heard};
pub use api::{
    CallbackKind, CallbackRequest, Callbacks, Cancel, CancelAnswer, Confirm, Desk, LookUp,
    LookedUp, Notices, Parameter, Past, Payment, Prepare, Provider, Question, RowProblem, SendGate,
    Sent, Sheet, Shipment, Shipped, Step, StepAnswer, Turns,
};
pub use limits::{Absence, Calls, Deduplication, Idempotency, Limits, Polling, SecondStep};
pub use past::CLOCK_AHEAD_MAX_MS;
#[cfg(feature = "adapters")]
pub use quote::without_numbers;
pub use statement::{Entry, Period, Standing, Statement, StatementPage};
