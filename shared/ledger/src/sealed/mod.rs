//! Rows at rest are encrypted (S24): who has the ledger's file, its backup or its server, but not
//! the master key, reads no name and no destination.
//!
//! A ledger around any ledger. `append` encrypts each block of rows, `blocks` decrypts it; nothing
//! else is touched, because nothing else holds a whole destination. Each batch has a data key of
//! its own, made when the batch is opened, wrapped by the master key and kept in the register
//! `key/<batch>`. It is read once and then remembered, so no row and no chunk costs a round trip
//! more.
//!
//! ```text
//! master key (file or environment) ──wraps──▶ key/<batch> ──encrypts──▶ blocks of that batch
//!                                  └─seals──▶ key/check, so that a wrong key is found at the
//!                                             start and not at the first row
//! ```
//!
//! A block is bound to its batch, chunk and number: moved elsewhere it does not open. A ledger that
//! was begun without encryption is read all the same, up to the batch that was its newest then
//! (`key/check` holds which, sealed); in a newer one a block that is not encrypted is refused, or
//! else whoever can write to the ledger could slip in his own rows.
//!
//! - [`cipher`]: the keys and what they do; [`keys`]: the registers, and what is remembered
//! - [`retention`]: destroying the data keys of batches that are over
//!
//! What this does not do: a process that pays has the keys in its memory, and a log or journal of
//! the store beneath (SQLite's WAL until it is written over, Redis' AOF until its next rewrite, a
//! backup) holds a destroyed data key, still wrapped, for as long as it is kept.

mod cipher;
mod keys;
mod retention;

pub use cipher::MasterKey;
pub use keys::is_sealed;
pub use retention::{Shred, retain, shred};

use crate::api::{Answer, Ledger, LedgerError};
use crate::types::{NewBatch, NewChunk, Opened, Register};
use domain::{BatchId, ChunkId};
use keys::{BatchKey, Remembered};
use std::sync::Arc;

/// A ledger whose rows are encrypted.
pub struct Sealed {
    inner: Arc<dyn Ledger>,
    master: MasterKey,
    /// Batches up to this one may be without a key.
    plain_up_to: BatchId,
    remembered: Remembered,
}

impl Sealed {
    /// Encrypts the rows of `inner` from now on. A ledger that was encrypted under another master
    /// key is [`LedgerError::Broken`].
    pub async fn open(inner: Arc<dyn Ledger>, master: MasterKey) -> Result<Sealed, LedgerError> {
        let plain_up_to = keys::check(&*inner, &master).await?;
        Ok(Sealed { inner, master, plain_up_to, remembered: Remembered::default() })
    }

    /// *Crash between the two steps*: a batch without a key; its first append makes one.
    async fn open_with_key(&self, new: NewBatch) -> Result<Opened, LedgerError> {
        let batch = new.id;
        let opened = self.inner.open_batch(new).await?;
        if opened == Opened::Fresh {
            self.key_to_write(batch).await?;
        }
        Ok(opened)
    }

    async fn append_sealed(&self, chunk: NewChunk) -> Result<bool, LedgerError> {
        // Destroyed: the batch is over, and takes no chunk.
        let Some(key) = self.key_to_write(chunk.id.batch).await? else { return Ok(false) };
        let NewChunk { id, blocks, .. } = chunk;
        let sealed = (0..).zip(&blocks).map(|(no, block)| key.seal_block(id, no, block));
        let blocks = sealed.collect::<Result<_, _>>()?;
        self.inner.append(NewChunk { blocks, ..chunk }).await
    }

    async fn blocks_in_plain(
        &self,
        chunk: ChunkId,
        first: u16,
        last: u16,
    ) -> Result<Vec<Vec<u8>>, LedgerError> {
        let blocks = self.inner.blocks(chunk, first, last).await?;
        if blocks.is_empty() {
            return Ok(blocks);
        }
        match self.key_to_read(chunk.batch).await? {
            BatchKey::Held(key) => {
                let opened = (first..).zip(blocks);
                opened.map(|(no, block)| key.open_block(chunk, no, block)).collect()
            }
            BatchKey::Never => {
                blocks.iter().try_for_each(|block| cipher::is_plain(chunk, block))?;
                self.remembered.put(chunk.batch, BatchKey::Never);
                Ok(blocks)
            }
        }
    }
}

impl Ledger for Sealed {
    crate::forward! { self.inner =>
        about, trust, reserve, take_over, find, seal, reject, batch, batches, chunk, notes,
        take_ready, claim, renew, release, write, set_batch_state, claim_report, reported, lane,
        put_lane, permits, rules, put_rules, keep_stray, register, registers, append_entry,
        entries, entry_count
    }

    fn open_batch(&self, new: NewBatch) -> Answer<'_, Opened> {
        Box::pin(self.open_with_key(new))
    }

    fn append(&self, chunk: NewChunk) -> Answer<'_, bool> {
        Box::pin(self.append_sealed(chunk))
    }

    fn blocks(&self, chunk: ChunkId, first: u16, last: u16) -> Answer<'_, Vec<Vec<u8>>> {
        Box::pin(self.blocks_in_plain(chunk, first, last))
    }

    /// A data key that is destroyed here is forgotten here at once; other processes forget theirs
    /// within [`keys::REMEMBERED_FOR`].
    fn put_register(&self, register: Register) -> Answer<'_, bool> {
        self.remembered.forget(&register.name);
        self.inner.put_register(register)
    }
}
