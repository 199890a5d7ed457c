//! A provider that asks for fewer requests, and one that does not answer: what the whole pool does.

use crate::world::{World, is, taken};
use domain::{News, State};
use futures::executor::block_on;
use ledger::{LaneRecord, Ledger};
use providers::{Answer, Found};
use sim::gateway::lane_name;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const RETRY_AFTER_MS: u64 = 30_000;

fn too_many() -> Answer {
    Answer::Later { text: "too many requests".to_owned(), retry_after_ms: Some(RETRY_AFTER_MS) }
}

fn silence() -> Answer {
    Answer::Unknown { text: "no answer within 5 s".to_owned() }
}

fn lane(world: &World) -> LaneRecord {
    block_on(world.ledger.lane(lane_name())).unwrap()
}

/// When creates were answered, in milliseconds from the first.
fn answered_ms(world: &World) -> Vec<u64> {
    let sent_ms = world.provider.sent_ms.lock().unwrap();
    sent_ms.iter().map(|at| at - sent_ms[0]).collect()
}

#[test]
fn one_who_is_refused_for_too_many_requests_holds_back_the_whole_pool() {
    let world = World::new(40, 0);
    let neighbour = world.neighbour();
    world.provider.answers(|_| too_many());
    world.work();
    let refused = answered_ms(&world).len();
    assert!((1..=8).contains(&refused), "what was under way, and no more: {refused}");
    world.provider.answers(|_| taken());
    while answered_ms(&world).len() == refused {
        world.work_by(&neighbour);
        world.pass(50);
    }
    let again_ms = answered_ms(&world)[refused];
    assert!(again_ms >= RETRY_AFTER_MS, "{again_ms}");
    assert!(lane(&world).stopped.is_none(), "it is slow, not stopped");
}

#[test]
fn after_a_refusal_the_pace_is_cut_grows_and_is_free_again() {
    let world = World::new(1_000, 0);
    let mut calls = 0;
    world.provider.answers(move |_| {
        calls += 1;
        if calls <= 8 { too_many() } else { taken() }
    });
    world.work_for(RETRY_AFTER_MS + 40_000);
    let answered = answered_ms(&world);
    let within = |from_ms: u64, to_ms: u64| {
        let (from, to) = (RETRY_AFTER_MS + from_ms, RETRY_AFTER_MS + to_ms);
        answered.iter().filter(|at| (from..to).contains(*at)).count()
    };
    let (first, later) = (within(0, 1_500), within(6_000, 7_500));
    assert!((1..=1_200).contains(&first), "{first}");
    assert!(later > first || answered.len() >= 1_000, "{first}, then {later}");
    assert!(world.payouts().iter().all(|p| p.state == State::Submitted), "all are sent");
}

#[test]
fn a_provider_that_does_not_answer_is_left_alone_and_tried_by_single_payouts() {
    let world = World::new(200, 0);
    world.provider.finds(|_| Found::Unclear { text: "no answer".to_owned() });
    world.provider.answers(|_| silence());
    world.work_for(60_000);
    let stop = lane(&world).stopped.expect("the lane rests");
    assert!(stop.reason.contains("without an answer"), "{}", stop.reason);
    assert!(stop.until.is_some(), "it tries again by itself");
    let answered = answered_ms(&world);
    // What was under way when it closed, then one at a time, each after a longer rest.
    assert!(answered.len() <= 15 + 8 + 4, "{answered:?}");
    let probes = &answered[answered.len() - 3..];
    let (first, second) = (probes[1] - probes[0], probes[2] - probes[1]);
    assert!(first >= 5_000 && second >= first + 5_000, "{probes:?}");

    world.provider.answers(|_| taken());
    world.provider.finds(|_| is(News::InProgress, None, ""));
    world.work_for(120_000);
    assert!(lane(&world).stopped.is_none(), "one was taken, the lane is open");
    assert_eq!(lane(&world).probes_lost, 0);
    assert!(world.payouts().iter().all(|p| p.state == State::Submitted), "all are sent");
}

#[test]
fn a_road_that_loses_every_second_answer_stays_open() {
    let world = World::new(100, 0);
    world.provider.finds(|_| is(News::InProgress, None, ""));
    let calls = Arc::new(AtomicUsize::new(0));
    world.provider.answers(move |_| match calls.fetch_add(1, Ordering::Relaxed) % 2 {
        0 => silence(),
        _ => taken(),
    });
    world.work_for(30_000);
    assert!(lane(&world).stopped.is_none());
    assert!(world.payouts().iter().all(|p| p.state == State::Submitted), "found, or taken");
}

#[test]
fn what_a_person_stopped_is_not_opened_by_a_provider_that_is_silent() {
    let world = World::new(60, 0);
    world.provider.finds(|_| Found::Unclear { text: "no answer".to_owned() });
    let ledger = world.ledger.clone();
    let mut calls = 0;
    world.provider.answers(move |_| {
        calls += 1;
        if calls == 3 {
            let mut record = block_on(ledger.lane(lane_name())).unwrap();
            let reason = "by a person".to_owned();
            let since = domain::Millis(1);
            record.stopped = Some(ledger::Stop { reason, since, until: None });
            assert!(block_on(ledger.put_lane(record)).unwrap());
        }
        silence()
    });
    world.work_for(60_000);
    let stop = lane(&world).stopped.expect("it stays stopped");
    assert_eq!((stop.reason.as_str(), stop.until), ("by a person", None));
}
