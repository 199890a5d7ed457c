//! Fair choice between batches: of those with a ready chunk, the one that was served least goes
//! first, one chunk at a time. A batch that comes new, or had nothing ready for a while, starts
//! at the lane's present: it neither waits for the others nor makes up for what it missed.
//! (Start-time fair queueing, with a chunk as the unit of service.)

use domain::BatchId;
use std::collections::VecDeque;

/// A batch that waits for service on a lane.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Which.
    pub batch: BatchId,
    /// Its virtual time: how often it was served, counted from the lane's beginning.
    pub served: u64,
    /// Its ready chunks, the one to go first in front.
    pub chunks: VecDeque<u16>,
}

/// Chooses at most `max` chunks, in order, and moves the virtual times of lane and batches.
pub fn choose(waiting: &mut [Waiting], lane_time: &mut u64, max: u16) -> Vec<(BatchId, u16)> {
    let mut order = Vec::new();
    while order.len() < usize::from(max) {
        let turn = |w: &&mut Waiting| (w.served.max(*lane_time), w.batch);
        let Some(next) = waiting.iter_mut().filter(|w| !w.chunks.is_empty()).min_by_key(turn)
        else {
            break;
        };
        let Some(no) = next.chunks.pop_front() else { break };
        *lane_time = next.served.max(*lane_time);
        next.served = *lane_time + 1;
        order.push((next.batch, no));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use ulid::Ulid;

    fn waiting(batch: u128, served: u64, chunks: u16) -> Waiting {
        let batch = BatchId(Ulid(batch));
        Waiting { batch, served, chunks: (0..chunks).collect() }
    }

    fn batches(order: &[(BatchId, u16)]) -> Vec<u128> {
        order.iter().map(|(batch, _)| batch.0.0).collect()
    }

    #[test]
    fn batches_take_turns_until_one_has_no_more() {
        let mut all = [waiting(1, 0, 9), waiting(2, 0, 2)];
        let order = choose(&mut all, &mut 0, 6);
        assert_eq!(batches(&order), [1, 2, 1, 2, 1, 1]);
    }

    #[test]
    fn a_new_batch_goes_before_one_that_was_served_and_does_not_make_up_for_the_past() {
        let mut lane_time = 40;
        let mut all = [waiting(1, 41, 9), waiting(2, 0, 9)];
        let order = choose(&mut all, &mut lane_time, 5);
        assert_eq!(batches(&order), [2, 1, 2, 1, 2]);
    }
}
