//! The rules for rows: what passes can be sent, what cannot be sent does not pass.

use super::*;
use domain::checks;
use proptest::prelude::*;

fn columns(row: &Row, more: &str) -> Vec<&'static str> {
    adapter(more).validate(row).into_iter().map(|problem| problem.column).collect()
}

fn line(row: &Row, more: &str) -> String {
    adapter(more).records.line(row, "abcd-1").unwrap()
}

fn with(mut row: Row, fields: &[(&str, &str)]) -> Row {
    row.fields.extend(fields.iter().map(|(c, t)| ((*c).to_owned(), (*t).to_owned())));
    row
}

fn card(amount: &str, currency: &str) -> Row {
    row("INV-1", amount, currency, Method::Card, "4111111111111111")
}

fn sbp(amount: &str) -> Row {
    let row = row("INV-1", amount, "RUB", Method::Sbp, "79161234567");
    with(
        row,
        &[
            ("bank_name", "sberbank"),
            ("first_name", "Ivan"),
            ("last_name", "Petrov"),
            ("email", "a@example.com"),
            ("description", "pay"),
        ],
    )
}

const NAMES: [(&str, &str); 2] = [("first_name", "Ivan"), ("last_name", "Petrov")];

#[test]
fn every_built_in_record_type_is_written_as_it_is_seen() {
    let world = [
        ("first_name", "Ivan"),
        ("last_name", "Petrov"),
        ("birth_date", "01.02.1980"),
        ("address", "Main street 1"),
        ("country", "DE"),
        ("city", "Berlin"),
        ("expiry_month", "07"),
        ("expiry_year", "2030"),
    ];
    let purse = row("INV-1", "5", "EUR", Method::Wallet, "E123456789012");
    let number = "4111111111111111";
    for (row, expected) in [
        (
            row("A", "5", "RUB", Method::Wallet, "R0000042"),
            "CAPITALIST;R0000042;5.00;RUR;abcd-1;Payout".to_owned(),
        ),
        (
            row("A", "0.5", "BTC", Method::Wallet, "B0000042"),
            "CAPITALIST;B0000042;0.50000000;BTC;abcd-1;Payout".to_owned(),
        ),
        (
            with(purse.clone(), &[("record_type", "wm")]),
            "WM;E123456789012;5.00;EUR;abcd-1;Payout".to_owned(),
        ),
        (
            with(
                purse,
                &[("record_type", "WM"), ("protection_code", "x1"), ("protection_days", "3")],
            ),
            "WM;E123456789012;5.00;EUR;abcd-1;Payout;x1;3".to_owned(),
        ),
        (
            with(card("100", "RUB"), &NAMES),
            format!("RUCARD;{number};100.00;RUR;abcd-1;Payout;Ivan;Petrov"),
        ),
        (
            with(card("5", "RUB"), &[("record_type", "RUCARDP2P_DYN")]),
            format!("RUCARDP2P_DYN;{number};5.00;RUR;abcd-1;Payout"),
        ),
        (
            sbp("500"),
            "SBP;79161234567;500.00;RUR;Sberbank;Ivan;Petrov;a@example.com;abcd-1;pay".to_owned(),
        ),
        (
            with(card("5", "USD"), &[("record_type", "UKRCARD")]),
            format!("UKRCARD;{number};5.00;USD;abcd-1;Payout"),
        ),
        (
            with(card("5", "EUR"), &world),
            format!(
                "WORLDCARD;{number};5.00;EUR;abcd-1;Payout;Ivan;Petrov;01.02.1980;Main street 1;DE;Berlin;07;2030"
            ),
        ),
    ] {
        assert_eq!(columns(&row, ""), [""; 0], "{expected}");
        assert_eq!(line(&row, ""), expected);
    }
}

