//! Ed25519: who holds the key can sign, everybody who knows its public half can check.

use super::entry::Hash;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What a public key's text begins with.
const PREFIX: &str = "ed25519:";
/// Hexadecimal digits of a fingerprint: for people to compare, 64 bits.
const FINGERPRINT_DIGITS: usize = 16;

/// A key that signs. It shows nothing of itself but its fingerprint.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// The key that a secret seed stands for.
    pub fn from_seed(seed: &[u8; 32]) -> Option<SigningKey> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = PublicKey(pair.public_key().as_ref().try_into().ok()?);
        Some(SigningKey { pair, public })
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let made = self.pair.sign(message);
        let mut signature = [0; 64];
        // Ed25519 signatures have 64 bytes; anything else would never verify.
        if let Some(out) = signature.get_mut(..made.as_ref().len()) {
            out.copy_from_slice(made.as_ref());
        }
        Signature(signature)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.fingerprint())
    }
}

/// The half of a key that checks: `ed25519:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Its short name.
    pub fn fingerprint(&self) -> String {
        let mut digits = Hash::of(&self.0).to_string();
        digits.truncate(FINGERPRINT_DIGITS);
        digits
    }

    /// Whether this key signed the message.
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, &signature.0).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no public key; expected ed25519: and 64 lower-case hexadecimal digits")]
pub struct NotAKey;

impl FromStr for PublicKey {
    type Err = NotAKey;
    fn from_str(text: &str) -> Result<PublicKey, NotAKey> {
        let key = text.strip_prefix(PREFIX).and_then(Hash::parse).ok_or(NotAKey)?;
        Ok(PublicKey(key.0))
    }
}

/// 64 bytes, written as 128 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// The inverse of its Display.
    pub fn parse(text: &str) -> Option<Signature> {
        let mut bytes = [0; 64];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        text.bytes().all(|b| !b.is_ascii_uppercase()).then_some(Signature(bytes))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Signature, D::Error> {
        let text = String::deserialize(deserializer)?;
        Signature::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("expected 128 lower-case hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_key_signed_no_other_key_and_no_other_message_verifies() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let other = SigningKey::from_seed(&[8; 32]).unwrap();
        let signature = key.sign(b"head");
        assert!(key.public().verifies(b"head", &signature));
        assert!(!key.public().verifies(b"heap", &signature));
        assert!(!other.public().verifies(b"head", &signature));
        assert_eq!(Signature::parse(&signature.to_string()), Some(signature));
    }

    #[test]
    fn a_public_key_has_one_writing() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap().public();
        let text = key.to_string();
        assert_eq!(text.parse(), Ok(key));
        for wrong in [&text[1..], &text.to_uppercase(), &format!("{text} "), "ed25519:", ""] {
            assert_eq!(wrong.parse::<PublicKey>(), Err(NotAKey), "{wrong}");
        }
        assert_eq!(key.fingerprint().len(), FINGERPRINT_DIGITS);
    }

    #[test]
    fn a_key_shows_nothing_of_itself_but_its_fingerprint() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public().fingerprint()));
    }
}
