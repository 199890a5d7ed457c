//! A site whose answers the test writes, per method, over a real socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The parameters of a call.
pub(super) type Given = BTreeMap<String, String>;
type Say = Arc<dyn Fn(&str, &Given) -> Reply + Send + Sync>;

pub(super) enum Reply {
    /// 200 with this body.
    Body(String),
    Status(u16, String),
    Hang,
}

impl From<String> for Reply {
    fn from(body: String) -> Reply {
        Reply::Body(body)
    }
}

/// One call, as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) method: String,
    pub(super) head: String,
    pub(super) body: String,
    pub(super) given: Given,
}

pub(super) struct Site {
    port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
    _tasks: JoinSet<()>,
}

impl Site {
    pub(super) async fn start<R: Into<Reply>>(
        say: impl Fn(&str, &Given) -> R + Send + Sync + 'static,
    ) -> Site {
        let say: Say = Arc::new(move |method, given| say(method, given).into());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let ear = Arc::clone(&heard);
        tasks.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                calls.spawn(serve(stream, Arc::clone(&say), Arc::clone(&ear)));
            }
        });
        Site { port, heard, _tasks: tasks }
    }

    pub(super) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn calls(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    pub(super) fn methods(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.method).collect()
    }
}

async fn serve(mut stream: TcpStream, say: Say, heard: Arc<Mutex<Vec<Heard>>>) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        seen.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() < length.map_or(0, |length| length.trim().parse::<usize>().unwrap()) {
            continue;
        }
        let path = head.split(' ').nth(1).unwrap();
        let method = path.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
        let given: Given = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let reply = say(&method, &given);
        let (head, body) = (head.to_owned(), body.to_owned());
        heard.lock().unwrap().push(Heard { method, head, body, given });
        let (status, body) = match reply {
            Reply::Hang => return,
            Reply::Body(body) => (200, body),
            Reply::Status(status, body) => (status, body),
        };
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        seen.clear();
    }
}
