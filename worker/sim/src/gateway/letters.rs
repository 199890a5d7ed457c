//! Callbacks: lost, twice, ten minutes late, out of order. Those of the provider are signed; others
//! only pretend to be.

use super::Gateway;
use super::book::Fate;
use crate::sides::Side;
use domain::{News, Place};
use futures::FutureExt;
use providers::{CallbackKind, CallbackRequest, Callbacks, Heard, Payment};

/// How the provider signs.
const SIGNATURE: &str = "the provider's own";

/// Tries until the provider gives up calling, and the pause between them.
const TRIES: u32 = 50;
const PAUSE_MS: u64 = 1_000;

/// How late a late one may be.
const LATE_MS: u64 = 10 * 60_000;

/// What a callback says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// It is being worked on.
    Working,
    /// It was paid.
    Paid,
    /// It failed.
    Failed,
    /// The money came back.
    Returned,
}

impl Word {
    fn text(self) -> &'static str {
        match self {
            Word::Working => "working",
            Word::Paid => "paid",
            Word::Failed => "failed",
            Word::Returned => "returned",
        }
    }
}

/// A callback that a worker answered with 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When it was answered.
    pub at_ms: u64,
    /// By which lane.
    pub side: Side,
    /// About which row.
    pub place: Place,
    /// About which attempt.
    pub attempt: u8,
    /// What the provider says in it; none in one that is not the provider's.
    pub word: Option<Word>,
    /// Whether anything was written to the row between its arrival and the answer.
    pub is_kept: bool,
    /// The ledger went back to before it.
    pub is_forgotten: bool,
}

impl Gateway {
    /// Tells how a payout ends, when it ends.
    pub(super) fn call_back(&self, payment: &Payment, fate: Fate, in_ms: u64) {
        let word = if fate == Fate::Paid { Word::Paid } else { Word::Failed };
        self.post_copies(payment, word, in_ms);
    }

    /// Tells something now.
    pub(super) fn say(&self, payment: &Payment, word: Word) {
        self.post_copies(payment, word, 0);
    }

    /// Posts a word: never, once or twice, and each copy when it likes.
    fn post_copies(&self, payment: &Payment, word: Word, in_ms: u64) {
        let (dice, temper) = (self.exec.dice(), &self.temper);
        let copies = match () {
            () if dice.chance(temper.callback_lost) => 0,
            () if dice.chance(temper.callback_twice) => 2,
            () => 1,
        };
        for _ in 0..copies {
            let late = temper.callback_late > 0 && dice.chance(temper.callback_late);
            let longest_ms = if late { LATE_MS } else { 2_000 };
            self.post(payment, word, in_ms + dice.below(longest_ms));
        }
    }

    fn post(&self, payment: &Payment, word: Word, in_ms: u64) {
        let (gateway, payment) = (self.clone(), payment.clone());
        let task = async move {
            gateway.exec.sleep(in_ms).await;
            for _ in 0..TRIES {
                let Some(postman) = gateway.lock().postman.clone() else { return };
                let request = gateway.letter(&payment, word);
                if postman(payment.place, payment.attempt, request, word).await {
                    return;
                }
                gateway.exec.sleep(PAUSE_MS).await;
            }
        };
        self.exec.spawn(crate::process::OUTSIDE, task.boxed());
    }

    /// What is posted: the word and the amount that it is about, signed.
    fn letter(&self, payment: &Payment, word: Word) -> CallbackRequest {
        let kind = match word {
            Word::Paid => CallbackKind::Success,
            Word::Failed => CallbackKind::Error,
            Word::Working | Word::Returned => CallbackKind::Status,
        };
        let minor = {
            let state = self.lock();
            let newest = state.book.get(payment.reference.as_str()).and_then(|all| all.last());
            newest.map_or(0, |entry| entry.minor)
        };
        let body = format!("{} {minor}", word.text()).into_bytes();
        CallbackRequest { kind, signature: Some(SIGNATURE.to_owned()), body }
    }
}

/// Somebody pretends to be the provider.
pub fn forged() -> CallbackRequest {
    let body = b"paid 0".to_vec();
    CallbackRequest { kind: CallbackKind::Success, signature: Some("forged".to_owned()), body }
}

impl Callbacks for Gateway {
    fn read(&self, request: &CallbackRequest, payment: &Payment) -> Heard {
        let minor = payment.row.money.minor_units();
        let is = |word: Word| request.body == format!("{} {minor}", word.text()).as_bytes();
        let words = [Word::Working, Word::Paid, Word::Returned];
        let is_signed = request.signature.as_deref() == Some(SIGNATURE);
        let news = match words.into_iter().find(|word| is_signed && is(*word)) {
            Some(Word::Working) => News::InProgress,
            Some(Word::Paid) => News::Paid,
            Some(Word::Returned) => News::Returned,
            // What failed, what differs and what is not signed is asked about.
            Some(Word::Failed) | None => {
                let text = format!("something was said about {}", payment.reference);
                return Heard::Hint { text };
            }
        };
        Heard::Fact { news, provider_id: None, cost: None }
    }
}
