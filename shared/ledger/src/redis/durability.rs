//! What an answer of Redis is worth in a power cut and in a failover (S18).
//!
//! Whoever opens the ledger learns it and decides whether money may move on it. From then on *no
//! intent is taken once an answer is worth less than it was then*: a replica that is attached
//! later and that Redis does not wait for would forget, when it is promoted, what was paid
//! meanwhile. How many replicas there are is told behind each intent anyway; only when that number
//! changed, or the connection is a new one, are the settings asked for again. *What cannot be seen
//! any more is worth less, too*: after a failover to a server that hides its settings nobody knows
//! what it promises.

use super::life::replicas_of;
use super::link::{Link, Seen, info};
use super::values::{damaged, take};
use crate::api::LedgerError;
use redis::Cmd;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How safe an answer of this Redis is from a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// On disk before the answer.
    Always,
    /// On disk before the answer; but replicas follow that may lag, and one that is promoted has
    /// forgotten what it had not heard yet (S18).
    Lagging,
    /// Up to a second of answers may be lost (S18).
    EverySecond,
    /// Everything since the last snapshot may be lost.
    None,
    /// Redis does not tell.
    Unknown,
}

/// What Redis promised when the ledger was opened, and what it promises now.
#[derive(Debug)]
pub(super) struct Promise {
    opened: Durability,
    judged: Mutex<Judged>,
}

/// A judgement, and what of Redis it was made of.
#[derive(Clone, Copy, Debug)]
struct Judged {
    seen: Seen,
    worth: Durability,
}

impl Judged {
    /// Asks. The judgement stands for the replicas that the answer itself tells of: one that was
    /// there before the question and left meanwhile was not judged, and is when it comes back.
    async fn now(link: &Link) -> Result<Judged, LedgerError> {
        // Where the connection is a newer one by then, it is judged once more than needed.
        let before = link.seen();
        let (worth, replicas) = ask(link).await?;
        Ok(Judged { seen: before.with_replicas(replicas), worth })
    }
}

impl Promise {
    /// Asks for the first time.
    pub async fn of(link: &Link) -> Result<Promise, LedgerError> {
        let judged = Judged::now(link).await?;
        Ok(Promise { opened: judged.worth, judged: Mutex::new(judged) })
    }

    /// What an answer is worth, by the newest judgement.
    pub fn worth(&self) -> Durability {
        self.lock().worth
    }

    /// `Unavailable` while an answer is worth less than it was at first. It costs a round trip only
    /// where something changed since the last judgement, or that was a bad one.
    pub async fn holds(&self, link: &Link) -> Result<(), LedgerError> {
        if self.opened != Durability::Always {
            // Whoever opened it knows; there is not less to come that he would not have taken.
            return Ok(());
        }
        let before = *self.lock();
        if before.seen == link.seen() && before.worth == Durability::Always {
            return Ok(());
        }
        let judged = Judged::now(link).await?;
        *self.lock() = judged;
        let worse = worse(judged.worth);
        if judged.worth != before.worth {
            match worse {
                Some(words) => tracing::error!(durability = ?judged.worth, "{words}"),
                None => tracing::info!("what Redis answers is safe again"),
            }
        }
        match worse {
            Some(words) => Err(LedgerError::Unavailable(format!("{words}: {:?}", judged.worth))),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Judged> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why nothing is sent any more where this is what is left of [`Durability::Always`].
fn worse(worth: Durability) -> Option<&'static str> {
    match worth {
        Durability::Always => None,
        Durability::Lagging | Durability::EverySecond | Durability::None => Some(WORSE),
        Durability::Unknown => Some(HIDDEN),
    }
}

/// For whoever sees that nothing is sent.
const WORSE: &str = "Redis may forget what it answers, which it did not when this process began; \
nothing is sent until min-replicas-to-write is the number of its replicas (with \
min-replicas-max-lag), appendonly is yes and appendfsync is always";

/// The same, where it can no longer be seen.
const HIDDEN: &str = "Redis told its settings and its replicas when this process began, and does \
not any more (after a failover to a server that forbids CONFIG GET?): whether it may forget what \
it answers is not known; nothing is sent until it tells again, or until somebody who made sure at \
that server starts this process anew";

/// Asks Redis what its answers are worth, and how many replicas it has by the same answer. One that
/// may evict any key when its memory is full is refused: a reference that it forgot would be paid
/// again (S1).
async fn ask(link: &Link) -> Result<(Durability, Option<u64>), LedgerError> {
    let setting = |name: &str| -> Cmd {
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
    let commands = asked.map(setting).into_iter().chain([info("replication")]);
    let mut answers = link.try_all(commands.collect()).await?;
    let told = answers.pop().unwrap_or_else(|| Err(damaged("its role")))?;
    let replicas = replicas_of(&take::<String>(told, "its role")?);
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    for answer in answers {
        // Hosted servers forbid the question; the shell is to warn then, not to stop.
        match answer {
            Ok(answer) => settings.extend(take::<BTreeMap<_, _>>(answer, "a setting")?),
            Err(LedgerError::Broken(_)) => return Ok((Durability::Unknown, replicas)),
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
    let worth = match (setting("appendonly"), setting("appendfsync")) {
        (Some("yes"), Some("always")) if replicas.is_none() => Durability::Unknown,
        (Some("yes"), Some("always")) if !are_covered(replicas, min, lag_s) => Durability::Lagging,
        (Some("yes"), Some("always")) => Durability::Always,
        (Some("yes"), Some("everysec")) => Durability::EverySecond,
        (Some(_), Some(_)) => Durability::None,
        _ => Durability::Unknown,
    };
    Ok((worth, replicas))
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
