//! A provider's answer → what happened to the payout, and what the lane learns from it. Pure.

use domain::{Event, Millis, News, Outcome, Payout};
use ledger::{Note, NoteKind};
use providers::Answer;

/// What the lane learns from one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// Nobody knows what became of it: the provider left it without an answer.
    NoAnswer,
    /// Nothing.
    None,
    /// It was not taken, for now: if it was the canary, another may try.
    NotYet,
    /// The provider took a payout: it can serve as a control, and the canary has come home.
    Took,
    /// Refused for good, by a listed answer.
    Refused(String),
    /// Refused with unlisted words, or taken with another amount: too many of these stop the
    /// lane (S10).
    Strange(String),
    /// The provider asked us to slow down: the whole pool does.
    Slow {
        /// For how long.
        pause_ms: u64,
        /// When the request left that was too many.
        sent_at: Millis,
    },
    /// Nothing more may be sent until somebody acts, or until the time given has passed.
    Stop {
        /// For people.
        text: String,
        /// When to try again.
        retry_after_ms: Option<u64>,
    },
}

impl Lesson {
    /// Whether it is about the call, and so the same one for all of its rows.
    pub fn is_of_call(&self) -> bool {
        matches!(self, Lesson::NoAnswer | Lesson::Slow { .. })
    }

    /// Whether the provider was there and judged a payout.
    pub fn is_answered(&self) -> bool {
        matches!(self, Lesson::Took | Lesson::Refused(_) | Lesson::Strange(_))
    }
}

/// One answer, digested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What happened to the payout.
    pub event: Event,
    /// What is kept beside it.
    pub notes: Vec<Note>,
    /// What the lane learns.
    pub lesson: Lesson,
}

/// Digests the answer to the newest intent of `payout`, whose request left at `sent_at`. A row that
/// is refused for now is payable again `pause_ms` after `now`; one that is refused for good goes by its
/// second lane where there is a `failover`, if nothing was created (S15).
pub fn digest(
    answer: Answer,
    sent_at: Millis,
    payout: &Payout,
    now: Millis,
    pause_ms: u64,
    failover: bool,
) -> Verdict {
    let outcome = |outcome| Event::Outcome { intent: payout.intents, outcome };
    let reason = |text: &str| vec![Note::new(NoteKind::Reason, text)];
    match answer {
        Answer::Accepted { provider_id, cost } => Verdict {
            event: outcome(Outcome::Accepted),
            notes: found_notes(provider_id, cost, &[]),
            lesson: Lesson::Took,
        },
        Answer::Begun { provider_id, cost } => Verdict {
            event: outcome(Outcome::Begun),
            notes: found_notes(provider_id, cost, &[]),
            lesson: Lesson::Took,
        },
        Answer::Refused { text, created_nothing } => Verdict {
            event: outcome(match failover && created_nothing {
                true => Outcome::Moves,
                false => Outcome::Refused { created_nothing },
            }),
            notes: reason(&text),
            lesson: Lesson::Refused(text),
        },
        Answer::Later { text, retry_after_ms } => {
            let pause_ms = pause_ms.max(retry_after_ms.unwrap_or(0));
            Verdict {
                event: outcome(Outcome::RefusedForNow { retry_at: now.plus(pause_ms) }),
                notes: reason(&text),
                lesson: retry_after_ms
                    .map_or(Lesson::NotYet, |pause_ms| Lesson::Slow { pause_ms, sent_at }),
            }
        }
        Answer::StopLane { text, retry_after_ms } => Verdict {
            event: outcome(Outcome::RefusedForNow { retry_at: now }),
            notes: reason(&text),
            lesson: Lesson::Stop { text, retry_after_ms },
        },
        Answer::Unlisted { text } => Verdict {
            event: outcome(Outcome::Unlisted),
            notes: reason(&text),
            lesson: Lesson::Strange(text),
        },
        Answer::Differs { text } => Verdict {
            event: Event::News { attempt: payout.attempt, news: News::Differs },
            notes: reason(&text),
            lesson: Lesson::Strange(text),
        },
        Answer::Unknown { text } => Verdict {
            event: outcome(Outcome::Unknown),
            notes: reason(&text),
            lesson: Lesson::NoAnswer,
        },
        Answer::Exists { text } => {
            Verdict { event: outcome(Outcome::Exists), notes: reason(&text), lesson: Lesson::None }
        }
        Answer::NotSent => Verdict {
            event: outcome(Outcome::Withdrawn),
            notes: Vec::new(),
            lesson: Lesson::NotYet,
        },
    }
}

/// What is kept beside a payout that the provider has.
pub fn found_notes(
    provider_id: Option<String>,
    cost: Option<String>,
    receipts: &[String],
) -> Vec<Note> {
    let id = provider_id.map(|id| Note::new(NoteKind::ProviderId, id));
    let cost = cost.map(|cost| Note::new(NoteKind::Cost, cost));
    let receipts = receipts.iter().map(|link| Note::new(NoteKind::Receipt, link.as_str()));
    id.into_iter().chain(cost).chain(receipts).collect()
}
