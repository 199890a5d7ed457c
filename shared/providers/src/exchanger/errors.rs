//! Every error that the site is known to answer with → what it means (S10).
//!
//! An error is its number and its words together: a number that comes with other words than the
//! known ones is not listed, and what is not listed is unknown.

use super::html::plain;
use super::wire::Envelope;
use crate::http::{RawAnswer, StatusClass, class_of_status};
use serde::Deserialize;

/// What the body of an answer says.
pub(super) enum Reply {
    /// `error: 0`.
    Done(Box<Envelope>),
    /// Another `error`.
    Said(Box<Envelope>),
    /// "Api disabled", not JSON.
    Disabled,
    /// Nothing at all.
    Empty,
    /// 401 or 403 with something else.
    Forbidden,
    /// 429.
    TooMany,
    /// Anything else; in words for people.
    Unreadable(String),
}

/// What an error of `create_bid` means for the row and the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// An order with our id exists.
    Exists,
    /// This row is refused; nothing was created.
    Refused,
    /// All rows of the direction are refused.
    DirectionClosed,
    /// Nothing was created; later.
    Later,
    /// Nothing was created; the lane waits for a person.
    Stop(Stop),
    /// Not listed.
    Unlisted,
}

/// Why a lane stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    IpBlocked,
    NotSupported,
    Disabled,
    /// The config says so.
    Configured,
}

impl Stop {
    /// What a person is to do.
    pub(super) fn advice(self, method: &str) -> String {
        match self {
            Stop::IpBlocked => "the address of this machine is not on the key's list: add it to \
                                the allowed IP addresses of the API key"
                .to_owned(),
            Stop::NotSupported => {
                format!("enable the method {method} for the API key at the site")
            }
            Stop::Disabled => "the API is off, the login or key is wrong, or the user is not \
                               allowed to use it: check login, key and the user at the site"
                .to_owned(),
            Stop::Configured => "see errors.stop_lane in the lane's settings".to_owned(),
        }
    }
}

/// `[lanes.<name>.settings.errors]`: the words of the site. The first six are fragments and
/// replace what is built in; the last three are whole texts and come on top.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ErrorTexts {
    disabled: Vec<String>,
    ip_blocked: Vec<String>,
    not_supported: Vec<String>,
    direction_closed: Vec<String>,
    maintenance: Vec<String>,
    exists: Vec<String>,
    refused: Vec<String>,
    later: Vec<String>,
    stop_lane: Vec<String>,
}

impl Default for ErrorTexts {
    fn default() -> ErrorTexts {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        ErrorTexts {
            disabled: list(&["api disabled"]),
            ip_blocked: list(&["ip blocked"]),
            not_supported: list(&["method not supported"]),
            direction_closed: list(&["direction not found"]),
            maintenance: list(&["maintenance"]),
            // Too wide a net costs a look-up, too narrow a one costs a second order.
            exists: list(&["unique", "already", "duplicat"]),
            refused: Vec::new(),
            later: Vec::new(),
            stop_lane: Vec::new(),
        }
    }
}

/// How texts are compared: plain, in lower case.
fn fold(text: &str) -> String {
    plain(text).to_lowercase()
}

fn has(fragments: &[String], text: &str) -> bool {
    fragments.iter().any(|fragment| text.contains(fragment.as_str()))
}

fn is(texts: &[String], text: &str) -> bool {
    texts.iter().any(|known| known == text)
}

impl ErrorTexts {
    /// In the form in which they are compared. A blank text would match everything.
    pub(super) fn folded(mut self) -> Result<ErrorTexts, String> {
        for list in [
            &mut self.disabled,
            &mut self.ip_blocked,
            &mut self.not_supported,
            &mut self.direction_closed,
            &mut self.maintenance,
            &mut self.exists,
            &mut self.refused,
            &mut self.later,
            &mut self.stop_lane,
        ] {
            for text in list.iter_mut() {
                *text = fold(text);
                if text.is_empty() {
                    return Err("errors: an empty text cannot be meant; take it out".to_owned());
                }
            }
        }
        Ok(self)
    }

