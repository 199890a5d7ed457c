//! Many payouts a call: a call takes all rows or none, but for single ones that a look-up by its
//! handle lists as rejected, or that are not in it at all. Some calls wait for a code.

use super::Gateway;
use super::book::{Batch, Fate, Request};
use super::journey::Journey;
use super::one_call::stops;
use super::temper::Roll;
use providers::{Answer, Payment, Shipment, Shipped};

impl Gateway {
    pub(super) async fn import(&self, shipment: Shipment) -> Shipped {
        let rows = &shipment.payments;
        let request = || {
            let rows = rows.iter().map(|p| (p.place, p.reference.as_str().to_owned()));
            Request::Create(rows.collect())
        };
        let (gateway, payments) = (self.clone(), rows.clone());
        let serve = async move { gateway.serve_import(&payments).await };
        match self.journey(&*shipment.gate, request, serve).await {
            Journey::NeverLeft => vec![Answer::NotSent; rows.len()].into(),
            Journey::NoAnswer => unknown(rows.len(), "timeout"),
            Journey::Came(shipped) => shipped,
        }
    }

    async fn serve_import(&self, payments: &[Payment]) -> Shipped {
        let dice = self.exec.dice();
        let rows = payments.len();
        self.exec.sleep(dice.below(200)).await;
        if rows > usize::from(self.temper.rows_taken_max) {
            let rows_max = u16::try_from(rows / 2).ok();
            let answer = if dice.chance(500) {
                self.turn_away(payments, false);
                Answer::Later { text: "too many rows".to_owned(), retry_after_ms: None }
            } else {
                Answer::Unknown { text: "too many rows".to_owned() }
            };
            return Shipped { answers: vec![answer; rows], handle: None, rows_max, stop: None };
        }
        match self.temper.roll(dice) {
            Roll::TakenUnanswered | Roll::Exists => {
                self.take_all(payments);
                unknown(rows, "500 after it was taken")
            }
            Roll::Hangs => {
                self.exec.sleep(dice.below(self.timeout_ms - 300)).await;
                self.take_all(payments);
                self.exec.sleep(self.timeout_ms).await;
                unknown(rows, "nobody waits for this")
            }
            Roll::Lost => {
                self.exec.sleep(self.timeout_ms * 2).await;
                unknown(rows, "nobody waits for this")
            }
            Roll::Refuses => {
                self.turn_away(payments, true);
                let answer = Answer::Refused { text: "refused".to_owned(), created_nothing: true };
                vec![answer; rows].into()
            }
            Roll::RefusesCreated => {
                payments.iter().for_each(|payment| {
                    self.take_for(payment, None, false, Fate::Failed);
                });
                let text = "refused once created".to_owned();
                vec![Answer::Refused { text, created_nothing: false }; rows].into()
            }
            Roll::Later => {
                self.turn_away(payments, false);
                let answer = Answer::Later { text: "busy".to_owned(), retry_after_ms: None };
                vec![answer; rows].into()
            }
            Roll::Stops => {
                self.turn_away(payments, false);
                vec![stops(); rows].into()
            }
            Roll::Takes => {
                let (handle, answers) = self.take_all(payments);
                self.answer_travels().await;
                Shipped { answers, handle: Some(handle), rows_max: None, stop: None }
            }
        }
    }

    /// Takes a batch: one step. Gives its handle, and what can be said of its rows at once.
    fn take_all(&self, payments: &[Payment]) -> (String, Vec<Answer>) {
        let dice = self.exec.dice();
        let code = dice.chance(self.temper.codes).then(|| format!("{:06}", dice.below(1_000_000)));
        let waits = code.is_some();
        let handle = {
            let mut state = self.lock();
            state.ids += 1;
            let handle = format!("batch-{}", state.ids);
            state.batches.insert(handle.clone(), Batch { code, ..Batch::default() });
            handle
        };
        let answers = payments.iter().map(|payment| {
            let odd = |text: &str| Answer::Unknown { text: text.to_owned() };
            if dice.chance(self.temper.drops) {
                return odd("not in the answer");
            }
            if dice.chance(self.temper.refuses) {
                if let Some(batch) = self.lock().batches.get_mut(&handle) {
                    batch.rejected.insert(payment.reference.as_str().to_owned());
                }
                return odd("listed as an error");
            }
            self.take(payment, Some(&handle), waits);
            self.amount_told(payment).unwrap_or(Answer::Accepted { provider_id: None, cost: None })
        });
        let answers = answers.collect();
        (handle, answers)
    }

    /// A code for the batch of some payments. False if it is wrong or there is no such batch.
    pub(super) fn confirm_batch(&self, payments: &[Payment], code: Option<&str>) -> bool {
        let Some(handle) = payments.first().and_then(|payment| self.batch_of(payment)) else {
            return false;
        };
        let (wanted, entries) = {
            let state = self.lock();
            let wanted = state.batches.get(&handle).and_then(|batch| batch.code.clone());
            let of_batch = state.book.iter().flat_map(|(reference, entries)| {
                let here = entries.iter().filter(|entry| entry.batch.as_ref() == Some(&handle));
                here.map(|entry| (reference.clone(), entry.id.clone()))
            });
            let entries: Vec<(String, String)> = of_batch.collect();
            (wanted, entries)
        };
        if wanted.is_none() || wanted.as_deref() != code {
            return false;
        }
        entries.iter().all(|(reference, id)| self.take_step(reference, id, false))
    }

    /// The batch that a payment is asked for by, or that its reference lies in.
    fn batch_of(&self, payment: &Payment) -> Option<String> {
        if let Some(handle) = &payment.past.shipment {
            return Some(handle.to_string());
        }
        let state = self.lock();
        let entries = state.book.get(payment.reference.as_str())?;
        entries.iter().find_map(|entry| entry.batch.clone())
    }

    /// The code that a person has received for a payment's batch.
    pub fn code(&self, payment: &Payment) -> Option<String> {
        let handle = self.batch_of(payment)?;
        self.lock().batches.get(&handle).and_then(|batch| batch.code.clone())
    }
}

fn unknown(rows: usize, text: &str) -> Shipped {
    vec![Answer::Unknown { text: text.to_owned() }; rows].into()
}
