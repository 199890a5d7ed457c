//! The whole (state × event) table. Live path, recovery, all ledgers and the drawing in
//! `ARCHITECTURE.md` are held to it; [`mod@crate::decide`] is the only code that applies it.
//!
//! Each cell says what an event makes of a payout in a state. *Recorded* means: kept beside the
//! payout as a note, and nothing changes. *Illegal* means: no correct program asks for it; the
//! caller gets a typed error and the payout is untouched.

use crate::payout::State;
use crate::sender::{Account, Sender};
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// What may happen to a payout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The holder of the lease is about to send it (S6). Work.
    Intent {
        /// The request must not start after this.
        send_before: Millis,
        /// Who is about to send it (S12).
        sender: Sender,
        /// From which account (S4).
        account: Account,
    },
    /// What the call of intent number `intent` answered (S13). Work, valid without a lease.
    Outcome {
        /// The [`crate::Payout::intents`] of the intent that it answers.
        intent: u16,
        /// The answer.
        outcome: Outcome,
    },
    /// The lease of a sender ended while its intent stood.
    SenderLost,
    /// A confirm or pay step is about to be sent for a payout that the provider has (S9).
    StepIntent,
    /// What the step of intent number `intent` answered. Work, valid without a lease.
    StepOutcome {
        /// The [`crate::Payout::intents`] of the step that it answers.
        intent: u16,
    },
    /// The step of intent number `intent` was certainly not sent. Work, valid without a lease.
    StepWithdrawn {
        /// The [`crate::Payout::intents`] of the step that never left.
        intent: u16,
        /// No step of this attempt was begun before it, says whoever wrote its intent: so none
        /// ever was.
        is_first: bool,
    },
    /// A verified fact about attempt `attempt` (S14) that the provider sent by itself: nobody
    /// knows how long it was under way.
    News {
        /// The attempt that it is about.
        attempt: u8,
        /// The fact.
        news: News,
    },
    /// The same, as the answer to a look-up: it held at `asked_at` or later.
    Found {
        /// The attempt that it is about.
        attempt: u8,
        /// The fact.
        news: News,
        /// Not after the moment when the question left.
        asked_at: Millis,
    },
    /// A live look-up in the provider's documented form did not find it (S11).
    NotFound {
        /// [`crate::Payout::sender`] can send no more, or the provider does not pay a reference
        /// twice (S12).
        sender_gone: bool,
        /// Nor was any later attempt found, or there can be none: it was not
        /// [`crate::Payout::past_lost`].
        none_later: bool,
    },
    /// A look-up told nothing: no live control, no readable answer.
    Inconclusive,
    /// Something unverified, or a negative callback: ask once (S15, S16).
    Hint,
    /// Its `give_up_at` has passed (S17).
    TooOld,
    /// The ledger went back in time (S18): a sender's journal knows of an intent that the ledger
    /// does not.
    Rewound {
        /// The attempt of that intent.
        attempt: u8,
        /// Its number: [`crate::Payout::intents`] as it was.
        intents: u16,
        /// Its send deadline.
        send_before: Millis,
        /// Who wrote it.
        sender: Sender,
        /// For which account.
        account: Account,
        /// It went by the row's second lane (S15).
        moved: bool,
    },
    /// The ledger went back in time, and no journal tells what it forgot (S18): any request of this
    /// attempt may have been sent, and any later attempt, too.
    PastLost {
        /// The account that its lane pays from.
        account: Account,
    },
    /// An operator moves its lane to another account (S4): what the old one may have is for a
    /// person, what it certainly never had stays payable.
    Rebound,
    /// An operator cancels it before it is sent.
    Cancel,
    /// An operator decides a review: it was paid.
    ResolvePaid,
    /// An operator decides a review: it was not paid and will not be.
    ResolveFailed,
    /// An operator, or a rule for refusals that created nothing (S15), starts a new attempt.
    NewAttempt,
}

