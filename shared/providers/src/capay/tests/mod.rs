//! The whole adapter: recorded bodies, every class of the table over real HTTP, the token on a
//! clock of its own, certificates made at run time, and the sandbox with its faults.

mod certificates;
mod creates;
mod desks;
mod example;
mod lookups;
mod readme;
mod rows;
mod server;
mod setting;
mod tokens;
mod webhooks;
mod whole;

use super::*;
use crate::answer::{Answer, Found};
use crate::http::RawAnswer;
use crate::registry::SandboxAddress;
use crate::testing;
use bytes::Bytes;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

const USER: &str = "api-user@example.com";
const KEY: &str = "k3y-of-the-account-that-nobody-may-see";
const WEBHOOK_SECRET: &str = "w3bhook-secret-that-nobody-may-see";

/// A clock that stands until it is moved.
#[derive(Default)]
struct TestClock {
    elapsed_ms: AtomicU64,
}

/// What the clock shows at first, in seconds since 1970.
const TODAY_S: u64 = 1_734_338_987;

impl TestClock {
    fn advance_s(&self, seconds: u64) {
        self.elapsed_ms.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn elapsed_ms(&self) -> u64 {
        self.elapsed_ms.load(Ordering::SeqCst)
    }

    fn unix_s(&self) -> u64 {
        TODAY_S + self.elapsed_ms() / 1_000
    }
}

/// Keys in files, as an installation has them.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in [("user", USER), ("key", KEY), ("webhook", WEBHOOK_SECRET)] {
            std::fs::write(dir.path().join(name), content).unwrap();
        }
        Files(dir)
    }

    /// The settings of an account at `base`.
    fn settings(&self, base: &str, more: &str) -> toml::Table {
        let dir = self.0.path().display();
        let text = format!(
            "base_url = \"{base}\"\nenvironment = \"sandbox\"\n\
             api_user = {{ file = \"{dir}/user\" }}\napi_key = {{ file = \"{dir}/key\" }}\n\
             webhook_secret = {{ file = \"{dir}/webhook\" }}\n{more}"
        );
        text.parse().unwrap()
    }
}

const PM: &str = "persona = \"pm\"\nclient_id = \"client-1\"\n";

/// An adapter against `base`, as a program manager with one client.
fn adapter_at(base: &str, more: &str) -> Capay {
    adapter_on(base, &format!("{PM}{more}"), Arc::new(TestClock::default()))
}

fn adapter_on(base: &str, more: &str, clock: Arc<TestClock>) -> Capay {
    let mut context = testing::context();
    context.request_timeout_ms = 2_000;
    Capay::to_pay(Files::new().settings(base, more), context, clock).unwrap()
}

/// An adapter that has nobody to talk to.
fn adapter(more: &str) -> Capay {
    adapter_at("http://127.0.0.1:9", more)
}

fn raw(status: u16, body: &str) -> RawAnswer {
    RawAnswer { status, retry_after_ms: None, body: Bytes::copy_from_slice(body.as_bytes()) }
}

async fn submit(adapter: &Capay, payment: &Payment, gate: Arc<testing::Gate>) -> Answer {
    let payments = vec![payment.clone()];
    let shipped = adapter.submit(Shipment { lane: testing::lane(), payments, gate }).await;
    let [answer] = &shipped.answers[..] else { panic!("one answer per payment") };
    answer.clone()
}

/// What a look-up says.
async fn ask(adapter: &Capay, payment: &Payment) -> Found {
    let (question, _) = testing::question(vec![payment.clone()]);
    adapter.look_up(question).await.found.remove(0)
}

/// A payment that Capay has taken under `id`.
fn known(payment: &Payment, id: &str) -> Payment {
    let mut payment = payment.clone();
    payment.past.provider_id = Some(id.into());
    payment
}
