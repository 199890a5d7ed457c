//! The rules of the table, stated as sentences.

use super::*;
use proptest::prelude::*;

const NOW: Millis = Millis(1_000_000_000);
const SENDER: Sender = Sender(7);
const ACCOUNT: Account = Account(9);
/// No journal tells what the ledger forgot.
const PAST_LOST: Event = Event::PastLost { account: ACCOUNT };
/// The sender is known to be gone.
const NOT_FOUND: Event = Event::NotFound { sender_gone: true, none_later: true };

fn policy() -> Policy {
    Policy::default()
}

fn fresh() -> Payout {
    Payout::new(NOW, NOW.plus(1_000_000)).normal()
}

fn apply(payout: &Payout, event: Event, now: Millis) -> Payout {
    match decide(payout, &event, now, &policy()) {
        Ok(Decision::Change(next)) => next,
        other => panic!("{event:?} on {payout:?} gave {other:?}"),
    }
}

fn outcome(payout: &Payout, outcome: Outcome) -> Event {
    Event::Outcome { intent: payout.intents, outcome }
}

fn news(payout: &Payout, news: News) -> Event {
    Event::News { attempt: payout.attempt, news }
}

fn found(payout: &Payout, news: News, asked_at: Millis) -> Event {
    Event::Found { attempt: payout.attempt, news, asked_at }
}

fn intent() -> Event {
    intent_at(NOW)
}

fn intent_at(now: Millis) -> Event {
    Event::Intent { send_before: now.plus(1_000), sender: SENDER, account: ACCOUNT }
}

fn rewound(attempt: u8, intents: u16) -> Event {
    let send_before = NOW.plus(1_000);
    Event::Rewound { attempt, intents, send_before, sender: SENDER, account: ACCOUNT, moved: false }
}

fn unknown() -> Payout {
    apply(&apply(&fresh(), intent(), NOW), Event::SenderLost, NOW)
}

fn any_event() -> impl Strategy<Value = Event> {
    let outcomes = prop_oneof![
        Just(Outcome::Accepted),
        any::<bool>().prop_map(|created_nothing| Outcome::Refused { created_nothing }),
        Just(Outcome::Moves),
        (0u64..1000).prop_map(|ms| Outcome::RefusedForNow { retry_at: NOW.plus(ms) }),
        Just(Outcome::Unlisted),
        Just(Outcome::Unknown),
        Just(Outcome::Exists),
        Just(Outcome::Begun),
        Just(Outcome::Withdrawn),
    ];
    let facts = prop_oneof![
        Just(News::InProgress),
        Just(News::Waiting),
        Just(News::Paid),
        Just(News::Failed),
        Just(News::Cancelled),
        Just(News::Returned),
        Just(News::Differs),
    ];
    let found = facts.clone();
    prop_oneof![
        4 => Just(intent()),
        4 => (0u16..4, outcomes).prop_map(|(intent, outcome)| Event::Outcome { intent, outcome }),
        2 => (0u8..4, facts).prop_map(|(attempt, news)| Event::News { attempt, news }),
        2 => (0u8..4, found, 0u64..400_000).prop_map(|(attempt, news, ms)| {
            Event::Found { attempt, news, asked_at: NOW.plus(ms) }
        }),
        2 => (0u16..4).prop_map(|intent| Event::StepOutcome { intent }),
        1 => (0u16..4, any::<bool>()).prop_map(|(intent, is_first)| {
            Event::StepWithdrawn { intent, is_first }
        }),
        2 => Just(Event::SenderLost),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(sender_gone, none_later)| {
            Event::NotFound { sender_gone, none_later }
        }),
        1 => (1u8..4, 0u16..6).prop_map(|(attempt, intents)| rewound(attempt, intents)),
        1 => prop_oneof![
            Just(Event::StepIntent), Just(Event::Inconclusive),
            Just(Event::Hint), Just(Event::TooOld), Just(Event::Cancel), Just(Event::ResolvePaid),
            Just(Event::ResolveFailed), Just(Event::NewAttempt), Just(Event::Rebound),
            Just(PAST_LOST), Just(PAST_LOST),
        ],
    ]
}

