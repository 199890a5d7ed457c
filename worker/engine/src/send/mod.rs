//! Sending a slice: permits, intents, requests, outcomes.
//!
//! ```text
//!  rows ─▶ window + permits ─▶ one intent write a group ─▶ a request each ─▶ one outcome write
//!            (S6: drawn first)    and one journal entry     (… it leaves)     for all that came
//!                                  (durable before …)
//! ```
//!
//! The three stages run beside each other: while a group's intents are being written, earlier
//! requests are under way and their answers wait for the next outcome write. So a write carries
//! what came together since the last one returned: one row on a quiet lane, hundreds on a busy
//! one, and never a timer.
//!
//! One file for each: `intents`, `calls`, `outcomes`.

mod calls;
mod intents;
mod outcomes;

pub use calls::Gate;

use crate::brakes::Road;
use crate::lane::Lane;
use crate::work::{Core, Held};
use calls::{Group, Returned, ship};
use domain::{Payout, State};
use futures::future::{BoxFuture, Fuse};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, select_biased};
use intents::{GROUP, Intended, intend};
use ledger::LedgerError;
use outcomes::write_down;
use providers::Answer;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

/// Sends what is payable, up to a slice. Gives how long sending has to wait, where it has to.
pub async fn send(core: &Core, lane: &Lane, held: &mut Held) -> Result<u64, LedgerError> {
    let now = core.clock.now();
    let is_due = |p: &Payout| p.state == State::Accepted && !p.news_pending && p.due <= now;
    let payable = |p: &Payout| is_due(p) && !lane.is_astray(p);
    let mut rows = held.rows(payable);
    rows.retain(|row| *row < held.end);
    rows.truncate(lane.slice(now));
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(0) };
    lane.check_account(&*core.ledger).await?;
    if let Road::Closed { wait_ms } = lane.brakes.road(&core.clock) {
        return Ok(wait_ms.max(1));
    }
    if let Some(wait_ms) = lane.spending.look(core, held.id).await? {
        return Ok(wait_ms);
    }
    let at_hand = core.shelf.rows(&*core.ledger, held.id, *first, *last).await?;
    let failover = held.failover.is_some();
    let mut queue: VecDeque<u16> = rows.into();
    let mut wait_ms = 0;

    let mut intending: Fuse<BoxFuture<'_, Result<Intended, LedgerError>>> = Fuse::terminated();
    let mut writing: Fuse<BoxFuture<'_, Vec<(u16, Payout)>>> = Fuse::terminated();
    let mut under_way: FuturesUnordered<BoxFuture<'_, Returned>> = FuturesUnordered::new();
    let mut returned: Vec<Returned> = Vec::new();
    let mut is_intending = false;
    let mut is_writing = false;
    // An error ends the sending of more rows, never what is under way.
    let mut failed: Option<LedgerError> = None;
    let mut never: Option<String> = None;
    loop {
        let may_go = !queue.is_empty() && !core.is_stopping() && !held.lost.load(Ordering::Relaxed);
        if !is_intending && may_go {
            let group: Vec<(u16, Payout)> = queue
                .iter()
                .take(GROUP.max(lane.per_call()))
                .filter_map(|row| Some((*row, *held.payout(*row)?)))
                .collect();
            let chunk = (held.id, held.token);
            intending = intend(core, lane, chunk, &at_hand, group).boxed().fuse();
            is_intending = true;
        }
        if !is_writing && !returned.is_empty() {
            writing = write_down(core, lane, held.id, failover, std::mem::take(&mut returned))
                .boxed()
                .fuse();
            is_writing = true;
        }
        if !is_intending && !is_writing && under_way.is_empty() {
            if let Some(reason) = never {
                lane.batch_brakes.hold(core, held, reason).await?;
            }
            return failed.map_or(Ok(wait_ms), Err);
        }
        select_biased! {
            written = writing => {
                is_writing = false;
                written.into_iter().for_each(|(row, payout)| held.learn(row, payout));
            }
            intended = intending => {
                is_intending = false;
                match intended {
                    Ok(Intended::Go { ready, changed, deadline, slots, permits, reserved }) => {
                        // The group's rows are the first of the queue, in its order; those that
                        // drew no slot stay. A stop may have emptied the queue meanwhile.
                        queue.drain(..(ready.len() + changed.len()).min(queue.len()));
                        changed.into_iter().for_each(|(row, payout)| held.learn(row, payout));
                        ready.iter().for_each(|r| held.learn(r.row, r.payout));
                        let group = Group { ready, deadline, slots, permits, reserved };
                        match ship(core, lane, held, &at_hand, group) {
                            Ok(calls) => under_way.extend(calls),
                            Err(error) => {
                                failed = Some(error);
                                queue.clear();
                            }
                        }
                    }
                    Ok(Intended::NoMore) => queue.clear(),
                    Ok(Intended::Wait(ms)) => {
                        wait_ms = ms;
                        queue.clear();
                    }
                    Ok(Intended::Never(reason)) => {
                        never = Some(reason);
                        queue.clear();
                    }
                    Err(error) => {
                        failed = Some(error);
                        queue.clear();
                    }
                }
            }
            answers = under_way.select_next_some() => {
                returned.push(answers);
                // What else has come is written with it.
                while let Some(Some(more)) = under_way.next().now_or_never() {
                    returned.push(more);
                }
                let mut answers = returned.iter().flat_map(|call| &call.answered);
                if answers.any(|(_, _, answer)| matches!(answer, Answer::StopLane { .. })) {
                    // At once, and before it is written down: no more rows into a closed door.
                    lane.brakes.pause(&core.clock, 1_000);
                    queue.clear();
                }
            }
        }
    }
}
