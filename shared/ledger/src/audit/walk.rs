//! A chain read from its beginning, and what is wrong with it. Pure: whoever reads the ledger hands
//! the entries over one by one, so that a chain of any length is checked in flat memory.

use super::chain::Chain;
use super::entry::{Entry, Hash};
use super::head::SignedHead;
use super::key::PublicKey;
use std::collections::BTreeMap;
use std::fmt;

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An entry's bytes are not those that were written, or it does not follow the one before.
    Changed {
        /// The chain.
        chain: String,
        /// The entry's number.
        seq: u64,
    },
    /// Entries are not there, though later ones are.
    Missing {
        /// The chain.
        chain: String,
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// An entry stands behind one that was written after it.
    Reordered {
        /// The chain.
        chain: String,
        /// The entry's number.
        seq: u64,
    },
    /// The chain is shorter than it was when its head was signed.
    CutOff {
        /// The chain.
        chain: String,
        /// Entries that it has.
        has: u64,
        /// Entries that it had.
        signed: u64,
    },
    /// A signed head is not signed by the key that it names.
    BadSignature {
        /// The chain.
        chain: String,
        /// The entries that it speaks of.
        count: u64,
        /// The key's fingerprint.
        key: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Changed { chain, seq } => {
                write!(f, "{chain}: entry {seq} was changed after it was written")
            }
            Finding::Missing { chain, from, to } if from == to => {
                write!(f, "{chain}: entry {from} is missing")
            }
            Finding::Missing { chain, from, to } => {
                write!(f, "{chain}: entries {from} to {to} are missing")
            }
            Finding::Reordered { chain, seq } => {
                write!(f, "{chain}: entry {seq} was moved from its place")
            }
            Finding::CutOff { chain, has, signed } => write!(
                f,
                "{chain}: it was cut off: it has {has} entries, and had {signed} when its head was \
                 signed"
            ),
            Finding::BadSignature { chain, count, key } => write!(
                f,
                "{chain}: the signature under its first {count} entries is not by key {key}"
            ),
        }
    }
}

/// A walk along a chain.
#[derive(Debug)]
pub struct Walk {
    chain: Chain,
    /// The number of the next entry, and the hash that it must hold.
    next: u64,
    last: Hash,
    seen: u64,
}

impl Walk {
    /// Before the first entry.
    pub fn new(chain: Chain) -> Walk {
        let last = chain.root();
        Walk { chain, next: 0, last, seen: 0 }
    }

