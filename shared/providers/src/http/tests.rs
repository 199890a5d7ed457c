//! The client over real sockets: what arrives where the gate is closed, and what never does.

use super::*;
use crate::testing::{Gate, Nobody, Script, Scripted, say, say_with, until};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

const BODY: &str = r#"{"amount":"1.00"}"#;

fn options() -> HttpOptions {
    HttpOptions { connect_timeout_ms: 2_000, total_timeout_ms: 5_000, proxy: None }
}

fn url(text: &str) -> ProviderUrl {
    ProviderUrl::parse(text).unwrap()
}

async fn send(http: &Http, base: &str, gate: &Arc<Gate>) -> Result<RawAnswer, SendError> {
    let base = url(base);
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let call = Call { method: &Method::POST, url: &base, headers: &headers };
    let gate: Arc<dyn SendGate> = Arc::<Gate>::clone(gate);
    http.send_gated(call, Bytes::from_static(BODY.as_bytes()), gate).await
}

fn client(base: &str) -> Http {
    Http::new(&options(), &url(base)).unwrap()
}

#[tokio::test]
async fn an_open_gate_lets_one_whole_request_through_with_its_length() {
    let server = Scripted::start(say(200, "{}")).await;
    let gate = Gate::new(true);
    let answer = send(&client(&server.base()), &server.base(), &gate).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"{}"[..]));
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert!(request.ends_with(BODY), "{request}");
    assert!(!request.to_ascii_lowercase().contains("transfer-encoding"), "{request}");
    assert_eq!(gate.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn behind_a_closed_gate_the_connection_stands_and_not_one_byte_arrives() {
    let server = Scripted::start(say(200, "{}")).await;
    let gate = Gate::new(false);
    let error = send(&client(&server.base()), &server.base(), &gate).await.unwrap_err();
    assert_eq!(error, SendError::GateClosed);
    assert_eq!(gate.asked.load(Ordering::SeqCst), 1);
    until("the client has hung up", || server.heard.closed.load(Ordering::SeqCst) == 1).await;
    assert_eq!(server.heard.bytes.load(Ordering::SeqCst), 0);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_gate_that_closes_stops_a_request_on_a_connection_that_was_used_before() {
    let server = Scripted::start(say(200, "{}")).await;
    let http = client(&server.base());
    let gate = Gate::new(true);
    send(&http, &server.base(), &gate).await.unwrap();
    gate.open.store(false, Ordering::SeqCst);
    assert_eq!(send(&http, &server.base(), &gate).await, Err(SendError::GateClosed));
    until("the client has hung up", || server.heard.closed.load(Ordering::SeqCst) == 1).await;
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.heard.connections.load(Ordering::SeqCst), 1);
}

/// Name resolution that takes so long that the gate closes meanwhile.
struct SlowNames {
    gate: Arc<Gate>,
    port: u16,
}

impl Resolve for SlowNames {
    fn resolve(&self, _: Name) -> Resolving {
        self.gate.open.store(false, Ordering::SeqCst);
        let address: SocketAddr = ([127, 0, 0, 1], self.port).into();
        let addresses: Addrs = Box::new(std::iter::once(address));
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

#[tokio::test]
async fn a_gate_that_closes_while_the_connection_is_made_stops_the_request() {
    let server = Scripted::start(say(200, "{}")).await;
    let gate = Gate::new(true);
    let base = format!("http://localhost:{}", server.port);
    let names = SlowNames { gate: Arc::clone(&gate), port: server.port };
    let builder = Http::builder(&options(), &url(&base)).unwrap().dns_resolver(Arc::new(names));
    let error = send(&Http::build(builder).unwrap(), &base, &gate).await.unwrap_err();
    assert_eq!(error, SendError::GateClosed);
    until("the client has hung up", || server.heard.closed.load(Ordering::SeqCst) == 1).await;
    assert_eq!(server.heard.bytes.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent_and_the_gate_was_not_asked() {
    let nobody = Nobody::new();
    let base = nobody.base();
    let gate = Gate::new(true);
    let error = send(&client(&base), &base, &gate).await.unwrap_err();
    assert!(matches!(&error, SendError::NotSent(text) if text.contains("refused")), "{error}");
    assert!(!error.to_string().contains("http://"), "{error}");
    assert_eq!(gate.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_not_sent() {
    // Accepts, reads the ClientHello, says nothing.
    let server = Scripted::start(Script::Silence).await;
    let base = format!("https://localhost:{}", server.port);
    let options = HttpOptions { connect_timeout_ms: 200, ..options() };
    let gate = Gate::new(true);
    let error = send(&Http::new(&options, &url(&base)).unwrap(), &base, &gate).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent(_)), "{error}");
    assert_eq!(gate.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn once_it_has_started_a_hang_up_a_silence_and_a_broken_answer_are_unknown() {
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"ok\":";
    let options = HttpOptions { total_timeout_ms: 300, ..options() };
    for script in
        [Script::Hang, Script::Silence, Script::Say(broken.into()), Script::Say("SMTP".into())]
    {
        let server = Scripted::start(script.clone()).await;
        let http = Http::new(&options, &url(&server.base())).unwrap();
        // A broken answer ends with a timeout or, where the server closes, with a reset.
        let error = send(&http, &server.base(), &Gate::new(true)).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown(_)), "{error}");
        assert_eq!(server.requests().len(), 1, "sent once, never again");
    }
}

/// A body of more pieces than the buffers of a socket and of hyper could hide.
const LONG: usize = 64 * super::gate::PIECE_BYTES_MAX;

async fn send_long(server: &Scripted, gate: Arc<Gate>) -> Result<RawAnswer, SendError> {
    let base = url(&server.base());
    let call = Call { method: &Method::POST, url: &base, headers: &[] };
    client(&server.base()).send_gated(call, Bytes::from(vec![b'7'; LONG]), gate).await
}

#[tokio::test]
async fn a_long_body_asks_again_for_each_piece_and_arrives_whole() {
    let server = Scripted::start(say(200, "{}")).await;
    let gate = Gate::new(true);
    gate.more.store(63, Ordering::SeqCst);
    let answer = send_long(&server, Arc::clone(&gate)).await.unwrap();
    assert_eq!((answer.status, gate.asked.load(Ordering::SeqCst)), (200, 1));
    assert_eq!(gate.more.load(Ordering::SeqCst), 0, "each piece but the first was asked about");
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert!(request.ends_with(&"7".repeat(LONG)), "whole");
}

#[tokio::test]
async fn a_long_body_whose_time_ends_half_way_is_given_up_and_its_answer_is_unknown() {
    let server = Scripted::start(say(200, "{}")).await;
    let gate = Gate::new(true);
    gate.more.store(20, Ordering::SeqCst);
    let error = send_long(&server, Arc::clone(&gate)).await.unwrap_err();
    assert!(matches!(&error, SendError::Unknown(text) if text.contains("given up")), "{error}");
    until("the client has hung up", || server.heard.closed.load(Ordering::SeqCst) == 1).await;
    assert!(server.requests().is_empty(), "no server ever saw it whole");
    assert!(server.heard.bytes.load(Ordering::SeqCst) < LONG);
}

#[tokio::test]
async fn redirects_are_answers_and_are_not_followed() {
    let other = Scripted::start(say(200, "{}")).await;
    let headers = format!("location: {}\r\n", other.base());
    let server = Scripted::start(say_with(307, &headers, "")).await;
    let answer = send(&client(&server.base()), &server.base(), &Gate::new(true)).await.unwrap();
    assert_eq!(answer.status, 307);
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_none_announced_or_not() {
    let long = "x".repeat(ANSWER_BYTES_MAX + 1);
    let chunk = "y".repeat(ANSWER_BYTES_MAX / 2 + 1);
    let size = chunk.len();
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{size:x}\r\n{chunk}\r\n{size:x}\r\n{chunk}\r\n0\r\n\r\n"
    );
    for script in [say(200, &long), Script::Say(chunked)] {
        let server = Scripted::start(script).await;
        let error =
            send(&client(&server.base()), &server.base(), &Gate::new(true)).await.unwrap_err();
        assert!(matches!(&error, SendError::Unknown(t) if t.contains("too long")), "{error}");
    }
    let most = "z".repeat(ANSWER_BYTES_MAX);
    let server = Scripted::start(say(200, &most)).await;
    let answer = send(&client(&server.base()), &server.base(), &Gate::new(true)).await.unwrap();
    assert_eq!(answer.body.len(), ANSWER_BYTES_MAX);
}

#[tokio::test]
async fn an_empty_body_is_not_sent_because_nobody_would_ask_the_gate() {
    let server = Scripted::start(say(200, "{}")).await;
    let base = url(&server.base());
    let call = Call { method: &Method::POST, url: &base, headers: &[] };
    let error =
        client(&server.base()).send_gated(call, Bytes::new(), Gate::new(true)).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent(_)));
    assert_eq!(server.heard.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn retry_after_arrives_and_a_printed_answer_shows_no_body() {
    let server = Scripted::start(say_with(429, "retry-after: 3\r\n", "secret")).await;
    let answer = send(&client(&server.base()), &server.base(), &Gate::new(true)).await.unwrap();
    assert_eq!((answer.status, answer.retry_after_ms), (429, Some(3_000)));
    assert!(!format!("{answer:?}").contains("secret"));
}
