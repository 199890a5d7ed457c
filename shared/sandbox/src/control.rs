//! The control API under `/sandbox/`: for tests and people, never for an adapter.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Serialize;

use crate::dial::DialChange;
use crate::sandbox::Inside;
use crate::server::{BodyError, Call, Reply};

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

/// One call; `path` is what follows `/sandbox/`.
pub(crate) async fn answer(inside: &Arc<Inside>, path: &str, call: Call) -> Reply {
    let ok = StatusCode::OK;
    match (call.method(), path) {
        (&Method::GET, "id") => Reply::json(ok, &Id { id: &inside.id }),
        (&Method::GET, "counters") => Reply::json(ok, &inside.counters()),
        (&Method::GET, "ledger") => ledger(Arc::clone(inside)),
        (&Method::GET, "dial") => Reply::json(ok, &inside.dial.settings()),
        (&Method::PUT, "dial") => put_dial(inside, call).await,
        (&Method::DELETE, "dial") => {
            inside.dial.calm();
            Reply::json(ok, &inside.dial.settings())
        }
        (&Method::POST, "settle") => {
            Reply::json(ok, &Settled { settled: inside.merchant.settle_now() })
        }
        _ => problem(StatusCode::NOT_FOUND, "no such control call"),
    }
}

async fn put_dial(inside: &Inside, mut call: Call) -> Reply {
    let body = match call.read_body().await {
        Ok(body) => body,
        Err(BodyError::TooLong) => {
            return problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long");
        }
        Err(BodyError::Gone) => return Reply::Reset,
    };
    let change: DialChange = match serde_json::from_slice(&body) {
        Ok(change) => change,
        Err(error) => return problem(StatusCode::BAD_REQUEST, error),
    };
    match inside.dial.apply(&change) {
        Ok(()) => Reply::json(StatusCode::OK, &inside.dial.settings()),
        Err(error) => problem(StatusCode::BAD_REQUEST, error),
    }
}

fn ledger(inside: Arc<Inside>) -> Reply {
    let mut from = 0;
    Reply::pages("application/x-ndjson", move || {
        let page = inside.merchant.ledger(from, LEDGER_PAGE);
        from += page.len();
        let mut lines = Vec::new();
        for entry in &page {
            serde_json::to_writer(&mut lines, entry).ok()?;
            lines.push(b'\n');
        }
        (!lines.is_empty()).then(|| Bytes::from(lines))
    })
}

fn problem(status: StatusCode, error: impl ToString) -> Reply {
    Reply::json(status, &Problem { error: error.to_string() })
}
