//! One callback: the MAC first, then the body, then the engine, and only then the answer.

use super::rim::{Answer, Rim, Tallies, text};
use domain::LaneName;
use engine::Hearing;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use ledger::LedgerError;
use providers::CallbackRequest;
use std::time::Duration;

/// The longest body that is read; callbacks have about one kilobyte.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// How long the ledger may take; then the provider is asked to call again.
const HEARD_WITHIN: Duration = Duration::from_secs(20);

pub(super) async fn answer(rim: &Rim, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let Some(target) = rim.urls.read(path) else {
        Tallies::add(&rim.tallies.forged);
        if let Some(lane) = lane_of(rim, path).filter(|_| rim.strays.may_keep())
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
    // A copy is kept only where the answer may be that it is nobody's: that is rare, but known
    // too late. Bodies are short.
    let letter = CallbackRequest { kind: target.kind, signature: None, body: body.clone() };
    let heard = rim.hears.hear(&target.lane, target.place, target.attempt, letter);
    match tokio::time::timeout(HEARD_WITHIN, heard).await {
        Ok(Ok(Hearing::Taken)) => {
            Tallies::add(&rim.tallies.taken);
            text(StatusCode::OK, "ok\n")
        }
        Ok(Ok(Hearing::NotOurs)) => {
            Tallies::add(&rim.tallies.nobodys);
            if rim.strays.may_keep() {
                let why = format!("no attempt {} of {}", target.attempt, target.place);
                rim.strays.keep(rim, target.lane, &why, &body).await;
            }
            text(StatusCode::NOT_FOUND, "no such payout\n")
        }
        Ok(Err(error)) => away(rim, Some(&error)),
        Err(_) => away(rim, None),
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
