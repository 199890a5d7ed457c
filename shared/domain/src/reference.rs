//! References: the payer's own, its key in the index, and the one that a provider sees.
//!
//! A payer reference is unique in the whole ledger, for ever (S1). A provider reference is made
//! once per attempt from (ledger id, payer reference, attempt) by a format that is stored with
//! the chunk (S3); adapters receive it as a type that they cannot construct.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// The payer's own id of a payout: 1 to 128 printable characters, no space at either end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayerReference(String);

/// Why a text cannot be a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing there.
    #[error("the reference is empty; every row needs one of its own")]
    Empty,
    /// Too long.
    #[error("the reference has {found} bytes; at most {max} are allowed", max = PayerReference::MAX_BYTES)]
    TooLong {
        /// Its length.
        found: usize,
    },
    /// A control character.
    #[error("the reference contains a control character; use printable characters only")]
    Control,
}

impl PayerReference {
    /// The longest reference, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 128;

    /// Checks and takes a reference. White space at the ends does not count.
    pub fn new(text: &str) -> Result<PayerReference, ReferenceError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(ReferenceError::TooLong { found: text.len() });
        }
        if text.chars().any(char::is_control) {
            return Err(ReferenceError::Control);
        }
        Ok(PayerReference(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its key in the index.
    pub fn key(&self) -> ReferenceKey {
        let digest: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        ReferenceKey(key)
    }
}

impl fmt::Display for PayerReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PayerReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// The first 16 bytes of SHA-256(reference): what the index keeps, without retention.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceKey(pub [u8; 16]);

impl fmt::Debug for ReferenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// The short id of a ledger, four characters of a–z and 2–7. Every provider reference starts
/// with it (S5), so that two ledgers on one account can tell their payouts apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LedgerId([u8; 4]);

const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl LedgerId {
    /// Makes an id of 20 random bits.
    pub fn from_random(bits: u32) -> LedgerId {
        let letter = |shift: u32| BASE32[usize::from(((bits >> shift) & 31).to_le_bytes()[0])];
        LedgerId([letter(0), letter(5), letter(10), letter(15)])
    }

    /// Reads an id that a ledger stored.
    pub fn parse(text: &str) -> Option<LedgerId> {
        let bytes: [u8; 4] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(|b| BASE32.contains(b)).then_some(LedgerId(bytes))
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{}", char::from(*b)))
    }
}

impl fmt::Debug for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a provider takes as our reference. Stored with each chunk at intake, so that a changed
/// adapter or config never changes the reference of a payout that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferenceFormat {
    /// Text of at most so many bytes: letters, digits, dash, underscore and dot.
    Text {
        /// The provider's limit in bytes; at least 32.
        max_bytes: u8,
    },
    /// A positive number below 2^63.
    Number,
}

/// `abcd.`, 32 hexadecimal digits, `.255`.
const TRACEABLE_MIN_BYTES: usize = 41;
/// Bytes of a digest where the whole key does not fit.
const SHORT_DIGEST_BYTES: usize = 11;

/// What a provider knows an attempt by. Only [`ProviderReference::make`] makes one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderReference(String);

