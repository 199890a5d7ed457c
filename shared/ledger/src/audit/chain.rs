//! The names of chains.

use super::entry::Hash;
use domain::{BatchId, LaneName};
use std::fmt;

/// A chain of entries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain(String);

impl Chain {
    /// What happened to a batch.
    pub fn batch(id: BatchId) -> Chain {
        Chain(format!("batch/{id}"))
    }

    /// What happened to a lane.
    pub fn lane(name: &LaneName) -> Chain {
        Chain(format!("lane/{name}"))
    }

    /// The heads of all other chains, and the keys that sign.
    pub fn installation() -> Chain {
        Chain("installation".to_owned())
    }

    /// The chain that people write as `BATCH`, `lane/NAME` or `installation`.
    pub fn named(text: &str) -> Option<Chain> {
        if text == "installation" {
            return Some(Chain::installation());
        }
        match text.split_once('/') {
            Some(("lane", name)) => LaneName::new(name).ok().map(|name| Chain::lane(&name)),
            Some(("batch", id)) => id.parse().ok().map(Chain::batch),
            Some(_) => None,
            None => text.parse().ok().map(Chain::batch),
        }
    }

    /// The batch that it tells of, if it does.
    pub fn as_batch(&self) -> Option<BatchId> {
        self.0.strip_prefix("batch/").and_then(|id| id.parse().ok())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the first entry has before it: no entry of another chain can stand in its place.
    pub fn root(&self) -> Hash {
        Hash::of(self.0.as_bytes())
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_found_by_the_name_that_people_write() {
        let id = "01HF7YAT00000000000000000B";
        let batch = Chain::named(id).unwrap();
        assert_eq!(batch.as_str(), format!("batch/{id}"));
        assert_eq!(batch.as_batch().unwrap().to_string(), id);
        assert_eq!(Chain::named(batch.as_str()), Some(batch));
        assert_eq!(Chain::named("lane/main").unwrap().as_str(), "lane/main");
        assert_eq!(Chain::named("installation"), Some(Chain::installation()));
        for wrong in ["", "lane/", "main", "other/x"] {
            assert_eq!(Chain::named(wrong), None, "{wrong}");
        }
    }
}