proptest! {
    #[test]
    fn whatever_happens_the_invariants_of_a_payout_hold(in_step: bool, events in proptest::collection::vec((any_event(), 0u64..200_000), 1..40)) {
        let mut payout = if in_step { stepping() } else { fresh() };
        let mut now = NOW;
        for (event, pause) in events {
            now = now.plus(pause);
            let before = payout;
            if let Ok(Decision::Change(next)) = decide(&payout, &event, now, &policy()) {
                payout = next;
                prop_assert_eq!(payout.version, before.version + 1, "every change is a new version");
                prop_assert_eq!(payout.normal(), payout, "kept in its packed form");
                prop_assert!(payout.attempt >= before.attempt && payout.intents >= before.intents);
                prop_assert_eq!(payout.state.is_open(), payout.due != Millis::NEVER, "exactly the open payouts are looked at again");
                if before.step_open && payout.step_open {
                    prop_assert!(payout.due >= before.due, "an open step is not asked about earlier");
                    prop_assert!(event != Event::StepIntent);
                }
                if before.step_open && !payout.step_open && payout.state.is_open() {
                    prop_assert!(match event {
                        Event::StepOutcome { intent } | Event::StepWithdrawn { intent, .. } => intent == before.intents,
                        Event::Found { asked_at, .. } => asked_at >= before.due,
                        _ => false,
                    }, "{:?} closed a step", event);
                }
                if before.stepped && !payout.stepped {
                    prop_assert!(before.step_open || payout.attempt > before.attempt,
                        "a step that ended otherwise is never forgotten");
                }
                if before.ever_accepted && payout.attempt == before.attempt {
                    prop_assert!(!(before.state != State::Accepted && payout.state == State::Accepted),
                        "what the provider accepted is never payable again in the same attempt");
                }
                prop_assert!(!(payout.past_lost && payout.state == State::Accepted),
                    "what a lost journal may name is not payable unasked");
                if before.past_lost && !payout.past_lost {
                    prop_assert!(matches!(event, Event::NotFound { none_later: true, .. }) && before.absences > 0,
                        "only a proof ends that doubt: {:?}", event);
                }
                if before.past_lost && matches!(payout.state, State::Failed | State::Cancelled) {
                    prop_assert!(event == Event::ResolveFailed, "only a person ends it: {:?}", event);
                }
                if matches!(event, Event::Rewound { .. } | Event::PastLost { .. }) {
                    prop_assert!(payout.state != State::Accepted, "what was sent once is not payable unasked");
                } else if payout.attempt > before.attempt {
                    let moves = matches!(event, Event::Outcome { outcome: Outcome::Moves, .. });
                    prop_assert_eq!(moves, payout.moved && !before.moved);
                    let may = match moves {
                        true => before.state == State::Submitting && before.may_move(),
                        false => matches!(before.state, State::Failed | State::Review),
                    };
                    prop_assert!(may, "no new attempt of {:?} by {:?}", before, event);
                }
            }
        }
    }
}

#[test]
fn an_unknown_payout_is_payable_again_only_after_two_live_misses_apart() {
    let lost = unknown();
    assert_eq!(decide(&lost, &NOT_FOUND, NOW.plus(10), &policy()), Ok(Decision::Record));
    let asked = NOW.plus(1_000).plus(policy().doubt_ms());
    let once = apply(&lost, NOT_FOUND, asked);
    assert_eq!(once.state, State::Unknown);
    let at_once = decide(&once, &NOT_FOUND, asked.plus(1), &policy());
    assert_eq!(at_once, Ok(Decision::Record), "the second look-up came too soon");
    let twice = apply(&once, NOT_FOUND, asked.plus(policy().settling_ms));
    assert_eq!(
        (twice.state, twice.attempt, twice.cause),
        (State::Accepted, 1, Cause::ProvedAbsent)
    );
}

#[test]
fn a_look_up_that_tells_nothing_voids_an_earlier_miss() {
    let asked = NOW.plus(1_000).plus(policy().doubt_ms());
    let once = apply(&unknown(), NOT_FOUND, asked);
    let later = apply(&once, Event::Inconclusive, once.due);
    assert_eq!(apply(&later, NOT_FOUND, later.due).state, State::Unknown);
}

#[test]
fn what_was_once_accepted_and_is_missed_twice_goes_to_review() {
    let sent = apply(&fresh(), intent(), NOW);
    let taken = apply(&sent, outcome(&sent, Outcome::Accepted), NOW);
    let once = apply(&taken, NOT_FOUND, taken.due);
    let twice = apply(&once, NOT_FOUND, once.due);
    assert_eq!((twice.state, twice.cause), (State::Review, Cause::LostAtProvider));
}

#[test]
fn a_late_outcome_settles_the_doubt_about_its_own_intent_only() {
    let lost = unknown();
    assert_eq!(apply(&lost, outcome(&lost, Outcome::Accepted), NOW).state, State::Submitted);
    assert_eq!(apply(&lost, outcome(&lost, Outcome::Withdrawn), NOW).state, State::Accepted);
    let again = apply(
        &apply(&lost, outcome(&lost, Outcome::RefusedForNow { retry_at: NOW }), NOW),
        intent(),
        NOW,
    );
    let old = Event::Outcome { intent: 1, outcome: Outcome::Withdrawn };
    assert_eq!(decide(&again, &old, NOW, &policy()), Ok(Decision::Record));
}

