//! Rows at intake, and who names the client.

use super::*;
use crate::testing::{card, row};
use domain::Method;

fn columns(adapter: &Capay, row: &Row) -> Vec<&'static str> {
    adapter.validate(row).into_iter().map(|problem| problem.column).collect()
}

fn with(mut row: Row, column: &str, value: &str) -> Row {
    row.fields.insert(column.to_owned(), value.to_owned());
    row
}

fn a_row() -> Row {
    card("INV-1", "10.00").row.as_ref().clone()
}

#[test]
fn every_method_but_sbp_is_payable() {
    let adapter = adapter("");
    for (method, to) in [
        (Method::Card, "4111111111111111"),
        (Method::Iban, "DE89370400440532013000"),
        (Method::Score, "40817810099910004312"),
        (Method::Wallet, "ind-01"),
    ] {
        assert_eq!(adapter.validate(&row("A", "1.00", "EUR", method, to)), []);
    }
    let sbp = row("A", "1.00", "RUB", Method::Sbp, "79161234567");
    assert_eq!(columns(&adapter, &sbp), ["method"]);
    let bad = row("A", "1.00", "RUB", Method::Card, "4111111111111112");
    assert_eq!(columns(&adapter, &bad), ["destination"]);
}

#[test]
fn a_method_that_the_profile_leaves_out_and_another_currency_are_not_payable() {
    let adapter = adapter("currencies = [\"eur\"]\n[profile.request]\ncard = \"\"");
    assert_eq!(columns(&adapter, &a_row()), ["currency", "method"]);
    let text = &adapter.validate(&a_row())[1].text;
    assert_eq!(text, "not offered; use one of iban, score, wallet");
}

#[test]
fn a_program_manager_names_the_client_on_the_lane_or_in_the_row() {
    let pm = adapter_on("http://127.0.0.1:9", "persona = \"pm\"", Arc::default());
    assert_eq!(columns(&pm, &a_row()), ["client_id"]);
    assert_eq!(columns(&pm, &with(a_row(), "client_id", "c-1")), [""; 0]);
    assert_eq!(columns(&pm, &with(a_row(), "client_id", "c 1")), ["client_id"]);
    let one = adapter("");
    assert_eq!(columns(&one, &a_row()), [""; 0]);
    assert_eq!(columns(&one, &with(a_row(), "client_id", "client-1")), [""; 0]);
    assert_eq!(columns(&one, &with(a_row(), "client_id", "client-2")), ["client_id"]);
    let client = adapter_on("http://127.0.0.1:9", "persona = \"client\"", Arc::default());
    assert_eq!(columns(&client, &a_row()), [""; 0]);
    assert_eq!(columns(&client, &with(a_row(), "client_id", "c-1")), ["client_id"]);
}

#[test]
fn two_columns_that_say_where_the_money_goes_are_refused() {
    let row = with(a_row(), "beneficiary_id", "ind-01");
    assert_eq!(columns(&adapter(""), &row), ["beneficiary_id"]);
}

#[test]
fn control_characters_are_refused_in_what_is_sent_alone() {
    let adapter = adapter("");
    assert_eq!(columns(&adapter, &with(a_row(), "full_name", "a\tb")), ["full_name"]);
    assert_eq!(columns(&adapter, &with(a_row(), "note", "a\tb")), [""; 0]);
}
