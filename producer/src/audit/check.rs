//! The chains against themselves, against their signed heads, and against the ledger's present
//! payouts. One page of a chain and one chunk are in memory at a time.
//!
//! A signature counts as far as somebody outside the ledger stands for its key ([`Trust`]).
//!
//! A live system changes while it is looked at: what a batch's result does not show yet is counted
//! as *not told yet*, and is no finding; what no head covers yet is counted as *not signed yet*
//! ([`signed`]).

mod signed;

use super::pages::Pages;
pub use super::problem::{Problem, TO_DO};
use super::settle::Said;
use super::told::{digest, sums};
use super::trust::{Signer, Trust, Voucher};
use domain::{Batch, BatchId, ChunkId, Millis};
use ledger::audit::{Chain, Entry, Finding, Hash, Kind, SignedHead, judge, known_key, newest_head};
use ledger::{Ledger, LedgerError};
use signed::Shown;
use std::collections::{BTreeMap, BTreeSet};

/// Batches read at once.
const PAGE: u32 = 100;

/// Problems that are kept; more are only counted.
const PROBLEMS_MAX: usize = 1_000;

/// How far it is, and what was seen.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Chains.
    pub chains: u64,
    /// Their entries.
    pub entries: u64,
    /// Batches.
    pub batches: u64,
    /// Chunks compared with what was told of them.
    pub chunks: u64,
    /// Chunks that changed since their batch's newest result.
    pub not_told_yet: u64,
    /// Batches of which a part is not signed yet: nobody outside the ledger stands for it.
    pub not_signed_yet: u64,
    /// The keys that signed, by fingerprint.
    pub signers: BTreeMap<String, Signer>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// What more is wrong.
    pub more: u64,
}

/// Checks one batch or everything; `shown` sees how far it is.
pub async fn check(
    ledger: &dyn Ledger,
    only: Option<BatchId>,
    trust: &Trust,
    shown: &(dyn Fn(&Checked) + Sync),
) -> Result<Checked, LedgerError> {
    let (seen, lanes, has_sealed) = Default::default();
    let now = ledger.about().await?.now;
    let mut check = Check { ledger, only, trust, now, has_sealed, seen, lanes, shown };
    check.installation().await?;
    match only {
        Some(id) => {
            if let Some(batch) = ledger.batch(id).await? {
                check.batch(&batch).await?;
            }
        }
        None => {
            let mut before = None;
            loop {
                let page = ledger.batches(before, PAGE).await?;
                let Some(last) = page.last() else { break };
                before = Some(last.id);
                for batch in &page {
                    check.batch(batch).await?;
                }
            }
            for lane in std::mem::take(&mut check.lanes) {
                check.chain(lane, |_, _| {}).await?;
            }
        }
    }
    check.anything_signed().await?;
    Ok(check.seen)
}

struct Check<'a> {
    ledger: &'a dyn Ledger,
    only: Option<BatchId>,
    trust: &'a Trust,
    now: Millis,
    has_sealed: bool,
    seen: Checked,
    lanes: BTreeSet<Chain>,
    shown: &'a (dyn Fn(&Checked) + Sync),
}

