//! A platform over a real socket that answers each operation as it is told, one answer after the
//! other; the last one stays.

use rsa::RsaPrivateKey;
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What the passwords of the tests are encrypted under. Small, to be made fast.
pub(super) fn key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| RsaPrivateKey::new(&mut OsRng, 1024).unwrap())
}

/// The fields of a request.
pub(super) type Form = BTreeMap<String, String>;

/// One answer.
#[derive(Clone)]
pub(super) struct Say {
    status: u16,
    headers: String,
    body: String,
}

/// JSON, said to be so.
pub(super) fn json(body: &str) -> Say {
    Say { status: 200, headers: "x-response-format: json\r\n".into(), body: body.into() }
}

/// CSV, said to be so.
pub(super) fn csv(body: &str) -> Say {
    Say { status: 200, headers: "x-response-format: csv\r\n".into(), body: body.into() }
}

/// Any other answer.
pub(super) fn http(status: u16, body: &str) -> Say {
    Say { status, headers: String::new(), body: body.into() }
}

/// An error of the document, in JSON.
pub(super) fn code(code: u32, message: &str) -> Say {
    json(&serde_json::json!({"code": code, "message": message, "data": null}).to_string())
}

/// A success.
pub(super) fn data(data: serde_json::Value) -> Say {
    json(&serde_json::json!({"code": 0, "message": "", "data": data}).to_string())
}

pub(super) struct Platform {
    pub(super) base: String,
    inner: Arc<Mutex<Inner>>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Inner {
    answers: BTreeMap<String, VecDeque<Say>>,
    tokens: usize,
    heard: Vec<(String, Form)>,
}

impl Platform {
    pub(super) async fn start() -> Platform {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner::default()));
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&inner);
        tasks.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                calls.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Platform { base, inner, _tasks: tasks }
    }

    /// The next answers to an operation; the last one stays.
    pub(super) fn on(&self, operation: &str, answers: impl IntoIterator<Item = Say>) -> &Platform {
        let answers = answers.into_iter().collect();
        self.inner.lock().unwrap().answers.insert(operation.to_owned(), answers);
        self
    }

    /// The requests for an operation, or all of them for "".
    pub(super) fn heard(&self, operation: &str) -> Vec<Form> {
        let inner = self.inner.lock().unwrap();
        let is_it = |form: &&Form| operation.is_empty() || form["operation"] == operation;
        inner.heard.iter().map(|(_, form)| form).filter(is_it).cloned().collect()
    }

    /// The requests as they came, head and body.
    pub(super) fn raw(&self) -> Vec<String> {
        self.inner.lock().unwrap().heard.iter().map(|(raw, _)| raw.clone()).collect()
    }

    /// The operations that were asked for, in order.
    pub(super) fn operations(&self) -> Vec<String> {
        self.heard("").into_iter().map(|form| form["operation"].clone()).collect()
    }
}

async fn serve(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        seen.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8(seen.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let expected = head.lines().find_map(|l| l.strip_prefix("content-length: "));
        if body.len() < expected.unwrap().trim().parse::<usize>().unwrap() {
            continue;
        }
        let form: Form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        seen.clear();
        let say = inner.lock().unwrap().answer(&text, form);
        let Say { status, headers, body } = say;
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

impl Inner {
    fn answer(&mut self, raw: &str, form: Form) -> Say {
        let operation = form["operation"].clone();
        self.heard.push((raw.to_owned(), form));
        if let Some(answers) = self.answers.get_mut(&operation) {
            let next = answers.pop_front().unwrap();
            if answers.is_empty() {
                answers.push_back(next.clone());
            }
            return next;
        }
        assert_eq!(operation, "get_token", "nobody said what to answer");
        self.tokens += 1;
        let public = key().to_public_key();
        data(serde_json::json!({
            "token": format!("token-{}", self.tokens),
            "modulus": public.n().to_str_radix(16),
            "exponent": public.e().to_str_radix(16),
        }))
    }
}
