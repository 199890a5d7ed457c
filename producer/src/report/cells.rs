//! A row as the result file shows it. Destinations are masked unless somebody asked otherwise (S24),
//! and no cell is a formula.

use super::late::LateNews;
use super::rows::ReportRow;
use domain::{Cause, Millis, Payout, State};
use jiff::Timestamp;
use std::fmt::Write;

/// The columns, in order.
pub const HEADER: [&str; 14] = [
    "line",
    "reference",
    "amount",
    "currency",
    "method",
    "destination",
    "lane",
    "state",
    "provider_id",
    "reason",
    "attempts",
    "updated",
    "receipts",
    "late_news",
];

/// Makes cells; keeps its memory from row to row.
#[derive(Default)]
pub struct Cells {
    cells: [String; HEADER.len()],
    unmask: bool,
}

impl Cells {
    /// With whole destinations, or masked ones.
    pub fn new(unmask: bool) -> Cells {
        Cells { unmask, ..Cells::default() }
    }

    /// The cells of a row, in the order of [`HEADER`].
    pub fn of(&mut self, row: &ReportRow) -> &[String; HEADER.len()] {
        self.cells.iter_mut().for_each(String::clear);
        let [
            line,
            reference,
            amount,
            currency,
            method,
            destination,
            lane,
            state,
            id,
            reason,
            attempts,
            updated,
            receipts,
            late,
        ] = &mut self.cells;
        let put = |cell: &mut String, value: &dyn std::fmt::Display| {
            // Writing to a String cannot fail.
            let _ = write!(cell, "{value}");
        };
        put(line, &row.row.line);
        put_text(reference, row.row.reference.as_str());
        put(amount, &row.row.money.amount());
        put(currency, row.row.money.currency());
        put(method, &row.row.method.name());
        match self.unmask {
            true => put_text(destination, row.row.destination.reveal()),
            false => put_text(destination, &row.row.destination.to_string()),
        }
        put(lane, &row.lane);
        put(state, &row.payout.state);
        put_text(id, &row.provider_id);
        let cause = row.payout.cause.sentence();
        let news = LateNews::of(&row.payout);
        let is_told = are_words_current(&row.payout) || news == LateNews::Returned;
        let told = if is_told { row.reason.as_str() } else { "" };
        put_text(reason, if told.is_empty() { cause } else { told });
        let attempt = if row.payout.was_ever_sent() { row.payout.attempt } else { 0 };
        put(attempts, &attempt);
        put_time(updated, row.payout.since.0);
        put_text(receipts, &row.receipts);
        late.push_str(news.name());
        &self.cells
    }
}

/// Whether the newest words of a row are about where it stands now. What is paid, or under way
/// again, leaves its words behind: "send 100 USDT to …" must not stand beside `paid`.
fn are_words_current(payout: &Payout) -> bool {
    match payout.state {
        // Why a person said so.
        State::Paid => payout.cause == Cause::Operator,
        State::Submitting | State::Submitted => false,
        State::Accepted
        | State::Waiting
        | State::Unknown
        | State::Failed
        | State::Cancelled
        | State::Review => true,
    }
}

/// A spreadsheet takes a cell that begins so for a formula.
fn put_text(cell: &mut String, text: &str) {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        cell.push('\'');
    }
    cell.push_str(text);
}

/// A moment for people: RFC 3339 in UTC.
pub fn time(at: &Millis) -> String {
    let mut text = String::new();
    put_time(&mut text, at.0);
    text
}

/// A moment as RFC 3339 in UTC.
pub fn put_time(cell: &mut String, ms: u64) {
    let moment = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    if let Some(moment) = moment {
        let _ = write!(cell, "{moment}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, cell) in [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5", "'-5"), ("INV-1", "INV-1")] {
            let mut found = String::new();
            put_text(&mut found, text);
            assert_eq!(found, cell);
        }
    }

    #[test]
    fn times_are_utc() {
        let mut cell = String::new();
        put_time(&mut cell, 1_700_000_000_000);
        assert_eq!(cell, "2023-11-14T22:13:20Z");
    }
}
