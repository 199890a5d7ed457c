//! A ledger that goes back in time (S18): what the journal names is brought back, once, and asked
//! about before anything is sent again.

use crate::world::{World, is};
use domain::{BatchState, Cause, Event, News, Place, State};
use engine::Hearing;
use futures::executor::block_on;
use journal::rewind::{Forgotten, Marked, compare, mark, mark_all};
use ledger::intake::reserve;
use ledger::memory::MemoryLedger;
use ledger::{Ledger, NoteKind};
use providers::{CallbackKind, Found};
use sim::intake::take_in;
use sim::run::{ledger_time, policy};
use std::sync::Arc;

fn forgotten(world: &World) -> Vec<Forgotten> {
    block_on(compare(&world.ledger, &world.journal.kept.entries())).unwrap()
}

fn bring_back(world: &World) -> Marked {
    block_on(mark(&world.ledger, &|_| policy(), &forgotten(world))).unwrap()
}

fn sent(world: &World) -> usize {
    world.provider.sent.lock().unwrap().len()
}

/// Three rows were sent, and then the ledger was put back to before.
fn rewound() -> World {
    let world = World::new(3, 0);
    let before = world.ledger.copy();
    world.work();
    assert_eq!((sent(&world), forgotten(&world)), (3, Vec::new()));
    world.ledger.put_back(before);
    world
}

#[test]
fn what_the_ledger_forgot_is_asked_about_before_it_is_sent_again() {
    let world = rewound();
    assert_eq!(forgotten(&world).len(), 3);
    assert_eq!(bring_back(&world), Marked { payouts: 3, references: 0 });
    assert_eq!(forgotten(&world), []);
    assert_eq!(bring_back(&world), Marked::default(), "once is enough");
    for payout in world.payouts() {
        assert_eq!((payout.state, payout.cause), (State::Unknown, Cause::LedgerRewound));
        assert_eq!(payout.intents, 1);
    }
    world.provider.finds(|_| is(News::Paid, None, ""));
    world.work_for(60_000);
    assert!(world.payouts().iter().all(|payout| payout.state == State::Paid));
    assert_eq!(sent(&world), 3, "nothing was sent again");
}

#[test]
fn a_number_that_the_ledger_gave_to_two_intents_is_found_out() {
    let world = rewound();
    world.pass(100);
    world.work();
    assert_eq!(sent(&world), 6, "the harm is done; now it must come to light");
    assert_eq!(bring_back(&world), Marked { payouts: 3, references: 0 });
    assert_eq!(forgotten(&world), []);
}

#[test]
fn references_of_a_batch_that_was_lost_whole_are_held_for_ever() {
    let world = rewound();
    world.ledger.put_back(MemoryLedger::new(id(&world), Arc::new(|| ledger_time(0))).copy());
    assert_eq!(bring_back(&world), Marked { payouts: 0, references: 3 });
    assert_eq!(forgotten(&world), []);
    let entries = world.journal.kept.entries();
    let keys = entries.iter().flat_map(|entry| &entry.rows).map(|row| row.key);
    let elsewhere = Place { chunk: another(&world), row: 0 };
    for key in keys {
        let conflicts = block_on(reserve(&world.ledger, &[(key, elsewhere)])).unwrap();
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].by.chunk.batch, world.chunk.batch, "the lost one is named");
        assert!(conflicts[0].batch.is_none());
    }
}

#[test]
fn a_lost_batch_whose_file_was_taken_again_is_the_same_payouts() {
    let world = rewound();
    world.ledger.put_back(MemoryLedger::new(id(&world), Arc::new(|| ledger_time(0))).copy());
    let again = block_on(take_in(&world.ledger, 3, 3, domain::Terms::default(), None));
    let found = forgotten(&world);
    let is_there = |one: &Forgotten| matches!(one, Forgotten::Intent { place, .. } if place.chunk.batch == again);
    assert!(found.len() == 3 && found.iter().all(is_there), "{found:?}");
    assert_eq!(bring_back(&world), Marked { payouts: 3, references: 0 });
    assert_eq!(forgotten(&world), []);
}

