//! Fair choice between batches, in two steps, one chunk at a time.
//!
//! First the priority. Of [`ROUND`] turns of a lane, 16 are for the highest priority that has a
//! ready chunk; four are for `normal` and one is for `low`, where those have any. So a higher one goes
//! first, and a lower one is slowed down and never stands still.
//!
//! Then the batch: of those of this priority with a ready chunk, the one that was served least goes
//! first. A batch that comes new, or had nothing ready for a while, starts at the lane's present: it
//! neither waits for the others nor makes up for what it missed. (Start-time fair queueing, with a
//! chunk as the unit of service.)

use domain::{BatchId, Priority};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Turns until the priorities take theirs in the same order again.
pub const ROUND: u64 = 21;

/// The turn of a round that is for `low`: its last.
const FOR_LOW: u64 = ROUND - 1;

/// Every so many turns of a round, one is for `normal`: turns 4, 9, 14 and 19.
const NORMAL_EVERY: u64 = 5;

/// How far a lane has come. Losing it makes a few turns unfair, and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    /// Chunks given out.
    pub taken: u64,
    /// The present of each priority, in the order of [`Priority::ALL`]: how often the batch was
    /// served that is served now.
    pub times: [u64; Priority::ALL.len()],
}

impl Turns {
    /// Whose turn it is, if it has anything.
    fn favourite(&self) -> Priority {
        match self.taken % ROUND {
            FOR_LOW => Priority::Low,
            turn if turn % NORMAL_EVERY == NORMAL_EVERY - 1 => Priority::Normal,
            _ => Priority::High,
        }
    }
}

/// A batch that waits for service on a lane.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Which.
    pub batch: BatchId,
    /// Before whom it goes.
    pub priority: Priority,
    /// Its virtual time: how often it was served, counted from the lane's beginning.
    pub served: u64,
    /// Its ready chunks, the one to go first in front.
    pub chunks: VecDeque<u16>,
}

/// Chooses at most `max` chunks, in order, and moves the virtual times of lane and batches.
pub fn choose(waiting: &mut [Waiting], turns: &mut Turns, max: u16) -> Vec<(BatchId, u16)> {
    let mut order = Vec::new();
    while order.len() < usize::from(max) {
        let ready = || waiting.iter().filter(|w| !w.chunks.is_empty());
        let favourite = turns.favourite();
        let has_any = ready().any(|w| w.priority == favourite);
        let Some(highest) = ready().map(|w| w.priority).min() else { break };
        let priority = if has_any { favourite } else { highest };
        let time = &mut turns.times[priority.index()];
        let turn = |w: &&mut Waiting| (w.served.max(*time), w.batch);
        let of_it = waiting.iter_mut().filter(|w| w.priority == priority && !w.chunks.is_empty());
        let Some(next) = of_it.min_by_key(turn) else { break };
        let Some(no) = next.chunks.pop_front() else { break };
        *time = next.served.max(*time);
        next.served = *time + 1;
        turns.taken = turns.taken.wrapping_add(1);
        order.push((next.batch, no));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ulid::Ulid;

    fn of(priority: Priority, batch: u128, served: u64, chunks: u16) -> Waiting {
        let batch = BatchId(Ulid(batch));
        Waiting { batch, priority, served, chunks: (0..chunks).collect() }
    }

    fn waiting(batch: u128, served: u64, chunks: u16) -> Waiting {
        of(Priority::Normal, batch, served, chunks)
    }

    fn batches(order: &[(BatchId, u16)]) -> Vec<u128> {
        order.iter().map(|(batch, _)| batch.0.0).collect()
    }

    #[test]
    fn batches_take_turns_until_one_has_no_more() {
        let mut all = [waiting(1, 0, 9), waiting(2, 0, 2)];
        let order = choose(&mut all, &mut Turns::default(), 6);
        assert_eq!(batches(&order), [1, 2, 1, 2, 1, 1]);
    }

    #[test]
    fn a_new_batch_goes_before_one_that_was_served_and_does_not_make_up_for_the_past() {
        let mut turns = Turns { taken: 40, times: [40; 3] };
        let mut all = [waiting(1, 41, 9), waiting(2, 0, 9)];
        let order = choose(&mut all, &mut turns, 5);
        assert_eq!(batches(&order), [2, 1, 2, 1, 2]);
    }

    #[test]
    fn of_21_turns_16_are_for_high_four_for_normal_and_one_for_low() {
        let mut all = [
            of(Priority::Low, 1, 0, 99),
            of(Priority::Normal, 2, 0, 99),
            of(Priority::High, 3, 0, 99),
        ];
        let mut turns = Turns::default();
        for _ in 0..3 {
            let order = batches(&choose(&mut all, &mut turns, 21));
            assert_eq!(
                order,
                [3, 3, 3, 3, 2, 3, 3, 3, 3, 2, 3, 3, 3, 3, 2, 3, 3, 3, 3, 2, 1],
                "nobody waits for long"
            );
        }
    }

    #[test]
    fn a_turn_that_nobody_wants_goes_to_the_highest_that_is_there() {
        let mut all = [of(Priority::Low, 1, 0, 30), of(Priority::Normal, 2, 0, 22)];
        let order = batches(&choose(&mut all, &mut Turns::default(), 21));
        assert_eq!((&order[..20], order[20]), (&[2; 20][..], 1));
        let mut turns = Turns::default();
        let order = batches(&choose(&mut all[..1], &mut turns, 99));
        assert_eq!(order, [1; 29], "alone it has them all");
    }

    #[test]
    fn what_is_asked_of_one_priority_moves_no_batch_of_another() {
        // Two low batches behind a high one that never ends: both come forward.
        let mut all =
            [of(Priority::High, 1, 0, 999), of(Priority::Low, 2, 0, 9), of(Priority::Low, 3, 0, 9)];
        let order = batches(&choose(&mut all, &mut Turns::default(), 84));
        let low: Vec<u128> = order.into_iter().filter(|batch| *batch != 1).collect();
        assert_eq!(low, [2, 3, 2, 3]);
    }

    proptest! {
        #[test]
        fn nothing_is_left_while_there_is_room_and_no_priority_waits_for_more_than_a_round(
            sizes in proptest::collection::vec((0usize..3, 0u64..50, 0u16..40), 0..6),
            taken in any::<u64>(),
            max in 0u16..200,
        ) {
            let mut all: Vec<Waiting> = (1..).zip(&sizes)
                .map(|(n, (class, served, chunks))| of(Priority::ALL[*class], n, *served, *chunks))
                .collect();
            let there: usize = all.iter().map(|w| w.chunks.len()).sum();
            let mut turns = Turns { taken, times: [0; 3] };
            let order = choose(&mut all, &mut turns, max);
            prop_assert_eq!(order.len(), there.min(usize::from(max)));
            let classes: std::collections::BTreeMap<BatchId, Priority> =
                all.iter().map(|w| (w.batch, w.priority)).collect();
            for priority in Priority::ALL {
                let mut left: usize = (1..).zip(&sizes)
                    .filter(|(_, (class, ..))| Priority::ALL[*class] == priority)
                    .map(|(_, (.., chunks)): (u128, _)| usize::from(*chunks))
                    .sum();
                let mut waits = 0;
                for (batch, _) in &order {
                    if classes[batch] == priority {
                        (left, waits) = (left - 1, 0);
                    } else if left > 0 {
                        waits += 1;
                        prop_assert!(waits < ROUND, "{priority} waits");
                    }
                }
            }
        }
    }
}