#[test]
fn an_older_request_that_was_accepted_after_all_stops_the_payout_for_a_person() {
    let sent_again = apply(&proved_absent(), intent(), NOW);
    let withdrawn = apply(&sent_again, outcome(&sent_again, Outcome::Withdrawn), NOW);
    let unanswered = apply(&sent_again, outcome(&sent_again, Outcome::Unknown), NOW);
    for (payout, state) in [
        (sent_again, State::Submitting),
        (withdrawn, State::Accepted),
        (unanswered, State::Unknown),
    ] {
        assert_eq!((payout.state, payout.intents), (state, 2));
        let late = Event::Outcome { intent: 1, outcome: Outcome::Accepted };
        let stopped = apply(&payout, late, NOW);
        assert_eq!((stopped.state, stopped.cause), (State::Review, Cause::TakenBefore), "{state}");
    }
}

#[test]
fn paid_settles_every_open_state_and_a_review_that_could_not_know() {
    let sent = apply(&fresh(), intent(), NOW);
    let taken = apply(&sent, outcome(&sent, Outcome::Accepted), NOW);
    let waiting = apply(&taken, news(&taken, News::Waiting), NOW);
    let too_old = apply(&unknown(), Event::TooOld, NOW);
    for open in [fresh(), sent, taken, waiting, unknown(), too_old] {
        assert_eq!(apply(&open, news(&open, News::Paid), NOW).state, State::Paid);
    }
    let differs = apply(&taken, news(&taken, News::Differs), NOW);
    assert_eq!(decide(&differs, &news(&differs, News::Paid), NOW, &policy()), Ok(Decision::Record));
}

#[test]
fn paid_after_failed_is_disputed_and_failed_after_paid_changes_nothing() {
    let sent = apply(&fresh(), intent(), NOW);
    let failed = apply(&sent, outcome(&sent, Outcome::Refused { created_nothing: true }), NOW);
    let disputed = apply(&failed, news(&failed, News::Paid), NOW);
    assert_eq!((disputed.state, disputed.cause), (State::Review, Cause::Disputed));
    let paid = apply(&sent, news(&sent, News::Paid), NOW);
    assert_eq!(decide(&paid, &news(&paid, News::Failed), NOW, &policy()), Ok(Decision::Record));
    assert!(apply(&paid, news(&paid, News::Returned), NOW).returned);
}

#[test]
fn old_news_never_changes_a_newer_attempt_unless_it_says_paid() {
    let sent = apply(&fresh(), intent(), NOW);
    let failed = apply(&sent, outcome(&sent, Outcome::Refused { created_nothing: true }), NOW);
    let second = apply(&failed, Event::NewAttempt, NOW);
    assert_eq!(second.attempt, 2);
    let old = |news| Event::News { attempt: 1, news };
    assert_eq!(decide(&second, &old(News::Failed), NOW, &policy()), Ok(Decision::Record));
    let stopped = apply(&second, old(News::Paid), NOW);
    assert_eq!((stopped.state, stopped.cause), (State::Review, Cause::OlderAttemptPaid));
}

#[test]
fn nothing_is_sent_or_cancelled_while_a_hint_waits_for_its_look_up() {
    let hinted = apply(&fresh(), Event::Hint, NOW);
    assert!(decide(&hinted, &intent(), NOW, &policy()).is_err());
    assert!(decide(&hinted, &Event::Cancel, NOW, &policy()).is_err());
    assert_eq!(apply(&hinted, Event::TooOld, NOW).state, State::Review);
    let cleared = apply(&hinted, NOT_FOUND, NOW);
    assert_eq!(apply(&cleared, intent(), NOW).state, State::Submitting);
}

#[test]
fn a_hint_is_answered_by_one_look_up_and_the_next_one_comes_when_the_payout_is_overdue() {
    let sent = apply(&fresh(), intent(), NOW);
    let taken = apply(&sent, outcome(&sent, Outcome::Accepted), NOW);
    let soon = NOW.plus(10_000);
    let hinted = apply(&taken, Event::Hint, soon);
    assert_eq!((hinted.due, hinted.news_pending), (soon, true));
    let unanswered = apply(&hinted, Event::Inconclusive, soon);
    assert_eq!(unanswered.due, soon.plus(policy().settling_ms), "nothing was told yet");
    let answered = apply(&hinted, found(&hinted, News::InProgress, soon), soon);
    assert_eq!(answered.due, taken.due, "as if the hint had never been");
}

fn proved_absent() -> Payout {
    let lost = unknown();
    let once = apply(&lost, NOT_FOUND, lost.due);
    apply(&once, NOT_FOUND, once.due)
}

#[test]
fn a_hint_against_a_proved_absence_makes_it_doubtful_again() {
    let hinted = apply(&proved_absent(), Event::Hint, NOW);
    let missed = apply(&hinted, NOT_FOUND, hinted.due.max(NOW.plus(10_000_000)));
    assert_eq!(missed.state, State::Unknown, "one miss does not outweigh the hint");
}

