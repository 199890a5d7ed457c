//! One call a payout, and creating is paying.

use super::Gateway;
use super::book::{Fate, Request};
use super::journey::Journey;
use super::temper::Roll;
use providers::{Answer, Payment, Shipment, Shipped};

impl Gateway {
    pub(super) async fn create(&self, shipment: Shipment) -> Shipped {
        let mut answers = Vec::new();
        for payment in &shipment.payments {
            answers.push(self.create_one(&shipment, payment, false).await);
        }
        answers.into()
    }

    /// One create; with `waits` an order that is to be paid by a second step.
    pub(super) async fn create_one(
        &self,
        shipment: &Shipment,
        payment: &Payment,
        waits: bool,
    ) -> Answer {
        let request =
            || Request::Create(vec![(payment.place, payment.reference.as_str().to_owned())]);
        let (gateway, served) = (self.clone(), payment.clone());
        let serve = async move { gateway.serve_create(&served, waits).await };
        match self.journey(&*shipment.gate, request, serve).await {
            Journey::NeverLeft => Answer::NotSent,
            Journey::NoAnswer => Answer::Unknown { text: "timeout".to_owned() },
            Journey::Came(answer) => answer,
        }
    }

    async fn serve_create(&self, payment: &Payment, waits: bool) -> Answer {
        let dice = self.exec.dice();
        self.exec.sleep(dice.below(200)).await;
        match self.temper.roll(dice) {
            Roll::TakenUnanswered => {
                self.take(payment, None, waits);
                Answer::Unknown { text: "500 after it was taken".to_owned() }
            }
            Roll::Hangs => {
                self.exec.sleep(dice.below(self.timeout_ms - 300)).await;
                self.take(payment, None, waits);
                self.exec.sleep(self.timeout_ms).await;
                Answer::Unknown { text: "nobody waits for this".to_owned() }
            }
            Roll::Lost => {
                self.exec.sleep(self.timeout_ms * 2).await;
                Answer::Unknown { text: "nobody waits for this".to_owned() }
            }
            Roll::Exists => {
                // Something between us sent it twice.
                self.take(payment, None, waits);
                Answer::Exists { text: "exists already".to_owned() }
            }
            Roll::Refuses => {
                self.turn_away(std::slice::from_ref(payment), true);
                Answer::Refused { text: "refused".to_owned(), created_nothing: true }
            }
            Roll::RefusesCreated => {
                self.take_for(payment, None, false, Fate::Failed);
                Answer::Refused { text: "refused once created".to_owned(), created_nothing: false }
            }
            Roll::Later => {
                self.turn_away(std::slice::from_ref(payment), false);
                Answer::Later { text: "busy".to_owned(), retry_after_ms: None }
            }
            Roll::Stops => {
                self.turn_away(std::slice::from_ref(payment), false);
                stops()
            }
            Roll::Takes => {
                let id = self.take(payment, None, waits);
                self.answer_travels().await;
                if let Some(differs) = self.amount_told(payment) {
                    return differs;
                }
                // Some answers are silent about the id.
                let provider_id = (!dice.chance(200)).then_some(id);
                if waits {
                    Answer::Begun { provider_id, cost: None }
                } else {
                    Answer::Accepted { provider_id, cost: None }
                }
            }
        }
    }
}

impl Gateway {
    /// What an answer says where another amount than ours was taken.
    pub(super) fn amount_told(&self, payment: &Payment) -> Option<Answer> {
        let state = self.lock();
        let newest = state.book.get(payment.reference.as_str())?.last()?;
        let differs = newest.minor != payment.row.money.minor_units();
        differs.then(|| Answer::Differs { text: "the amount".to_owned() })
    }
}

/// The provider takes nothing from anybody for some seconds.
pub(super) fn stops() -> Answer {
    let text = "the account is locked for some seconds".to_owned();
    Answer::StopLane { text, retry_after_ms: Some(5_000) }
}
