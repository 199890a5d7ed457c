//! Callbacks about payouts that nothing asks about any more.

use crate::world::{World, is};
use domain::{Cause, Event, News, Outcome, State};
use engine::Hearing;
use ledger::{Note, NoteKind};
use providers::{CallbackKind, Found, Payment};

const REFUSED: Outcome = Outcome::Refused { created_nothing: false };
const ROWS: [u16; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// Ten rows that the provider refused.
fn refused() -> World {
    let world = World::new(10, 0);
    for row in ROWS {
        world.sent(row, REFUSED, Vec::new());
    }
    world
}

fn states(world: &World) -> Vec<State> {
    world.payouts().iter().map(|payout| payout.state).collect()
}

#[test]
fn of_many_late_successes_at_once_none_is_dropped() {
    let world = refused();
    world.provider.finds(|_| is(News::Paid, None, ""));
    let answers = world.hear(&ROWS, CallbackKind::Success);
    assert_eq!(answers, vec![Hearing::Taken; 10]);
    assert_eq!(states(&world), [State::Review; 10], "each is disputed");
}

#[test]
fn a_late_success_that_could_not_be_checked_is_kept_and_the_provider_is_to_call_again() {
    let unclear = || Found::Unclear { text: "502".to_owned() };
    let stop = || Found::StopLane { text: "401".to_owned() };
    // A list that does not show it yet denies nothing.
    let absent = || Found::Absent;
    let late = || is(News::InProgress, None, "processing");
    for says in [unclear, stop, absent, late] {
        let world = refused();
        world.provider.finds(move |_| says());
        assert_eq!(world.hear(&[3], CallbackKind::Success), [Hearing::Unchecked]);
        assert_eq!(states(&world), [State::Failed; 10]);
        assert!(!world.notes(3, NoteKind::Evidence).is_empty(), "it is kept");
        world.provider.finds(|_| is(News::Paid, None, ""));
        assert_eq!(world.hear(&[3], CallbackKind::Success), [Hearing::Taken]);
        assert_eq!(world.payout(3).state, State::Review);
    }
}

#[test]
fn a_late_success_that_the_provider_denies_is_evidence_and_answered() {
    let world = refused();
    world.provider.finds(|_| is(News::Failed, None, "declined"));
    assert_eq!(world.hear(&[3], CallbackKind::Success), [Hearing::Taken]);
    assert_eq!(states(&world), [State::Failed; 10]);
}

/// A record under our reference, of another sum.
fn differs(_: &Payment) -> Found {
    Found::Differs { text: "the amount is 9.00".to_owned() }
}

#[test]
fn a_late_success_of_another_amount_is_disputed_and_what_differs_is_the_reason() {
    let world = refused();
    world.provider.finds(differs);
    assert_eq!(world.hear(&[3], CallbackKind::Success), [Hearing::Taken]);
    assert_eq!((world.payout(3).state, world.payout(3).cause), (State::Review, Cause::Disputed));
    assert_eq!(world.notes(3, NoteKind::Reason), ["the amount is 9.00"]);
}

#[test]
fn a_late_success_of_another_amount_stops_the_attempt_that_is_newer_than_its_own() {
    for is_sent in [false, true] {
        let world = retried(is_sent);
        world.provider.finds(|payment| match payment.attempt {
            1 => differs(payment),
            _ => Found::Absent,
        });
        assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
        let payout = world.payout(0);
        assert_eq!((payout.state, payout.cause), (State::Review, Cause::OlderAttemptPaid));
        assert!(world.notes(0, NoteKind::Reason).contains(&"the amount is 9.00".to_owned()));
    }
}

#[test]
fn a_success_of_another_amount_never_settles_a_review_that_nobody_could_know_about() {
    let world = World::new(1, 0);
    world.sent(0, Outcome::Unknown, Vec::new());
    world.happen(0, Event::TooOld, Vec::new());
    let before = world.payout(0);
    assert_eq!((before.state, before.cause), (State::Review, Cause::CannotBeKnown));
    world.provider.finds(differs);
    assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
    assert_eq!(world.payout(0), before);
    assert!(world.notes(0, NoteKind::Evidence).contains(&"the amount is 9.00".to_owned()));
}

#[test]
fn a_late_success_is_looked_up_by_all_that_is_known_of_the_payout() {
    let world = World::new(1, 0);
    world.sent(0, Outcome::Accepted, vec![Note::new(NoteKind::ProviderId, "gw-7")]);
    world.happen(0, Event::News { attempt: 1, news: News::Failed }, Vec::new());
    world.provider.finds(|payment| match payment.past.provider_id.as_deref() {
        Some("gw-7") if payment.past.sent.is_some() => is(News::Paid, None, ""),
        _ => Found::Absent,
    });
    assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
    assert_eq!(world.payout(0).state, State::Review, "it is disputed");
}

/// A payout that was paid, and a provider that now says otherwise.
fn paid(says: fn() -> Found) -> World {
    let world = World::new(1, 0);
    world.sent(0, Outcome::Accepted, Vec::new());
    world.happen(0, Event::News { attempt: 1, news: News::Paid }, Vec::new());
    world.provider.finds(move |_| says());
    world
}

#[test]
fn money_that_came_back_after_it_was_paid_is_noticed_by_a_hint() {
    let world = paid(|| is(News::Returned, None, "returned"));
    assert_eq!(world.hear(&[0], CallbackKind::Status), [Hearing::Taken]);
    assert!(world.payout(0).state == State::Paid && world.payout(0).returned);
    assert_eq!(world.hear(&[0], CallbackKind::Status), [Hearing::Taken]);
    assert_eq!(world.asked(), 1, "what is known is not asked again");
}

#[test]
fn a_hint_about_what_was_paid_changes_nothing_unless_a_look_up_says_returned() {
    for says in [
        || is(News::Paid, None, ""),
        || is(News::Failed, None, "declined"),
        || is(News::Cancelled, None, ""),
    ] {
        let world = paid(says);
        let before = world.payout(0);
        assert_eq!(world.hear(&[0], CallbackKind::Status), [Hearing::Taken]);
        assert_eq!((world.payout(0), world.asked()), (before, 1));
    }
    for says in [|| Found::Unclear { text: "502".to_owned() }, || Found::Absent] {
        assert_eq!(paid(says).hear(&[0], CallbackKind::Status), [Hearing::Unchecked]);
    }
    let world = paid(|| is(News::Returned, None, "returned"));
    // A URL for successes tells of no return.
    assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
    assert_eq!(world.asked(), 0);
}

/// An attempt that was refused, and a newer one: payable, or taken by the provider.
fn retried(is_sent: bool) -> World {
    let world = World::new(1, 0);
    world.sent(0, REFUSED, Vec::new());
    world.happen(0, Event::NewAttempt, Vec::new());
    if is_sent {
        world.sent(0, Outcome::Accepted, Vec::new());
    }
    world
}

#[test]
fn a_word_about_an_older_attempt_is_looked_up_as_that_attempt_and_stops_the_newer_one_if_it_is_true()
 {
    for is_sent in [false, true] {
        for kind in [CallbackKind::Success, CallbackKind::Status] {
            let world = retried(is_sent);
            world.provider.finds(|payment| match payment.attempt {
                1 => is(News::Paid, None, ""),
                _ => Found::Absent,
            });
            assert_eq!(world.hear(&[0], kind), [Hearing::Taken]);
            let payout = world.payout(0);
            assert_eq!((payout.state, payout.cause), (State::Review, Cause::OlderAttemptPaid));
        }
    }
}

#[test]
fn a_word_about_an_older_attempt_that_nobody_can_check_is_to_come_again() {
    let world = retried(true);
    for says in [|| Found::Unclear { text: "502".to_owned() }, || is(News::InProgress, None, "")] {
        world.provider.finds(move |_| says());
        for kind in [CallbackKind::Success, CallbackKind::Status] {
            assert_eq!(world.hear(&[0], kind), [Hearing::Unchecked]);
        }
        let payout = world.payout(0);
        assert!(payout.state == State::Submitted && payout.news_pending, "{payout:?}");
    }
    world.provider.finds(|_| is(News::Failed, None, "declined"));
    assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
    assert_eq!((world.payout(0).state, world.payout(0).attempt), (State::Submitted, 2));
}

#[test]
fn a_newer_attempt_does_not_wait_for_a_word_of_the_older_one_that_is_denied_or_tells_of_a_failure()
{
    let world = retried(true);
    let kept = || world.notes(0, NoteKind::Evidence).len();
    let before = (world.payout(0), kept());
    world.provider.finds(|_| is(News::Failed, None, "declined"));
    assert_eq!(world.hear(&[0], CallbackKind::Success), [Hearing::Taken]);
    assert_eq!(world.hear(&[0], CallbackKind::Error), [Hearing::Taken]);
    assert!(world.payout(0) == before.0 && kept() > before.1);
    assert_eq!(world.asked(), 1, "a failure is not asked about");
}
