//! The commented example config is what the adapter reads.

use super::*;
use crate::exchanger::settings::Funding;

const EXAMPLE: &str = include_str!("../../../../../config/examples/exchanger.toml");

fn lane_settings(text: &str) -> toml::Table {
    let whole: toml::Table = text.parse().unwrap();
    whole["lanes"]["main"]["settings"].as_table().unwrap().clone()
}

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
    let shown: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(key) if key.split_once(" = ").is_some_and(|(k, _)| is_key(k)) => key,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let shown = lane_settings(&shown);
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

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit())
}
