//! What the README says is there is there.

use super::*;

const README: &str = include_str!("../README.md");
const TESTS: &[&str] = &[
    include_str!("acts.rs"),
    include_str!("callbacks.rs"),
    include_str!("creates.rs"),
    include_str!("desk.rs"),
    include_str!("example.rs"),
    include_str!("fields.rs"),
    include_str!("lists.rs"),
    include_str!("lookups.rs"),
    include_str!("mod.rs"),
    include_str!("rows.rs"),
    include_str!("table.rs"),
    include_str!("whole.rs"),
    include_str!("../statement.rs"),
    include_str!("../status.rs"),
];

/// What stands between backticks.
fn code() -> impl Iterator<Item = &'static str> {
    README.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_it_names_exists() {
    // No field or method of the site has so many words.
    let names: Vec<_> = code().filter(|name| name.matches('_').count() >= 5).collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let test = format!("fn {name}(");
        assert!(TESTS.iter().any(|file| file.contains(&test)), "there is no test {name}");
    }
}

#[test]
fn every_method_and_parameter_of_the_document_stands_in_it() {
    let known: BTreeSet<_> = code().collect();
    let named = |name: &str| assert!(known.contains(name), "{name} is not named");
    for question in adapter("").desk().unwrap().questions() {
        named(question.operation);
        question.parameters.iter().for_each(|parameter| named(parameter.name));
    }
    for name in [
        "API-LOGIN",
        "API-KEY",
        "API-LANG",
        "create_bid",
        "pay_bid",
        "partner_id",
        "callback_url",
        "bid_id",
        "account1",
        "account2",
        "cfgive8",
        "api_actions",
    ] {
        named(name);
    }
}
