//! `GET /beneficiaries/…`: twelve businesses and twelve individuals, always the same; two pages of
//! ten each.

use hyper::StatusCode;
use serde::Serialize;

use super::gateway::Gateway;
use super::page::Paging;
use crate::server::{Call, Reply};

/// Beneficiaries of each kind.
const EACH: usize = 12;

/// Which of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Business,
    Individual,
}

/// A beneficiary as the list tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Listed {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    currency: &'static str,
}

impl Kind {
    fn list(self) -> Vec<Listed> {
        let (prefix, name, kind) = match self {
            Self::Business => ("biz", "Business", "BUSINESS"),
            Self::Individual => ("ind", "Individual", "INDIVIDUAL"),
        };
        let listed = |number| Listed {
            id: format!("{prefix}-{number:02}"),
            name: format!("{name} {number:02}"),
            kind,
            currency: "EUR",
        };
        (1..=EACH).map(listed).collect()
    }
}

/// Does a list hold it?
pub(super) fn is_known(id: &str) -> bool {
    [Kind::Business, Kind::Individual]
        .iter()
        .any(|kind| kind.list().iter().any(|listed| listed.id == id))
}

impl Gateway {
    pub(super) fn beneficiaries(&self, call: &Call, kind: Kind) -> Result<Reply, Reply> {
        self.admit(false)?;
        let paging = Paging::of(call.uri()).map_err(|wrong| self.refuse(&wrong))?;
        self.calls.asked_for(paging.limit);
        Ok(Reply::json(StatusCode::OK, &paging.cut(&kind.list(), Listed::clone)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_between_the_lists_and_nobody_else_is_known() {
        assert!(is_known("biz-01") && is_known("ind-12"));
        assert!(!is_known("ind-13") && !is_known("ind-1") && !is_known(""));
    }
}
