//! When creates came: the busiest sliding second, and the pace of the last minutes, tenth by
//! tenth. Every stamp is that of a request's first byte, the earliest moment that a server sees:
//! what a limit judges and what is shown here is one and the same.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::window::Window;

const TENTH_NS: u64 = 100_000_000;
/// Tenths of a second that are kept: two minutes.
const KEPT: usize = 1_200;

/// A tenth of a second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenth {
    /// Creates that came, refused ones included.
    pub creates: u64,
    /// Those of them that a limit answered 429.
    pub over_limit: u64,
    /// The most creates in any sliding second that ended in this tenth.
    pub busiest: u64,
}

/// The pace of the last minutes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaceSnapshot {
    /// Which tenth, counted since the start of the process, the last of `tenths` is: the present.
    pub now: u64,
    /// Without a gap, oldest first; two minutes at most.
    pub tenths: Vec<Tenth>,
}

/// Every create that arrived.
#[derive(Default)]
pub(crate) struct Arrivals {
    window: Window,
    /// Number `first` and those that follow it.
    tenths: VecDeque<Tenth>,
    first: u64,
}

impl Arrivals {
    pub(crate) fn add(&mut self, at_ns: u64) {
        let standing = self.window.add(at_ns);
        if let Some(tenth) = self.tenth(at_ns) {
            tenth.creates += 1;
            tenth.busiest = tenth.busiest.max(standing);
        }
    }

    /// A limit refused the create that came at `at_ns`.
    pub(crate) fn refused(&mut self, at_ns: u64) {
        if let Some(tenth) = self.tenth(at_ns) {
            tenth.over_limit += 1;
        }
    }

    /// The most creates in any sliding second so far.
    pub(crate) fn most(&self) -> u64 {
        self.window.most()
    }

    /// The pace up to `now_ns`.
    pub(crate) fn pace(&mut self, now_ns: u64) -> PaceSnapshot {
        self.go_on_to(now_ns / TENTH_NS);
        let behind = u64::try_from(self.tenths.len()).unwrap_or(u64::MAX);
        let now = (self.first + behind).saturating_sub(1);
        PaceSnapshot { now, tenths: self.tenths.iter().copied().collect() }
    }

    /// The tenth of a stamp, unless it is older than all that is kept.
    fn tenth(&mut self, at_ns: u64) -> Option<&mut Tenth> {
        let number = at_ns / TENTH_NS;
        self.go_on_to(number);
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.tenths.get_mut(place)
    }

    /// Makes room for tenth `number`; what nobody called in stands as such.
    fn go_on_to(&mut self, number: u64) {
        let kept = u64::try_from(KEPT).unwrap_or(u64::MAX);
        let oldest = (number + 1).saturating_sub(kept);
        while self.first < oldest && self.tenths.pop_front().is_some() {
            self.first += 1;
        }
        if self.tenths.is_empty() {
            self.first = self.first.max(oldest);
        }
        let place = usize::try_from(number.saturating_sub(self.first)).unwrap_or(KEPT);
        let length = self.tenths.len().max(place.min(KEPT - 1) + 1);
        self.tenths.resize(length, Tenth::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn the_pace_has_no_gap_and_ends_with_the_present() {
        let mut arrivals = Arrivals::default();
        for at in [50, 60, 420] {
            arrivals.add(at * MS);
        }
        arrivals.refused(420 * MS);
        let pace = arrivals.pace(640 * MS);
        let creates: Vec<u64> = pace.tenths.iter().map(|tenth| tenth.creates).collect();
        assert_eq!((pace.now, creates), (6, vec![2, 0, 0, 0, 1, 0, 0]));
        assert_eq!(pace.tenths[4], Tenth { creates: 1, over_limit: 1, busiest: 3 });
    }

    #[test]
    fn the_busiest_second_of_a_tenth_is_the_one_that_ends_in_it() {
        let mut arrivals = Arrivals::default();
        for at in [50, 950, 1_040, 1_060, 5_000] {
            arrivals.add(at * MS);
        }
        let tenths = arrivals.pace(5_000 * MS).tenths;
        let busiest: Vec<u64> = [0, 9, 10, 50].map(|place: usize| tenths[place].busiest).into();
        assert_eq!(busiest, [1, 2, 3, 1], "the create at 50 ms has left at 1,050 ms");
        assert_eq!(arrivals.most(), 3);
    }

    #[test]
    fn two_minutes_are_kept_and_no_more_whoever_is_late() {
        let mut arrivals = Arrivals::default();
        let kept = u64::try_from(KEPT).unwrap();
        arrivals.add(5 * TENTH_NS);
        arrivals.add((kept + 7) * TENTH_NS);
        arrivals.add(6 * TENTH_NS);
        let pace = arrivals.pace((kept + 7) * TENTH_NS);
        assert_eq!((pace.now, pace.tenths.len()), (kept + 7, KEPT));
        assert_eq!(pace.tenths.iter().map(|tenth| tenth.creates).sum::<u64>(), 1);
        let pace = arrivals.pace(9 * kept * TENTH_NS);
        assert_eq!((pace.now, pace.tenths.len()), (9 * kept, KEPT));
        assert!(pace.tenths.iter().all(|tenth| *tenth == Tenth::default()));
    }
}
