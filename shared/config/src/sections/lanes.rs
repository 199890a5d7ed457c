//! Lanes: one account each, with its rate and its waiting times. Routes: which row goes where.

use super::brakes::BrakesConfig;
use super::ceilings::CeilingsConfig;
use super::hours::HoursConfig;
use domain::{LaneName, Method, PolicyChange, PollingChange};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// One account at one provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LaneConfig {
    /// The provider's name in the registry. Required.
    pub provider: String,
    /// Not a production lane: no real money (S4).
    pub sandbox: bool,
    /// Create requests a second for the whole pool.
    pub rate_per_second: Rate,
    /// Create requests under way at once in the whole pool; 0 is the provider's default.
    pub in_flight: u16,
    /// Look-ups a second for the whole pool, a budget of their own.
    pub look_ups_per_second: Rate,
    /// Whether a lane without an accepted payout starts with a single one (S10).
    pub canary: bool,
    /// Waiting times, all in milliseconds.
    pub policy: PolicyChange,
    /// How payouts without news are polled, where that is agreed; else they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polling: Option<PollingChange>,
    /// What no payout, batch or day exceeds (S23).
    pub ceilings: CeilingsConfig,
    /// When a batch stops by itself.
    pub brakes: BrakesConfig,
    /// When it sends; always, where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<HoursConfig>,
    /// The provider's own settings; the adapter reads them.
    pub settings: toml::Table,
}

impl Default for LaneConfig {
    fn default() -> Self {
        LaneConfig {
            provider: String::new(),
            sandbox: false,
            rate_per_second: Rate::ProvidersOwn,
            in_flight: 0,
            look_ups_per_second: Rate::ProvidersOwn,
            canary: true,
            policy: PolicyChange::default(),
            polling: None,
            ceilings: CeilingsConfig::default(),
            brakes: BrakesConfig::default(),
            hours: None,
            settings: toml::Table::new(),
        }
    }
}

/// A rate: 0 is what the provider's limits say, `30` or `"30/min"` so many a second or a minute, evenly
/// spaced, `"unlimited"` is no limit of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rate {
    /// What the provider's limits table says.
    #[default]
    ProvidersOwn,
    /// So many a second.
    PerSecond(u32),
    /// So many a minute.
    PerMinute(u32),
    /// No limit.
    Unlimited,
}

impl Rate {
    /// Microseconds between two requests, rounded up: never a faster rate; 0 is no limit. `own` is the
    /// provider's own rate, with 0 for none.
    pub fn interval_us(self, own: u32) -> u64 {
        let spread = |span_us: u64, rate: u32| span_us.div_ceil(u64::from(rate.max(1)));
        match self {
            Rate::Unlimited => 0,
            Rate::PerSecond(rate) => spread(SECOND_US, rate),
            Rate::PerMinute(rate) => spread(60 * SECOND_US, rate),
            Rate::ProvidersOwn if own == 0 => 0,
            Rate::ProvidersOwn => spread(SECOND_US, own),
        }
    }

    /// `"unlimited"` or `"30/min"`.
    fn parse(text: &str) -> Option<Rate> {
        if text == "unlimited" {
            return Some(Rate::Unlimited);
        }
        let count = text.strip_suffix("/min")?.parse().ok()?;
        (1..=RATE_MAX).contains(&count).then_some(Rate::PerMinute(count))
    }
}

