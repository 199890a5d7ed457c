//! One call, one connection, read to its end: resets and silence are seen as they are.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// An HTTP answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

pub async fn post_json(url: &str, body: &Value) -> io::Result<Answer> {
    post(url, &body.to_string()).await
}

pub async fn post(url: &str, body: &str) -> io::Result<Answer> {
    call("POST", url, "Content-Type: application/json\r\n", body).await
}

pub async fn get(url: &str, api_key: &str) -> io::Result<Answer> {
    call("GET", url, &format!("X-Api-Key: {api_key}\r\n"), "").await
}

pub async fn call(verb: &str, url: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (host, path) = rest.split_once('/').expect("a URL with a path");
    let tcp = TcpStream::connect(host).await?;
    exchange(tcp, verb, host, path, headers, body).await
}

/// One request, and the answer up to the end of the stream.
pub async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    verb: &str,
    host: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> io::Result<Answer> {
    let length = body.len();
    let request = format!(
        "{verb} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Answer {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        head: head.to_ascii_lowercase(),
        body: unchunk(head, body),
    })
}

fn unchunk(head: &str, body: &str) -> String {
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let (mut whole, mut rest) = (String::new(), body);
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        whole.push_str(&tail[..size]);
        rest = tail[size..].strip_prefix("\r\n").unwrap_or_default();
    }
    whole
}
