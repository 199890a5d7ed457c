//! What the people beside the workers have in common: a machine with a connection to the ledger, a
//! way to the provider, and the batch that they visit chunk by chunk.

use crate::exec::Exec;
use crate::intake::row;
use crate::sides::{Gateways, Side};
use domain::{BatchId, ChunkId, LedgerId, ProviderReference, Row};
use futures::future::BoxFuture;
use ledger::{Chunk, Ledger, LedgerError};
use std::sync::Arc;

/// A person.
#[derive(Clone)]
pub struct Person {
    /// Tasks and time.
    pub exec: Exec,
    /// The ledger, over a connection that may break.
    pub ledger: Arc<dyn Ledger>,
    /// The providers.
    pub gateways: Gateways,
    /// Rows of a chunk of the batch.
    pub chunk_rows: u16,
    /// What is worked on.
    pub batch: BatchId,
    /// The ledger's short id.
    pub id: LedgerId,
}

impl Person {
    /// Goes round the batch for ever, one `visit` to a chunk after each pause of `rest_ms` and up
    /// to `more_ms`. A visit gives false where there is no such chunk.
    pub async fn go_round<'a>(
        &'a self,
        (rest_ms, more_ms): (u64, u64),
        is_over: impl Fn() -> bool,
        visit: impl Fn(ChunkId) -> BoxFuture<'a, Result<bool, LedgerError>>,
    ) {
        let mut no = 0;
        while !is_over() {
            self.exec.sleep(rest_ms + self.exec.dice().below(more_ms)).await;
            match visit(ChunkId { batch: self.batch, no }).await {
                Ok(true) => no += 1,
                Ok(false) => no = 0,
                // He comes again; what he began is told by a look-up.
                Err(error) => drop(error),
            }
        }
    }

    /// A row of a chunk, as the payer wrote it.
    pub fn row(&self, chunk: &Chunk, at: u16) -> Row {
        row(u32::from(chunk.id.no) * u32::from(self.chunk_rows) + u32::from(at) + 1)
    }

    /// What an attempt of a row is called at the provider of one side.
    pub fn reference(&self, side: Side, row: &Row, attempt: u8) -> ProviderReference {
        ProviderReference::make(self.id, &row.reference, attempt, side.format())
    }
}
