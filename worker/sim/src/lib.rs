//! The simulator: the real engine under virtual time, with workers that crash and freeze between
//! any two steps, a ledger that loses connections, and a provider that fails at every point.
//!
//! One seed gives one run, always the same. The parts:
//!
//! - [`exec`]: tasks, timers and a clock that jumps; which task goes next is drawn from the seed
//! - [`process`]: the workers' [`engine::Env`]
//! - [`store`]: the in-memory ledger behind a connection that lags and breaks
//! - [`gateway`]: a provider of one of three shapes that pays, forgets to answer, tells late;
//!   [`sides`]: a second one beside it, for what the first refuses
//! - [`pool`]: the workers; [`mishaps`]: their crashes, freezes and restarts
//! - [`rewind`]: the ledger goes back in time, and journals bring back what it forgot
//! - [`operator`]: the person who enters codes; [`office`]: the one who decides reviews;
//!   [`person`]: what both have
//! - [`log`](mod@log): every change that the ledger took, beside the engine
//! - [`world`]: all of these together; [`run()`]: one run from intake to the last payout
//! - [`checkers`]: one file per invariant
//! - [`bounds`]: caps on spending and hours, in some of the worlds
//! - [`scenario`]: what a seed draws; [`mod@campaign`]: many seeds on all cores;
//!   [`mod@story`]: one seed, told

pub mod bounds;
pub mod campaign;
pub mod checkers;
pub mod dice;
pub mod exec;
pub mod gateway;
pub mod intake;
pub mod log;
pub mod mishaps;
pub mod office;
pub mod operator;
pub mod person;
pub mod pool;
pub mod process;
pub mod rewind;
pub mod run;
pub mod scenario;
pub mod sides;
pub mod store;
pub mod story;
pub mod world;

pub use campaign::{Campaign, campaign};
pub use run::{Report, run};
pub use scenario::Scenario;
pub use story::{Story, story};
pub use world::World;