/// What a create call answered (S9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Taken by the provider.
    Accepted,
    /// Taken by the provider, which waits for a second step (S9): ask at once where it stands.
    Begun,
    /// Refused by a listed answer (S10).
    Refused {
        /// The table says that nothing was created.
        created_nothing: bool,
    },
    /// Refused by a listed answer, which created nothing, and the row's second lane takes it: a new
    /// attempt there (S15). Where [`crate::Payout::may_move`] says no, it is refused.
    Moves,
    /// Refused for now (busy, low balance, wrong key): payable again, nothing was created.
    RefusedForNow {
        /// Not to be sent again before this.
        retry_at: Millis,
    },
    /// Refused with words that no table lists.
    Unlisted,
    /// Timeout, reset, 5xx, unreadable.
    Unknown,
    /// "It exists already": something of ours is there, so it can never be proved absent.
    Exists,
    /// Never handed to the socket.
    Withdrawn,
}

/// A verified fact from a callback, a look-up or a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// The provider has it and works on it.
    InProgress,
    /// A person must act at the provider.
    Waiting,
    /// The beneficiary was paid.
    Paid,
    /// It was not paid and will not be; confirmed (S15).
    Failed,
    /// It was cancelled before it was paid; confirmed.
    Cancelled,
    /// It was paid and the money came back.
    Returned,
    /// The provider's record differs from ours in amount, currency or destination.
    Differs,
}

/// What an event makes of a payout in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It goes to that state.
    To(State),
    /// It goes there if the event names the row's newest intent, else the event is recorded.
    IfNewest(State),
    /// Kept beside the payout; nothing changes.
    Recorded,
    /// Stays in its state; timers and flags change.
    Stays,
    /// Stays in its state if the event names the row's newest intent, else the event is recorded.
    StaysIfNewest,
    /// Stays; its second time goes to `Accepted`, or to `Review` if the provider ever had it.
    ProvesAbsence,
    /// Stays; its second time goes to `Review`: what was once accepted is never absent.
    ProvesLoss,
    /// To `Paid` where the review's cause is "cannot be known", else recorded as evidence.
    SettlesDoubt,
    /// To `Review` if this attempt may have reached an account, else recorded.
    IfSent,
    /// To `Accepted`; to `Unknown` where the attempt may have been sent before and forgotten.
    Anew,
    /// No correct program asks for it.
    Illegal,
}

/// The columns of the table: events without their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the event or answer of the same name")]
pub enum Kind {
    Intent,
    Accepted,
    Refused,
    Moves,
    RefusedForNow,
    Unlisted,
    NoAnswer,
    Withdrawn,
    SenderLost,
    StepIntent,
    StepOutcome,
    StepWithdrawn,
    InProgress,
    Waiting,
    Paid,
    Failed,
    Cancelled,
    Returned,
    Differs,
    OlderPaid,
    OlderOther,
    NotFound,
    Inconclusive,
    Hint,
    TooOld,
    Rewound,
    PastLost,
    Rebound,
    Cancel,
    ResolvePaid,
    ResolveFailed,
    NewAttempt,
}

use Cell::{
    Anew, IfNewest, Illegal as X, ProvesAbsence, ProvesLoss, Recorded as R, SettlesDoubt, Stays,
    StaysIfNewest as Ours, To,
};
use State::{Accepted, Cancelled, Failed, Paid, Review, Submitted, Submitting, Unknown, Waiting};

