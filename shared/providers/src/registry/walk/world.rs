//! All providers of the registry, each with its adapter, beside one sandbox and one ear for what
//! the sandbox tells by itself.

use super::reach::{Reach, reach};
use super::*;
use crate::api::{LookUp, Shipment, Shipped, Step, StepAnswer};
use crate::testing::{self, Gate, Scripted};
use futures::StreamExt;
use sandbox::{CountersSnapshot, Dial, LedgerEntry, Sandbox, SandboxConfig};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

/// The whole time of a request.
pub(super) const REQUEST_TIMEOUT_MS: u64 = 10_000;

/// One provider of the registry.
pub(super) struct World {
    pub(super) name: &'static str,
    pub(super) lane: LaneName,
    pub(super) limits: Limits,
    pub(super) adapter: Arc<dyn Provider>,
    pub(super) urls: CallbackUrls,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) ear: Arc<Scripted>,
    pub(super) code: Option<&'static str>,
    _dir: Arc<TempDir>,
}

/// What a look-up says.
pub(super) struct Told {
    pub(super) found: Vec<Found>,
    /// Whether the control was found in the same way: then "absent" counts (S11).
    pub(super) is_live: bool,
}

/// All providers, as their lanes stand by default.
pub(super) async fn worlds() -> Vec<World> {
    build_all(|_| "").await
}

/// All providers, with settings under which the second step is needed that they declare.
pub(super) async fn stepping_worlds() -> Vec<World> {
    build_all(|reach| reach.stepping).await
}

/// All providers, with settings under which lists come in small pages.
pub(super) async fn paging_worlds() -> Vec<World> {
    build_all(|reach| reach.paging).await
}

async fn build_all(more: fn(&Reach) -> &'static str) -> Vec<World> {
    assert!(names().count() > 0, "nobody to walk");
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let mut config = SandboxConfig::new(dir.path());
    names().for_each(|name| (reach(name).tune)(&mut config));
    let sandbox = Arc::new(Sandbox::start(config).await.unwrap());
    let ear = Arc::new(Scripted::start(testing::say(200, "")).await);
    let tls = sandbox.tls().map(|tls| SandboxTls {
        url: tls.url,
        ca_file: tls.ca_file,
        certificate_file: tls.certificate_file,
        key_file: tls.key_file,
    });
    let urls = CallbackUrls::new(&ear.base(), [7; 32]).unwrap();
    let world = |name: &'static str| {
        let reach = reach(name);
        let more = more(&reach);
        let settings = format!("base_url = \"sandbox\"\n{}\n{more}", reach.settings);
        let lane = LaneName::new(name).unwrap();
        (reach.register)(&sandbox, &urls.lane_url(&lane));
        let address =
            SandboxAddress { url: sandbox.url(), id: sandbox.id().to_owned(), tls: tls.clone() };
        let context = BuildContext {
            lane: lane.clone(),
            callbacks: Some(urls.clone()),
            sandbox: Some(address),
            request_timeout_ms: REQUEST_TIMEOUT_MS,
        };
        let adapter = build(name, settings.parse().unwrap(), context).unwrap();
        World {
            name,
            lane,
            limits: adapter.limits().clone(),
            adapter,
            urls: urls.clone(),
            sandbox: Arc::clone(&sandbox),
            ear: Arc::clone(&ear),
            code: reach.code,
            _dir: Arc::clone(&dir),
        }
    };
    names().map(world).collect()
}

impl World {
    pub(super) async fn submit(&self, payments: &[Payment]) -> Shipped {
        let payments = payments.to_vec();
        let gate = Gate::new(true);
        self.adapter.submit(Shipment { lane: self.lane.clone(), payments, gate }).await
    }

    /// Sends in calls as large as is declared, and gives the payments as they are known
    /// afterwards.
    pub(super) async fn take(&self, payments: Vec<Payment>) -> Vec<Payment> {
        let calls = payments.chunks(usize::from(self.limits.rows_per_call));
        let sent = calls.map(|call| async move { (call, self.submit(call).await) });
        let sent = futures::stream::iter(sent).buffered(usize::from(self.limits.in_flight));
        let mut taken = Vec::with_capacity(payments.len());
        for (call, shipped) in sent.collect::<Vec<_>>().await {
            for (payment, answer) in call.iter().zip(&shipped.answers) {
                assert!(is_taken(answer), "{}: not taken: {answer:?}", self.name);
                taken.push(known(payment, answer, shipped.handle.as_deref()));
            }
        }
        assert_eq!(taken.len(), payments.len(), "{}: one answer a payment", self.name);
        taken
    }

    pub(super) async fn take_one(&self, reference: &str) -> Payment {
        self.take(vec![self.payment(reference)]).await.remove(0)
    }