/// A second in microseconds.
const SECOND_US: u64 = 1_000_000;
/// The highest rate: one request a microsecond is the finest that an interval can say.
const RATE_MAX: u32 = 1_000_000;

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Rate::ProvidersOwn => serializer.serialize_u32(0),
            Rate::PerSecond(rate) => serializer.serialize_u32(*rate),
            Rate::PerMinute(rate) => serializer.collect_str(&format_args!("{rate}/min")),
            Rate::Unlimited => serializer.serialize_str("unlimited"),
        }
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
        let rate = match toml::Value::deserialize(deserializer)? {
            toml::Value::Integer(0) => Some(Rate::ProvidersOwn),
            toml::Value::Integer(rate) => {
                let rate = u32::try_from(rate).ok();
                rate.filter(|rate| *rate <= RATE_MAX).map(Rate::PerSecond)
            }
            toml::Value::String(text) => Rate::parse(&text),
            _ => None,
        };
        rate.ok_or_else(|| {
            serde::de::Error::custom(
                "this is not a rate; write a whole number from 1 to 1000000 for so many a second, \
                 \"30/min\" for so many a minute, 0 for the provider's own, or \"unlimited\"",
            )
        })
    }
}

/// Rows of this method and currency go to this lane. A condition left out always holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Only rows paid so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// Only rows in this currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Where they go.
    pub lane: LaneName,
    /// Where those go that this lane refuses, if nothing was created of them (S15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<LaneName>,
}

fn main_lane() -> LaneName {
    LaneName::new("main").unwrap_or_else(|_| unreachable!("a literal lane name"))
}

/// The lane that works without any configuration: the built-in sandbox.
pub(crate) fn built_in() -> BTreeMap<LaneName, LaneConfig> {
    let text = |text: &str| toml::Value::String(text.to_owned());
    let settings = toml::Table::from_iter([
        ("base_url".to_owned(), text("sandbox")),
        ("merchant".to_owned(), text("sandbox")),
    ]);
    let lane = LaneConfig {
        provider: "merchant".to_owned(),
        sandbox: true,
        settings,
        ..LaneConfig::default()
    };
    BTreeMap::from([(main_lane(), lane)])
}

/// Everything goes to the built-in lane.
pub(crate) fn built_in_routes() -> Vec<RouteConfig> {
    vec![RouteConfig { method: None, currency: None, lane: main_lane(), failover: None }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_becomes_an_interval() {
        assert_eq!(Rate::PerSecond(20).interval_us(5), 50_000);
        assert_eq!(Rate::ProvidersOwn.interval_us(5), 200_000);
        assert_eq!(Rate::ProvidersOwn.interval_us(0), 0);
        assert_eq!(Rate::Unlimited.interval_us(5), 0);
        assert_eq!(Rate::PerMinute(30).interval_us(5), 2_000_000);
    }

    #[test]
    fn an_interval_never_rounds_to_a_faster_rate() {
        for rate in [1, 3, 7, 475, 499, 999_999, 1_000_000] {
            assert!(Rate::PerSecond(rate).interval_us(0) * u64::from(rate) >= SECOND_US, "{rate}");
            assert!(Rate::ProvidersOwn.interval_us(rate) * u64::from(rate) >= SECOND_US, "{rate}");
            assert!(
                Rate::PerMinute(rate).interval_us(0) * u64::from(rate) >= 60 * SECOND_US,
                "{rate}"
            );
        }
    }

    #[test]
    fn a_rate_is_written_as_it_is_read() {
        let read = |text: &str| toml::from_str::<BTreeMap<String, Rate>>(&format!("rate = {text}"));
        let read_value = |text: &str| {
            let table: toml::Table = toml::from_str(&format!("rate = {text}")).unwrap();
            table["rate"].clone()
        };
        for (text, rate) in [
            ("0", Rate::ProvidersOwn),
            ("475", Rate::PerSecond(475)),
            ("\"30/min\"", Rate::PerMinute(30)),
            ("\"unlimited\"", Rate::Unlimited),
        ] {
            assert_eq!(read(text).unwrap()["rate"], rate);
            assert_eq!(toml::Value::try_from(rate).unwrap(), read_value(text));
        }
        for text in
            ["-1", "1000001", "1.5", "\"0/min\"", "\"-1/min\"", "\"30/h\"", "\"30\"", "\"/min\""]
        {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("not a rate") && error.contains("30/min"), "{text}: {error}");
        }
    }
}
