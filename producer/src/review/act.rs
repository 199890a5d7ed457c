//! What a person decides, put down in the batch's audit chain before and beside the payout with
//! the decision: who, what, on which sight, and why. Nothing is decided without it.

use super::judge::Decision;
use super::seen::Seen;
use super::story::Story;
use crate::audit::{AuditError, Chain, Clerk, Kind};
use domain::{Cause, Payout};
use ledger::{Ledger, Note, NoteKind};

/// A decision that a person makes.
#[derive(Clone, Debug)]
pub struct Act<'a> {
    /// Who, and the key that signs for him.
    pub clerk: &'a Clerk,
    /// What.
    pub decision: Decision,
    /// Which sight of the payout it rests on.
    pub seen: Seen,
    /// Why, in his words.
    pub reason: &'a str,
    /// What the provider said right before, in a few words.
    pub told: &'a str,
}

/// How the note of a decision begins.
const DECIDED: &str = "decided: ";

/// Whether a note is that of a decision.
pub(super) fn is_decision(note: &Note) -> bool {
    note.kind == NoteKind::Evidence && note.text.starts_with(DECIDED)
}

impl Act<'_> {
    /// The notes that are written in one step with the decision: the words for the result file,
    /// and the evidence. Why the payout stood where it stood is kept with it: the decision takes
    /// its place, and later rules still ask for it.
    pub(super) fn notes(&self, before: &Payout) -> Vec<Note> {
        let Act { clerk, decision, seen, reason, told } = self;
        let who = clerk.who();
        let sentence = Cause::Operator.sentence();
        let (state, cause) = (before.state, before.cause.sentence());
        let evidence = format!(
            "{DECIDED}{decision} by {who}, having seen version {seen}; before, it was {state} \
             ({cause}); the look-up: {told}; because: {reason}"
        );
        vec![
            Note::new(NoteKind::Reason, format!("{sentence}: {reason}")),
            Note::new(NoteKind::Evidence, evidence),
        ]
    }

    /// Tells the batch's chain, before the decision is written: it may let money flow, or close
    /// what somebody still has to pay. *Crash after*: an entry about what was not decided.
    pub(super) async fn tell(&self, ledger: &dyn Ledger, story: &Story) -> Result<(), AuditError> {
        let Act { clerk, decision, seen, reason, told } = self;
        let reference = story.reference();
        let text = serde_json::json!({
            "reference": reference,
            "attempt": story.known.payout.attempt,
            "decision": decision.to_string(),
            "version_seen": seen.to_string(),
            "look_up": told,
            "reason": reason,
        });
        let chain = Chain::batch(story.batch.id);
        clerk.tell_signed(ledger, &chain, Kind::Resolved, text).await?;
        tracing::info!(payout.reference = reference, %decision, who = clerk.who(), "decided");
        Ok(())
    }
}
