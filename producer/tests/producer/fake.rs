//! A provider that says what it is told, and remembers what it was asked.

use domain::Row;
use futures::future::BoxFuture;
use providers::{
    Cancel, CancelAnswer, Confirm, Desk, Found, Limits, LookUp, LookedUp, Parameter, Payment,
    Prepare, Provider, Question, RowProblem, SecondStep, Sheet, Shipment, Shipped, Step,
    StepAnswer, registry,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What it offers and answers, and what it saw.
pub struct Fake {
    limits: Limits,
    /// `None` never answers.
    pub step_answer: Mutex<Option<StepAnswer>>,
    pub steps: Mutex<Vec<Seen>>,
    pub found: Mutex<Found>,
    /// What it finds of another payer's reference than the usual one.
    pub found_of: Mutex<BTreeMap<String, Found>>,
    pub looked_up: Mutex<Vec<Payment>>,
    /// How long whatever is asked first takes: names, TCP, TLS.
    pub cold_ms: Mutex<u64>,
    pub cancel_answer: Mutex<CancelAnswer>,
    pub cancelled: Mutex<Vec<Payment>>,
    pub asked: Mutex<Vec<(String, BTreeMap<String, String>)>>,
    /// What [`Prepare::fetch`] gives; the largest amount that a row may have.
    pub rules: Mutex<Result<String, String>>,
    max: Mutex<Option<i128>>,
}

/// A second step, as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub references: Vec<String>,
    pub payments: Vec<Payment>,
    pub code: Option<String>,
    pub gate_was_open: bool,
}

pub const FINGERPRINT: &str = "fake:account-1";

const QUESTIONS: &[Question] = &[
    Question {
        name: "balance",
        about: "what is there",
        operation: "getBalance",
        parameters: &[],
        acts: false,
    },
    Question {
        name: "withdraw",
        about: "takes money out",
        operation: "createWithdrawal",
        parameters: &[
            Parameter { name: "to", about: "the account", required: true },
            Parameter { name: "amount", about: "how much", required: true },
        ],
        acts: true,
    },
];

impl Fake {
    /// One that wants this second step.
    pub fn with_step(second_step: SecondStep) -> Arc<Fake> {
        Fake::with(|limits| {
            limits.second_step = second_step;
            limits.looks_up_by_id = true;
        })
    }

    /// One whose rules for rows lie with it.
    pub fn with_rules() -> Arc<Fake> {
        Fake::with(|limits| limits.rules = true)
    }

    pub fn with(change: impl FnOnce(&mut Limits)) -> Arc<Fake> {
        let mut limits = registry::limits("merchant").unwrap().clone();
        limits.provider = "fake";
        change(&mut limits);
        Arc::new(Fake {
            limits,
            step_answer: Mutex::new(Some(StepAnswer::Taken)),
            steps: Mutex::default(),
            found: Mutex::new(Found::Absent),
            found_of: Mutex::default(),
            looked_up: Mutex::default(),
            cold_ms: Mutex::default(),
            cancel_answer: Mutex::new(CancelAnswer::Taken),
            cancelled: Mutex::default(),
            asked: Mutex::default(),
            rules: Mutex::new(Ok("100".to_owned())),
            max: Mutex::new(None),
        })
    }

    pub fn answers(&self, answer: impl Into<Option<StepAnswer>>) {
        *self.step_answer.lock().unwrap() = answer.into();
    }

    async fn connect(&self) {
        let ms = std::mem::take(&mut *self.cold_ms.lock().unwrap());
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }

    pub fn steps(&self) -> Vec<Seen> {
        self.steps.lock().unwrap().clone()
    }
}

impl Provider for Fake {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &str {
        FINGERPRINT
    }

    fn validate(&self, row: &Row) -> Vec<RowProblem> {
        match *self.max.lock().unwrap() {
            Some(max) if row.money.minor_units() <= max => Vec::new(),
            Some(max) => {
                vec![RowProblem { column: "amount", text: format!("at most {max} kopecks") }]
            }
            None if self.limits.rules => panic!("asked before it had rules"),
            None => Vec::new(),
        }
    }

    fn submit(&self, _: Shipment) -> BoxFuture<'_, Shipped> {
        panic!("the producer submits nothing")
    }

    fn look_up(&self, question: LookUp) -> BoxFuture<'_, LookedUp> {
        Box::pin(async move {
            question.turns.next().await;
            self.connect().await;
            let usual = self.found.lock().unwrap().clone();
            let first = question.payments.first().map(|payment| payment.row.reference.as_str());
            let own = first.and_then(|name| self.found_of.lock().unwrap().get(name).cloned());
            self.looked_up.lock().unwrap().extend(question.payments);
            vec![own.unwrap_or(usual)].into()
        })
    }

    fn cancel(&self) -> Option<&dyn Cancel> {
        self.limits.cancel.then_some(self)
    }

    fn confirm(&self) -> Option<&dyn Confirm> {
        (self.limits.second_step != SecondStep::None).then_some(self)
    }

    fn prepare(&self) -> Option<&dyn Prepare> {
        self.limits.rules.then_some(self)
    }

    fn desk(&self) -> Option<&dyn Desk> {
        Some(self)
    }
}

impl Confirm for Fake {
    fn confirm(&self, step: Step) -> BoxFuture<'_, StepAnswer> {
        Box::pin(async move {
            self.connect().await;
            self.steps.lock().unwrap().push(Seen {
                references: step
                    .payments
                    .iter()
                    .map(|p| p.row.reference.as_str().to_owned())
                    .collect(),
                payments: step.payments,
                code: step.code,
                gate_was_open: step.gate.is_open(),
            });
            let answer = self.step_answer.lock().unwrap().clone();
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

impl Cancel for Fake {
    fn cancel(&self, payment: Payment) -> BoxFuture<'_, CancelAnswer> {
        Box::pin(async move {
            self.cancelled.lock().unwrap().push(payment);
            self.cancel_answer.lock().unwrap().clone()
        })
    }
}

impl Prepare for Fake {
    fn fetch(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { self.rules.lock().unwrap().clone() })
    }

    fn install(&self, rules: &str) -> Result<(), String> {
        let max = rules.parse().map_err(|_| "not a number".to_owned())?;
        *self.max.lock().unwrap() = Some(max);
        Ok(())
    }
}

impl Desk for Fake {
    fn questions(&self) -> &'static [Question] {
        QUESTIONS
    }

    fn ask<'a>(
        &'a self,
        name: &'a str,
        given: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Sheet, String>> {
        Box::pin(async move {
            self.asked.lock().unwrap().push((name.to_owned(), given.clone()));
            let rows = vec![vec!["EUR".to_owned(), "12.50".to_owned()]];
            Ok(Sheet { columns: vec!["currency", "amount"], rows, more: None })
        })
    }
}
