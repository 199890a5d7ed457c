//! Entries that no payout of the ledger has made: whose they look like, and whether that matters.

use crate::found::{Difference, Kind, hash};
use crate::run::Run;
use domain::{ProviderReference, ReferenceFormat};
use providers::{Entry, Standing};

/// Numbers of ours have 63 random bits: of fewer digits, one in a thousand.
const NUMBER_DIGITS_MIN: usize = 16;
/// No reference of ours is longer; what the provider writes in its place may be.
const REFERENCE_CHARS_MAX: usize = 255;

impl Run<'_> {
    /// An entry that no payout of the ledger has made.
    pub(crate) fn nobodys(&mut self, entry: Entry) {
        let money = entry.amount.zip(entry.currency.clone());
        let is_number = entry.reference.len() >= NUMBER_DIGITS_MIN
            && entry.reference.parse::<i64>().is_ok_and(|number| number > 0);
        if self.may_be_destroyed(&entry) {
            // Its payout is counted already.
            return;
        }
        let (kind, words) = match ProviderReference::origin(&entry.reference) {
            Some(id) if id == self.id => (
                Kind::Unknown,
                format!("{} there, and this ledger knows no such payout", entry.standing.name()),
            ),
            Some(id) if !self.adopted.contains(&id) => (
                Kind::OtherLedger,
                format!(
                    "made by ledger {id}; if that is retired: producer lane adopt {} {id}",
                    self.job.lane
                ),
            ),
            None if is_number && self.job.format == ReferenceFormat::Number => {
                let id = entry.provider_id.as_deref().unwrap_or_default();
                if self.unplaced.insert(hash(&[&entry.reference, id])) {
                    let (amount, currency) = money.unwrap_or_default();
                    self.outcome.unplaced.add(&currency, amount);
                }
                return;
            }
            _ => {
                self.outcome.others += 1;
                return;
            }
        };
        if kind == Kind::Unknown && entry.standing == Standing::Failed {
            self.outcome.others += 1;
            return;
        }
        self.outcome.tell(Difference {
            kind,
            reference: entry.reference.chars().take(REFERENCE_CHARS_MAX).collect(),
            provider_id: entry.provider_id,
            here: None,
            amount: money.map(|(amount, currency)| format!("{amount} {currency}")),
            words,
        });
    }

    /// A short digest is known by its row alone: where rows of the period were destroyed, it may
    /// be that of one of them.
    fn may_be_destroyed(&self, entry: &Entry) -> bool {
        let is_ours = ProviderReference::origin(&entry.reference) == Some(self.id);
        let is_traced = ProviderReference::trace(self.id, &entry.reference).is_some();
        is_ours && !is_traced && !self.destroyed.is_empty()
    }
}
