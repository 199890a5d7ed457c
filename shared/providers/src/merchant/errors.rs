//! Every text that the platform is known to refuse with → what it means (S10).
//!
//! A text counts only as a whole, trimmed and in any case. What is not listed is judged by a few
//! words, and only towards the safer side: a look-up, or a lane that stops. Everything else goes
//! to a person: the platform says that its list is not complete.

use serde::Deserialize;

/// What a refusal means for the row and the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing was created; this row again later, the lane goes on.
    Later,
    /// Nothing was created; the lane waits for money.
    Balance,
    /// Nothing was created, and never will be.
    Refused,
    /// Nothing was created; the lane waits for a person.
    StopLane,
    /// It may exist: look it up.
    LookUp,
}

/// The document's own list. Its texts stand in folded form.
const LISTED: &[(&str, Class)] = &[
    ("overloading requisite", Class::Later),
    ("low balance", Class::Balance),
    ("this payment method is disabled for your merchant", Class::Refused),
];

/// Fragments of texts about an order that exists already. Too wide a net costs a look-up, too
/// narrow a one costs a second payment.
const EXISTING: &[&str] =
    &["already", "duplicat", "repeated", "existing", "order exists", "unique"];

/// Words of texts about our credentials or our account.
const CREDENTIALS: &[&str] = &["sign", "signature", "key", "apikey", "merchant"];

/// `[lanes.<name>.settings.errors]`: more texts for each class.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ErrorTexts {
    later: Vec<String>,
    balance: Vec<String>,
    refused: Vec<String>,
    stop_lane: Vec<String>,
    look_up: Vec<String>,
}

/// The document's list and what the config adds.
#[derive(Debug)]
pub(super) struct ErrorTable(Vec<(String, Class)>);

/// How texts are compared: trimmed, in lower case.
pub(super) fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

impl ErrorTable {
    /// Puts both together; a text has one class.
    pub(super) fn new(more: &ErrorTexts) -> Result<ErrorTable, String> {
        let mut table: Vec<_> = LISTED.iter().map(|(text, c)| ((*text).to_owned(), *c)).collect();
        for (texts, class) in [
            (&more.later, Class::Later),
            (&more.balance, Class::Balance),
            (&more.refused, Class::Refused),
            (&more.stop_lane, Class::StopLane),
            (&more.look_up, Class::LookUp),
        ] {
            for text in texts {
                let text = fold(text);
                if text.is_empty() || table.iter().any(|(known, _)| *known == text) {
                    return Err(format!(
                        "errors: \"{text}\" cannot be added; a text stands in one class, once"
                    ));
                }
                table.push((text, class));
            }
        }
        Ok(ErrorTable(table))
    }

    /// The class of a listed text.
    pub(super) fn class(&self, text: &str) -> Option<Class> {
        let text = fold(text);
        self.0.iter().find(|(known, _)| *known == text).map(|(_, class)| *class)
    }
}

/// Whether an unlisted text may speak of an order that exists.
pub(super) fn may_exist(text: &str) -> bool {
    let text = fold(text);
    EXISTING.iter().any(|fragment| text.contains(fragment))
}

/// Whether an unlisted text speaks of signature, key or merchant.
pub(super) fn is_about_credentials(text: &str) -> bool {
    fold(text).split(|c: char| !c.is_alphanumeric()).any(|word| CREDENTIALS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_texts_match_whole_and_in_any_case_and_nothing_else_does() {
        let table = ErrorTable::new(&ErrorTexts::default()).unwrap();
        for (text, class) in LISTED {
            assert_eq!(*text, fold(text), "the list stands in folded form");
            let shouted = format!(" {} ", text.to_uppercase());
            assert_eq!(table.class(&shouted), Some(*class));
            assert_eq!(table.class(&format!("{text}!")), None);
        }
    }

    #[test]
    fn the_config_adds_texts_but_never_changes_the_documents() {
        let more = |text: &str| toml::from_str::<ErrorTexts>(text).unwrap();
        let table = ErrorTable::new(&more("refused = [\"Card Blocked\"]")).unwrap();
        assert_eq!(table.class("card blocked "), Some(Class::Refused));
        assert!(ErrorTable::new(&more("refused = [\"LOW balance\"]")).is_err());
        assert!(ErrorTable::new(&more("later = [\"x\"]\nrefused = [\"x\"]")).is_err());
        assert!(ErrorTable::new(&more("later = [\" \"]")).is_err());
    }

    #[test]
    fn words_lead_to_a_look_up_or_a_stop_never_to_a_refusal() {
        for text in ["order already exists", "Duplicate order_id", "order_id must be unique"] {
            assert!(may_exist(text), "{text}");
        }
        for text in ["invalid sign", "unknown merchant", "bad api_key", "X-Api-Key missing"] {
            assert!(is_about_credentials(text), "{text}");
        }
        for text in ["recipient is temporarily unavailable, code 7741", "monkey business", ""] {
            assert!(!may_exist(text) && !is_about_credentials(text), "{text}");
        }
    }
}
