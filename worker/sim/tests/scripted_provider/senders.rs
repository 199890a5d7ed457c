//! Who may still be sending (S12), under which account (S4), and what stands in the journal before
//! anything leaves (S18).

use crate::world::{OTHER, World, is};
use domain::{Account, Cause, Event, News, State};
use futures::executor::block_on;
use ledger::{LaneRecord, Ledger, NoteKind, senders};
use providers::Found;
use sim::gateway::lane_name;
use std::sync::atomic::Ordering;

/// One row that another worker was about to send, of whom nothing was heard since; and one that
/// look-ups prove themselves by.
fn one_in_doubt() -> World {
    let world = World::new(2, 0);
    world.intend(0, Account::of("scripted:1"));
    world.happen(0, Event::SenderLost, Vec::new());
    world.provider.finds(|payment| match payment.place.row {
        0 => Found::Absent,
        _ => is(News::InProgress, None, ""),
    });
    world
}

fn sent(world: &World, row: u16) -> usize {
    let sent = world.provider.sent.lock().unwrap();
    sent.iter().filter(|payment| payment.place.row == row).count()
}

#[test]
fn what_a_frozen_sender_may_still_send_is_not_sent_again_before_he_is_known_to_be_gone() {
    let world = one_in_doubt();
    world.work_for(60_000);
    assert_eq!((sent(&world, 0), world.payout(0).state), (0, State::Unknown));
    let reasons = world.notes(0, NoteKind::Reason);
    assert_eq!(reasons.len(), 1, "said once: {reasons:?}");
    assert!(reasons[0].contains("sender 1 on far"), "{reasons:?}");
    assert!(reasons[0].contains("producer worker lost 1"), "{reasons:?}");
    let gone = senders::declare_gone(&world.ledger, "scrapped", |r| r.number == OTHER);
    assert_eq!(block_on(gone).unwrap().len(), 1);
    world.work_for(120_000);
    assert_eq!(sent(&world, 0), 1, "{:?}", world.payout(0));
}

#[test]
fn what_a_frozen_sender_may_still_send_goes_to_a_person_in_the_end() {
    let world = one_in_doubt();
    world.work_for(400_000);
    assert_eq!((sent(&world, 0), world.payout(0).state), (0, State::Review));
    assert_eq!(world.payout(0).cause, Cause::CannotBeKnown);
}

#[test]
fn a_payout_of_another_account_is_neither_sent_nor_asked_about_and_goes_to_a_person() {
    let world = World::new(2, 0);
    world.intend(0, Account(77));
    world.happen(0, Event::SenderLost, Vec::new());
    world.work_for(250_000);
    assert_eq!((sent(&world, 0), sent(&world, 1)), (0, 1));
    let asked = world.provider.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|payment| payment.place.row != 0), "asked in the wrong place");
    assert_eq!(world.notes(0, NoteKind::Reason).len(), 1, "said once");
    world.work_for(100_000);
    assert_eq!(world.payout(0).state, State::Review);
}

#[test]
fn a_payout_of_another_account_does_not_keep_its_chunk_busy() {
    let world = World::new(1, 0);
    world.intend(0, Account(77));
    world.happen(0, Event::SenderLost, Vec::new());
    world.work();
    world.pass(60_000);
    let due = block_on(world.ledger.take_ready(lane_name(), 8, 1_000)).unwrap();
    assert!(due.is_empty(), "{due:?} is due again at once");
}

#[test]
fn every_intent_stands_in_the_journal_before_its_request_leaves() {
    let world = World::new(3, 0);
    world.work();
    let entries = world.journal.kept.entries();
    let mut rows: Vec<_> =
        entries.iter().flat_map(|e| &e.rows).map(|r| (r.row, r.attempt, r.intents)).collect();
    rows.sort_unstable();
    assert_eq!(rows, [(0, 1, 1), (1, 1, 1), (2, 1, 1)]);
    for row in 0..3 {
        let payout = world.payout(row);
        assert!(
            entries.iter().any(|e| e.send_before == payout.send_before && e.chunk == world.chunk)
        );
    }
}

#[test]
fn a_second_step_stands_in_the_journal_under_a_number_of_its_own() {
    let world = World::new(1, 0);
    world.provider.finds(|_| Found::StepDue { provider_id: None });
    world.sent(0, domain::Outcome::Begun, Vec::new());
    world.work();
    assert_eq!(world.provider.stepped.lock().unwrap().len(), 1);
    let entries = world.journal.kept.entries();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].rows[0].intents, 2);
    assert_eq!(entries[0].send_before, world.payout(0).send_before, "that of its create");
}

#[test]
fn what_the_journal_does_not_take_is_withdrawn_and_sent_when_it_takes_it_again() {
    let world = World::new(2, 0);
    world.journal.is_full.store(true, Ordering::Relaxed);
    world.work();
    assert_eq!(sent(&world, 0) + sent(&world, 1), 0);
    for payout in world.payouts() {
        assert_eq!((payout.state, payout.intents), (State::Accepted, 1), "withdrawn");
    }
    assert!(world.engine.held().unwrap().contains("no space left"));
    world.journal.is_full.store(false, Ordering::Relaxed);
    world.pass(2_000);
    world.work();
    assert_eq!((sent(&world, 0), sent(&world, 1)), (1, 1));
    assert_eq!(world.engine.held(), None);
}

#[test]
fn a_step_that_the_journal_does_not_take_is_not_taken_and_the_next_look_up_finds_it_due() {
    let world = World::new(1, 0);
    world.provider.finds(|_| Found::StepDue { provider_id: None });
    world.sent(0, domain::Outcome::Begun, Vec::new());
    world.journal.is_full.store(true, Ordering::Relaxed);
    world.work();
    assert_eq!(world.provider.tried(), 0);
    assert!(!world.payout(0).step_open && !world.payout(0).stepped);
    world.journal.is_full.store(false, Ordering::Relaxed);
    world.pass(10_000);
    world.work();
    assert_eq!(world.provider.stepped.lock().unwrap().len(), 1);
}

#[test]
fn an_engine_that_is_held_takes_nothing_until_it_goes_on() {
    let world = World::new(1, 0);
    world.engine.hold("the ledger is suspect");
    assert!(!world.engine.offer(world.chunk, &lane_name()));
    assert_eq!(world.engine.held().as_deref(), Some("the ledger is suspect"));
    let LaneRecord { stopped, .. } = block_on(world.ledger.lane(lane_name())).unwrap();
    assert_eq!(stopped, None, "it is this process, not the lane");
    world.engine.resume(ledger::Life(0));
    world.work();
    assert_eq!(sent(&world, 0), 1);
}
