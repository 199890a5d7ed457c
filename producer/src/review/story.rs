//! All that the ledger knows of one payout.

use super::act;
use super::seen::Seen;
use crate::provider::payout::{self, FindError, Known};
use crate::rules::Rules;
use domain::{Batch, Cause, Millis, Policy, ProviderReference, Sender};
use ledger::shipment::Shipment;
use ledger::told::Told;
use ledger::{Ledger, LedgerError, Note, NoteKind, senders};
use std::sync::Arc;

/// One payout, as it was read at one moment.
#[derive(Clone, Debug)]
pub struct Story {
    /// The payout and its row.
    pub known: Known,
    /// Its batch.
    pub batch: Batch,
    /// Its notes, oldest first.
    pub notes: Vec<Note>,
    /// The provider's ids of the calls that carried it, oldest first.
    pub calls: Vec<String>,
    /// The newest words about it.
    pub reason: Option<String>,
    /// The provider's id of its newest attempt, where it was told.
    pub provider_id: Option<Arc<str>>,
    /// The waiting times of its lane.
    pub policy: Policy,
    /// Whoever began to send it, owes an answer and is not known to be gone (S12).
    pub sender_at_large: Option<Sender>,
    /// When it was read, in ledger time.
    pub now: Millis,
}

impl Story {
    /// Reads it.
    pub async fn read(
        ledger: &dyn Ledger,
        rules: &Rules,
        reference: &str,
    ) -> Result<Story, FindError> {
        let known = payout::find(ledger, reference).await?;
        let policy = rules.policy(&known.lane);
        Story::of(ledger, known, policy).await
    }

    /// Reads it where its lane's waiting times are known.
    pub async fn of_reference(
        ledger: &dyn Ledger,
        reference: &str,
        policy: Policy,
    ) -> Result<Story, FindError> {
        let known = payout::find(ledger, reference).await?;
        Story::of(ledger, known, policy).await
    }

    /// Reads it again.
    pub async fn again(&self, ledger: &dyn Ledger) -> Result<Story, FindError> {
        Story::of_reference(ledger, self.reference(), self.policy.clone()).await
    }

    async fn of(ledger: &dyn Ledger, known: Known, policy: Policy) -> Result<Story, FindError> {
        let (chunk, row) = (known.place.chunk, known.place.row);
        let missing = || LedgerError::Broken(format!("chunk {chunk} belongs to no batch"));
        let batch = ledger.batch(chunk.batch).await?.ok_or_else(missing)?;
        let of_chunk = ledger.notes(chunk).await?;
        let shipments = of_chunk.iter().filter_map(|(_, note)| Shipment::of_note(note));
        let calls = shipments.filter(|call| call.holds(row)).map(|call| call.handle).collect();
        let of_row = of_chunk.iter().filter(|(at, _)| *at == row);
        let notes = of_row.map(|(_, note)| note.clone()).collect();
        let told = Told::read(ledger, chunk).await?;
        let reason = told.reason(row).map(str::to_owned);
        let (provider_id, _) = told.ids(row, &known.payout);
        let now = ledger.about().await?.now;
        let sender_at_large = match known.payout.sender {
            Sender::NOBODY => None,
            sender => {
                let record = senders::find(ledger, sender).await?;
                record.is_none_or(|record| record.gone.is_none()).then_some(sender)
            }
        };
        Ok(Story { known, batch, notes, calls, reason, provider_id, policy, sender_at_large, now })
    }

    /// The payer's reference.
    pub fn reference(&self) -> &str {
        self.known.row.reference.as_str()
    }

    /// What a person who reads this has seen.
    pub fn seen(&self) -> Seen {
        Seen { version: self.known.payout.version, notes: self.notes.len() }
    }

    /// The provider references of its attempts, the newest first.
    pub fn attempts(&self) -> impl Iterator<Item = (u8, ProviderReference)> {
        let Known { row, payout, format, ledger, .. } = &self.known;
        let reference =
            |attempt| ProviderReference::make(*ledger, &row.reference, attempt, *format);
        (1..=payout.attempt).rev().map(move |attempt| (attempt, reference(attempt)))
    }

    /// Whether this is why it stands where it stands, or was before a person decided.
    pub fn was_ever(&self, cause: Cause) -> bool {
        let decided = self.notes.iter().filter(|note| act::is_decision(note));
        self.known.payout.cause == cause
            || decided.into_iter().any(|note| note.text.contains(cause.sentence()))
    }

    /// Words that say "paid", or "accepted after all", against what was known.
    pub fn heard_paid(&self) -> Option<&'static str> {
        const PAID: [Cause; 3] = [Cause::Disputed, Cause::OlderAttemptPaid, Cause::TakenBefore];
        let caused = PAID.into_iter().find(|cause| self.was_ever(*cause));
        let heard = || self.was_heard_paid().then_some("its notes hold news of a payment");
        caused.map(Cause::sentence).or_else(heard)
    }

    /// Whether there are any.
    pub fn is_heard_paid(&self) -> bool {
        self.heard_paid().is_some()
    }

    /// Whether any news of it said "paid" and was kept as evidence.
    pub fn was_heard_paid(&self) -> bool {
        self.notes.iter().any(says_paid)
    }
}

/// Evidence is kept as the event's own words ([`ledger::apply`]).
fn says_paid(note: &Note) -> bool {
    let is_news = note.text.starts_with("News {") || note.text.starts_with("Found {");
    note.kind == NoteKind::Evidence && is_news && note.text.contains("news: Paid")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Event, News};

    #[test]
    fn evidence_of_a_payment_is_recognised_by_the_events_own_words() {
        let kept = |event: Event| Note::new(NoteKind::Evidence, format!("{event:?} while review"));
        let asked_at = Millis(7);
        for (news, is_paid) in [(News::Paid, true), (News::Failed, false)] {
            assert_eq!(says_paid(&kept(Event::News { attempt: 1, news })), is_paid);
            assert_eq!(says_paid(&kept(Event::Found { attempt: 2, news, asked_at })), is_paid);
        }
        assert!(!says_paid(&Note::new(NoteKind::Evidence, "a person said news: Paid")));
    }
}
