//! Who compares, what stops a lane, other ledgers, and what was spent where there is no list.

use crate::world::*;
use domain::{LedgerId, State};
use futures::executor::block_on;
use ledger::audit::{Chain, Entry, Kind as Kinds};
use providers::{Entry as Listed, Period, Standing};
use reconcile::origin::{Origin, look};
use reconcile::{Kind, lane as record, spent};

#[test]
fn one_process_compares_and_after_its_end_nobody_for_a_day() {
    let world = World::of(&[State::Paid]);
    let claim = || block_on(record::claim(&*world.ledger, &lane(), account())).unwrap();
    assert!(claim());
    assert!(!claim(), "somebody is at it");
    block_on(record::ended(&*world.ledger, &lane())).unwrap();
    assert!(!claim(), "it was done today");
}

#[test]
fn a_difference_stops_the_lane_once_and_a_new_one_again() {
    let mut world = World::of(&[State::Paid, State::Failed, State::Failed]);
    let stop = |world: &World| {
        block_on(record::stop_for(&*world.ledger, &lane(), "worker", &world.compare())).unwrap()
    };
    let read = |world: &World| block_on(world.ledger.lane(lane())).unwrap();
    assert!(!stop(&world), "nothing differs");
    world.list.entries[1].standing = Standing::Paid;
    assert!(stop(&world));
    let reason = read(&world).stopped.unwrap().reason;
    assert!(reason.contains("INV-1: paid there, failed here"), "{reason}");
    assert!(reason.contains("producer reconcile main --look-only"), "{reason}");
    let mut started = read(&world);
    started.stopped = None;
    assert!(block_on(world.ledger.put_lane(started)).unwrap());
    assert!(!stop(&world), "whoever started it has seen that");
    assert!(read(&world).stopped.is_none());
    world.list.entries[2].standing = Standing::Paid;
    assert!(stop(&world), "this one is new");
    assert!(read(&world).stopped.is_some());
}

