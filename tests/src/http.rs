//! HTTP as far as tests need it: one call, one connection, read to its end.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A server that says nothing for so long is broken.
const SILENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status line's number.
    pub status: u16,
    /// The body, whole.
    pub body: String,
}

/// One call with a JSON body; `url` is `http://host:port/path`.
pub fn call(verb: &str, url: &str, body: &str) -> io::Result<Answer> {
    call_with(verb, url, "application/json", body)
}

/// The same with a body of another kind.
pub fn call_with(verb: &str, url: &str, kind: &str, body: &str) -> io::Result<Answer> {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (host, path) = rest.split_once('/').expect("a URL with a path");
    let mut tcp = TcpStream::connect(host)?;
    tcp.set_read_timeout(Some(SILENCE))?;
    let length = body.len();
    let request = format!(
        "{verb} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    tcp.write_all(request.as_bytes())?;
    let mut text = String::new();
    tcp.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        unchunk(body).ok_or(io::ErrorKind::UnexpectedEof)?
    } else {
        body.to_owned()
    };
    Ok(Answer { status: status.ok_or(io::ErrorKind::InvalidData)?, body })
}

fn unchunk(mut rest: &str) -> Option<String> {
    let mut whole = String::with_capacity(rest.len());
    loop {
        let (size, tail) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.push_str(tail.get(..size)?);
        rest = tail.get(size..)?.strip_prefix("\r\n")?;
    }
}
