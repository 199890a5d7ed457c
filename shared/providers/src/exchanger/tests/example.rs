//! The commented example config is what the adapter reads.

use super::*;
use crate::exchanger::settings::Funding;
use crate::settings::Base;
use crate::testing::{lane_settings, uncommented};

const EXAMPLE: &str = include_str!("../../../../../config/examples/exchanger.toml");

#[test]
fn the_example_is_read_as_it_stands() {
    let settings = Settings::read(lane_settings(EXAMPLE), &testing::lane()).unwrap();
    let Base::At(url) = &settings.base else { panic!("the example names a site") };
    assert_eq!(url.host_and_path(), "exchange.example.com");
    assert_eq!(settings.funding, Funding::Person);
    assert_eq!(settings.directions[0].column("cf6"), Some("email"));
    let error = settings.keys(&testing::lane()).unwrap_err();
    assert!(error.to_string().contains("EXCHANGER_LOGIN"), "{error}");
}

/// Each `# key = value` of the settings stands there with its default, so taking the comment
/// signs off changes nothing, and no key is left out.
#[test]
fn the_example_shows_every_key_with_its_default() {
    let shown = lane_settings(&uncommented(EXAMPLE));
    for key in keys("kye = 1") {
        assert!(shown.contains_key(&key), "{key} is not shown");
    }
    for key in keys("errors = { kye = [] }") {
        assert!(shown["errors"].as_table().unwrap().contains_key(&key), "errors.{key}");
    }
    for key in keys("directions = [{ kye = 1 }]") {
        let is_told = |line: &str| {
            line.starts_with(&format!("#   {key} ")) || line.starts_with(&format!("{key} = "))
        };
        assert!(EXAMPLE.lines().any(is_told), "directions: {key} is not told");
    }
    let mut with_defaults = shown;
    with_defaults.remove("proxy");
    with_defaults.remove("partner_id");
    let written = Settings::read(with_defaults, &testing::lane()).unwrap();
    let default = Settings::read(lane_settings(EXAMPLE), &testing::lane()).unwrap();
    assert_eq!(format!("{written:?}"), format!("{default:?}"));
}

/// The keys that there are, as an unknown one makes the adapter tell them.
fn keys(unknown: &str) -> Vec<String> {
    let text = format!("base_url = \"sandbox\"\n{unknown}");
    let error = Settings::read(text.parse().unwrap(), &testing::lane()).unwrap_err().to_string();
    let (_, known) = error.split_once("expected one of ").unwrap();
    // What follows says where it stands.
    let known = known.split(" in `").next().unwrap_or_default();
    let keys: Vec<String> = known.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert!(keys.len() > 5, "{error}");
    keys
}
