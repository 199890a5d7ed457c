//! What a person did here, put down beside the payout and on the lane: who, what, on which sight,
//! and why. Nothing is decided without it.

use super::judge::Decision;
use super::seen::Seen;
use super::story::Story;
use domain::{Cause, Payout};
use ledger::{Ledger, LedgerError, Note, NoteKind};
use std::fmt;

/// Who sits at this terminal: the operating system's user and the machine. It names, it does not
/// prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The user.
    pub user: String,
    /// The machine.
    pub host: String,
}

impl Who {
    /// As the operating system has it.
    pub fn of_this_process() -> Who {
        let uid = rustix::process::getuid().as_raw();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let user = name_of(&users, uid).unwrap_or_else(|| format!("uid {uid}"));
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Who { user, host }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.user, self.host)
    }
}

fn name_of(users: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    let mut lines = users.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1) == Some(&*uid)).then(|| name.to_owned())
    })
}

/// A decision that a person makes.
#[derive(Clone, Debug)]
pub struct Act<'a> {
    /// Who.
    pub who: &'a Who,
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
        let Act { who, decision, seen, reason, told } = self;
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
}

/// Puts an act down for those who look at the lane, after it was done. The payout's own notes were
/// written with it.
pub async fn note_act(
    ledger: &dyn Ledger,
    story: &Story,
    act: &Act<'_>,
    stands: &Payout,
) -> Result<(), LedgerError> {
    let Act { who, decision, seen, reason, .. } = act;
    let (lane, reference) = (&story.known.lane, story.reference());
    let state = stands.state;
    tracing::info!(%lane, payout.reference = reference, %decision, %who, %state, "a person decided");
    let text = format!(
        "by hand: review {reference}: {decision} by {who} on version {seen}: now {state}, attempt \
         {}; because: {reason}",
        stands.attempt
    );
    ledger.keep_stray(lane.clone(), text).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_his_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!(name_of(users, 1000).as_deref(), Some("anna"));
        assert_eq!(name_of(users, 0).as_deref(), Some("root"));
        assert_eq!(name_of(users, 100), None);
    }
}
