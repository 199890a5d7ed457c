//! Second steps that the engine takes by itself.

use crate::world::World;
use domain::{Outcome, Payout};
use providers::{Found, StepAnswer};
use sim::gateway::lane_name;
use std::cell::Cell;

const ROWS: u16 = 20;

/// So many orders that all wait for their step.
fn orders(rows: u16, look_up_interval_us: u64) -> World {
    let world = World::new(rows, look_up_interval_us);
    for row in 0..rows {
        world.sent(row, Outcome::Begun, Vec::new());
    }
    world.provider.finds(|_| Found::StepDue { provider_id: None });
    world
}

fn open(world: &World) -> usize {
    world.payouts().iter().filter(|payout| payout.step_open).count()
}

#[test]
fn a_backlog_of_steps_has_no_more_intents_than_steps_that_leave_now() {
    for (interval_us, most) in [(500_000, 1), (50_000, 2), (0, 8)] {
        let world = orders(ROWS, interval_us);
        let most_open = Cell::new(0);
        let left = || world.provider.stepped.lock().expect("no panic").len();
        while left() < usize::from(ROWS) {
            assert!(world.engine.offer(world.chunk, &lane_name()));
            world.until(|world| {
                most_open.set(most_open.get().max(open(world)));
                world.engine.room(&lane_name()) > 0
            });
        }
        assert_eq!((left(), open(&world)), (usize::from(ROWS), 0), "each left in time, once");
        assert!((1..=most).contains(&most_open.get()), "{} at once", most_open.get());
    }
}

/// The only payout, after its order was worked on once more.
fn after(world: &World, answer: fn() -> StepAnswer) -> Payout {
    world.provider.steps(move |_| answer());
    let before = world.provider.tried();
    while world.provider.tried() == before {
        world.pass(1_000);
        world.work();
    }
    world.payout(0)
}

#[test]
fn a_step_that_was_certainly_not_sent_is_not_remembered_as_one_that_may_have_been() {
    let not_sent = || StepAnswer::NotSent { text: "no connection".to_owned() };
    let unknown = || StepAnswer::Unknown { text: "502".to_owned() };
    let world = orders(1, 0);
    let payout = after(&world, not_sent);
    assert!(!payout.step_open && !payout.stepped);
    let payout = after(&world, unknown);
    assert!(payout.step_open && payout.stepped);
    let payout = after(&world, not_sent);
    assert!(!payout.step_open && payout.stepped, "nobody knows what became of the one before");
}

#[test]
fn a_step_that_was_begun_is_repeated_only_if_two_look_ups_say_that_it_is_due() {
    for answer in [|| StepAnswer::Taken, || StepAnswer::Unknown { text: "502".to_owned() }] {
        let world = orders(1, 0);
        after(&world, answer);
        assert_eq!(world.asked(), 1, "the first one is due by one word");
        after(&world, answer);
        assert_eq!(world.asked(), 3, "the second one by two");
    }
}
