//! An answer as a table for people.
//!
//! Destinations are masked, and so is every long number in a text. What the provider tells under
//! names that nobody documents is shown as it comes, a line for each value.

use super::line::Line;
use super::wire::{Envelope, Shape};
use crate::api::Sheet;
use crate::told::Told;
use domain::row::mask;

/// Rows of one sheet; the provider's pages have at most a thousand.
const ROWS_MAX: usize = 1_000;
/// Depth of data that is shown.
const DEPTH_MAX: usize = 6;

/// Columns as the provider calls them.
const ACCOUNTS: &[&str] = &["name", "number", "currency", "balance", "blockedAmount"];
const HISTORY: &[&str] = &[
    "number",
    "id",
    "batch",
    "timestamp",
    "state",
    "channel",
    "correspondent",
    "comment",
    "account",
    "amount",
    "tax",
    "currency",
    "destAmount",
    "destCurrency",
    "description",
    "outgoing",
    "selfExchange",
];
/// Whole values of these are destinations.
const MASKED: &[&str] = &["beneficiary", "destinationAccount", "correspondent", "dest_account"];

/// `get_accounts`.
pub(super) const ACCOUNT_LIST: Shape = Shape { head: &[], list: Some(("accounts", ACCOUNTS)) };
/// `get_documents_history_ext`, and the older one.
pub(super) const HISTORY_PAGE: Shape = Shape {
    head: &["itemCount", "pageCount", "pageSize", "currentPage", "currentPageCount"],
    list: Some(("history", HISTORY)),
};
/// What CSV tells of the others nobody knows: the first line, value by value.
pub(super) const ANY: Shape = Shape { head: &["1", "2", "3", "4", "5", "6", "7", "8"], list: None };

/// An answer as a table: the list by its columns, or every value with its name.
pub(super) fn sheet(line: &Line, told: &Envelope, shape: &Shape) -> Result<Sheet, String> {
    let unreadable = || "the answer cannot be read".to_owned();
    let data: Told<'_> = told.data().ok_or_else(unreadable)?;
    let Some((list, columns)) = shape.list else {
        let mut rows = Vec::new();
        flatten(line, "", data, DEPTH_MAX, &mut rows);
        return Ok(Sheet { columns: vec!["name", "value"], rows, more: None });
    };
    let fields = data.fields().ok_or_else(unreadable)?;
    let items = fields.get(list).and_then(|told| told.items()).ok_or_else(unreadable)?;
    let row = |item: &Told<'_>| {
        let fields = item.fields().unwrap_or_default();
        columns.iter().map(|name| cell(line, name, fields.get(*name).copied())).collect()
    };
    let rows: Vec<Vec<String>> = items.iter().take(ROWS_MAX).map(row).collect();
    let pages = fields.get("pages").and_then(|told| told.fields()).unwrap_or_default();
    let count = |name: &str| pages.get(name).copied().and_then(Told::count);
    let more = match (count("currentPage"), count("pageCount")) {
        (Some(page), Some(pages)) if page < pages => {
            Some(format!("page {page} of {pages}; go on with page={}", page + 1))
        }
        _ if items.len() > ROWS_MAX => Some(format!("{} in all; ask for fewer days", items.len())),
        _ => None,
    };
    Ok(Sheet { columns: columns.to_vec(), rows, more })
}

fn cell(line: &Line, name: &str, told: Option<Told<'_>>) -> String {
    let Some(told) = told else { return String::new() };
    match told.text() {
        Some(text) if MASKED.contains(&name) => mask(text.trim()),
        Some(text) => line.quote(&text),
        None => told.yes().map_or("", |yes| if yes { "yes" } else { "no" }).to_owned(),
    }
}

fn flatten(line: &Line, name: &str, told: Told<'_>, depth: usize, rows: &mut Vec<Vec<String>>) {
    if rows.len() >= ROWS_MAX || depth == 0 {
        return;
    }
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    if let Some(fields) = told.fields() {
        for (key, value) in fields {
            flatten(line, &below(&key), value, depth - 1, rows);
        }
    } else if let Some(items) = told.items() {
        for (at, item) in items.into_iter().enumerate() {
            flatten(line, &below(&(at + 1).to_string()), item, depth - 1, rows);
        }
    } else {
        let key = name.rsplit('.').next().unwrap_or(name);
        let value = cell(line, key, Some(told));
        rows.push(vec![line.quote(name), value]);
    }
}
