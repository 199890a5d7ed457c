//! The commented example config is what the adapter reads.

use super::*;
use crate::testing::{lane_settings, uncommented};

const EXAMPLE: &str = include_str!("../../../../../config/examples/capay.toml");

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
    let whole: toml::Table = EXAMPLE.parse().unwrap();
    let policy: domain::Policy = whole["lanes"]["main"]["policy"].clone().try_into().unwrap();
    assert_eq!(policy, LIMITS.policy);
}

/// Each `# key = value` stands there with its default, so taking the comment signs off changes
/// nothing, and no key is left out.
#[test]
fn the_example_shows_every_key_with_its_default() {
    let mut shown = lane_settings(&uncommented(EXAMPLE));
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
    let shown = lane_settings(&uncommented(EXAMPLE));
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
