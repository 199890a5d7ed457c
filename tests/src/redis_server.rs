//! A real `redis-server` on a free port, gone when dropped.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running server with a data directory of its own.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    dir: TempDir,
    appendfsync: &'static str,
}

impl RedisServer {
    /// Starts a server that writes every change to disk before it answers.
    pub fn start() -> RedisServer {
        RedisServer::with_fsync("always")
    }

    /// Starts a server with `appendfsync` as given.
    pub fn with_fsync(appendfsync: &'static str) -> RedisServer {
        let dir = tempfile::tempdir().expect("a directory for Redis");
        let port = free_port();
        let child = spawn(port, &dir, appendfsync);
        let server = RedisServer { child, port, dir, appendfsync };
        server.wait_until_it_answers();
        server
    }

    /// `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps its data.
    pub fn data(&self) -> &Path {
        self.dir.path()
    }

    /// SIGSTOP: it is there, and says nothing.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT: it goes on as if nothing had been.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill(1)");
        assert!(status.success(), "Redis did not get its {signal}");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("Redis to be killed");
        self.child.wait().expect("Redis to end");
    }

    /// Starts again on the same port and data.
    pub fn restart(&mut self) {
        self.child = spawn(self.port, &self.dir, self.appendfsync);
        self.wait_until_it_answers();
    }

    /// Starts again with another `appendfsync`.
    pub fn restart_with_fsync(&mut self, appendfsync: &'static str) {
        self.appendfsync = appendfsync;
        self.restart();
    }

    fn wait_until_it_answers(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.answers() {
            assert!(Instant::now() < deadline, "redis-server did not answer within 20 s");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn answers(&self) -> bool {
        let Ok(mut socket) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut answer = [0; 7];
        socket.write_all(b"PING\r\n").is_ok()
            && socket.read_exact(&mut answer).is_ok()
            && &answer == b"+PONG\r\n"
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn spawn(port: u16, dir: &TempDir, appendfsync: &str) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", appendfsync, "--dir"])
        .arg(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed (`./test` installs it)")
}
