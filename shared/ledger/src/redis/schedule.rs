//! Which chunks are ready, and who holds them.

use super::RedisLedger;
use super::keys::number;
use super::reading::{batch_ids, stored_chunk};
use super::scripts;
use super::values::{batch_state, damaged, take, take_bool};
use crate::api::LedgerError;
use crate::rules::fair::{self, Waiting};
use crate::types::{Claim, Token};
use domain::{BatchId, ChunkId, LaneName, Millis};
use redis::{Cmd, Value};
use std::collections::BTreeMap;

/// Batches that are asked in one round trip, from the one that was served least. Between more
/// than these, fairness is between pages.
const PAGE: usize = 128;

impl RedisLedger {
    pub(super) async fn do_take_ready(
        &self,
        lane: LaneName,
        max: u16,
        hint_ms: u64,
    ) -> Result<Vec<ChunkId>, LedgerError> {
        self.rebuild_if_due().await?;
        let mut taken: Vec<ChunkId> = Vec::new();
        let mut gone = Vec::new();
        let mut seen = 0;
        loop {
            let room = max.saturating_sub(u16::try_from(taken.len()).unwrap_or(u16::MAX));
            let (time, page) = self.lane_order(&lane, seen).await?;
            seen += page.len();
            if room == 0 || page.is_empty() {
                break;
            }
            let full = page.len() == PAGE;
            let mut waiting = self.peek(&lane, page, room, &mut gone).await?;
            taken.extend(self.take_fairly(&lane, time, &mut waiting, room, hint_ms).await?);
            if !full {
                break;
            }
        }
        self.leave_lane(&lane, &gone).await?;
        Ok(taken)
    }

    /// The lane's virtual time and a page of its batches, those first that were served least.
    async fn lane_order(
        &self,
        lane: &LaneName,
        from: usize,
    ) -> Result<(u64, Vec<(BatchId, u64)>), LedgerError> {
        let mut time = redis::cmd("GET");
        time.arg(self.keys.lane(lane, "time"));
        let mut range = redis::cmd("ZRANGE");
        range.arg(self.keys.lane(lane, "order")).arg(from).arg(from + PAGE - 1).arg("WITHSCORES");
        let answers = self.link.all(vec![time, range]).await?;
        let [time, range]: [_; 2] = answers.try_into().map_err(|_| damaged("a lane's order"))?;
        let time: Option<u64> = take(time, "a lane's time")?;
        let order: Vec<(String, u64)> = take(range, "a lane's order")?;
        let (names, served): (Vec<String>, Vec<u64>) = order.into_iter().unzip();
        Ok((time.unwrap_or_default(), batch_ids(&names)?.into_iter().zip(served).collect()))
    }

    async fn peek(
        &self,
        lane: &LaneName,
        page: Vec<(BatchId, u64)>,
        room: u16,
        gone: &mut Vec<BatchId>,
    ) -> Result<Vec<Waiting>, LedgerError> {
        let peek = |(batch, _): &(BatchId, u64)| {
            scripts::PEEK.call(&[self.keys.meta(*batch), self.keys.due_on(*batch, lane)])
        };
        let answers = self.link.all(page.iter().map(peek).collect()).await?;
        let mut waiting = Vec::new();
        for ((batch, served), answer) in page.into_iter().zip(answers) {
            match u16::try_from(take::<i64>(answer, "a batch's ready chunks")?.min(room.into())) {
                // How many are ready is enough to choose by; which they are, taking tells.
                Ok(ready) => {
                    waiting.push(Waiting { batch, served, chunks: (0..ready).collect() });
                }
                Err(_) => gone.push(batch),
            }
        }
        Ok(waiting)
    }

