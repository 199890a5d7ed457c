//! Who may still be sending (S12): a sender that never wrote what came of its intent, and is not
//! known to be gone, may only be frozen. What it may still send is not payable for anybody else.

use crate::lane::Lane;
use crate::work::Core;
use domain::{Payout, Sender};
use ledger::senders::SenderRecord;
use ledger::{LedgerError, senders};
use providers::Deduplication;
use std::collections::BTreeMap;
use std::sync::PoisonError;

/// Of the senders that some payouts wait for, those that may still send, each with words for the
/// operator. None, where the provider never pays one reference twice.
pub async fn at_work(
    core: &Core,
    lane: &Lane,
    payouts: impl Iterator<Item = &Payout>,
) -> Result<BTreeMap<Sender, String>, LedgerError> {
    let deduplication = lane.provider.limits().idempotency.deduplication;
    // One that forgets references after a while does not help: a sender may be frozen for longer.
    if matches!(deduplication, Deduplication::Refuses { for_ms: None, .. }) {
        return Ok(BTreeMap::new());
    }
    let mut at_work = BTreeMap::new();
    for payout in payouts {
        let sender = payout.sender;
        if sender == Sender::NOBODY || at_work.contains_key(&sender) {
            continue;
        }
        let lock = || core.gone.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().contains(&sender) {
            continue;
        }
        match senders::find(&*core.ledger, sender).await? {
            Some(record) if record.gone.is_some() => {
                lock().insert(sender);
            }
            found => {
                at_work.insert(sender, words(sender, found.as_ref()));
            }
        }
    }
    Ok(at_work)
}

fn words(sender: Sender, record: Option<&SenderRecord>) -> String {
    let at = record.map_or_else(String::new, |record| {
        format!(" on {} ({})", record.home.host, record.home.path)
    });
    format!(
        "not found at the provider, but sender {sender}{at} may still send it: it goes on when that \
         process has ended and a worker runs there again; if that machine is lost for good, say \
         so: producer worker lost {sender} --reason …"
    )
}