    /// What kind of body this is.
    pub(super) fn reply(&self, raw: &RawAnswer) -> Reply {
        let class = class_of_status(raw.status);
        let status = raw.status;
        match class {
            StatusClass::Unknown => {
                return Reply::Unreadable(format!("HTTP {status} says nothing about the order"));
            }
            StatusClass::TooMany => return Reply::TooMany,
            _ => {}
        }
        if let Some(envelope) = Envelope::read(&raw.body) {
            return match (class, envelope.code.as_str()) {
                (StatusClass::Told, "0") => Reply::Done(Box::new(envelope)),
                (_, "0") => Reply::Unreadable(format!("HTTP {status} contradicts its error 0")),
                _ => Reply::Said(Box::new(envelope)),
            };
        }
        // Whole, and short: a page that merely mentions it is no such answer.
        if is(&self.disabled, &fold(&String::from_utf8_lossy(&raw.body))) {
            return Reply::Disabled;
        }
        match class {
            StatusClass::Credentials => Reply::Forbidden,
            StatusClass::Told if raw.body.trim_ascii().is_empty() => Reply::Empty,
            _ => Reply::Unreadable(format!("HTTP {status} with a body that cannot be read")),
        }
    }

    /// The class of an error of `create_bid`.
    pub(super) fn of_create(&self, said: &Envelope) -> Class {
        let text = fold(&said.text);
        let about_id = said.fields.iter().any(|(name, text)| {
            name.eq_ignore_ascii_case("api_id") || has(&self.exists, &fold(text))
        });
        if about_id || has(&self.exists, &text) {
            return Class::Exists;
        }
        if is(&self.refused, &text) {
            return Class::Refused;
        }
        if is(&self.later, &text) {
            return Class::Later;
        }
        match said.code.as_str() {
            "1" if has(&self.direction_closed, &text) => Class::DirectionClosed,
            "2" if has(&self.maintenance, &text) => Class::Later,
            "3" if !said.fields.is_empty() => Class::Refused,
            _ => self.stop(said).map_or(Class::Unlisted, Class::Stop),
        }
    }

    /// The errors of any call that stop a lane.
    pub(super) fn stop(&self, said: &Envelope) -> Option<Stop> {
        let text = fold(&said.text);
        match said.code.as_str() {
            _ if is(&self.stop_lane, &text) => Some(Stop::Configured),
            "2" if has(&self.ip_blocked, &text) => Some(Stop::IpBlocked),
            "3" if said.fields.is_empty() && has(&self.not_supported, &text) => {
                Some(Stop::NotSupported)
            }
            _ => None,
        }
    }
}

/// Number and words of an error, for people; not yet fit for a log.
pub(super) fn words(said: &Envelope) -> String {
    let mut words = format!("error {}", said.code);
    let text = plain(&said.text);
    if !text.is_empty() {
        words.push_str(": ");
        words.push_str(&text);
    }
    for (name, text) in &said.fields {
        words.push_str("; ");
        words.push_str(name);
        words.push_str(": ");
        words.push_str(&plain(text));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: &str, text: &str, fields: &[(&str, &str)]) -> Class {
        let fields = fields.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
        let said = Envelope { code: code.into(), text: text.into(), fields, data: None };
        ErrorTexts::default().folded().unwrap().of_create(&said)
    }

    #[test]
    fn one_number_has_two_meanings_and_the_words_tell_which() {
        assert_eq!(class("2", "IP blocked", &[]), Class::Stop(Stop::IpBlocked));
        assert_eq!(class("2", "<b>Maintenance</b>", &[]), Class::Later);
        assert_eq!(class("3", "Method not supported", &[]), Class::Stop(Stop::NotSupported));
        assert_eq!(class("3", "Error!", &[("sum2", "min.: 100")]), Class::Refused);
        assert_eq!(class("1", "Direction not found", &[]), Class::DirectionClosed);
    }

    #[test]
    fn a_number_with_other_words_is_not_listed() {
        for (code, text) in [("1", "x"), ("2", "x"), ("3", "x"), ("4", "maintenance"), ("-1", "")] {
            assert_eq!(class(code, text, &[]), Class::Unlisted, "{code} {text}");
        }
    }

    #[test]
    fn an_order_that_may_exist_is_looked_up_whatever_else_is_said() {
        for (code, text) in [("1", "Api id is not unique"), ("3", "api_id already exists")] {
            assert_eq!(class(code, text, &[]), Class::Exists, "{code} {text}");
        }
        assert_eq!(class("3", "", &[("api_id", "wrong")]), Class::Exists);
        assert_eq!(class("3", "", &[("x", "ID must be <i>unique</i>")]), Class::Exists);
    }

    #[test]
    fn a_blank_text_in_the_config_is_refused() {
        let texts: ErrorTexts = toml::from_str("maintenance = [\" \"]").unwrap();
        assert!(texts.folded().is_err());
    }
}
