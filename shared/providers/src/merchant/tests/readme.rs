//! What the README says is there is there, and it has every row of the document.

use super::*;
use domain::ReferenceFormat;

const README: &str = include_str!("../README.md");
const FILES: &[&str] = &[
    include_str!("account.rs"),
    include_str!("callbacks.rs"),
    include_str!("creates.rs"),
    include_str!("lookups.rs"),
    include_str!("mod.rs"),
    include_str!("rows.rs"),
    include_str!("whole.rs"),
    include_str!("../agree.rs"),
    include_str!("../auth.rs"),
    include_str!("../wire.rs"),
];

/// The document's tables, and the account call: section of the README, names of its rows.
const DOCUMENT: &[(&str, &[&str])] = &[
    (
        "Calls",
        &[
            "POST …/create_pay_out/",
            "POST success_callback_url",
            "POST error_callback_url",
            "GET …/status_pay_out/{order_id}/",
            "POST …/rejected_pay_out/",
            "order_id",
            "standart_sign",
            "GET …/status/",
        ],
    ),
    (
        "What is sent",
        &[
            "order_id",
            "payment_method",
            "fiat_amount",
            "fiat_currency",
            "timeout",
            "number_score",
            "number_card",
            "phone_number",
            "iban_number",
            "bank_name",
            "bik",
            "full_name",
            "success_callback_url",
            "error_callback_url",
            "customer",
            "order_description",
            "sign",
        ],
    ),
    (
        "What a create's answer tells",
        &[
            "ok",
            "error",
            "internal_transaction_id",
            "fiat_amount",
            "usdt_amount",
            "merchant_spent_usdt",
            "fiat_currency",
            "exchange_rate",
            "payment_method",
            "reject_callback_url",
        ],
    ),
    (
        "What a create's answer means",
        &[
            "overloading requisite",
            "low balance",
            "this payment method is disabled for your merchant",
        ],
    ),
    (
        "Statuses",
        &["expectation", "successful", "rejected_timeout", "rejected_merchant", "rejected_gate"],
    ),
    (
        "What a callback and a look-up tell",
        &[
            "order_id",
            "standart_sign",
            "type",
            "status",
            "fiat_amount",
            "usdt_amount",
            "merchant_spent_usdt",
            "fiat_currency",
            "exchange_rate",
            "payment_method",
            "created_at",
            "updated_at",
            "number_card",
            "phone_number",
            "number_score",
            "iban_number",
            "full_name",
            "bank_name",
            "cheque_urls",
        ],
    ),
    (
        "The account call",
        &["balance", "hold", "available", "payment_methods", "currency", "statuses"],
    ),
];

/// What stands between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names of tests between backticks: words alone, and more than any field has.
fn tests(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    code(text).filter(move |name| name.matches('_').count() >= 4 && name.chars().all(is_word))
}

/// The rows of a section's table, by cells.
fn table(section: &str) -> Vec<Vec<&'static str>> {
    let head = format!("{section}\n");
    let text = README.split("\n## ").find(|part| part.starts_with(&head));
    let text = text.unwrap_or_else(|| panic!("there is no section {section}"));
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    // Without the head; the line below it begins with no blank.
    lines.skip(1).map(|line| line.split(" | ").collect()).collect()
}

#[test]
fn every_row_of_the_document_stands_in_its_table_and_names_a_test() {
    for (section, names) in DOCUMENT {
        let rows = table(section);
        for row in &rows {
            let named = tests(row.last().unwrap()).next();
            assert!(named.is_some(), "{section}: no test in {row:?}");
        }
        for name in *names {
            let has = |row: &Vec<&str>| code(row[0]).any(|known| known == *name);
            assert!(rows.iter().any(has), "{section}: {name} has no row");
        }
    }
}

#[test]
fn every_test_that_it_names_exists() {
    let names: Vec<_> = tests(README).collect();
    assert!(names.len() > 60, "{names:?}");
    for name in names {
        let test = format!("fn {name}(");
        assert!(FILES.iter().any(|file| file.contains(&test)), "there is no test {name}");
    }
}

#[test]
fn what_is_read_by_nobody_is_left_out_with_a_reason() {
    let left_out = table("Left out");
    for (section, _) in DOCUMENT {
        for row in table(section).iter().filter(|row| row[1].starts_with("read by nobody")) {
            for field in code(row[0]) {
                let has = |row: &Vec<&str>| code(row[0]).any(|known| known == field);
                let reason = left_out.iter().find(|row| has(row)).and_then(|row| row.get(1));
                assert!(reason.is_some_and(|reason| !reason.is_empty()), "{section}: {field}");
            }
        }
    }
    assert!(left_out.iter().any(|row| row[0] == "polling of statuses without an agreement"));
    assert!(matches!(LIMITS.polling, Polling::ByAgreement { .. }));
}

#[test]
fn the_numbers_that_it_names_are_the_adapters() {
    let rates = format!(
        "{} creates a second, {} at once, {} look-up a second",
        LIMITS.creates_per_second, LIMITS.in_flight, LIMITS.look_ups_per_second
    );
    assert!(README.contains(&rates), "{rates}");
    let [order_id, ..] = &table("What is sent")[..] else { panic!("no rows") };
    let ReferenceFormat::Text { max_bytes } = LIMITS.reference else { panic!("no text") };
    assert!(order_id[2].starts_with(&format!("≤ {max_bytes} ")), "{order_id:?}");
    assert!(README.contains(&format!("≤ {CALLBACK_URL_MAX}, required")));
}
