//! A ledger that answers, but keeps no stray.

use domain::LaneName;
use ledger::memory::MemoryLedger;
use ledger::*;

pub struct Unkept(pub MemoryLedger);

impl Ledger for Unkept {
    ledger::forward! { self.0 =>
        about, trust, open_batch, reserve, take_over, find, append, seal, reject, batch, batches,
        chunk, blocks, notes, take_ready, claim, renew, release, write, set_batch_state,
        claim_report, reported, lane, put_lane, permits, rules, put_rules, register, registers,
        put_register, append_entry, entries, entry_count
    }

    fn keep_stray(&self, _: LaneName, _: String) -> Answer<'_, ()> {
        Box::pin(async { Err(LedgerError::Unavailable("away".to_owned())) })
    }
}
