//! Against the sandbox, behind its mutual TLS: the same Capay that the worker's demo talks to.

mod lookups;
mod news;
mod pays;

use super::*;
use crate::answer::Heard;
use crate::api::{CallbackKind, CallbackRequest, CancelAnswer};
use crate::registry::SandboxTls;
use crate::testing::{Gate, card, payment, row, until};
use domain::{Method, News};
use sandbox::{Chance, Fault, Sandbox, SandboxConfig};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Signature and body of each webhook.
type Called = Arc<Mutex<Vec<(Option<String>, Vec<u8>)>>>;

struct World {
    sandbox: Sandbox,
    adapter: Capay,
    called: Called,
    _dir: TempDir,
}

/// A sandbox that settles when told to, an adapter with `more` settings, and an ear for webhooks.
async fn world_with(more: &str, change: impl FnOnce(&mut SandboxConfig)) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut config = SandboxConfig::new(dir.path());
    config.capay.settle_after_ms = 3_600_000;
    change(&mut config);
    let sandbox = Sandbox::start(config).await.unwrap();
    let called = Called::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notices", listener.local_addr().unwrap());
    sandbox.set_capay_webhook(&url).unwrap();
    let ear = Arc::clone(&called);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(listen(stream, Arc::clone(&ear)));
        }
    });
    let tls = sandbox.tls().unwrap();
    let context = BuildContext {
        sandbox: Some(SandboxAddress {
            url: sandbox.url(),
            id: sandbox.id().to_owned(),
            tls: Some(SandboxTls {
                url: tls.url,
                ca_file: tls.ca_file,
                certificate_file: tls.certificate_file,
                key_file: tls.key_file,
            }),
        }),
        request_timeout_ms: 2_000,
        ..testing::context()
    };
    let settings = format!("base_url = \"sandbox\"\n{more}").parse().unwrap();
    let adapter = Capay::to_pay(settings, context, Arc::new(TestClock::default())).unwrap();
    World { sandbox, adapter, called, _dir: dir }
}

async fn world() -> World {
    world_with("", |_| {}).await
}

async fn listen(mut stream: TcpStream, called: Called) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        seen.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let header = |name: &str| {
            head.lines().find_map(|l| Some(l.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
        };
        let length = header("content-length").unwrap().trim().parse::<usize>().unwrap();
        if body.len() >= length {
            let signature = header(sandbox::CAPAY_SIGNATURE_HEADER);
            called.lock().unwrap().push((signature, body.as_bytes().to_vec()));
            seen.clear();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    }
}

impl World {
    async fn submit(&self, payment: &Payment) -> Answer {
        submit(&self.adapter, payment, Gate::new(true)).await
    }

    /// Sends, and gives the payment with the id that it was told.
    async fn taken(&self, payment: &Payment) -> Payment {
        let answer = self.submit(payment).await;
        let Answer::Accepted { provider_id: Some(id), .. } = answer else { panic!("{answer:?}") };
        known(payment, &id)
    }

    fn strike(&self, fault: Fault) {
        self.sandbox.dial_of("capay").unwrap().set(fault, Chance::next(1)).unwrap();
    }

    fn always(&self, fault: Fault) {
        self.sandbox.dial_of("capay").unwrap().set(fault, Chance::ALWAYS).unwrap();
    }

    fn calm(&self) {
        self.sandbox.dial_of("capay").unwrap().calm();
    }

    fn duplicates(&self) -> u64 {
        self.sandbox.counters_of("capay").unwrap().duplicates
    }

    fn tokens(&self) -> u64 {
        self.sandbox.counters_of("capay").unwrap().calls.get("auth/token").copied().unwrap_or(0)
    }

    /// One call of the sandbox's control API.
    async fn control(&self, what: &str, body: &str) {
        let host = self.sandbox.addr();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!(
            "POST /sandbox/capay/{what} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// What the adapter makes of all webhooks so far that name this payment.
    fn heard(&self, payment: &Payment) -> Vec<Heard> {
        let called = self.called.lock().unwrap();
        let requests = called.iter().map(|(signature, body)| CallbackRequest {
            kind: CallbackKind::Status,
            signature: signature.clone(),
            body: body.clone(),
        });
        requests
            .filter(|request| {
                let told = self.adapter.notices().unwrap().reference(request);
                told.as_deref() == Some(payment.reference.as_str())
            })
            .map(|request| self.adapter.callbacks().unwrap().read(&request, payment))
            .collect()
    }
}

fn is(found: &Found, expected: News) -> bool {
    matches!(found, Found::Is { news, .. } if *news == expected)
}
