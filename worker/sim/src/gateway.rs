//! A provider of the shape "one call a payout, callbacks": it pays what it accepts, forgets to
//! answer, answers late, and calls back late, twice or never. It does not deduplicate: asked
//! twice, it pays twice, and its book shows it.

use crate::exec::Exec;
use domain::{LaneName, Method, News, Place, ReferenceFormat, Row};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{BoxFuture, Either, select};
use providers::{
    Absence, Answer, CallbackKind, CallbackRequest, Callbacks, Calls, Deduplication, Found, Heard,
    Idempotency, Limits, LookUp, LookedUp, Payment, Polling, Provider, RowProblem, SecondStep,
    Shipment, Shipped,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the provider behaves; chances in a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Temper {
    /// Takes the payout, and its answer is lost.
    pub taken_unanswered: u64,
    /// Neither takes nor answers.
    pub lost: u64,
    /// Refuses for good, as listed.
    pub refuses: u64,
    /// Refuses for now.
    pub later: u64,
    /// Fails a payout after it was taken.
    pub fails: u64,
    /// A callback never comes.
    pub callback_lost: u64,
    /// A callback comes twice.
    pub callback_twice: u64,
    /// All look-ups answer "not found".
    pub blind: bool,
    /// So many look-ups of payouts that exist answer "not found" though others are found. No
    /// worker can be safe with such a provider; it proves that the checkers see.
    pub lies: u64,
}

impl Default for Temper {
    fn default() -> Self {
        Temper {
            taken_unanswered: 60,
            lost: 40,
            refuses: 30,
            later: 50,
            fails: 60,
            callback_lost: 100,
            callback_twice: 200,
            blind: false,
            lies: 0,
        }
    }
}

/// One payout that the provider took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Our row.
    pub place: Place,
    /// What it became.
    pub fate: Fate,
    /// A look-up finds it from then on.
    visible_at_ms: u64,
    settles_at_ms: u64,
}

/// What became of a payout at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The beneficiary has the money.
    Paid,
    /// It was failed after it was taken.
    Failed,
}

/// Who delivers callbacks.
pub type Postman =
    Arc<dyn Fn(Place, u8, CallbackRequest) -> BoxFuture<'static, bool> + Send + Sync>;

/// The provider: one for all workers.
#[derive(Clone)]
pub struct Gateway {
    exec: Exec,
    temper: Temper,
    limits: Arc<Limits>,
    settling_ms: u64,
    timeout_ms: u64,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Reference → all that was taken under it: more than one entry is a double payment.
    book: BTreeMap<String, Vec<Entry>>,
    postman: Option<Postman>,
}

impl Gateway {
    /// A provider. Look-ups find a payout at most `settling_ms` after it was taken.
    pub fn new(exec: Exec, temper: Temper, settling_ms: u64, timeout_ms: u64) -> Gateway {
        let limits = Limits {
            provider: "simulated",
            rows_per_call: 1,
            creates_per_second: 1000,
            in_flight: 8,
            look_ups_per_second: 1000,
            polling: Polling::Never,
            rows_per_look_up: 1,
            looks_up_by_id: false,
            page_size: None,
            idempotency: Idempotency {
                deduplication: Deduplication::None,
                repeats_errors: false,
                found_by_reference: true,
                absence: Absence { form: "an answer that says so", proves: true },
            },
            reference: ReferenceFormat::Text { max_bytes: 64 },
            methods: &[Method::Card],
            callbacks: Calls::OurUrls,
            cancel: false,
            second_step: SecondStep::None,
            rules: false,
            policy: domain::Policy::DEFAULT,
        };
        let state = Arc::default();
        Gateway { exec, temper, limits: Arc::new(limits), settling_ms, timeout_ms, state }
    }

    /// Who delivers the callbacks.
    pub fn employ(&self, postman: Postman) {
        self.lock().postman = Some(postman);
    }

