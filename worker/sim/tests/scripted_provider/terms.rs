//! A batch that must not be sent before its time, whatever wakes it.

use crate::world::{World, is};
use domain::{BatchState, Cause, News, State};
use engine::Hearing;
use futures::executor::block_on;
use ledger::Ledger;
use providers::{CallbackKind, Found};
use sim::gateway::lane_name;
use sim::run::policy;

/// How long the batch waits, in virtual time.
const WAIT_MS: u64 = 20_000;

fn sent(world: &World) -> usize {
    world.provider.sent.lock().expect("no panic").len()
}

fn until_sent(world: &World, rows: usize) {
    let latest_ms = world.exec.now_ms() + WAIT_MS;
    while sent(world) < rows {
        assert!(world.exec.now_ms() < latest_ms, "{} of {rows} were sent", sent(world));
        world.work();
        world.pass(50);
    }
}

fn states(world: &World) -> Vec<State> {
    world.payouts().iter().map(|payout| payout.state).collect()
}

fn ready(world: &World) -> usize {
    block_on(world.ledger.take_ready(lane_name(), 9, 0)).expect("it answers").len()
}

/// Whoever holds the chunk until its time has nearly come sends nothing, and puts it back to then.
fn wait_in_vain(world: &World, until_ms: u64) {
    while world.exec.now_ms() < until_ms {
        world.work();
        assert_eq!((sent(world), ready(world)), (0, 0));
        world.pass(500);
    }
}

#[test]
fn a_batch_is_sent_as_soon_as_its_time_has_come_and_not_before() {
    let world = World::waiting(3, WAIT_MS);
    wait_in_vain(&world, WAIT_MS - 1_000);
    world.pass(1_000);
    assert_eq!(ready(&world), 1);
    until_sent(&world, 3);
    let first_ms = world.provider.sent_ms.lock().expect("no panic")[0];
    assert!(first_ms >= WAIT_MS, "sent after {first_ms} ms");
}

#[test]
fn a_resumption_and_a_callback_before_its_time_send_nothing() {
    let world = World::waiting(3, WAIT_MS);
    let go = |from, to| {
        let batch = world.chunk.batch;
        assert!(block_on(world.ledger.set_batch_state(batch, from, to)).expect("it answers"));
    };
    go(BatchState::Active, BatchState::Paused);
    world.work();
    go(BatchState::Paused, BatchState::Active);
    world.work();
    assert_eq!(sent(&world), 0);
    // Somebody claims to know of a payout that was never sent: it is asked about, and not sent.
    world.provider.finds(|_| Found::Absent);
    assert_eq!(world.hear(&[1], CallbackKind::Success), [Hearing::Taken]);
    world.work_for(5_000);
    assert!(world.asked() > 0);
    assert_eq!((sent(&world), world.payout(1).state), (0, State::Accepted));
    world.pass(WAIT_MS);
    // The other is not sent before the claim is proved wrong.
    until_sent(&world, 2);
}

#[test]
fn rows_have_all_their_time_from_when_they_may_go() {
    let wait_ms = policy().unsent_give_up_ms * 2;
    let world = World::waiting(2, wait_ms);
    world.pass(wait_ms - 1_000);
    world.work();
    assert_eq!(states(&world), [State::Accepted; 2]);
    world.pass(1_000 + policy().unsent_give_up_ms + 1_000);
    world.work();
    assert_eq!(states(&world), [State::Failed; 2]);
    assert_eq!(world.payout(0).cause, Cause::TooOldUnsent);
    assert_eq!(sent(&world), 0);
}

#[test]
fn a_hint_that_nobody_can_confirm_fails_no_row_whose_time_has_not_begun() {
    let give_up_ms = policy().unsent_give_up_ms;
    let world = World::waiting(1, give_up_ms * 2);
    world.pass(give_up_ms + 1_000);
    world.provider.finds(|_| Found::Unclear { text: "maintenance".to_owned() });
    assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
    world.work_for(5_000);
    assert!(world.asked() > 0);
    assert_eq!(states(&world), [State::Accepted]);
}

#[test]
fn a_second_step_waits_too() {
    let world = World::waiting(1, WAIT_MS);
    // The provider knows it, and nobody of ours has sent it.
    world.provider.finds(|_| is(News::InProgress, None, ""));
    world.hear(&[0], CallbackKind::Success);
    world.work();
    assert_eq!(world.payout(0).state, State::Submitted);
    world.provider.finds(|_| Found::StepDue { provider_id: None });
    world.work_for(WAIT_MS / 2);
    assert_eq!(world.provider.tried(), 0);
}
