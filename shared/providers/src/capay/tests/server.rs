//! A Capay that answers as a test tells it, with or without TLS.

use crate::testing::{Script, say};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The token of the document's example: it was given at 1734338987 and ends an hour later.
pub(super) const TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6ImVkNDYyNzFmLTFkNjItNDQ3NC1iY2QzLWQyNTdhZDFmOWM4NSIsImFwaVVzZXIiOiJhcGl1c2VyQGFscGhhLmNvbS5hdSIsImFwaUtleSI6ImE3ODhmZWFjODQzMzRlYmQ4OWMzMGUzMmQyNmFkNmI3YjYwMjM2Y2ZlNDYyNDNmZTk4ZThiNTNjYjEyZWQwNTUiLCJ0ZW5hbnRJZCI6IjJmMWY2NjhiLTViN2MtNGNiMy04NDgzLTIwMjYxOTEyOWZhMSIsImNvbXBhbnlJZCI6IjNmZmUxYTRhLWM2NzctNDc1OS1hNzk4LTRiY2NiMGFmOTAxNSIsImNvbXBhbnlUeXBlIjoxLCJpYXQiOjE3MzQzMzg5ODcsImV4cCI6MTczNDM0MjU4N30.EihdtqzsOLMgIP7iBPbhXcgWh0Ez_fg8ftu0F0YXinU";

/// The documented answer.
pub(super) fn token_body() -> String {
    format!("{{\"accessToken\": \"{TOKEN}\", \"expiresInSeconds\": 3600}}")
}

type Answers = dyn Fn(&str) -> Script + Send + Sync;

/// A server over a real socket. It gives tokens by itself, unless a test does.
pub(super) struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers every request but those for a token.
    pub(super) async fn start(answer: impl Fn(&str) -> Script + Send + Sync + 'static) -> Server {
        Self::start_raw(move |request| {
            if is_for_token(request) { say(200, &token_body()) } else { answer(request) }
        })
        .await
    }

    /// Says the same to every request but those for a token.
    pub(super) async fn saying(script: Script) -> Server {
        Self::start(move |_| script.clone()).await
    }

    /// Answers every request.
    pub(super) async fn start_raw(
        answer: impl Fn(&str) -> Script + Send + Sync + 'static,
    ) -> Server {
        Self::listen(None, Arc::new(answer)).await
    }

    /// Answers every request but those for a token, behind TLS.
    pub(super) async fn behind(acceptor: TlsAcceptor, script: Script) -> Server {
        let answer = move |request: &str| {
            if is_for_token(request) { say(200, &token_body()) } else { script.clone() }
        };
        Self::listen(Some(acceptor), Arc::new(answer)).await
    }

    async fn listen(acceptor: Option<TlsAcceptor>, answer: Arc<Answers>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let all = Arc::clone(&seen);
        tasks.spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, all) = (Arc::clone(&answer), Arc::clone(&all));
                let acceptor = acceptor.clone();
                calls.spawn(async move {
                    match acceptor {
                        None => serve(stream, &*answer, &all).await,
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, &*answer, &all).await;
                            }
                        }
                    }
                });
            }
        });
        Server { port, seen, _tasks: tasks }
    }

    pub(super) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Requests that arrived whole, but those for a token.
    pub(super) fn requests(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|request| !is_for_token(request)).cloned().collect()
    }

    /// Requests for a token.
    pub(super) fn tokens(&self) -> usize {
        self.seen.lock().unwrap().iter().filter(|request| is_for_token(request)).count()
    }
}

pub(super) fn is_for_token(request: &str) -> bool {
    request.starts_with("POST /auth/token ")
}

/// The path and query of a request.
pub(super) fn target(request: &str) -> &str {
    request.split(' ').nth(1).unwrap()
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &Answers,
    seen: &Mutex<Vec<String>>,
) {
    let mut got = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        got.extend_from_slice(&buffer[..length]);
        while let Some(end) = end_of_request(&got) {
            let request = String::from_utf8(got.drain(..end).collect()).unwrap();
            seen.lock().unwrap().push(request.clone());
            match answer(&request) {
                Script::Say(bytes) => stream.write_all(bytes.as_bytes()).await.unwrap_or(()),
                Script::Hang => return,
                Script::Silence => {}
            }
        }
    }
}

fn end_of_request(got: &[u8]) -> Option<usize> {
    let head = got.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&got[..head]).unwrap().to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let end = head + length.map_or(0, |length| length.trim().parse::<usize>().unwrap());
    (got.len() >= end).then_some(end)
}
