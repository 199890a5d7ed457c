//! What a provider does after it has said how a payout ended: what failed is paid after all, and
//! what was paid comes back. It tells of both once, or never.

use super::Gateway;
use super::book::{Entry, Fate};
use super::letters::Word;
use futures::FutureExt;
use providers::Payment;

/// The longest time until it thinks again.
const LATEST_MS: u64 = 8 * 60_000;

impl Gateway {
    /// Draws whether an entry that ends so in `settles_in_ms` ends otherwise later on.
    pub(super) fn think_again(&self, payment: &Payment, id: &str, ends: Fate, settles_in_ms: u64) {
        let (temper, dice) = (&self.temper, self.exec.dice());
        let (chance, change, word): (u64, fn(&mut Entry), Word) = match ends {
            Fate::Failed => (temper.turns, turn, Word::Paid),
            Fate::Paid => (temper.returns, give_back, Word::Returned),
            Fate::Waits => return,
        };
        if chance == 0 || !dice.chance(chance) {
            return;
        }
        let (gateway, payment, id) = (self.clone(), payment.clone(), id.to_owned());
        let in_ms = settles_in_ms + 1_000 + dice.below(LATEST_MS);
        let task = async move {
            gateway.exec.sleep(in_ms).await;
            let reference = payment.reference.as_str();
            if let Some(entries) = gateway.lock().book.get_mut(reference) {
                entries.iter_mut().filter(|entry| entry.id == id).for_each(change);
            }
            gateway.say(&payment, word);
        };
        self.exec.spawn(crate::process::OUTSIDE, task.boxed());
    }
}

fn turn(entry: &mut Entry) {
    entry.fate = Fate::Paid;
    entry.turned = true;
}

fn give_back(entry: &mut Entry) {
    entry.returned = true;
}
