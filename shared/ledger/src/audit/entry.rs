//! An entry of a chain, and its bytes.
//!
//! Stored is one line of JSON and, on a line of its own, the SHA-256 of exactly that line. The hash
//! is taken over the stored bytes and never over what was read from them, so that no two writings
//! of the same thing exist.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt;

/// Bytes of a hash in hexadecimal digits.
const HASH_DIGITS: usize = 64;

/// An SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(Sha256::digest(bytes).into())
    }

    /// The inverse of its Display: 64 lower-case digits.
    pub fn parse(text: &str) -> Option<Hash> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).ok()?;
        // One writing only: capital digits are another text.
        text.bytes().all(|b| !b.is_ascii_uppercase()).then_some(Hash(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        Hash::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("expected 64 lower-case hexadecimal digits"))
    }
}

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file was read whole and is about to be sealed: its hash, rows and totals.
    Intake,
    /// What was read is not paid, and why.
    Rejected,
    /// A person let a batch go on.
    Approved,
    /// A person holds a batch.
    Paused,
    /// A person lets a held batch go on.
    Resumed,
    /// A person cancelled a batch.
    Cancelled,
    /// A person took a second step.
    Confirmed,
    /// A person decided what became of a payout in review.
    Resolved,
    /// What became of the payouts of settled chunks: a digest of each, and each payout that is in
    /// review or came back.
    Settled,
    /// A person let a lane send again.
    LaneStarted,
    /// A person ended a pause that a lane's provider had asked for.
    LaneHurried,
    /// A person stopped a lane.
    LaneStopped,
    /// A person moved a lane to another account.
    LaneRebound,
    /// A person said that another ledger on a lane's account is retired.
    LaneAdopted,
    /// The program itself stopped a lane or paused a batch.
    Brake,
    /// A person changed something at the lane's provider.
    ProviderAct,
    /// How another chain ended, signed.
    Head,
    /// A key that signs from here on.
    Key,
}

impl Kind {
    /// The name in the entry, and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Intake => "intake",
            Kind::Rejected => "rejected",
            Kind::Approved => "approved",
            Kind::Paused => "paused",
            Kind::Resumed => "resumed",
            Kind::Cancelled => "cancelled",
            Kind::Confirmed => "confirmed",
            Kind::Resolved => "resolved",
            Kind::Settled => "settled",
            Kind::LaneStarted => "lane_started",
            Kind::LaneHurried => "lane_hurried",
            Kind::LaneStopped => "lane_stopped",
            Kind::LaneRebound => "lane_rebound",
            Kind::LaneAdopted => "lane_adopted",
            Kind::Brake => "brake",
            Kind::ProviderAct => "provider_act",
            Kind::Head => "head",
            Kind::Key => "key",
        }
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number in the chain, from 0.
    pub seq: u64,
    /// Ledger time, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it tells of.
    pub kind: Kind,
    /// `anna@host`, or the program that did it.
    pub who: String,
    /// What it tells: small, without secrets, destinations masked.
    pub text: Value,
    /// The hash of the entry before; of the chain's name for the first.
    pub before: Hash,
}

impl Entry {
    /// The bytes that are stored, and the hash that the next entry holds.
    pub fn encode(&self) -> (Vec<u8>, Hash) {
        // A struct of numbers, texts and JSON: nothing of it can fail to be written.
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        let hash = Hash::of(&bytes);
        bytes.push(b'\n');
        bytes.extend_from_slice(hash.to_string().as_bytes());
        (bytes, hash)
    }

    /// Reads stored bytes; `None` unless they are exactly what [`Entry::encode`] gave.
    pub fn decode(bytes: &[u8]) -> Option<(Entry, Hash)> {
        let (line, digits) = bytes.split_at_checked(bytes.len().checked_sub(HASH_DIGITS)?)?;
        let line = line.strip_suffix(b"\n")?;
        let hash = Hash::parse(std::str::from_utf8(digits).ok()?)?;
        let entry = serde_json::from_slice(line).ok()?;
        (Hash::of(line) == hash).then_some((entry, hash))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::audit::Chain;
    use serde_json::json;

    /// A chain of `count` entries, as it is stored.
    pub fn chain(name: &Chain, count: u64) -> Vec<Vec<u8>> {
        let mut before = name.root();
        (0..count)
            .map(|seq| {
                let text = json!({ "n": seq });
                let who = "anna@host".to_owned();
                let entry =
                    Entry { seq, at_ms: 1_000 + seq, kind: Kind::Settled, who, text, before };
                let (bytes, hash) = entry.encode();
                before = hash;
                bytes
            })
            .collect()
    }

    #[test]
    fn an_entry_survives_its_bytes_and_its_name_is_what_it_writes() {
        let stored = chain(&Chain::installation(), 1).remove(0);
        let (entry, hash) = Entry::decode(&stored).unwrap();
        assert_eq!(entry.encode(), (stored, hash));
        assert_eq!(serde_json::to_value(entry.kind).unwrap(), entry.kind.name());
    }

    #[test]
    fn no_byte_of_an_entry_can_be_changed() {
        let stored = chain(&Chain::installation(), 1).remove(0);
        for at in 0..stored.len() {
            for bit in 0..8 {
                let mut changed = stored.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(Entry::decode(&changed), None, "byte {at}, bit {bit}");
            }
        }
        for end in 0..stored.len() {
            assert_eq!(Entry::decode(&stored[..end]), None);
        }
    }
}
