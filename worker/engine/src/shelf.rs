//! Rows at hand: unpacked blocks of chunks, a bounded number of them. Rows never change, so what
//! lies here is never stale.

use domain::{ChunkId, Row};
use ledger::rows::{BLOCK_ROWS, block_of, decode};
use ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Blocks kept: with rows of 500 bytes about 5 MiB.
const MAX_BLOCKS: usize = 96;

type Block = Arc<Vec<Arc<Row>>>;

/// A bounded cache of unpacked blocks.
#[derive(Default)]
pub struct Shelf(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Block → (its rows, when it was last used).
    blocks: BTreeMap<(ChunkId, u16), (Block, u64)>,
    uses: u64,
}

impl Shelf {
    /// Makes sure that the rows `first..=last` of a chunk are at hand, with one read of the
    /// ledger for all that are not; gives them.
    pub async fn rows(
        &self,
        ledger: &dyn Ledger,
        chunk: ChunkId,
        first: u16,
        last: u16,
    ) -> Result<Rows, LedgerError> {
        let (from, to) = (block_of(first), block_of(last));
        let mut found: BTreeMap<u16, Block> = BTreeMap::new();
        {
            let mut inner = self.lock();
            for no in from..=to {
                if let Some(block) = inner.get(chunk, no) {
                    found.insert(no, block);
                }
            }
        }
        let missing: Vec<u16> = (from..=to).filter(|no| !found.contains_key(no)).collect();
        if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
            let packed = ledger.blocks(chunk, *first, *last).await?;
            for (no, bytes) in (*first..=*last).zip(packed) {
                let rows = decode(&bytes)?.into_iter().map(Arc::new).collect();
                let block: Block = Arc::new(rows);
                self.lock().put(chunk, no, Arc::clone(&block));
                found.insert(no, block);
            }
        }
        Ok(Rows { chunk, found })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn get(&mut self, chunk: ChunkId, no: u16) -> Option<Block> {
        self.uses += 1;
        let uses = self.uses;
        let (block, used) = self.blocks.get_mut(&(chunk, no))?;
        *used = uses;
        Some(Arc::clone(block))
    }

    fn put(&mut self, chunk: ChunkId, no: u16, block: Block) {
        self.uses += 1;
        self.blocks.insert((chunk, no), (block, self.uses));
        if self.blocks.len() > MAX_BLOCKS {
            let oldest = self.blocks.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key);
            if let Some(key) = oldest {
                self.blocks.remove(&key);
            }
        }
    }
}

/// Some rows of one chunk.
pub struct Rows {
    chunk: ChunkId,
    found: BTreeMap<u16, Block>,
}

impl Rows {
    /// One of the rows that were asked for.
    pub fn get(&self, row: u16) -> Result<Arc<Row>, LedgerError> {
        let block = self.found.get(&block_of(row));
        let found = block.and_then(|b| b.get(usize::from(row % BLOCK_ROWS)));
        found.cloned().ok_or_else(|| {
            LedgerError::Broken(format!("row {row} of {} is missing from its block", self.chunk))
        })
    }
}
