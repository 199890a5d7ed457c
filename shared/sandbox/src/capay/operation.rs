//! The calls of the profile, one name each: the path's reading and the counts go by the same list.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::Method;

use super::beneficiaries::Kind;
use crate::clock::lock;

/// What a call asks for, with the payout's id where its path has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    Token,
    Beneficiaries(Kind),
    Create,
    List,
    Status(&'a str),
    Cancel(&'a str),
}

impl<'a> Operation<'a> {
    /// `path` is what follows `/capay`.
    pub(super) fn of(method: &Method, path: &'a str) -> Option<Self> {
        const PAYOUTS: &str = "/transactions/payouts";
        let is_id = |id: &&str| !id.is_empty() && !id.contains('/');
        let below = path.strip_prefix(PAYOUTS).and_then(|rest| rest.strip_prefix('/'));
        match (method, path) {
            (&Method::POST, "/auth/token") => Some(Self::Token),
            (&Method::GET, "/beneficiaries/businesses") => {
                Some(Self::Beneficiaries(Kind::Business))
            }
            (&Method::GET, "/beneficiaries/individuals") => {
                Some(Self::Beneficiaries(Kind::Individual))
            }
            (&Method::POST, PAYOUTS) => Some(Self::Create),
            (&Method::GET, PAYOUTS) => Some(Self::List),
            (&Method::GET, _) => below.filter(is_id).map(Self::Status),
            (&Method::POST, _) => below?.strip_suffix("/cancel").filter(is_id).map(Self::Cancel),
            _ => None,
        }
    }

    /// Its name in the counts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Token => "auth/token",
            Self::Beneficiaries(Kind::Business) => "beneficiaries/businesses",
            Self::Beneficiaries(Kind::Individual) => "beneficiaries/individuals",
            Self::Create => "payouts/create",
            Self::List => "payouts/list",
            Self::Status(_) => "payouts/status",
            Self::Cancel(_) => "payouts/cancel",
        }
    }
}

/// How often each call came, whatever it was answered, and the longest page that was asked for.
#[derive(Default)]
pub(super) struct Calls {
    by_name: Mutex<BTreeMap<&'static str, u64>>,
    max_page: AtomicU64,
}

impl Calls {
    pub(super) fn add(&self, operation: Operation<'_>) {
        *lock(&self.by_name).entry(operation.name()).or_default() += 1;
    }

    pub(super) fn asked_for(&self, limit: u64) {
        self.max_page.fetch_max(limit, Ordering::Relaxed);
    }

    pub(super) fn max_page(&self) -> u64 {
        self.max_page.load(Ordering::Relaxed)
    }

    pub(super) fn snapshot(&self) -> BTreeMap<String, u64> {
        lock(&self.by_name).iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_exactly() {
        let of = |method: Method, path: &'static str| Operation::of(&method, path);
        assert_eq!(of(Method::POST, "/auth/token"), Some(Operation::Token));
        assert_eq!(of(Method::GET, "/transactions/payouts"), Some(Operation::List));
        assert_eq!(of(Method::POST, "/transactions/payouts"), Some(Operation::Create));
        assert_eq!(of(Method::GET, "/transactions/payouts/a"), Some(Operation::Status("a")));
        let cancel = "/transactions/payouts/a/cancel";
        assert_eq!(of(Method::POST, cancel), Some(Operation::Cancel("a")));
        for wrong in ["/transactions/payouts/", "/transactions/payoutsa", cancel, "/auth/token"] {
            assert_eq!(of(Method::GET, wrong), None, "{wrong}");
        }
        for wrong in ["/transactions/payouts//cancel", "/transactions/payouts/a"] {
            assert_eq!(of(Method::POST, wrong), None, "{wrong}");
        }
    }
}