#[test]
fn an_intake_that_the_ledger_went_back_into_never_becomes_payable() {
    let world = rewound();
    let empty = MemoryLedger::new(id(&world), Arc::new(|| ledger_time(0)));
    let batch = ledger::NewBatch {
        id: world.chunk.batch,
        name: "half".to_owned(),
        file_sha256: "half".to_owned(),
        lease_ms: 60_000,
        terms: domain::Terms::default(),
    };
    block_on(empty.open_batch(batch)).unwrap();
    let key = world.journal.kept.entries()[0].rows[0].key;
    let place = Place { chunk: world.chunk, row: 0 };
    assert!(block_on(empty.reserve(vec![(key, place)])).unwrap().is_empty());
    world.ledger.put_back(empty.copy());
    assert_eq!(bring_back(&world), Marked { payouts: 0, references: 3 });
    let batch = block_on(world.ledger.batch(world.chunk.batch)).unwrap().unwrap();
    assert_eq!(batch.state, domain::BatchState::Rejected);
    let elsewhere = Place { chunk: another(&world), row: 0 };
    assert_eq!(block_on(reserve(&world.ledger, &[(key, elsewhere)])).unwrap().len(), 1);
    assert_eq!(forgotten(&world), []);
}

#[test]
fn without_journals_everything_that_is_not_final_is_asked_about_first() {
    let world = rewound();
    let marked = block_on(mark_all(&world.ledger, &|_| policy())).unwrap();
    assert_eq!(marked, Marked { payouts: 3, references: 0 });
    world.provider.finds(|_| is(News::Paid, None, ""));
    world.work_for(60_000);
    assert_eq!(sent(&world), 3);
    assert!(world.payouts().iter().all(|payout| payout.state == State::Paid));
    // A journal that turns up in the end is heard, too, and then no more.
    assert_eq!(bring_back(&world), Marked { payouts: 3, references: 0 });
    assert_eq!(forgotten(&world), []);
    assert!(world.payouts().iter().all(|payout| payout.state == State::Paid));
}

/// Two rows were taken; one failed, the ledger went back and the journals are lost; then a person
/// orders a new attempt of it.
fn ordered_after_the_loss() -> World {
    let world = World::new(2, 0);
    world.work();
    world.happen(1, Event::News { attempt: 1, news: News::Failed }, Vec::new());
    block_on(mark_all(&world.ledger, &|_| policy())).unwrap();
    let failed = world.payout(1);
    assert_eq!((failed.state, failed.cause), (State::Review, Cause::LedgerRewound));
    world.happen(1, Event::NewAttempt, Vec::new());
    assert_eq!((world.payout(1).state, sent(&world)), (State::Unknown, 2));
    world
}

/// The first row is under way; of the second one this attempt was paid, and no other is there.
fn finds(world: &World, paid: Option<u8>) {
    world.provider.finds(move |payment| match (payment.place.row, payment.attempt) {
        (0, 1) => is(News::InProgress, None, ""),
        (1, attempt) if Some(attempt) == paid => is(News::Paid, None, ""),
        _ => Found::Absent,
    });
}

#[test]
fn an_attempt_that_was_ordered_and_forgotten_is_found_and_not_sent_again() {
    let world = ordered_after_the_loss();
    finds(&world, Some(2));
    world.work_for(60_000);
    assert_eq!((world.payout(1).state, world.payout(1).attempt), (State::Paid, 2));
    assert_eq!(sent(&world), 2);
}

#[test]
fn a_later_attempt_that_was_ordered_and_forgotten_goes_before_a_person() {
    let world = ordered_after_the_loss();
    finds(&world, Some(4));
    world.work_for(60_000);
    let payout = world.payout(1);
    assert_eq!((payout.state, payout.attempt), (State::Review, 4));
    assert_eq!((payout.cause, sent(&world)), (Cause::LedgerRewound, 2));
    let reasons = world.notes(1, NoteKind::Reason);
    assert!(reasons.last().is_some_and(|text| text.starts_with("attempt 4")), "{reasons:?}");
}

#[test]
fn a_new_attempt_is_sent_when_neither_it_nor_a_later_one_was_found_twice() {
    let world = ordered_after_the_loss();
    finds(&world, None);
    world.work_for(60_000);
    assert_eq!((sent(&world), world.payout(1).past_lost), (3, false));
    assert_eq!(world.provider.sent.lock().unwrap()[2].attempt, 2);
}

