//! Look-ups, by handle, by the provider's id or by our reference.

use super::Gateway;
use super::book::{Entry, Fate, Request};
use super::temper::Shape;
use domain::News;
use providers::{Found, LookUp, LookedUp, Payment};
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
        match self.entry(payment) {
            Some(entry) if entry.minor != payment.row.money.minor_units() => {
                Found::Differs { text: "the amount".to_owned() }
            }
            Some(entry) => self.status(&entry),
            None => Found::Absent,
        }
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
        let is_shown = |e: &&Entry| e.visible_at_ms <= now && !e.hidden_ms.contains(&now);
        let found = entries.filter(is_shown).filter(is_meant);
        found.min_by_key(|entry| entry.fate == Fate::Waits).cloned()
    }

    /// A search of batches by our reference sees only what was taken in the window asked for, to
    /// the millisecond: the adapters' own margins are for clocks that are wrong, and this one is
    /// right.
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
            _ if entry.returned => told(News::Returned, id, "came back"),
            _ => told(News::Paid, id, ""),
        }
    }
}

fn told(news: News, provider_id: Option<String>, text: &str) -> Found {
    Found::Is { news, provider_id, cost: None, receipts: Vec::new(), text: text.to_owned() }
}
