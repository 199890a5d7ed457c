//! Hints about work: the job type, the queues, the pump. The only place that knows apalis.
//!
//! The invariant: *a hint carries no truth.* It says that a chunk may have work. Losing it costs
//! a few seconds, because the ledger gives the chunk again; repeating it costs nothing, because
//! the second claim of a chunk is declined. So nothing here needs to be durable or exact.
//!
//! ```text
//!  ledger ──take_ready──▶ [pump] ──push──▶ queue of a lane ──apalis worker──▶ [gate] ──▶ taker
//!                           ▲                (memory │ Redis)                              │
//!                           └───────────────── "one was taken" ◀───────────────────────────┘
//! ```
//!
//! - [`hint`]: the job type; [`taker`]: who takes hints, which is the engine
//! - [`queue`]: two backends behind one API: `embedded` (one process), `pool` (Redis)
//! - `gate`: no hint is fetched that the engine has no room for
//! - `wake`: an idle worker looks again within [`queue::LOOK_AGAIN_MS`]
//! - `rebuild`: an apalis worker dies of any error; here it is made anew
//! - [`pump`]: keeps about two hints per slot of the engine waiting, and no more

mod embedded;
mod gate;
pub mod hint;
mod pool;
pub mod pump;
pub mod queue;
mod rebuild;
pub mod taker;
mod wake;

pub use hint::Hint;
pub use pump::{Pump, Ready};
pub use queue::{Listening, Queue, QueueError};
pub use taker::Taker;