impl Check<'_> {
    /// The installation's chain, and every head that it holds.
    async fn installation(&mut self) -> Result<(), LedgerError> {
        let chain = Chain::installation();
        let newest = self.newest(&chain).await?;
        let mut stands = None;
        let mut pages = Pages::new(self.ledger, chain);
        while let Some((entry, hash)) = pages.next().await? {
            let is_newest = newest.as_ref().is_some_and(|head| head.count == entry.seq + 1);
            stands = if is_newest { Some(hash) } else { stands };
            if entry.kind == Kind::Head {
                self.head(&entry).await?;
            }
        }
        // Somebody may have signed the very first head since.
        let chain = Chain::installation();
        if pages.length() > 0 && newest.is_none() && self.newest(&chain).await?.is_none() {
            self.push_once(Problem::NotSigned(chain.to_string()));
        }
        self.ended(pages, newest, stands).await
    }

    /// A head in the installation's chain: the chain that it speaks of still stands so.
    async fn head(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let chain = Chain::installation().as_str().to_owned();
        let unreadable = Problem::Chain(Finding::Changed { chain, seq: entry.seq });
        let head = serde_json::from_value::<SignedHead>(entry.text.clone());
        let named = head.ok().and_then(|head| Some((Chain::named(&head.chain)?, head)));
        let Some((chain, head)) = named else {
            self.push_once(unreadable);
            return Ok(());
        };
        let batch = chain.as_batch();
        if self.only.is_some() && batch != self.only {
            return Ok(());
        }
        let has = self.ledger.entry_count(head.chain.clone()).await?;
        let stands = self.hash_at(&chain, head.count).await?;
        self.judge(&head, stands, has).await?;
        match batch {
            Some(id) if self.ledger.batch(id).await?.is_none() => {
                self.push_once(Problem::NoBatch(id));
            }
            Some(_) => {}
            None => drop(self.lanes.insert(chain)),
        }
        Ok(())
    }

    async fn hash_at(&self, chain: &Chain, count: u64) -> Result<Option<Hash>, LedgerError> {
        let Some(at) = count.checked_sub(1) else { return Ok(None) };
        let entry = self.ledger.entries(chain.as_str().to_owned(), at, 1).await?;
        Ok(entry.first().and_then(|bytes| Entry::decode(bytes)).map(|(_, hash)| hash))
    }

    async fn judge(
        &mut self,
        head: &SignedHead,
        stands: Option<Hash>,
        has: u64,
    ) -> Result<(), LedgerError> {
        let key = self.signer(&head.key).await?.key;
        if let Some(finding) = judge(head, key.as_ref(), stands, has) {
            self.push_once(Problem::Chain(finding));
        }
        Ok(())
    }

    /// Who signs with the key of this fingerprint.
    async fn signer(&mut self, fingerprint: &str) -> Result<Signer, LedgerError> {
        if let Some(known) = self.seen.signers.get(fingerprint) {
            return Ok(*known);
        }
        let signer = match self.trust.signer(fingerprint) {
            Some(signer) => signer,
            None => {
                let key = known_key(self.ledger, fingerprint).await?;
                Signer { key, voucher: Voucher::OnlyTheLedger }
            }
        };
        if let Some(key) = signer.strange().filter(|_| self.trust.is_strict()) {
            self.push_once(Problem::StrangeKey(key));
        }
        self.seen.signers.insert(fingerprint.to_owned(), signer);
        Ok(signer)
    }

    /// The newest head of a chain, as its register has it.
    async fn newest(&mut self, chain: &Chain) -> Result<Option<SignedHead>, LedgerError> {
        match newest_head(self.ledger, chain).await {
            Ok(head) => Ok(head),
            Err(LedgerError::Broken(_)) => {
                self.push_once(Problem::Register(format!("audit/head/{chain}")));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Any chain from its beginning.
    async fn chain(
        &mut self,
        chain: Chain,
        mut take: impl FnMut(&Entry, Hash),
    ) -> Result<(), LedgerError> {
        let newest = self.newest(&chain).await?;
        let mut stands = None;
        let mut pages = Pages::new(self.ledger, chain);
        while let Some((entry, hash)) = pages.next().await? {
            let is_newest = newest.as_ref().is_some_and(|head| head.count == entry.seq + 1);
            stands = if is_newest { Some(hash) } else { stands };
            take(&entry, hash);
        }
        self.ended(pages, newest, stands).await
    }

    async fn ended(
        &mut self,
        pages: Pages<'_>,
        newest: Option<SignedHead>,
        stands: Option<Hash>,
    ) -> Result<(), LedgerError> {
        let seen = pages.length();
        self.seen.entries += seen;
        self.seen.chains += 1;
        for finding in pages.found {
            self.push_once(Problem::Chain(finding));
        }
        if let Some(head) = newest {
            self.judge(&head, stands, seen).await?;
        }
        (self.shown)(&self.seen);
        Ok(())
    }

    async fn batch(&mut self, batch: &Batch) -> Result<(), LedgerError> {
        let mut said = Said::default();
        let mut seen = Shown::default();
        let take = |entry: &Entry, _| {
            seen.entry(entry);
            said.take(entry);
        };
        self.chain(Chain::batch(batch.id), take).await?;
        self.seen.batches += 1;
        if !batch.state.was_sealed() {
            return self.is_signed(batch, &seen).await;
        }
        self.has_sealed = true;
        match &said.intake {
            None => self.push_once(Problem::NoIntake(batch.id)),
            Some(told) => {
                let is_ours =
                    told.sha256 == batch.file_sha256 && told.totals == sums(&batch.totals);
                if !is_ours {
                    self.push_once(Problem::Batch(batch.id));
                }
            }
        }
        for no in 0..batch.chunks {
            self.chunk(batch, no, said.digests.get(&no).copied(), &mut seen).await?;
        }
        self.is_signed(batch, &seen).await?;
        (self.shown)(&self.seen);
        Ok(())
    }

    async fn chunk(
        &mut self,
        batch: &Batch,
        no: u16,
        told: Option<Hash>,
        seen: &mut Shown,
    ) -> Result<(), LedgerError> {
        let id = ChunkId { batch: batch.id, no };
        let is_current = batch.reported == Some(batch.changes);
        let chunk = self.ledger.chunk(id).await?;
        let payouts = chunk.map(|chunk| chunk.payouts).unwrap_or_default();
        self.seen.chunks += 1;
        let is_told = told == Some(digest(&payouts));
        seen.chunk(&payouts, is_told);
        if is_told || (told.is_none() && !is_current) {
            return Ok(());
        }
        // Somebody may have written between the look at the batch and the look at the chunk.
        let now = self.ledger.batch(id.batch).await?;
        if !is_current || now.is_none_or(|now| now.changes != batch.changes) {
            self.seen.not_told_yet += 1;
            return Ok(());
        }
        self.push_once(match told {
            Some(_) => Problem::Payouts(id),
            None => Problem::NotTold(id),
        });
        Ok(())
    }

    /// The same thing is seen from several sides.
    fn push_once(&mut self, problem: Problem) {
        if self.seen.problems.len() >= PROBLEMS_MAX {
            self.seen.more += 1;
        } else if !self.seen.problems.contains(&problem) {
            self.seen.problems.push(problem);
        }
    }
}
