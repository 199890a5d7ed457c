//! Rows at the end of their retention are destroyed batch by batch, and no batch waits for another.

use crate::world::{World, card};
use domain::{BatchId, ChunkId, Event, News, Policy, State};
use ledger::apply::{Happening, apply};
use ledger::sealed::{MasterKey, Sealed, Shred, shred};
use ledger::{Guard, Ledger, LedgerError};
use producer::report::keep_up::{keep_up, once};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// Longer than all retention here, and than the way from the world's clock to the machine's.
const LONG_MS: u64 = 200_000_000_000;

/// A ledger whose rows of one batch are damaged.
struct Damaged {
    inner: Arc<dyn Ledger>,
    batch: Arc<Mutex<Option<BatchId>>>,
}

impl Ledger for Damaged {
    ledger::forward! { self.inner =>
        about, trust, open_batch, reserve, take_over, find, append, seal, reject, batch, batches,
        chunk, notes, take_ready, claim, renew, release, write, set_batch_state, claim_report,
        reported, lane, put_lane, permits, rules, put_rules, keep_stray, register, registers,
        put_register, append_entry, entries, entry_count
    }

    fn blocks(&self, chunk: ChunkId, first: u16, last: u16) -> ledger::Answer<'_, Vec<Vec<u8>>> {
        let is_damaged = *self.batch.lock().unwrap() == Some(chunk.batch);
        Box::pin(async move {
            let blocks = self.inner.blocks(chunk, first, last).await?;
            Ok(blocks.into_iter().map(|block| if is_damaged { vec![0] } else { block }).collect())
        })
    }
}

async fn paid(world: &World, name: &str) -> BatchId {
    let id = world.taken(&world.rows(&format!("{name}.csv"), &[card(name, "1")])).await;
    let (place, _) = world.rows_of(id).await.remove(0);
    world.settle(place, State::Paid).await;
    id
}

/// The payout of a batch comes back: its result is to be written anew.
async fn returned(world: &World, id: BatchId) {
    let chunk = ChunkId { batch: id, no: 0 };
    let payout = world.ledger.chunk(chunk).await.unwrap().unwrap().payouts[0];
    let event = Event::News { attempt: 1, news: News::Returned };
    let now = world.ledger.about().await.unwrap().now;
    let happening = Happening { row: 0, payout, event, notes: Vec::new() };
    let policy = Policy::default();
    let done = apply(&*world.ledger, chunk, Guard::Fact, now, &policy, vec![happening]).await;
    done.unwrap().unwrap();
}

#[tokio::test]
async fn broken_rows_and_rows_that_are_gone_keep_no_other_batch_from_its_result_and_its_retention()
{
    let mut world = World::with_config(|config| config.ledger.keep_rows_days = 30);
    let batch = Arc::<Mutex<Option<BatchId>>>::default();
    let inner = Damaged { inner: world.ledger.clone(), batch: batch.clone() };
    let key = MasterKey::new(&[7; 32], "here").unwrap();
    world.ledger = Arc::new(Sealed::open(Arc::new(inner), key).await.unwrap());
    let folder = world.path("done");
    std::fs::create_dir(&folder).unwrap();

    // The newest is looked at first, the oldest last: the bad ones stand before and between.
    let oldest = paid(&world, "oldest").await;
    let gone = paid(&world, "gone").await;
    assert_eq!(once(&*world.ledger, &world.rules, &folder, true).await.unwrap(), 2);
    assert_eq!(shred(&*world.ledger, gone).await.unwrap(), Shred::Destroyed);
    returned(&world, gone).await;
    let middle = paid(&world, "middle").await;
    let broken = paid(&world, "broken").await;
    *batch.lock().unwrap() = Some(broken);
    world.pass(LONG_MS);

    let (stop, stopped) = watch::channel(false);
    let (ledger, rules) = (world.ledger.clone(), world.rules.clone());
    let to = folder.clone();
    let keeping = tokio::spawn(async move { keep_up(ledger, rules, &to, stopped).await });
    let rows = async |id| world.ledger.blocks(ChunkId { batch: id, no: 0 }, 0, 0).await;
    let both_are_gone = async {
        for id in [middle, oldest] {
            while !matches!(rows(id).await, Err(LedgerError::Destroyed { .. })) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), both_are_gone).await.unwrap();
    stop.send(true).unwrap();
    keeping.await.unwrap();
    assert!(
        folder.join("middle.result.csv").exists() && !folder.join("broken.result.csv").exists()
    );
    assert!(matches!(rows(broken).await, Err(LedgerError::Broken(_))));
    // Whoever repairs it gets its result: its key was not destroyed before that was written.
    *batch.lock().unwrap() = None;
    world.pass(LONG_MS);
    assert_eq!(once(&*world.ledger, &world.rules, &folder, true).await.unwrap(), 1);
    assert!(folder.join("broken.result.csv").exists());
}
