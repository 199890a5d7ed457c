//! `GET /health`: whether the ledger answers, which lanes are stopped, and which are closed at this hour.
//!
//! 503 means that this process can do nothing, callbacks included. A stopped lane is not that, nor
//! is a process that sends nothing because its ledger may have gone back in time (S18): they wait
//! for a person, and callbacks are still taken.

use super::rim::{Answer, Rim, text};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{StatusCode, body::Bytes};
use ledger::{Ledger, LedgerError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Whoever asks more often is told the same again: the listener faces the network.
const LASTS: Duration = Duration::from_secs(1);

/// A ledger that does not answer within this time counts as away.
const WITHIN: Duration = Duration::from_secs(3);

/// A lane that sends nothing until somebody acts, or its time has come.
const STOPPED: &str = "stopped";

/// The last answer and when it was found.
#[derive(Default)]
pub(super) struct Checked(Mutex<Option<(Instant, Health)>>);

#[derive(Clone, Serialize)]
struct Health {
    status: &'static str,
    ledger: &'static str,
    lanes: BTreeMap<String, String>,
    /// Why this process sends nothing, if it does not (S18).
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<String>,
}

impl Checked {
    pub(super) async fn answer(&self, rim: &Rim) -> Answer {
        let mut last = self.0.lock().await;
        let health = match &*last {
            Some((at, health)) if at.elapsed() < LASTS => health.clone(),
            _ => {
                let health = check(rim).await;
                *last = Some((Instant::now(), health.clone()));
                health
            }
        };
        let status = match health.ledger {
            "reachable" => StatusCode::OK,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        // A struct of words is always JSON.
        let body = serde_json::to_vec(&health).map(Bytes::from).unwrap_or_default();
        let mut answer = text(status, body);
        let json = HeaderValue::from_static("application/json");
        answer.headers_mut().insert(CONTENT_TYPE, json);
        answer
    }
}

async fn check(rim: &Rim) -> Health {
    match tokio::time::timeout(WITHIN, lanes(rim)).await {
        Ok(Ok(lanes)) => {
            let stopped = lanes.values().any(|state| state == STOPPED);
            let held = rim.hears.held();
            let status = match (&held, stopped) {
                (Some(_), _) => "nothing is sent",
                (None, true) => "a lane is stopped",
                (None, false) => "ok",
            };
            Health { status, ledger: "reachable", lanes, held }
        }
        _ => Health {
            status: "the ledger is away",
            ledger: "away",
            lanes: BTreeMap::new(),
            held: None,
        },
    }
}

async fn lanes(rim: &Rim) -> Result<BTreeMap<String, String>, LedgerError> {
    let now = rim.ledger.about().await?.now;
    let mut lanes = BTreeMap::new();
    for name in &rim.lanes {
        let record = Ledger::lane(&*rim.ledger, name.clone()).await?;
        let stop = record.stopped.filter(|stop| stop.until.is_none_or(|until| until > now));
        let closed = rim.hours.get(name).and_then(|hours| hours.closed(now));
        let state = match (stop, closed) {
            (Some(_), _) => STOPPED.to_owned(),
            (None, Some(closed)) => closed.to_string(),
            (None, None) => "sending".to_owned(),
        };
        lanes.insert(name.to_string(), state);
    }
    Ok(lanes)
}
