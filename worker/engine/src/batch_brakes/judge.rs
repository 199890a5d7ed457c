//! Whether a batch goes on, from what the ledger knows of it: pure, so that every case is a test.

use domain::{Counts, Millis, Payout, State};
use std::collections::BTreeSet;

/// When a batch stops by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchBrakeSettings {
    /// More than so many percent of the answered payouts failed or are in review; 0 is never.
    pub failed_percent: u8,
    /// … but not before so many are answered.
    pub failed_after: u32,
    /// So many payouts must be paid before the others leave; 0 is none.
    pub canary_rows: u16,
}

impl BatchBrakeSettings {
    /// No brake.
    pub const OFF: BatchBrakeSettings =
        BatchBrakeSettings { failed_percent: 0, failed_after: 0, canary_rows: 0 };
}

/// More of a batch failed than its lane allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyFailed {
    /// Payouts that failed or are in review …
    pub unpaid: u64,
    /// … of so many that were answered.
    pub answered: u64,
    /// Counted from a resumption on, not from the beginning.
    pub since_resumed: bool,
}

/// Counts what came since a person has last let the batch go on (`seen`; all zero if nobody did).
/// A review that was seen and decided since hides one new failure: the brake may close late by
/// as many, never too soon.
pub fn too_many_failed(
    settings: &BatchBrakeSettings,
    now: &Counts,
    seen: &Counts,
) -> Option<TooManyFailed> {
    let answered = now.answered().saturating_sub(seen.answered());
    let unpaid = now.unpaid().saturating_sub(seen.unpaid());
    let is_closed = settings.failed_percent > 0
        && answered >= u64::from(settings.failed_after)
        && unpaid.saturating_mul(100) > answered.saturating_mul(settings.failed_percent.into());
    is_closed.then_some(TooManyFailed { unpaid, answered, since_resumed: seen.total() > 0 })
}

/// How the canaries of a batch fare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canaries {
    /// All are paid: everything may leave.
    Home,
    /// Only rows below this one may leave.
    UnderWay {
        /// The row behind the last canary.
        end: u16,
        /// When one of them was last heard of.
        since: Millis,
    },
    /// Of so many canaries these rows failed, were cancelled or wait for a person.
    Lost {
        /// Which.
        rows: BTreeSet<u16>,
        /// All canaries.
        of: usize,
    },
}

/// The canaries are the first rows of the chunk, but for lost ones that a person has `seen`: the
/// rows behind them take their turn. A chunk with fewer rows has fewer canaries.
pub fn canaries(payouts: &[Payout], rows: u16, seen: &BTreeSet<u16>) -> Canaries {
    let all: Vec<(u16, &Payout)> = (0u16..)
        .zip(payouts)
        .filter(|(row, payout)| !(is_lost(payout) && seen.contains(row)))
        .take(usize::from(rows))
        .collect();
    let lost: BTreeSet<u16> =
        all.iter().filter(|(_, payout)| is_lost(payout)).map(|(row, _)| *row).collect();
    if !lost.is_empty() {
        return Canaries::Lost { rows: lost, of: all.len() };
    }
    let is_home = all.iter().all(|(_, payout)| payout.state == State::Paid);
    match all.last() {
        Some((last, _)) if !is_home => {
            let since = all.iter().map(|(_, payout)| payout.since).max().unwrap_or_default();
            Canaries::UnderWay { end: last.saturating_add(1), since }
        }
        _ => Canaries::Home,
    }
}

