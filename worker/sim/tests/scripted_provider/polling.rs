//! What is polled, how often, and what is not asked about any more.

use crate::world::{World, is};
use domain::{Event, News, Outcome, Polled, State};
use engine::Hearing;
use providers::CallbackKind;

const EVERY_MS: u64 = 4_000;
const ALONE: Polled = Polled { every_ms: EVERY_MS, together: false };
const TOGETHER: Polled = Polled { every_ms: EVERY_MS, together: true };
/// Several intervals, and less than the twenty seconds after which payouts are overdue.
const A_WHILE_MS: u64 = 15_000;

/// Rows that the provider has and pays some time, on a lane that is polled so.
fn accepted(rows: u16, polled: Polled) -> World {
    let world = World::polled(rows, polled);
    world.provider.finds(|_| is(News::InProgress, None, ""));
    world.work();
    assert!(world.payouts().iter().all(|payout| payout.state == State::Submitted));
    world
}

fn look_ups(world: &World) -> Vec<(u64, Vec<u16>)> {
    world.provider.look_ups.lock().expect("no panic").clone()
}

/// When a row was sent, and when it was asked about since.
fn times(world: &World, row: u16) -> Vec<u64> {
    let sent = world.provider.sent.lock().expect("no panic");
    let at = sent.iter().position(|payment| payment.place.row == row).expect("it was sent");
    let sent_ms = world.provider.sent_ms.lock().expect("no panic")[at];
    let asked = look_ups(world).into_iter().filter(|(_, rows)| rows.contains(&row));
    std::iter::once(sent_ms).chain(asked.map(|(at_ms, _)| at_ms)).collect()
}

#[test]
fn a_payout_is_asked_about_from_its_create_on_and_never_sooner_than_agreed() {
    let world = accepted(20, ALONE);
    world.work_for(A_WHILE_MS);
    for row in 0..20 {
        let times = times(&world, row);
        assert_eq!(times.len(), 4, "row {row}: {times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= EVERY_MS), "row {row}: {times:?}");
    }
}

#[test]
fn without_an_agreement_nothing_is_asked_before_it_is_overdue() {
    let world = World::new(20, 0);
    world.provider.finds(|_| is(News::InProgress, None, ""));
    world.work_for(A_WHILE_MS);
    assert!(world.payouts().iter().all(|payout| payout.state == State::Submitted));
    assert_eq!(world.asked(), 0);
}

#[test]
fn one_poll_tells_of_all_payouts_that_it_can_answer_for() {
    let world = accepted(100, TOGETHER);
    let sent_ms = world.provider.sent_ms.lock().expect("no panic").clone();
    assert!(sent_ms.last() > sent_ms.first(), "they were created one after another");
    world.work_for(A_WHILE_MS);
    let polls = look_ups(&world);
    assert!((3..=4).contains(&polls.len()), "a poll each interval, and no more: {polls:?}");
    assert!(polls.iter().all(|(_, rows)| rows.len() == 100), "{polls:?}");
    assert!(polls.windows(2).all(|pair| pair[1].0 - pair[0].0 > EVERY_MS / 2), "{polls:?}");
}

#[test]
fn what_a_callback_has_settled_is_never_polled_again() {
    for polled in [ALONE, TOGETHER] {
        let world = accepted(4, polled);
        for row in [0, 2] {
            world.happen(row, Event::News { attempt: 1, news: News::Paid }, Vec::new());
        }
        world.work_for(A_WHILE_MS);
        let asked = look_ups(&world).into_iter().flat_map(|(_, rows)| rows);
        let asked: std::collections::BTreeSet<u16> = asked.collect();
        assert_eq!(asked.into_iter().collect::<Vec<_>>(), [1, 3]);
        // Nor does a late word about it begin a new round.
        let before = world.asked();
        world.hear(&[0, 2], CallbackKind::Success);
        assert_eq!(world.asked(), before);
    }
}

#[test]
fn a_hint_is_worth_one_look_up_and_no_loop() {
    let world = World::new(1, 0);
    world.provider.finds(|_| is(News::InProgress, None, ""));
    world.work();
    // Said twice before anybody has looked it up: one question answers both.
    for _ in 0..2 {
        assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
    }
    world.work_for(4_000);
    assert_eq!(world.asked(), 1);
}

#[test]
fn a_callback_that_comes_too_late_is_worth_one_look_up_and_no_loop() {
    let world = World::new(1, 0);
    world.sent(0, Outcome::Refused { created_nothing: false }, Vec::new());
    world.provider.finds(|_| is(News::Failed, None, "declined"));
    for said in 1..=2 {
        assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
        world.work_for(10 * A_WHILE_MS);
        assert_eq!(world.asked(), said, "one for each time that it is said");
    }
    assert_eq!(world.payout(0).state, State::Failed);
}
