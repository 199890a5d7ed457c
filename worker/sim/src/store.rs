//! The in-memory ledger behind a connection that lags and breaks: a call may fail before it was
//! executed, be executed and lose its answer, or lag for so long that its caller has given up,
//! has lost his lease, or is dead when it is executed.

use crate::exec::Exec;
use crate::log::{By, Log, Row};
use crate::process::OUTSIDE;
use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Place, ReferenceKey};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{Either, select};
use ledger::memory::MemoryLedger;
use ledger::*;

/// How bad a connection is; chances in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    /// Calls that fail, half of them after they were executed.
    pub breaks: u64,
    /// Calls that lag, there and back.
    pub lags: u64,
}

/// The longest lag, each way: more than twice a lease.
const LAG_MS: u64 = 20_000;
/// After so long a caller gives up, which stops nothing.
const PATIENCE_MS: u64 = 10_000;

/// One process's connection to the ledger.
pub struct Connection {
    exec: Exec,
    inner: MemoryLedger,
    link: Link,
    by: By,
    log: Log,
    /// How often the ledger had gone back when this was opened: no call outlives that.
    rewinds: u32,
}

impl Connection {
    /// A connection.
    pub fn new(exec: Exec, inner: MemoryLedger, link: Link, by: By, log: Log) -> Connection {
        let rewinds = log.rewinds();
        Connection { exec, inner, link, by, log, rewinds }
    }

    fn call<T: Send + 'static>(
        &self,
        step: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Answer<'_, T> {
        let (log, rewinds) = (self.log.clone(), self.rewinds);
        // What was on its way to a ledger that is gone never reaches the one after it.
        let step = async move { if log.rewinds() == rewinds { step.await } else { Err(broken()) } };
        async move {
            let dice = self.exec.dice();
            if self.link.lags > 0 && dice.chance(self.link.lags) {
                return self.lag(step).await;
            }
            let (there_ms, back_ms) = (dice.below(3), dice.below(3));
            let breaks = dice.chance(self.link.breaks);
            let executed = dice.chance(500);
            self.exec.sleep(there_ms).await;
            if breaks && !executed {
                return Err(broken());
            }
            let answer = step.await;
            self.exec.sleep(back_ms).await;
            if breaks { Err(broken()) } else { answer }
        }
        .boxed()
    }

    /// Once it has left it goes on by itself, whatever becomes of its caller.
    async fn lag<T: Send + 'static>(
        &self,
        step: impl Future<Output = Result<T, LedgerError>> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (tell, told) = oneshot::channel();
        let exec = self.exec.clone();
        let task = async move {
            exec.sleep(exec.dice().below(LAG_MS)).await;
            let answer = step.await;
            exec.sleep(exec.dice().below(LAG_MS)).await;
            let _ = tell.send(answer);
        };
        self.exec.spawn(OUTSIDE, task.boxed());
        match select(told, self.exec.sleep(PATIENCE_MS)).await {
            Either::Left((Ok(answer), _)) => answer,
            _ => Err(broken()),
        }
    }
}

fn broken() -> LedgerError {
    LedgerError::Unavailable("simulated".to_owned())
}

/// Calls that are only passed on.
macro_rules! pass_on {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)+) => {
        $(fn $name(&self, $($arg: $type),*) -> Answer<'_, $answer> {
            let ledger = self.inner.clone();
            self.call(async move { ledger.$name($($arg),*).await })
        })+
    };
}

impl Ledger for Connection {
    pass_on! {
        about() -> About;
        open_batch(new: NewBatch) -> Opened;
        reserve(wanted: Vec<(ReferenceKey, Place)>) -> Vec<Held>;
        take_over(key: ReferenceKey, from: Place, to: Place) -> bool;
        find(key: ReferenceKey) -> Option<Place>;
        append(chunk: NewChunk) -> bool;
        seal(seal: Seal) -> bool;
        reject(batch: BatchId, reason: String, only_if_abandoned: bool) -> bool;
        batch(id: BatchId) -> Option<Batch>;
        batches(before: Option<BatchId>, limit: u32) -> Vec<Batch>;
        chunk(id: ChunkId) -> Option<Chunk>;
        blocks(chunk: ChunkId, first: u16, last: u16) -> Vec<Vec<u8>>;
        notes(chunk: ChunkId) -> Vec<(u16, Note)>;
        take_ready(lane: LaneName, max: u16, hint_ms: u64) -> Vec<ChunkId>;
        set_batch_state(id: BatchId, from: BatchState, to: BatchState) -> bool;
        claim_report(id: BatchId, lease_ms: u64) -> Option<Batch>;
        reported(id: BatchId, changes: u64) -> ();
        lane(name: LaneName) -> LaneRecord;
        put_lane(record: LaneRecord) -> bool;
        permits(lane: LaneName, want: u32, pace: Pace) -> Permits;
        rules(lane: LaneName) -> Option<(Millis, String)>;
        put_rules(lane: LaneName, text: String) -> ();
        keep_stray(lane: LaneName, text: String) -> ();
        register(name: String) -> Option<Register>;
        registers(prefix: String) -> Vec<Register>;
        put_register(register: Register) -> bool;
        append_entry(chain: String, seq: u64, entry: Vec<u8>) -> bool;
        entries(chain: String, from: u64, limit: u32) -> Vec<Vec<u8>>;
        entry_count(chain: String) -> u64;
    }

    fn claim(&self, chunk: ChunkId, lease_ms: u64) -> Answer<'_, Claim> {
        let (ledger, log, exec) = (self.inner.clone(), self.log.clone(), self.exec.clone());
        self.call(async move {
            let claim = ledger.claim(chunk, lease_ms).await?;
            log.claimed(chunk, &claim, exec.now_ms() + lease_ms);
            Ok(claim)
        })
    }

    fn renew(&self, chunk: ChunkId, token: Token, lease_ms: u64) -> Answer<'_, bool> {
        let (ledger, log, exec) = (self.inner.clone(), self.log.clone(), self.exec.clone());
        self.call(async move {
            let is_renewed = ledger.renew(chunk, token, lease_ms).await?;
            if is_renewed {
                log.renewed(chunk, token, exec.now_ms() + lease_ms);
            }
            Ok(is_renewed)
        })
    }

    fn release(&self, chunk: ChunkId, token: Token, next_at: Millis) -> Answer<'_, ()> {
        let (ledger, log) = (self.inner.clone(), self.log.clone());
        self.call(async move {
            ledger.release(chunk, token, next_at).await?;
            log.released(chunk, token);
            Ok(())
        })
    }

    fn write(&self, chunk: ChunkId, guard: Guard, changes: Vec<Change>) -> Answer<'_, Written> {
        let (ledger, log, exec) = (self.inner.clone(), self.log.clone(), self.exec.clone());
        let by = self.by;
        self.call(async move {
            let rows = Row::all(chunk, &changes);
            let written = ledger.write(chunk, guard, changes).await?;
            if let Written::Done(conflicts) = &written {
                let conflicts: Vec<u16> = conflicts.iter().map(|(row, _)| *row).collect();
                log.wrote(exec.now_ms(), by, guard, rows, &conflicts);
            }
            Ok(written)
        })
    }

    fn trust(&self, life: Life) {
        self.inner.trust(life);
    }
}
