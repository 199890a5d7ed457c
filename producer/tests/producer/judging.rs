//! Which decisions a payout leaves to a person: nothing against the provider's own plain word, and
//! nothing while money may still move.

use crate::desk::{A_WHILE_MS, Desk, HOUR_MS, is};
use crate::fake::FINGERPRINT;
use domain::{Account, BatchState, Event, News, Outcome, Policy, Sender, State};
use ledger::LaneRecord;
use ledger::{Note, NoteKind};
use producer::review::judge::ATTEMPTS_MAX;
use producer::review::{Asked, Consent, Decision, Refusal, Says, asked, judge, told};
use producer::steer;
use providers::Found;

type Judged = Result<Consent, Refusal>;

async fn judged(desk: &Desk, decision: Decision) -> Judged {
    judge(decision, &desk.story().await, &desk.asked().await)
}

/// `p`aid, `f`ailed and `a`gain: given, typed, or a dash.
async fn table(desk: &Desk) -> String {
    let mut out = String::new();
    for decision in Decision::ALL {
        out.push(match judged(desk, decision).await {
            Ok(Consent::Given) => 'g',
            Ok(Consent::Typed) => 't',
            Err(_) => '-',
        });
    }
    out
}

#[tokio::test]
async fn nobody_decides_against_what_the_provider_plainly_says() {
    let desk = Desk::doubtful().await;
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    let differs = Found::Differs { text: "the amount is 2.00".to_owned() };
    let unclear = Found::Unclear { text: "502".to_owned() };
    let refuses = Found::StopLane { text: "invalid api key".to_owned() };
    for (found, possible) in [
        (is(News::Paid), "g--"),
        (is(News::InProgress), "---"),
        (is(News::Waiting), "---"),
        (Found::StepDue { provider_id: None }, "---"),
        (is(News::Failed), "-tt"),
        (is(News::Cancelled), "-tt"),
        (is(News::Returned), "ttt"),
        (is(News::Differs), "tt-"),
        (differs, "tt-"),
        (Found::Absent, "ttt"),
        (unclear, "ttt"),
        (refuses, "ttt"),
    ] {
        desk.provider_says(found.clone());
        assert_eq!(table(&desk).await, possible, "{found:?}");
    }
}

