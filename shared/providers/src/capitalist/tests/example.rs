//! The commented example config is what the adapter reads, and the README says what there is.

use super::*;
use crate::settings::Base;
use crate::testing::{is_key, lane_settings, uncommented};

const EXAMPLE: &str = include_str!("../../../../../config/examples/capitalist.toml");

const README: &str = include_str!("../README.md");

#[test]
fn the_example_is_read_as_it_stands() {
    let settings = Settings::read(lane_settings(EXAMPLE), &testing::lane()).unwrap();
    let Base::At(url) = &settings.base else { panic!("the example names a server") };
    assert_eq!(url.host_and_path(), "api.capitalist.net");
    let error = settings.keys(&testing::lane()).unwrap_err();
    assert!(error.to_string().contains("capitalist-key.pem"), "{error}");
}

#[test]
fn the_example_waits_as_long_as_the_limits_say_and_a_new_batch_has_five_minutes_to_be_found() {
    let whole: toml::Table = EXAMPLE.parse().unwrap();
    let policy = whole["lanes"]["main"]["policy"].clone();
    let policy: domain::PolicyChange = policy.try_into().unwrap();
    assert_eq!(policy.on(&Policy::DEFAULT), LIMITS.policy);
    assert_eq!(LIMITS.policy.settling_ms, 300_000);
}

/// Each `# key = value` of the settings stands there with its default, so taking the comment
/// signs off changes nothing, and no key is left out.
#[test]
fn the_example_shows_every_key_with_its_default() {
    let (keys, _) = EXAMPLE.split_once("# [lanes.main.settings.formats.QIWI]").unwrap();
    let mut shown = lane_settings(&uncommented(keys));
    for key in [
        "base_url",
        "login",
        "password",
        "access",
        "accounts",
        "verification",
        "pin",
        "key",
        "key_password",
        "response_format",
        "rows_per_call",
        "page_size",
        "utc_offset_minutes",
        "search_days",
        "numbers_per_look_up",
        "search_shows_unconfirmed",
        "number_bytes_max",
        "field_chars_max",
        "default_description",
        "lockout_retry_ms",
        "low_balance_retry_ms",
        "states",
        "formats",
        "connect_timeout_ms",
        "proxy",
    ] {
        assert!(shown.contains_key(key), "{key} is not shown");
    }
    for key in ["pin", "key_password", "default_description", "proxy"] {
        shown.remove(key);
    }
    let written = Settings::read(shown, &testing::lane()).unwrap();
    let default = Settings::read(lane_settings(EXAMPLE), &testing::lane()).unwrap();
    assert_eq!(format!("{written:?}"), format!("{default:?}"));
}

#[test]
fn the_record_type_that_the_example_shows_is_read() {
    let start = EXAMPLE.find("# [lanes.main.settings.formats.QIWI]").unwrap();
    let (before, shown) = EXAMPLE.split_at(start);
    let shown: String =
        shown.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
    let settings = Settings::read(lane_settings(&format!("{before}{shown}")), &testing::lane());
    let wallet = testing::row("A", "10", "RUB", Method::Wallet, "79161234567");
    let mut wallet = wallet;
    wallet.fields.insert("record_type".into(), "QIWI".into());
    wallet.fields.insert("description".into(), "pay".into());
    let line = settings.unwrap().records.line(&wallet, "n").unwrap();
    assert_eq!(line, "QIWI;79161234567;10.00;RUR;n;pay");
}

/// Every test that the README names is there.
#[test]
fn the_readme_names_no_test_that_does_not_exist() {
    const SOURCES: &[&str] = &[
        include_str!("codes.rs"),
        include_str!("confirms.rs"),
        include_str!("desk.rs"),
        include_str!("faults.rs"),
        include_str!("imports.rs"),
        include_str!("listings.rs"),
        include_str!("look_ups.rs"),
        include_str!("mod.rs"),
        include_str!("resent.rs"),
        include_str!("rows.rs"),
        include_str!("searches.rs"),
        include_str!("whole.rs"),
        include_str!("../errors.rs"),
    ];
    let words = README.split('`').skip(1).step_by(2);
    let is_test = |word: &&str| is_key(word) && word.matches('_').count() > 5;
    let tests: Vec<&str> = words.filter(is_test).collect();
    assert!(tests.len() > 20, "{tests:?}");
    for test in tests {
        let is_there = SOURCES.iter().any(|source| source.contains(&format!("fn {test}(")));
        assert!(is_there, "{test}");
    }
}

/// The document's tables: every operation and every code stands in the README.
#[test]
fn the_readme_names_every_operation_and_every_code_of_the_document() {
    for operation in [
        "get_token",
        "import_batch_advanced",
        "process_batch",
        "get_batch_info",
        "get_document_fee",
        "get_documents_history",
        "get_documents_history_ext",
        "documents_search",
        "is_verified_account",
        "get_accounts",
        "get_cashin_requisites",
        "currency_rates",
    ] {
        assert!(README.contains(&format!("`{operation}`")), "{operation}");
    }
    let (_, codes) = README.split_once("| code [doc] |").unwrap();
    let (codes, _) = codes.split_once("\n\n").unwrap();
    let cells = codes.lines().filter_map(|line| line.split('|').nth(1));
    let mut told = Vec::new();
    for item in cells.flat_map(|cell| cell.split([',', ' '])).filter(|item| !item.is_empty()) {
        let (first, last) = item.split_once('–').unwrap_or((item, item));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            told.extend(first..=last);
        }
    }
    for known in errors::CODES {
        assert!(told.contains(&known.code), "{}", known.code);
    }
}
