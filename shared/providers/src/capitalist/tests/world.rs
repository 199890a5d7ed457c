//! The built-in sandbox and an adapter that talks to it.

use super::*;
use domain::News;
use sandbox::{CapitalistConfig, Chance, CountersSnapshot, Fault, Sandbox, SandboxConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(super) struct World {
    pub(super) sandbox: Sandbox,
    _dir: tempfile::TempDir,
}

/// A platform that settles when told to.
pub(super) fn still() -> CapitalistConfig {
    CapitalistConfig { settle_after_ms: 3_600_000, ..CapitalistConfig::default() }
}

impl World {
    pub(super) async fn start(capitalist: CapitalistConfig) -> World {
        let dir = tempfile::tempdir().unwrap();
        let config = SandboxConfig { capitalist, ..SandboxConfig::new(dir.path()) };
        World { sandbox: Sandbox::start(config).await.unwrap(), _dir: dir }
    }

    pub(super) fn adapter(&self, more: &str) -> Capitalist {
        adapter_at(&self.sandbox.url(), more)
    }

    pub(super) fn counters(&self) -> CountersSnapshot {
        self.sandbox.counters_of("capitalist").unwrap()
    }

    /// How often an operation was asked for.
    pub(super) fn calls(&self, operation: &str) -> u64 {
        self.counters().calls.get(operation).copied().unwrap_or(0)
    }

    pub(super) fn set(&self, fault: Fault, chance: Chance) {
        self.sandbox.dial_of("capitalist").unwrap().set(fault, chance).unwrap();
    }

    pub(super) fn calm(&self) {
        self.sandbox.dial_of("capitalist").unwrap().calm();
    }

    /// The next calls are answered as this order says.
    pub(super) async fn order(&self, order: &serde_json::Value) {
        let body = order.to_string();
        let mut stream = TcpStream::connect(self.sandbox.addr()).await.unwrap();
        let head = "PUT /sandbox/capitalist/next_code HTTP/1.1\r\nhost: x\r\nconnection: close";
        let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{order}: {answer}");
    }
}

/// A payment that was sent a moment ago.
pub(super) fn now(mut payment: Payment) -> Payment {
    let now = Millis(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap());
    payment.past.sent = Some(Sent { from: now, until: now });
    payment
}

/// A payment whose batch is known.
pub(super) fn of_batch(payment: &Payment, shipped: &Shipped) -> Payment {
    let mut payment = now(payment.clone());
    payment.past.shipment = shipped.handle.as_deref().map(Into::into);
    payment
}

pub(super) async fn look_up(
    adapter: &Capitalist,
    payments: Vec<Payment>,
    control: Option<Payment>,
) -> LookedUp {
    let (mut question, _) = testing::question(payments);
    question.control = control;
    adapter.look_up(question).await
}

/// Where payments stand, by their batch.
pub(super) async fn news(
    adapter: &Capitalist,
    payments: &[Payment],
    shipped: &Shipped,
) -> Vec<Option<News>> {
    let payments = payments.iter().map(|payment| of_batch(payment, shipped)).collect();
    let told = look_up(adapter, payments, None).await;
    told.found.iter().map(news_of).collect()
}

pub(super) fn news_of(found: &Found) -> Option<News> {
    if let Found::Is { news, .. } = found { Some(*news) } else { None }
}

pub(super) fn is_unknown(answer: &Answer) -> bool {
    matches!(answer, Answer::Unknown { .. })
}

pub(super) fn is_taken(answer: &Answer) -> bool {
    matches!(answer, Answer::Accepted { .. })
}
