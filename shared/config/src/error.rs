//! Why a configuration was not taken: where it stands, what was found, what would be accepted.

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named with `--config` cannot be read.
    #[error("cannot read the config file {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A key or value in one layer is wrong.
    #[error("{origin}: {problem}")]
    Layer {
        /// `config/pool.toml, line 12`, or the variable, or the flag.
        origin: String,
        /// What is wrong.
        problem: String,
    },
    /// Each value is fine, but they do not fit together.
    #[error("the config does not fit together: {0}")]
    Inconsistent(String),
}

/// Turns serde's words about an unknown key into ours, with the nearest key that exists.
pub(crate) fn explain(message: &str) -> String {
    let Some(rest) = message.trim().strip_prefix("unknown field `") else {
        return message.trim().to_owned();
    };
    let Some((found, rest)) = rest.split_once('`') else { return message.to_owned() };
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    let hint = nearest(found, known.iter().copied())
        .map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
    format!("unknown key \"{found}\"; {hint}accepted here: {}", known.join(", "))
}

/// The candidate that is fewest edits away, if it is near enough to be a slip of the hand.
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = text.chars().count();
    let limit = (length / 3).max(if length > 3 { 2 } else { 1 });
    candidates
        .map(|candidate| (edits(text, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= limit)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance, ignoring case.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_its_key_and_a_foreign_word_none() {
        let keys = ["lease_ms", "chunks_at_once", "stop_within_ms"];
        assert_eq!(nearest("leas_ms", keys.into_iter()), Some("lease_ms"));
        assert_eq!(nearest("Lease_MS", keys.into_iter()), Some("lease_ms"));
        assert_eq!(nearest("colour", keys.into_iter()), None);
    }
}
