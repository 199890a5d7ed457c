//! The pure core: what a payout is, which states it can be in, and what may happen to it next.
//!
//! Nothing here reads a clock, a file or a socket, and nothing here depends on another crate of
//! ours. The parts, in reading order:
//!
//! - [`money`]: exact amounts with a currency; the only way to turn text into an amount
//! - [`reference`]: the payer's reference (S1), its index key, and the provider reference (S3)
//! - [`place`]: where a row lies: batch, chunk, row
//! - [`row`]: one payout as the payer wrote it; [`checks`]: Luhn, IBAN, phone numbers
//! - [`sender`]: who sends, and from which account
//! - [`payout`]: what the ledger knows of one row, and its packed form
//! - [`table`]: the whole (state × event) table; [`decide`]: the one function that applies it
//! - [`policy`]: how long to wait for what
//! - [`batch`]: a batch, its life and its counters; [`terms`]: when it may go, and before whom
//! - [`hours`]: when a lane sends: business days, holidays, a cut-off, a time zone

pub mod batch;
pub mod checks;
pub mod decide;
pub mod hours;
pub mod money;
pub mod payout;
pub mod place;
pub mod policy;
pub mod reference;
pub mod row;
pub mod sender;
pub mod table;
pub mod terms;
pub mod time;

pub use batch::{Batch, BatchState, Counts};
pub use decide::{Decision, IllegalEvent, decide};
pub use hours::{Closed, Hours, Now, Why};
pub use money::{Currencies, Currency, Money};
pub use payout::{ATTEMPTS_MAX, Cause, Payout, State};
pub use place::{BatchId, ChunkId, LaneName, Place};
pub use policy::{Policy, PolicyChange, Polled, PollingChange};
pub use reference::{LedgerId, PayerReference, ProviderReference, ReferenceFormat, ReferenceKey};
pub use row::{Destination, Method, Row};
pub use sender::{Account, Sender};
pub use table::{Event, News, Outcome};
pub use terms::{Priority, Terms};
pub use time::Millis;
