//! The rules for rows: what passes can be sent, what cannot be sent does not pass.

use super::*;
use crate::testing::{payment, row};
use domain::{Method, checks};
use proptest::prelude::*;

fn columns(row: &Row, more: &str) -> Vec<&'static str> {
    adapter(more).validate(row).into_iter().map(|problem| problem.column).collect()
}

fn sbp(bank_name: Option<&str>) -> Row {
    let mut row = row("INV-1", "1.00", "RUB", Method::Sbp, "79161234567");
    row.fields =
        bank_name.map(|name| ("bank_name".to_owned(), name.to_owned())).into_iter().collect();
    row
}

#[test]
fn each_method_has_its_requisite() {
    for (method, to, good) in [
        (Method::Card, "4111111111111111", true),
        (Method::Card, "4111111111111112", false),
        (Method::Card, "411111111111116", false),
        (Method::Card, "6304000000000000000", false),
        (Method::Score, "40817810099910004312", true),
        (Method::Score, "4081781009991000431", false),
        (Method::Iban, "DE89370400440532013000", true),
        (Method::Iban, "DE88370400440532013000", false),
        (Method::Wallet, "w1", false),
    ] {
        let column = if method == Method::Wallet { "method" } else { "destination" };
        let expected: &[&str] = if good { &[] } else { &[column] };
        let row = row("INV-1", "1.00", "RUB", method, to);
        assert_eq!(columns(&row, ""), expected, "{method:?} {to}");
        for problem in adapter("").validate(&row) {
            assert!(!problem.text.contains(to), "{}", problem.text);
        }
    }
}

#[test]
fn a_phone_number_has_11_to_13_digits_and_an_iban_at_most_34_characters() {
    for (digits, good) in [(10, false), (11, true), (13, true), (14, false)] {
        let mut row = row("INV-1", "1.00", "RUB", Method::Sbp, &"7".repeat(digits));
        row.fields = [("bank_name".to_owned(), "Sberbank".to_owned())].into();
        assert_eq!(columns(&row, "").is_empty(), good, "{digits}");
    }
    for length in [34, 35] {
        // One of these has the right check digits, so that length alone decides.
        let mut ibans = (2..99).map(|check| format!("MT{check:02}{}", "0".repeat(length - 4)));
        let good = ibans
            .any(|iban| columns(&row("INV-1", "1.00", "EUR", Method::Iban, &iban), "").is_empty());
        assert_eq!(good, length == 34, "{length}");
    }
}

#[test]
fn sbp_needs_the_name_of_the_bank() {
    assert_eq!(columns(&sbp(None), ""), ["bank_name"]);
    assert_eq!(columns(&sbp(Some("Sberbank")), ""), [""; 0]);
    assert_eq!(columns(&sbp(Some(&"ж".repeat(72))), ""), [""; 0]);
    assert_eq!(columns(&sbp(Some(&"ж".repeat(73))), ""), ["bank_name"]);
    assert_eq!(columns(&sbp(Some("Sber\u{7}bank")), ""), ["bank_name"]);
}

#[test]
fn every_field_has_its_length() {
    for (column, max) in [
        ("bank_name", 72),
        ("bank_code", 32),
        ("full_name", 128),
        ("customer", 128),
        ("description", 8000),
    ] {
        let mut row = sbp(Some("B"));
        row.fields.insert(column.to_owned(), "x".repeat(max));
        assert_eq!(columns(&row, ""), [""; 0], "{column}");
        row.fields.insert(column.to_owned(), "x".repeat(max + 1));
        assert_eq!(columns(&row, ""), [column]);
    }
}

#[test]
fn an_amount_must_fit_two_decimals_exactly() {
    for (amount, currency, good) in [
        ("1500", "JPY", true),
        ("1.500", "KWD", true),
        ("1.505", "KWD", false),
        ("0.01", "BTC", true),
        ("0.00000001", "BTC", false),
        ("0.01", "RUB", true),
    ] {
        let row = row("INV-1", amount, currency, Method::Card, "4111111111111111");
        let expected: &[&str] = if good { &[] } else { &["amount"] };
        assert_eq!(columns(&row, ""), expected, "{amount} {currency}");
    }
}

#[test]
fn a_lane_may_name_its_currencies() {
    let row = row("INV-1", "1.00", "EUR", Method::Card, "4111111111111111");
    assert_eq!(columns(&row, "currencies = [\"rub\", \"eur\"]"), [""; 0]);
    assert_eq!(columns(&row, "currencies = [\"rub\"]"), ["currency"]);
}

fn a_method_and_number() -> impl Strategy<Value = (Method, String)> {
    prop_oneof![
        ("[0-9]{15}").prop_map(|body| {
            let check = (0..10).find(|d| checks::luhn(&format!("{body}{d}"))).unwrap();
            (Method::Card, format!("{body}{check}"))
        }),
        ("[1-9][0-9]{10,12}").prop_map(|phone| (Method::Sbp, phone)),
        ("[0-9]{20}").prop_map(|account| (Method::Score, account)),
        Just((Method::Iban, "DE89370400440532013000".to_owned())),
        ("\\PC{1,40}").prop_map(|any| (Method::Card, any)),
        ("[0-9:]{1,40}").prop_map(|any| (Method::Score, any)),
        ("[+0-9:]{1,14}").prop_map(|any| (Method::Sbp, any)),
    ]
}

proptest! {
    /// What intake lets through can be signed and sent, with exactly its amount.
    #[test]
    fn every_row_that_passes_can_be_written_as_a_create(
        (method, to) in a_method_and_number(),
        reference in "\\PC{1,40}",
        minor in 1u64..10_000_000_000_000,
        currency in prop::sample::select(vec!["RUB", "JPY", "KWD", "BTC", "USDT"]),
        bank in prop::option::of("\\PC{0,80}"),
    ) {
        prop_assume!(domain::PayerReference::new(&reference).is_ok());
        let exponent = domain::Currencies::default().find(currency).unwrap().exponent();
        let amount = domain::money::minor_to_text(i128::from(minor), exponent);
        let mut row = row(&reference, &amount, currency, method, &to);
        row.fields = bank.map(|bank| ("bank_name".to_owned(), bank)).into_iter().collect();
        let adapter = adapter("");
        let passes = adapter.validate(&row).is_empty();
        let payment = payment(row);
        let body = adapter.line.as_ref().unwrap().create_body(&testing::lane(), &payment);
        prop_assert!(body.is_ok() || !passes, "passed, and cannot be sent: {:?}", body);
        if let (true, Ok(body)) = (passes, body) {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let told = body["fiat_amount"].as_str().unwrap();
            let (_, decimals) = told.split_once('.').unwrap();
            prop_assert_eq!(decimals.len(), 2);
            let told: rust_decimal::Decimal = told.parse().unwrap();
            prop_assert_eq!(told, payment.row.money.amount());
            prop_assert!(!body["order_id"].as_str().unwrap().contains(':'));
        }
    }
}
