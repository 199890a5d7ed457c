//! The signature of a result, in a file of its own.
//!
//! `<name>.summary.json` holds the SHA-256 of `<name>.result.csv`, and `<name>.summary.sig` a
//! signature over the bytes of the summary, exactly as they lie on the disk. So the result stays a
//! plain CSV file that every reader takes, nothing has to be brought into a canonical form before
//! it is checked, and any byte of the three that changes is found.
//!
//! ```text
//! result.csv ──SHA-256──▶ summary.json ──Ed25519──▶ summary.sig ◀── the public key
//! ```

use ledger::audit::{PublicKey, Signature, SigningKey};

/// The first line of a signature file.
const FIRST_LINE: &str = "payout result 1";

/// The longest signature file.
pub const BYTES_MAX: u64 = 1_024;

/// A summary's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// Who signed.
    pub key: PublicKey,
    signature: Signature,
}

impl Seal {
    /// Signs the bytes of a summary.
    pub fn new(summary: &[u8], key: &SigningKey) -> Seal {
        Seal { key: key.public(), signature: key.sign(summary) }
    }

    /// The file: three lines.
    pub fn to_text(&self) -> String {
        format!("{FIRST_LINE}\n{}\n{}\n", self.key, self.signature)
    }

    /// Reads exactly what [`Seal::to_text`] gave.
    pub fn parse(text: &str) -> Option<Seal> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (first, key, signature) = (lines.next()?, lines.next()?, lines.next()?);
        let seal = Seal { key: key.parse().ok()?, signature: Signature::parse(signature)? };
        (first == FIRST_LINE && lines.next().is_none()).then_some(seal)
    }

    /// Whether these are the bytes that were signed.
    pub fn holds(&self, summary: &[u8]) -> bool {
        self.key.verifies(summary, &self.signature)
    }
}
