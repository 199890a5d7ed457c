//! `cancel_bid`: asks the site to give up an order, where the order says that the API may. Only a
//! look-up tells what became of it.

use super::Exchanger;
use super::pay::NotDone;
use super::status::By;
use crate::api::{Cancel, CancelAnswer, Payment};
use crate::settings::OFFLINE;
use futures::future::BoxFuture;

impl Cancel for Exchanger {
    fn cancel(&self, payment: Payment) -> BoxFuture<'_, CancelAnswer> {
        Box::pin(async move {
            let refused = |text: String| CancelAnswer::Refused { text };
            let Some(line) = &self.line else { return refused(OFFLINE.to_owned()) };
            let account = payment.row.destination.reveal();
            // What may be done with an order changes with its status: it is asked for afresh.
            let order = match self.order_of(line, &payment).await {
                Ok(order) => order,
                Err(text) => return refused(format!("not sent: {text}")),
            };
            let hash = match (order.actions.map(|actions| actions.cancel), order.hash) {
                (Some(By::Api), Some(hash)) => hash,
                (Some(By::Link(link)), _) => {
                    return refused(format!("a person must cancel it at {link}"));
                }
                _ => return refused("the site does not let it be cancelled".to_owned()),
            };
            match self.act_on(line, "cancel_bid", &hash, account).await {
                Ok(()) => CancelAnswer::Taken,
                Err(NotDone::Refused(text) | NotDone::NotSent(text)) => refused(text),
                Err(NotDone::Unknown(text)) => CancelAnswer::Unknown { text },
            }
        })
    }
}
