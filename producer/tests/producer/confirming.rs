//! Second steps by a person: one whole call, once, and nothing while its fate is open.

use crate::between::{Between, Meddle};
use crate::desk::is;
use crate::fake::FINGERPRINT;
use crate::scene::{LEASE_MS, Scene};
use domain::{
    Account, Cause, Decision, Event, Millis, News, Outcome, Place, Policy, State, decide,
};
use ledger::shipment::Shipment;
use ledger::{Change, Claim, Guard, Note, NoteKind, Stop};
use producer::confirm::{self, Call, ConfirmError, Confirmed, calls};
use producer::{steer, waiting};
use providers::{Found, SecondStep, StepAnswer};

#[tokio::test]
async fn a_call_is_confirmed_with_all_its_payouts_and_what_is_known_of_them() {
    let scene = Scene::new(SecondStep::Code).await;
    let calls = scene.calls().await;
    let rows = |call: &Call| call.rows.iter().map(|row| row.row).collect::<Vec<_>>();
    assert_eq!(calls.iter().map(rows).collect::<Vec<_>>(), [vec![0, 1], vec![2]]);
    assert_eq!(scene.take(&calls[0]).await.unwrap(), Confirmed::Taken);
    let steps = scene.fake.steps();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].references, ["A", "B"]);
    assert_eq!(steps[0].code.as_deref(), Some("123456"));
    assert!(steps[0].gate_was_open);
    let past = &steps[0].payments[1].past;
    assert_eq!(
        (past.provider_id.as_deref(), past.shipment.as_deref()),
        (Some("id-1"), Some("call-7"))
    );
    assert!(past.sent.is_some() && !past.stepped);
    let now = scene.world.ledger.about().await.unwrap().now;
    for payout in &scene.payouts().await[..2] {
        assert_eq!(
            (payout.state, payout.step_open, payout.stepped),
            (State::Submitted, false, true)
        );
        assert_eq!(payout.due, now.plus(Policy::DEFAULT.settling_ms), "a look-up tells soon");
    }
    assert!(!scene.payout(2).await.stepped, "the other call is untouched");
    let claim = scene.world.ledger.claim(scene.chunk(), 1).await.unwrap();
    assert!(matches!(claim, Claim::Held { .. }), "the lease was given back");
}

#[tokio::test]
async fn a_cold_connection_costs_nothing_of_the_steps_deadline() {
    let scene = Scene::new(SecondStep::Code).await;
    *scene.fake.cold_ms.lock().unwrap() = Policy::DEFAULT.send_window_ms + 100;
    assert_eq!(scene.take(&scene.first().await).await.unwrap(), Confirmed::Taken);
    assert!(scene.fake.steps()[0].gate_was_open);
    let asked = scene.fake.looked_up.lock().unwrap().clone();
    assert_eq!(asked.len(), 1, "as many as one look-up takes");
    assert!(asked.iter().all(|payment| !payment.past.stepped), "asked before it was announced");
}

#[tokio::test]
async fn a_step_counts_from_when_it_is_announced_however_long_the_look_up_took() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    scene.fake.answers(StepAnswer::Unknown { text: "timeout".to_owned() });
    *scene.fake.cold_ms.lock().unwrap() = 200;
    let later = async {
        let asked = || *scene.fake.cold_ms.lock().unwrap() == 0;
        while !asked() {
            tokio::task::yield_now().await;
        }
        scene.world.pass(7_000);
        scene.world.ledger.about().await.unwrap().now
    };
    let (done, now) = tokio::join!(scene.take(&call), later);
    let Confirmed::Unknown { until, .. } = done.unwrap() else { panic!() };
    let policy = Policy::DEFAULT;
    assert_eq!(until, now.plus(policy.send_window_ms + policy.doubt_ms()));
}

