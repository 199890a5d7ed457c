//! What the ledger knows of one row: fixed in size, so that a chunk's payouts are one string of
//! bytes and one of them is changed in place.

use crate::sender::{Account, Sender};
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum State {
    /// Taken in (or proved unsent): it may be sent.
    Accepted = 0,
    /// An intent stands: a request may be under way.
    Submitting = 1,
    /// The provider has taken it; it is not final.
    Submitted = 2,
    /// A person must act at the provider.
    Waiting = 3,
    /// Nobody knows whether the provider took it. The reconciler asks.
    Unknown = 4,
    /// The beneficiary was paid.
    Paid = 5,
    /// It was not paid and will not be.
    Failed = 6,
    /// Cancelled before it was paid.
    Cancelled = 7,
    /// A person must decide.
    Review = 8,
}

impl State {
    /// All states, in the order of their numbers.
    pub const ALL: [State; 9] = [
        State::Accepted,
        State::Submitting,
        State::Submitted,
        State::Waiting,
        State::Unknown,
        State::Paid,
        State::Failed,
        State::Cancelled,
        State::Review,
    ];

    /// The name in files and on screens.
    pub fn name(self) -> &'static str {
        match self {
            State::Accepted => "accepted",
            State::Submitting => "submitting",
            State::Submitted => "submitted",
            State::Waiting => "waiting",
            State::Unknown => "unknown",
            State::Paid => "paid",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
            State::Review => "review",
        }
    }

    /// Paid, failed or cancelled: nothing more is to be done.
    pub fn is_final(self) -> bool {
        matches!(self, State::Paid | State::Failed | State::Cancelled)
    }

    /// Neither final nor in a person's hands: the batch waits for it.
    pub fn is_open(self) -> bool {
        !self.is_final() && self != State::Review
    }

    /// Over without being paid, or in a person's hands.
    pub fn is_lost(self) -> bool {
        !self.is_open() && self != State::Paid
    }

    /// The index in [`State::ALL`], and the byte in the packed form.
    pub fn index(self) -> usize {
        usize::from(self as u8)
    }

    fn from_byte(byte: u8) -> Option<State> {
        State::ALL.get(usize::from(byte)).copied()
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a payout is where it is: for people, and for the rules that ask (S14, S15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Cause {
    /// Nothing to explain.
    None = 0,
    /// The provider refused the create with a listed answer; nothing was created.
    RefusedCreatedNothing = 1,
    /// The provider refused the create with a listed answer; it may have kept a record.
    Refused = 2,
    /// The provider took it and failed it later.
    FailedAtProvider = 3,
    /// Never sent within its time.
    TooOldUnsent = 4,
    /// No answer in time, and no look-up could tell: review, settled by late news.
    CannotBeKnown = 5,
    /// The provider once accepted it and does not know it now.
    LostAtProvider = 6,
    /// The provider's record differs in amount, currency or destination.
    Differs = 7,
    /// The provider refused with words that no table lists.
    UnlistedRefusal = 8,
    /// "Paid" after it had failed or been cancelled.
    Disputed = 9,
    /// An older attempt was paid after a newer one had begun.
    OlderAttemptPaid = 10,
    /// An operator decided.
    Operator = 11,
    /// The provider cancelled it, or we did at the provider.
    CancelledAtProvider = 12,
    /// The request had no answer, or none that can be read.
    NoAnswer = 13,
    /// The sender died after its intent.
    SenderLost = 14,
    /// Refused for now: it will be sent again.
    RefusedForNow = 15,
    /// Two live look-ups did not find it: it was never taken and is sent again.
    ProvedAbsent = 16,
    /// An earlier request was accepted after a newer one had begun: it may be paid twice.
    TakenBefore = 17,
    /// The ledger went back in time, and a sender's journal knows of an intent that it forgot, or
    /// no journal tells what it forgot (S18).
    LedgerRewound = 18,
    /// Its lane pays from another account now, which knows nothing of it (S4).
    Rebound = 19,
    /// Its first lane refused it and created nothing: it goes by the second (S15).
    Moved = 20,
}

impl Cause {
    const ALL: [Cause; 21] = [
        Cause::None,
        Cause::RefusedCreatedNothing,
        Cause::Refused,
        Cause::FailedAtProvider,
        Cause::TooOldUnsent,
        Cause::CannotBeKnown,
        Cause::LostAtProvider,
        Cause::Differs,
        Cause::UnlistedRefusal,
        Cause::Disputed,
        Cause::OlderAttemptPaid,
        Cause::Operator,
        Cause::CancelledAtProvider,
        Cause::NoAnswer,
        Cause::SenderLost,
        Cause::RefusedForNow,
        Cause::ProvedAbsent,
        Cause::TakenBefore,
        Cause::LedgerRewound,
        Cause::Rebound,
        Cause::Moved,
    ];

    /// One sentence for the result file and the screen; empty where nothing is to explain.
    pub fn sentence(self) -> &'static str {
        match self {
            Cause::None => "",
            Cause::RefusedCreatedNothing | Cause::Refused => "refused by the provider",
            Cause::FailedAtProvider => "taken by the provider, which failed it later",
            Cause::TooOldUnsent => "not sent within its time",
            Cause::CannotBeKnown => "no answer, and no look-up could tell what became of it",
            Cause::LostAtProvider => "the provider accepted it and does not know it now",
            Cause::Differs => "the provider's record differs from ours",
            Cause::UnlistedRefusal => "refused with an answer that the provider does not document",
            Cause::Disputed => "reported as paid after it had failed or been cancelled",
            Cause::OlderAttemptPaid => "an earlier attempt was paid after a newer one had begun",
            Cause::Operator => "decided by an operator",
            Cause::CancelledAtProvider => "cancelled at the provider",
            Cause::NoAnswer => "no readable answer from the provider yet",
            Cause::SenderLost => "the worker that sent it died; the provider is being asked",
            Cause::RefusedForNow => "refused for now; it will be sent again",
            Cause::ProvedAbsent => "never arrived at the provider; it will be sent again",
            Cause::TakenBefore => {
                "an earlier request was accepted after a newer one had begun; it may be paid twice"
            }
            Cause::Rebound => "sent under the account that its lane had before",
            Cause::Moved => {
                "refused by its first lane, which created nothing; it goes by the second"
            }
            Cause::LedgerRewound => {
                "the ledger was put back to an earlier time and may have forgotten a request"
            }
        }
    }

    fn from_byte(byte: u8) -> Option<Cause> {
        Cause::ALL.get(usize::from(byte)).copied()
    }
}

/// What the ledger knows of one row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Payout {
    /// Where it stands.
    pub state: State,
    /// Why.
    pub cause: Cause,
    /// Counts from 1 (S3).
    pub attempt: u8,
    /// Grows by one with every change: the compare of every compare-and-set.
    pub version: u32,
    /// Intents written so far, over all attempts, those of second steps too: an outcome names its
    /// intent by this (S13).
    pub intents: u16,
    /// Live look-ups in a row that did not find it (S11).
    pub absences: u8,
    /// Look-ups (or refusals for now) in a row: the next pause grows with it.
    pub asked: u8,
    /// This attempt was accepted by the provider: it can never be proved absent.
    pub ever_accepted: bool,
    /// Unconfirmed news waits for a look-up (S15).
    pub news_pending: bool,
    /// Money came back after it was paid (S14).
    pub returned: bool,
    /// A confirm or pay step is under way beside the state (S9).
    pub step_open: bool,
    /// A confirm or pay step of this attempt was ever begun and not withdrawn: the provider may
    /// have acted on it.
    pub stepped: bool,
    /// An earlier request of this attempt may have reached the account, though look-ups did not
    /// find it: nothing that becomes of a later one takes that back.
    pub bound: bool,
    /// The ledger went back in time, and no journal tells what it forgot (S18): this attempt may have
    /// ended, and later ones may have been begun, sent and paid. Only a proof that none of them is
    /// at the provider takes that back.
    pub past_lost: bool,
    /// The first lane refused attempt 1 and created nothing: from attempt 2 on it goes by the second
    /// (S15).
    pub moved: bool,
    /// When it entered its state, in whole seconds when packed.
    pub since: Millis,
    /// The newest intent's request must not start after this.
    pub send_before: Millis,
    /// When something is to be done next: sent (accepted), looked up (the other open states).
    /// [`Millis::NEVER`] exactly where the payout is not open.
    pub due: Millis,
    /// When waiting ends (S17), in whole seconds when packed.
    pub give_up_at: Millis,
    /// Who wrote the newest intent, as long as he has not written what came of it (S12): nobody
    /// else may send before he is known to be gone.
    pub sender: Sender,
    /// The account that the newest intent of this attempt was written for (S4).
    pub account: Account,
}

