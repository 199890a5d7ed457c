//! What belongs to a lane or to the whole installation: records, permits, strays, the id and the
//! layout.

use super::RedisLedger;
use super::keys::Keys;
use super::link::Link;
use super::scripts;
use super::values::{damaged, take, take_bool};
use crate::api::LedgerError;
use crate::types::{About, LaneRecord, Pace, Permits, check_rules};
use domain::{LaneName, LedgerId, Millis};
use std::hash::{BuildHasher, RandomState};

/// Strays that a lane keeps.
const STRAYS_MAX: isize = 10_000;

/// The longest interval and horizon; beyond it, doubles of microseconds lose their exactness.
const PACE_MAX: u64 = 1 << 40;

impl RedisLedger {
    pub(super) async fn get_about(&self) -> Result<About, LedgerError> {
        let mut id = redis::cmd("GET");
        id.arg(self.keys.installation("id"));
        let (answers, life) = self.link.all_and_life(vec![id, redis::cmd("TIME")]).await?;
        let [id, time]: [_; 2] = answers.try_into().map_err(|_| damaged("a ledger's id"))?;
        let id: Option<String> = take(id, "a ledger's id")?;
        let id = id.as_deref().and_then(LedgerId::parse);
        let lost = || LedgerError::Broken("Redis has lost this ledger: its id is gone".to_owned());
        let (seconds, micros): (u64, u64) = take(time, "a time")?;
        Ok(About { id: id.ok_or_else(lost)?, now: Millis(seconds * 1_000 + micros / 1_000), life })
    }

    pub(super) async fn get_lane(&self, name: LaneName) -> Result<LaneRecord, LedgerError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.keys.lane(&name, "record")).arg("record");
        let json: Option<String> = take(self.link.one(get).await?, "a lane's record")?;
        match json {
            Some(json) => serde_json::from_str(&json).map_err(|_| damaged("a lane's record")),
            None => Ok(LaneRecord::new(name)),
        }
    }

    pub(super) async fn do_put_lane(&self, record: LaneRecord) -> Result<bool, LedgerError> {
        let version = record.version;
        let next = LaneRecord { version: version.saturating_add(1), ..record };
        let json = serde_json::to_string(&next)
            .map_err(|e| LedgerError::Broken(format!("a lane's record cannot be stored: {e}")))?;
        let mut call = scripts::PUT_LANE.call(&[self.keys.lane(&next.name, "record")]);
        call.arg(version).arg(next.version).arg(json);
        take_bool(self.link.one(call).await?)
    }

    pub(super) async fn do_permits(
        &self,
        lane: LaneName,
        want: u32,
        pace: Pace,
    ) -> Result<Permits, LedgerError> {
        let mut call = scripts::PERMITS.call(&[self.keys.lane(&lane, "slot")]);
        call.arg(pace.interval_us.min(PACE_MAX)).arg(pace.horizon_ms.min(PACE_MAX)).arg(want);
        let (count, wait_ms, at) = take(self.link.one(call).await?, "permits")?;
        Ok(Permits { count, wait_ms, at: Millis(at) })
    }

    pub(super) async fn get_rules(
        &self,
        lane: LaneName,
    ) -> Result<Option<(Millis, String)>, LedgerError> {
        let mut get = redis::cmd("HMGET");
        get.arg(self.keys.lane(&lane, "rules")).arg("fetched").arg("text");
        let found: (Option<u64>, Option<String>) =
            take(self.link.one(get).await?, "a lane's rules")?;
        Ok(match found {
            (Some(fetched), Some(text)) => Some((Millis(fetched), text)),
            _ => None,
        })
    }

    pub(super) async fn do_put_rules(
        &self,
        lane: LaneName,
        text: String,
    ) -> Result<(), LedgerError> {
        check_rules(&text)?;
        let mut call = scripts::PUT_RULES.call(&[self.keys.lane(&lane, "rules")]);
        call.arg(text);
        take_bool(self.link.one(call).await?).map(drop)
    }

    pub(super) async fn do_keep_stray(
        &self,
        lane: LaneName,
        text: String,
    ) -> Result<(), LedgerError> {
        let key = self.keys.lane(&lane, "strays");
        let mut push = redis::cmd("LPUSH");
        push.arg(&key).arg(text);
        let mut trim = redis::cmd("LTRIM");
        trim.arg(&key).arg(0).arg(STRAYS_MAX - 1);
        self.link.all(vec![push, trim]).await?;
        Ok(())
    }
}

/// The number of the layout that `redis/mod.rs` shows. A change of it adds one.
/// 1 had no number stored, and payouts of 32 bytes; 2 has 40, with sender and account; 3 has batches
/// that wait for their time, and orders by priority.
pub(super) const LAYOUT: u32 = 3;
/// What stands in this one is right as it is. It becomes [`LAYOUT`], so that no program starts any
/// more that would not wait.
const RAISED: u32 = 2;

/// Gives a new ledger its id and layout, or sees that the layout is ours.
pub(super) async fn make(link: &Link, keys: &Keys, prefix: &str) -> Result<(), LedgerError> {
    // The standard library's hasher is seeded by the system at random.
    let random = RandomState::new().hash_one("ledger id") & 0xf_ffff;
    let id = LedgerId::from_random(u32::try_from(random).unwrap_or_default());
    let mut call = scripts::MAKE.call(&[keys.installation("id"), keys.installation("layout")]);
    call.arg(id.to_string()).arg(LAYOUT).arg(RAISED);
    let found: String = take(link.one(call).await?, "a layout's number")?;
    if found == LAYOUT.to_string() {
        return Ok(());
    }
    let found = if found.is_empty() { "1" } else { &found };
    Err(LedgerError::Broken(format!(
        "the ledger under the prefix \"{prefix}\" has layout {found}, and this program knows layout \
         {LAYOUT} only. Let the program that wrote it finish its payouts, and give this one \
         another ledger.prefix or an empty Redis; but know what a new ledger forgets. References \
         of the old one are no longer refused in it (S1): whatever file was taken before would be \
         paid again, so see to it that none comes again. And it has another id (S5), so where \
         the account can be listed, start-up stops at the old ledger's payouts of the last 7 \
         days, until `producer lane adopt` says that the old ledger is retired"
    )))
}
