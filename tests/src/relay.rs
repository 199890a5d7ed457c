//! A way to Redis on which answers can be held back: who asks over it has his step taken and does
//! not learn of it, for as long as the test likes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::spawn;

/// The guard of an intent, as an argument of its script.
const INTENT: &[u8] = b"\r\n$1\r\nI\r\n";

/// A relay. Its threads end with its connections.
#[derive(Debug)]
pub struct Relay {
    url: String,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    armed: AtomicBool,
    holding: Mutex<bool>,
    opened: Condvar,
}

impl Relay {
    /// To the server at this address.
    #[must_use]
    pub fn to(redis_url: &str) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("redis://{}", listener.local_addr().expect("its address"));
        let server = redis_url.strip_prefix("redis://").expect("an address of Redis").to_owned();
        let gate = Arc::<Gate>::default();
        let shared = Arc::clone(&gate);
        spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let (Ok(asks), Ok(answers)) = (client.try_clone(), server.try_clone()) else {
                    continue;
                };
                let (there, back) = (Arc::clone(&shared), Arc::clone(&shared));
                spawn(move || there.pass_questions(asks, server));
                spawn(move || back.pass_answers(answers, client));
            }
        });
        Relay { url, gate }
    }

    /// `redis://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From the next intent on no answer comes back, that of the intent the first.
    pub fn hold_from_next_intent(&self) {
        self.gate.armed.store(true, Ordering::SeqCst);
    }

    /// Whether an intent came and answers are held.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        *self.gate.holding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that was held goes on.
    pub fn release(&self) {
        self.gate.hold(false);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.release();
    }
}

impl Gate {
    fn hold(&self, hold: bool) {
        *self.holding.lock().unwrap_or_else(PoisonError::into_inner) = hold;
        self.opened.notify_all();
    }

    fn pass_questions(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut seen: Vec<u8> = Vec::new();
        let mut bytes = [0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            // The mark may come in two parts.
            seen.drain(..seen.len().saturating_sub(INTENT.len()));
            seen.extend_from_slice(&bytes[..count]);
            let is_intent = seen.windows(INTENT.len()).any(|window| window == INTENT);
            if is_intent && self.armed.swap(false, Ordering::SeqCst) {
                // Before the question leaves, so that its answer is not quicker.
                self.hold(true);
            }
            if to.write_all(&bytes[..count]).is_err() {
                return;
            }
        }
    }

    fn pass_answers(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
            let open = self.opened.wait_while(holding, |holding| *holding);
            drop(open.unwrap_or_else(PoisonError::into_inner));
            if to.write_all(&bytes[..count]).is_err() {
                return;
            }
        }
    }
}
