//! The simulator: the real engine under virtual time, with workers that crash and freeze between
//! any two steps, a ledger that loses connections, and a provider that fails at every point.
//!
//! One seed gives one run, always the same. The parts:
//!
//! - [`exec`]: tasks, timers and a clock that jumps; which task goes next is drawn from the seed
//! - [`process`]: the workers' [`engine::Env`]
//! - [`store`]: the in-memory ledger behind a connection that lags and breaks
//! - [`gateway`]: a provider of one of three shapes that pays, forgets to answer, tells late
//! - [`pool`]: the workers, their crashes, freezes and restarts
//! - [`operator`]: the person who enters codes
//! - [`world`]: all of these together; [`run()`]: one run from intake to the last payout
//! - [`checkers`]: one file per invariant

pub mod checkers;
pub mod dice;
pub mod exec;
pub mod gateway;
pub mod intake;
pub mod operator;
pub mod pool;
pub mod process;
pub mod run;
pub mod store;
pub mod world;

pub use run::{Report, Scenario, run};
pub use world::World;