#[tokio::test]
async fn what_the_first_lane_is_said_to_have_paid_after_all_is_never_paid_anew_by_the_second() {
    let desk = Desk::new().await;
    desk.send().await;
    let intent = desk.payout().await.intents;
    desk.happen(Event::Outcome { intent, outcome: Outcome::Moves }).await;
    desk.send().await;
    let intent = desk.payout().await.intents;
    desk.happen(Event::Outcome { intent, outcome: Outcome::Accepted }).await;
    desk.news(1, News::Paid).await;
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    desk.provider_says(is(News::Failed));
    let asked: Vec<_> = desk.asked().await.iter().map(|one| (one.attempt, one.says())).collect();
    assert_eq!(
        asked,
        [(2, Says::Ended), (1, Says::Nothing)],
        "another lane's word is not known here"
    );
    for decision in [Decision::Failed, Decision::Again] {
        let judged = judged(&desk, decision).await;
        assert!(matches!(judged, Err(Refusal::HeardPaid(_))), "{judged:?}");
    }
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_leaves_it_to_who_types_amount_and_reference() {
    let desk = Desk::doubtful().await;
    let mut record = desk.ledger().lane(crate::desk::lane()).await.unwrap();
    record.fingerprint = "fake:account-2".to_owned();
    assert!(desk.ledger().put_lane(record).await.unwrap());
    let asked = desk.asked().await;
    let why = asked[0].told.clone().unwrap_err();
    assert!(why.contains("is on account fake:account-2 in the pool"), "{why}");
    assert!(desk.fake.looked_up.lock().unwrap().is_empty(), "nobody is asked on another account");
    assert_eq!(table(&desk).await, "ttt");
}

#[tokio::test]
async fn later_attempts_that_a_ledger_forgot_are_asked_about_and_a_new_one_is_not_sent_at_once() {
    let desk = Desk::accepted_then(News::Failed).await;
    desk.happen(Event::PastLost { account: Account::of(FINGERPRINT) }).await;
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    desk.provider_says(is(News::Paid));
    let attempts = |asked: Vec<Asked>| asked.iter().map(|one| one.attempt).collect::<Vec<_>>();
    assert_eq!(attempts(desk.asked().await), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(table(&desk).await, "g--", "a forgotten one that was paid settles it");
    desk.provider_says(Found::Absent);
    let untold = desk.asked().await;
    let words = told::summary(&untold);
    assert!(words.contains("later attempts") && words.contains("not known"), "{words}");
    assert_eq!((attempts(untold.clone()), untold[1].says()), (vec![1, 2], Says::Nothing));
    control_is(&desk, is(News::Paid)).await;
    assert_eq!(attempts(desk.asked().await), [1], "what was never begun is not missed");
    let done = desk.resolve(Decision::Again).await.unwrap();
    assert_eq!((done.payout.state, done.payout.attempt), (State::Unknown, 2));
}

#[tokio::test]
async fn the_providers_word_takes_nothing_back_while_later_attempts_are_not_known() {
    let desk = Desk::disputed().await;
    desk.happen(Event::PastLost { account: Account::of(FINGERPRINT) }).await;
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    desk.provider_says(is(News::Failed));
    assert_eq!(table(&desk).await, "-tt", "of all of them it says so");
    let story = desk.story().await;
    let mut asked = desk.asked().await;
    asked.drain(..8);
    let untold = Found::Unclear { text: "later attempts: not known".to_owned() };
    asked.push(Asked { attempt: 2, told: Ok(untold), is_live: None });
    assert_eq!(judge(Decision::Paid, &story, &asked), Ok(Consent::Typed));
    for decision in [Decision::Failed, Decision::Again] {
        let judged = judge(decision, &story, &asked);
        assert!(matches!(judged, Err(Refusal::HeardPaid(_))), "{decision}: {judged:?}");
    }
}

#[tokio::test]
async fn what_nobody_can_tell_after_lost_journals_is_not_ordered_again() {
    let desk = Desk::doubtful().await;
    desk.happen(Event::PastLost { account: Account::of(FINGERPRINT) }).await;
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    for (found, again) in [
        (Found::Absent, Err(Refusal::PastLost)),
        (Found::Unclear { text: "502".to_owned() }, Err(Refusal::PastLost)),
        (is(News::Failed), Ok(Consent::Typed)),
    ] {
        desk.provider_says(found);
        assert_eq!(judged(&desk, Decision::Again).await, again);
        assert_eq!(judged(&desk, Decision::Failed).await, Ok(Consent::Typed));
    }
}

#[tokio::test]
async fn every_attempt_is_asked_about_and_the_gravest_answer_counts() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    desk.resolve(Decision::Again).await.unwrap();
    desk.send().await;
    desk.happen(Event::SenderLost).await;
    desk.happen(Event::TooOld).await;
    desk.world.pass(A_WHILE_MS);
    desk.fake.looked_up.lock().unwrap().clear();
    let asked = desk.asked().await;
    assert_eq!(asked.iter().map(|asked| asked.attempt).collect::<Vec<_>>(), [2, 1]);
    let looked_up = desk.fake.looked_up.lock().unwrap().clone();
    let names: Vec<_> = looked_up.iter().map(|payment| payment.reference.as_str()).collect();
    let story = desk.story().await;
    let known: Vec<_> = story.attempts().map(|(_, name)| name.as_str().to_owned()).collect();
    assert_eq!(names, known);
    assert_ne!(names[0], names[1], "each attempt has a reference of its own");
    let sent = looked_up[1].past.sent.unwrap();
    assert!(sent.from <= desk.world.batch(desk.batch).await.created, "over all of its time");

    let says = |newest: Found, oldest: Found| {
        [(2, newest), (1, oldest)].map(|(attempt, found)| Asked {
            attempt,
            told: Ok(found),
            is_live: None,
        })
    };
    for (newest, oldest, paid, failed) in [
        (Found::Absent, is(News::Paid), Ok(Consent::Given), Err(Refusal::SaysPaid(1))),
        (
            is(News::Paid),
            is(News::InProgress),
            Err(Refusal::UnderWay(1)),
            Err(Refusal::UnderWay(1)),
        ),
        (is(News::Failed), is(News::Failed), Err(Refusal::SaysEnded), Ok(Consent::Typed)),
        (Found::Absent, is(News::Failed), Ok(Consent::Typed), Ok(Consent::Typed)),
    ] {
        let asked = says(newest, oldest);
        assert_eq!(judge(Decision::Paid, &story, &asked), paid, "{asked:?}");
        assert_eq!(judge(Decision::Failed, &story, &asked), failed, "{asked:?}");
    }
}

#[tokio::test]
async fn what_was_reported_as_paid_is_taken_back_by_the_provider_alone() {
    let desk = Desk::disputed().await;
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    for found in [Found::Absent, Found::Unclear { text: "502".to_owned() }] {
        desk.provider_says(found);
        assert_eq!(table(&desk).await, "t--");
    }
    let refusal = judged(&desk, Decision::Again).await.unwrap_err();
    assert!(matches!(refusal, Refusal::HeardPaid(_)), "{refusal}");
    desk.provider_says(is(News::Failed));
    assert_eq!(table(&desk).await, "-tt");
    // A person's own decision takes the place of the cause, and it counts all the same.
    desk.resolve(Decision::Failed).await.unwrap();
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    desk.provider_says(Found::Unclear { text: "502".to_owned() });
    let refusal = judged(&desk, Decision::Again).await.unwrap_err();
    assert!(matches!(refusal, Refusal::HeardPaid(_)), "{refusal}");
}

#[tokio::test]
async fn evidence_of_a_payment_counts_like_a_cause() {
    let desk = Desk::accepted_then(News::Differs).await;
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    desk.provider_says(Found::Absent);
    assert_eq!(table(&desk).await, "ttt");
    desk.news(1, News::Paid).await;
    assert_eq!(desk.payout().await.state, State::Review, "it is evidence for the person");
    assert_eq!(table(&desk).await, "t--");
}

#[tokio::test]
async fn an_older_attempt_that_was_paid_keeps_the_next_one_back() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    desk.resolve(Decision::Again).await.unwrap();
    desk.news(1, News::Paid).await;
    let payout = desk.payout().await;
    assert_eq!((payout.state, payout.attempt), (State::Review, 2), "the newer is stopped");
    desk.world.pass(A_WHILE_MS);
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    assert_eq!(table(&desk).await, "t--");
}

