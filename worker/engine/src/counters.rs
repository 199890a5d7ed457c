//! What happened since the start of this process, for health and metrics.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Counters since the start of the process.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: AtomicU64),+ }

        impl Counters {
            /// Names and values, in a fixed order.
            pub fn read(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(Ordering::Relaxed))),+]
            }
        }
    };
}

counters! {
    /// Requests that were handed to a provider.
    creates_total,
    /// Creates that a provider accepted.
    creates_accepted_total,
    /// Creates that were refused for good.
    creates_refused_total,
    /// Creates that were refused for now.
    creates_later_total,
    /// Creates without a readable answer.
    creates_unknown_total,
    /// Intents that were taken back unsent.
    creates_withdrawn_total,
    /// Look-ups, control look-ups included.
    look_ups_total,
    /// Callbacks that were believed.
    callbacks_fact_total,
    /// Callbacks that led to a look-up.
    callbacks_hint_total,
    /// Chunks claimed.
    claims_total,
    /// Times that a lane was stopped by this process.
    lane_stops_total,
    /// Times that a batch was paused by this process.
    batch_brakes_total,
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
