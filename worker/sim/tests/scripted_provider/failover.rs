//! Failover (S15): what the first lane refuses at create time and did not create goes by the second,
//! once, as a new attempt; nothing else ever does.

use crate::world::{SPARE_FINGERPRINT, Scripted, World, is, spare_name, taken};
use domain::{Account, Cause, Event, News, Outcome, Payout, Place, State};
use engine::Hearing;
use futures::executor::block_on;
use journal::rewind::{compare, mark};
use ledger::Ledger;
use providers::{Answer, CallbackKind, Found, Payment};
use sim::gateway::lane_name;
use sim::run::policy;

fn refusal(created_nothing: bool) -> Answer {
    Answer::Refused { text: "not to this bank".to_owned(), created_nothing }
}

fn sent(provider: &Scripted) -> Vec<(u16, u8, String)> {
    let sent = provider.sent.lock().expect("no panic");
    let one = |p: &Payment| (p.place.row, p.attempt, p.reference.as_str().to_owned());
    sent.iter().map(one).collect()
}

fn spare(world: &World) -> &Scripted {
    world.spare.as_deref().expect("a second lane")
}

/// A world whose second row the first lane refuses.
fn refused(rows: u16, answer: fn() -> Answer) -> World {
    let world = World::with_failover(rows);
    world.provider.answers(move |payment| if payment.place.row == 1 { answer() } else { taken() });
    world
}

/// A row that has gone over to the second lane and was taken there.
fn moved() -> (World, Payout) {
    let world = refused(3, || refusal(true));
    world.work();
    let payout = world.payout(1);
    (world, payout)
}

#[test]
fn what_the_first_lane_refuses_and_did_not_create_goes_by_the_second() {
    let (world, payout) = moved();
    assert_eq!((payout.state, payout.attempt, payout.moved), (State::Submitted, 2, true));
    assert_eq!(payout.account, Account::of(SPARE_FINGERPRINT));
    let rows: Vec<_> =
        sent(&world.provider).into_iter().map(|(row, attempt, _)| (row, attempt)).collect();
    assert_eq!(rows, [(0, 1), (1, 1), (2, 1)]);
    let [(1, 2, reference)] = &sent(spare(&world))[..] else { panic!("once, as attempt 2") };
    assert!(
        reference.bytes().all(|b| b.is_ascii_digit()),
        "as the second lane wants it: {reference}"
    );
    assert!(world.payouts().iter().enumerate().all(|(row, p)| p.moved == (row == 1)));
}

#[test]
fn what_may_have_been_created_and_what_is_unknown_stays_where_it_is() {
    for (answer, state) in [
        (|| refusal(false), State::Failed),
        (|| Answer::Unknown { text: "no answer".to_owned() }, State::Unknown),
        (|| Answer::Unlisted { text: "what is this".to_owned() }, State::Review),
        (|| Answer::Later { text: "busy".to_owned(), retry_after_ms: None }, State::Accepted),
    ] as [(fn() -> Answer, State); 4]
    {
        let world = refused(2, answer);
        world.work();
        let payout = world.payout(1);
        assert_eq!((payout.state, payout.attempt, payout.moved), (state, 1, false));
        assert_eq!(sent(spare(&world)), []);
    }
}

#[test]
fn what_the_second_lane_refuses_has_failed() {
    let world = refused(2, || refusal(true));
    spare(&world).answers(|_| refusal(true));
    world.work_for(5_000);
    let payout = world.payout(1);
    let stands = (payout.state, payout.cause, payout.attempt);
    assert_eq!(stands, (State::Failed, Cause::RefusedCreatedNothing, 2));
    assert_eq!((sent(&world.provider).len(), sent(spare(&world)).len()), (2, 1));
}

#[test]
fn a_refusal_of_what_may_be_there_moves_nothing() {
    let world = World::with_failover(1);
    // Two look-ups missed it, which is a proof for sending it again, and not by another lane.
    world.intend(0, Account::of("scripted:1"));
    world.happen(0, Event::SenderLost, Vec::new());
    world.provider.finds(|_| Found::Absent);
    let outcome = Outcome::Moves;
    let intent = world.payout(0).intents;
    world.happen(0, Event::Outcome { intent, outcome }, Vec::new());
    let payout = world.payout(0);
    assert_eq!((payout.state, payout.moved), (State::Failed, false));
}