#[tokio::test]
async fn what_the_provider_once_had_is_tried_again_only_after_the_window_for_late_successes() {
    let desk = Desk::accepted_then(News::Failed).await;
    desk.provider_says(is(News::Failed));
    let since = desk.payout().await.since;
    let until = since.plus(Policy::DEFAULT.late_success_window_ms);
    assert_eq!(judged(&desk, Decision::Again).await, Err(Refusal::LateSuccess(until)));
    desk.provider_says(Found::Absent);
    assert_eq!(judged(&desk, Decision::Again).await, Err(Refusal::LateSuccess(until)));
    desk.world.pass(Policy::DEFAULT.late_success_window_ms);
    assert_eq!(judged(&desk, Decision::Again).await, Ok(Consent::Typed));
    let refusal = Refusal::LateSuccess(until).to_string();
    assert!(refusal.contains("late_success_window_ms"), "{refusal}");

    // What the provider never had is not kept waiting, unless its look-up says that it did.
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    assert_eq!(judged(&desk, Decision::Again).await, Ok(Consent::Typed));
    desk.provider_says(is(News::Failed));
    assert!(matches!(judged(&desk, Decision::Again).await, Err(Refusal::LateSuccess(_))));
}

#[tokio::test]
async fn nothing_is_decided_while_a_request_may_still_be_under_way() {
    let desk = Desk::new().await;
    desk.send().await;
    desk.happen(Event::SenderLost).await;
    desk.happen(Event::TooOld).await;
    desk.provider_says(Found::Absent);
    for decision in Decision::ALL {
        let refusal = judged(&desk, decision).await.unwrap_err();
        assert!(matches!(refusal, Refusal::MayBeUnderWay(_)), "{refusal}");
    }
    desk.provider_says(is(News::Paid));
    assert_eq!(judged(&desk, Decision::Paid).await, Ok(Consent::Given), "it is told plainly");
    let policy = Policy::DEFAULT;
    desk.world.pass(policy.send_window_ms + policy.doubt_ms());
    desk.provider_says(Found::Absent);
    assert_eq!(table(&desk).await, "ttt");
}

#[tokio::test]
async fn a_second_step_that_was_open_is_given_its_time_however_old_the_create_is() {
    let desk = Desk::new().await;
    desk.send().await;
    desk.happen(Event::Outcome { intent: 1, outcome: Outcome::Begun }).await;
    desk.world.pass(HOUR_MS);
    desk.happen(Event::StepIntent).await;
    desk.news(1, News::Differs).await;
    let policy = Policy::DEFAULT;
    let until = desk.payout().await.since.plus(policy.send_window_ms + policy.doubt_ms());
    for says in [Found::Absent, is(News::Failed)] {
        desk.provider_says(says);
        let refusal = judged(&desk, Decision::Failed).await;
        assert_eq!(refusal, Err(Refusal::MayBeUnderWay(until)));
    }
    desk.world.pass(policy.send_window_ms + policy.doubt_ms());
    assert_eq!(judged(&desk, Decision::Failed).await, Ok(Consent::Typed));
}

#[tokio::test]
async fn what_was_never_sent_is_tried_again_without_asking_anybody() {
    let desk = Desk::new().await;
    desk.happen(Event::TooOld).await;
    assert_eq!(desk.payout().await.state, State::Failed);
    assert_eq!(table(&desk).await, "--t");
    assert!(desk.fake.looked_up.lock().unwrap().is_empty());
}

