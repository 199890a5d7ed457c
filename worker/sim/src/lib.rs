//! The simulator: the real engine under virtual time, with workers that crash and freeze between
//! any two steps, a ledger that loses connections, and a provider that fails at every point.
//!
//! One seed gives one run, always the same. The parts:
//!
//! - [`exec`]: tasks, timers and a clock that jumps; which task goes next is drawn from the seed
//! - [`world`]: the workers' [`engine::Env`], their crashes, freezes and restarts
//! - [`store`]: the in-memory ledger behind a connection that lags and breaks
//! - [`gateway`]: a provider that pays, forgets to answer, calls back late, twice or never
//! - [`run`]: one run from intake to the last payout
//! - [`checkers`]: one file per invariant

pub mod checkers;
pub mod dice;
pub mod exec;
pub mod gateway;
pub mod run;
pub mod store;
pub mod world;

pub use run::{Report, Scenario, run};
