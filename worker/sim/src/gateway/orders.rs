//! Create, then a second step: an order moves money when its step is taken, once. A second order
//! under the same reference is an order of its own, and would be paid, too.

use super::Gateway;
use super::book::{Fate, Request, Stepped};
use super::journey::Journey;
use super::temper::Shape;
use providers::{Payment, Shipment, Shipped, Step, StepAnswer};

impl Gateway {
    pub(super) async fn order(&self, shipment: Shipment) -> Shipped {
        let mut answers = Vec::new();
        for payment in &shipment.payments {
            answers.push(self.create_one(&shipment, payment, true).await);
        }
        answers.into()
    }

    /// A second step, of an order or of a batch.
    pub(super) async fn step(&self, step: Step) -> StepAnswer {
        let request = || {
            let stepped = step.payments.iter().map(|payment| Stepped {
                place: payment.place,
                reference: payment.reference.as_str().to_owned(),
            });
            Request::Step(stepped.collect())
        };
        let (gateway, payments, code) = (self.clone(), step.payments.clone(), step.code.clone());
        let serve = async move { gateway.serve_step(&payments, code.as_deref()).await };
        match self.journey(&*step.gate, request, serve).await {
            Journey::NeverLeft => StepAnswer::NotSent { text: "too late".to_owned() },
            Journey::NoAnswer => StepAnswer::Unknown { text: "timeout".to_owned() },
            Journey::Came(answer) => answer,
        }
    }

    async fn serve_step(&self, payments: &[Payment], code: Option<&str>) -> StepAnswer {
        let dice = self.exec.dice();
        self.exec.sleep(dice.below(200)).await;
        let temper = &self.temper;
        if dice.chance(temper.step_refused) {
            return StepAnswer::Refused { text: "not now".to_owned() };
        }
        if dice.chance(temper.step_lost) {
            self.exec.sleep(self.timeout_ms * 2).await;
            return StepAnswer::Unknown { text: "nobody waits for this".to_owned() };
        }
        let taken = match self.shape {
            Shape::Batches { .. } => self.confirm_batch(payments, code),
            Shape::OneCall | Shape::Orders => payments.iter().all(|payment| self.pay(payment)),
        };
        if !taken {
            return StepAnswer::Refused { text: "no such order, or a wrong code".to_owned() };
        }
        if dice.chance(temper.step_unanswered) {
            return StepAnswer::Unknown { text: "500 after it was taken".to_owned() };
        }
        self.answer_travels().await;
        StepAnswer::Taken
    }

    /// Money moves, the first time. False if there is no such order.
    fn pay(&self, payment: &Payment) -> bool {
        let id = {
            let state = self.lock();
            let orders = state.book.get(payment.reference.as_str());
            let id = payment.past.provider_id.as_deref();
            let order =
                orders.and_then(|all| all.iter().find(|order| id.is_none_or(|id| order.id == id)));
            order.map(|order| order.id.clone())
        };
        id.is_some_and(|id| self.take_step(payment.reference.as_str(), &id, true))
    }

    /// The step of one entry; `tells` says whether it is called back about.
    pub(super) fn take_step(&self, reference: &str, id: &str, tells: bool) -> bool {
        let dice = self.exec.dice();
        let now = self.exec.now_ms();
        let (settles_in_ms, lag_ms) = (dice.below(8_000), dice.below(self.settling_ms));
        let (fate, payment) = {
            let mut state = self.lock();
            let payment = state.payments.get(reference).cloned();
            let entries = state.book.get_mut(reference);
            let Some(entry) = entries.and_then(|all| all.iter_mut().find(|e| e.id == id)) else {
                return false;
            };
            entry.steps += 1;
            if entry.fate != Fate::Waits {
                return true;
            }
            entry.fate = entry.destiny;
            entry.step_visible_at_ms = now + lag_ms;
            entry.settles_at_ms = now + settles_in_ms;
            (entry.fate, payment)
        };
        if let Some(payment) = payment {
            if tells {
                self.call_back(&payment, fate, settles_in_ms);
            }
            self.think_again(&payment, id, fate, settles_in_ms);
        }
        true
    }
}
