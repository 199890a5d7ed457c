//! SIGTERM and Ctrl-C: the first asks for an orderly stop, the second ends the process at once.
//!
//! Ending at once is safe: whatever was sent stands as an intent in the ledger, and the next
//! worker asks the provider about it before it sends anything.

use std::io;
use std::process;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a shell reports for a program that a signal ended.
const EXIT_INTERRUPTED: i32 = 130;

/// Listens for both signals from the moment it is made.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over from the system.
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// From now on the next signal ends the process.
    pub fn end_at_once(mut self) {
        tokio::spawn(async move {
            self.next().await;
            eprintln!("second signal: ending at once; the next start takes up what was under way");
            process::exit(EXIT_INTERRUPTED);
        });
    }
}
