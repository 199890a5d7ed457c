//! What a comparison found.

use domain::{Money, State};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Findings that are kept with their words; the rest is counted.
const SHOWN_MAX: usize = 1_000;

/// What kind of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Paid at the provider; here it failed, was cancelled, would be sent again, or has been open
    /// for too long.
    PaidThere,
    /// Paid here, and the provider's list does not have it as paid.
    PaidHere,
    /// Paid more than once under one reference.
    Twice,
    /// Amount, currency or destination is another.
    Otherwise,
    /// The money came back, and nobody noticed here.
    Returned,
    /// It carries our ledger id, and the ledger does not know it.
    Unknown,
    /// It carries the id of another ledger that is not retired (S5).
    OtherLedger,
    /// The list shows nothing of all that was paid here.
    Blind,
    /// Paid there, and the news of it is still to come.
    Behind,
    /// A person has it before him already.
    InReview,
    /// Closed here, and it may still be paid there.
    StillOpen,
}

impl Kind {
    /// In a few words, for people.
    pub fn words(self) -> &'static str {
        match self {
            Kind::PaidThere => "paid there, not here",
            Kind::PaidHere => "paid here, not there",
            Kind::Twice => "paid twice there",
            Kind::Otherwise => "paid otherwise there",
            Kind::Returned => "returned there, paid here",
            Kind::Unknown => "our reference, unknown here",
            Kind::OtherLedger => "another ledger's",
            Kind::Blind => "nothing of ours in the list",
            Kind::Behind => "paid there, news to come",
            Kind::InReview => "in review here",
            Kind::StillOpen => "closed here, open there",
        }
    }

    /// Whether it stops the lane. The others are told for a person to know.
    pub fn is_difference(self) -> bool {
        !matches!(self, Kind::Behind | Kind::InReview | Kind::StillOpen)
    }
}

/// One finding. It holds no destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What kind.
    pub kind: Kind,
    /// The payer's reference, or the provider's where none is known.
    pub reference: String,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// Where it stands here.
    pub here: Option<State>,
    /// The amount as the side has it that shows it.
    pub amount: Option<String>,
    /// What exactly.
    pub words: String,
}

impl Difference {
    /// What it is known again by: in a list that shows it twice, and tomorrow.
    pub fn hash(&self) -> u64 {
        let Difference { kind, reference, provider_id, .. } = self;
        let id = provider_id.as_deref().unwrap_or_default();
        hash(&[&format!("{kind:?}"), reference, id])
    }
}

/// Sixty-four bits of SHA-256: among a million records two meet once in some ten million runs.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let bytes: [u8; 32] = digest.finalize().into();
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    u64::from_be_bytes(first)
}

/// Rows and money of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Rows.
    pub rows: u64,
    /// Their sum.
    pub amount: Decimal,
}

/// Rows and money by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sums(pub BTreeMap<String, Sum>);

impl Sums {
    pub(crate) fn add(&mut self, currency: &str, amount: Decimal) {
        let sum = self.0.entry(currency.to_ascii_uppercase()).or_default();
        sum.rows += 1;
        sum.amount = sum.amount.saturating_add(amount);
    }

    pub(crate) fn add_money(&mut self, money: &Money) {
        self.add(money.currency().code(), money.amount());
    }
}

/// What a comparison found.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Entries of the provider's list; one that two pages show counts twice.
    pub entries: u64,
    /// Payouts of ours among them.
    pub ours: u64,
    /// Paid there and here, alike.
    pub agree: u64,
    /// Entries under references that are none of ours: made by other programs, or by hand.
    pub others: u64,
    /// Entries under a number that may be ours and is not known: a number names no ledger.
    pub unplaced: Sums,
    /// Paid here and sent within the period under another account: that one's list has them.
    pub elsewhere: u64,
    /// Paid or returned there, with an amount or a currency that the list does not tell.
    pub untold: u64,
    /// What cannot be compared, because its rows were destroyed at retention (S24): payouts of the
    /// period, and entries of older ones.
    pub destroyed: u64,
    /// What the provider's list has as paid of ours.
    pub there: Sums,
    /// What the ledger has as paid and sent within the period.
    pub here: Sums,
    /// How many findings of each kind.
    pub counts: BTreeMap<Kind, u64>,
    /// The first of them.
    pub shown: Vec<Difference>,
    /// All of them, by their hash: more than are shown.
    pub hashes: HashMap<u64, Kind>,
}

impl Outcome {
    /// Keeps a finding, once.
    pub(crate) fn tell(&mut self, difference: Difference) {
        if self.hashes.insert(difference.hash(), difference.kind).is_some() {
            return;
        }
        *self.counts.entry(difference.kind).or_default() += 1;
        // What stops the lane is shown before what is only to be known.
        if self.shown.len() < SHOWN_MAX {
            self.shown.push(difference);
        } else if difference.kind.is_difference()
            && let Some(at) = self.shown.iter().position(|known| !known.kind.is_difference())
        {
            self.shown[at] = difference;
        }
    }

    /// How many findings stop the lane.
    pub fn differences(&self) -> u64 {
        let counts = self.counts.iter().filter(|(kind, _)| kind.is_difference());
        counts.map(|(_, count)| count).sum()
    }

    /// The hashes of all findings that stop the lane.
    pub fn stopping_hashes(&self) -> impl Iterator<Item = u64> {
        self.hashes.iter().filter(|(_, kind)| kind.is_difference()).map(|(hash, _)| *hash)
    }

    /// The findings that stop the lane, as far as they are kept with words.
    pub fn stopping(&self) -> impl Iterator<Item = &Difference> {
        self.shown.iter().filter(|difference| difference.kind.is_difference())
    }

    /// Leaves out the differences that another reading did not find: what was on its way then.
    #[must_use]
    pub fn confirmed_by(mut self, other: &Outcome) -> Outcome {
        self.hashes.retain(|hash, kind| !kind.is_difference() || other.hashes.contains_key(hash));
        self.shown.retain(|difference| self.hashes.contains_key(&difference.hash()));
        // What both readings found need not be among the first of this one.
        let shown: HashSet<u64> = self.shown.iter().map(Difference::hash).collect();
        let more = other.stopping().filter(|difference| {
            let hash = difference.hash();
            self.hashes.contains_key(&hash) && !shown.contains(&hash)
        });
        self.shown.extend(more.take(SHOWN_MAX.saturating_sub(shown.len())).cloned());
        self.counts.clear();
        for kind in self.hashes.values() {
            *self.counts.entry(*kind).or_default() += 1;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(numbers: impl IntoIterator<Item = u32>) -> Outcome {
        let mut outcome = Outcome::default();
        for number in numbers {
            outcome.tell(Difference {
                kind: Kind::PaidHere,
                reference: format!("INV-{number}"),
                provider_id: None,
                here: Some(State::Paid),
                amount: None,
                words: String::new(),
            });
        }
        outcome
    }

    #[test]
    fn what_a_second_reading_does_not_confirm_is_left_out_beyond_what_is_shown_too() {
        let first = outcome(0..1_200);
        assert_eq!(outcome(2_000..3_500).confirmed_by(&first).differences(), 0);
        let both = outcome((2_000..3_500).chain(900..1_200)).confirmed_by(&first);
        assert_eq!((both.differences(), both.hashes.len()), (300, 300));
        // The first reading has words for a hundred of them, the second for none.
        assert_eq!((both.shown.len(), both.shown[0].reference.as_str()), (100, "INV-900"));
    }
}
