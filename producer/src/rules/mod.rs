//! What the config says about files, compiled once: currencies, lanes, routes and profiles.
//!
//! - [`columns`]: which field of a record is what, for one file
//! - [`reader`]: a record becomes a [`domain::Row`] on a lane, or a list of problems
//! - [`fetched`]: the provider's own rules, from the ledger
//! - [`problem`]: what is wrong with a row, told so that a person can put it right

pub mod columns;
pub mod fetched;
pub mod problem;
pub mod reader;

pub use columns::{Columns, HeaderError};
pub use fetched::{Lacking, LacksRules};
pub use problem::Problem;
pub use reader::RowReader;

use crate::audit::Clerk;
use config::{Ceiling, CeilingsConfig, Config, HoursConfig, LaneConfig, ProfileConfig};
use domain::money::minor_to_text;
use domain::{Currencies, Hours, LaneName, Method, Money, Policy};
use ledger::spend::{Caps, Span, SpendCaps};
use providers::{Provider, registry};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A lane as intake and reports know it.
#[derive(Clone)]
pub struct Lane {
    /// Its name.
    pub name: LaneName,
    /// Its adapter: validates rows; its limits say how references are made.
    pub provider: Arc<dyn Provider>,
    /// Its waiting times.
    pub policy: Policy,
    /// It moves no real money.
    pub sandbox: bool,
    /// Ceilings (S23), for one payout …
    pub payout_max: Ceiling,
    /// … for what one batch holds for it …
    pub batch_max: Ceiling,
    /// … and for one day.
    pub day_max: Ceiling,
    /// When it sends; always, where nothing is said.
    pub hours: Option<Hours>,
    /// What may be spent, as far as this machine's config says it.
    pub spend: SpendCaps,
}

impl Lane {
    /// Why this amount is not paid by this lane, if it is not.
    fn refuses(&self, money: &Money) -> Option<String> {
        let (code, lane) = (money.currency().code(), &self.name);
        match self.payout_max.get(code) {
            Some(max) if money.minor_units() > *max => {
                let max = minor_to_text(*max, money.currency().exponent());
                Some(format!(
                    "is above the ceiling of lane {lane} for one payout, {max} {code}; correct it, \
                     or ask whoever keeps [lanes.{lane}.ceilings]"
                ))
            }
            None if !self.sandbox => Some(format!(
                "lane {lane} has no ceiling for {code}, so it pays none; add it to payout in \
                 [lanes.{lane}.ceilings]"
            )),
            _ => self.never_spends(money),
        }
    }

    /// The cap on spending that has no room for this amount in any window, if there is one.
    fn never_spends(&self, money: &Money) -> Option<String> {
        let (code, lane) = (money.currency().code(), &self.name);
        let too_small = |(cap, ..): &(i128, Span, &'static str)| *cap < money.minor_units();
        let (cap, span, whose) = self.caps(code).into_iter().find(too_small)?;
        let (cap, span) = (minor_to_text(cap, money.currency().exponent()), span.name());
        Some(format!(
            "is more than {whose} {lane} may spend in one {span}, {cap} {code}, so it would never be \
             sent; correct it, or ask whoever keeps [lanes.{lane}.brakes]"
        ))
    }

    /// The caps on spending in a currency: how much, in what time, and whose.
    pub fn caps(&self, code: &str) -> Vec<(i128, Span, &'static str)> {
        let whose = [(&self.spend.lane, "lane"), (&self.spend.batch, "one batch on lane")];
        let all = whose.into_iter().flat_map(|whose| Span::ALL.map(|span| (whose, span)));
        let cap = |((caps, whose), span): ((&Caps, _), Span)| {
            caps.of(span).get(code).map(|cap| (*cap, span, whose))
        };
        all.filter_map(cap).collect()
    }
}

/// The first route whose conditions hold decides.
#[derive(Clone, Debug)]
pub struct Route {
    method: Option<Method>,
    currency: Option<String>,
    way: Way,
}

/// Where a row goes: indices into [`Rules::lanes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// The lane that pays it.
    pub lane: usize,
    /// The lane that pays it if the first one refuses it and creates nothing (S15).
    pub failover: Option<usize>,
}

impl Way {
    /// Without a second lane.
    pub fn only(lane: usize) -> Way {
        Way { lane, failover: None }
    }

    /// The lanes that may have to pay it.
    pub fn lanes(self) -> impl Iterator<Item = usize> {
        std::iter::once(self.lane).chain(self.failover)
    }
}

/// Everything that intake needs of the config.
#[derive(Clone)]
pub struct Rules {
    /// The currency table.
    pub currencies: Currencies,
    /// In the order of their names; rows name them by index.
    pub lanes: Vec<Lane>,
    /// In the order of the config.
    pub routes: Vec<Route>,
    /// By name.
    pub profiles: BTreeMap<String, ProfileConfig>,
    /// Who tells the audit chains.
    pub clerk: Clerk,
    /// Results show whole destinations (S24).
    pub unmask: bool,
    /// Days that rows are kept after their intake (S24); 0: for ever.
    pub keep_rows_days: u32,
}

