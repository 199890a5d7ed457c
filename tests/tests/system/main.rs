//! The system from outside: what a user of the programs may rely on, each with the real
//! programs, a real Redis and real HTTP. Whatever is promised here is judged by the provider's
//! own ledger, never by ours alone.
//!
//! - [`samples`]: the first quarter of an hour: `worker up`, its demo, the same through a pool
//! - [`inbox`]: dropped files, each taken once; [`promptness`]: how soon
//! - [`pace`]: how much of a lane's limit a pool uses, and that it never exceeds it; [`seats`]: how
//!   many of its requests are under way at once
//! - [`deaths`]: `kill -9` of workers, of Redis, of an intake
//! - [`providers`]: all four at once; [`crashes`]: `kill -9` at each point of each provider's
//!   crash table
//! - [`doubt`]: a provider that does not answer, lies or forgets
//! - [`desk`]: what nobody could know, decided by a person
//! - [`rewind`]: a ledger that is put back to an earlier time; [`senders`]: who may still send;
//!   [`frozen`]: and wakes up too late
//! - [`keys`]: a lane that is set up wrongly
//! - [`reconcile`]: money that moved behind our back is noticed
//! - [`stopping`]: a graceful end; [`brakes`]: a batch that stops by itself; [`spend`]: a lane's cap;
//!   [`hours`]: a lane that is closed, and one that is drained
//! - [`audit`]: what was done is proved, and what is changed by hand is found
//! - [`polling`]: only as agreed, and what every test checks of it
//! - [`terms`]: a batch that must wait for its time, and one that goes before others
//! - [`twins`]: the same thing given to two producers at one moment

mod audit;
mod brakes;
mod crashes;
mod deaths;
mod desk;
mod doubt;
mod failover;
mod frozen;
mod hours;
mod inbox;
mod keys;
mod pace;
mod polling;
mod promptness;
mod providers;
mod reconcile;
mod rewind;
mod samples;
mod seats;
mod senders;
mod spend;
mod stopping;
mod terms;
mod twins;
