//! What an installation in a storm is told, and what the provider does to it.

use crate::config_file::{Engine, Settings};
use serde_json::{Value, json};

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Hours in seconds; nothing else is changed, and no check is turned off.
    ///
    /// | | the gateway's dossier | here | why |
    /// |---|---|---|---|
    /// | creates a second | 20 | 667 | a slice is 150 ms of it: 100 rows, and a file is paid in seconds |
    /// | creates at once, a process | 10 | 50 | 5 % of them hang until their time is over |
    /// | look-ups a second, a process | 1 | 2,000 | some 15 % of the rows must be asked for |
    /// | lease | 60 s | 3 s | what a dead worker held is free again after so long |
    /// | send window, request timeout | 1 s, 30 s | 0.5 s, 1 s | together less than two thirds of a lease |
    /// | settling time | 60 s | 2 s | a sandbox finds what it took at once |
    /// | overdue | 40 min | 5 s | a callback that is lost is not waited for |
    /// | pauses between look-ups | to 24 h | to 5 s | |
    /// | unknown, to review | 6 h | 2 min | longer than any doubt lasts, however busy the machine |
    /// | submitted, to review | 72 h | 2 min | |
    Quick,
    /// Nothing is told that the programs and the gateway's dossier do not say by themselves.
    Dossier,
}

impl Profile {
    /// The installation's settings.
    pub(crate) fn settings(self, engine: Engine) -> Settings {
        let quick = Settings {
            rate_per_second: 667,
            // What a killed worker held is nobody's for five seconds, in which seventeen are killed: as
            // many for each of them as one has at rest.
            in_flight: 1_000,
            lease_ms: 3_000,
            send_window_ms: 500,
            request_timeout_ms: 1_000,
            settling_ms: 2_000,
            overdue_ms: 5_000,
            unknown_give_up_ms: 120_000,
            submitted_give_up_ms: 120_000,
            ..Settings::on(engine)
        };
        Settings { own_defaults: self == Profile::Dossier, ..quick }
    }
}

/// What the gateway does, in thousandths of the creates and of the callbacks. Half of what is
/// not answered was not paid either: then it must be sent again, and else it must not.
pub(crate) fn dial() -> Value {
    json!({
        "seed": 1, "latency_ms": 5, "latency_jitter_ms": 20, "callback_reorder_ms": 400,
        "faults": {
            "error_after": { "per_mille": 50 },
            "hang_after": { "per_mille": 25 },
            "hang_before": { "per_mille": 25 },
            "reset_after": { "per_mille": 10 },
            "reset_before": { "per_mille": 10 },
            "callback_duplicated": { "per_mille": 200 },
            "callback_reordered": { "per_mille": 300 },
            "forged_signature": { "per_mille": 10 },
            "forged_order": { "per_mille": 10 },
            "forged_amount": { "per_mille": 10 },
            "forged_status": { "per_mille": 10 },
            "forged_type": { "per_mille": 10 },
        },
    })
}

/// The faults that must have struck: a storm without them proves nothing.
pub(crate) const FAULTS: [&str; 12] = [
    "error_after",
    "hang_after",
    "hang_before",
    "reset_after",
    "reset_before",
    "callback_duplicated",
    "callback_reordered",
    "forged_signature",
    "forged_order",
    "forged_amount",
    "forged_status",
    "forged_type",
];