/// Why a config cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A lane's adapter refused its settings.
    #[error("{problem}")]
    Lane {
        /// What the adapter said.
        problem: String,
    },
    /// A currency or route; [`Config::load`] finds these first.
    #[error("the config does not fit together: {0}")]
    Inconsistent(String),
}

/// Makes a lane's adapter.
pub type Build<'a> = &'a dyn Fn(&LaneName, &LaneConfig) -> Result<Arc<dyn Provider>, String>;

impl Rules {
    /// Compiles a config, with adapters that validate and hold no key.
    pub fn from_config(config: &Config) -> Result<Rules, RulesError> {
        Rules::new(config, &|name, lane| {
            registry::build_for_intake(&lane.provider, lane.settings.clone(), name.clone())
                .map_err(|e| e.to_string())
        })
    }

    /// Compiles a config, with adapters made by `build`.
    pub fn new(config: &Config, build: Build<'_>) -> Result<Rules, RulesError> {
        let inconsistent = |text: String| RulesError::Inconsistent(text);
        let currencies = config.currencies.table().map_err(|e| inconsistent(e.to_string()))?;
        let lane = |(name, lane): (&LaneName, &LaneConfig)| {
            let provider = build(name, lane).map_err(|problem| RulesError::Lane { problem })?;
            let limits = provider.limits();
            let policy = limits.policy_of(&lane.policy, lane.polling.as_ref(), lane.sandbox);
            let policy = policy.map_err(|e| inconsistent(format!("lanes.{name}.polling: {e}")))?;
            let ceiling = |amounts| {
                CeilingsConfig::read(amounts, &currencies)
                    .map_err(|e| inconsistent(format!("lanes.{name}.ceilings: {e}")))
            };
            let CeilingsConfig { payout, batch, day } = &lane.ceilings;
            let hours = lane.hours.as_ref().map(HoursConfig::read).transpose();
            Ok(Lane {
                hours: hours.map_err(|e| inconsistent(format!("lanes.{name}.hours: {e}")))?,
                name: name.clone(),
                provider,
                policy,
                sandbox: lane.sandbox,
                payout_max: ceiling(payout)?,
                batch_max: ceiling(batch)?,
                day_max: ceiling(day)?,
                spend: (lane.brakes.spend(&currencies))
                    .map_err(|e| inconsistent(format!("lanes.{name}.brakes: {e}")))?,
            })
        };
        let lanes = config.lanes.iter().map(lane).collect::<Result<Vec<_>, RulesError>>()?;
        let mut routes = Vec::with_capacity(config.routes.len());
        for route in &config.routes {
            let at = |name: &LaneName| {
                let at = lanes.iter().position(|lane| lane.name == *name);
                at.ok_or_else(|| inconsistent(format!("a route leads to no lane: {name}")))
            };
            let failover = route.failover.as_ref().map(at).transpose()?;
            let code = route.currency.as_deref().map(|code| currencies.find(code)).transpose();
            let code = code.map_err(|e| inconsistent(e.to_string()))?;
            routes.push(Route {
                method: route.method,
                currency: code.map(|currency| currency.code().to_owned()),
                way: Way { lane: at(&route.lane)?, failover },
            });
        }
        Ok(Rules {
            currencies,
            lanes,
            routes,
            profiles: config.profiles.clone(),
            clerk: Clerk::new(&config.audit),
            unmask: config.results.unmask,
            keep_rows_days: config.ledger.keep_rows_days,
        })
    }

    /// The index of a lane.
    pub fn lane(&self, name: &str) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.name.as_str() == name)
    }

    /// The waiting times of a lane; the defaults for one that the config no longer has.
    pub fn policy(&self, name: &LaneName) -> Policy {
        self.lane(name.as_str()).map_or_else(Policy::default, |at| self.lanes[at].policy.clone())
    }

    /// What may be spent on a lane; none where the config does not say it.
    pub fn spend_caps(&self, name: &LaneName) -> SpendCaps {
        let lane = self.lane(name.as_str()).map(|at| &self.lanes[at]);
        lane.map(|lane| lane.spend.clone()).unwrap_or_default()
    }

    /// Where a row goes that names no lane.
    pub fn route(&self, method: Method, currency: &str) -> Option<Way> {
        let holds = |route: &&Route| {
            route.method.is_none_or(|wanted| wanted == method)
                && route.currency.as_deref().is_none_or(|wanted| wanted == currency)
        };
        self.routes.iter().find(holds).map(|route| route.way)
    }

    /// All lanes.
    pub fn all_lanes(&self) -> Vec<LaneName> {
        self.lanes.iter().map(|lane| lane.name.clone()).collect()
    }

    /// The names of all lanes, for messages.
    pub fn lane_names(&self) -> String {
        self.lanes.iter().map(|lane| lane.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}
