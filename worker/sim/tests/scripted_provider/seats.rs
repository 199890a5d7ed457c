//! How many creates of the whole pool are under way at once: the seats of a lane, shared.

use crate::world::World;
use domain::{ChunkId, State};
use engine::Engine;
use futures::FutureExt;
use futures::executor::block_on;
use ledger::{Answer, Ledger, LedgerError, Register, forward, seats};
use sim::gateway::lane_name;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const CHUNK_ROWS: u16 = 20;

/// A ledger whose registers cannot be reached for a while; all else can.
pub struct Cut<L> {
    pub inner: L,
    pub is_cut: Arc<AtomicBool>,
}

impl<L: Ledger> Ledger for Cut<L> {
    forward! { self.inner =>
        about, trust, open_batch, reserve, take_over, find, append, seal, reject, batch, batches,
        chunk, blocks, notes, take_ready, claim, renew, release, write, set_batch_state,
        claim_report, reported, lane, put_lane, permits, rules, put_rules, keep_stray, registers,
        put_register, append_entry, entries, entry_count
    }

    fn register(&self, name: String) -> Answer<'_, Option<Register>> {
        if self.is_cut.load(Ordering::Relaxed) {
            let away = LedgerError::Unavailable("cut".to_owned());
            return futures::future::ready(Err(away)).boxed();
        }
        self.inner.register(name)
    }
}

fn held(world: &World) -> usize {
    block_on(seats::read(&world.ledger, &lane_name())).expect("it answers").1.line().len()
}

fn sent_by(engine: &Engine) -> u64 {
    engine.counters().creates_total.load(Ordering::Relaxed)
}

/// Offers a chunk to whoever has room for it, as the queue does, until all payouts were taken.
fn pay(world: &World, engines: &[&Engine]) {
    let chunk = |no| ChunkId { no, ..world.chunk };
    let payouts = |no| {
        let chunk = block_on(world.ledger.chunk(chunk(no))).expect("it answers");
        chunk.map_or_else(Vec::new, |chunk| chunk.payouts)
    };
    let is_taken = |no| payouts(no).iter().all(|payout| payout.state == State::Submitted);
    let count = u16::try_from(engines.len()).expect("a few");
    while !(0..count).all(is_taken) {
        for (no, engine) in (0..count).zip(engines) {
            engine.offer(chunk(no), &lane_name());
        }
        world.pass(50);
    }
}

#[test]
fn one_worker_alone_has_all_seats_of_its_lane_at_once_and_gives_them_back() {
    let world = World::seated(24, 24, 8);
    world.work();
    assert_eq!(world.provider.at_once(), 8);
    assert!(world.exec.now_ms() < 150, "three rounds of 20 ms: {}", world.exec.now_ms());
    assert_eq!(held(&world), 1);
    world.pass(2_000);
    assert_eq!(held(&world), 0);
}

#[test]
fn two_workers_together_have_no_more_under_way_than_the_lane_allows_and_both_send() {
    for in_flight in [1, 3] {
        let world = World::seated(2 * CHUNK_ROWS, CHUNK_ROWS, in_flight);
        // So slowly that each of them finds the other at work.
        world.provider.takes_ms(400);
        let neighbour = world.neighbour();
        pay(&world, &[&world.engine, &neighbour]);
        assert_eq!(world.provider.at_once(), usize::from(in_flight));
        let sent = [&world.engine, &neighbour].map(sent_by);
        assert_eq!(sent.iter().sum::<u64>(), u64::from(2 * CHUNK_ROWS));
        assert!(sent.iter().all(|sent| *sent >= 5), "{sent:?}");
    }
}

#[test]
fn while_nobody_can_tell_who_has_the_seats_nothing_begins_and_it_goes_on_by_itself() {
    let world = World::seated(CHUNK_ROWS, CHUNK_ROWS, 1);
    world.provider.takes_ms(500);
    assert!(world.engine.offer(world.chunk, &lane_name()));
    world.pass(1_200);
    assert!(sent_by(&world.engine) > 0);
    world.is_cut.store(true, Ordering::Relaxed);
    world.pass(seats::SHARE_MS);
    let before = sent_by(&world.engine);
    for _ in 0..10 {
        world.engine.offer(world.chunk, &lane_name());
        world.pass(500);
    }
    assert_eq!(sent_by(&world.engine), before, "its share has ended");
    world.is_cut.store(false, Ordering::Relaxed);
    pay(&world, &[&world.engine]);
    assert_eq!(world.provider.at_once(), 1);
}

#[test]
fn a_worker_that_stops_in_order_leaves_its_seats_to_the_others_at_once() {
    let world = World::seated(2 * CHUNK_ROWS, CHUNK_ROWS, 2);
    let neighbour = world.neighbour();
    world.provider.takes_ms(300);
    assert!(world.engine.offer(world.chunk, &lane_name()));
    world.until(|world| sent_by(&world.engine) > 0);
    world.stop();
    assert_eq!(held(&world), 0);
    let began_ms = world.exec.now_ms();
    assert!(neighbour.offer(ChunkId { no: 1, ..world.chunk }, &lane_name()));
    world.until(|_| sent_by(&neighbour) == 2);
    assert!(world.exec.now_ms() < began_ms + 50, "{} ms", world.exec.now_ms() - began_ms);
}