#[test]
fn every_field_that_a_record_type_has_is_required() {
    assert_eq!(columns(&card("100", "RUB"), ""), ["first_name", "last_name"]);
    let world = [
        "first_name",
        "last_name",
        "birth_date",
        "address",
        "country",
        "city",
        "expiry_month",
        "expiry_year",
    ];
    assert_eq!(columns(&card("5", "USD"), ""), world);
    for column in ["bank_name", "first_name", "last_name", "email"] {
        let mut row = sbp("500");
        row.fields.insert(column.to_owned(), " ".to_owned());
        assert_eq!(columns(&row, ""), [column]);
    }
    let real = "accounts = { USD = \"U1\" }";
    assert_eq!(columns(&card("5", "RUB"), real), ["currency"], "no source account for it");
}

#[test]
fn amounts_have_the_limits_of_their_record_type() {
    for (row, good) in [
        (with(card("99.99", "RUB"), &NAMES), false),
        (with(card("100", "RUB"), &NAMES), true),
        (with(card("50000", "RUB"), &NAMES), true),
        (with(card("50000.01", "RUB"), &NAMES), false),
        (sbp("499.99"), false),
        (sbp("150000"), true),
        (sbp("150000.01"), false),
    ] {
        let expected: &[&str] = if good { &[] } else { &["amount"] };
        assert_eq!(columns(&row, ""), expected, "{:?}", row.money);
    }
}

#[test]
fn what_would_break_a_record_apart_is_refused_in_every_field() {
    for bad in
        ["a;b", "a\"b", "a'b", "a\nb", "a\rb", "a\u{2028}b", "a\u{0}b", "a\u{fffd}", "\u{feff}a"]
    {
        let row = with(sbp("500"), &[("first_name", bad)]);
        assert_eq!(columns(&row, ""), ["first_name"], "{bad:?}");
        for problem in adapter("").validate(&row) {
            assert!(!problem.text.contains(bad), "{}", problem.text);
        }
    }
    let row = row("A", "5", "USD", Method::Wallet, "U1;U2");
    assert_eq!(columns(&row, ""), ["destination"]);
    let long = "x".repeat(256);
    assert_eq!(columns(&with(sbp("500"), &[("description", &long)]), ""), ["description"]);
    assert_eq!(
        columns(&with(sbp("500"), &[("description", &long)]), "field_chars_max = 300"),
        [""; 0]
    );
}

#[test]
fn values_have_the_form_that_their_column_asks_for() {
    for (column, bad) in [("bank_name", "My Bank"), ("email", "nobody")] {
        assert_eq!(columns(&with(sbp("500"), &[(column, bad)]), ""), [column]);
    }
    let world = [
        ("first_name", "I"),
        ("last_name", "P"),
        ("birth_date", "b"),
        ("address", "a"),
        ("country", "c"),
        ("city", "c"),
        ("expiry_month", "13"),
        ("expiry_year", "x"),
    ];
    assert_eq!(columns(&with(card("5", "USD"), &world), ""), ["expiry_month", "expiry_year"]);
}

#[test]
fn methods_currencies_and_record_types_that_are_not_paid_say_what_is() {
    let iban = row("A", "5", "EUR", Method::Iban, "DE89370400440532013000");
    assert_eq!(columns(&iban, ""), ["method"]);
    assert_eq!(columns(&row("A", "5", "USD", Method::Sbp, "79161234567"), ""), ["currency"]);
    assert_eq!(columns(&row("A", "5", "JPY", Method::Wallet, "U1"), ""), ["currency"]);
    let named = with(card("5", "USD"), &[("record_type", "RUCARD")]);
    let [problem] = &adapter("").validate(&named)[..] else { panic!("one problem") };
    assert_eq!(problem.column, "record_type");
    assert!(problem.text.ends_with("use UKRCARD, WORLDCARD"), "{}", problem.text);
}

const QIWI: &str = "[formats.QIWI]\nmethod = \"wallet\"\ncurrencies = [\"RUR\"]\ndefault = true\n\
    fields = [\"destination\", \"amount\", \"currency\", \"number\", \"description\", \"extra1?\", \"phone?\"]\n\
    min = { RUB = \"10.00\" }\none_of = { phone = [\"1\", \"2\"] }";

