//! The [`Provider`] trait, and one small trait per capability that a provider may offer.

use crate::answer::{Answer, Found, Heard};
use crate::limits::Limits;
use domain::{LaneName, Place, ProviderReference, Row};
use futures::future::BoxFuture;
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
}

/// The last check before the first byte of a request that moves money (S7).
pub trait SendGate: Send + Sync {
    /// Whether the request may still start.
    fn is_open(&self) -> bool;
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

/// What every provider has.
pub trait Provider: Send + Sync + 'static {
    /// What the provider allows: the one table that code, config, commands and screens read.
    fn limits(&self) -> &Limits;

    /// The account's own identity at the provider (S4): no secret, and stable over restarts.
    fn fingerprint(&self) -> &str;

    /// The provider's own rules for a row, at intake. Pure; an empty list means payable.
    fn validate(&self, row: &Row) -> Vec<RowProblem>;

    /// Sends one shipment and says what was answered, one answer per payment, in order.
    fn submit(&self, shipment: Shipment) -> BoxFuture<'_, Vec<Answer>>;

    /// Asks where payments stand, by our references; one answer each, in order.
    fn look_up(&self, payments: Vec<Payment>) -> BoxFuture<'_, Vec<Found>>;

    /// Callbacks, where the provider sends them.
    fn callbacks(&self) -> Option<&dyn Callbacks> {
        None
    }

    /// Cancellation, where the provider offers it.
    fn cancel(&self) -> Option<&dyn Cancel> {
        None
    }

    /// The account behind the lane, where the provider shows it.
    fn accounts(&self) -> Option<&dyn Accounts> {
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

/// Which of a payout's callback URLs was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackKind {
    /// The one for success.
    Success,
    /// The one for rejection.
    Error,
}

/// A callback as it arrived.
#[derive(Clone, Debug)]
pub struct CallbackRequest {
    /// Which URL.
    pub kind: CallbackKind,
    /// The body.
    pub body: Vec<u8>,
}

/// A provider that calls back.
pub trait Callbacks: Send + Sync {
    /// Reads a callback about `payment`, the payout that its URL names. Pure: verifies
    /// signature, type, reference, amount, currency and destination, secrets in constant time.
    fn read(&self, request: &CallbackRequest, payment: &Payment) -> Heard;
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

/// A provider that shows the account.
pub trait Accounts: Send + Sync {
    /// Balances, as the provider writes them.
    fn balance(&self) -> BoxFuture<'_, Result<Vec<Balance>, String>>;
}

/// One line of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// What it is: `available`, `hold`.
    pub name: String,
    /// Exact, as text.
    pub amount: String,
    /// Its currency.
    pub currency: String,
}
