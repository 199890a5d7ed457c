//! Who sends, and from which account: both stand in every intent.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// One life of a worker process (S12). The ledger gives each a number of its own, so that "this
/// one is gone" is said once and stays true.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Sender(pub u32);

impl Sender {
    /// No sender owes an answer.
    pub const NOBODY: Sender = Sender(0);
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A provider's account (S4), as the first four bytes of SHA-256 of its fingerprint: enough to
/// tell the few accounts that one lane ever has from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account(pub u32);

impl Account {
    /// No intent was written yet.
    pub const NONE: Account = Account(0);

    /// The account of a fingerprint; never [`Account::NONE`].
    pub fn of(fingerprint: &str) -> Account {
        let hash = Sha256::digest(fingerprint);
        Account(u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]).max(1))
    }
}
