//! Look-ups, by handle, by the provider's id or by our reference; and callbacks.

use super::Gateway;
use super::book::{Entry, Fate, Request};
use super::temper::Shape;
use domain::News;
use futures::FutureExt;
use providers::{
    CallbackKind, CallbackRequest, Callbacks, Found, Heard, LookUp, LookedUp, Payment,
};
use std::collections::BTreeSet;

impl Gateway {
    pub(super) async fn read_back(&self, question: LookUp) -> LookedUp {
        let asked = question.payments.iter().map(|payment| {
            let handle = payment.past.shipment.as_deref().map(str::to_owned);
            (payment.reference.as_str().to_owned(), handle)
        });
        self.saw(Request::LookUp(asked.collect()));
        for _ in 0..self.requests(&question) {
            question.turns.next().await;
            self.exec.sleep(self.exec.dice().below(20)).await;
        }
        let found = question.payments.iter().map(|payment| self.find(payment)).collect();
        let control_found = question
            .control
            .as_ref()
            .map(|control| matches!(self.find(control), Found::Is { .. } | Found::StepDue { .. }));
        LookedUp { found, control_found }
    }

    /// One request a payment; where many are asked for together, one a batch and one search.
    fn requests(&self, question: &LookUp) -> usize {
        match self.shape {
            Shape::OneCall | Shape::Orders => question.payments.len(),
            Shape::Batches { .. } => {
                let asked = question.payments.iter().chain(&question.control);
                asked.map(|p| p.past.shipment.clone()).collect::<BTreeSet<_>>().len()
            }
        }
    }

    fn find(&self, payment: &Payment) -> Found {
        let past = &payment.past;
        let by_reference = past.shipment.is_none() && past.provider_id.is_none();
        let temper = &self.temper;
        let is_blind = temper.blind || (temper.blind_by_reference && by_reference);
        if is_blind || self.exec.dice().chance(temper.lies) {
            return Found::Absent;
        }
        if self.is_rejected(payment) {
            return told(News::Failed, None, "rejected at upload");
        }
        self.entry(payment).map_or(Found::Absent, |entry| self.status(&entry))
    }

    fn is_rejected(&self, payment: &Payment) -> bool {
        let state = self.lock();
        let batch = payment.past.shipment.as_deref().and_then(|handle| state.batches.get(handle));
        batch.is_some_and(|batch| batch.rejected.contains(payment.reference.as_str()))
    }

    /// What the question finds. Of several the one that may have moved money wins.
    fn entry(&self, payment: &Payment) -> Option<Entry> {
        let now = self.exec.now_ms();
        let past = &payment.past;
        let is_meant = |entry: &&Entry| match (&past.shipment, &past.provider_id) {
            (Some(handle), _) => entry.batch.as_deref() == Some(&**handle),
            (None, Some(id)) => *entry.id == **id,
            (None, None) => self.is_in_window(payment, entry),
        };
        let state = self.lock();
        let entries = state.book.get(payment.reference.as_str())?.iter();
        let found = entries.filter(|entry| entry.visible_at_ms <= now).filter(is_meant);
        found.min_by_key(|entry| entry.fate == Fate::Waits).cloned()
    }

    /// A search of batches by our reference sees only what was taken in the window asked for.
    fn is_in_window(&self, payment: &Payment, entry: &Entry) -> bool {
        let taken_at = crate::run::ledger_time(entry.taken_at_ms);
        let sent = payment.past.sent.filter(|_| matches!(self.shape, Shape::Batches { .. }));
        sent.is_none_or(|sent| sent.from <= taken_at && taken_at <= sent.until)
    }

    fn status(&self, entry: &Entry) -> Found {
        let now = self.exec.now_ms();
        let waits = entry.fate == Fate::Waits;
        let step_is_hidden = entry.steps > 0 && entry.step_visible_at_ms > now;
        let id = Some(entry.id.clone());
        match (self.shape, entry.fate) {
            (Shape::Orders, _) if waits || step_is_hidden => Found::StepDue { provider_id: id },
            _ if waits || step_is_hidden => told(News::Waiting, id, "enter the code"),
            _ if entry.settles_at_ms > now => told(News::InProgress, id, ""),
            (_, Fate::Failed) => told(News::Failed, id, "failed"),
            _ => told(News::Paid, id, ""),
        }
    }

    /// Tells about a payout later: never, once or twice.
    pub(super) fn call_back(&self, payment: &Payment, fate: Fate, in_ms: u64) {
        let dice = self.exec.dice();
        let copies = match () {
            () if dice.chance(self.temper.callback_lost) => 0,
            () if dice.chance(self.temper.callback_twice) => 2,
            () => 1,
        };
        for _ in 0..copies {
            self.post(payment, fate, in_ms + dice.below(2_000));
        }
    }

    fn post(&self, payment: &Payment, fate: Fate, in_ms: u64) {
        let (gateway, place, attempt) = (self.clone(), payment.place, payment.attempt);
        let kind = match fate {
            Fate::Paid => CallbackKind::Success,
            Fate::Failed | Fate::Waits => CallbackKind::Error,
        };
        let task = async move {
            gateway.exec.sleep(in_ms).await;
            for _ in 0..50 {
                let Some(postman) = gateway.lock().postman.clone() else { return };
                let request = CallbackRequest { kind, signature: None, body: Vec::new() };
                if postman(place, attempt, request).await {
                    return;
                }
                gateway.exec.sleep(1_000).await;
            }
        };
        self.exec.spawn(crate::process::OUTSIDE, task.boxed());
    }
}

fn told(news: News, provider_id: Option<String>, text: &str) -> Found {
    Found::Is { news, provider_id, cost: None, receipts: Vec::new(), text: text.to_owned() }
}

impl Callbacks for Gateway {
    fn read(&self, request: &CallbackRequest, payment: &Payment) -> Heard {
        match request.kind {
            CallbackKind::Success => {
                Heard::Fact { news: News::Paid, provider_id: None, cost: None }
            }
            CallbackKind::Error | CallbackKind::Status => {
                Heard::Hint { text: format!("{} was rejected, says a callback", payment.reference) }
            }
        }
    }
}
