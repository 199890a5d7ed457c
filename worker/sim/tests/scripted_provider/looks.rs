//! What look-ups say, and what is kept of it.

use crate::world::{World, is};
use domain::{News, Outcome, State};
use ledger::{Note, NoteKind};
use providers::Found;

const FIRST: &str = "send 100 USDT to the address A";
const SECOND: &str = "send 98 USDT to the address B";

/// Let go on past the longest pause between two look-ups.
const LONG_MS: u64 = 60_000;

#[test]
fn what_a_person_is_to_do_is_kept_up_with_what_the_provider_says() {
    let world = World::new(1, 0);
    world.sent(0, Outcome::Begun, vec![Note::new(NoteKind::ProviderId, "gw-1")]);
    for (says, kept) in [
        (FIRST, &[FIRST][..]),
        (FIRST, &[FIRST]),
        (SECOND, &[FIRST, SECOND]),
        (SECOND, &[FIRST, SECOND]),
        (FIRST, &[FIRST, SECOND, FIRST]),
    ] {
        world.provider.finds(move |_| is(News::Waiting, Some("gw-1"), says));
        let before = world.asked();
        while world.asked() == before {
            world.work();
            world.pass(1_000);
        }
        assert_eq!(world.payout(0).state, State::Waiting);
        assert_eq!(world.notes(0, NoteKind::Reason), kept);
    }
    let ids = world.notes(0, NoteKind::ProviderId);
    assert!(ids.len() <= 2, "what does not change is not kept again: {ids:?}");
}

#[test]
fn a_record_that_differs_is_no_sign_that_look_ups_by_our_references_work() {
    let world = World::new(3, 0);
    // The control: another one's order has its reference later on.
    world.sent(0, Outcome::Accepted, Vec::new());
    world.sent(1, Outcome::Unknown, Vec::new());
    world.sent(2, Outcome::Unknown, Vec::new());
    world.provider.finds(|payment| match payment.place.row {
        0 => is(News::InProgress, None, ""),
        _ => Found::Unclear { text: "busy".to_owned() },
    });
    while world.control().is_none() {
        world.pass(1_000);
        world.work();
    }
    world.provider.finds(|payment| match payment.place.row {
        2 => Found::Absent,
        _ => Found::Differs { text: "the amount".to_owned() },
    });
    world.work_for(10 * LONG_MS);
    assert_eq!(world.payout(1).state, State::Review);
    assert_eq!(world.payout(2).state, State::Review, "and not payable again");
    assert!(world.provider.sent.lock().expect("no panic").is_empty());
}

#[test]
fn rows_that_can_be_sent_do_not_wait_until_all_doubts_were_asked_about() {
    const SLOW_US: u64 = 1_000_000;
    let world = World::new(50, SLOW_US);
    (0..40).for_each(|row| world.sent(row, Outcome::Unknown, Vec::new()));
    world.provider.finds(|_| is(News::InProgress, None, ""));
    world.pass(LONG_MS);
    let before_ms = world.exec.now_ms();
    world.work();
    assert_eq!(world.provider.sent.lock().expect("no panic").len(), 10);
    let took_ms = world.exec.now_ms() - before_ms;
    assert!(took_ms < 3_000, "the look-ups went first, for {took_ms} ms");
    let doubts = || world.payouts().iter().filter(|p| p.state == State::Unknown).count();
    assert!(doubts() < 40, "and no answer was lost");
    world.work_for(LONG_MS);
    assert_eq!(doubts(), 0);
}