/// The first order was created and waits for its step; the ledger went back and the journals are
/// lost. The second row is under way.
fn waits_for_its_step(later: impl Fn(u8) -> Found + Send + 'static) -> World {
    let world = World::new(2, 0);
    world.work();
    block_on(mark_all(&world.ledger, &|_| policy())).unwrap();
    world.provider.finds(move |payment| match (payment.place.row, payment.attempt) {
        (0, 1) => Found::StepDue { provider_id: None },
        (0, attempt) => later(attempt),
        (1, 1) => is(News::InProgress, None, ""),
        _ => Found::Absent,
    });
    world.work_for(120_000);
    world
}

fn stepped(world: &World) -> usize {
    world.provider.stepped.lock().unwrap().len()
}

#[test]
fn no_step_moves_the_money_of_an_order_of_which_a_later_attempt_was_paid_and_forgotten() {
    let world = waits_for_its_step(|attempt| match attempt {
        2 => is(News::Paid, None, ""),
        _ => Found::Absent,
    });
    assert_eq!((stepped(&world), sent(&world)), (0, 2));
    let payout = world.payout(0);
    assert_eq!((payout.state, payout.attempt), (State::Review, 2));
    assert_eq!(payout.cause, Cause::LedgerRewound);
}

#[test]
fn no_step_is_taken_while_nobody_can_tell_of_later_attempts() {
    let world = waits_for_its_step(|_| Found::Unclear { text: "502".to_owned() });
    assert_eq!((stepped(&world), sent(&world)), (0, 2));
    assert!(world.payout(0).step_open, "nor by a person");
}

#[test]
fn the_step_is_taken_once_no_later_attempt_is_there() {
    let world = waits_for_its_step(|_| Found::Absent);
    assert!(stepped(&world) > 0 && sent(&world) == 2);
}

#[test]
fn a_callback_about_an_attempt_that_was_forgotten_is_looked_up_and_goes_before_a_person() {
    let world = World::new(2, 0);
    world.work();
    let hear = || world.hear_of(3, &[1], CallbackKind::Success);
    assert_eq!(hear(), [Hearing::NotOurs], "nothing was lost yet");
    block_on(mark_all(&world.ledger, &|_| policy())).unwrap();
    finds(&world, None);
    assert_eq!(hear(), [Hearing::Unchecked], "the provider does not show it, yet");
    assert_eq!(world.payout(1).attempt, 1);
    finds(&world, Some(3));
    assert_eq!(hear(), [Hearing::Taken]);
    let payout = world.payout(1);
    assert_eq!((payout.state, payout.attempt), (State::Review, 3));
    assert_eq!(payout.cause, Cause::LedgerRewound);
    let reasons = world.notes(1, NoteKind::Reason);
    assert!(reasons.last().is_some_and(|text| text.starts_with("attempt 3")), "{reasons:?}");
}

#[test]
fn what_failed_in_a_batch_that_was_complete_is_in_review_and_counted_there() {
    let world = World::new(2, 0);
    world.work();
    world.happen(0, Event::News { attempt: 1, news: News::Paid }, Vec::new());
    world.happen(1, Event::News { attempt: 1, news: News::Failed }, Vec::new());
    let batch = || block_on(world.ledger.batch(world.chunk.batch)).unwrap().unwrap();
    assert_eq!(batch().state, BatchState::Complete);
    let before = batch().changes;
    let marked = block_on(mark_all(&world.ledger, &|_| policy())).unwrap();
    assert_eq!(marked, Marked { payouts: 1, references: 0 });
    assert_eq!((batch().counts.get(State::Review), batch().counts.get(State::Paid)), (1, 1));
    assert!(batch().changes > before, "its results are written again");
    world.happen(1, Event::NewAttempt, Vec::new());
    assert_eq!(batch().state, BatchState::Active);
}

fn id(world: &World) -> domain::LedgerId {
    block_on(world.ledger.about()).unwrap().id
}

fn another(world: &World) -> domain::ChunkId {
    let domain::BatchId(ulid) = world.chunk.batch;
    let batch = domain::BatchId(ulid::Ulid(ulid.0 ^ (1 << 70)));
    domain::ChunkId { batch, no: 0 }
}
