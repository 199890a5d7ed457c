//! How fast is a sandbox in a process of its own? `load BASE_URL [CREATES] [CONNECTIONS]`
//!
//! Sends signed creates over kept-alive connections, takes the callbacks, prints both rates and
//! what the sandbox counted. BASE_URL is what the sandbox printed: `http://127.0.0.1:PORT`.
//! The CPU of the sandbox itself is its own `/proc/PID/stat`.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

type Problem = Box<dyn std::error::Error + Send + Sync>;

const CARD: &str = "4111111111111111";
const AMOUNT: &str = "1500.00";

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let mut args = std::env::args().skip(1);
    let base = args.next().ok_or("usage: load BASE_URL [CREATES] [CONNECTIONS]")?;
    let host: Arc<str> = base.trim_start_matches("http://").into();
    let creates: u64 = args.next().map_or(Ok(100_000), |text| text.parse())?;
    let connections: u64 = args.next().map_or(Ok(64), |text| text.parse())?;
    let called_back = Arc::new(AtomicU64::new(0));
    let receiver = receive(Arc::clone(&called_back)).await?;

    let (start, next) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (host, next, receiver) = (Arc::clone(&host), Arc::clone(&next), receiver.clone());
            tokio::spawn(async move { create_all(&host, &next, creates, &receiver).await })
        })
        .collect();
    for client in clients {
        client.await??;
    }
    print_rate("creates", creates, start.elapsed());
    let patience = Duration::from_secs(3);
    let (mut seen, mut moved) = (0, Instant::now());
    while seen < creates && moved.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let now = called_back.load(Ordering::Relaxed);
        if now != seen {
            (seen, moved) = (now, Instant::now());
        }
    }
    print_rate("callbacks", seen, moved.duration_since(start));
    Ok(())
}

fn print_rate(what: &str, count: u64, took: Duration) {
    let took_ms = took.as_millis().max(1);
    println!("{what}: {count} in {took_ms} ms, {} a second", u128::from(count) * 1000 / took_ms);
}

async fn create_all(host: &str, next: &AtomicU64, end: u64, receiver: &str) -> Result<(), Problem> {
    let tcp = TcpStream::connect(host).await?;
    tcp.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(tcp)).await?;
    tokio::spawn(connection);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= end {
            return Ok(());
        }
        let request = Request::builder()
            .method(Method::POST)
            .uri("/merchant/api/merchant/sandbox/create_pay_out/")
            .header(HOST, host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body(number, receiver))))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&bytes)).into());
        }
    }
}

fn body(number: u64, receiver: &str) -> String {
    let order_id = format!("load-{}-{number}", std::process::id());
    let sign = sandbox::create_sign(&order_id, AMOUNT, CARD, "rub", sandbox::SIGN_KEY);
    format!(
        r#"{{"order_id":"{order_id}","payment_method":"card","fiat_amount":"{AMOUNT}","fiat_currency":"rub","timeout":30,"number_card":"{CARD}","full_name":"Ivanov Ivan Ivanovich","success_callback_url":"{receiver}/s/{number}","error_callback_url":"{receiver}/e/{number}","sign":"{sign}"}}"#
    )
}

async fn receive(count: Arc<AtomicU64>) -> Result<String, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let _ = tcp.set_nodelay(true);
            let count = Arc::clone(&count);
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let count = Arc::clone(&count);
                async move {
                    let _ = request.into_body().collect().await;
                    count.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
                }
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(http.serve_connection(TokioIo::new(tcp), service));
        }
    });
    Ok(base)
}
