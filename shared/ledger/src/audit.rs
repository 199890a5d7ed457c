//! The audit chains (S20): what was done, by whom, in an order that nobody can change unseen.
//!
//! Every entry holds the hash of the one before it, and the first the hash of its chain's name. So
//! who changes, takes out or moves an entry breaks the chain from there on. Who cuts its end off is
//! found by the *signed heads*: the chain `installation` keeps, for every other chain, how long it
//! was and how it ended, signed with a key that does not lie in the ledger.
//!
//! ```text
//! batch/<id>     intake ─▶ settled ─▶ settled ─▶ …      lane/<name>   stopped ─▶ brake ─▶ …
//!                             │ head                                    │ head
//! installation   key ─▶ head ─▶ head ─▶ … each signed ◀─────────────────┘
//! ```
//!
//! What it does not do: whoever can write to the ledger *and* is believed by the running programs
//! can have them record what is false. He cannot change what was recorded and signed before.
//!
//! - [`entry`]: an entry, its kind and its bytes; [`chain`]: the names of chains
//! - [`key`]: keys, fingerprints, signatures (Ed25519)
//! - [`head`]: a chain's signed head; [`append`](mod@append): the writing side
//! - [`walk`]: the reading side: a chain from its beginning, and what is wrong with it

pub mod append;
pub mod chain;
pub mod entry;
pub mod head;
pub mod key;
pub mod walk;

pub use append::{
    What, append, known_key, newest_head, note_batch_brake, note_brake, register_key, sign_head,
    stands_at,
};
pub use chain::Chain;
pub use entry::{Entry, Hash, Kind};
pub use head::SignedHead;
pub use key::{PublicKey, Signature, SigningKey};
pub use walk::{Finding, Walk, judge, verify};