/// The table: one line per event, one cell per state in the order of [`State::ALL`].
#[rustfmt::skip]
pub const TABLE: [(Kind, [Cell; 9]); 32] = [
    //                    accepted              submitting             submitted    waiting      unknown             paid        failed      cancelled   review
    (Kind::Intent,        [To(Submitting),      X,                     X,           X,           X,                  X,          X,          X,          X]),
    (Kind::Accepted,      [IfNewest(Submitted), IfNewest(Submitted),   R,           R,           IfNewest(Submitted),R,          R,          R,          R]),
    (Kind::Refused,       [IfNewest(Failed),    IfNewest(Failed),      R,           R,           IfNewest(Failed),   R,          R,          R,          R]),
    (Kind::Moves,         [IfNewest(Failed),    IfNewest(Accepted),    R,           R,           IfNewest(Failed),   R,          R,          R,          R]),
    (Kind::RefusedForNow, [R,                   IfNewest(Accepted),    R,           R,           IfNewest(Accepted), R,          R,          R,          R]),
    (Kind::Unlisted,      [IfNewest(Review),    IfNewest(Review),      R,           R,           IfNewest(Review),   R,          R,          R,          R]),
    (Kind::NoAnswer,      [IfNewest(Unknown),   IfNewest(Unknown),     R,           R,           Ours,               R,          R,          R,          R]),
    (Kind::Withdrawn,     [R,                   IfNewest(Accepted),    R,           R,           IfNewest(Accepted), R,          R,          R,          R]),
    (Kind::SenderLost,    [X,                   To(Unknown),           X,           X,           X,                  X,          X,          X,          X]),
    (Kind::StepIntent,    [X,                   X,                     Stays,       Stays,       X,                  X,          X,          X,          X]),
    (Kind::StepOutcome,   [R,                   R,                     Ours,        Ours,        R,                  R,          R,          R,          R]),
    (Kind::StepWithdrawn, [R,                   R,                     Ours,        Ours,        R,                  R,          R,          R,          R]),
    (Kind::InProgress,    [To(Submitted),       To(Submitted),         Stays,       To(Submitted),To(Submitted),     R,          R,          R,          R]),
    (Kind::Waiting,       [To(Waiting),         To(Waiting),           To(Waiting), Stays,       To(Waiting),        R,          R,          R,          R]),
    (Kind::Paid,          [To(Paid),            To(Paid),              To(Paid),    To(Paid),    To(Paid),           R,          To(Review), To(Review), SettlesDoubt]),
    (Kind::Failed,        [To(Failed),          To(Failed),            To(Failed),  To(Failed),  To(Failed),         R,          R,          R,          R]),
    (Kind::Cancelled,     [To(Cancelled),       To(Cancelled),         To(Cancelled),To(Cancelled),To(Cancelled),    R,          R,          R,          R]),
    (Kind::Returned,      [To(Review),          To(Review),            To(Review),  To(Review),  To(Review),         Stays,      R,          R,          R]),
    (Kind::Differs,       [To(Review),          To(Review),            To(Review),  To(Review),  To(Review),         R,          R,          R,          R]),
    (Kind::OlderPaid,     [To(Review),          To(Review),            To(Review),  To(Review),  To(Review),         To(Review), To(Review), To(Review), R]),
    (Kind::OlderOther,    [R,                   R,                     R,           R,           R,                  R,          R,          R,          R]),
    (Kind::NotFound,      [Stays,               R,                     ProvesLoss,  ProvesLoss,  ProvesAbsence,      R,          R,          R,          R]),
    (Kind::Inconclusive,  [Stays,               R,                     Stays,       Stays,       Stays,              R,          R,          R,          R]),
    (Kind::Hint,          [Stays,               Stays,                 Stays,       Stays,       Stays,              R,          R,          R,          R]),
    (Kind::TooOld,        [To(Failed),          X,                     To(Review),  To(Review),  To(Review),         X,          X,          X,          X]),
    (Kind::Rewound,       [To(Unknown),         To(Unknown),           Stays,       Stays,       Stays,              R,          To(Review), To(Review), R]),
    (Kind::PastLost,      [To(Unknown),         To(Unknown),           Stays,       Stays,       Stays,              R,          To(Review), R,          Stays]),
    (Kind::Rebound,       [Cell::IfSent,        X,                     To(Review),  To(Review),  To(Review),         R,          R,          R,          R]),
    (Kind::Cancel,        [To(Cancelled),       X,                     X,           X,           X,                  X,          X,          X,          X]),
    (Kind::ResolvePaid,   [X,                   X,                     X,           X,           X,                  X,          X,          X,          To(Paid)]),
    (Kind::ResolveFailed, [X,                   X,                     X,           X,           X,                  X,          X,          X,          To(Failed)]),
    (Kind::NewAttempt,    [X,                   X,                     X,           X,           X,                  X,          Anew,       X,          Anew]),
];