#[tokio::test]
async fn what_the_provider_says_is_paid_or_another_is_not_confirmed() {
    let differs = Found::Differs { text: "the amount is 2.00".to_owned() };
    for (found, words) in [
        (
            is(News::Paid),
            "the provider says of payout \"A\": it is paid already; nothing of its call",
        ),
        (differs, "it is not what was sent: the amount is 2.00; nothing of its call"),
    ] {
        let scene = Scene::new(SecondStep::Code).await;
        *scene.fake.found.lock().unwrap() = found;
        let error = scene.take(&scene.first().await).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(scene.fake.steps().is_empty(), "nothing left");
        assert!(!scene.payout(0).await.stepped, "nothing was announced");
    }
}

#[tokio::test]
async fn a_payout_with_a_lost_past_is_confirmed_only_when_no_later_attempt_can_be_there() {
    let scene = Scene::new(SecondStep::Code).await;
    let lost = Event::PastLost { account: Account::of(FINGERPRINT) };
    scene.happen(Guard::Fact, 0, lost, vec![]).await;
    scene.found(0, News::Waiting, scene.payout(0).await.due).await;
    let call = scene.first().await;
    assert!(call.rows[0].payout.past_lost && !call.rows[0].payout.step_open);

    let blind = scene.take(&call).await.unwrap_err().to_string();
    assert!(blind.contains("(attempt 2: ") && blind.contains("may be paid"), "{blind}");
    // A look-up that finds the lane's control sees; so what it misses is not there.
    let control = Place { chunk: scene.chunk(), row: 2 };
    scene.set_lane(|record| record.control = Some(control)).await;
    scene.fake.found_of.lock().unwrap().insert("C".to_owned(), is(News::Waiting));
    *scene.fake.found.lock().unwrap() = is(News::InProgress);
    let found = scene.take(&call).await.unwrap_err().to_string();
    assert!(found.contains("(attempt 9: "), "{found}");
    assert!(scene.fake.steps().is_empty() && !scene.payout(0).await.step_open, "nothing left");
    *scene.fake.found.lock().unwrap() = Found::Absent;
    assert_eq!(scene.take(&call).await.unwrap(), Confirmed::Taken);
}

#[tokio::test]
async fn after_a_death_between_intent_and_outcome_the_next_confirmation_is_refused() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    scene.fake.answers(None);
    tokio::select! {
        done = scene.take(&call) => panic!("it ended: {done:?}"),
        () = async { while scene.fake.steps().is_empty() { tokio::task::yield_now().await; } } => {}
    }
    // The process is gone: neither outcome nor lease came back.
    let begun = scene.payouts().await;
    assert!(begun[0].step_open && begun[1].step_open && !begun[2].step_open);

    scene.fake.answers(StepAnswer::Taken);
    let again = scene.first().await;
    let error = scene.take(&again).await.unwrap_err();
    let ConfirmError::UnderWay { until, .. } = &error else { panic!("{error}") };
    assert_eq!(*until, begun[0].due);
    assert!(error.to_string().contains("ask again after 20"), "{error}");
    // Who saw the call before it began is no wiser when the lease has ended.
    scene.world.pass(LEASE_MS + 1);
    assert!(matches!(scene.take(&call).await, Err(ConfirmError::Changed)));
    assert!(scene.payout(0).await.step_open, "step_open stands");
    assert_eq!(scene.fake.steps().len(), 1, "nothing left a second time");

    // Only a look-up opens the way, and only one that was asked when the request had surely ended:
    // a callback may have left before the step began.
    for row in [0, 1] {
        scene.news(row, News::Waiting).await;
        scene.found(row, News::Waiting, Millis(until.0 - 1)).await;
    }
    let error = scene.take(&scene.first().await).await.unwrap_err();
    assert!(matches!(error, ConfirmError::UnderWay { .. }), "{error}");
    scene.found(0, News::Waiting, *until).await;
    scene.found(1, News::Waiting, *until).await;
    assert_eq!(scene.take(&scene.first().await).await.unwrap(), Confirmed::Taken);
    assert!(scene.fake.steps()[1].payments[0].past.stepped, "the adapter knows of the first one");
}

