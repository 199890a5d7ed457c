//! Reading the layers and laying one over the other.
//!
//! Tables merge key by key; everything else is replaced. One exception: a layer that names lanes
//! replaces the built-in lanes and routes altogether, so that a production config never has the
//! sandbox lane beside its own (S4).

use crate::error::explain;
use crate::{Config, ConfigError};
use std::path::Path;
use toml::{Table, Value};

/// The file that is read when none is named, if it is there.
pub const DEFAULT_FILE: &str = "config/default.toml";

/// Environment variables of ours begin with it.
pub const ENV_PREFIX: &str = "PAYOUT__";

/// The layers above the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `(PAYOUT__WORKER__LEASE_MS, 60000)`.
    pub env: Vec<(String, String)>,
    /// `(worker.lease_ms, 60000)`.
    pub flags: Vec<(String, String)>,
}

impl Overrides {
    /// The process's own environment, and flags written `section.key=value`.
    pub fn from_process(flags: &[String]) -> Result<Overrides, ConfigError> {
        let mut env: Vec<_> =
            std::env::vars().filter(|(name, _)| name.starts_with(ENV_PREFIX)).collect();
        env.sort();
        let split = |flag: &String| {
            let pair = flag.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
            pair.ok_or_else(|| ConfigError::Layer {
                origin: format!("--set {flag}"),
                problem: "expected section.key=value, such as worker.lease_ms=60000".to_owned(),
            })
        };
        Ok(Overrides { env, flags: flags.iter().map(split).collect::<Result<_, _>>()? })
    }
}

impl Config {
    /// Reads all layers and checks the whole. Without `path`, [`DEFAULT_FILE`] is read if it is
    /// there.
    pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Config, ConfigError> {
        let mut table = Table::try_from(Config::default())
            .map_err(|e| ConfigError::Inconsistent(format!("built-in defaults: {e}")))?;
        let default_file = Path::new(DEFAULT_FILE);
        let path = path.or_else(|| default_file.is_file().then_some(default_file));
        if let Some(path) = path {
            lay_over(&mut table, read_file(path)?);
        }
        for (name, value) in &overrides.env {
            let dotted = env_to_dotted(name);
            merge(&mut table, single(&dotted, value, &format!("environment variable {name}"))?);
        }
        for (key, value) in &overrides.flags {
            let parts: Vec<String> = key.split('.').map(str::to_owned).collect();
            merge(&mut table, single(&parts, value, &format!("--set {key}"))?);
        }
        let config: Config = Value::Table(table)
            .try_into()
            .map_err(|e: toml::de::Error| ConfigError::Inconsistent(explain(e.message())))?;
        crate::check::check(&config)?;
        Ok(config)
    }
}

/// Reads one file and checks its keys by themselves, while line numbers are still known.
fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: shown.clone(), source })?;
    let wrong = |error: toml::de::Error| {
        let line = error.span().map_or_else(String::new, |span| {
            let before = text.get(..span.start).unwrap_or(&text);
            format!(", line {}", before.matches('\n').count() + 1)
        });
        ConfigError::Layer { origin: format!("{shown}{line}"), problem: explain(error.message()) }
    };
    toml::from_str::<Config>(&text).map_err(wrong)?;
    toml::from_str(&text).map_err(wrong)
}

/// `PAYOUT__LANES__MY_LANE__IN_FLIGHT` is `lanes.my-lane.in_flight`: lane names have dashes
/// where variables can only have underscores.
fn env_to_dotted(name: &str) -> Vec<String> {
    let name = name.strip_prefix(ENV_PREFIX).unwrap_or(name);
    let mut parts: Vec<String> = name.split("__").map(str::to_ascii_lowercase).collect();
    if let [section, lane, ..] = parts.as_mut_slice()
        && section == "lanes"
    {
        *lane = lane.replace('_', "-");
    }
    parts
}

/// A layer of one value: read as TOML if it can be, else as text.
fn single(key: &[String], value: &str, origin: &str) -> Result<Table, ConfigError> {
    let nested = |value: Value| {
        key.iter()
            .rev()
            .fold(value, |inner, part| Value::Table(Table::from_iter([(part.clone(), inner)])))
    };
    let fits = |layer: Value| match layer {
        Value::Table(table) => Config::deserialize_layer(&table).map(|()| table),
        _ => Err("no key".to_owned()),
    };
    let as_toml = toml::from_str::<Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"));
    let as_text = fits(nested(Value::String(value.to_owned())));
    let layer = match as_toml {
        Some(parsed) => fits(nested(parsed)).or_else(|problem| as_text.map_err(|_| problem)),
        None => as_text,
    };
    layer.map_err(|problem| ConfigError::Layer { origin: origin.to_owned(), problem })
}

impl Config {
    fn deserialize_layer(table: &Table) -> Result<(), String> {
        let read: Result<Config, _> = Value::Table(table.clone()).try_into();
        read.map(|_| ()).map_err(|error| explain(error.message()))
    }
}

/// A file over the built-in defaults.
fn lay_over(base: &mut Table, file: Table) {
    if file.contains_key("lanes") {
        base.remove("lanes");
        base.remove("routes");
    }
    merge(base, file);
}

fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
