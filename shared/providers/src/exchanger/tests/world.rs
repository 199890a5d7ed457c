//! The sandbox, an adapter that talks to it over real HTTP, and an ear for its callbacks.

use super::*;
use crate::api::Turns;
use crate::callback_url::CallbackUrls;
use crate::http::{Call, Http, HttpOptions, ProviderUrl};
use crate::testing::Scripted;
use reqwest::Method as Verb;
use sandbox::{Chance, Fault, Sandbox, SandboxConfig};

pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) adapter: Exchanger,
    pub(super) ear: Scripted,
    _dir: tempfile::TempDir,
}

/// A sandbox that settles when told to, an adapter, and an ear for callbacks.
pub(super) async fn world(more: &str) -> World {
    world_of(more, |_| {}).await
}

pub(super) async fn world_of(more: &str, change: impl FnOnce(&mut SandboxConfig)) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut config = SandboxConfig::new(dir.path());
    config.exchanger.settle_after_ms = 3_600_000;
    change(&mut config);
    let sandbox = Sandbox::start(config).await.unwrap();
    let ear = Scripted::start(testing::say(200, "")).await;
    let context = BuildContext {
        callbacks: Some(CallbackUrls::new(&ear.base(), [7; 32]).unwrap()),
        sandbox: Some(crate::registry::SandboxAddress {
            url: sandbox.url(),
            id: sandbox.id().to_owned(),
            tls: None,
        }),
        request_timeout_ms: 400,
        ..testing::context()
    };
    let settings = format!("base_url = \"sandbox\"\n{more}");
    let adapter = Exchanger::to_pay(settings.parse().unwrap(), context).unwrap();
    World { sandbox, adapter, ear, _dir: dir }
}

impl World {
    pub(super) async fn submit(&self, payment: &Payment) -> Answer {
        submit(&self.adapter, payment).await
    }

    /// The payment as the engine asks about it once its create was answered.
    pub(super) async fn begun(&self, payment: Payment) -> Payment {
        let answer = self.submit(&payment).await;
        let Answer::Begun { provider_id: Some(id), .. } = answer else { panic!("{answer:?}") };
        let past = Past { provider_id: Some(id.into()), ..payment.past.clone() };
        Payment { past, ..payment }
    }

    pub(super) async fn look_up(&self, payment: &Payment) -> Found {
        self.ask(vec![payment.clone()], None).await.found.remove(0)
    }

    pub(super) async fn ask(&self, payments: Vec<Payment>, control: Option<Payment>) -> LookedUp {
        let turns: Arc<dyn Turns> = Arc::new(testing::Counted::default());
        self.adapter.look_up(LookUp { payments, control, turns }).await
    }

    pub(super) fn strike(&self, fault: Fault) {
        self.sandbox.dial_of("exchanger").unwrap().set(fault, Chance::next(1)).unwrap();
    }

    /// Strikes all calls, or none.
    pub(super) fn always(&self, fault: Fault, on: bool) {
        let per_mille = if on { 1000 } else { 0 };
        self.sandbox
            .dial_of("exchanger")
            .unwrap()
            .set(fault, Chance::per_mille(per_mille))
            .unwrap();
    }

    /// Money arrives for an order.
    pub(super) async fn fund(&self, payment: &Payment) {
        let id = payment.past.provider_id.as_deref().and_then(wire::BidId::read).unwrap().id;
        let url = ProviderUrl::parse(&self.sandbox.url()).unwrap();
        let options =
            HttpOptions { connect_timeout_ms: 1_000, total_timeout_ms: 5_000, proxy: None };
        let http = Http::new(&options, &url).unwrap();
        let url = ProviderUrl::parse(&format!("{}/sandbox/exchanger/fund", self.sandbox.url()));
        let url = url.unwrap();
        let call = Call { method: &Verb::POST, url: &url, headers: &[] };
        let answer = http.send(call, Some(json!({ "id": id }).to_string().into())).await.unwrap();
        assert_eq!(answer.status, 200);
    }

    /// So often a method was called.
    pub(super) fn calls(&self, method: &str) -> u64 {
        let counters = self.sandbox.counters_of("exchanger").unwrap();
        counters.calls.get(method).copied().unwrap_or_default()
    }

    pub(super) fn paid(&self) -> usize {
        self.sandbox.ledger().iter().filter(|entry| entry.paid).count()
    }
}

/// As card, sent now.
pub(super) fn now(reference: &str, amount: &str) -> Payment {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let from = Millis(u64::try_from(now.as_millis()).unwrap());
    let mut payment = card(reference, amount);
    payment.past.sent = Some(Sent { from, until: from.plus(31_000) });
    payment
}
