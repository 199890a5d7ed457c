//! What senders remember of their intents, whatever becomes of the ledger (S12, S18).
//!
//! The invariant: *no request leaves before its intent stands in the journal of its sender*, one
//! fsync a group. So a ledger that went back in time is found out: it knows less than a journal.
//!
//! - [`entry`]: one group of intents, as bytes that tell a torn end from damage
//! - [`rewind`]: what journals name and a ledger has forgotten, and how it is brought back
//! - [`slots`]: a sender's home: a numbered folder with an id and a lock that is held for life
//! - [`file`](mod@file): journals as files in a home; [`read`]: reading them, one's own and others'
//!
//! Only the last three touch files; the engine and the simulator use the first two.

pub mod entry;
pub mod file;
pub mod read;
pub mod rewind;
pub mod slots;

pub use entry::{End, Entry, EntryRow, Journal, Remembered};
pub use file::FileJournal;
pub use slots::{Slot, SlotError};
