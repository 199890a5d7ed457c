//! The third stage: what was answered is written down, and what it taught about the lane.

use super::calls::Returned;
use crate::counters::{Counters, count};
use crate::lane::Lane;
use crate::retry::pause_ms;
use crate::spend::Reservation;
use crate::verdict::{Lesson, Verdict, digest};
use crate::work::{Core, wait_for_ledger};
use domain::{ChunkId, Money, Payout, Place, Row};
use ledger::apply::{Happening, apply};
use ledger::{Guard, LedgerError};
use providers::Answer;
use std::sync::Arc;

/// Writes outcomes down, asking until the ledger answers, and lets the lane learn from them.
/// With a `failover`, what is refused and created nothing goes by the second lane. Gives the payouts
/// as they stand then.
pub(super) async fn write_down(
    core: &Core,
    lane: &Lane,
    id: ChunkId,
    failover: bool,
    returned: Vec<Returned>,
) -> Vec<(u16, Payout)> {
    let now = core.clock.now();
    let rows = returned.iter().map(|call| call.answered.len()).sum();
    let mut lessons = Vec::with_capacity(rows);
    let mut happenings = Vec::with_capacity(rows);
    // Calls of one group mostly come back together: what they leave is given back in one step.
    let mut unspent: Vec<(Arc<Reservation>, Vec<Arc<Row>>)> = Vec::new();
    for call in returned {
        let Returned { answered, sent_at, mut shipment, rows_max, stop, unspent: left, reserved } =
            call;
        match unspent.iter_mut().find(|(from, _)| *from == reserved) {
            _ if left.is_empty() => {}
            Some((_, rows)) => rows.extend(left),
            None => unspent.push((reserved, left)),
        }
        // What one call taught about the provider is learnt once, however many rows it carried.
        let mut told: Option<Lesson> = None;
        let mut is_answered = false;
        for (row, payout, answer) in answered {
            tally(&core.counters, &answer);
            let pause_ms = pause_ms(&lane.policy, payout.asked, core.env.random());
            let Verdict { event, mut notes, lesson } =
                digest(answer, sent_at, &payout, now, pause_ms, failover);
            if let Some((_, note)) = shipment.take_if(|(at, _)| *at == row) {
                notes.push(note);
            }
            happenings.push(Happening { row, payout, event, notes });
            if told.as_ref() != Some(&lesson) {
                lessons.push((row, lesson.clone()));
            }
            is_answered |= lesson.is_answered();
            told = lesson.is_of_call().then_some(lesson);
        }
        if is_answered {
            lane.brakes.answered();
        }
        if let Some(rows_max) = rows_max
            && let Err(error) = lane.brakes.shrink(&*core.ledger, rows_max).await
        {
            tracing::warn!(%error, "the lane's record is not up to date");
        }
        if let Some((text, retry_after_ms)) = stop
            && let Some((row, _)) = lessons.last()
        {
            let lesson = Lesson::Stop { text, retry_after_ms };
            learn(core, lane, Place { chunk: id, row: *row }, &lesson).await;
        }
    }
    let written = store(core, lane, id, happenings).await;
    for (reserved, rows) in unspent {
        let money: Vec<&Money> = rows.iter().map(|row| &row.money).collect();
        lane.spending.give_back(core, &reserved, &money).await;
    }
    for (row, lesson) in lessons {
        learn(core, lane, Place { chunk: id, row }, &lesson).await;
    }
    written
}

/// Stores outcomes, however long the ledger is away: they are the only ones who know.
async fn store(
    core: &Core,
    lane: &Lane,
    id: ChunkId,
    happenings: Vec<Happening>,
) -> Vec<(u16, Payout)> {
    let mut tries = 0;
    loop {
        let now = core.clock.now();
        let stored =
            apply(&*core.ledger, id, Guard::Fact, now, &lane.policy, happenings.clone()).await;
        match stored {
            Ok(done) => {
                let done = done.into_iter().flatten();
                return done.map(|(row, applied)| (row, applied.payout())).collect();
            }
            Err(LedgerError::Unavailable(_)) => wait_for_ledger(core, &mut tries).await,
            Err(error) => {
                tracing::error!(chunk = %id, %error, "outcomes are lost; their rows will be looked up");
                return Vec::new();
            }
        }
    }
}

pub(super) async fn learn(core: &Core, lane: &Lane, place: Place, lesson: &Lesson) {
    match lane.brakes.learn(&*core.ledger, &core.clock, place, lesson).await {
        Ok(true) => count(&core.counters.lane_stops_total),
        Ok(false) => {}
        Err(error) => tracing::warn!(%place, %error, "the lane's record is not up to date"),
    }
}

fn tally(counters: &Counters, answer: &Answer) {
    count(match answer {
        Answer::Accepted { .. } | Answer::Begun { .. } | Answer::Differs { .. } => {
            &counters.creates_accepted_total
        }
        Answer::Refused { .. } | Answer::Unlisted { .. } => &counters.creates_refused_total,
        Answer::Later { .. } | Answer::StopLane { .. } => &counters.creates_later_total,
        Answer::Unknown { .. } | Answer::Exists { .. } => &counters.creates_unknown_total,
        Answer::NotSent => &counters.creates_withdrawn_total,
    });
}
