//! What a row must be like, at intake. Pure: no key, no network.
//!
//! A row that passes can be written as a create. Lengths are not checked: Capay publishes none,
//! and names what is too long in its refusal.

use super::settings::Settings;
use crate::api::RowProblem;
use domain::{Method, Row, checks};

/// The methods that the profile can offer.
pub(super) const METHODS: &[Method] = &[Method::Card, Method::Iban, Method::Score, Method::Wallet];

/// The columns that go out whatever the profile says.
const CLIENT_ID: &str = "client_id";
const BENEFICIARY_ID: &str = "beneficiary_id";
/// What a problem may name: a column of the profile is told by the nearest of these.
const COLUMNS: [&str; 5] = ["full_name", "bank_name", "bank_code", "description", "customer"];

/// Everything that the lane would not send.
pub(super) fn problems(row: &Row, settings: &Settings) -> Vec<RowProblem> {
    let mut problems = Vec::new();
    let mut add = |column, text: String| problems.push(RowProblem { column, text });
    let code = row.money.currency().code();
    let currencies = &settings.currencies;
    if !currencies.is_empty() && !currencies.iter().any(|known| known == code) {
        add("currency", format!("not paid on this lane; use one of {}", currencies.join(", ")));
    }
    let request = &settings.profile.request;
    if request.destination(row.method).is_none() {
        let offered = METHODS.iter().filter(|method| request.destination(**method).is_some());
        let names: Vec<_> = offered.map(|method| method.name()).collect();
        add("method", format!("not offered; use one of {}", names.join(", ")));
    } else if let Some(text) = destination_problem(row, request.is_registered(row.method)) {
        add("destination", text);
    }
    if let Err(text) = settings.client(row) {
        add(CLIENT_ID, text.to_owned());
    }
    if row.field(BENEFICIARY_ID).is_some() {
        // Two columns that say where the money goes could disagree.
        let text = "not read; a registered beneficiary's id is the destination of a method in \
                    profile.request.registered_methods";
        add(BENEFICIARY_ID, text.to_owned());
    }
    for (name, _) in request.columns_of(row.method) {
        let has_control = row.field(name).is_some_and(|value| value.contains(char::is_control));
        if has_control {
            let column = COLUMNS.into_iter().find(|known| *known == name).unwrap_or("description");
            add(column, format!("{name} holds a control character; use printable ones only"));
        }
    }
    problems
}

/// A registered beneficiary's id has a form of its own: the widest one.
fn destination_problem(row: &Row, is_registered: bool) -> Option<String> {
    let method = if is_registered { Method::Wallet } else { row.method };
    let text = row.destination.reveal();
    match checks::destination(method, text) {
        Err(error) => Some(error.to_string()),
        Ok(canonical) if canonical.reveal() != text => Some("not in canonical form".to_owned()),
        Ok(_) => None,
    }
}
