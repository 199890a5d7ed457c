//! `rejected_pay_out`: the merchant takes a payout back, as long as it is not final.

use super::gateway::Gateway;
use super::order::Status;
use super::wire::{CancelRequest, Done};
use crate::clock::{lock, unix_ms};
use crate::server::{Call, Reply};
use hyper::StatusCode;

impl Gateway {
    pub(super) async fn cancel(&self, mut call: Call) -> Reply {
        self.counters.cancel.add();
        if let Err(reply) = self.admit(false) {
            call.discard().await;
            return reply;
        }
        match self.read_json(&mut call).await {
            Ok(body) => self.cancel_in_time(&body).unwrap_or_else(|refusal| refusal),
            Err(reply) => reply,
        }
    }

    fn cancel_in_time(&self, body: &[u8]) -> Result<Reply, Reply> {
        let request: CancelRequest<'_> = serde_json::from_slice(body)
            .map_err(|error| self.refuse(&format!("the body is not a cancellation: {error}")))?;
        let payout = lock(&self.book).newest(&request.order_id).cloned();
        let payout = payout.ok_or_else(|| self.not_found())?;
        if let Some(right) = self.cancel_sign(&payout)
            && request.standart_sign.as_deref() != Some(&right)
        {
            self.counters.bad_signatures.add();
            return Err(self.error(StatusCode::UNAUTHORIZED, "invalid sign"));
        }
        // What became of it is a look-up's to say.
        lock(&self.reasons).call_for(&payout.order.order_id);
        let outcome = [(payout.order.seq, Status::RejectedMerchant)];
        let cancelled = lock(&self.book).settle(&outcome, unix_ms());
        match cancelled {
            Ok(seqs) if !seqs.is_empty() => {
                self.tell(payout.order.seq);
                Ok(Reply::json(StatusCode::OK, &Done { ok: true }))
            }
            Ok(_) => Err(self.too_late(payout.order.seq)),
            Err(error) => {
                tracing::error!(%error, "a cancellation was not written");
                Err(self.internal_error())
            }
        }
    }

    /// It was final before: asking twice is fine, cancelling what was paid is not.
    fn too_late(&self, seq: usize) -> Reply {
        let status = lock(&self.book).get(seq).map(|payout| payout.status);
        match status {
            Some(Status::RejectedMerchant) => Reply::json(StatusCode::OK, &Done { ok: true }),
            Some(status) => self.refuse(&format!("pay out is already {}", status.word())),
            None => self.not_found(),
        }
    }
}
