//! Rules for rows that lie at the provider: fetched by a worker, kept in the ledger, followed at
//! intake.
//!
//! A lane whose rules are not known or too old takes no row. A file whose rows go to other lanes
//! is none of its business, so what is missing is told when a row arrives there.

use super::Rules;
use domain::LaneName;
use ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// Older rules are followed, and the log is told: workers fetch them more often than this.
pub const OLD_MS: u64 = 60 * 60 * 1_000;
/// Still older rules are not followed: what they allow may be refused by now.
pub const TOO_OLD_MS: u64 = 24 * OLD_MS;

const MINUTE_MS: u64 = 60_000;

/// Why a lane takes no rows now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "lane {lane} cannot take rows now, so nothing was taken: {why}. Start a worker with this lane, \
     it fetches them, or fetch them now with `producer provider {lane} rules`"
)]
pub struct LacksRules {
    /// The lane.
    pub lane: LaneName,
    /// What is wrong with its rules.
    pub why: String,
}

/// Lanes that take no rows now, by index into [`Rules::lanes`].
pub type Lacking = BTreeMap<usize, LacksRules>;

/// Makes all lanes follow the rules that the ledger has for them. Gives those that cannot.
pub async fn follow(ledger: &dyn Ledger, rules: &Rules) -> Result<Lacking, LedgerError> {
    let mut lacking = Lacking::new();
    for (at, lane) in rules.lanes.iter().enumerate() {
        if !lane.provider.limits().rules {
            continue;
        }
        let why = match ledger.rules(lane.name.clone()).await? {
            None => Some("its provider's rules for rows were never fetched".to_owned()),
            Some((fetched, text)) => {
                let age_ms = ledger.about().await?.now.since(fetched);
                if age_ms > OLD_MS && age_ms <= TOO_OLD_MS {
                    let minutes = age_ms / MINUTE_MS;
                    tracing::warn!(lane = %lane.name, age_minutes = minutes,
                        "the provider's rules for rows are old: does a worker serve this lane?");
                }
                install(lane, &text, age_ms)
            }
        };
        if let Some(why) = why {
            lacking.insert(at, LacksRules { lane: lane.name.clone(), why });
        }
    }
    Ok(lacking)
}

fn install(lane: &super::Lane, text: &str, age_ms: u64) -> Option<String> {
    if age_ms > TOO_OLD_MS {
        let hours = age_ms / OLD_MS;
        return Some(format!("its provider's rules for rows were fetched {hours} hours ago"));
    }
    let Some(prepare) = lane.provider.prepare() else {
        return Some("its adapter cannot follow rules".to_owned());
    };
    let problem = prepare.install(text).err()?;
    Some(format!("its provider's rules for rows cannot be followed ({problem})"))
}
