//! What an answer needs to know, and which path is whose.

use super::strays::Strays;
use super::{callback, health, metrics};
use domain::{Hours, LaneName, Place};
use engine::{Engine, Hearing};
use futures::future::BoxFuture;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use ledger::{Ledger, LedgerError};
use providers::CallbackRequest;
use providers::callback_url::CallbackUrls;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An answer.
pub type Answer = Response<Full<Bytes>>;

/// Who hears callbacks: the engine, in production.
pub trait Hears: Send + Sync + 'static {
    /// See [`Engine::hear`].
    fn hear<'a>(
        &'a self,
        lane: &'a LaneName,
        place: Place,
        attempt: u8,
        request: CallbackRequest,
    ) -> BoxFuture<'a, Result<Hearing, LedgerError>>;

    /// See [`Engine::hear_notice`].
    fn hear_notice<'a>(
        &'a self,
        lane: &'a LaneName,
        request: CallbackRequest,
    ) -> BoxFuture<'a, Result<Hearing, LedgerError>>;

    /// See [`Engine::signature_header`].
    fn signature_header(&self, lane: &LaneName) -> Option<String>;

    /// What happened since the start, by name.
    fn counters(&self) -> Vec<(&'static str, u64)>;

    /// How many chunks of a lane could be taken now.
    fn room(&self, lane: &LaneName) -> u16;

    /// Why this process sends nothing on any lane, if it does not.
    fn held(&self) -> Option<String> {
        None
    }
}

impl Hears for Engine {
    fn hear<'a>(
        &'a self,
        lane: &'a LaneName,
        place: Place,
        attempt: u8,
        request: CallbackRequest,
    ) -> BoxFuture<'a, Result<Hearing, LedgerError>> {
        Box::pin(Engine::hear(self, lane, place, attempt, request))
    }

    fn hear_notice<'a>(
        &'a self,
        lane: &'a LaneName,
        request: CallbackRequest,
    ) -> BoxFuture<'a, Result<Hearing, LedgerError>> {
        Box::pin(Engine::hear_notice(self, lane, request))
    }

    fn signature_header(&self, lane: &LaneName) -> Option<String> {
        Engine::signature_header(self, lane)
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        Engine::counters(self).read()
    }

    fn room(&self, lane: &LaneName) -> u16 {
        Engine::room(self, lane)
    }

    fn held(&self) -> Option<String> {
        Engine::held(self)
    }
}

/// Callbacks by what became of them.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    /// Durable, 200.
    pub taken: AtomicU64,
    /// Kept, but not checked, 503.
    pub unchecked: AtomicU64,
    /// A good MAC, but no such payout or attempt.
    pub nobodys: AtomicU64,
    /// Not a URL of ours.
    pub forged: AtomicU64,
    /// The ledger was away, 503.
    pub away: AtomicU64,
    /// A body that was too long, too slow or broke off.
    pub unreadable: AtomicU64,
}

impl Tallies {
    pub(super) fn add(tally: &AtomicU64) {
        tally.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> [(&'static str, u64); 6] {
        let get = |tally: &AtomicU64| tally.load(Ordering::Relaxed);
        [
            ("taken", get(&self.taken)),
            ("unchecked", get(&self.unchecked)),
            ("nobodys", get(&self.nobodys)),
            ("forged", get(&self.forged)),
            ("ledger_away", get(&self.away)),
            ("unreadable", get(&self.unreadable)),
        ]
    }
}

/// Answers requests.
pub struct Rim {
    pub(super) hears: Arc<dyn Hears>,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) urls: CallbackUrls,
    pub(super) lanes: Vec<LaneName>,
    /// Of those that have any.
    pub(super) hours: BTreeMap<LaneName, Hours>,
    pub(super) tallies: Tallies,
    pub(super) strays: Strays,
    health: health::Checked,
}

impl Rim {
    /// Answers for these lanes.
    pub fn new(
        hears: Arc<dyn Hears>,
        ledger: Arc<dyn Ledger>,
        urls: CallbackUrls,
        lanes: Vec<LaneName>,
    ) -> Rim {
        Rim {
            hears,
            ledger,
            urls,
            lanes,
            hours: BTreeMap::new(),
            tallies: Tallies::default(),
            strays: Strays::default(),
            health: health::Checked::default(),
        }
    }

    /// These lanes send only at their hours.
    #[must_use]
    pub fn with_hours(self, hours: BTreeMap<LaneName, Hours>) -> Rim {
        Rim { hours, ..self }
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/health") => self.health.answer(self).await,
            (&Method::GET, "/metrics") => metrics::answer(self),
            (&Method::POST, path) if path.contains("/cb/") => callback::answer(self, request).await,
            (_, path) if path.contains("/cb/") => {
                text(StatusCode::METHOD_NOT_ALLOWED, "callbacks are POST\n")
            }
            _ => text(StatusCode::NOT_FOUND, "nothing here: /health, /metrics, POST /cb/…\n"),
        }
    }
}

/// An answer in plain words.
pub(super) fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    answer
}