#[test]
fn a_late_answer_that_tells_nothing_makes_a_payable_payout_doubtful_again() {
    let payable = proved_absent();
    assert_eq!(apply(&payable, outcome(&payable, Outcome::Unknown), NOW).state, State::Unknown);
}

#[test]
fn a_payout_that_is_sent_and_missed_again_and_again_ends_with_a_person() {
    let mut payout = proved_absent();
    while payout.state == State::Accepted {
        let now = payout.since.plus(1_000);
        let sent = apply(&payout, intent_at(now), now);
        let lost = apply(&sent, Event::SenderLost, now);
        let once = apply(&lost, NOT_FOUND, lost.due);
        payout = apply(&once, NOT_FOUND, once.due);
    }
    assert_eq!((payout.state, payout.cause), (State::Review, Cause::CannotBeKnown));
    assert_eq!(payout.intents, INTENTS_MAX);
}

#[test]
fn cancel_is_refused_once_an_intent_stands() {
    assert_eq!(apply(&fresh(), Event::Cancel, NOW).state, State::Cancelled);
    let sent = apply(&fresh(), intent(), NOW);
    assert!(decide(&sent, &Event::Cancel, NOW, &policy()).is_err());
}

#[test]
fn too_old_fails_what_was_never_sent_and_reviews_the_rest() {
    assert_eq!(apply(&fresh(), Event::TooOld, NOW).state, State::Failed);
    assert_eq!(apply(&unknown(), Event::TooOld, NOW).cause, Cause::CannotBeKnown);
}

#[test]
fn outcomes_and_news_of_what_never_was_are_illegal() {
    let wild = Event::Outcome { intent: 1, outcome: Outcome::Accepted };
    assert!(decide(&fresh(), &wild, NOW, &policy()).is_err());
    let wild = Event::News { attempt: 2, news: News::Paid };
    assert!(decide(&fresh(), &wild, NOW, &policy()).is_err());
}

#[test]
fn a_hint_that_came_before_the_answer_is_still_looked_up_after_it() {
    let hinted = apply(&apply(&fresh(), intent(), NOW), Event::Hint, NOW);
    assert_eq!(hinted.state, State::Submitting);
    let taken = apply(&hinted, outcome(&hinted, Outcome::Accepted), NOW);
    assert!(taken.news_pending && taken.due <= NOW);
    let found = apply(&taken, news(&taken, News::InProgress), NOW);
    assert!(!found.news_pending && found.due > NOW);
}

#[test]
fn what_exists_already_is_looked_up_and_never_proved_absent() {
    let sent = apply(&fresh(), intent(), NOW);
    let exists = apply(&sent, outcome(&sent, Outcome::Exists), NOW);
    assert_eq!((exists.state, exists.ever_accepted), (State::Unknown, true));
    let first = apply(&exists, NOT_FOUND, exists.due);
    let second = apply(&first, NOT_FOUND, first.due);
    assert_eq!((second.state, second.cause), (State::Review, Cause::LostAtProvider));
}

#[test]
fn what_waits_for_a_second_step_is_asked_about_at_once() {
    let sent = apply(&fresh(), intent(), NOW);
    let begun = apply(&sent, outcome(&sent, Outcome::Begun), NOW);
    assert_eq!((begun.state, begun.due), (State::Submitted, NOW));
}

#[test]
fn a_second_step_stays_beside_the_state_until_a_look_up_tells_what_became_of_it() {
    let sent = apply(&fresh(), intent(), NOW);
    let begun = apply(&sent, outcome(&sent, Outcome::Begun), NOW);
    let step = apply(&begun, Event::StepIntent, NOW);
    assert_eq!((step.state, step.step_open, step.stepped), (State::Submitted, true, true));
    // Its sender may die: nobody asks before its request has surely ended.
    let policy = policy();
    assert_eq!(step.due, NOW.plus(policy.send_window_ms + policy.doubt_ms()));
    let told = apply(&step, found(&step, News::InProgress, step.due), step.due);
    assert_eq!((told.state, told.step_open, told.stepped), (State::Submitted, false, true));
    let answered = apply(&step, Event::StepOutcome { intent: step.intents }, NOW);
    assert!(!answered.step_open && answered.stepped && answered.due > NOW);
}

/// An order of which nobody knows yet what became of its step.
fn stepping() -> Payout {
    let sent = apply(&fresh(), intent(), NOW);
    let begun = apply(&sent, outcome(&sent, Outcome::Begun), NOW);
    apply(&begun, Event::StepIntent, NOW)
}

#[test]
fn a_step_that_is_open_is_not_opened_again_and_none_is_begun_against_a_hint() {
    let step = stepping();
    assert!(decide(&step, &Event::StepIntent, step.due, &policy()).is_err());
    let told = apply(&step, found(&step, News::Waiting, step.due), step.due);
    let hinted = apply(&told, Event::Hint, step.due);
    assert!(decide(&hinted, &Event::StepIntent, step.due, &policy()).is_err());
    assert!(apply(&told, Event::StepIntent, step.due).step_open);
}

