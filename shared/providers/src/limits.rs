//! What a provider allows, as data. One table per provider; engine, config, the `providers`
//! command and the docs read the same one, and a test holds it to what the adapter does.

use domain::{Method, ReferenceFormat};

/// A provider's limits and its idempotency contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The provider's name in config and on screens.
    pub provider: &'static str,
    /// Payouts in one create call.
    pub rows_per_call: u16,
    /// Create requests a second; config may change it.
    pub creates_per_second: u32,
    /// Create requests at once; config may change it.
    pub in_flight: u16,
    /// Look-ups a second, a budget of their own; config may change it.
    pub look_ups_per_second: u32,
    /// Whether and how payouts may be polled.
    pub polling: Polling,
    /// Records in a page of a list, where there is one.
    pub page_size: Option<u16>,
    /// Whether the provider pays the same reference twice.
    pub deduplication: Deduplication,
    /// What "not found" looks like and what it proves.
    pub absence: Absence,
    /// What it takes as our reference.
    pub reference: ReferenceFormat,
    /// How it pays.
    pub methods: &'static [Method],
    /// It calls back.
    pub callbacks: bool,
    /// It lets us cancel.
    pub cancel: bool,
    /// It shows the account's balance.
    pub balance: bool,
}

/// Whether payouts may be polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// Never: single look-ups only, to settle doubt and overdue payouts.
    Never,
    /// Only with the provider's consent, which config states with an interval.
    ByAgreement,
    /// Lists by page.
    Paged,
}

/// Whether the provider deduplicates our reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deduplication {
    /// It pays twice what is sent twice.
    None,
    /// It refuses or repeats its answer within this time.
    ForMs(u64),
}

/// What an absent payout looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The documented or configured form, for people.
    pub form: &'static str,
    /// Whether a live, repeated "not found" may lead to sending again.
    pub proves: bool,
}