impl ProviderReference {
    /// Makes the reference of an attempt: the same input gives the same reference, always.
    ///
    /// Readable where the payer's reference fits the provider's alphabet and length
    /// (`abcd-INV-0017`, second attempt `abcd-INV-0017.2`), else a digest of it.
    pub fn make(
        ledger: LedgerId,
        reference: &PayerReference,
        attempt: u8,
        format: ReferenceFormat,
    ) -> ProviderReference {
        match format {
            ReferenceFormat::Text { max_bytes } => {
                Self::text(ledger, reference, attempt, usize::from(max_bytes))
            }
            ReferenceFormat::Number => {
                let digest: [u8; 32] =
                    Sha256::digest(format!("{ledger}\n{attempt}\n{reference}")).into();
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&digest[..8]);
                let number = (u64::from_be_bytes(bytes) >> 1).max(1);
                ProviderReference(number.to_string())
            }
        }
    }

    fn text(ledger: LedgerId, reference: &PayerReference, attempt: u8, max: usize) -> Self {
        // A dot is what separates the attempt: a payer's reference with a dot is digested, so
        // that "A.2" of one payout and the second attempt of "A" can never meet.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let text = reference.as_str();
        let suffix = if attempt > 1 { format!(".{attempt}") } else { String::new() };
        let fits = text.bytes().all(plain) && text.len() + 9 <= max;
        if fits {
            return ProviderReference(format!("{ledger}-{text}{suffix}"));
        }
        let ReferenceKey(key) = reference.key();
        // The whole key where it fits: then a notice that names the reference can be traced.
        let bytes = if max >= TRACEABLE_MIN_BYTES { key.len() } else { SHORT_DIGEST_BYTES };
        let digest: String =
            key.iter().take(bytes).map(|b| format!("{b:02x}")).collect::<Vec<_>>().concat();
        ProviderReference(format!("{ledger}.{digest}{suffix}"))
    }

    /// Which payer reference and attempt a provider reference in text form was made from: what a
    /// notice that names nothing else is placed by. `None` for a number, for the short digest,
    /// and for what this ledger did not make.
    pub fn trace(ledger: LedgerId, text: &str) -> Option<(ReferenceKey, u8)> {
        let rest = text.strip_prefix(&ledger.to_string())?;
        let (is_plain, rest) = match (rest.strip_prefix('-'), rest.strip_prefix('.')) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return None,
        };
        let (name, attempt) = match rest.split_once('.') {
            Some((name, attempt)) => (name, attempt.parse().ok().filter(|n| *n > 1)?),
            None => (rest, 1),
        };
        if is_plain {
            return Some((PayerReference::new(name).ok()?.key(), attempt));
        }
        let mut key = [0; 16];
        if name.len() != 2 * key.len() || !name.is_ascii() {
            return None;
        }
        for (byte, at) in key.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(name.get(at..at + 2)?, 16).ok()?;
        }
        Some((ReferenceKey(key), attempt))
    }

    /// The ledger that a reference names, if it looks as the text form looks (S5). Whoever numbers
    /// payments `word-17` with a word of four such letters looks like a ledger too; a number names
    /// none.
    pub fn origin(text: &str) -> Option<LedgerId> {
        let (id, rest) = text.split_at_checked(4)?;
        let id = LedgerId::parse(id)?;
        let (name, attempt) = match rest.get(1..)?.split_once('.') {
            Some((name, attempt)) => (name, attempt.parse().ok()?),
            None => (rest.get(1..)?, 2_u8),
        };
        let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let is_name = match rest.as_bytes()[0] {
            b'-' => name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            b'.' => [2 * SHORT_DIGEST_BYTES, 32].contains(&name.len()) && name.bytes().all(is_hex),
            _ => false,
        };
        (is_name && !name.is_empty() && attempt > 1).then_some(id)
    }

    /// The text that goes over the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ProviderReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn ledger() -> LedgerId {
        LedgerId::parse("abcd").unwrap()
    }

    proptest! {
        #[test]
        fn provider_references_fit_the_limit_and_the_alphabet(text in "\\PC{1,60}", attempt in 1u8.., max in 32u8..) {
            prop_assume!(PayerReference::new(&text).is_ok());
            let payer = PayerReference::new(&text).unwrap();
            let made = ProviderReference::make(ledger(), &payer, attempt, ReferenceFormat::Text { max_bytes: max });
            prop_assert!(made.as_str().len() <= usize::from(max));
            prop_assert!(made.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
            prop_assert!(made.as_str().starts_with("abcd"));
        }

        #[test]
        fn attempts_and_references_never_share_a_provider_reference(a in "[A-C.2]{1,4}", b in "[A-C.2]{1,4}", i in 1u8..4, j in 1u8..4) {
            let make = |text: &str, attempt| ProviderReference::make(
                ledger(), &PayerReference::new(text).unwrap(), attempt, ReferenceFormat::Text { max_bytes: 255 });
            prop_assert_eq!((&a, i) == (&b, j), make(&a, i) == make(&b, j));
        }
    }

    proptest! {
        #[test]
        fn a_reference_is_traced_to_what_it_was_made_from(text in "\\PC{1,40}", attempt in 1u8.., max in 41u8..) {
            prop_assume!(PayerReference::new(&text).is_ok());
            let payer = PayerReference::new(&text).unwrap();
            let made = ProviderReference::make(ledger(), &payer, attempt, ReferenceFormat::Text { max_bytes: max });
            prop_assert_eq!(ProviderReference::trace(ledger(), made.as_str()), Some((payer.key(), attempt)));
        }

        #[test]
        fn nothing_makes_tracing_panic(text in "(abcd)?[.-]?.{0,40}") {
            ProviderReference::trace(ledger(), &text);
        }
    }

    proptest! {
        #[test]
        fn whatever_a_ledger_makes_in_text_names_that_ledger(text in "\\PC{1,40}", attempt in 1u8.., max in 32u8..) {
            prop_assume!(PayerReference::new(&text).is_ok());
            let payer = PayerReference::new(&text).unwrap();
            let made = ProviderReference::make(ledger(), &payer, attempt, ReferenceFormat::Text { max_bytes: max });
            prop_assert_eq!(ProviderReference::origin(made.as_str()), Some(ledger()));
        }
    }

    #[test]
    fn what_does_not_look_like_a_reference_of_ours_names_no_ledger() {
        for text in
            ["", "abc", "abcd", "abcd-", "abcd.", "ABCD-1", "abc1-1", "abcd-1.1", "abcd-1.x"]
                .into_iter()
                .chain(["abcd-a b", "abcd.0123", "abcdé-1", "1234567890", "abcd/1", "é"])
        {
            assert_eq!(ProviderReference::origin(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_is_positive_and_the_same_every_time() {
        let payer = PayerReference::new("INV-1").unwrap();
        let made: BTreeSet<_> = (1..=3)
            .flat_map(|attempt| {
                [
                    ProviderReference::make(ledger(), &payer, attempt, ReferenceFormat::Number),
                    ProviderReference::make(ledger(), &payer, attempt, ReferenceFormat::Number),
                ]
            })
            .collect();
        assert_eq!(made.len(), 3);
        assert!(made.iter().all(|r| r.as_str().parse::<i64>().unwrap() > 0));
    }
}