#[test]
fn what_the_provider_sent_by_itself_never_closes_a_step() {
    let step = stepping();
    for now in [NOW, step.due, step.due.plus(10_000_000)] {
        for told in [News::InProgress, News::Waiting] {
            let later = apply(&step, news(&step, told), now);
            assert!(later.step_open, "{told:?} at {now:?} may be older than the step");
            assert_eq!(later.due, step.due, "the look-up comes in its time");
            let closed = apply(&later, found(&later, told, step.due), step.due);
            assert!(!closed.step_open);
        }
    }
    assert!(!apply(&step, news(&step, News::Paid), NOW).step_open);
}

#[test]
fn a_look_up_closes_only_a_step_whose_request_had_surely_ended_when_it_was_asked() {
    let step = stepping();
    let just_before = Millis(step.due.0 - 1);
    for (asked_at, stays) in [(NOW, true), (just_before, true), (step.due, false)] {
        let told = apply(&step, found(&step, News::Waiting, asked_at), step.due.plus(10_000));
        assert_eq!((told.state, told.step_open), (State::Waiting, stays), "asked at {asked_at:?}");
    }
}

#[test]
fn a_hint_does_not_hurry_the_look_up_that_tells_of_a_step() {
    let step = stepping();
    let hinted = apply(&step, Event::Hint, NOW);
    assert!(hinted.news_pending && hinted.step_open);
    assert_eq!(hinted.due, step.due);
    let answered = apply(&step, Event::StepOutcome { intent: step.intents }, NOW);
    let hinted = apply(&answered, Event::Hint, NOW.plus(1));
    assert_eq!(hinted.due, NOW.plus(policy().settling_ms), "what was taken must be visible first");
}

#[test]
fn the_outcome_of_an_older_step_does_not_close_the_newer_one() {
    let first = stepping();
    let told = apply(&first, found(&first, News::InProgress, first.due), first.due);
    let second = apply(&told, Event::StepIntent, first.due);
    let late = Event::StepOutcome { intent: first.intents };
    assert_eq!(decide(&second, &late, first.due, &policy()), Ok(Decision::Record));
    assert_eq!(decide(&told, &late, first.due, &policy()), Ok(Decision::Record));
    let own = Event::StepOutcome { intent: second.intents };
    assert!(!apply(&second, own, first.due).step_open);
    let wild = Event::StepOutcome { intent: second.intents + 1 };
    assert!(decide(&second, &wild, first.due, &policy()).is_err());
}

#[test]
fn a_step_that_was_certainly_not_sent_leaves_nothing_but_an_earlier_one() {
    let withdrawn =
        |payout: &Payout, is_first| Event::StepWithdrawn { intent: payout.intents, is_first };
    let first = stepping();
    let untouched = apply(&first, withdrawn(&first, true), NOW);
    assert!(!untouched.step_open && !untouched.stepped);
    assert_eq!(untouched.due, NOW.plus(policy().settling_ms), "it is asked about again");
    assert!(apply(&untouched, Event::StepIntent, NOW).stepped);
    // Nobody knows what became of the first one.
    let told = apply(&first, found(&first, News::InProgress, first.due), first.due);
    let second = apply(&told, Event::StepIntent, first.due);
    let only_first = apply(&second, withdrawn(&second, false), first.due);
    assert!(!only_first.step_open && only_first.stepped);
    let late = withdrawn(&first, true);
    assert_eq!(decide(&second, &late, first.due, &policy()), Ok(Decision::Record));
    assert_eq!(decide(&told, &late, first.due, &policy()), Ok(Decision::Record));
}

#[test]
fn what_a_lost_sender_may_still_send_is_not_payable_before_he_is_gone() {
    let at_large = Event::NotFound { sender_gone: false, none_later: true };
    let mut waits = unknown();
    for _ in 0..5 {
        let next = apply(&waits, at_large.clone(), waits.due);
        assert_eq!((next.state, next.sender, next.absences), (State::Unknown, SENDER, 0));
        assert!(next.due > waits.due, "it is asked about again");
        waits = next;
    }
    // Both misses that prove its absence come after he is known to be gone.
    let once = apply(&waits, NOT_FOUND, waits.due);
    assert_eq!(once.state, State::Unknown);
    let twice = apply(&once, NOT_FOUND, once.due);
    assert_eq!((twice.state, twice.sender), (State::Accepted, Sender::NOBODY));
}