    /// Chooses, takes what was chosen as far as others did not take it meanwhile, and notes who
    /// was served.
    async fn take_fairly(
        &self,
        lane: &LaneName,
        mut time: u64,
        waiting: &mut [Waiting],
        room: u16,
        hint_ms: u64,
    ) -> Result<Vec<ChunkId>, LedgerError> {
        let turns = fair::choose(waiting, &mut time, room);
        let mut shares: BTreeMap<BatchId, u16> = BTreeMap::new();
        for (batch, _) in &turns {
            *shares.entry(*batch).or_default() += 1;
        }
        if shares.is_empty() {
            return Ok(Vec::new());
        }
        let mut calls: Vec<Cmd> = Vec::new();
        for (batch, share) in &shares {
            let keys = [self.keys.meta(*batch), self.keys.due_on(*batch, lane)];
            let mut call = scripts::TAKE.call(&keys);
            call.arg(*share).arg(hint_ms);
            calls.push(call);
        }
        let mut served = redis::cmd("ZADD");
        served.arg(self.keys.lane(lane, "order")).arg("XX").arg("GT");
        for turn in waiting.iter().filter(|turn| shares.contains_key(&turn.batch)) {
            served.arg(turn.served).arg(turn.batch.to_string());
        }
        let mut lane_time = redis::cmd("SET");
        lane_time.arg(self.keys.lane(lane, "time")).arg(time);
        calls.extend([served, lane_time]);

        let mut taken: BTreeMap<BatchId, std::vec::IntoIter<String>> = BTreeMap::new();
        for (batch, answer) in shares.keys().zip(self.link.all(calls).await?) {
            let numbers: Vec<String> = take(answer, "ready chunks")?;
            taken.insert(*batch, numbers.into_iter());
        }
        let mut chunks = Vec::new();
        for (batch, _) in turns {
            if let Some(no) = taken.get_mut(&batch).and_then(Iterator::next) {
                let no = no.parse().map_err(|_| damaged("a chunk's number"))?;
                chunks.push(ChunkId { batch, no });
            }
        }
        Ok(chunks)
    }

    pub(super) async fn do_claim(
        &self,
        chunk: ChunkId,
        lease_ms: u64,
    ) -> Result<Claim, LedgerError> {
        let mut call = scripts::CLAIM.call(&[
            self.keys.meta(chunk.batch),
            self.keys.chunk(chunk),
            self.keys.slots(chunk),
            self.keys.due(chunk.batch),
        ]);
        call.arg(number(chunk.no)).arg(lease_ms);
        let answer: Vec<Value> = take(self.link.one(call).await?, "a claim")?;
        let mut answer = answer.into_iter();
        let mut next = || answer.next().ok_or_else(|| damaged("a claim"));
        let what: String = take(next()?, "a claim")?;
        match what.as_str() {
            "gone" => Ok(Claim::Gone),
            "busy" => Ok(Claim::Busy),
            _ => {
                let token = Token(take(next()?, "a token")?);
                let now = Millis(take(next()?, "a time")?);
                let batch = batch_state(&take::<String>(next()?, "a batch's state")?)?;
                let lane: String = take(next()?, "a lane's name")?;
                let format: String = take(next()?, "a reference format")?;
                let first: u32 = take(next()?, "an ordinal")?;
                let slots: Vec<u8> = take(next()?, "a chunk's payouts")?;
                let chunk = stored_chunk(chunk, &lane, &format, first, &slots)?;
                Ok(Claim::Held { token, chunk, batch, now })
            }
        }
    }

    pub(super) async fn do_renew(
        &self,
        chunk: ChunkId,
        token: Token,
        lease_ms: u64,
    ) -> Result<bool, LedgerError> {
        let mut call = scripts::RENEW.call(&[self.keys.chunk(chunk), self.keys.due(chunk.batch)]);
        call.arg(number(chunk.no)).arg(token.0).arg(lease_ms);
        take_bool(self.link.one(call).await?)
    }

    pub(super) async fn do_release(
        &self,
        chunk: ChunkId,
        token: Token,
        next_at: Millis,
    ) -> Result<(), LedgerError> {
        let mut call = scripts::RELEASE.call(&[self.keys.chunk(chunk), self.keys.due(chunk.batch)]);
        call.arg(number(chunk.no)).arg(token.0).arg(next_at.min(Millis::NEVER).0);
        self.link.one(call).await?;
        Ok(())
    }
}