/// Bytes of a packed payout.
pub const PACKED_LEN: usize = 40;

const EVER_ACCEPTED: u8 = 1;
const NEWS_PENDING: u8 = 2;
const RETURNED: u8 = 4;
const STEP_OPEN: u8 = 8;
const STEPPED: u8 = 16;
const BOUND: u8 = 32;
const PAST_LOST: u8 = 64;
const MOVED: u8 = 128;

/// A payout that was tried so often is not tried again under the same reference. Far below 255,
/// where the count of attempts ends and the last provider reference would be used twice; and so few
/// that all of them can be asked about.
pub const ATTEMPTS_MAX: u8 = 9;

impl Payout {
    /// A row that was just taken in.
    pub fn new(now: Millis, give_up_at: Millis) -> Payout {
        Payout {
            state: State::Accepted,
            cause: Cause::None,
            attempt: 1,
            version: 0,
            intents: 0,
            absences: 0,
            asked: 0,
            ever_accepted: false,
            news_pending: false,
            returned: false,
            step_open: false,
            stepped: false,
            bound: false,
            past_lost: false,
            moved: false,
            since: now,
            send_before: Millis(0),
            due: Millis(0),
            give_up_at,
            sender: Sender::NOBODY,
            account: Account::NONE,
        }
    }

