//! The [`Provider`] trait, and one small trait per capability that a provider may offer.
//!
//! A capability that is not offered is `None`; a test walks the registry and holds what the
//! limits declare to what is offered.

use crate::answer::{Answer, Found, Heard};
use crate::limits::Limits;
use crate::statement::Statement;
use domain::{LaneName, Millis, Place, ProviderReference, Row};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A payout as an adapter sees it.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Where the row lies: what a callback URL carries.
    pub place: Place,
    /// The attempt, from 1.
    pub attempt: u8,
    /// What the provider knows it by. Made at one place; an adapter cannot make one.
    pub reference: ProviderReference,
    /// What is to be paid.
    pub row: Arc<Row>,
    /// What is known of it from before; nothing for a first create.
    pub past: Past,
}

/// What is known of a payout from earlier calls, for those who ask about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The provider's own id of it. Kept only where [`Limits::looks_up_by_id`].
    pub provider_id: Option<Arc<str>>,
    /// The provider's id of the call that carried it, such as a batch. Kept likewise.
    pub shipment: Option<Arc<str>>,
    /// When its newest create may have left: the window in which the provider must know it.
    pub sent: Option<Sent>,
    /// A second step of this attempt was begun, whatever became of it.
    pub stepped: bool,
    /// This is not its first intent: an earlier create may have been taken after all, and what is
    /// told of the newest one alone is not all there is. May be set where none was.
    pub resent: bool,
}

/// A window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Not before.
    pub from: Millis,
    /// Not after: the whole time of the request included.
    pub until: Millis,
}

/// The last check before the first byte of a request that moves money (S7).
pub trait SendGate: Send + Sync {
    /// Whether the request may still start.
    fn is_open(&self) -> bool;

    /// Whether a request that has started may still be written to its end: until its whole time
    /// is over, counted from when it had to start.
    fn may_go_on(&self) -> bool;
}

/// The rows of one provider call, all of one lane.
#[derive(Clone)]
pub struct Shipment {
    /// The lane.
    pub lane: LaneName,
    /// At most [`Limits::rows_per_call`] payments.
    pub payments: Vec<Payment>,
    /// Asked by the transport, last thing before it writes.
    pub gate: Arc<dyn SendGate>,
}

/// What became of a shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// One answer per payment, in order.
    pub answers: Vec<Answer>,
    /// The provider's id of the whole call, such as a batch: kept for look-ups of its rows.
    pub handle: Option<String>,
    /// The provider said that so many payouts in one call are too many: the lane's calls carry
    /// at most this many from now on.
    pub rows_max: Option<u16>,
    /// The lane stops, whatever became of the rows: what happened and what to do, and when it
    /// may try again by itself.
    pub stop: Option<(String, Option<u64>)>,
}

impl From<Vec<Answer>> for Shipped {
    fn from(answers: Vec<Answer>) -> Shipped {
        Shipped { answers, handle: None, rows_max: None, stop: None }
    }
}

/// Paces requests: awaited before each one that an adapter makes in a look-up.
pub trait Turns: Send + Sync {
    /// Returns when one more request may leave.
    fn next(&self) -> BoxFuture<'_, ()>;
}

/// A question about payouts of one lane.
#[derive(Clone)]
pub struct LookUp {
    /// At most [`Limits::rows_per_look_up`] payments.
    pub payments: Vec<Payment>,
    /// A payment that the provider is known to have (S11): asked for in the same way, so that
    /// "not found" about the others is worth something. Only where one look-up takes many.
    pub control: Option<Payment>,
    /// Awaited before each request.
    pub turns: Arc<dyn Turns>,
}

/// The answer to a [`LookUp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedUp {
    /// One per payment, in order.
    pub found: Vec<Found>,
    /// Whether the control was found; `None` if it was not asked for.
    pub control_found: Option<bool>,
}

impl From<Vec<Found>> for LookedUp {
    fn from(found: Vec<Found>) -> LookedUp {
        LookedUp { found, control_found: None }
    }
}

/// What every provider has.
pub trait Provider: Send + Sync + 'static {
    /// What the provider allows: the one table that code, config, commands and screens read.
    fn limits(&self) -> &Limits;

    /// The account's own identity at the provider (S4): no secret, and stable over restarts.
    fn fingerprint(&self) -> &str;

    /// The provider's own rules for a row, at intake. Pure; an empty list means payable.
    fn validate(&self, row: &Row) -> Vec<RowProblem>;

    /// Sends one shipment and says what was answered.
    fn submit(&self, shipment: Shipment) -> BoxFuture<'_, Shipped>;

    /// Asks where payments stand.
    fn look_up(&self, question: LookUp) -> BoxFuture<'_, LookedUp>;

    /// Callbacks, where the provider sends them.
    fn callbacks(&self) -> Option<&dyn Callbacks> {
        None
    }

    /// Notices to one URL of the lane, where the provider sends those.
    fn notices(&self) -> Option<&dyn Notices> {
        None
    }

    /// Cancellation, where the provider offers it.
    fn cancel(&self) -> Option<&dyn Cancel> {
        None
    }

    /// The second step, where the provider wants one.
    fn confirm(&self) -> Option<&dyn Confirm> {
        None
    }

    /// Rules for rows that lie at the provider.
    fn prepare(&self) -> Option<&dyn Prepare> {
        None
    }

    /// What a person may ask the provider, beside the payouts.
    fn desk(&self) -> Option<&dyn Desk> {
        None
    }

    /// The provider's own list of payouts, where it has one.
    fn statement(&self) -> Option<&dyn Statement> {
        None
    }
}

