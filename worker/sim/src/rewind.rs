//! The ledger goes back in time (S18): a copy of it is put back seconds or minutes later, while
//! everybody is dead. Before anybody is started again, all journals are compared with it and what
//! they name is marked; where they are lost, everything that is open is.
//!
//! What a rewind may change: the ledger forgets what it took since, also what it was told, and who
//! was told has no reason to say it again. So a payout may be in review that would have been paid.
//! What it may not change: nobody is paid twice, and nobody is forgotten. The provider and the
//! journals never go back.

use crate::log::{By, Moment};
use crate::pool::Pool;
use crate::process::{OFFICE, OPERATOR};
use crate::run::policy;
use domain::{BatchId, ChunkId, Payout, Place};
use journal::rewind::{compare, mark, mark_all};
use ledger::memory::{Backup, MemoryLedger};
use ledger::{Ledger, LedgerError, senders};

/// The copy is taken, and later put back, within so long: while payouts are being sent.
const SOON_MS: u64 = 40_000;
/// Every third is put back so late that much has ended since.
const LATE_MS: u64 = 4 * 60_000;
/// How long nobody is at work then, at most.
const AWAY_MS: u64 = 20_000;

/// When the ledger goes back, and to what.
pub struct Plan {
    left: u32,
    at_ms: u64,
    copy: Option<Copy>,
}

/// The ledger at one moment, and how far its log and the callbacks had come.
struct Copy {
    ledger: Backup,
    moment: Moment,
    told: usize,
}

impl Plan {
    /// As the scenario says, at moments that are drawn.
    pub fn drawn(pool: &Pool) -> Plan {
        let left = pool.scenario().rewinds;
        let at_ms = if left > 0 { pool.exec().dice().below(SOON_MS) } else { 0 };
        Plan { left, at_ms, copy: None }
    }
}

impl Pool {
    /// Does what the plan has for this moment, if anything.
    pub(crate) async fn follow(&self, plan: &mut Plan, batch: BatchId) {
        let now_ms = self.exec().now_ms();
        let is_over = self.is_calm() || self.is_closing();
        if plan.left == 0 || now_ms < plan.at_ms || is_over {
            return;
        }
        let dice = self.exec().dice();
        match plan.copy.take() {
            None => {
                let (ledger, moment) = (self.memory().copy(), self.log().moment());
                plan.copy = Some(Copy { ledger, moment, told: self.told().len() });
                let longest_ms = if dice.chance(333) { LATE_MS } else { SOON_MS };
                plan.at_ms = now_ms + dice.below(longest_ms);
            }
            Some(copy) => {
                self.go_back(copy, batch).await;
                plan.left -= 1;
                plan.at_ms = self.exec().now_ms() + dice.below(SOON_MS);
            }
        }
    }

    /// Everybody dies, the ledger goes back, what it forgot is brought back, and work goes on.
    async fn go_back(&self, copy: Copy, batch: BatchId) {
        self.set_going_back(true);
        let workers = self.kill_all();
        self.kill(OPERATOR);
        self.kill(OFFICE);
        let before = payouts(self.memory(), batch).await;
        self.memory().put_back(copy.ledger);
        let after = payouts(self.memory(), batch).await;
        let turned = before.into_iter().zip(after).filter(|((_, was), (_, is))| was != is);
        let turned = turned.map(|((place, was), (_, is))| (place, was, is)).collect();
        self.log().rewound(self.exec().now_ms(), copy.moment, turned);
        self.forget_told_since(copy.told);
        self.exec().sleep(self.exec().dice().below(AWAY_MS)).await;
        // What breaks is done again, from the start: every step of it may be taken twice.
        while !self.bring_back().await.is_ok_and(|is_whole| is_whole) {
            self.exec().sleep(100).await;
        }
        self.set_going_back(false);
        workers.into_iter().for_each(|actor| self.start(actor));
        if let Ok(about) = self.memory().about().await {
            self.start_operator(batch, about.id);
            self.open_office(batch, about.id);
        }
    }

    /// As the first worker does that finds all homes unlocked. True when nothing is missing.
    async fn bring_back(&self) -> Result<bool, LedgerError> {
        let ledger = self.connection(By::Journal);
        senders::declare_gone(&*ledger, "the lock of its home is free", |_| true).await?;
        if self.scenario().journals_lost {
            mark_all(&*ledger, &|_| policy()).await?;
            return Ok(true);
        }
        let journals = self.remembered();
        mark(&*ledger, &|_| policy(), &compare(&*ledger, &journals).await?).await?;
        Ok(compare(&*ledger, &journals).await?.is_empty())
    }
}

/// All payouts, in order. The in-memory ledger always answers.
async fn payouts(ledger: &MemoryLedger, batch: BatchId) -> Vec<(Place, Payout)> {
    let chunks = ledger.batch(batch).await.ok().flatten().map_or(0, |batch| batch.chunks);
    let mut payouts = Vec::new();
    for no in 0..chunks {
        let id = ChunkId { batch, no };
        if let Ok(Some(chunk)) = ledger.chunk(id).await {
            let rows = (0u16..).zip(chunk.payouts);
            payouts.extend(rows.map(|(row, payout)| (Place { chunk: id, row }, payout)));
        }
    }
    payouts
}
