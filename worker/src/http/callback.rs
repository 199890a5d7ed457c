//! One callback: the MAC first, then the body, then the engine, and only then the answer.

use super::rim::{Answer, Rim, Tallies, text};
use domain::LaneName;
use engine::Hearing;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, StatusCode};
use ledger::LedgerError;
use providers::callback_url::CallbackTarget;
use providers::{CallbackKind, CallbackRequest};
use std::time::Duration;

/// The longest body that is read; callbacks have about one kilobyte.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// How long the ledger may take; then the provider is asked to call again.
const HEARD_WITHIN: Duration = Duration::from_secs(20);

/// Whom a call is for.
enum Target {
    /// The payout that its URL names.
    Payout(CallbackTarget),
    /// The lane whose one URL it is; the body names the payout.
    Lane(LaneName),
}

impl Target {
    fn lane(&self) -> &LaneName {
        match self {
            Target::Payout(target) => &target.lane,
            Target::Lane(lane) => lane,
        }
    }
}

pub(super) async fn answer(rim: &Rim, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let payout = rim.urls.read(path).map(Target::Payout);
    let Some(target) = payout.or_else(|| rim.urls.read_lane(path).map(Target::Lane)) else {
        Tallies::add(&rim.tallies.forged);
        if let Some(lane) = lane_of(rim, path).filter(|_| rim.strays.may_keep_forged())
            && let Ok(body) = read(body).await
        {
            rim.strays.keep(rim, lane, "not a URL of ours", &body).await;
        }
        return text(StatusCode::NOT_FOUND, "no such callback\n");
    };
    let body = match read(body).await {
        Ok(body) => body,
        Err(status) => {
            Tallies::add(&rim.tallies.unreadable);
            return text(status, "the body was not read; call again\n");
        }
    };
    match tokio::time::timeout(HEARD_WITHIN, hear(rim, &target, &head.headers, &body)).await {
        Ok(Ok(Hearing::Taken)) => {
            Tallies::add(&rim.tallies.taken);
            text(StatusCode::OK, "ok\n")
        }
        Ok(Ok(Hearing::Unchecked)) => {
            Tallies::add(&rim.tallies.unchecked);
            text(StatusCode::SERVICE_UNAVAILABLE, "not checked; call again\n")
        }
        Ok(Ok(Hearing::NotOurs)) => nobodys(rim, target, &body, None).await,
        // So late that its row cannot be compared any more: a person has to look at it.
        Ok(Err(error @ LedgerError::Destroyed { .. })) => {
            tracing::warn!(%error, "a callback is kept as nobody's");
            nobodys(rim, target, &body, Some(error.to_string())).await
        }
        Ok(Err(error)) => away(rim, Some(&error)),
        Err(_) => away(rim, None),
    }
}

async fn hear(
    rim: &Rim,
    target: &Target,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Hearing, LedgerError> {
    let body = body.to_vec();
    match target {
        Target::Payout(target) => {
            let letter = CallbackRequest { kind: target.kind, signature: None, body };
            rim.hears.hear(&target.lane, target.place, target.attempt, letter).await
        }
        Target::Lane(lane) => {
            let name = rim.hears.signature_header(lane);
            let value = name.and_then(|name| headers.get(name));
            let signature = value.and_then(|value| value.to_str().ok()).map(str::to_owned);
            let letter = CallbackRequest { kind: CallbackKind::Status, signature, body };
            rim.hears.hear_notice(lane, letter).await
        }
    }
}

/// Where the call is kept, a payout's own URL is answered 404, as nobody may call it for nothing,
/// and a lane's 200, because calling again would change nothing. Else the provider is asked to
/// call again, as what it said is not durable (S16): only it can know a URL with our MAC.
async fn nobodys(rim: &Rim, target: Target, body: &[u8], why: Option<String>) -> Answer {
    Tallies::add(&rim.tallies.nobodys);
    let mut is_kept = false;
    if rim.strays.may_keep() {
        let why = why.unwrap_or_else(|| match &target {
            Target::Payout(target) => format!("no attempt {} of {}", target.attempt, target.place),
            Target::Lane(_) => "names no payout of ours".to_owned(),
        });
        let keeping = rim.strays.keep(rim, target.lane().clone(), &why, body);
        is_kept = tokio::time::timeout(HEARD_WITHIN, keeping).await.unwrap_or(false);
    }
    match target {
        _ if !is_kept => text(StatusCode::SERVICE_UNAVAILABLE, "not kept; call again\n"),
        Target::Payout(_) => text(StatusCode::NOT_FOUND, "no such payout\n"),
        Target::Lane(_) => text(StatusCode::OK, "kept\n"),
    }
}

/// The provider is asked to call again: nothing is known to be durable.
fn away(rim: &Rim, error: Option<&LedgerError>) -> Answer {
    Tallies::add(&rim.tallies.away);
    if let Some(error @ LedgerError::Broken(_)) = error {
        tracing::error!(%error, "a callback could not be taken");
    }
    text(StatusCode::SERVICE_UNAVAILABLE, "not taken; call again\n")
}

async fn read(body: Incoming) -> Result<Vec<u8>, StatusCode> {
    let body = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_WITHIN, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes().into()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// The lane that a path names, if it is one of ours: nothing else is kept.
fn lane_of(rim: &Rim, path: &str) -> Option<LaneName> {
    let (_, rest) = path.split_once("/cb/")?;
    let name = rest.split('/').next()?;
    rim.lanes.iter().find(|lane| lane.as_str() == name).cloned()
}
