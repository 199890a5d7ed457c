//! The faults, one name each: the same in the library, in the control API and in the README.

use serde::{Deserialize, Serialize};

/// What the sandbox can do wrong. Each is drawn anew at every call or callback that it could hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// Any call: 403, the account is closed.
    AccountClosed,
    /// Any call: 429 with `Retry-After`. Nothing was done.
    TooManyRequests,
    /// Create: every signature is wrong, as after a change of the key.
    WrongSignKey,
    /// Create: 500, nothing was paid.
    ErrorBefore,
    /// Create: 500, and it was paid.
    ErrorAfter,
    /// Create: never answered, nothing was paid.
    HangBefore,
    /// Create: never answered, and it was paid.
    HangAfter,
    /// Create: connection reset, nothing was paid.
    ResetBefore,
    /// Create: connection reset, and it was paid.
    ResetAfter,
    /// Create: paid, and the answer breaks off in the middle of the JSON.
    AnswerMalformed,
    /// Create: paid, and the answer lacks the amount.
    AnswerIncomplete,
    /// Create: paid, and the answer tells another amount.
    AnswerDiffers,
    /// Look-up: "not found" for a payout that exists.
    StatusBlind,
    /// Look-up: 200 with an empty body.
    StatusEmpty,
    /// Look-up: 404 as from a wrong path, without a body.
    #[serde(rename = "status_bare_404")]
    StatusBare404,
    /// Look-up: 500.
    StatusError,
    /// Look-up: never answered.
    StatusHang,
    /// Callback: sent `callback_late_ms` later.
    CallbackLate,
    /// Callback: sent twice.
    CallbackDuplicated,
    /// Callback: held back up to `callback_reorder_ms`, so that later ones overtake it.
    CallbackReordered,
    /// Callback: never sent, not even after a restart.
    CallbackDropped,
    /// Callback: settled and sent before the create is answered.
    CallbackEarly,
    /// An extra callback whose signature is wrong.
    ForgedSignature,
    /// An extra callback for another order, rightly signed, at this payout's URL.
    ForgedOrder,
    /// An extra callback that tells another amount; the signature does not cover it.
    ForgedAmount,
    /// An extra callback that tells the opposite outcome; the signature does not cover it.
    ForgedStatus,
    /// An extra callback of another `type`.
    ForgedType,
    /// Look-up by list: another page comes back than was asked for.
    StatusOtherPage,
    /// Look-up by list: the filter is ignored.
    StatusFilterIgnored,
    /// A step after the create: 500, and it was done.
    StepErrorAfter,
    /// A step after the create: never answered, and it was done.
    StepHangAfter,
    /// A step after the create: connection reset, nothing was done.
    StepResetBefore,
    /// Create of one payout: refused for good with a listed answer, nothing was created.
    Refused,
}

impl Fault {
    /// Every fault, in the order of declaration.
    pub const ALL: [Self; 33] = [
        Self::AccountClosed,
        Self::TooManyRequests,
        Self::WrongSignKey,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::HangBefore,
        Self::HangAfter,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::AnswerMalformed,
        Self::AnswerIncomplete,
        Self::AnswerDiffers,
        Self::StatusBlind,
        Self::StatusEmpty,
        Self::StatusBare404,
        Self::StatusError,
        Self::StatusHang,
        Self::CallbackLate,
        Self::CallbackDuplicated,
        Self::CallbackReordered,
        Self::CallbackDropped,
        Self::CallbackEarly,
        Self::ForgedSignature,
        Self::ForgedOrder,
        Self::ForgedAmount,
        Self::ForgedStatus,
        Self::ForgedType,
        Self::StatusOtherPage,
        Self::StatusFilterIgnored,
        Self::StepErrorAfter,
        Self::StepHangAfter,
        Self::StepResetBefore,
        Self::Refused,
    ];

    /// What forged callbacks there are.
    pub(crate) const FORGED: [Self; 5] = [
        Self::ForgedSignature,
        Self::ForgedOrder,
        Self::ForgedAmount,
        Self::ForgedStatus,
        Self::ForgedType,
    ];

    pub(super) fn index(self) -> usize {
        self as usize
    }

    pub(super) fn bit(self) -> u64 {
        1 << self.index()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_stands_at_its_own_place_in_the_list() {
        for (place, fault) in Fault::ALL.iter().enumerate() {
            assert_eq!(fault.index(), place, "{fault:?}");
        }
    }

    #[test]
    fn the_readme_names_every_fault() {
        let readme = include_str!("../../README.md");
        for fault in Fault::ALL {
            let name = serde_json::to_string(&fault).unwrap().replace('"', "`");
            assert!(readme.contains(&name), "{name} is missing");
        }
    }
}