#[test]
fn a_sender_that_writes_its_outcome_late_is_waited_for_no_longer() {
    let lost = unknown();
    let missed = apply(&lost, NOT_FOUND, lost.due);
    let late = missed.due.plus(1);
    let told = apply(&missed, outcome(&missed, Outcome::Unknown), late);
    assert_eq!((told.state, told.sender), (State::Unknown, Sender::NOBODY));
    assert_eq!(told.due, late.plus(policy().settling_ms), "its request has ended only now");
    let once = apply(&told, Event::NotFound { sender_gone: false, none_later: true }, told.due);
    assert_eq!(once.state, State::Unknown, "what was missed before means nothing");
    let twice = apply(&once, Event::NotFound { sender_gone: false, none_later: true }, once.due);
    assert_eq!(twice.state, State::Accepted);
    let exists = apply(&unknown(), outcome(&unknown(), Outcome::Exists), NOW.plus(5));
    assert!(exists.ever_accepted, "something of ours is there");
}

#[test]
fn a_strangers_hint_does_not_make_a_second_miss_of_the_first() {
    let lost = unknown();
    let once = apply(&lost, NOT_FOUND, lost.due);
    let hinted = apply(&once, Event::Hint, lost.due.plus(10));
    let missed = apply(&hinted, NOT_FOUND, lost.due.plus(20));
    assert_eq!((missed.state, missed.absences), (State::Unknown, 1));
    assert!(missed.due >= lost.due.plus(20).plus(policy().settling_ms));
}

#[test]
fn an_account_stays_bound_although_a_later_request_never_left() {
    let once = apply(&unknown(), NOT_FOUND, unknown().due);
    let absent = apply(&once, NOT_FOUND, once.due);
    let again = apply(&absent, intent(), absent.due);
    let withdrawn = apply(&again, outcome(&again, Outcome::Withdrawn), absent.due);
    assert_eq!((withdrawn.state, withdrawn.account), (State::Accepted, ACCOUNT));
    assert_eq!(apply(&withdrawn, Event::TooOld, absent.due).state, State::Review);
    let mut refused = fresh();
    for _ in 0..3 {
        let sent = apply(&refused, intent(), NOW);
        refused = apply(&sent, outcome(&sent, Outcome::RefusedForNow { retry_at: NOW }), NOW);
        assert_eq!(refused.account, Account::NONE, "nothing of it is anywhere");
    }
    assert_eq!(apply(&refused, Event::TooOld, NOW).state, State::Failed);
}

#[test]
fn a_new_attempt_is_no_row_of_the_call_that_carried_the_one_before() {
    let sent = apply(&fresh(), intent(), NOW);
    let failed = apply(&sent, news(&sent, News::Failed), NOW);
    assert_eq!(apply(&failed, Event::NewAttempt, NOW).send_before, Millis(0));
}

#[test]
fn a_payout_that_was_proved_absent_at_one_account_is_not_sent_from_another() {
    let once = apply(&unknown(), NOT_FOUND, unknown().due);
    let absent = apply(&once, NOT_FOUND, once.due);
    let elsewhere =
        Event::Intent { send_before: NOW.plus(1), sender: SENDER, account: Account(10) };
    assert!(decide(&absent, &elsewhere, absent.due, &policy()).is_err());
    assert_eq!(apply(&absent, intent(), absent.due).state, State::Submitting);
    let sent = apply(&fresh(), intent(), NOW);
    let withdrawn = apply(&sent, outcome(&sent, Outcome::Withdrawn), NOW);
    assert_eq!(apply(&withdrawn, elsewhere, NOW).state, State::Submitting, "it never left");
}

#[test]
fn what_a_rewound_ledger_forgot_is_asked_about_and_never_sent_unasked() {
    let forgot = apply(&fresh(), rewound(1, 1), NOW);
    assert_eq!((forgot.state, forgot.cause), (State::Unknown, Cause::LedgerRewound));
    assert_eq!((forgot.intents, forgot.sender, forgot.account), (1, SENDER, ACCOUNT));
    assert!(forgot.due >= NOW.plus(1_000).plus(policy().doubt_ms()));
    assert_eq!(decide(&forgot, &rewound(1, 1), NOW, &policy()), Ok(Decision::Record), "twice");
    let failed = apply(&forgot, news(&forgot, News::Failed), NOW);
    assert_eq!(apply(&failed, rewound(1, 2), NOW).state, State::Review);
    assert_eq!(decide(&failed, &rewound(1, 1), NOW, &policy()), Ok(Decision::Record));
}

#[test]
fn what_is_paid_or_with_a_person_only_learns_the_number_and_is_not_forgotten_again() {
    let paid = apply(&fresh(), news(&fresh(), News::Paid), NOW);
    let failed = apply(&fresh(), news(&fresh(), News::Failed), NOW);
    let review = apply(&failed, rewound(1, 2), NOW);
    assert_eq!((review.state, review.intents), (State::Review, 2));
    for payout in [paid, review] {
        let told = apply(&payout, rewound(1, 5), NOW);
        assert_eq!((told.state, told.cause, told.due), (payout.state, payout.cause, payout.due));
        assert_eq!(told.intents, 5);
        assert_eq!(decide(&told, &rewound(1, 5), NOW, &policy()), Ok(Decision::Record));
    }
}

