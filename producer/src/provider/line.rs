//! A lane's adapter to pay: with its keys, and without the sandbox that only a worker carries.

use config::error::nearest;
use config::key_file::{self, KeyError, KeyKind};
use config::{Config, HttpConfig};
use domain::{LaneName, Policy};
use providers::callback_url::{CallbackUrls, NotAPublicUrl};
use providers::registry::{self, BuildContext, BuildError};
use providers::{Provider, Turns};
use std::sync::Arc;
use std::time::Duration;

/// The base URL that stands for the built-in sandbox.
const BUILT_IN: &str = "sandbox";

/// Why a lane's provider cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// No such lane.
    #[error("there is no lane \"{found}\"{hint}; lanes: {known}")]
    NoLane {
        /// What was asked for.
        found: String,
        /// `; did you mean "main"?`
        hint: String,
        /// What there is.
        known: String,
    },
    /// It names the built-in sandbox, which runs in another process.
    #[error(
        "lane {0} pays into the built-in sandbox (base_url = \"sandbox\"), which lives inside \
         `worker up` and cannot be asked from here; run `sandbox --listen 127.0.0.1:7700 --data \
         ./data/sandbox` and set [lanes.{0}.settings] base_url to its URL"
    )]
    BuiltIn(LaneName),
    /// Its adapter cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It is to be polled as its provider does not allow.
    #[error("lanes.{0}.polling: {1}")]
    Polling(LaneName, String),
    /// The address that providers call back.
    #[error(transparent)]
    PublicUrl(#[from] NotAPublicUrl),
    /// The callback key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A lane that can be asked.
#[derive(Clone)]
pub struct Line {
    /// Its name.
    pub lane: LaneName,
    /// The adapter, with the lane's keys.
    pub provider: Arc<dyn Provider>,
    /// How long to wait for what.
    pub policy: Policy,
    /// Microseconds between two look-up requests.
    pub look_up_interval_us: u64,
}

impl Line {
    /// Builds the adapter of a lane of the config.
    pub fn open(config: &Config, lane: &LaneName) -> Result<Line, LineError> {
        let Some(settings) = config.lanes.get(lane) else {
            return Err(no_lane(lane, config.lanes.keys()));
        };
        if settings.settings.get("base_url").and_then(|url| url.as_str()) == Some(BUILT_IN) {
            return Err(LineError::BuiltIn(lane.clone()));
        }
        let limits = registry::limits(&settings.provider);
        let policy = match limits {
            Some(limits) => {
                limits.policy_of(&settings.policy, settings.polling.as_ref(), settings.sandbox)
            }
            // That there is none is told when its adapter is built.
            None => Ok(settings.policy.on(&Policy::DEFAULT)),
        };
        let policy = policy.map_err(|text| LineError::Polling(lane.clone(), text))?;
        let context = BuildContext {
            lane: lane.clone(),
            callbacks: Some(callback_urls(&config.http)?),
            sandbox: None,
            request_timeout_ms: policy.request_timeout_ms,
        };
        let provider = registry::build(&settings.provider, settings.settings.clone(), context)?;
        let per_second = provider.limits().look_ups_per_second;
        Ok(Line {
            lane: lane.clone(),
            policy,
            look_up_interval_us: settings.look_ups_per_second.interval_us(per_second),
            provider,
        })
    }

    /// The pace of this command's own look-up requests.
    pub fn turns(&self) -> Arc<dyn Turns> {
        let turn = Duration::from_micros(self.look_up_interval_us);
        Arc::new(Unhurried { turn, next: tokio::sync::Mutex::new(tokio::time::Instant::now()) })
    }
}

/// The error for a lane that is not there.
pub fn no_lane<'a>(found: &LaneName, lanes: impl Iterator<Item = &'a LaneName>) -> LineError {
    let known: Vec<&str> = lanes.map(LaneName::as_str).collect();
    let hint = nearest(found.as_str(), known.iter().copied())
        .map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
    LineError::NoLane { found: found.to_string(), hint, known: known.join(", ") }
}

/// The URLs as a worker makes them. Without the worker's key an unguessable one stands in: no
/// payout is created from here, so nobody is ever given a URL that is made with it.
fn callback_urls(http: &HttpConfig) -> Result<CallbackUrls, LineError> {
    Ok(match key_file::load(KeyKind::Callback, &http.callback_key_file)? {
        Some(key) => CallbackUrls::new(&http.public_url, key)?,
        None => CallbackUrls::new(&http.public_url, rand::random())?.stand_in(),
    })
}

/// One request a turn; the first at once.
struct Unhurried {
    turn: Duration,
    next: tokio::sync::Mutex<tokio::time::Instant>,
}

impl Turns for Unhurried {
    fn next(&self) -> futures::future::BoxFuture<'_, ()> {
        Box::pin(async {
            let mut next = self.next.lock().await;
            tokio::time::sleep_until(*next).await;
            *next = tokio::time::Instant::now() + self.turn;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(name: &str) -> LaneName {
        LaneName::new(name).unwrap()
    }

    fn refusal(config: &Config, name: &str) -> String {
        Line::open(config, &lane(name)).err().unwrap().to_string()
    }

    #[test]
    fn the_sandbox_of_another_process_is_told_with_the_remedy() {
        let text = refusal(&Config::default(), "main");
        assert!(text.contains("lane main") && text.contains("`worker up`"), "{text}");
        assert!(text.contains("base_url to its URL"), "{text}");
    }

    #[test]
    fn a_misspelt_lane_is_told_with_the_nearest_one() {
        let text = refusal(&Config::default(), "mian");
        assert_eq!(text, "there is no lane \"mian\"; did you mean \"main\"?; lanes: main");
    }

    #[test]
    fn no_callback_key_is_made_and_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let http = HttpConfig {
            callback_key_file: folder.path().join("callback.key"),
            ..HttpConfig::default()
        };
        callback_urls(&http).unwrap();
        assert!(!http.callback_key_file.exists(), "making it is a worker's");
        std::fs::write(&http.callback_key_file, "half a key").unwrap();
        let text = callback_urls(&http).err().unwrap().to_string();
        assert!(text.contains("64 hex digits") && !text.contains("half"), "{text}");
    }

    #[tokio::test]
    async fn look_up_requests_keep_their_distance() {
        let begun = tokio::time::Instant::now();
        let turn = Duration::from_millis(20);
        let turns = Unhurried { turn, next: tokio::sync::Mutex::new(begun) };
        turns.next().await;
        turns.next().await;
        assert!(begun.elapsed() >= turn);
    }
}
