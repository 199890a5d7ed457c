//! The fault dial: which faults strike, how often, settable while the sandbox runs.
//!
//! A dial that stands at zero costs one relaxed load a question: what is armed stands in a bit mask
//! beside the lock. Draws come from one seeded generator in the order in which calls arrive, so a
//! run with one connection repeats exactly.

mod fault;
mod settings;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub use fault::Fault;
pub use settings::{Chance, ChanceChange, DialChange, DialError, DialSettings};

use crate::clock::lock;

const LATENCY_BIT: u64 = 1 << 63;
const CREATE_LIMIT_BIT: u64 = 1 << 62;
const LOOKUP_LIMIT_BIT: u64 = 1 << 61;

/// The fault dial of one sandbox; share it freely, every method takes `&self`.
pub struct Dial {
    /// One bit a fault that can strike, and one a limit that is set.
    armed: AtomicU64,
    inner: Mutex<Inner>,
}

struct Inner {
    settings: DialSettings,
    rng: StdRng,
    hits: BTreeMap<Fault, u64>,
}

impl Dial {
    pub(crate) fn new() -> Self {
        let settings = DialSettings::default();
        let rng = StdRng::seed_from_u64(settings.seed);
        let inner = Inner { settings, rng, hits: BTreeMap::new() };
        Self { armed: AtomicU64::new(0), inner: Mutex::new(inner) }
    }

    /// Sets one fault.
    pub fn set(&self, fault: Fault, chance: Chance) -> Result<(), DialError> {
        let change = ChanceChange { per_mille: Some(chance.per_mille), next: Some(chance.next) };
        self.apply(&DialChange { faults: [(fault, change)].into(), ..DialChange::default() })
    }

    /// Applies a partial change, whole or not at all.
    pub fn apply(&self, change: &DialChange) -> Result<(), DialError> {
        let mut inner = lock(&self.inner);
        inner.settings.apply(change)?;
        if let Some(seed) = change.seed {
            inner.rng = StdRng::seed_from_u64(seed);
        }
        self.armed.store(armed(&inner.settings), Ordering::Relaxed);
        Ok(())
    }

    /// Turns everything off. What struck so far stays counted.
    pub fn calm(&self) {
        let mut inner = lock(&self.inner);
        inner.settings = DialSettings::default();
        self.armed.store(0, Ordering::Relaxed);
    }

    /// Where the dial stands.
    pub fn settings(&self) -> DialSettings {
        lock(&self.inner).settings.clone()
    }

    /// How often each fault struck; faults that never did are not listed.
    pub fn hits(&self) -> BTreeMap<Fault, u64> {
        lock(&self.inner).hits.clone()
    }

    /// Draws: does `fault` strike now?
    pub(crate) fn strikes(&self, fault: Fault) -> bool {
        if self.armed.load(Ordering::Relaxed) & fault.bit() == 0 {
            return false;
        }
        let mut inner = lock(&self.inner);
        let Inner { settings, rng, hits } = &mut *inner;
        let Some(chance) = settings.faults.get_mut(&fault) else { return false };
        let is_hit = if chance.next > 0 {
            chance.next -= 1;
            true
        } else {
            rng.random_range(0..1000) < chance.per_mille
        };
        if *chance == Chance::NEVER {
            self.armed.fetch_and(!fault.bit(), Ordering::Relaxed);
        }
        if is_hit {
            *hits.entry(fault).or_default() += 1;
        }
        is_hit
    }

    /// How long the next answer waits, if it does.
    pub(crate) fn latency(&self) -> Option<Duration> {
        self.is_armed(LATENCY_BIT).then(|| {
            let mut inner = lock(&self.inner);
            let jitter = inner.settings.latency_jitter_ms;
            let extra = inner.rng.random_range(0..=jitter);
            Duration::from_millis(inner.settings.latency_ms.saturating_add(extra))
        })
    }

    /// Creates a second, if limited.
    pub(crate) fn create_limit(&self) -> Option<u64> {
        self.is_armed(CREATE_LIMIT_BIT).then(|| lock(&self.inner).settings.creates_per_second)
    }

    /// Look-ups a second, if limited.
    pub(crate) fn lookup_limit(&self) -> Option<u64> {
        self.is_armed(LOOKUP_LIMIT_BIT).then(|| lock(&self.inner).settings.lookups_per_second)
    }

    pub(crate) fn retry_after_s(&self) -> u64 {
        lock(&self.inner).settings.retry_after_s
    }

    /// Draws how much later than due the next callback is sent.
    pub(crate) fn callback_delay(&self) -> Duration {
        let mut delay_ms = 0u64;
        if self.strikes(Fault::CallbackLate) {
            delay_ms = lock(&self.inner).settings.callback_late_ms;
        }
        if self.strikes(Fault::CallbackReordered) {
            let mut inner = lock(&self.inner);
            let most = inner.settings.callback_reorder_ms;
            delay_ms = delay_ms.saturating_add(inner.rng.random_range(0..=most));
        }
        Duration::from_millis(delay_ms)
    }

    fn is_armed(&self, bit: u64) -> bool {
        self.armed.load(Ordering::Relaxed) & bit != 0
    }
}

fn armed(settings: &DialSettings) -> u64 {
    let faults = settings.faults.iter().filter(|(_, chance)| **chance != Chance::NEVER);
    let mut mask = faults.fold(0, |mask, (fault, _)| mask | fault.bit());
    if settings.latency_ms > 0 || settings.latency_jitter_ms > 0 {
        mask |= LATENCY_BIT;
    }
    if settings.creates_per_second > 0 {
        mask |= CREATE_LIMIT_BIT;
    }
    if settings.lookups_per_second > 0 {
        mask |= LOOKUP_LIMIT_BIT;
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_calls_are_hit_and_then_no_more() {
        let dial = Dial::new();
        dial.set(Fault::ErrorAfter, Chance::next(2)).unwrap();
        let struck: Vec<bool> = (0..4).map(|_| dial.strikes(Fault::ErrorAfter)).collect();
        assert_eq!(struck, [true, true, false, false]);
        assert_eq!(dial.hits()[&Fault::ErrorAfter], 2);
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        let draw = |seed| {
            let dial = Dial::new();
            dial.set(Fault::ErrorAfter, Chance::per_mille(300)).unwrap();
            dial.apply(&DialChange { seed: Some(seed), ..DialChange::default() }).unwrap();
            (0..200).map(|_| dial.strikes(Fault::ErrorAfter)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let hits = draw(7).iter().filter(|hit| **hit).count();
        assert!((30..=90).contains(&hits), "300 per mille of 200 gave {hits}");
    }

    #[test]
    fn an_impossible_change_changes_nothing() {
        let dial = Dial::new();
        let text = r#"{"latency_ms": 5, "faults": {"hang_after": {"per_mille": 1001}}}"#;
        let change: DialChange = serde_json::from_str(text).unwrap();
        assert!(dial.apply(&change).is_err());
        assert_eq!(dial.settings(), DialSettings::default());
        assert!(serde_json::from_str::<DialChange>(r#"{"latency": 5}"#).is_err());
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let dial = Dial::new();
        dial.set(Fault::HangAfter, Chance { per_mille: 5, next: 3 }).unwrap();
        let change = serde_json::from_str(r#"{"faults": {"hang_after": {"next": 0}}}"#).unwrap();
        dial.apply(&change).unwrap();
        assert_eq!(dial.settings().faults[&Fault::HangAfter], Chance::per_mille(5));
    }
}