#[tokio::test]
async fn a_refused_step_leaves_what_is_to_be_done_and_may_be_tried_again() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.fake.answers(StepAnswer::Refused { text: "wrong code".to_owned() });
    let done = scene.take(&scene.first().await).await.unwrap();
    assert_eq!(done, Confirmed::Refused { text: "wrong code".to_owned() });
    let ledger = &*scene.world.ledger;
    let batch = scene.world.batch(scene.batch).await;
    let waits = waiting::of_batch(ledger, &scene.world.rules, &batch, 10).await.unwrap();
    for waits in &waits.payouts {
        assert_eq!(waits.what, "enter the code sent to the owner", "who looks next reads this");
    }
    let refusal = Note::new(NoteKind::Evidence, "second step refused: wrong code");
    let notes = ledger.notes(scene.chunk()).await.unwrap();
    let refused = notes.into_iter().filter(|(_, note)| *note == refusal);
    assert_eq!(refused.map(|(row, _)| row).collect::<Vec<_>>(), [0, 1]);
    scene.fake.answers(StepAnswer::Taken);
    assert_eq!(scene.take(&scene.first().await).await.unwrap(), Confirmed::Taken);
}

#[tokio::test]
async fn a_step_without_a_readable_answer_stays_open_for_a_look_up() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.fake.answers(StepAnswer::Unknown { text: "timeout".to_owned() });
    let call = scene.first().await;
    let Confirmed::Unknown { until, .. } = scene.take(&call).await.unwrap() else { panic!() };
    let payout = scene.payout(0).await;
    assert!(payout.step_open && payout.due == until);
    let again = scene.take(&scene.first().await).await;
    assert!(matches!(again, Err(ConfirmError::UnderWay { .. })));
}

#[tokio::test]
async fn of_two_people_at_once_one_step_leaves() {
    let scene = Scene::new(SecondStep::Funding).await;
    let call = scene.first().await;
    let (first, second) = tokio::join!(scene.take(&call), scene.take(&call));
    assert_eq!(scene.fake.steps().len(), 1, "{first:?} {second:?}");
    let taken = |done: &Result<_, _>| matches!(done, Ok(Confirmed::Taken));
    assert!(taken(&first) != taken(&second), "{first:?} {second:?}");
}

#[tokio::test]
async fn a_call_with_a_payout_that_must_not_be_paid_now_is_not_confirmed() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.news(1, News::Differs).await;
    let error = scene.take(&scene.first().await).await.unwrap_err().to_string();
    assert!(error.starts_with("payout \"B\" of the same call is review, and"), "{error}");

    let scene = Scene::new(SecondStep::Code).await;
    scene.happen(Guard::Fact, 0, Event::Hint, Vec::new()).await;
    let error = scene.take(&scene.first().await).await.unwrap_err();
    assert!(matches!(error, ConfirmError::News(_)), "{error}");
    assert!(scene.fake.steps().is_empty());
}

#[tokio::test]
async fn what_is_settled_already_is_left_out_of_the_step() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.news(0, News::Failed).await;
    scene.take(&scene.first().await).await.unwrap();
    assert_eq!(scene.fake.steps()[0].references, ["B"]);
}

#[tokio::test]
async fn another_account_a_stopped_lane_and_a_cancelled_batch_are_refused() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    scene.set_lane(|record| record.fingerprint = "fake:account-2".to_owned()).await;
    let error = scene.take(&call).await.unwrap_err().to_string();
    assert!(error.contains("on account fake:account-2 in the pool"), "{error}");
    scene.set_lane(|record| record.fingerprint = String::new()).await;
    let error = scene.take(&call).await.unwrap_err().to_string();
    assert!(error.contains("no worker has served lane main yet"), "{error}");
    scene
        .set_lane(|record| {
            record.fingerprint = FINGERPRINT.to_owned();
            let reason = "checking".to_owned();
            record.stopped = Some(Stop { reason, since: Millis(1), until: None });
        })
        .await;
    let error = scene.take(&call).await.unwrap_err().to_string();
    assert!(error.contains("lane main is stopped: checking"), "{error}");
    scene.set_lane(|record| record.stopped = None).await;
    steer::cancel(&*scene.world.ledger, &scene.world.rules, scene.batch).await.unwrap();
    let error = scene.take(&call).await.unwrap_err().to_string();
    assert!(error.contains("is cancelled; only payouts of an active batch"), "{error}");
    assert!(scene.fake.steps().is_empty());
}

