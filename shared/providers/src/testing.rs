//! What the tests of all adapters share: payments, gates, and a server that says what it is told.

use crate::api::{LookUp, Past, Payment, SendGate, Turns};
use crate::callback_url::CallbackUrls;
use crate::registry::{BuildContext, SandboxAddress};
use domain::{
    BatchId, ChunkId, Currencies, Destination, LaneName, LedgerId, Method, Money, PayerReference,
    Place, ProviderReference, Row, checks,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use ulid::Ulid;

/// The least settings that each provider can be built from.
pub(crate) fn settings(provider: &str) -> toml::Table {
    match provider {
        "merchant" | "capitalist" | "exchanger" | "capay" => {
            "base_url = \"sandbox\"".parse().unwrap()
        }
        other => panic!("no settings for {other}"),
    }
}

/// The settings of the lane that an example config has.
pub(crate) fn lane_settings(example: &str) -> toml::Table {
    let whole: toml::Table = example.parse().unwrap();
    whole["lanes"]["main"]["settings"].as_table().unwrap().clone()
}

/// An example config with every commented key and table in force.
pub(crate) fn uncommented(example: &str) -> String {
    example
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(table) if table.starts_with("[lanes.") => table,
            Some(key) if key.split_once(" = ").is_some_and(|(k, _)| is_key(k)) => key,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect()
}

pub(crate) fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

pub(crate) fn lane() -> LaneName {
    LaneName::new("main").unwrap()
}

pub(crate) fn context() -> BuildContext {
    BuildContext {
        lane: lane(),
        callbacks: Some(CallbackUrls::new("http://127.0.0.1:9", [7; 32]).unwrap()),
        sandbox: Some(SandboxAddress {
            url: "http://127.0.0.1:9".into(),
            id: "box".into(),
            tls: None,
        }),
        request_timeout_ms: 10_000,
    }
}

/// A row; further fields can be put in afterwards.
pub(crate) fn row(reference: &str, amount: &str, currency: &str, method: Method, to: &str) -> Row {
    let currency = Currencies::default().find(currency).unwrap();
    Row {
        ordinal: 1,
        line: 2,
        reference: PayerReference::new(reference).unwrap(),
        money: Money::parse(amount, &currency, '.').unwrap(),
        method,
        destination: checks::destination(method, to)
            .unwrap_or_else(|_| Destination::new(to.to_owned())),
        fields: BTreeMap::new(),
    }
}

pub(crate) fn payment(row: Row) -> Payment {
    let ledger = LedgerId::parse("abcd").unwrap();
    let format = domain::ReferenceFormat::Text { max_bytes: 255 };
    let chunk = ChunkId { batch: BatchId(Ulid::from_parts(1, 2)), no: 3 };
    Payment {
        place: Place { chunk, row: 17 },
        attempt: 1,
        reference: ProviderReference::make(ledger, &row.reference, 1, format),
        row: Arc::new(row),
        past: Past::default(),
    }
}

/// A question about payments, with turns that are counted and never wait.
pub(crate) fn question(payments: Vec<Payment>) -> (LookUp, Arc<Counted>) {
    let turns = Arc::new(Counted::default());
    (LookUp { payments, control: None, turns: Arc::clone(&turns) as Arc<dyn Turns> }, turns)
}

/// Turns, counted: as many as requests.
#[derive(Default)]
pub(crate) struct Counted(pub(crate) AtomicUsize);

impl Turns for Counted {
    fn next(&self) -> futures::future::BoxFuture<'_, ()> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

/// A payment in roubles to a card.
pub(crate) fn card(reference: &str, amount: &str) -> Payment {
    payment(row(reference, amount, "RUB", Method::Card, "4111111111111111"))
}

/// A gate that counts how often it was asked.
pub(crate) struct Gate {
    pub(crate) open: AtomicBool,
    pub(crate) asked: AtomicUsize,
    /// For so many pieces after the first one.
    pub(crate) more: AtomicUsize,
}

impl Gate {
    pub(crate) fn new(open: bool) -> Arc<Gate> {
        let more = AtomicUsize::new(usize::MAX);
        Arc::new(Gate { open: AtomicBool::new(open), asked: AtomicUsize::new(0), more })
    }
}

impl SendGate for Gate {
    fn is_open(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.open.load(Ordering::SeqCst)
    }

    fn may_go_on(&self) -> bool {
        let less = |more: usize| more.checked_sub(1);
        self.more.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }
}

/// What the server does with a request that it has read whole.
#[derive(Clone)]
pub(crate) enum Script {
    /// Sends these bytes.
    Say(String),
    /// Closes the connection.
    Hang,
    /// Says nothing for ever.
    Silence,
}

/// An answer with a JSON body.
pub(crate) fn say(status: u16, body: &str) -> Script {
    say_with(status, "", body)
}

/// An answer with further header lines, each ended by CR LF.
pub(crate) fn say_with(status: u16, headers: &str, body: &str) -> Script {
    let length = body.len();
    Script::Say(format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))
}

/// A server over a real socket that says the same to everybody.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    pub(crate) heard: Arc<Heard>,
    _tasks: JoinSet<()>,
}

/// What the server saw.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) connections: AtomicUsize,
    /// Bytes of all connections, of complete requests or not.
    pub(crate) bytes: AtomicUsize,
    /// Connections that the client has closed.
    pub(crate) closed: AtomicUsize,
    /// Requests that arrived whole: head and body.
    pub(crate) requests: Mutex<Vec<String>>,
}

impl Scripted {
    pub(crate) async fn start(script: Script) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Heard::default());
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&heard);
        tasks.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                calls.spawn(serve(stream, script.clone(), Arc::clone(&shared)));
            }
        });
        Scripted { port, heard, _tasks: tasks }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.heard.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, script: Script, heard: Arc<Heard>) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        heard.bytes.fetch_add(length, Ordering::SeqCst);
        seen.extend_from_slice(&buffer[..length]);
        while let Some(end) = end_of_request(&seen) {
            let request = String::from_utf8(seen.drain(..end).collect()).unwrap();
            heard.requests.lock().unwrap().push(request);
            match &script {
                Script::Say(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap_or(()),
                Script::Hang => return,
                Script::Silence => {}
            }
        }
    }
    heard.closed.fetch_add(1, Ordering::SeqCst);
}

fn end_of_request(seen: &[u8]) -> Option<usize> {
    let head = seen.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&seen[..head]).unwrap().to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let end = head + length.map_or(0, |length| length.trim().parse::<usize>().unwrap());
    (seen.len() >= end).then_some(end)
}

/// An address that refuses connections: bound, so that nobody else gets it, but not listening.
pub(crate) struct Nobody(TcpSocket);

impl Nobody {
    pub(crate) fn new() -> Nobody {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Nobody(socket)
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

/// Waits until `done`, for ten seconds at most.
pub(crate) async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("waited in vain until {what}");
}
