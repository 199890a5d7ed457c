//! How a chain ended at some time, signed: who cuts it off later is found.

use super::chain::Chain;
use super::entry::Hash;
use super::key::{PublicKey, Signature, SigningKey};
use serde::{Deserialize, Serialize};

/// A chain's head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    /// The chain's name.
    pub chain: String,
    /// How many entries it had.
    pub count: u64,
    /// The hash of the last of them.
    pub hash: Hash,
    /// The fingerprint of the key that signed.
    pub key: String,
    /// Over [`SignedHead::message`].
    pub signature: Signature,
}

impl SignedHead {
    /// Signs.
    pub fn new(chain: &Chain, count: u64, hash: Hash, key: &SigningKey) -> SignedHead {
        let signature = key.sign(&message(chain.as_str(), count, hash));
        SignedHead {
            chain: chain.as_str().to_owned(),
            count,
            hash,
            key: key.public().fingerprint(),
            signature,
        }
    }

    /// Whether this key signed it.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let message = message(&self.chain, self.count, self.hash);
        self.key == key.fingerprint() && key.verifies(&message, &self.signature)
    }
}

/// What is signed: the first line keeps it apart from everything else that the key signs.
fn message(chain: &str, count: u64, hash: Hash) -> Vec<u8> {
    format!("payout audit head 1\n{chain}\n{count}\n{hash}\n").into_bytes()
}
