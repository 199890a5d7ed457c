//! Opening, filling, sealing and rejecting a batch (S2).

use super::RedisLedger;
use super::keys::number;
use super::rebuild::Orders;
use super::scripts;
use super::values::{formats_text, lane_names, take, take_bool};
use crate::api::LedgerError;
use crate::rules::batch::ABANDONED;
use crate::types::{NewBatch, NewChunk, Opened, Seal};
use domain::{BatchId, BatchState, ChunkId, Millis, Payout};
use redis::Value;

/// Rounds of racing for a file's hash. Each one lost names a newer batch that won it.
const MAX_ROUNDS: usize = 16;

/// Chunks of a rejected batch that are cleared away in one round trip.
const CLEARED_AT_ONCE: usize = 256;

impl RedisLedger {
    /// In this order, so that a crash in between leaves nothing that names a batch which is not
    /// there: the batch, the indexes, the file's hash.
    pub(super) async fn do_open(&self, new: NewBatch) -> Result<Opened, LedgerError> {
        for _ in 0..MAX_ROUNDS {
            let holder = self.holder(&new.file_sha256).await?;
            if holder == Some(new.id) {
                return self.opened_before(&new).await;
            }
            let own = self.get_batch(new.id).await?;
            if let Some(own) = &own {
                if own.file_sha256 != new.file_sha256 {
                    return Err(other_file(new.id));
                }
                // It had the file once; it died, and somebody else has taken it since.
                if own.state != BatchState::Receiving {
                    return Ok(Opened::Fresh);
                }
            }
            if let Some(other) = holder
                && !self.gives_file_back(other).await?
            {
                self.discard(new.id).await?;
                return Ok(Opened::SameFile(other));
            }
            self.create(&new).await?;
            if self.take_file(&new.file_sha256, holder, new.id).await? {
                return Ok(Opened::Fresh);
            }
        }
        let text = format!("file {} changed hands {MAX_ROUNDS} times", new.file_sha256);
        Err(LedgerError::Unavailable(text))
    }

