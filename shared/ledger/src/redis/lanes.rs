//! What belongs to a lane or to the whole installation: records, permits, strays, the id and the
//! layout.

use super::keys::Keys;
use super::life::replicas_of;
use super::link::{Link, info};
use super::scripts;
use super::values::{damaged, take, take_bool};
use super::{Durability, RedisLedger};
use crate::api::LedgerError;
use crate::types::{About, LaneRecord, Pace, Permits, check_rules};
use domain::{LaneName, LedgerId, Millis};
use redis::Cmd;
use std::collections::BTreeMap;
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
        let (count, wait_ms) = take(self.link.one(call).await?, "permits")?;
        Ok(Permits { count, wait_ms })
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
/// 1 had no number stored, and payouts of 32 bytes; 2 has 40, with sender and account.
pub(super) const LAYOUT: u32 = 2;

/// Gives a new ledger its id and layout, or sees that the layout is ours.
pub(super) async fn make(link: &Link, keys: &Keys, prefix: &str) -> Result<(), LedgerError> {
    // The standard library's hasher is seeded by the system at random.
    let random = RandomState::new().hash_one("ledger id") & 0xf_ffff;
    let id = LedgerId::from_random(u32::try_from(random).unwrap_or_default());
    let mut call = scripts::MAKE.call(&[keys.installation("id"), keys.installation("layout")]);
    call.arg(id.to_string()).arg(LAYOUT);
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

/// Asks Redis what its answers are worth. One that may evict any key when its memory is full is
/// refused: a reference that it forgot would be paid again (S1).
pub(super) async fn durability(link: &Link) -> Result<Durability, LedgerError> {
    let ask = |name: &str| -> Cmd {
        let mut get = redis::cmd("CONFIG");
        get.arg("GET").arg(name);
        get
    };
    let asked = [
        "appendonly",
        "appendfsync",
        "maxmemory-policy",
        "min-replicas-to-write",
        "min-replicas-max-lag",
    ];
    let commands = asked.map(ask).into_iter().chain([info("replication")]);
    let mut answers = link.try_all(commands.collect()).await?;
    let told = answers.pop().unwrap_or_else(|| Err(damaged("its role")))?;
    let replicas = replicas_of(&take::<String>(told, "its role")?);
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    for answer in answers {
        // Hosted servers forbid the question; the shell is to warn then, not to stop.
        match answer {
            Ok(answer) => settings.extend(take::<BTreeMap<_, _>>(answer, "a setting")?),
            Err(LedgerError::Broken(_)) => return Ok(Durability::Unknown),
            Err(error) => return Err(error),
        }
    }
    let setting = |name: &str| settings.get(name).map(String::as_str);
    if let Some(policy) = setting("maxmemory-policy").filter(|p| p.starts_with("allkeys")) {
        return Err(LedgerError::Broken(format!(
            "Redis has maxmemory-policy {policy}, which deletes records of payouts when its \
             memory is full; set it to noeviction"
        )));
    }
    let number = |name: &str| setting(name).and_then(|text| text.parse::<u64>().ok());
    let (min, lag_s) = (number("min-replicas-to-write"), number("min-replicas-max-lag"));
    Ok(match (setting("appendonly"), setting("appendfsync")) {
        (Some("yes"), Some("always")) if replicas.is_none() => Durability::Unknown,
        (Some("yes"), Some("always")) if !are_covered(replicas, min, lag_s) => Durability::Lagging,
        (Some("yes"), Some("always")) => Durability::Always,
        (Some("yes"), Some("everysec")) => Durability::EverySecond,
        (Some(_), Some(_)) => Durability::None,
        _ => Durability::Unknown,
    })
}

/// Whether each of the replicas is one without which Redis takes no write: `min-replicas-to-write`
/// counts those that answered within `min-replicas-max-lag` seconds, and 0 turns either off.
fn are_covered(replicas: Option<u64>, min: Option<u64>, lag_s: Option<u64>) -> bool {
    let covered = if lag_s.unwrap_or(0) > 0 { min.unwrap_or(0) } else { 0 };
    replicas.is_some_and(|replicas| replicas <= covered)
}

#[cfg(test)]
mod tests {
    use super::are_covered;

    #[test]
    fn replicas_are_covered_only_where_redis_writes_with_all_of_them_and_not_without() {
        for (replicas, min, lag_s, covered) in [
            (0, 0, 10, true),
            (1, 0, 10, false),
            (1, 1, 10, true),
            (2, 1, 10, false),
            (1, 1, 0, false),
        ] {
            assert_eq!(are_covered(Some(replicas), Some(min), Some(lag_s)), covered, "{replicas}");
        }
        assert!(!are_covered(Some(1), None, None) && !are_covered(None, Some(1), Some(10)));
    }
}