#[test]
fn whoever_died_sending_by_the_second_lane_leaves_it_to_be_asked_there() {
    let world = World::with_failover(1);
    world.sent(0, Outcome::Moves, Vec::new());
    world.intend(0, Account::of(SPARE_FINGERPRINT));
    spare(&world).finds(|_| is(News::Paid, None, "paid"));
    world.work();
    assert_eq!(world.payout(0).state, State::Unknown);
    world.pass(policy().doubt_ms() + policy().send_window_ms);
    world.work();
    assert_eq!(world.payout(0).state, State::Paid);
    assert_eq!(world.asked(), 0, "the first lane knows nothing of it");
    assert_eq!(sent(spare(&world)), []);
}

#[test]
fn a_callback_is_heard_from_the_lane_that_its_attempt_went_by() {
    let (world, _) = moved();
    let success = |lane, attempt| world.hear_on(&lane, attempt, &[1], CallbackKind::Success);
    assert_eq!(success(lane_name(), 2), [Hearing::NotOurs]);
    assert_eq!(success(spare_name(), 1), [Hearing::NotOurs]);
    assert_eq!(success(spare_name(), 2), [Hearing::Taken]);
    spare(&world).finds(|_| is(News::Paid, None, "paid"));
    world.work_for(2_000);
    assert_eq!(world.payout(1).state, State::Paid);
}

#[test]
fn what_the_first_lane_paid_after_all_goes_before_a_person() {
    let (world, _) = moved();
    world.provider.finds(|_| is(News::Paid, None, "paid"));
    assert_eq!(world.hear_of(1, &[1], CallbackKind::Success), [Hearing::Taken]);
    let payout = world.payout(1);
    assert_eq!((payout.state, payout.cause), (State::Review, Cause::OlderAttemptPaid));
}

#[test]
fn each_lane_proves_its_look_ups_by_a_payout_of_its_own() {
    let (world, _) = moved();
    let control = |lane| block_on(world.ledger.lane(lane)).expect("it answers").control;
    assert_eq!(control(spare_name()), Some(Place { chunk: world.chunk, row: 1 }));
    assert_ne!(control(lane_name()), control(spare_name()));
}

#[test]
fn a_lost_past_is_no_proof_where_a_later_attempt_may_have_gone_by_the_second_lane() {
    let world = World::with_failover(2);
    world.work();
    world.happen(0, Event::PastLost { account: Account::of("scripted:1") }, Vec::new());
    world.provider.finds(|payment| match payment.place.row {
        0 => Found::Absent,
        _ => is(News::InProgress, None, "under way"),
    });
    world.work_for(policy().submitted_give_up_ms + 60_000);
    assert_eq!(world.payout(0).state, State::Review);
    assert_eq!(sent(spare(&world)), []);
}

/// A row that the first lane took, that failed there, and that a person had sent once more by it.
/// The ledger is put back to a copy that knows neither lane.
fn forgotten_with_its_lanes() -> World {
    let world = World::with_failover(2);
    let before = world.ledger.copy();
    for name in [lane_name(), spare_name()] {
        let mut record = block_on(world.ledger.lane(name)).expect("it answers");
        record.fingerprint.clear();
        assert!(block_on(world.ledger.put_lane(record)).expect("it answers"));
    }
    let unknown = world.ledger.copy();
    world.ledger.put_back(before);
    world.work();
    world.happen(1, Event::News { attempt: 1, news: News::Failed }, Vec::new());
    world.happen(1, Event::NewAttempt, Vec::new());
    world.work();
    assert_eq!(
        sent(&world.provider).last().map(|(row, attempt, _)| (*row, *attempt)),
        Some((1, 2))
    );
    world.ledger.put_back(unknown);
    world
}

#[test]
fn an_attempt_that_was_forgotten_with_its_lanes_goes_by_the_one_that_first_attempts_went_by() {
    let world = forgotten_with_its_lanes();
    let entries = world.journal.kept.entries();
    let forgotten = block_on(compare(&world.ledger, &entries)).expect("it answers");
    block_on(mark(&world.ledger, &|_| policy(), &forgotten)).expect("it answers");
    let payout = world.payout(1);
    assert_eq!((payout.state, payout.attempt, payout.moved), (State::Review, 2, false));
    // What its provider says of it is heard.
    world.provider.finds(|_| is(News::Paid, None, "paid"));
    assert_eq!(world.hear_of(2, &[1], CallbackKind::Success), [Hearing::Taken]);
}