/// A row that the provider would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// The canonical column, such as `bank_name`.
    pub column: &'static str,
    /// What is wrong and what would be accepted; never the value itself.
    pub text: String,
}

/// Which URL was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackKind {
    /// A payout's own, for success.
    Success,
    /// A payout's own, for rejection.
    Error,
    /// One for all news: a payout's own, or the lane's.
    Status,
}

/// A callback as it arrived.
#[derive(Clone, Debug)]
pub struct CallbackRequest {
    /// Which URL.
    pub kind: CallbackKind,
    /// The header that the provider signs with ([`Notices::signature_header`]), if it came.
    pub signature: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A provider that calls back.
pub trait Callbacks: Send + Sync {
    /// Reads a callback about `payment`, the payout that its URL names. Pure: verifies
    /// signature, type, reference, amount, currency and destination, secrets in constant time.
    fn read(&self, request: &CallbackRequest, payment: &Payment) -> Heard;
}

/// A provider that tells all news to one URL of the lane. What a notice means is for
/// [`Callbacks::read`] to say, once it is known whose it is.
pub trait Notices: Send + Sync {
    /// The header that carries the signature, in lower case, where there is one.
    fn signature_header(&self) -> Option<&str>;

    /// Our reference in a notice. Pure; nothing is believed by it.
    fn reference(&self, request: &CallbackRequest) -> Option<String>;
}

/// A provider that lets us cancel what is not paid yet.
pub trait Cancel: Send + Sync {
    /// Asks the provider to cancel. What became of it is a question for a look-up.
    fn cancel(&self, payment: Payment) -> BoxFuture<'_, CancelAnswer>;
}

/// What the provider said to a cancellation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It took the request; a look-up tells the rest.
    Taken,
    /// It refused.
    Refused {
        /// The provider's words.
        text: String,
    },
    /// No readable answer.
    Unknown {
        /// What happened.
        text: String,
    },
}

/// A provider that wants a second step before money moves (S9).
pub trait Confirm: Send + Sync {
    /// Fetches what the step will need, such as a token, before its time begins to run: the gate
    /// of a step closes soon. Moves nothing; what goes wrong, the step itself tells.
    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Takes the step for payments of one call. What became of it is a question for a look-up.
    fn confirm(&self, step: Step) -> BoxFuture<'_, StepAnswer>;
}

/// A second step.
#[derive(Clone)]
pub struct Step {
    /// All payments of one provider call (a batch), or a single one; with their [`Past`].
    pub payments: Vec<Payment>,
    /// What a person has received, where the step takes a code. Never logged.
    pub code: Option<String>,
    /// Asked by the transport, last thing before it writes.
    pub gate: Arc<dyn SendGate>,
}

/// What the provider said to a second step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepAnswer {
    /// It took the step.
    Taken,
    /// It refused, and nothing happened: a wrong code, an action that is switched off.
    Refused {
        /// The provider's words, and what to do.
        text: String,
    },
    /// No readable answer: a look-up tells.
    Unknown {
        /// What happened.
        text: String,
    },
    /// Certainly not sent.
    NotSent {
        /// Why.
        text: String,
    },
}

/// A provider whose rules for rows are fetched from it: limits, required fields.
pub trait Prepare: Send + Sync {
    /// Fetches the rules for all that the lane is set to pay, as a text that is kept in the
    /// ledger with its age.
    fn fetch(&self) -> BoxFuture<'_, Result<String, String>>;

    /// Makes [`Provider::validate`] follow rules that were fetched.
    fn install(&self, rules: &str) -> Result<(), String>;
}

/// What a person may ask the provider: balances, rates, lists. Also the few acts that are a
/// person's own.
pub trait Desk: Send + Sync {
    /// What can be asked.
    fn questions(&self) -> &'static [Question];

    /// Asks. `name` is one of the questions, and `given` holds its parameters, all known and the
    /// required ones present.
    fn ask<'a>(
        &'a self,
        name: &'a str,
        given: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Sheet, String>>;
}

/// One thing that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its name on the command line: `balance`.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// The provider's own name of the operation, as its document has it.
    pub operation: &'static str,
    /// What goes with it.
    pub parameters: &'static [Parameter],
    /// It changes something at the provider: a person is asked to confirm it.
    pub acts: bool,
}

/// A parameter of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name: `from`.
    pub name: &'static str,
    /// One line for people, with unit and default.
    pub about: &'static str,
    /// It must be given.
    pub required: bool,
}

/// An answer for people, as a table. Destinations are masked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Headings.
    pub columns: Vec<&'static str>,
    /// One cell per heading, as the provider wrote it.
    pub rows: Vec<Vec<String>>,
    /// More than is shown exists: how to see it.
    pub more: Option<String>,
}