    /// Looks up as many at a time as is declared. Where one look-up takes many, the control goes
    /// with them; else it is asked for afterwards, as the engine does.
    pub(super) async fn ask(&self, payments: &[Payment], control: Option<&Payment>) -> Told {
        let at_once = usize::from(self.limits.rows_per_look_up);
        let takes_many = at_once > 1;
        let mut told = Told { found: Vec::new(), is_live: control.is_some() };
        for some in payments.chunks(at_once) {
            let beside = control.filter(|_| takes_many);
            let (found, control_found) = self.ask_once(some.to_vec(), beside).await;
            assert_eq!(found.len(), some.len(), "{}: one answer a payment", self.name);
            told.found.extend(found);
            told.is_live &= !takes_many || control_found == Some(true);
        }
        if let (Some(control), false) = (control, takes_many) {
            told.is_live = is_there(&self.ask_once(vec![control.clone()], None).await.0[0]);
        }
        told
    }

    async fn ask_once(
        &self,
        payments: Vec<Payment>,
        control: Option<&Payment>,
    ) -> (Vec<Found>, Option<bool>) {
        let before = self.requests();
        let (question, turns) = testing::question(payments);
        let told = self.adapter.look_up(LookUp { control: control.cloned(), ..question }).await;
        let requests = self.requests() - before;
        let turns = u64::try_from(turns.0.load(Ordering::SeqCst)).unwrap();
        let name = self.name;
        assert!(turns >= requests, "{name}: a look-up of {requests} requests waited {turns} turns");
        (told.found, told.control_found)
    }

    pub(super) async fn look_up(&self, payment: &Payment) -> Found {
        self.ask(std::slice::from_ref(payment), None).await.found.remove(0)
    }

    /// The payment as it is asked for where as little is known as its provider needs.
    pub(super) fn least_known(&self, payment: &Payment) -> Payment {
        match self.limits.idempotency.found_by_reference {
            true => by_reference(payment),
            false => payment.clone(),
        }
    }

    /// Takes the second step, with the code where there is one.
    pub(super) async fn step(&self, payment: &Payment, code: Option<&str>) -> StepAnswer {
        let (payments, code) = (vec![payment.clone()], code.map(str::to_owned));
        let confirm = self.adapter.confirm().unwrap();
        confirm.confirm(Step { payments, code, gate: Gate::new(true) }).await
    }

    /// Whatever the payment waits for is done, and its sandbox settles.
    pub(super) async fn finish(&self, mut payment: Payment) -> Payment {
        let found = self.look_up(&payment).await;
        if let Found::StepDue { .. } | Found::Is { news: News::Waiting, .. } = found {
            let answer = self.step(&payment, self.code).await;
            assert_eq!(answer, StepAnswer::Taken, "{}: second_step", self.name);
            payment.past.stepped = true;
        }
        self.sandbox.settle_now();
        payment
    }

    /// The operations that a look-up calls, as far as the sandbox counts them by name.
    pub(super) async fn operations_of(&self, payment: &Payment) -> BTreeSet<String> {
        let before = self.counters().calls;
        let found = self.look_up(payment).await;
        assert!(is_there(&found), "{}: found_by_reference, looks_up_by_id: {found:?}", self.name);
        let after = self.counters().calls.into_iter();
        after.filter(|call| before.get(&call.0) != Some(&call.1)).map(|(name, _)| name).collect()
    }

    /// Calls that the sandbox has seen; look-ups alone, where it does not count every operation.
    pub(super) fn requests(&self) -> u64 {
        let counters = self.counters();
        counters.calls.values().sum::<u64>().max(counters.status)
    }

    /// The sandbox's own entries under a payment's reference.
    pub(super) fn entries(&self, payment: &Payment) -> Vec<LedgerEntry> {
        let ours = |entry: &LedgerEntry| entry.order_id == payment.reference.as_str();
        self.ledger().into_iter().filter(ours).collect()
    }

    /// The sandbox's own entries of this provider.
    pub(super) fn ledger(&self) -> Vec<LedgerEntry> {
        let all = self.sandbox.ledger().into_iter();
        all.filter(|entry| entry.provider == self.name).collect()
    }

    /// The gateway's counters are the sandbox's own; every other provider is asked for by name.
    pub(super) fn counters(&self) -> CountersSnapshot {
        self.sandbox.counters_of(self.name).unwrap_or_else(|| self.sandbox.counters())
    }

    pub(super) fn dial(&self) -> &Dial {
        self.sandbox.dial_of(self.name).unwrap_or_else(|| self.sandbox.dial())
    }
}

/// The payment with all that the provider told of it.
fn known(payment: &Payment, answer: &Answer, handle: Option<&str>) -> Payment {
    let mut known = payment.clone();
    if let Answer::Accepted { provider_id, .. } | Answer::Begun { provider_id, .. } = answer {
        known.past.provider_id = provider_id.as_deref().map(Arc::from);
        known.past.shipment = handle.map(Arc::from);
    }
    known
}
