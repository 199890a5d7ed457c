//! What holds because a cap on spending is used up: which, how much of it, and until when.

use crate::report::cells::put_time;
use domain::Millis;
use ledger::spend::{Hold, Holder, Over};
use serde_json::{Value, json};

/// `lane main holds until 2026-03-01T13:00:00Z: of the cap of …`.
pub fn line(holder: &Holder, hold: &Hold) -> String {
    format!("{holder} holds {}\n", words(holder, hold))
}

/// `until 2026-03-01T13:00:00Z: of the cap of …`.
pub fn words(holder: &Holder, hold: &Hold) -> String {
    format!("until {}: {}", time(hold.until), holder.reason(hold))
}

/// For scripts.
pub fn to_json(holder: &Holder, hold: &Hold) -> Value {
    let (Holder::Lane(lane) | Holder::Batch(_, lane)) = holder;
    let over = |over: &Over| {
        json!({
            "span": over.span.name(),
            "cap": over.text(over.cap),
            "used": over.text(over.used),
            "next_payout": over.text(over.next),
        })
    };
    json!({
        "lane": lane.as_str(),
        "since": time(hold.since),
        "until": time(hold.until),
        "caps": hold.over.iter().map(over).collect::<Vec<_>>(),
        "reason": holder.reason(hold),
    })
}

fn time(at: Millis) -> String {
    let mut text = String::new();
    put_time(&mut text, at.0);
    text
}
