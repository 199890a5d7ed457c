//! The commented example config is what the adapter reads.

use super::*;

const EXAMPLE: &str = include_str!("../../../../../config/examples/capay.toml");

fn whole(text: &str) -> toml::Table {
    text.parse().unwrap()
}

fn lane_settings(text: &str) -> toml::Table {
    whole(text)["lanes"]["main"]["settings"].as_table().unwrap().clone()
}

/// The example with every commented key and table in force.
fn uncommented() -> String {
    EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(table) if table.starts_with("[lanes.") => table,
            Some(key) if key.split_once(" = ").is_some_and(|(k, _)| is_key(k)) => key,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[test]
fn the_example_is_read_as_it_stands() {
    let settings = Settings::read(lane_settings(EXAMPLE), &testing::lane()).unwrap();
    let Base::At(url, Some(files)) = &settings.base else { panic!("a server and certificates") };
    assert_eq!(url.host_and_path(), "api.example.com");
    assert!(files.certificate.ends_with("client.pem") && files.authority.is_none());
    assert_eq!(settings.client_id.as_deref(), Some("my-client"));
    let error = settings.keys(&testing::lane()).unwrap_err();
    assert!(error.to_string().contains("CAPAY_API_USER"), "{error}");
}

#[test]
fn the_examples_policy_is_the_providers() {
    let table = whole(EXAMPLE)["lanes"]["main"]["policy"].as_table().unwrap().clone();
    let policy: domain::Policy = table.try_into().unwrap();
    assert_eq!(policy, LIMITS.policy);
}

/// Each `# key = value` stands there with its default, so taking the comment signs off changes
/// nothing, and no key is left out.
#[test]
fn the_example_shows_every_key_with_its_default() {
    let mut shown = lane_settings(&uncommented());
    for key in [
        "base_url",
        "environment",
        "api_user",
        "api_key",
        "certificate_file",
        "key_file",
        "ca_file",
        "persona",
        "client_id",
        "webhook_secret",
        "webhook_header",
        "currencies",
        "connect_timeout_ms",
        "proxy",
        "profile",
    ] {
        assert!(shown.contains_key(key), "{key} is not shown");
    }
    for without_default in ["ca_file", "proxy", "webhook_secret"] {
        shown.remove(without_default);
    }
    let read = |table| format!("{:?}", Settings::read(table, &testing::lane()).unwrap());
    assert_eq!(read(shown), read(lane_settings(EXAMPLE)));
}

/// The keys of a struct, by its own `Debug`: what the example must show of each table.
#[test]
fn the_example_shows_every_key_of_the_profile() {
    let shown = lane_settings(&uncommented());
    let profile = shown["profile"].as_table().unwrap();
    let keys = |debug: String| -> Vec<String> {
        let inner = debug.lines().filter_map(|line| line.strip_prefix("    "));
        let names = inner.filter(|line| !line.starts_with([' ', '}', ']', ')']));
        names.filter_map(|line| Some(line.split_once(": ")?.0.to_owned())).collect()
    };
    let expected = profile::Profile::default();
    for (table, debug) in [
        (profile, format!("{expected:#?}")),
        (profile["request"].as_table().unwrap(), format!("{:#?}", expected.request)),
        (profile["created"].as_table().unwrap(), format!("{:#?}", expected.created)),
        (profile["error"].as_table().unwrap(), format!("{:#?}", expected.error)),
        (profile["beneficiary"].as_table().unwrap(), format!("{:#?}", expected.beneficiary)),
        (profile["statuses"].as_table().unwrap(), format!("{:#?}", expected.statuses)),
    ] {
        let keys = keys(debug);
        assert!(keys.len() >= 3, "{keys:?}");
        for key in keys {
            assert!(table.contains_key(&key), "{key} is not shown");
        }
    }
}
