//! `POST /transactions/payouts/{id}/cancel`: the client takes a payout back, as long as it is not
//! final.

use hyper::StatusCode;

use super::gateway::Gateway;
use super::order::{Order, State};
use super::wire::CreateAnswer;
use crate::clock::{lock, unix_ms};
use crate::server::Reply;

impl Gateway {
    pub(super) fn cancel(&self, id: &str) -> Result<Reply, Reply> {
        self.admit(false)?;
        let seq = self.seq_of(id).ok_or_else(|| self.not_found())?;
        let moved = lock(&self.book).advance(&[(seq, State::Cancelled)], unix_ms());
        let moved = moved.map_err(|error| {
            tracing::error!(%error, "a cancellation was not written");
            self.internal_error()
        })?;
        moved.iter().for_each(|moved| self.tell(*moved));
        let payout = lock(&self.book).get(seq).cloned().ok_or_else(|| self.not_found())?;
        match payout.state() {
            // Asking twice is fine, cancelling what was paid is not.
            State::Cancelled => Ok(self.answer_cancel(&payout.order)),
            state => {
                let text = format!("the payout is already {}", state.word());
                Err(self.error(StatusCode::CONFLICT, &text))
            }
        }
    }

    fn answer_cancel(&self, order: &Order) -> Reply {
        let answer = CreateAnswer {
            id: Some(&self.id(order.seq)),
            ticket_id: &self.ticket_id(order.seq),
            status: State::Cancelled.word(),
            reference: &order.reference,
            amount: &order.amount.to_string(),
            currency: &order.currency,
        };
        Reply::json(StatusCode::OK, &answer)
    }
}
