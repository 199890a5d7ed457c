//! Whether payouts that nobody doubts may be asked about, and how often.
//!
//! Nothing is polled that config does not name with an interval: without it a payout is looked up
//! when it is in doubt, when news of it must be confirmed, and when it is overdue.

use domain::{Polled, PollingChange};

/// What a provider allows beside look-ups of what is in doubt or overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// Nothing.
    Never,
    /// Single look-ups, as agreed with its people.
    ByAgreement {
        /// At least so long between two of one payout.
        interval_ms_min: u64,
    },
    /// Lists, a page of many payouts at a time; nobody must be asked for it.
    Paged {
        /// At least so long between two of one list.
        interval_ms_min: u64,
    },
}

impl Polling {
    /// In a word or three.
    pub fn name(self) -> &'static str {
        match self {
            Polling::Never => "never",
            Polling::ByAgreement { .. } => "by agreement",
            Polling::Paged { .. } => "lists by page",
        }
    }

    /// The least interval that can be agreed.
    pub fn interval_ms_min(self) -> Option<u64> {
        match self {
            Polling::Never => None,
            Polling::ByAgreement { interval_ms_min } | Polling::Paged { interval_ms_min } => {
                Some(interval_ms_min)
            }
        }
    }

    /// How a lane is polled that wants it so. A sandbox may be asked as often as a test likes.
    pub(super) fn agree(
        self,
        provider: &str,
        wanted: &PollingChange,
        is_sandbox: bool,
    ) -> Result<Polled, String> {
        let Some(own_ms) = self.interval_ms_min() else {
            return Err(format!(
                "{provider} is never polled: its payouts are looked up when they are in doubt or \
                 overdue (policy.overdue_ms); leave this section out"
            ));
        };
        let least_ms = if is_sandbox { 1 } else { own_ms };
        let Some(every_ms) = wanted.interval_ms else {
            return Err(format!(
                "interval_ms is missing: how many ms apart one payout may be asked about; \
                 {least_ms} or more"
            ));
        };
        let is_agreed = wanted.agreed.as_deref().is_some_and(|with| !with.trim().is_empty());
        if matches!(self, Polling::ByAgreement { .. }) && !is_agreed {
            return Err(format!(
                "{provider} forbids polling unless it is agreed with its people; write with whom \
                 and when, as in agreed = \"support, ticket 4711, 2026-11-02\""
            ));
        }
        if every_ms < least_ms {
            return Err(format!(
                "interval_ms is {every_ms}; {provider} is asked again after {least_ms} or more"
            ));
        }
        Ok(Polled { every_ms, together: matches!(self, Polling::Paged { .. }) })
    }
}

#[cfg(test)]
mod tests {
    use crate::{registry, testing};
    use domain::{Policy, PolicyChange, PollingChange};

    macro_rules! example {
        ($provider:literal) => {
            include_str!(concat!("../../../../config/examples/", $provider, ".toml"))
        };
    }

    fn wanted(agreed: Option<&str>, interval_ms: Option<u64>) -> PollingChange {
        PollingChange { agreed: agreed.map(str::to_owned), interval_ms }
    }

    fn policy_of(provider: &str, wanted: &PollingChange) -> Result<Policy, String> {
        let limits = registry::limits(provider).unwrap();
        limits.policy_of(&PolicyChange::default(), Some(wanted), false)
    }

    #[test]
    fn nobody_is_polled_unless_config_says_so() {
        for name in registry::names() {
            let limits = registry::limits(name).unwrap();
            let policy = limits.policy_of(&PolicyChange::default(), None, true).unwrap();
            assert_eq!(policy.polled, None, "{name}");
        }
    }

    #[test]
    fn what_a_provider_allows_is_agreed_with_its_interval() {
        for name in registry::names() {
            let limits = registry::limits(name).unwrap();
            let Some(least_ms) = limits.polling.interval_ms_min() else { continue };
            assert!(least_ms >= 1_000, "{name}: more often than once a second");
            let policy = policy_of(name, &wanted(Some("support"), Some(least_ms))).unwrap();
            let polled = policy.polled.unwrap();
            let is_listed = limits.polling.name() == "lists by page";
            assert_eq!((polled.every_ms, polled.together), (least_ms, is_listed), "{name}");
            assert_eq!(is_listed, limits.rows_per_look_up > 1, "{name}: a look-up tells of many");
        }
    }

    #[test]
    fn every_page_says_what_can_be_agreed_and_every_example_shows_it() {
        let pages = [
            ("merchant", include_str!("../merchant/README.md"), example!("merchant")),
            ("capitalist", include_str!("../capitalist/README.md"), example!("capitalist")),
            ("exchanger", include_str!("../exchanger/README.md"), example!("exchanger")),
            ("capay", include_str!("../capay/README.md"), example!("capay")),
        ];
        assert_eq!(pages.map(|(name, ..)| name).to_vec(), registry::names().collect::<Vec<_>>());
        for (name, page, example) in pages {
            let polling = registry::limits(name).unwrap().polling;
            let least = polling.interval_ms_min();
            let told = least.map_or_else(String::new, |ms| format!(" {ms} ms or more"));
            let told = format!("Polling: {},{told}", polling.name());
            assert!(page.contains(&told), "{name}: {told}");
            let section = example.split_once("# [lanes.main.polling]\n");
            let shown = section.and_then(|(_, rest)| rest.split("\n\n").next());
            assert_eq!(shown.is_some(), least.is_some(), "{name}");
            let Some(shown) = shown else { continue };
            let shown: PollingChange = toml::from_str(&testing::uncommented(shown)).unwrap();
            assert!(policy_of(name, &shown).is_ok(), "{name}: {shown:?}");
        }
    }

    #[test]
    fn what_cannot_be_agreed_is_told_with_what_could() {
        let hours = 3_600_000;
        for (provider, agreed, interval_ms, words) in [
            ("capay", Some("us"), Some(hours), "capay is never polled"),
            ("merchant", Some("us"), None, "interval_ms is missing"),
            ("merchant", None, Some(hours), "agreed = \"support, ticket 4711"),
            ("merchant", Some(" "), Some(hours), "forbids polling unless it is agreed"),
            ("merchant", Some("us"), Some(59_999), "59999; merchant is asked again after 60000 or"),
            ("capitalist", None, Some(59_999), "59999; capitalist is asked again after 60000 or"),
            ("exchanger", None, Some(0), "interval_ms is 0; exchanger"),
            ("exchanger", None, Some(73 * hours), "go to review after 259200000"),
        ] {
            let told = policy_of(provider, &wanted(agreed, interval_ms)).unwrap_err();
            assert!(told.contains(words), "{provider}: {told}");
        }
    }

    #[test]
    fn a_sandbox_is_polled_as_often_as_a_test_likes_but_not_without_an_interval() {
        let limits = registry::limits("merchant").unwrap();
        let of = |ms| {
            limits.policy_of(&PolicyChange::default(), Some(&wanted(Some("a test"), ms)), true)
        };
        assert_eq!(of(Some(500)).unwrap().polled.unwrap().every_ms, 500);
        assert!(of(Some(0)).is_err() && of(None).is_err());
    }
}
