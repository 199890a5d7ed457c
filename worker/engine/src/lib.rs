//! The engine: takes hints about chunks, and brings their payouts to an end.
//!
//! The invariant: *an intent is durable before its request leaves, and whatever dies after the
//! intent is asked about before anything is sent again.* The engine holds no truth of its own;
//! it can be dropped between any two steps.
//!
//! ```text
//!  hint ──▶ [engine] ──spawn──▶ [work] one chunk under a lease
//!                                 │ recover: intents of a dead sender become unknown
//!                                 │ [ask]  look-ups that are due (S11, S15, S17)
//!                                 │ [send] permits ▶ intents ▶ requests ▶ outcomes
//!                                 ▼ release: ready again when the next payout is due
//!  callback ──▶ [news] one desk per chunk: read, verify, write; then the caller answers 200
//!                  [late] one look-up for a word about what nothing asks about any more
//! ```
//!
//! The parts around them: [`env`](mod@env) (time, randomness and tasks come from outside),
//! [`clock`] (ledger time measured on the boot-time clock), [`lane`] (what a lane shares between
//! its chunks), [`pace`], [`retry`], [`share`] (of the creates that the pool may have under way;
//! [`window`] counts them), [`brakes`] (lane stops and canaries; `slow` for "too many requests"),
//! [`batch_brakes`] (batches that stop by themselves), [`spend`] (caps of an hour and a day),
//! [`verdict`] (a provider's answer → an event), [`shelf`] (rows at hand), `keeper` (the journal that
//! intents stand in before their requests leave), `senders` (who may still be sending), `later`
//! (attempts that nobody remembers), `astray` (payouts of another account).
//!
//! It runs in production and under the simulator alike; a lint keeps clocks, randomness and
//! unordered maps out.

pub mod ask;
mod astray;
pub mod batch_brakes;
pub mod brakes;
pub mod clock;
pub mod counters;
pub mod engine;
pub mod env;
mod keeper;
pub mod lane;
mod late;
mod later;
pub mod news;
pub mod pace;
pub mod retry;
pub mod send;
mod senders;
pub mod share;
pub mod shelf;
mod slow;
pub mod spend;
mod steps;
pub mod verdict;
pub mod window;
pub mod work;

pub use batch_brakes::BatchBrakeSettings;
pub use counters::Counters;
pub use engine::{Engine, Settings, StartError};
pub use env::Env;
pub use lane::LaneSetup;
pub use news::Hearing;
pub use spend::SpendCaps;