    async fn holder(&self, sha: &str) -> Result<Option<BatchId>, LedgerError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.keys.files()).arg(sha);
        let holder: Option<String> = take(self.link.one(get).await?, "a file's batch")?;
        let parse = |id: String| id.parse().map_err(|_| super::values::damaged("a file's batch"));
        holder.map(parse).transpose()
    }

    async fn opened_before(&self, new: &NewBatch) -> Result<Opened, LedgerError> {
        match self.get_batch(new.id).await? {
            Some(own) if own.file_sha256 == new.file_sha256 => Ok(Opened::Fresh),
            _ => Err(other_file(new.id)),
        }
    }

    /// Whether a file may be taken in again: nothing of the batch that holds it was or will be
    /// paid. Rejects it where its intake has died.
    async fn gives_file_back(&self, holder: BatchId) -> Result<bool, LedgerError> {
        let mut get = redis::cmd("HMGET");
        get.arg(self.keys.meta(holder)).arg(&["state", "sent"]);
        let (state, sent): (Option<String>, Option<String>) =
            take(self.link.one(get).await?, "a batch's state")?;
        match state.as_deref().map(super::values::batch_state).transpose()? {
            None | Some(BatchState::Rejected) => Ok(true),
            Some(BatchState::Receiving) => self.do_reject(holder, ABANDONED.to_owned(), true).await,
            // Nothing is ever sent of a cancelled batch: this cannot change any more.
            Some(BatchState::Cancelled) => Ok(sent.is_none()),
            Some(_) => Ok(false),
        }
    }

    pub(super) async fn create(&self, new: &NewBatch) -> Result<(), LedgerError> {
        let id = new.id.to_string();
        let mut open = scripts::OPEN.call(&[self.keys.meta(new.id)]);
        open.arg(&new.name).arg(&new.file_sha256).arg(new.lease_ms);
        open.arg(new.terms.not_before.0).arg(new.terms.priority.name());
        let mut index = redis::cmd("ZADD");
        index.arg(self.keys.installation("batches")).arg(0).arg(&id);
        let mut unsettled = redis::cmd("SADD");
        unsettled.arg(self.keys.installation("open")).arg(&id);
        self.link.all(vec![open, index, unsettled]).await?;
        Ok(())
    }

    async fn discard(&self, id: BatchId) -> Result<(), LedgerError> {
        if self.get_batch(id).await?.is_none() {
            return Ok(());
        }
        let discard = scripts::DISCARD.call(&[self.keys.meta(id)]);
        self.link.one(discard).await?;
        Ok(())
    }

    async fn take_file(
        &self,
        sha: &str,
        from: Option<BatchId>,
        to: BatchId,
    ) -> Result<bool, LedgerError> {
        let from = from.map(|id| id.to_string()).unwrap_or_default();
        let mut call = scripts::FILE.call(&[self.keys.files()]);
        call.arg(sha).arg(from).arg(to.to_string());
        take_bool(self.link.one(call).await?)
    }

    pub(super) async fn do_append(&self, chunk: NewChunk) -> Result<bool, LedgerError> {
        if !(1..=ChunkId::MAX_ROWS).contains(&chunk.rows) {
            return Err(LedgerError::Broken(format!("a chunk cannot have {} rows", chunk.rows)));
        }
        let id = chunk.id;
        let mut call = scripts::APPEND.call(&[
            self.keys.meta(id.batch),
            self.keys.chunk(id),
            self.keys.slots(id),
            self.keys.blocks(id),
            self.keys.notes(id),
            self.keys.due(id.batch),
        ]);
        // The script puts the two times of ledger time between them.
        let slot = Payout::new(Millis(0), Millis(0)).pack();
        call.arg(number(id.no))
            .arg(chunk.rows)
            .arg(chunk.first.lane.as_str())
            .arg(formats_text(chunk.first.format, chunk.second.as_ref()))
            .arg(chunk.first_ordinal)
            .arg(chunk.unsent_give_up_ms)
            .arg(chunk.lease_ms)
            .arg(&slot[..12])
            .arg(&slot[20..]);
        for block in &chunk.blocks {
            call.arg(block.as_slice());
        }
        take_bool(self.link.one(call).await?)
    }

    pub(super) async fn do_seal(&self, seal: Seal) -> Result<bool, LedgerError> {
        if !matches!(seal.state, BatchState::Active | BatchState::Awaiting) {
            return Err(LedgerError::Broken(format!("a batch is not sealed as {}", seal.state)));
        }
        let totals = serde_json::to_string(&seal.totals)
            .map_err(|e| LedgerError::Broken(format!("totals cannot be stored: {e}")))?;
        let mut call = scripts::SEAL.call(&[self.keys.meta(seal.id)]);
        call.arg(seal.state.name()).arg(seal.chunks).arg(seal.totals.rows()).arg(totals);
        let orders = changed_orders(self.link.one(call).await?)?;
        if let Some(orders) = &orders
            && seal.state == BatchState::Active
        {
            self.join_lanes(seal.id, orders).await;
        }
        Ok(orders.is_some())
    }

    pub(super) async fn do_reject(
        &self,
        id: BatchId,
        reason: String,
        only_if_abandoned: bool,
    ) -> Result<bool, LedgerError> {
        let mut call = scripts::REJECT.call(&[self.keys.meta(id)]);
        call.arg(reason).arg(u8::from(only_if_abandoned));
        let answer: Vec<Option<u32>> = take(self.link.one(call).await?, "a rejection")?;
        if answer.first() != Some(&Some(1)) {
            return Ok(false);
        }
        if let Some(Some(top)) = answer.get(1) {
            self.clear(id, *top).await?;
        }
        Ok(true)
    }

    /// Gives back what a rejected batch's chunks hold. `top` goes last: until then everybody
    /// who asks for the rejection goes on with it.
    async fn clear(&self, id: BatchId, top: u32) -> Result<(), LedgerError> {
        let numbers: Vec<u16> = (0..=u16::try_from(top).unwrap_or(u16::MAX)).collect();
        for part in numbers.chunks(CLEARED_AT_ONCE) {
            let mut unlink = redis::cmd("UNLINK");
            for no in part {
                let chunk = ChunkId { batch: id, no: *no };
                unlink.arg(self.keys.chunk(chunk)).arg(self.keys.slots(chunk));
                unlink.arg(self.keys.blocks(chunk)).arg(self.keys.notes(chunk));
            }
            self.link.one(unlink).await?;
        }
        let meta = self.keys.meta(id);
        let mut get = redis::cmd("HGET");
        get.arg(&meta).arg("lanes");
        let lanes: Option<String> = take(self.link.one(get).await?, "a batch's lanes")?;
        let mut unlink = redis::cmd("UNLINK");
        unlink.arg(self.keys.due(id));
        for lane in lane_names(&lanes.unwrap_or_default())? {
            unlink.arg(self.keys.due_on(id, &lane));
        }
        let mut done = redis::cmd("HDEL");
        done.arg(&meta).arg(&["top", "appended", "rows", "intake_until"]);
        self.link.all(vec![unlink, done]).await?;
        Ok(())
    }
}

/// The answer of a script that gives `{1, lanes, priority}` or `{0}`.
pub(super) fn changed_orders(answer: Value) -> Result<Option<Orders>, LedgerError> {
    let answer: Vec<Option<String>> = take(answer, "a batch's lanes")?;
    match answer.as_slice() {
        [Some(done), lanes, priority] if done == "1" => {
            Orders::read(lanes.as_deref(), priority.as_deref()).map(Some)
        }
        _ => Ok(None),
    }
}

fn other_file(id: BatchId) -> LedgerError {
    LedgerError::Broken(format!("batch {id} was opened for another file before"))
}
