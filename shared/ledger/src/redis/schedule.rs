//! Which chunks are ready, and who holds them.

use super::RedisLedger;
use super::keys::number;
use super::reading::{batch_ids, stored_chunk};
use super::scripts;
use super::values::{batch_state, damaged, take, take_bool, terms};
use crate::api::LedgerError;
use crate::rules::fair::{self, Turns, Waiting};
use crate::types::{Claim, Token};
use domain::{BatchId, ChunkId, LaneName, Millis, Priority};
use redis::{Cmd, Value};
use std::collections::BTreeMap;

/// Batches of each priority that are asked in one round trip, from the one that was served least.
/// Between more than these, fairness is between pages.
const PAGE: usize = 128;

/// Batches of a lane, with their priorities and virtual times.
struct Page {
    batches: Vec<(BatchId, Priority, u64)>,
    /// There may be more.
    is_full: bool,
}

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
            let (mut turns, page) = self.lane_order(&lane, seen).await?;
            seen += PAGE;
            if room == 0 || page.batches.is_empty() {
                break;
            }
            let mut waiting = self.peek(&lane, page.batches, room, &mut gone).await?;
            taken.extend(self.take_fairly(&lane, &mut turns, &mut waiting, room, hint_ms).await?);
            if !page.is_full {
                break;
            }
        }
        self.leave_lane(&lane, &gone).await?;
        Ok(taken)
    }

    /// How far the lane has come, and a page of its batches of each priority, those first that were
    /// served least.
    async fn lane_order(&self, lane: &LaneName, from: usize) -> Result<(Turns, Page), LedgerError> {
        let mut turns = redis::cmd("MGET");
        turns.arg(self.keys.lane(lane, "taken"));
        let mut calls = Vec::new();
        for priority in Priority::ALL {
            turns.arg(self.keys.turns(lane, "time", priority));
            let mut range = redis::cmd("ZRANGE");
            range.arg(self.keys.turns(lane, "order", priority));
            range.arg(from).arg(from + PAGE - 1).arg("WITHSCORES");
            calls.push(range);
        }
        calls.insert(0, turns);
        let mut answers = self.link.all(calls).await?.into_iter();
        let turns = answers.next().ok_or_else(|| damaged("a lane's turns"))?;
        let turns: [Option<u64>; 4] = take::<Vec<_>>(turns, "a lane's turns")?
            .try_into()
            .map_err(|_| damaged("a lane's turns"))?;
        let [taken, times @ ..] = turns.map(Option::unwrap_or_default);
        let mut page = Page { batches: Vec::new(), is_full: false };
        for (priority, answer) in Priority::ALL.into_iter().zip(answers) {
            let order: Vec<(String, u64)> = take(answer, "a lane's order")?;
            page.is_full |= order.len() == PAGE;
            let (names, served): (Vec<String>, Vec<u64>) = order.into_iter().unzip();
            let batches = batch_ids(&names)?.into_iter().zip(served);
            page.batches.extend(batches.map(|(batch, served)| (batch, priority, served)));
        }
        Ok((Turns { taken, times }, page))
    }

    async fn peek(
        &self,
        lane: &LaneName,
        page: Vec<(BatchId, Priority, u64)>,
        room: u16,
        gone: &mut Vec<(BatchId, Priority)>,
    ) -> Result<Vec<Waiting>, LedgerError> {
        let peek = |(batch, ..): &(BatchId, Priority, u64)| {
            scripts::PEEK.call(&[self.keys.meta(*batch), self.keys.due_on(*batch, lane)])
        };
        let answers = self.link.all(page.iter().map(peek).collect()).await?;
        let mut waiting = Vec::new();
        for ((batch, priority, served), answer) in page.into_iter().zip(answers) {
            match u16::try_from(take::<i64>(answer, "a batch's ready chunks")?.min(room.into())) {
                // How many are ready is enough to choose by; which they are, taking tells.
                Ok(ready) => {
                    let chunks = (0..ready).collect();
                    waiting.push(Waiting { batch, priority, served, chunks });
                }
                Err(_) => gone.push((batch, priority)),
            }
        }
        Ok(waiting)
    }

    /// Chooses, takes what was chosen as far as others did not take it meanwhile, and notes who
    /// was served.
    async fn take_fairly(
        &self,
        lane: &LaneName,
        turns: &mut Turns,
        waiting: &mut [Waiting],
        room: u16,
        hint_ms: u64,
    ) -> Result<Vec<ChunkId>, LedgerError> {
        let order = fair::choose(waiting, turns, room);
        let mut shares: BTreeMap<BatchId, u16> = BTreeMap::new();
        for (batch, _) in &order {
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
        let mut lane_turns = redis::cmd("MSET");
        lane_turns.arg(self.keys.lane(lane, "taken")).arg(turns.taken);
        for (priority, time) in Priority::ALL.into_iter().zip(turns.times) {
            lane_turns.arg(self.keys.turns(lane, "time", priority)).arg(time);
            let of_it = |turn: &&Waiting| turn.priority == priority;
            let chosen = waiting.iter().filter(|turn| shares.contains_key(&turn.batch));
            let mut chosen = chosen.filter(of_it).peekable();
            if chosen.peek().is_none() {
                continue;
            }
            let mut served = redis::cmd("ZADD");
            served.arg(self.keys.turns(lane, "order", priority)).arg("XX").arg("GT");
            for turn in chosen {
                served.arg(turn.served).arg(turn.batch.to_string());
            }
            calls.push(served);
        }
        calls.push(lane_turns);

        let mut taken: BTreeMap<BatchId, std::vec::IntoIter<String>> = BTreeMap::new();
        for (batch, answer) in shares.keys().zip(self.link.all(calls).await?) {
            let numbers: Vec<String> = take(answer, "ready chunks")?;
            taken.insert(*batch, numbers.into_iter());
        }
        let mut chunks = Vec::new();
        for (batch, _) in order {
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
                let not_before: Option<u64> = take(next()?, "when a batch may go")?;
                let priority: Option<String> = take(next()?, "a batch's priority")?;
                let terms = terms(not_before, priority.as_deref())?;
                let lane: String = take(next()?, "a lane's name")?;
                let format: String = take(next()?, "a reference format")?;
                let first: u32 = take(next()?, "an ordinal")?;
                let slots: Vec<u8> = take(next()?, "a chunk's payouts")?;
                let chunk = stored_chunk(chunk, &lane, &format, first, &slots)?;
                Ok(Claim::Held { token, chunk, batch, terms, now })
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
