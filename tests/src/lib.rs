//! What whole-system tests stand on. It knows the programs only from outside, as their users
//! do: command lines, files, HTTP. So nothing that they get wrong is shared with what checks them.
//!
//! - [`world`]: one installation in a folder of its own; [`config_file`]: what it is told
//! - [`sandbox`]: the providers, a process of its own that is asked what it really paid;
//!   [`provider`]: which there are, and what a lane through each is told
//! - [`batch`]: files to pay; [`results`]: result files; [`compare`]: both against the sandbox
//! - [`backup`]: a copy of the ledger that is put back; [`relay`]: a way to Redis that holds answers
//! - [`chaos`]: all of it in a storm
//! - [`binaries`], [`process`], [`redis_server`], [`http`], [`wait`]: the means

pub mod backup;
pub mod batch;
pub mod binaries;
pub mod chaos;
pub mod compare;
pub mod config_file;
pub mod http;
pub mod money;
pub mod process;
pub mod provider;
pub mod redis_server;
pub mod relay;
pub mod results;
pub mod sandbox;
pub mod wait;
pub mod world;
