//! Every word that a record or a document may stand under → where the payout stands.
//!
//! A word that no table lists says nothing: it is never read as failed, and never as paid.

use domain::News;
use serde::Deserialize;

/// Words of `get_batch_info` (the first five) and of documents, in upper case.
const LISTED: &[(&str, News)] = &[
    ("NEW", News::InProgress),
    ("INPROCESS", News::InProgress),
    ("READY", News::Waiting),
    ("DECLINED", News::Failed),
    ("PROCESSED", News::Paid),
    ("EXECUTED", News::Paid),
];

/// `[lanes.<name>.settings.states]`: more words for each meaning.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    in_progress: Vec<String>,
    waiting: Vec<String>,
    failed: Vec<String>,
    paid: Vec<String>,
}

/// The provider's words and what the config adds.
#[derive(Clone, Debug)]
pub(super) struct States(Vec<(String, News)>);

impl States {
    /// Puts both together; a word has one meaning.
    pub(super) fn new(more: Written) -> Result<States, String> {
        let mut all: Vec<_> = LISTED.iter().map(|(word, n)| ((*word).to_owned(), *n)).collect();
        for (words, news) in [
            (more.in_progress, News::InProgress),
            (more.waiting, News::Waiting),
            (more.failed, News::Failed),
            (more.paid, News::Paid),
        ] {
            for word in words {
                let word = fold(&word);
                if word.is_empty() || all.iter().any(|(known, _)| *known == word) {
                    return Err(format!("states: \"{word}\" cannot be added; a word stands once"));
                }
                all.push((word, news));
            }
        }
        Ok(States(all))
    }

    /// What a word means.
    pub(super) fn news(&self, word: &str) -> Option<News> {
        let word = fold(word);
        self.0.iter().find(|(known, _)| *known == word).map(|(_, news)| *news)
    }
}

fn fold(word: &str) -> String {
    word.trim().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_words_have_their_meaning_and_no_other_word_has_any() {
        let states = States::new(Written::default()).unwrap();
        for (word, news) in LISTED {
            assert_eq!(states.news(&format!(" {} ", word.to_lowercase())), Some(*news));
        }
        for word in ["", "DONE", "PROCESS", "CANCELLED", "PROCESSED2"] {
            assert_eq!(states.news(word), None, "{word}");
        }
    }

    #[test]
    fn the_config_adds_words_and_changes_none() {
        let more = |text: &str| States::new(toml::from_str::<Written>(text).unwrap());
        assert_eq!(more("failed = [\"cancelled\"]").unwrap().news("CANCELLED"), Some(News::Failed));
        assert!(more("paid = [\"declined\"]").is_err());
        assert!(more("paid = [\" \"]").is_err());
    }
}
