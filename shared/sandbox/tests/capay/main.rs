//! Capay over real mutual TLS: who is let in, what is paid, what is kept, and what the dial does.

#[path = "../support/mod.rs"]
mod support;

mod connection;
mod faults;
mod payouts;
mod restarts;
mod webhooks;

use support::{Desk, calm};
use tempfile::TempDir;

/// Everything in place; payouts move when the test says so.
async fn stage() -> (TempDir, Desk) {
    let dir = tempfile::tempdir().expect("a directory");
    let desk = Desk::open(dir.path(), calm()).await;
    (dir, desk)
}