    /// All that was taken, by reference.
    pub fn book(&self) -> BTreeMap<String, Vec<Entry>> {
        self.lock().book.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Money moves: one step.
    fn take(&self, payment: &Payment) {
        let dice = self.exec.dice();
        let now = self.exec.now_ms();
        let fate = if dice.chance(self.temper.fails) { Fate::Failed } else { Fate::Paid };
        let entry = Entry {
            place: payment.place,
            fate,
            visible_at_ms: now + dice.below(self.settling_ms),
            settles_at_ms: now + dice.below(8_000),
        };
        let settles_in_ms = entry.settles_at_ms - now;
        let reference = payment.reference.as_str().to_owned();
        self.lock().book.entry(reference).or_default().push(entry);
        let copies = match () {
            () if dice.chance(self.temper.callback_lost) => 0,
            () if dice.chance(self.temper.callback_twice) => 2,
            () => 1,
        };
        for _ in 0..copies {
            self.call_back(payment, fate, settles_in_ms + dice.below(2_000));
        }
    }

    fn call_back(&self, payment: &Payment, fate: Fate, in_ms: u64) {
        let (gateway, place, attempt) = (self.clone(), payment.place, payment.attempt);
        let kind = match fate {
            Fate::Paid => CallbackKind::Success,
            Fate::Failed => CallbackKind::Error,
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
        self.exec.spawn(crate::world::OUTSIDE, task.boxed());
    }

    /// Our side of a create: the gate, the first byte, and waiting for an answer.
    async fn create(&self, shipment: &Shipment, payment: &Payment) -> Answer {
        self.exec.sleep(self.exec.dice().below(30)).await;
        // The check and the first byte are one step here; what lies between them in the real
        // world is named in the README's guarantees.
        if !shipment.gate.is_open() {
            return Answer::NotSent;
        }
        // From here on the request travels by itself, whether its sender lives or not.
        let (tell, told) = oneshot::channel();
        let (gateway, payment) = (self.clone(), payment.clone());
        let serve = async move {
            let answer = gateway.serve(&payment).await;
            // The sender may be gone or have stopped waiting.
            let _ = tell.send(answer);
        };
        self.exec.spawn(crate::world::OUTSIDE, serve.boxed());
        match select(told, self.exec.sleep(self.timeout_ms)).await {
            Either::Left((Ok(answer), _)) => answer,
            _ => Answer::Unknown { text: "timeout".to_owned() },
        }
    }

    /// The provider's side of a create.
    async fn serve(&self, payment: &Payment) -> Answer {
        let dice = self.exec.dice();
        self.exec.sleep(dice.below(200)).await;
        let t = &self.temper;
        let roll = dice.below(1000);
        let mut edge = t.taken_unanswered;
        if roll < edge {
            self.take(payment);
            return Answer::Unknown { text: "500 after it was taken".to_owned() };
        }
        edge += t.lost;
        if roll < edge {
            self.exec.sleep(self.timeout_ms * 2).await;
            return Answer::Unknown { text: "nobody waits for this".to_owned() };
        }
        edge += t.refuses;
        if roll < edge {
            return Answer::Refused { text: "refused".to_owned(), created_nothing: true };
        }
        edge += t.later;
        if roll < edge {
            return Answer::Later { text: "busy".to_owned(), retry_after_ms: None };
        }
        self.take(payment);
        // Some answers come after the sender stopped waiting.
        self.exec.sleep(dice.below(self.timeout_ms + self.timeout_ms / 20)).await;
        Answer::Accepted { provider_id: Some(format!("gw-{}", payment.reference)), cost: None }
    }

    async fn find(&self, payment: &Payment) -> Found {
        let dice = self.exec.dice();
        self.exec.sleep(dice.below(20)).await;
        let now = self.exec.now_ms();
        let entry = self
            .lock()
            .book
            .get(payment.reference.as_str())
            .and_then(|entries| entries.first().cloned())
            .filter(|entry| entry.visible_at_ms <= now);
        let Some(entry) = entry.filter(|_| !self.temper.blind && !dice.chance(self.temper.lies))
        else {
            return Found::Absent;
        };
        let news = match entry.fate {
            _ if entry.settles_at_ms > now => News::InProgress,
            Fate::Paid => News::Paid,
            Fate::Failed => News::Failed,
        };
        let id = Some(format!("gw-{}", payment.reference));
        Found::Is { news, provider_id: id, cost: None, receipts: Vec::new(), text: String::new() }
    }
}

impl Provider for Gateway {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &str {
        "simulated:1"
    }

    fn validate(&self, _row: &Row) -> Vec<RowProblem> {
        Vec::new()
    }

    fn submit(&self, shipment: Shipment) -> BoxFuture<'_, Shipped> {
        async move {
            let mut answers = Vec::new();
            for payment in &shipment.payments {
                answers.push(self.create(&shipment, payment).await);
            }
            answers.into()
        }
        .boxed()
    }

    fn look_up(&self, question: LookUp) -> BoxFuture<'_, LookedUp> {
        async move {
            let mut found = Vec::new();
            for payment in &question.payments {
                question.turns.next().await;
                found.push(self.find(payment).await);
            }
            found.into()
        }
        .boxed()
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }
}

impl Callbacks for Gateway {
    fn read(&self, request: &CallbackRequest, payment: &Payment) -> Heard {
        match request.kind {
            CallbackKind::Success => Heard::Fact {
                news: News::Paid,
                provider_id: Some(format!("gw-{}", payment.reference)),
                cost: None,
            },
            CallbackKind::Error | CallbackKind::Status => {
                Heard::Hint { text: "rejected, says a callback".to_owned() }
            }
        }
    }
}

/// The lane that the simulation pays on.
pub fn lane_name() -> LaneName {
    LaneName::try_from("sim".to_owned()).unwrap_or_else(|_| unreachable!("a valid name"))
}
