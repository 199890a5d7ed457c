//! Rows that were destroyed at retention are counted, and the rest is compared.

use crate::world::*;
use domain::{Millis, ReferenceFormat, State};
use futures::executor::block_on;
use ledger::sealed::{MasterKey, Sealed, Shred, shred};
use providers::Period;
use reconcile::spent;
use std::sync::Arc;

/// Its list shows two payouts, of which the ledger has destroyed the rows.
fn destroyed(format: ReferenceFormat) -> World {
    let key = MasterKey::new(&[7; 32], "ledger.key").unwrap();
    let sealed = block_on(Sealed::open(memory(), key)).unwrap();
    World::on(Arc::new(sealed), &[State::Paid, State::Paid], format)
}

fn destroy(world: &World) {
    let batch = world.chunk.batch;
    block_on(async {
        let changes = world.ledger.batch(batch).await.unwrap().unwrap().changes;
        world.ledger.reported(batch, changes).await.unwrap();
        assert_eq!(shred(&*world.ledger, batch).await.unwrap(), Shred::Destroyed);
    });
}

#[test]
fn destroyed_rows_are_counted_once_and_are_no_difference() {
    // The last one leaves room for a short digest only, which tells nobody its reference.
    for format in [TEXT, ReferenceFormat::Text { max_bytes: 24 }] {
        let world = destroyed(format);
        assert_eq!((world.compare().agree, world.compare().destroyed), (2, 0));
        destroy(&world);
        assert_eq!(world.found(), []);
        let outcome = world.compare();
        assert_eq!((outcome.destroyed, outcome.ours, outcome.others), (2, 0, 0));
    }
}

#[test]
fn an_old_payout_in_the_list_whose_rows_were_destroyed_is_counted() {
    let world = destroyed(TEXT);
    let long_ago = Millis(NOW.0 - 30 * 24 * HOUR_MS);
    for at in 0..2 {
        world.put(at, |payout| (payout.send_before, payout.since) = (long_ago, long_ago));
    }
    destroy(&world);
    assert_eq!(world.found(), []);
    assert_eq!(world.compare().destroyed, 2);
}

#[test]
fn what_was_spent_is_told_without_destroyed_rows() {
    let world = destroyed(TEXT);
    destroy(&world);
    let period = Period { from: SENT, until: NOW };
    let spent = block_on(spent(&*world.ledger, &lane(), period)).unwrap();
    assert_eq!((spent.destroyed, spent.paid.0.len()), (2, 0));
}