    /// Whether this row ever had an intent: if not, a rejected or cancelled batch gives its
    /// reference back (S2).
    pub fn was_ever_sent(&self) -> bool {
        self.intents > 0
    }

    /// Whether an attempt goes, or went, by the chunk's second lane.
    pub fn goes_by_second(&self, attempt: u8) -> bool {
        self.moved && attempt > 1
    }

    /// Whether a refusal of this attempt may move it to the second lane (S15): the provider never
    /// had it, of an attempt that no ledger forgot, and it moves once.
    pub fn may_move(&self) -> bool {
        let may_be_there = self.ever_accepted || self.bound || self.past_lost || self.news_pending;
        self.attempt == 1 && !self.moved && !may_be_there
    }

    /// The attempts after this one that may have been begun and forgotten (S18).
    pub fn later_attempts(&self) -> std::ops::RangeInclusive<u8> {
        let last = if self.past_lost { ATTEMPTS_MAX } else { self.attempt };
        self.attempt.saturating_add(1)..=last
    }

    /// From when on a look-up that does not find it may count (S11): its request has ended, and
    /// the provider has settled. A doubt that came up later runs from then.
    pub fn may_be_missed_from(&self, policy: &crate::Policy) -> Millis {
        let doubtful_since =
            if self.state == State::Unknown { self.since } else { self.send_before };
        self.send_before.max(doubtful_since).plus(policy.doubt_ms())
    }

