//! The site's words for where an order stands → ours, and what may be done with it.
//!
//! No word but those of the map means anything: every other one is for a person, because staff
//! often finish by hand what a module could not.

use super::html::plain;
use super::php::Php;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Meaning {
    /// The beneficiary was paid.
    Paid,
    /// It exists, and nobody has said that it was funded.
    Created,
    /// It was funded, and the site works on it.
    InProgress,
    /// It was given up.
    Cancelled,
    /// It was paid, and the money came back.
    Returned,
    /// A person decides.
    Review,
}

/// Names seen in public server source.
const KNOWN: &[(&str, Meaning)] = &[
    ("success", Meaning::Paid),
    ("new", Meaning::Created),
    ("coldnew", Meaning::Created),
    ("techpay", Meaning::Created),
    ("payed", Meaning::InProgress),
    ("coldpay", Meaning::InProgress),
    ("realpay", Meaning::InProgress),
    ("verify", Meaning::InProgress),
    ("coldsuccess", Meaning::InProgress),
    ("cancel", Meaning::Cancelled),
    ("delete", Meaning::Cancelled),
    ("returned", Meaning::Returned),
    ("error", Meaning::Review),
    ("payouterror", Meaning::Review),
    ("scrpayerror", Meaning::Review),
];

/// Status → meaning: what is known, and what the config says otherwise.
#[derive(Debug)]
pub(super) struct Statuses(BTreeMap<String, Meaning>);

impl Statuses {
    pub(super) fn new(more: &BTreeMap<String, Meaning>) -> Statuses {
        let mut map: BTreeMap<_, _> = KNOWN.iter().map(|(w, m)| ((*w).to_owned(), *m)).collect();
        map.extend(more.iter().map(|(word, meaning)| (fold(word), *meaning)));
        Statuses(map)
    }

    /// What a word means, and whether the map has it.
    pub(super) fn meaning(&self, word: &str) -> (Meaning, bool) {
        match self.0.get(&fold(word)) {
            Some(meaning) => (*meaning, true),
            None => (Meaning::Review, false),
        }
    }
}

fn fold(word: &str) -> String {
    word.trim().to_ascii_lowercase()
}

/// `api`: the call of the API does it.
const API: &str = "api";
const DISABLED: &str = "disabled";

/// How something is done with an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By a call.
    Api,
    /// By a person, at this link.
    Link(String),
    /// Not at all, or nobody says how.
    Nobody,
}

impl By {
    fn read(text: Option<&str>) -> By {
        match text {
            Some(text) if text.eq_ignore_ascii_case(API) => By::Api,
            Some(text) if text.eq_ignore_ascii_case(DISABLED) => By::Nobody,
            Some(text) if is_link(text) => By::Link(text.to_owned()),
            _ => By::Nobody,
        }
    }
}

/// `api_actions`. No `Debug`: an instruction may repeat a destination.
#[derive(Clone)]
pub(super) struct Actions {
    pub(super) cancel: By,
    pub(super) pay: By,
    pub(super) pay_amount: Option<String>,
    /// Plain text.
    pub(super) instruction: Option<String>,
    /// Where to: the site's requisite, not the beneficiary's.
    pub(super) address: Option<String>,
    pub(super) dest_tag: Option<String>,
    pub(super) expiry: Option<String>,
}

impl Actions {
    /// `expiry` is what the order itself says of it; `api_actions` may say it too.
    pub(super) fn read(php: &Php, expiry: Option<&str>, expiry_field: &str) -> Actions {
        let text = |name: &str| php.text_of(name).map(plain).filter(|text| !text.is_empty());
        Actions {
            cancel: By::read(php.text_of("cancel")),
            pay: By::read(php.text_of("pay")),
            pay_amount: text("pay_amount"),
            instruction: text("instruction"),
            address: text("address"),
            dest_tag: text("dest_tag"),
            expiry: text(expiry_field).or_else(|| expiry.map(plain)),
        }
    }
}

/// The longest link that is shown.
const LINK_BYTES_MAX: usize = 512;

/// Whether a text can be shown as a link.
pub(super) fn is_link(text: &str) -> bool {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web && text.len() <= LINK_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_one_meaning_and_an_unknown_one_is_for_a_person() {
        let statuses = Statuses::new(&BTreeMap::new());
        for (word, meaning) in KNOWN {
            assert_eq!(statuses.meaning(&word.to_uppercase()), (*meaning, true), "{word}");
        }
        for word in ["", "paid", "my_status_7", "successful"] {
            assert_eq!(statuses.meaning(word), (Meaning::Review, false), "{word}");
        }
    }

    #[test]
    fn the_config_has_the_last_word() {
        let more = BTreeMap::from([
            ("My_Status".to_owned(), Meaning::InProgress),
            ("verify".to_owned(), Meaning::Review),
        ]);
        let statuses = Statuses::new(&more);
        assert_eq!(statuses.meaning("my_status"), (Meaning::InProgress, true));
        assert_eq!(statuses.meaning("verify"), (Meaning::Review, true));
    }

    #[test]
    fn what_is_neither_api_nor_a_link_is_done_by_nobody() {
        for text in [None, Some("disabled"), Some("javascript:x"), Some("https://a b"), Some("1")] {
            assert_eq!(By::read(text), By::Nobody, "{text:?}");
        }
        assert_eq!(By::read(Some("API")), By::Api);
        assert_eq!(By::read(Some("https://x/y")), By::Link("https://x/y".into()));
    }
}