#[tokio::test]
async fn a_fact_that_comes_right_before_the_intent_keeps_the_whole_call_back() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    let from = scene.payout(1).await;
    let now = scene.world.ledger.about().await.unwrap().now;
    let paid = Event::News { attempt: 1, news: News::Paid };
    let Ok(Decision::Change(to)) = decide(&from, &paid, now, &Policy::DEFAULT) else { panic!() };
    let change = Change { row: 1, from, to, notes: Vec::new() };
    let meddle = Meddle::Before(scene.chunk(), vec![change]);
    let ledger =
        Between { inner: scene.world.ledger.clone(), next: std::sync::Mutex::new(Some(meddle)) };
    let done = confirm::take(&ledger, &scene.line(), &call, None, LEASE_MS).await;
    assert!(matches!(done, Err(ConfirmError::Changed)), "{done:?}");
    assert!(scene.fake.steps().is_empty(), "nothing left");
    let payouts = scene.payouts().await;
    assert!(!payouts[0].step_open, "what was announced is taken back");
    assert_eq!(payouts[1].state, State::Paid);
}

#[tokio::test]
async fn a_step_that_somebody_begins_right_before_the_intent_is_his_alone() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    let from = scene.payout(1).await;
    let now = scene.world.ledger.about().await.unwrap().now;
    let begins = decide(&from, &Event::StepIntent, now, &Policy::DEFAULT);
    let Ok(Decision::Change(to)) = begins else { panic!("{begins:?}") };
    let change = Change { row: 1, from, to, notes: Vec::new() };
    let meddle = Meddle::Before(scene.chunk(), vec![change]);
    let ledger =
        Between { inner: scene.world.ledger.clone(), next: std::sync::Mutex::new(Some(meddle)) };
    let done = confirm::take(&ledger, &scene.line(), &call, None, LEASE_MS).await;
    assert!(matches!(done, Err(ConfirmError::Changed)), "{done:?}");
    assert!(scene.fake.steps().is_empty(), "nothing left");
    let payouts = scene.payouts().await;
    assert!(!payouts[0].step_open, "what was announced is taken back");
    assert_eq!(payouts[1], to, "and what the other one announced stands");
}

#[tokio::test]
async fn a_ledger_that_is_away_at_the_intent_lets_nothing_leave() {
    let scene = Scene::new(SecondStep::Code).await;
    let next = std::sync::Mutex::new(Some(Meddle::Away));
    let ledger = Between { inner: scene.world.ledger.clone(), next };
    let call = scene.first().await;
    let done = confirm::take(&ledger, &scene.line(), &call, None, LEASE_MS).await;
    assert!(matches!(done, Err(ConfirmError::NotAnnounced(_))), "{done:?}");
    assert!(scene.fake.steps().is_empty());
}

#[tokio::test]
async fn a_reference_chooses_its_call_and_one_code_is_for_one_call() {
    let scene = Scene::new(SecondStep::Code).await;
    let chosen = calls::choose(scene.calls().await, scene.batch, Some(" B ")).unwrap();
    assert_eq!(chosen.iter().map(Call::first).collect::<Vec<_>>(), ["A"]);
    let error = calls::choose(scene.calls().await, scene.batch, Some("Z")).unwrap_err();
    assert!(matches!(error, ConfirmError::NotWaiting { .. }));
    let error = ConfirmError::which(scene.batch, &scene.calls().await).to_string();
    assert!(error.contains("2 calls of batch") && error.ends_with("such as A, C"), "{error}");
}