/// One that another lane had to pay was lost on this one.
fn is_lost(payout: &Payout) -> bool {
    payout.state.is_lost() || payout.moved
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: BatchBrakeSettings =
        BatchBrakeSettings { failed_percent: 30, failed_after: 20, canary_rows: 0 };

    fn counts(accepted: u64, submitted: u64, paid: u64, failed: u64, review: u64) -> Counts {
        Counts::from_array([accepted, 0, submitted, 0, 0, paid, failed, 0, review])
    }

    fn closes(now: Counts, seen: Counts) -> bool {
        too_many_failed(&SETTINGS, &now, &seen).is_some()
    }

    #[test]
    fn a_brake_closes_when_more_than_its_percentage_failed_and_not_at_it() {
        let none = Counts::default();
        assert!(!closes(counts(980, 0, 14, 6, 0), none), "6 of 20 are 30 percent");
        assert!(closes(counts(980, 0, 13, 7, 0), none));
        assert!(closes(counts(980, 0, 13, 4, 3), none), "a review is as bad");
        let told = too_many_failed(&SETTINGS, &counts(980, 0, 13, 4, 3), &none);
        let expected = TooManyFailed { unpaid: 7, answered: 20, since_resumed: false };
        assert_eq!(told, Some(expected));
    }

    #[test]
    fn a_canary_that_another_lane_had_to_pay_is_lost_on_this_one() {
        let payout = Payout::new(Millis(0), Millis(1_000));
        let paid = Payout { state: State::Paid, ..payout };
        let moved = Payout { attempt: 2, moved: true, ..paid };
        assert_eq!(canaries(&[paid, payout], 1, &BTreeSet::new()), Canaries::Home);
        let lost = Canaries::Lost { rows: [0].into(), of: 1 };
        assert_eq!(canaries(&[moved, payout], 1, &BTreeSet::new()), lost);
    }

    #[test]
    fn a_small_batch_and_the_samples_never_close_it() {
        let none = Counts::default();
        assert!(!closes(counts(0, 0, 0, 19, 0), none), "fewer than 20 are answered");
        for answered in 4..=52 {
            let worst = counts(52 - answered, 0, answered - 4, 4, 0);
            assert!(!closes(worst, none), "4 bad rows of 52, all of them first: {answered}");
        }
    }

    #[test]
    fn refusals_that_come_before_slow_payments_are_no_majority() {
        // A bank that pays tomorrow and refuses today: 3 percent are refused.
        assert!(!closes(counts(0, 970, 0, 30, 0), Counts::default()));
        assert!(closes(counts(970, 0, 0, 30, 0), Counts::default()), "nothing was taken at all");
    }

    #[test]
    fn after_a_resumption_it_counts_anew() {
        let seen = counts(900, 0, 60, 40, 0);
        assert!(!closes(seen, seen));
        assert!(!closes(counts(890, 0, 60, 50, 0), seen), "ten rows are too few to judge");
        assert!(closes(counts(880, 0, 60, 60, 0), seen));
        assert!(!closes(counts(800, 0, 135, 65, 0), seen), "25 of 100");
        let told = too_many_failed(&SETTINGS, &counts(880, 0, 60, 60, 0), &seen).unwrap();
        assert_eq!(told, TooManyFailed { unpaid: 20, answered: 20, since_resumed: true });
    }

    #[test]
    fn a_brake_that_is_off_never_closes() {
        let all_failed = counts(0, 0, 0, 1_000, 0);
        let off = BatchBrakeSettings::OFF;
        assert_eq!(too_many_failed(&off, &all_failed, &Counts::default()), None);
    }

    fn payouts(states: &[State]) -> Vec<Payout> {
        let fresh = Payout::new(Millis(5), Millis(10));
        let one = |state: &State| Payout { state: *state, ..fresh };
        states.iter().map(one).collect()
    }

    #[test]
    fn only_the_first_rows_leave_until_all_of_them_are_paid() {
        use State::{Accepted, Paid, Submitted};
        let none = BTreeSet::new();
        let under_way = Canaries::UnderWay { end: 2, since: Millis(5) };
        assert_eq!(canaries(&payouts(&[Accepted; 5]), 2, &none), under_way);
        assert_eq!(canaries(&payouts(&[Paid, Submitted, Accepted]), 2, &none), under_way);
        assert_eq!(canaries(&payouts(&[Paid, Paid, Accepted]), 2, &none), Canaries::Home);
        assert_eq!(canaries(&payouts(&[Paid]), 2, &none), Canaries::Home, "it has no more rows");
    }

    #[test]
    fn a_lost_canary_is_told_and_once_seen_the_row_behind_it_takes_its_turn() {
        use State::{Accepted, Cancelled, Failed, Paid, Review};
        let none = BTreeSet::new();
        for state in [Failed, Review, Cancelled] {
            let lost = canaries(&payouts(&[Paid, state, Accepted, Accepted]), 2, &none);
            assert_eq!(lost, Canaries::Lost { rows: BTreeSet::from([1]), of: 2 });
        }
        let seen = BTreeSet::from([1]);
        let next = canaries(&payouts(&[Paid, Failed, Accepted, Accepted]), 2, &seen);
        assert_eq!(next, Canaries::UnderWay { end: 3, since: Millis(5) });
        assert_eq!(canaries(&payouts(&[Paid, Failed, Paid, Accepted]), 2, &seen), Canaries::Home);
        let again = canaries(&payouts(&[Paid, Accepted, Accepted]), 2, &seen);
        assert_eq!(again, Canaries::UnderWay { end: 2, since: Millis(5) }, "it is tried again");
    }
}
