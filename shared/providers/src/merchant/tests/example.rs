//! The commented example config is what the adapter reads.

use super::*;
use crate::settings::Base;
use crate::testing::{lane_settings, uncommented};

const EXAMPLE: &str = include_str!("../../../../../config/examples/merchant.toml");

#[test]
fn the_example_is_read_as_it_stands() {
    let settings = Settings::read(lane_settings(EXAMPLE), &testing::lane()).unwrap();
    let Base::At(url) = &settings.base else { panic!("the example names a server") };
    assert_eq!(url.host_and_path(), "api.example.com");
    assert_eq!(settings.merchant, "my-shop");
    let error = settings.keys(&testing::lane()).unwrap_err();
    assert!(error.to_string().contains("MERCHANT_SIGN_KEY"), "{error}");
}

/// Each `# key = value` of the settings stands there with its default, so taking the comment
/// signs off changes nothing, and no key is left out.
#[test]
fn the_example_shows_every_key_with_its_default() {
    let shown = lane_settings(&uncommented(EXAMPLE));
    for key in [
        "base_url",
        "merchant",
        "sign_key",
        "api_key",
        "timeout_minutes",
        "status_id",
        "callback_sign",
        "absent_texts",
        "currencies",
        "low_balance_retry_ms",
        "connect_timeout_ms",
        "proxy",
        "errors",
    ] {
        assert!(shown.contains_key(key), "{key} is not shown");
    }
    let mut with_defaults = shown;
    with_defaults.remove("proxy");
    let written = Settings::read(with_defaults, &testing::lane()).unwrap();
    let default = Settings::read(lane_settings(EXAMPLE), &testing::lane()).unwrap();
    assert_eq!(format!("{written:?}"), format!("{default:?}"));
}
