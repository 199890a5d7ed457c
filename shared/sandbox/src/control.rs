//! The control API under `/sandbox/`: for tests and people, never for an adapter.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Serialize;

use crate::dial::{Dial, DialChange};
use crate::sandbox::{Inside, counters_of};
use crate::server::{BodyError, Call, Reply};
use crate::venue::{LedgerEntry, Venue};

/// Ledger entries made at a time: about 150 kB.
const LEDGER_PAGE: usize = 500;

#[derive(Serialize)]
struct Id<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct Settled {
    settled: usize,
}

#[derive(Serialize)]
struct Problem {
    error: String,
}

/// One call; `path` is what follows `/sandbox/`: `counters` for the merchant gateway,
/// `<provider>/counters` for another one.
pub(crate) async fn answer(inside: &Arc<Inside>, path: &str, call: Call) -> Reply {
    let ok = StatusCode::OK;
    if let Some((provider, what)) = path.split_once('/')
        && let Some(venue) = inside.venue(provider).cloned()
    {
        return of_venue(venue, what, call).await;
    }
    match (call.method(), path) {
        (&Method::GET, "id") => Reply::json(ok, &Id { id: &inside.id }),
        (&Method::GET, "counters") => Reply::json(ok, &inside.counters()),
        (&Method::GET, "pace") => Reply::json(ok, &inside.merchant.pace()),
        (&Method::GET, "ledger") => {
            let inside = Arc::clone(inside);
            ledger(move |from, most| inside.merchant.ledger(from, most))
        }
        (&Method::POST, "settle") => {
            Reply::json(ok, &Settled { settled: inside.merchant.settle_now() })
        }
        (_, "dial") => dial(&inside.dial, call).await,
        _ => unknown(),
    }
}

async fn of_venue(venue: Arc<dyn Venue>, what: &str, mut call: Call) -> Reply {
    let ok = StatusCode::OK;
    match (call.method(), what) {
        (&Method::GET, "counters") => Reply::json(ok, &counters_of(&*venue)),
        (&Method::GET, "ledger") => ledger(move |from, most| venue.ledger(from, most)),
        (&Method::POST, "settle") => Reply::json(ok, &Settled { settled: venue.settle_now() }),
        (_, "dial") => dial(venue.dial(), call).await,
        (&Method::POST | &Method::PUT | &Method::DELETE, _) => match read_body(&mut call).await {
            Ok(body) => venue.control(what, &body).unwrap_or_else(unknown),
            Err(reply) => reply,
        },
        _ => unknown(),
    }
}

/// Nothing stands below this path.
fn unknown() -> Reply {
    problem(StatusCode::NOT_FOUND, "no such control call")
}

async fn dial(dial: &Dial, call: Call) -> Reply {
    match *call.method() {
        Method::GET => Reply::json(StatusCode::OK, &dial.settings()),
        Method::PUT => put_dial(dial, call).await,
        Method::DELETE => {
            dial.calm();
            Reply::json(StatusCode::OK, &dial.settings())
        }
        _ => unknown(),
    }
}

async fn put_dial(dial: &Dial, mut call: Call) -> Reply {
    let body = match read_body(&mut call).await {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let change: DialChange = match serde_json::from_slice(&body) {
        Ok(change) => change,
        Err(error) => return problem(StatusCode::BAD_REQUEST, error),
    };
    match dial.apply(&change) {
        Ok(()) => Reply::json(StatusCode::OK, &dial.settings()),
        Err(error) => problem(StatusCode::BAD_REQUEST, error),
    }
}

async fn read_body(call: &mut Call) -> Result<Bytes, Reply> {
    call.read_body().await.map_err(|error| match error {
        BodyError::TooLong => problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"),
        BodyError::Gone => Reply::Reset,
    })
}

fn ledger(page: impl Fn(usize, usize) -> Vec<LedgerEntry> + Send + 'static) -> Reply {
    let mut from = 0;
    Reply::pages("application/x-ndjson", move || {
        let entries = page(from, LEDGER_PAGE);
        from += entries.len();
        let mut lines = Vec::new();
        for entry in &entries {
            serde_json::to_writer(&mut lines, entry).ok()?;
            lines.push(b'\n');
        }
        (!lines.is_empty()).then(|| Bytes::from(lines))
    })
}

pub(crate) fn problem(status: StatusCode, error: impl ToString) -> Reply {
    Reply::json(status, &Problem { error: error.to_string() })
}