#[test]
fn an_attempt_that_a_rewound_ledger_forgot_is_for_a_person() {
    for payout in [fresh(), unknown(), apply(&fresh(), news(&fresh(), News::Paid), NOW)] {
        let review = apply(&payout, rewound(2, 3), NOW);
        assert_eq!((review.state, review.cause), (State::Review, Cause::LedgerRewound));
        assert_eq!((review.attempt, review.intents), (2, 3), "its reference is not used again");
    }
}

#[test]
fn a_step_that_a_rewound_ledger_forgot_is_looked_up_first() {
    let taken = apply(&fresh(), news(&fresh(), News::InProgress), NOW);
    let forgot = apply(&taken, rewound(1, taken.intents + 1), NOW);
    assert!(forgot.step_open && forgot.stepped && forgot.state == State::Submitted);
    assert!(decide(&forgot, &Event::StepIntent, NOW, &policy()).is_err());
}

#[test]
fn a_late_answer_to_an_earlier_attempt_never_moves_the_newer_one_unless_it_was_taken() {
    let sent = apply(&fresh(), intent(), NOW);
    let failed = apply(&sent, news(&sent, News::Failed), NOW);
    let again = apply(&failed, Event::NewAttempt, NOW);
    for late in [
        Outcome::Refused { created_nothing: true },
        Outcome::RefusedForNow { retry_at: NOW },
        Outcome::Unlisted,
        Outcome::Unknown,
        Outcome::Withdrawn,
    ] {
        let told = decide(&again, &outcome(&sent, late), NOW, &policy());
        assert_eq!(told, Ok(Decision::Record), "{late:?}");
    }
    let taken = apply(&again, outcome(&sent, Outcome::Accepted), NOW);
    assert_eq!((taken.state, taken.cause), (State::Review, Cause::TakenBefore));
    let never = apply(&fresh(), Event::TooOld, NOW);
    assert!(!apply(&never, Event::NewAttempt, NOW).was_ever_sent());
}

#[test]
fn what_may_have_reached_the_old_account_is_for_a_person_when_a_lane_moves() {
    assert_eq!(decide(&fresh(), &Event::Rebound, NOW, &policy()), Ok(Decision::Record));
    let once = apply(&unknown(), NOT_FOUND, unknown().due);
    let absent = apply(&once, NOT_FOUND, once.due);
    let taken = apply(&fresh(), news(&fresh(), News::InProgress), NOW);
    for payout in [unknown(), absent, taken] {
        let moved = apply(&payout, Event::Rebound, NOW);
        assert_eq!((moved.state, moved.cause), (State::Review, Cause::Rebound));
    }
    let sent = apply(&fresh(), intent(), NOW);
    assert!(decide(&sent, &Event::Rebound, NOW, &policy()).is_err(), "its sender is waited for");
}

/// Nobody has asked about later attempts.
const MISSED_ALONE: Event = Event::NotFound { sender_gone: true, none_later: false };

/// Failed, and then the ledger went back and the journals were gone.
fn failed_before_the_loss() -> Payout {
    let sent = apply(&fresh(), intent(), NOW);
    let failed = apply(&sent, news(&sent, News::Failed), NOW);
    apply(&failed, PAST_LOST, NOW.plus(60_000))
}

#[test]
fn what_failed_before_journals_were_lost_is_for_a_person() {
    let review = failed_before_the_loss();
    assert_eq!((review.state, review.cause), (State::Review, Cause::LedgerRewound));
    assert!(review.past_lost && review.intents == 2 && review.due == Millis::NEVER);
    let again = apply(&review, PAST_LOST, NOW.plus(70_000));
    assert_eq!((again.state, again.cause), (State::Review, review.cause), "marked twice");
    let never_sent = apply(&apply(&fresh(), Event::TooOld, NOW), PAST_LOST, NOW);
    assert!(never_sent.state == State::Review && never_sent.was_ever_sent());
    let paid = apply(&fresh(), news(&fresh(), News::Paid), NOW);
    assert_eq!(decide(&paid, &PAST_LOST, NOW, &policy()), Ok(Decision::Record));
}