#[test]
fn a_record_type_is_added_by_config_alone_and_comes_before_the_built_in_ones() {
    let wallet = |amount: &str| row("A", amount, "RUB", Method::Wallet, "79161234567");
    assert_eq!(line(&wallet("10"), QIWI), "QIWI;79161234567;10.00;RUR;abcd-1;Payout");
    assert_eq!(columns(&wallet("9.99"), QIWI), ["amount"]);
    let row = with(wallet("10"), &[("phone", "2")]);
    assert_eq!(line(&row, QIWI), "QIWI;79161234567;10.00;RUR;abcd-1;Payout;;2");
    assert_eq!(columns(&with(wallet("10"), &[("phone", "3")]), QIWI), ["phone"]);
    let own = with(wallet("1"), &[("record_type", "CAPITALIST")]);
    assert!(line(&own, QIWI).starts_with("CAPITALIST;"));
}

#[test]
fn a_record_type_that_is_written_wrongly_names_what_is_wrong() {
    for (from, to, words) in [
        ("extra1?", "extra9", "formats.QIWI: there is no field \"extra9\"; there are destination"),
        ("\"number\", ", "", "\"number\" must stand there once"),
        ("\"number\"", "\"number?\"", "\"number\" must stand there once"),
        ("wallet", "iban", "method: use card, sbp or wallet"),
        ("[\"RUR\"]", "[]", "currencies: name at least one"),
        ("10.00", "-1", "min: \"-1\" is no amount"),
        ("phone = [", "telephone = [", "one_of: there is no field \"telephone\""),
        ("QIWI", "qiwi", "capital letters"),
    ] {
        let table = format!("base_url = \"sandbox\"\n{}", QIWI.replacen(from, to, 1));
        let error = Settings::read(table.parse().unwrap(), &testing::lane()).unwrap_err();
        assert!(error.to_string().contains(words), "{to}: {error}");
    }
}

fn a_row() -> impl Strategy<Value = Row> {
    let card = "[0-9]{15}".prop_map(|body| {
        let check = (0..10).find(|d| checks::luhn(&format!("{body}{d}"))).unwrap();
        (Method::Card, format!("{body}{check}"))
    });
    let destination = prop_oneof![
        card,
        ("[1-9][0-9]{10,12}").prop_map(|phone| (Method::Sbp, phone)),
        ("\\PC{1,20}").prop_map(|any| (Method::Wallet, any)),
        ("[A-Z0-9;\"']{1,12}").prop_map(|any| (Method::Wallet, any)),
    ];
    let texts = proptest::collection::vec("[ -~а-я;\"'\n]{0,12}", 6);
    let currency = prop::sample::select(vec!["RUB", "USD", "EUR", "BTC"]);
    (destination, 1u64..10_000_000_000, currency, texts).prop_map(
        |((method, to), minor, code, texts)| {
            let exponent = domain::Currencies::default().find(code).unwrap().exponent();
            let amount = domain::money::minor_to_text(i128::from(minor), exponent);
            let mut row = row("INV-1", &amount, code, method, &to);
            let columns = ["description", "first_name", "last_name", "city", "country", "address"];
            row.fields = columns.map(str::to_owned).into_iter().zip(texts).collect();
            row
        },
    )
}

proptest! {
    /// What intake lets through is one line with the row's own amount and as many fields as its
    /// record type has.
    #[test]
    fn every_row_that_passes_is_one_record_that_reads_one_way(row in a_row()) {
        let adapter = adapter("");
        let problems = adapter.validate(&row);
        match adapter.records.line(&row, "abcd-1") {
            Err(told) => prop_assert_eq!(told, problems),
            Ok(line) => {
                prop_assert_eq!(problems, vec![]);
                let format = adapter.records.formats.of(&row).unwrap();
                let fields: Vec<&str> = line.split(';').collect();
                let optional = format.fields.iter().filter(|f| f.is_optional).count();
                prop_assert!(fields.len() <= format.fields.len() + 1);
                prop_assert!(fields.len() + optional > format.fields.len());
                prop_assert!(!line.contains(['\n', '\r', '"']));
                prop_assert_eq!(fields[0], format.name.as_str());
                prop_assert_eq!(fields[1], row.destination.reveal());
                let amount: rust_decimal::Decimal = fields[2].parse().unwrap();
                prop_assert_eq!(amount, row.money.amount());
            }
        }
    }
}
