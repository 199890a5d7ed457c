//! A lane that sends in its hours only, and sleeps until they begin.

use crate::world::{World, is};
use domain::hours::Given;
use domain::{ChunkId, Event, Hours, Millis, News, Outcome, Policy, State};
use futures::executor::block_on;
use ledger::apply::{Happening, apply};
use ledger::{Guard, Ledger};
use providers::Found;
use sim::gateway::lane_name;
use sim::run::policy;

const ANSWERS: &str = "the in-memory ledger answers";
const ROWS: u16 = 10;
/// The world begins at 22:13:20 UTC.
const OPENS_IN_MS: u64 = 400_000;
const CUT_OFF_IN_MS: u64 = 40_000;
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// Each day, in UTC.
fn hours(open: &str, cut_off: &str) -> Hours {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(str::to_owned);
    Hours::read(Given { zone: "UTC", open, cut_off, days: &days, holidays: &[] }).expect("hours")
}

/// A lane that opens in [`OPENS_IN_MS`].
fn closed(rows: u16) -> World {
    World::in_hours(rows, hours("22:20", "23:00"))
}

fn ready(world: &World) -> Vec<ChunkId> {
    block_on(world.ledger.take_ready(lane_name(), 10, 1)).expect(ANSWERS)
}

fn sent(world: &World) -> usize {
    world.provider.sent.lock().expect("no panic").len()
}

#[test]
fn a_closed_lane_writes_no_intent_and_wakes_at_the_very_moment_of_its_opening() {
    let world = closed(ROWS);
    let opens = world.now().plus(OPENS_IN_MS);
    world.work();
    assert!(world.payouts().iter().all(|p| p.state == State::Accepted && p.intents == 0));
    while world.now() < Millis(opens.0 - 1_000) {
        assert_eq!(ready(&world), [], "nobody asks in a loop");
        world.pass(1_000);
    }
    world.pass(opens.since(world.now()) - 1);
    assert_eq!(ready(&world), []);
    world.pass(1);
    assert_eq!(ready(&world), [world.chunk]);
    world.work();
    assert_eq!(sent(&world), usize::from(ROWS));
}

#[test]
fn nothing_leaves_after_a_cut_off_that_comes_in_mid_chunk_and_what_had_left_ends_after_it() {
    let world = World::in_hours(1_000, hours("00:00", "22:14"));
    world.pass(CUT_OFF_IN_MS - policy().send_window_ms - 500);
    world.work();
    let left = sent(&world);
    assert!((100..900).contains(&left), "{left} left");
    let answered_ms = world.provider.sent_ms.lock().expect("no panic").clone();
    let late = answered_ms.iter().filter(|ms| **ms > CUT_OFF_IN_MS).count();
    assert_eq!(late, 0, "each began a send window before");
    let unsent = world.payouts().iter().filter(|p| p.state == State::Accepted).count();
    assert_eq!(left + unsent, 1_000, "and no intent is left behind");
    world.work();
    world.pass(60_000);
    world.work();
    assert_eq!(sent(&world), left);
}

#[test]
fn what_is_under_way_is_asked_about_and_stepped_while_its_lane_is_closed() {
    let world = closed(3);
    world.sent(0, Outcome::Accepted, Vec::new());
    world.sent(1, Outcome::Begun, Vec::new());
    world.provider.finds(|payment| match payment.place.row {
        1 => Found::StepDue { provider_id: None },
        _ => is(News::Paid, None, ""),
    });
    world.work_for(60_000);
    assert_eq!(world.payout(0).state, State::Paid);
    let stepped = world.provider.stepped.lock().expect("no panic").len();
    assert!(stepped > 0, "what was begun is brought to its end");
    assert_eq!(sent(&world), 0);
    assert_eq!(world.payout(2).state, State::Accepted);
}

#[test]
fn what_was_proved_absent_waits_for_the_opening_like_what_was_never_sent() {
    let world = closed(2);
    world.sent(0, Outcome::Accepted, Vec::new());
    world.sent(1, Outcome::Refused { created_nothing: true }, Vec::new());
    world.happen(1, Event::NewAttempt, Vec::new());
    world.provider.finds(|_| is(News::InProgress, None, ""));
    world.work_for(OPENS_IN_MS - 60_000);
    assert_eq!((world.payout(1).state, sent(&world)), (State::Accepted, 0));
    world.work_for(120_000);
    assert_eq!(sent(&world), 1);
}

#[test]
fn a_payout_whose_time_runs_out_while_the_lane_is_closed_fails_when_it_does() {
    let world = World::in_hours(1, hours("00:00", "22:13"));
    world.work();
    let gives_up = world.payout(0).give_up_at;
    world.pass(gives_up.since(world.now()) - 1);
    assert_eq!(ready(&world), []);
    world.pass(1);
    assert_eq!(ready(&world), [world.chunk]);
    world.work();
    assert_eq!(world.payout(0).state, State::Failed);
}

#[test]
fn a_calendar_that_was_put_right_is_heard_of_within_an_hour() {
    let world = World::in_hours(1, hours("00:00", "22:13"));
    world.sent(0, Outcome::Refused { created_nothing: true }, Vec::new());
    let patient = Policy { unsent_give_up_ms: 7 * 24 * HOUR_MS, ..policy() };
    let again =
        Happening { row: 0, payout: world.payout(0), event: Event::NewAttempt, notes: Vec::new() };
    let now = world.now();
    let applied = apply(&world.ledger, world.chunk, Guard::Fact, now, &patient, vec![again]);
    assert!(block_on(applied).expect(ANSWERS).is_some());
    world.work();
    world.pass(HOUR_MS - 1);
    assert_eq!(ready(&world), []);
    world.pass(1);
    assert_eq!(ready(&world), [world.chunk]);
    assert_eq!(sent(&world), 0);
}
