//! Rows whose amount the site has just agreed to take, so that a create need not ask again.
//!
//! A create has a moment in which it must leave (S6), and the question before it may take longer.
//! Then the row misses that moment and takes the next one; if it had to ask again there, a slow
//! site would never be sent anything.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer counts: longer than a row waits for its next turn, and far shorter than
/// limits live. The create's own answer is checked in any case.
const FRESH: Duration = Duration::from_secs(60);
/// Rows that are remembered; any further one asks again.
const CHECKED_MAX: usize = 10_000;

/// When the site agreed, by our reference.
#[derive(Debug, Default)]
pub(super) struct Checked(Mutex<BTreeMap<String, Instant>>);

impl Checked {
    /// The site takes this amount as it is.
    pub(super) fn remember(&self, reference: &str, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CHECKED_MAX {
            known.retain(|_, at| is_fresh(*at, now));
        }
        if known.len() < CHECKED_MAX {
            known.insert(reference.to_owned(), now);
        }
    }

    /// Whether it has just said so.
    pub(super) fn has(&self, reference: &str, now: Instant) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(reference).is_some_and(|at| is_fresh(*at, now))
    }

    /// The create has left: a later one asks anew.
    pub(super) fn forget(&self, reference: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(reference);
    }
}

fn is_fresh(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) < FRESH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_for_its_row_until_it_is_old_or_used() {
        let (checked, start) = (Checked::default(), Instant::now());
        checked.remember("A", start);
        assert!(checked.has("A", start) && !checked.has("B", start));
        assert!(!checked.has("A", start + FRESH));
        checked.forget("A");
        assert!(!checked.has("A", start));
    }

    #[test]
    fn no_more_are_remembered_than_have_room_and_old_ones_make_room() {
        let (checked, start) = (Checked::default(), Instant::now());
        (0..CHECKED_MAX).for_each(|n| checked.remember(&n.to_string(), start));
        checked.remember("late", start);
        assert!(!checked.has("late", start));
        checked.remember("late", start + FRESH);
        assert!(checked.has("late", start + FRESH));
    }
}
