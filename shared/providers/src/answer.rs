//! What a provider can say. Closed enums, converted exhaustively: no adapter can invent a
//! verdict, and none can turn "unknown" into one (S9).

use domain::News;

/// The answer to a create, for one payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken, and amount and currency in the answer are ours.
    Accepted {
        /// The provider's id of the payout.
        provider_id: Option<String>,
        /// What it cost, in the provider's words.
        cost: Option<String>,
    },
    /// Taken as above, and nothing is paid before a second step (S9): where it stands, and who
    /// has to do what, is asked at once.
    Begun {
        /// The provider's id of the payout.
        provider_id: Option<String>,
        /// What it cost, in the provider's words.
        cost: Option<String>,
    },
    /// Refused for good by an answer that the provider's table lists (S10).
    Refused {
        /// The provider's words.
        text: String,
        /// The table says that nothing was created.
        created_nothing: bool,
    },
    /// Refused for now by a listed answer; nothing was created. The row is tried again.
    Later {
        /// The provider's words.
        text: String,
        /// `Retry-After`, if it sent one: the whole lane waits.
        retry_after_ms: Option<u64>,
    },
    /// Nothing was created and nothing will be until somebody acts: credentials, balance,
    /// account. The lane stops, the row stays payable.
    StopLane {
        /// For people: what happened and what to do.
        text: String,
        /// When the lane may try again by itself; `None` waits for a person.
        retry_after_ms: Option<u64>,
    },
    /// Refused with words that no table lists: a person decides.
    Unlisted {
        /// The provider's words.
        text: String,
    },
    /// Taken, but amount or currency in the answer are not ours: a person decides.
    Differs {
        /// What differs, without the destination.
        text: String,
    },
    /// Timeout, reset, 3xx, 5xx, unreadable: it is looked up.
    Unknown {
        /// What happened.
        text: String,
    },
    /// "It exists already": it is looked up, and can never be proved absent.
    Exists {
        /// The provider's words.
        text: String,
    },
    /// The gate was closed before the first byte: certainly not sent (S7).
    NotSent,
}

/// What a look-up says of one payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Found, and reference, amount, currency and destination match as far as told (S11).
    Is {
        /// Where it stands.
        news: News,
        /// The provider's id of the payout.
        provider_id: Option<String>,
        /// What it cost, in the provider's words.
        cost: Option<String>,
        /// Links to receipts.
        receipts: Vec<String>,
        /// The provider's word for the status; where a person must act, what to do and where.
        text: String,
    },
    /// Found, ours, and waiting for its second step, which the lane may take by itself.
    StepDue {
        /// The provider's id of the payout.
        provider_id: Option<String>,
    },
    /// Found under our reference, but something does not match.
    Differs {
        /// What differs, without the destination.
        text: String,
    },
    /// Not found, in the provider's documented or configured form: evidence only where the
    /// look-up is live (S11), which the engine judges.
    Absent,
    /// Nothing can be said: no answer, unreadable, 404 without the form.
    Unclear {
        /// What happened.
        text: String,
    },
    /// Our credentials were refused.
    StopLane {
        /// For people: what happened and what to do.
        text: String,
    },
}

/// What a callback tells about the payout that its URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Verified, and believed as it stands (S16): a fact.
    Fact {
        /// The fact.
        news: News,
        /// The provider's id of the payout.
        provider_id: Option<String>,
        /// What it cost, in the provider's words.
        cost: Option<String>,
    },
    /// Not to be believed as it stands (negative, or something does not agree): one look-up.
    Hint {
        /// What it said, or what did not agree.
        text: String,
    },
}