/// What the lane's chain tells: the kinds of its entries, who, and the reasons.
fn told(world: &World) -> Vec<(Kinds, String, String)> {
    let chain = Chain::lane(&lane()).as_str().to_owned();
    let stored = block_on(world.ledger.entries(chain, 0, 100)).unwrap();
    let entries = stored.iter().map(|bytes| Entry::decode(bytes).unwrap().0);
    entries.map(|e| (e.kind, e.who, e.text["reason"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn a_stop_is_told_to_the_lanes_chain_once_and_one_that_stood_already_is_not() {
    let mut world = World::of(&[State::Failed, State::Failed]);
    let stop_for = |world: &World| {
        block_on(record::stop_for(&*world.ledger, &lane(), "anna@host", &world.compare())).unwrap()
    };
    let stop = |world: &World, reason| {
        block_on(record::stop(&*world.ledger, &lane(), "worker", reason)).unwrap();
    };
    stop_for(&world);
    assert_eq!(told(&world), [], "nothing differs");
    world.list.entries[0].standing = Standing::Paid;
    assert!(stop_for(&world) && !stop_for(&world));
    let reason = block_on(world.ledger.lane(lane())).unwrap().stopped.unwrap().reason;
    let brake = (Kinds::Brake, "anna@host".to_owned(), reason);
    assert_eq!(told(&world), std::slice::from_ref(&brake));
    world.list.entries[1].standing = Standing::Paid;
    assert!(stop_for(&world), "it is new, but the lane was stopped before");
    stop(&world, "another ledger");
    assert_eq!(told(&world), std::slice::from_ref(&brake));

    let mut started = block_on(world.ledger.lane(lane())).unwrap();
    started.stopped = None;
    assert!(block_on(world.ledger.put_lane(started)).unwrap());
    stop(&world, "another ledger");
    stop(&world, "another ledger");
    let second = (Kinds::Brake, "worker".to_owned(), "another ledger".to_owned());
    assert_eq!(told(&world), [brake, second]);
}

#[test]
fn a_stop_holds_although_the_lanes_chain_can_take_no_entry() {
    let mut world = World::of(&[State::Failed]);
    let chain = Chain::lane(&lane()).as_str().to_owned();
    assert!(block_on(world.ledger.append_entry(chain, 0, b"made up".to_vec())).unwrap());
    world.list.entries[0].standing = Standing::Paid;
    let outcome = world.compare();
    assert!(block_on(record::stop_for(&*world.ledger, &lane(), "worker", &outcome)).unwrap());
    assert!(block_on(world.ledger.lane(lane())).unwrap().stopped.is_some());
}

#[test]
fn differences_that_are_not_among_those_with_words_stop_the_lane_all_the_same() {
    let world = World::of(&[State::Paid]);
    let outcome = reconcile::Outcome {
        counts: [(Kind::PaidHere, 2)].into(),
        hashes: [(1, Kind::PaidHere), (2, Kind::PaidHere)].into(),
        ..reconcile::Outcome::default()
    };
    assert!(block_on(record::stop_for(&*world.ledger, &lane(), "worker", &outcome)).unwrap());
    let reason = block_on(world.ledger.lane(lane())).unwrap().stopped.unwrap().reason;
    assert!(reason.contains("(2 findings)"), "{reason}");
    assert!(!block_on(record::stop_for(&*world.ledger, &lane(), "worker", &outcome)).unwrap());
}

#[test]
fn what_a_second_reading_does_not_show_was_on_its_way() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Failed]);
    let whole = world.compare();
    world.list.entries.remove(1);
    world.list.entries[1].standing = Standing::Paid;
    let first = world.compare();
    assert_eq!(first.differences(), 2);
    assert_eq!(first.clone().confirmed_by(&first).differences(), 2);
    assert_eq!(first.confirmed_by(&whole).differences(), 0);
}

#[test]
fn another_ledger_on_the_account_is_seen_before_the_lane_is_used() {
    let mut world = World::of(&[State::Paid, State::Paid]);
    let id = LedgerId::parse("wxyz").unwrap();
    let seen = |world: &World, adopted: &[LedgerId]| {
        let lane = lane();
        let job = world.job(&lane);
        block_on(look(&world.list, ledger_id(), adopted, NOW, job.turns)).unwrap()
    };
    assert_eq!(seen(&world, &[]), Origin::Clear);
    let reference = "wxyz-A".to_owned();
    world.list.entries.push(Listed { reference: reference.clone(), ..world.entry(0, 1) });
    assert_eq!(seen(&world, &[]), Origin::Another { id, reference });
    assert_eq!(seen(&world, &[id]), Origin::Clear);
    world.list = List { page: 1, ..world.list.clone() };
    world.list.entries = vec![world.entry(0, 1); 30];
    assert_eq!(seen(&world, &[]), Origin::ClearSoFar, "a start does not wait for all of it");
}

#[test]
fn what_was_spent_is_added_up_with_what_it_cost() {
    let world = World::of(&[State::Paid, State::Paid, State::Review, State::Submitted]);
    world.put_with(0, vec![cost("10.5000 USDT at 100.00")], |_| {});
    let period = Period { from: SENT, until: NOW };
    let spent = block_on(spent(&*world.ledger, &lane(), period)).unwrap();
    assert_eq!(
        (spent.paid.0["RUB"].rows, spent.paid.0["RUB"].amount.to_string()),
        (2, "2001.00".into())
    );
    assert_eq!((spent.review.0["RUB"].rows, spent.open.0["RUB"].rows), (1, 1));
    assert_eq!(
        (spent.cost.0["USDT"].amount.to_string(), spent.without_cost),
        ("10.5000".into(), 1)
    );
}

#[test]
fn a_finding_that_only_is_to_be_known_stops_nothing() {
    for kind in [Kind::Behind, Kind::InReview, Kind::StillOpen] {
        assert!(!kind.is_difference());
    }
}