/// The cell for an event's kind in a state.
pub fn cell(kind: Kind, state: State) -> Cell {
    // TABLE stands in the order of `Kind`, which a test holds.
    TABLE[kind as usize].1[state.index()]
}

/// Which column an event is, for a payout in attempt `current`.
pub fn kind(event: &Event, current: u8) -> Kind {
    match event {
        Event::Intent { .. } => Kind::Intent,
        Event::Outcome { outcome, .. } => match outcome {
            Outcome::Accepted | Outcome::Begun => Kind::Accepted,
            Outcome::Refused { .. } => Kind::Refused,
            Outcome::Moves => Kind::Moves,
            Outcome::RefusedForNow { .. } => Kind::RefusedForNow,
            Outcome::Unlisted => Kind::Unlisted,
            Outcome::Unknown | Outcome::Exists => Kind::NoAnswer,
            Outcome::Withdrawn => Kind::Withdrawn,
        },
        Event::SenderLost => Kind::SenderLost,
        Event::StepIntent => Kind::StepIntent,
        Event::StepOutcome { .. } => Kind::StepOutcome,
        Event::StepWithdrawn { .. } => Kind::StepWithdrawn,
        Event::News { attempt, news } | Event::Found { attempt, news, .. } => match news {
            News::Paid if *attempt < current => Kind::OlderPaid,
            _ if *attempt < current => Kind::OlderOther,
            News::InProgress => Kind::InProgress,
            News::Waiting => Kind::Waiting,
            News::Paid => Kind::Paid,
            News::Failed => Kind::Failed,
            News::Cancelled => Kind::Cancelled,
            News::Returned => Kind::Returned,
            News::Differs => Kind::Differs,
        },
        Event::NotFound { .. } => Kind::NotFound,
        Event::Inconclusive => Kind::Inconclusive,
        Event::Hint => Kind::Hint,
        Event::TooOld => Kind::TooOld,
        Event::Rewound { .. } => Kind::Rewound,
        Event::PastLost { .. } => Kind::PastLost,
        Event::Rebound => Kind::Rebound,
        Event::Cancel => Kind::Cancel,
        Event::ResolvePaid => Kind::ResolvePaid,
        Event::ResolveFailed => Kind::ResolveFailed,
        Event::NewAttempt => Kind::NewAttempt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_its_kinds() {
        for (at, (kind, _)) in TABLE.iter().enumerate() {
            assert_eq!(*kind as usize, at);
        }
    }

    #[test]
    fn only_proved_or_listed_answers_make_a_payout_payable_again() {
        let payable: Vec<_> = TABLE
            .iter()
            .flat_map(|(kind, cells)| {
                cells.iter().zip(State::ALL).filter_map(move |(cell, state)| match cell {
                    To(Accepted) | IfNewest(Accepted) | ProvesAbsence | Anew => {
                        Some((*kind, state))
                    }
                    _ => None,
                })
            })
            .collect();
        assert_eq!(
            payable,
            [
                (Kind::Moves, Submitting),
                (Kind::RefusedForNow, Submitting),
                (Kind::RefusedForNow, Unknown),
                (Kind::Withdrawn, Submitting),
                (Kind::Withdrawn, Unknown),
                (Kind::NotFound, Unknown),
                (Kind::NewAttempt, Failed),
                (Kind::NewAttempt, Review),
            ]
        );
    }

    #[test]
    fn nothing_but_a_fact_or_a_person_makes_a_payout_paid() {
        for (kind, cells) in TABLE {
            let pays = cells.iter().any(|c| matches!(c, To(Paid) | SettlesDoubt));
            assert_eq!(pays, matches!(kind, Kind::Paid | Kind::ResolvePaid), "{kind:?}");
        }
    }

    #[test]
    fn a_final_state_is_left_for_review_or_by_a_new_attempt_only() {
        for (kind, cells) in TABLE {
            for state in [Paid, Failed, Cancelled] {
                let ok = match cells[state.index()] {
                    To(Review) | Recorded | Stays | Cell::Illegal => true,
                    Anew => state == Failed,
                    _ => false,
                };
                assert!(ok, "{kind:?} in {state}");
            }
        }
    }

    use Cell::Recorded;
}
