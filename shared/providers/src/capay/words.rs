//! What Capay says, as people may read it: without destinations, keys, tokens and long numbers.

use super::Capay;
use super::refusal::Refusal;
use crate::quote::quote;
use secrecy::ExposeSecret;

/// So long a word without a space is a token or a key; an id in hex and dashes has 36 characters.
const OPAQUE_CHARS_MIN: usize = 40;
/// Properties of a refusal that are repeated to people; all of them are judged.
const PROPERTIES_MAX: usize = 8;

impl Capay {
    /// Capay's own words, without destination, keys and tokens.
    pub(super) fn words(&self, status: u16, refusal: &Refusal, destination: &str) -> String {
        let keys = self.line.iter().flat_map(|line| {
            [Some(&line.keys.api), line.keys.webhook.as_ref()].into_iter().flatten()
        });
        let shown = refusal.properties.len().min(PROPERTIES_MAX);
        let properties = refusal.properties[..shown].join(", ");
        let said = match (properties.as_str(), refusal.description.as_str()) {
            ("", "") => "without a text".to_owned(),
            ("", description) => description.to_owned(),
            (properties, "") => format!("about {properties}"),
            (properties, description) => format!("about {properties}: {description}"),
        };
        let secrets = keys.map(ExposeSecret::expose_secret).chain([destination]);
        format!("HTTP {status} {}", quote(&without_opaque_words(&said), secrets))
    }
}

/// `text` without words that are as long as a token or a key.
fn without_opaque_words(text: &str) -> String {
    let belongs = |c: char| c.is_ascii_alphanumeric() || "._~+/=-".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = belongs(first);
        let end = rest.find(|c| belongs(c) != is_word).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        out.push_str(if is_word && run.len() >= OPAQUE_CHARS_MIN { "…" } else { run });
        rest = after;
    }
    out
}