#[tokio::test]
async fn each_state_has_its_own_decisions_and_open_payouts_have_none() {
    let desk = Desk::new().await;
    assert_eq!(table(&desk).await, "---");
    desk.send().await;
    desk.world.pass(A_WHILE_MS);
    desk.provider_says(Found::Absent);
    assert_eq!(table(&desk).await, "---");
    let refusal = judged(&desk, Decision::Again).await.unwrap_err().to_string();
    assert_eq!(
        refusal,
        "it is submitting, and again is decided only of a payout in review or failed"
    );
    desk.news(1, News::Paid).await;
    desk.provider_says(is(News::Paid));
    assert_eq!(table(&desk).await, "---");
}

#[tokio::test]
async fn a_cancelled_batch_sends_nothing_again_but_can_be_closed() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    steer::cancel(desk.ledger(), &desk.world.rules, desk.batch).await.unwrap();
    assert_eq!(table(&desk).await, "tt-");
    let refusal = judged(&desk, Decision::Again).await;
    assert_eq!(refusal, Err(Refusal::Batch(BatchState::Cancelled)));
    desk.resolve(Decision::Failed).await.unwrap();
    assert_eq!(desk.payout().await.state, State::Failed);
}

#[tokio::test]
async fn a_payout_is_tried_so_often_and_then_needs_another_reference() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    for attempt in 2..=ATTEMPTS_MAX {
        desk.resolve(Decision::Again).await.unwrap();
        assert_eq!(desk.payout().await.attempt, attempt);
        desk.send().await;
        desk.happen(Event::SenderLost).await;
        desk.happen(Event::TooOld).await;
        desk.world.pass(A_WHILE_MS);
    }
    let refusal = judged(&desk, Decision::Again).await;
    assert_eq!(refusal, Err(Refusal::Attempts(ATTEMPTS_MAX)));
    assert_eq!(judged(&desk, Decision::Failed).await, Ok(Consent::Typed));
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_waited_for_and_then_not_asked() {
    let desk = Desk::doubtful().await;
    *desk.fake.cold_ms.lock().unwrap() = HOUR_MS;
    let mut line = desk.line();
    line.policy.request_timeout_ms = 2;
    let asked = asked::ask(desk.ledger(), Ok(&line), &desk.story().await).await.unwrap();
    assert!(asked[0].told.clone().unwrap_err().starts_with("no answer within"), "{asked:?}");
}

#[tokio::test]
async fn words_of_a_person_are_no_evidence_of_a_payment() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let reason = Note::new(NoteKind::Reason, "News { news: Paid }, somebody wrote");
    desk.note(Event::Hint, reason).await;
    assert_eq!(table(&desk).await, "ttt");
    let record: LaneRecord = desk.ledger().lane(crate::desk::lane()).await.unwrap();
    assert!(record.stopped.is_none());
}

/// The other row is the lane's control, of which the provider says this.
async fn control_is(desk: &Desk, found: Found) {
    let other = desk.world.rows_of(desk.batch).await[1].0;
    let mut record = desk.ledger().lane(crate::desk::lane()).await.unwrap();
    record.control = Some(other);
    assert!(desk.ledger().put_lane(record).await.unwrap());
    desk.fake.found_of.lock().unwrap().insert("B".to_owned(), found);
}

#[tokio::test]
async fn not_found_is_told_with_whether_the_look_up_finds_what_is_known_to_exist() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let other = desk.world.rows_of(desk.batch).await[1].0;
    desk.world.settle(other, State::Paid).await;
    let mut record = desk.ledger().lane(crate::desk::lane()).await.unwrap();
    record.control = Some(other);
    assert!(desk.ledger().put_lane(record).await.unwrap());
    let blind = desk.asked().await;
    assert_eq!((blind[0].is_live, blind[0].says()), (Some(false), Says::Nothing));
    assert!(told::summary(&blind).ends_with("it is blind"), "{}", told::summary(&blind));
    desk.fake.found_of.lock().unwrap().insert("B".to_owned(), is(News::Paid));
    let live = desk.asked().await;
    assert_eq!((live[0].is_live, live[0].says()), (Some(true), Says::NotFound));
    assert_eq!(
        told::summary(&live),
        "attempt 1: not found, by a look-up that finds a payout known to exist"
    );
}

#[tokio::test]
async fn what_a_worker_may_still_send_is_not_tried_again_before_it_is_known_to_be_gone() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let mut story = desk.story().await;
    let asked = vec![Asked { attempt: 1, told: Ok(Found::Absent), is_live: Some(true) }];
    assert_eq!(judge(Decision::Again, &story, &asked), Ok(Consent::Typed));
    story.sender_at_large = Some(Sender(1));
    let refusal = judge(Decision::Again, &story, &asked).unwrap_err();
    assert_eq!(refusal, Refusal::SenderAtLarge(Sender(1)));
    assert!(refusal.to_string().contains("producer worker lost 1"), "{refusal}");
}