#[tokio::test]
async fn submitted_payouts_of_a_call_wait_until_a_step_was_begun() {
    let scene = Scene::new(SecondStep::Code).await;
    for row in 0..3 {
        scene.news(row, News::InProgress).await;
    }
    assert_eq!(scene.calls().await.len(), 2);
    scene.take(&scene.first().await).await.unwrap();
    assert_eq!(scene.calls().await.iter().map(Call::first).collect::<Vec<_>>(), ["C"]);
}

/// The error of a confirmation of the first call, which sends nothing.
async fn refusal_of_first(scene: &Scene) -> String {
    let error = scene.take(&scene.first().await).await.unwrap_err();
    assert!(matches!(error, ConfirmError::Decided { .. }), "{error}");
    assert!(scene.fake.steps().is_empty());
    error.to_string()
}

#[tokio::test]
async fn a_call_that_holds_a_payout_which_a_person_has_decided_about_is_not_confirmed() {
    for (decision, words) in [
        (Event::ResolveFailed, "payout \"B\", which is failed now, and call call-7 still holds it"),
        (Event::ResolvePaid, "payout \"B\", which is paid now, and call call-7 still holds it"),
        (Event::NewAttempt, "payout \"B\", which is accepted now, and call call-7 still holds it"),
    ] {
        let scene = Scene::new(SecondStep::Code).await;
        scene.news(1, News::Differs).await;
        scene.happen(Guard::Fact, 1, decision, Vec::new()).await;
        let refusal = refusal_of_first(&scene).await;
        assert!(refusal.contains(words) && refusal.contains("at the provider"), "{refusal}");
        let other = scene.calls().await.remove(1);
        assert_eq!(scene.take(&other).await.unwrap(), Confirmed::Taken, "the other call is free");
    }
}

#[tokio::test]
async fn the_older_call_of_a_new_attempt_is_not_confirmed_and_the_newer_one_is() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.news(1, News::Differs).await;
    scene.happen(Guard::Fact, 1, Event::NewAttempt, Vec::new()).await;
    let claim = scene.world.ledger.claim(scene.chunk(), LEASE_MS).await.unwrap();
    let Claim::Held { token, now, .. } = claim else { panic!("{claim:?}") };
    let send_before = now.plus(2_000);
    scene
        .happen(
            Guard::Intent(token),
            1,
            Event::Intent { send_before, sender: domain::Sender(1), account: domain::Account(1) },
            Vec::new(),
        )
        .await;
    let call = Shipment::new(send_before, "call-9", &[1]).unwrap().to_note();
    let begun = Event::Outcome { intent: 3, outcome: Outcome::Begun };
    scene.happen(Guard::Fact, 1, begun, vec![call]).await;
    scene.world.ledger.release(scene.chunk(), token, Millis::NEVER).await.unwrap();
    assert_eq!(scene.payout(1).await.cause, Cause::None, "nothing of the decision is left in it");

    let refusal = refusal_of_first(&scene).await;
    assert!(refusal.contains("payout \"B\", which is submitted now, and call call-7"), "{refusal}");
    let newer =
        scene.calls().await.into_iter().find(|call| call.handle.as_deref() == Some("call-9"));
    assert_eq!(scene.take(&newer.unwrap()).await.unwrap(), Confirmed::Taken);
    assert_eq!(scene.fake.steps()[0].references, ["B"]);
}

#[tokio::test]
async fn a_row_that_was_sent_again_by_itself_keeps_no_call_back() {
    let scene = Scene::new(SecondStep::Code).await;
    // The call carried C too, which has left in another call since, in the same attempt.
    let send_before = scene.payout(0).await.send_before;
    let call = Shipment::new(send_before, "call-10", &[0, 1, 2]).unwrap().to_note();
    let waits = Event::News { attempt: 1, news: News::Waiting };
    scene.happen(Guard::Fact, 0, waits, vec![call]).await;
    let first = scene.first().await;
    assert_eq!(first.handle.as_deref(), Some("call-10"));
    assert_eq!(scene.take(&first).await.unwrap(), Confirmed::Taken);
    assert_eq!(scene.fake.steps()[0].references, ["A", "B"]);
}
