//! `POST /transactions/payouts`: once `accept` has returned, the money is promised, whatever the
//! client is told.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderName;
use rust_decimal::Decimal;

use super::book::{AcceptError, Accepted, Draft};
use super::check::{Wrong, check};
use super::gateway::Gateway;
use super::magic::{self, Magic};
use super::order::{Order, Payee, State};
use super::wire::CreateAnswer;
use crate::clock::lock;
use crate::dial::Fault;
use crate::server::{BodyError, Call, Reply};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters of the longest key.
const KEY_MAX: usize = 255;

impl Gateway {
    pub(super) async fn create(&self, mut call: Call) -> Result<Reply, Reply> {
        if let Err(refusal) = self.admit_create(&call) {
            call.discard().await;
            return Err(refusal);
        }
        let body = self.read_json(&mut call).await?;
        if let Some(reply) = self.fault_before() {
            return Ok(reply);
        }
        let (status, order) = match self.take(&call, &body)? {
            Accepted::Now(order) => {
                self.after_accept(&order).await;
                (StatusCode::CREATED, order)
            }
            Accepted::Before(order) => (StatusCode::OK, order),
        };
        Ok(self.fault_after().unwrap_or_else(|| self.answer_create(status, &order)))
    }

    /// A JSON body, read whole.
    pub(super) async fn read_json(&self, call: &mut Call) -> Result<Bytes, Reply> {
        match call.read_body().await {
            Ok(body) if call.is_json() => Ok(body),
            Ok(_) => Err(self.refuse(&Wrong::new("Content-Type", "must be application/json"))),
            Err(BodyError::TooLong) => {
                Err(self.error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"))
            }
            // Nobody is there to read an answer.
            Err(BodyError::Gone) => Err(Reply::Reset),
        }
    }

    fn take(&self, call: &Call, body: &[u8]) -> Result<Accepted, Reply> {
        let refuse = |wrong: Wrong| self.refuse(&wrong);
        let order = check(body, self.config.persona_pm).map_err(refuse)?;
        let order = Order { idempotency_key: idempotency_key(call).map_err(refuse)?, ..order };
        self.check_magic(&order)?;
        let accepted = Draft::new(order)
            .map_err(AcceptError::Write)
            .and_then(|draft| lock(&self.book).accept(draft, self.config.repeat));
        accepted.map_err(|error| match &error {
            AcceptError::Repeated | AcceptError::OtherBody => {
                self.error(StatusCode::CONFLICT, &error.to_string())
            }
            AcceptError::Write(_) => {
                tracing::error!(%error, "create refused");
                self.internal_error()
            }
        })
    }

    fn check_magic(&self, order: &Order) -> Result<(), Reply> {
        let not_this_payee = || {
            let field = match order.payee {
                Payee::BeneficiaryId(_) => "beneficiaryId",
                Payee::Beneficiary(_) => "beneficiary.account",
            };
            Err(self.refuse(&Wrong::new(field, magic::REFUSED)))
        };
        if self.dial.strikes(Fault::Refused) {
            return not_this_payee();
        }
        if !self.config.magic {
            return Ok(());
        }
        match magic::of(order.amount) {
            Magic::Refused => not_this_payee(),
            Magic::Undocumented => {
                Err(self.error(StatusCode::UNPROCESSABLE_ENTITY, magic::UNDOCUMENTED))
            }
            Magic::BusyOnce if lock(&self.busy).insert(order.reference.clone()) => {
                Err(self.too_many_requests())
            }
            Magic::BusyOnce | Magic::Settles(_) => Ok(()),
        }
    }

    /// Promised: now it takes its course, also if the client is gone.
    async fn after_accept(&self, order: &Arc<Order>) {
        if self.dial.strikes(Fault::CallbackEarly) {
            self.settle_and_wait(order.seq).await;
        } else {
            self.move_later(order, State::Created);
        }
    }

    fn fault_before(&self) -> Option<Reply> {
        if self.dial.strikes(Fault::HangBefore) {
            return Some(Reply::Hang);
        }
        if self.dial.strikes(Fault::ResetBefore) {
            return Some(Reply::Reset);
        }
        self.dial.strikes(Fault::ErrorBefore).then(|| self.internal_error())
    }

    fn fault_after(&self) -> Option<Reply> {
        if self.dial.strikes(Fault::HangAfter) {
            return Some(Reply::Hang);
        }
        if self.dial.strikes(Fault::ResetAfter) {
            return Some(Reply::Reset);
        }
        self.dial.strikes(Fault::ErrorAfter).then(|| self.internal_error())
    }

    /// Always `CREATED`: what the payout is by now is the look-up's to tell.
    fn answer_create(&self, status: StatusCode, order: &Order) -> Reply {
        let differs = self.dial.strikes(Fault::AnswerDiffers);
        let told = if differs { order.amount + Decimal::ONE } else { order.amount };
        let is_whole = !self.dial.strikes(Fault::AnswerIncomplete);
        let body = serde_json::to_vec(&CreateAnswer {
            id: is_whole.then_some(&*self.id(order.seq)),
            ticket_id: &self.ticket_id(order.seq),
            status: State::Created.word(),
            reference: &order.reference,
            amount: &told.to_string(),
            currency: &order.currency,
        });
        let Ok(mut body) = body else { return self.internal_error() };
        if self.dial.strikes(Fault::AnswerMalformed) {
            body.truncate(body.len() / 2);
        }
        Reply::text(status, "application/json", body)
    }
}

fn idempotency_key(call: &Call) -> Result<Option<Box<str>>, Wrong> {
    let wrong = |_| Wrong::new("Idempotency-Key", format!("must be 1 to {KEY_MAX} characters"));
    let Some(value) = call.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().map_err(|_| wrong(()))?;
    if (1..=KEY_MAX).contains(&key.len()) { Ok(Some(key.into())) } else { Err(wrong(())) }
}
