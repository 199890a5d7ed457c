//! What a provider allows, as data. One table per provider; engine, config, the `providers`
//! command and the docs read the same one, and a test holds it to what the adapter does.

mod polling;

pub use polling::Polling;

use domain::{Method, Policy, PolicyChange, PollingChange, ReferenceFormat};

/// A provider's limits and its idempotency contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The provider's name in config and on screens.
    pub provider: &'static str,
    /// Payouts in one create call.
    pub rows_per_call: u16,
    /// Create requests a second; config may change it.
    pub creates_per_second: u32,
    /// Create requests at once, from the whole pool; config may change it.
    pub in_flight: u16,
    /// Look-up requests a second, a budget of their own; config may change it.
    pub look_ups_per_second: u32,
    /// Payouts that one look-up can answer for together, with as few requests as it needs.
    pub rows_per_look_up: u16,
    /// Look-ups want what the provider told when it took the payout: its id, or that of the call.
    pub looks_up_by_id: bool,
    /// Whether payouts that nobody doubts may be asked about, and how often; config agrees it.
    pub polling: Polling,
    /// Records in a page of a list, where there is one; no setting makes it more than 1,000.
    pub page_size: Option<u16>,
    /// What the provider makes of a reference that it has seen, and what a look-up can prove.
    pub idempotency: Idempotency,
    /// What it takes as our reference.
    pub reference: ReferenceFormat,
    /// How it pays.
    pub methods: &'static [Method],
    /// It calls back, and how.
    pub callbacks: Calls,
    /// It lets us cancel.
    pub cancel: bool,
    /// What comes after the create before money moves.
    pub second_step: SecondStep,
    /// Its rules for rows are fetched from it, and checked at intake.
    pub rules: bool,
    /// How long to wait for what, unless config says otherwise.
    pub policy: Policy,
}

impl Limits {
    /// The waiting times of a lane: the provider's, with what its config changes, and polled as it
    /// has agreed. What cannot be agreed is told, with what could.
    pub fn policy_of(
        &self,
        change: &PolicyChange,
        polling: Option<&PollingChange>,
        is_sandbox: bool,
    ) -> Result<Policy, String> {
        let policy = change.on(&self.policy);
        let Some(wanted) = polling else { return Ok(policy) };
        let polled = self.polling.agree(self.provider, wanted, is_sandbox)?;
        if polled.every_ms > policy.submitted_give_up_ms {
            return Err(format!(
                "interval_ms is {}; payouts without a final answer go to review after {} \
                 (policy.submitted_give_up_ms), before they were asked about once",
                polled.every_ms, policy.submitted_give_up_ms
            ));
        }
        Ok(Policy { polled: Some(polled), ..policy })
    }
}

/// The idempotency contract. The engine never resends outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Whether the provider pays the same reference twice.
    pub deduplication: Deduplication,
    /// A reference that was refused once is answered with the stored refusal ever after, so that
    /// sending it again is in vain.
    pub repeats_errors: bool,
    /// A payout can be looked up by our own reference.
    pub found_by_reference: bool,
    /// What "not found" looks like and what it proves; when it may be believed is
    /// `policy.settling_ms` after the request has ended, twice.
    pub absence: Absence,
}

/// How a provider tells news by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// It does not.
    None,
    /// It calls URLs that we give it with each payout.
    OurUrls,
    /// It calls the one URL that the lane has been registered with.
    OneUrl,
}

/// What comes after the create before money moves (S9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondStep {
    /// Nothing: creating is paying.
    None,
    /// A code that a person has received.
    Code,
    /// Funding: by the lane where it was agreed so, else by a person.
    Funding,
}

/// Whether the provider deduplicates our reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deduplication {
    /// It pays twice what is sent twice.
    None,
    /// It refuses or repeats its answer.
    Refuses {
        /// For so long; `None` for ever.
        for_ms: Option<u64>,
        /// Among what it must be unique: `account`, `key`.
        scope: &'static str,
    },
}

/// What an absent payout looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The documented or configured form, for people.
    pub form: &'static str,
    /// Whether a live, repeated "not found" may lead to sending again.
    pub proves: bool,
}