#[test]
fn a_new_attempt_after_lost_journals_is_asked_about_before_it_is_sent() {
    let marked = failed_before_the_loss();
    let resolved = apply(&marked, Event::ResolveFailed, NOW.plus(100_000));
    assert_eq!(resolved.state, State::Failed, "a decision does not wash the doubt off");
    for before in [marked, resolved] {
        let now = NOW.plus(500_000);
        let ordered = apply(&before, Event::NewAttempt, now);
        assert_eq!((ordered.state, ordered.cause), (State::Unknown, Cause::LedgerRewound));
        assert_eq!((ordered.attempt, ordered.due, ordered.absences), (2, now, 0));
        assert_eq!(ordered.send_before, before.send_before, "it left before the loss, if at all");
        assert!(decide(&ordered, &intent(), now, &policy()).is_err());
        let too_early = decide(&ordered, &NOT_FOUND, now, &policy());
        assert_eq!(too_early, Ok(Decision::Record));
        let asked = now.plus(policy().doubt_ms());
        let once = apply(&ordered, NOT_FOUND, asked);
        let payable = apply(&once, NOT_FOUND, once.due);
        assert_eq!((payable.state, payable.attempt), (State::Accepted, 2));
        assert!(!payable.past_lost, "nothing of it is anywhere");
        assert_eq!(apply(&payable, intent_at(asked), asked).state, State::Submitting);
    }
}

#[test]
fn every_attempt_after_lost_journals_is_asked_about_until_none_can_be_there() {
    let second = apply(&failed_before_the_loss(), Event::NewAttempt, NOW.plus(500_000));
    let failed = apply(&second, news(&second, News::Failed), NOW.plus(500_000));
    assert_eq!((failed.state, failed.cause), (State::Review, Cause::LedgerRewound));
    assert!(failed.past_lost && failed.ever_accepted, "the provider had the forgotten one");
    let third = apply(&failed, Event::NewAttempt, NOW.plus(600_000));
    assert_eq!((third.state, third.attempt, third.ever_accepted), (State::Unknown, 3, false));
}

#[test]
fn an_attempt_is_not_sent_again_while_a_later_one_may_have_been_forgotten() {
    let marked = apply(&fresh(), PAST_LOST, NOW);
    assert_eq!((marked.state, marked.intents, marked.account), (State::Unknown, 1, ACCOUNT));
    let mut waits = marked;
    for _ in 0..5 {
        let next = apply(&waits, MISSED_ALONE, waits.due.max(NOW.plus(200_000)));
        assert_eq!((next.state, next.absences), (State::Unknown, 0));
        waits = next;
    }
    let later = rewound(2, waits.intents + 1);
    let stopped = apply(&waits, later, waits.due);
    assert_eq!((stopped.state, stopped.attempt), (State::Review, 2));
    assert!(stopped.past_lost, "a third may be there, too");
    let once = apply(&waits, NOT_FOUND, waits.due);
    let payable = apply(&once, NOT_FOUND, once.due);
    assert_eq!((payable.state, payable.past_lost), (State::Accepted, false));
}

#[test]
fn what_was_sent_often_before_its_past_was_lost_is_payable_once_nothing_is_anywhere() {
    let often = Payout { intents: INTENTS_MAX, ..apply(&fresh(), PAST_LOST, NOW) };
    let once = apply(&often, NOT_FOUND, often.due);
    let payable = apply(&once, NOT_FOUND, once.due);
    assert_eq!((payable.state, payable.past_lost), (State::Accepted, false));
}

#[test]
fn what_was_at_the_provider_before_the_loss_is_not_failed_by_the_providers_word_alone() {
    let sent = apply(&fresh(), intent(), NOW);
    let taken = apply(&sent, outcome(&sent, Outcome::Accepted), NOW);
    let marked = apply(&taken, PAST_LOST, NOW);
    assert!(marked.state == State::Submitted && marked.step_open && marked.past_lost);
    for told in [News::Failed, News::Cancelled] {
        let ended = apply(&marked, news(&marked, told), NOW);
        assert_eq!((ended.state, ended.cause), (State::Review, Cause::LedgerRewound));
    }
    assert_eq!(apply(&marked, news(&marked, News::Paid), NOW).state, State::Paid);
}

#[test]
fn a_step_that_was_begun_is_not_asked_about_twice_within_the_settling_time_however_it_is_polled() {
    let polled = Some(crate::policy::Polled { every_ms: 10, together: true });
    let policy = Policy { polled, ..policy() };
    let taken = apply(&fresh(), intent(), NOW);
    let taken = apply(&taken, outcome(&taken, Outcome::Accepted), NOW);
    let stepped = apply(&taken, Event::StepIntent, NOW);
    let intent = stepped.intents;
    let stepped = apply(&stepped, Event::StepOutcome { intent }, NOW);
    let asked_at = stepped.due;
    let found = Event::Found { attempt: 1, news: News::InProgress, asked_at };
    let Ok(Decision::Change(next)) = decide(&stepped, &found, asked_at, &policy) else {
        panic!("it is found")
    };
    assert!(next.due >= asked_at.plus(policy.settling_ms), "{next:?}");
    let unstepped = apply(&taken, Event::Hint, NOW);
    let found = Event::Found { attempt: 1, news: News::InProgress, asked_at: NOW };
    let Ok(Decision::Change(next)) = decide(&unstepped, &found, NOW, &policy) else {
        panic!("it is found")
    };
    assert!(next.due <= NOW.plus(10), "polled as agreed: {next:?}");
}