    /// The next entry as it is stored. Gives it, where it can be read at all, and its hash.
    pub fn take(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Option<(Entry, Hash)> {
        let chain = || self.chain.as_str().to_owned();
        self.seen += 1;
        let Some((entry, hash)) = Entry::decode(bytes) else {
            found.push(Finding::Changed { chain: chain(), seq: self.next });
            // What it was nobody knows: the next one is believed about it, and judged itself.
            self.next += 1;
            self.last = Hash([0; 32]);
            return None;
        };
        let follows = self.last == Hash([0; 32]) || entry.before == self.last;
        if entry.seq < self.next {
            found.push(Finding::Reordered { chain: chain(), seq: entry.seq });
            return Some((entry, hash));
        }
        if entry.seq > self.next {
            let (from, to) = (self.next, entry.seq - 1);
            found.push(Finding::Missing { chain: chain(), from, to });
        } else if !follows {
            // Its own hash is right: it is the one before that is another than it was.
            let seq = self.next.saturating_sub(1);
            found.push(Finding::Changed { chain: chain(), seq });
        }
        self.next = entry.seq.saturating_add(1);
        self.last = hash;
        Some((entry, hash))
    }

    /// How long the chain is by what was handed over: an entry that is missing in the middle does
    /// not make it shorter.
    pub fn length(&self) -> u64 {
        self.seen.max(self.next)
    }
}

/// Judges one signed head by the entry that it says was the last, as it stands now.
pub fn judge(
    head: &SignedHead,
    key: Option<&PublicKey>,
    stands: Option<Hash>,
    has: u64,
) -> Option<Finding> {
    let SignedHead { chain, count, .. } = head;
    if !key.is_some_and(|key| head.is_signed_by(key)) {
        let (chain, count, key) = (chain.clone(), *count, head.key.clone());
        return Some(Finding::BadSignature { chain, count, key });
    }
    if has < *count {
        return Some(Finding::CutOff { chain: chain.clone(), has, signed: *count });
    }
    let seq = count.saturating_sub(1);
    (stands != Some(head.hash)).then(|| Finding::Changed { chain: chain.clone(), seq })
}

/// All of a chain at once: its entries as they are stored, and the heads that were signed of it.
pub fn verify(
    chain: &Chain,
    entries: &[Vec<u8>],
    heads: &[SignedHead],
    key: &PublicKey,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut walk = Walk::new(chain.clone());
    let mut hashes = BTreeMap::new();
    for bytes in entries {
        hashes.extend(walk.take(bytes, &mut found).map(|(entry, hash)| (entry.seq, hash)));
    }
    for head in heads {
        let last = head.count.checked_sub(1);
        let stands = last.and_then(|last| hashes.get(&last).copied());
        found.extend(judge(head, Some(key), stands, walk.length()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::SigningKey;
    use crate::audit::entry::{Kind, tests::chain};
    use proptest::prelude::*;

    fn name() -> Chain {
        Chain::named("lane/main").unwrap()
    }

    fn key() -> SigningKey {
        SigningKey::from_seed(&[3; 32]).unwrap()
    }

    fn head_of(entries: &[Vec<u8>], key: &SigningKey) -> SignedHead {
        let last = Entry::decode(entries.last().unwrap()).unwrap().1;
        SignedHead::new(&name(), u64::try_from(entries.len()).unwrap(), last, key)
    }

    proptest! {
        #[test]
        fn a_whole_chain_has_no_finding_and_any_change_of_it_has(
            count in 1u64..12, at in 0usize..12, to in 0usize..12, byte in 0usize..200, how in 0u8..6,
        ) {
            let whole = chain(&name(), count);
            let heads = [head_of(&whole, &key())];
            prop_assert_eq!(verify(&name(), &whole, &heads, &key().public()), vec![]);
            let mut changed = whole.clone();
            let (at, to) = (at % whole.len(), to % whole.len());
            match how {
                0 => { let len = changed[at].len(); changed[at][byte % len] ^= 1; }
                1 => { changed.remove(at); }
                2 => changed.swap(at, to),
                3 => changed.truncate(at),
                4 => { let twice = changed[at].clone(); changed.insert(to, twice); }
                _ => {
                    // Written anew by somebody who knows how.
                    let (mut entry, _) = Entry::decode(&changed[at]).unwrap();
                    entry.who = "nobody".to_owned();
                    changed[at] = entry.encode().0;
                }
            }
            let found = verify(&name(), &changed, &heads, &key().public());
            prop_assert_eq!(found.is_empty(), changed == whole, "{:?}", found);
        }
    }

    #[test]
    fn each_kind_of_change_is_called_by_its_name() {
        let whole = chain(&name(), 5);
        let heads = [head_of(&whole, &key())];
        let found = |entries: &[Vec<u8>]| verify(&name(), entries, &heads, &key().public());
        let chain = || "lane/main".to_owned();

        let mut changed = whole.clone();
        changed[2][3] ^= 1;
        assert_eq!(found(&changed), [Finding::Changed { chain: chain(), seq: 2 }]);

        let mut missing = whole.clone();
        missing.drain(1..3);
        let gone = Finding::Missing { chain: chain(), from: 1, to: 2 };
        assert!(found(&missing).contains(&gone), "{:?}", found(&missing));

        let mut moved = whole.clone();
        moved.swap(1, 2);
        let reordered = Finding::Reordered { chain: chain(), seq: 1 };
        assert!(found(&moved).contains(&reordered), "{:?}", found(&moved));

        let cut = Finding::CutOff { chain: chain(), has: 3, signed: 5 };
        assert_eq!(found(&whole[..3]), [cut]);
    }

    #[test]
    fn an_entry_written_anew_with_its_hash_is_found_by_the_one_behind_it_or_by_the_head() {
        let whole = chain(&name(), 3);
        let heads = [head_of(&whole, &key())];
        for at in 0..3 {
            let mut changed = whole.clone();
            let (mut entry, _) = Entry::decode(&changed[at]).unwrap();
            entry.kind = Kind::Rejected;
            changed[at] = entry.encode().0;
            let found = verify(&name(), &changed, &heads, &key().public());
            let seq = u64::try_from(at).unwrap();
            assert_eq!(found, [Finding::Changed { chain: "lane/main".to_owned(), seq }]);
        }
    }

    #[test]
    fn a_chain_moved_under_another_name_is_found() {
        let found = verify(&Chain::installation(), &chain(&name(), 2), &[], &key().public());
        assert_eq!(found, [Finding::Changed { chain: "installation".to_owned(), seq: 0 }]);
    }

    #[test]
    fn a_head_by_another_key_or_of_another_chain_does_not_count() {
        let whole = chain(&name(), 3);
        let stranger = SigningKey::from_seed(&[4; 32]).unwrap();
        let by_stranger = head_of(&whole, &stranger);
        let mut pretended = by_stranger.clone();
        pretended.key = key().public().fingerprint();
        let mut longer = head_of(&whole, &key());
        longer.count = 2;
        for head in [by_stranger, pretended, longer] {
            let found = verify(&name(), &whole, std::slice::from_ref(&head), &key().public());
            assert!(matches!(found[..], [Finding::BadSignature { .. }]), "{found:?}");
        }
    }
}
