//! What is asked of a batch beside its rows: when it may go, and before whom. Fixed when the batch
//! is opened; nothing changes it afterwards.

use crate::time::Millis;
use std::fmt;

/// What is asked of a batch beside its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Nothing of it is sent before this moment, in ledger time; 0 for one that may go at once.
    pub not_before: Millis,
    /// Which of two batches goes first on a lane.
    pub priority: Priority,
}

impl Terms {
    /// Whether nothing of the batch may be sent at `now`.
    pub fn waits(&self, now: Millis) -> bool {
        self.not_before > now
    }

    /// When a row that was taken in at `now` and never sent is too old: its time begins when it may
    /// be sent.
    pub fn give_up_at(&self, now: Millis, unsent_give_up_ms: u64) -> Millis {
        now.max(self.not_before).plus(unsent_give_up_ms)
    }
}

/// Which of two batches goes first on a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before all others.
    High,
    /// Where nothing else is asked.
    #[default]
    Normal,
    /// When the others leave room, and now and then all the same.
    Low,
}

impl Priority {
    /// All of them, the one that goes first in front.
    pub const ALL: [Priority; 3] = [Priority::High, Priority::Normal, Priority::Low];

    /// The name in stores, on screens and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Priority::High => "high",
            Priority::Normal => "normal",
            Priority::Low => "low",
        }
    }

    /// The inverse of [`Priority::name`].
    pub fn from_name(name: &str) -> Option<Priority> {
        Priority::ALL.into_iter().find(|priority| priority.name() == name)
    }

    /// The index in [`Priority::ALL`].
    pub fn index(self) -> usize {
        match self {
            Priority::High => 0,
            Priority::Normal => 1,
            Priority::Low => 2,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_row_that_was_never_sent_begins_when_it_may_be_sent() {
        let now = Millis(1_000);
        let at = |not_before| Terms { not_before: Millis(not_before), ..Terms::default() };
        assert_eq!(Terms::default().give_up_at(now, 50), Millis(1_050));
        assert_eq!(at(900).give_up_at(now, 50), Millis(1_050));
        assert_eq!(at(4_000).give_up_at(now, 50), Millis(4_050));
        assert!(at(1_001).waits(now) && !at(1_000).waits(now), "the moment itself is its own");
    }

    #[test]
    fn priorities_are_known_by_name_and_by_their_place_in_the_order() {
        for (index, priority) in Priority::ALL.into_iter().enumerate() {
            assert_eq!(Priority::from_name(priority.name()), Some(priority));
            assert_eq!(priority.index(), index);
        }
        assert_eq!(Priority::from_name("urgent"), None);
    }
}