    /// The packed form. The first byte is the state, bytes 2 to 5 the version: Lua reads both.
    pub fn pack(&self) -> [u8; PACKED_LEN] {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let mut out = [0; PACKED_LEN];
        out[0] = self.state as u8;
        out[1] = self.cause as u8;
        out[2..6].copy_from_slice(&self.version.to_le_bytes());
        out[6] = self.attempt;
        out[7] = flag(self.ever_accepted, EVER_ACCEPTED)
            | flag(self.news_pending, NEWS_PENDING)
            | flag(self.returned, RETURNED)
            | flag(self.step_open, STEP_OPEN)
            | flag(self.stepped, STEPPED)
            | flag(self.bound, BOUND)
            | flag(self.past_lost, PAST_LOST)
            | flag(self.moved, MOVED);
        out[8..10].copy_from_slice(&self.intents.to_le_bytes());
        out[10] = self.absences;
        out[11] = self.asked;
        out[12..16].copy_from_slice(&seconds(self.since).to_le_bytes());
        out[16..20].copy_from_slice(&seconds(self.give_up_at).to_le_bytes());
        out[20..26].copy_from_slice(&self.send_before.0.to_le_bytes()[..6]);
        out[26..32].copy_from_slice(&self.due.0.to_le_bytes()[..6]);
        out[32..36].copy_from_slice(&self.sender.0.to_le_bytes());
        out[36..40].copy_from_slice(&self.account.0.to_le_bytes());
        out
    }

    /// The inverse of [`Payout::pack`]; `None` for bytes that no payout packs to.
    pub fn unpack(bytes: &[u8]) -> Option<Payout> {
        let b: &[u8; PACKED_LEN] = bytes.try_into().ok()?;
        let six = |at: usize| {
            let mut wide = [0; 8];
            wide[..6].copy_from_slice(&b[at..at + 6]);
            Millis(u64::from_le_bytes(wide))
        };
        let four = |at: usize| u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]]);
        Some(Payout {
            state: State::from_byte(b[0])?,
            cause: Cause::from_byte(b[1])?,
            version: four(2),
            attempt: b[6],
            ever_accepted: b[7] & EVER_ACCEPTED != 0,
            news_pending: b[7] & NEWS_PENDING != 0,
            returned: b[7] & RETURNED != 0,
            step_open: b[7] & STEP_OPEN != 0,
            stepped: b[7] & STEPPED != 0,
            bound: b[7] & BOUND != 0,
            past_lost: b[7] & PAST_LOST != 0,
            moved: b[7] & MOVED != 0,
            intents: u16::from_le_bytes([b[8], b[9]]),
            absences: b[10],
            asked: b[11],
            since: Millis(u64::from(four(12)) * 1000),
            give_up_at: Millis(u64::from(four(16)) * 1000),
            send_before: six(20),
            due: six(26),
            sender: Sender(four(32)),
            account: Account(four(36)),
        })
    }

    /// The payout as it is after a trip through its packed form: whole seconds where the packed
    /// form has seconds. Compare-and-set compares packed forms, so a payout in memory is always
    /// kept in this form.
    pub fn normal(mut self) -> Payout {
        self.since = Millis(u64::from(seconds(self.since)) * 1000);
        self.give_up_at = Millis(u64::from(seconds(self.give_up_at)) * 1000);
        self
    }
}

/// Whole seconds, rounded down; saturates in the year 2106.
fn seconds(at: Millis) -> u32 {
    u32::try_from(at.0 / 1000).unwrap_or(u32::MAX)
}

impl fmt::Debug for Payout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} v{} attempt {} intents {}",
            self.state, self.version, self.attempt, self.intents
        )?;
        if self.cause != Cause::None {
            write!(f, " ({:?})", self.cause)?;
        }
        if self.due != Millis::NEVER {
            write!(f, " due {:?}", self.due)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_payout_survives_packing(bytes in proptest::collection::vec(any::<u8>(), PACKED_LEN), state in 0u8..9, cause in 0u8..21, flags: u8) {
            let mut bytes = bytes;
            bytes[0] = state;
            bytes[1] = cause;
            bytes[7] = flags;
            let payout = Payout::unpack(&bytes).unwrap();
            prop_assert_eq!(payout.pack().to_vec(), bytes);
            prop_assert_eq!(payout.normal(), payout);
        }
    }

    #[test]
    fn bytes_that_no_payout_packs_to_are_refused() {
        assert_eq!(Payout::unpack(&[9; PACKED_LEN]), None);
        assert_eq!(Payout::unpack(&[0; PACKED_LEN - 1]), None);
    }
}
