//! What a signature covers, and what it does not yet.
//!
//! Whoever can write to the ledger can take every signed head away and write chains that fit
//! whatever he likes: hashes need no key. So *that nothing contradicts proves something only of what
//! is signed*. Where keys were named the installation must be signed by one of them, since every
//! signature signs it anew; a batch that is over must be signed in due time; and what is not signed
//! yet is counted, and said.
//!
//! In a live system what becomes of a batch is signed when its result is written, and so rightly not
//! before it is over, in the moments between its end and its result, and as long as nobody writes results.

use super::{Check, Problem};
use domain::{Batch, BatchState, Millis, Payout};
use ledger::LedgerError;
use ledger::audit::{Chain, Entry, Kind};

/// From the last thing that became of a batch until its result must have been signed. Results are
/// written within seconds where somebody writes them; a night without anybody is no finding.
const SIGNED_WITHIN_MS: u64 = 24 * 3_600 * 1_000;

/// What the ledger shows of a batch.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Entries of its chain, up to the newest that tells of settled chunks.
    settled: u64,
    /// Chunks that are not, or not as they stand, in the chain.
    not_told: u64,
    /// The newest thing that became of it.
    newest: Millis,
}

impl Shown {
    pub fn entry(&mut self, entry: &Entry) {
        if entry.kind == Kind::Settled {
            self.settled = entry.seq + 1;
            self.newest = self.newest.max(Millis(entry.at_ms));
        }
    }

    pub fn chunk(&mut self, payouts: &[Payout], is_told: bool) {
        self.not_told += u64::from(!is_told);
        let newest = payouts.iter().map(|payout| payout.since).max();
        self.newest = self.newest.max(newest.unwrap_or_default());
    }
}

impl Check<'_> {
    /// The chain of a batch that has its result is signed to what the result shows.
    pub(super) async fn is_signed(
        &mut self,
        batch: &Batch,
        seen: &Shown,
    ) -> Result<(), LedgerError> {
        let chain = Chain::batch(batch.id);
        let signed = self.newest(&chain).await?.map_or(0, |head| head.count);
        // A newer result may be under way: told already, and not signed yet.
        let now = self.ledger.batch(batch.id).await?.unwrap_or_else(|| batch.clone());
        let is_current = now.reported == Some(now.changes) && now.changes == batch.changes;
        let is_covered = signed > 0 && signed >= seen.settled;
        if batch.reported.is_some() && (signed == 0 || (is_current && !is_covered)) {
            self.push_once(Problem::NotSigned(chain.to_string()));
        } else if batch.state.was_sealed() && (!is_covered || seen.not_told > 0) {
            self.seen.not_signed_yet += 1;
            // News of a payout that came back leave no time behind: a batch that has a signed
            // result is late only with what its chain tells and nobody signed.
            let is_late = self.now.0.saturating_sub(seen.newest.0) > SIGNED_WITHIN_MS;
            let is_due = is_over(batch) && (batch.reported.is_none() || !is_covered);
            if self.trust.is_strict() && is_due && is_late {
                self.push_once(Problem::NeverSigned(batch.id));
            }
        }
        Ok(())
    }

    /// Where keys were named and there are batches, somebody signed how the installation's chain
    /// stands; that it does stand so was judged where it was read, and a key that is none of those
    /// is a finding of its own.
    pub(super) async fn anything_signed(&mut self) -> Result<(), LedgerError> {
        if !self.trust.is_strict() || !self.has_sealed {
            return Ok(());
        }
        // Asked for at the end: somebody may have signed the very first head since.
        let newest = self.newest(&Chain::installation()).await?;
        let is_signed = match newest {
            Some(head) => {
                let signer = self.signer(&head.key).await?;
                signer.key.is_some_and(|key| head.is_signed_by(&key))
            }
            None => false,
        };
        if !is_signed {
            self.push_once(Problem::NothingSigned);
        }
        Ok(())
    }
}

/// Whether its result is due.
fn is_over(batch: &Batch) -> bool {
    match batch.state {
        BatchState::Complete => true,
        BatchState::Cancelled => batch.counts.open() == 0,
        _ => false,
    }
}
