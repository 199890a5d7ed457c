//! Why an operation has told nothing, and when nothing is to be sent at all.

use crate::http::SendError;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Why an operation has told nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What happened, fit for people.
    pub(super) text: String,
    /// `Some` where the lane is to stop: until when.
    pub(super) stop: Option<Pause>,
    /// For how long the provider wants to be left alone.
    pub(super) retry_after_ms: Option<u64>,
}

/// When a lane that stops may try again; `None` waits for a person.
pub(super) type Pause = Option<u64>;

impl Trouble {
    pub(super) fn passing(text: String) -> Trouble {
        Trouble { text, stop: None, retry_after_ms: None }
    }
}

/// Why there is no answer to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// There is no token: the operation was not asked for, or was refused unread.
    NoToken(Trouble),
    /// Its own request got none.
    Send(SendError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        match failure {
            Failure::NoToken(trouble) => trouble,
            Failure::Send(error) => Trouble::passing(error.to_string()),
        }
    }
}

/// Whether to leave the platform alone: after a wrong password (15) or in a locked login (16) each
/// try brings the lock nearer, or makes it longer. In memory only: a worker that starts anew tries
/// once.
#[derive(Default)]
pub(super) struct Rest(Mutex<Option<Resting>>);

struct Resting {
    until: Instant,
    /// What the provider said.
    text: String,
    /// A person must act; else time heals it.
    for_person: bool,
}

impl Rest {
    pub(super) fn start(&self, ms: u64, text: String, for_person: bool) {
        let until = Instant::now() + Duration::from_millis(ms);
        *self.lock() = Some(Resting { until, text, for_person });
    }

    /// Why nothing is to be sent yet.
    pub(super) fn why(&self) -> Option<Trouble> {
        let resting = self.lock();
        let Resting { until, text, for_person } = resting.as_ref()?;
        let left = until.checked_duration_since(Instant::now())?;
        let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        let pause = if *for_person { None } else { Some(left_ms) };
        let text = format!("not sent, after {text}");
        Some(Trouble { text, stop: Some(pause), retry_after_ms: None })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Resting>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
