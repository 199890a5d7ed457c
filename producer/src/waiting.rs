//! What waits for a person at a provider, and what that person is to do.
//!
//! Nobody is told to send money that must not be sent now, or that somebody has sent already: what
//! speaks against acting stands in [`Waits::to_do`], before the provider's own words.

use crate::provider::payout;
use crate::rules::Rules;
use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Row, State};
use ledger::told::Told;
use ledger::{Chunk, Ledger, LedgerError, Via};
use providers::SecondStep;
use std::sync::Arc;

/// Payouts that are listed; more are only counted.
pub const LISTED_MAX: usize = 1_000;
/// Batches that are read at once.
const PAGE: u32 = 256;
/// What is said where the provider said nothing.
const NO_WORDS: &str = "the provider waits for a person and does not say for what";
/// What is said where a step was begun before and the provider waits all the same.
const FUNDED_BEFORE: &str =
    "somebody has already said that this was funded; ask before sending anything";

/// A payout that waits.
#[derive(Clone, Debug)]
pub struct Waits {
    /// What is to be paid.
    pub row: Arc<Row>,
    /// The lane that pays it.
    pub lane: LaneName,
    /// Since when.
    pub since: Millis,
    /// What the provider waits for, in the newest words about it. For people: [`Waits::to_do`].
    pub what: String,
    /// A step of this attempt was begun before, whatever became of it.
    pub stepped: bool,
    /// A step of it is under way; only a look-up, due then, tells what became of it.
    pub step_until: Option<Millis>,
    /// The step that can be taken from here.
    pub step: SecondStep,
    /// Why nothing is to be done about it now: the batch or the lane pays nothing.
    pub hold: Option<String>,
}

impl Waits {
    /// Somebody has said that it was funded: the money may be there already.
    pub fn is_said_to_be_funded(&self) -> bool {
        self.stepped && self.step == SecondStep::Funding
    }

    /// What a person is to do. Where that is nothing, the provider's words, which may hold an
    /// amount and a place to send it to, are left out.
    pub fn to_do(&self) -> String {
        let before = self.is_said_to_be_funded().then_some(FUNDED_BEFORE);
        let held = self.hold.as_ref().map(|why| match self.step {
            SecondStep::Funding => format!("do not fund: {why}"),
            SecondStep::Code => format!("do not enter a code: {why}"),
            SecondStep::None => format!("do nothing about it: {why}"),
        });
        match (held, before) {
            (Some(held), None) => held,
            (Some(held), Some(before)) => format!("{held}; {before}"),
            (None, Some(before)) => format!("{before}. What the provider says: {}", self.what),
            (None, None) => self.what.clone(),
        }
    }
}

/// What waits of one batch.
#[derive(Clone, Debug)]
pub struct WaitingBatch {
    /// The batch.
    pub id: BatchId,
    /// Its file.
    pub name: String,
    /// All that wait, counted.
    pub count: u64,
    /// The first of them, in the order of the ledger.
    pub payouts: Vec<Waits>,
}

/// What waits of all batches, the newest batch first.
pub async fn all(ledger: &dyn Ledger, rules: &Rules) -> Result<Vec<WaitingBatch>, LedgerError> {
    let (mut found, mut room, mut before) = (Vec::new(), LISTED_MAX, None);
    loop {
        let page = ledger.batches(before, PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        before = Some(last.id);
        for batch in page.iter().filter(|batch| batch.counts.get(State::Waiting) > 0) {
            let waits = of_batch(ledger, rules, batch, room).await?;
            room -= waits.payouts.len();
            found.push(waits);
        }
    }
}

/// What waits of one batch; at most `room` payouts are listed.
pub async fn of_batch(
    ledger: &dyn Ledger,
    rules: &Rules,
    batch: &Batch,
    room: usize,
) -> Result<WaitingBatch, LedgerError> {
    let (id, name, count) = (batch.id, batch.name.clone(), batch.counts.get(State::Waiting));
    let mut payouts = Vec::new();
    for no in 0..batch.chunks {
        if payouts.len() >= room {
            break;
        }
        if let Some(chunk) = ledger.chunk(ChunkId { batch: id, no }).await? {
            payouts.extend(of_chunk(ledger, rules, batch.state, &chunk).await?);
        }
    }
    payouts.truncate(room);
    Ok(WaitingBatch { id, name, count, payouts })
}

async fn of_chunk(
    ledger: &dyn Ledger,
    rules: &Rules,
    batch: BatchState,
    chunk: &Chunk,
) -> Result<Vec<Waits>, LedgerError> {
    if !chunk.payouts.iter().any(|payout| payout.state == State::Waiting) {
        return Ok(Vec::new());
    }
    let told = Told::read(ledger, chunk.id).await?;
    let rows = payout::rows(ledger, chunk.id).await?;
    let mut all = Vec::new();
    for Via { lane, .. } in chunk.vias() {
        let known = rules.lane(lane.as_str()).map(|at| &rules.lanes[at]);
        let step = known.map_or(SecondStep::None, |lane| lane.provider.limits().second_step);
        let hold = hold(ledger, batch, lane).await?;
        let waiting = chunk.on(lane).filter(|(_, payout)| payout.state == State::Waiting);
        all.extend(waiting.filter_map(|(row, payout)| {
            Some(Waits {
                row: Arc::clone(rows.get(usize::from(row))?),
                lane: lane.clone(),
                since: payout.since,
                what: told.reason(row).unwrap_or(NO_WORDS).to_owned(),
                stepped: payout.stepped,
                step_until: payout.step_open.then_some(payout.due),
                step,
                hold: hold.clone(),
            })
        }));
    }
    Ok(all)
}

/// Why a step would be refused now, whatever the payout's own state.
async fn hold(
    ledger: &dyn Ledger,
    batch: BatchState,
    lane: &LaneName,
) -> Result<Option<String>, LedgerError> {
    if batch != BatchState::Active {
        return Ok(Some(format!("the batch is {batch}")));
    }
    let stop = ledger.lane(lane.clone()).await?.stopped;
    Ok(stop.map(|stop| format!("lane {lane} is stopped: {}", stop.reason)))
}
