//! The listener: callbacks of all lanes, health and metrics.
//!
//! The invariant: *a callback is answered 200 only when it is durable* (S16). Everything that is
//! in doubt is answered so that the provider repeats it.
//!
//! - `server`: connections, limits, the orderly end
//! - [`rim`]: what an answer needs to know; which path is whose
//! - `callback`, `strays`: one callback; what nobody can place
//! - `health`, `metrics`: for people and machines; neither names a payout or a secret

mod callback;
mod health;
mod metrics;
pub mod rim;
mod server;
mod strays;

pub use rim::{Hears, Rim};
pub use server::{Listener, bind};
