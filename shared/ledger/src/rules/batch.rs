//! A batch's record: its state changes by compare-and-set only, and its counters always add up
//! to its rows.

use crate::api::LedgerError;
use crate::types::{NewBatch, Seal};
use domain::batch::Totals;
use domain::{Batch, BatchState, Counts, Millis};

/// What an engine keeps of a batch.
#[derive(Clone, Debug)]
pub struct BatchRecord {
    /// What callers see.
    pub batch: Batch,
    /// Until when its intake lives, while it is `receiving`.
    pub intake_until: Millis,
    /// Until when somebody writes its result file.
    pub report_until: Millis,
    /// One of its payouts had an intent: its file is never taken again (S1).
    pub ever_sent: bool,
}

/// The chunks that an engine found when it was to seal.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// How many.
    pub chunks: u64,
    /// The highest number among them.
    pub last: Option<u16>,
    /// Their rows together.
    pub rows: u64,
}

/// Why an intake that somebody else took over was rejected.
pub const ABANDONED: &str = "its intake did not finish";

impl BatchRecord {
    /// A batch whose intake begins.
    pub fn open(new: &NewBatch, now: Millis) -> BatchRecord {
        BatchRecord {
            batch: Batch {
                id: new.id,
                name: new.name.clone(),
                file_sha256: new.file_sha256.clone(),
                state: BatchState::Receiving,
                created: now,
                terms: new.terms,
                totals: Totals::default(),
                chunks: 0,
                counts: Counts::default(),
                changes: 0,
                reported: None,
                reason: String::new(),
            },
            intake_until: now.plus(new.lease_ms),
            report_until: Millis(0),
            ever_sent: false,
        }
    }

    /// The same batch opened again; the same id for another file is a caller's mistake.
    pub fn opened_again(&self, new: &NewBatch) -> Result<(), LedgerError> {
        if self.batch.file_sha256 == new.file_sha256 {
            return Ok(());
        }
        Err(LedgerError::Broken(format!("batch {} was opened for another file before", new.id)))
    }

    /// Whether its file may be taken in again: nothing of it was or will be paid. Rejects it
    /// where its intake has died.
    pub fn gives_file_back(&mut self, now: Millis) -> bool {
        match self.batch.state {
            BatchState::Rejected => true,
            BatchState::Cancelled => !self.ever_sent,
            BatchState::Receiving => self.reject(ABANDONED, true, now),
            _ => false,
        }
    }

    /// Renews the intake lease; false if it is no longer `receiving`.
    pub fn appended(&mut self, lease_ms: u64, now: Millis) -> bool {
        let open = self.batch.state == BatchState::Receiving;
        if open {
            self.intake_until = now.plus(lease_ms);
        }
        open
    }

    /// `receiving → active | awaiting`, if what was written is what is sealed.
    pub fn seal(&mut self, seal: &Seal, found: Found) -> Result<bool, LedgerError> {
        if self.batch.state != BatchState::Receiving {
            return Ok(self.batch.state.was_sealed()
                && self.batch.chunks == seal.chunks
                && self.batch.totals == seal.totals);
        }
        let whole = u64::from(seal.chunks) == found.chunks
            && found.last.map(|no| u64::from(no) + 1) == Some(found.chunks)
            && found.rows == seal.totals.rows();
        let state = matches!(seal.state, BatchState::Active | BatchState::Awaiting);
        if !whole || !state {
            return Err(LedgerError::Broken(format!(
                "batch {} cannot be sealed as {} with {} chunks of {} rows in all; written: {found:?}",
                seal.id,
                seal.state,
                seal.chunks,
                seal.totals.rows(),
            )));
        }
        self.batch.state = seal.state;
        self.batch.totals = seal.totals.clone();
        self.batch.chunks = seal.chunks;
        self.batch.counts = Counts::all_accepted(found.rows);
        Ok(true)
    }

    /// `receiving → rejected`; gives whether it is rejected now.
    pub fn reject(&mut self, reason: &str, only_if_abandoned: bool, now: Millis) -> bool {
        let lives = only_if_abandoned && self.intake_until > now;
        if self.batch.state == BatchState::Receiving && !lives {
            self.batch.state = BatchState::Rejected;
            self.batch.reason = reason.to_owned();
        }
        self.batch.state == BatchState::Rejected
    }

    /// From one state to another by compare-and-set. Sealing and rejecting have rules of their
    /// own, so this never leaves `receiving`.
    pub fn go(&mut self, from: BatchState, to: BatchState) -> bool {
        let may = from != BatchState::Receiving && self.batch.state == from && from.may_become(to);
        if may {
            self.batch.state = to;
        }
        may
    }

    /// Its chunks are given out: it is paid, or what is under way is followed to its end.
    pub fn is_followed(&self) -> bool {
        match self.batch.state {
            BatchState::Active | BatchState::Paused => true,
            BatchState::Cancelled => self.batch.counts.open() > 0,
            _ => false,
        }
    }

    /// Its chunks may be claimed.
    pub fn is_claimable(&self) -> bool {
        let over = self.batch.state == BatchState::Cancelled && self.batch.counts.open() == 0;
        self.batch.state.was_sealed() && !over
    }

    /// After its counters changed: complete when nothing is open any more, and back.
    pub fn settle_state(&mut self) {
        let open = self.batch.counts.open() > 0;
        match self.batch.state {
            BatchState::Active | BatchState::Paused if !open => {
                self.batch.state = BatchState::Complete;
            }
            BatchState::Complete if open => self.batch.state = BatchState::Active,
            _ => {}
        }
    }

    /// Takes the report lease if a result file is due and nobody writes it.
    pub fn claim_report(&mut self, lease_ms: u64, now: Millis) -> bool {
        let ended = match self.batch.state {
            BatchState::Complete => true,
            BatchState::Cancelled => self.batch.counts.open() == 0,
            _ => false,
        };
        let due =
            ended && self.batch.reported != Some(self.batch.changes) && self.report_until <= now;
        if due {
            self.report_until = now.plus(lease_ms);
        }
        due
    }

    /// A result file shows change number `changes`. A late, older one does not hide a newer.
    pub fn reported(&mut self, changes: u64) {
        self.batch.reported = self.batch.reported.max(Some(changes));
        self.report_until = Millis(0);
    }
}
