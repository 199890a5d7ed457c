//! A decision is written on the very sight that it rests on, with its reason, or not at all.

use crate::between::{Between, Meddle};
use crate::desk::{A_WHILE_MS, Desk, LEASE_MS, is, lane, typed, wish};
use config::AuditConfig;
use domain::{BatchState, Cause, Event, Millis, News, Outcome, State};
use ledger::audit::{Chain, newest_head};
use ledger::{Change, Claim, Note, NoteKind};
use producer::audit::Clerk;
use producer::report;
use producer::review::resolve::check;
use producer::review::{Decision, Mistyped, ReviewError, Typed, resolve};
use providers::Found;
use std::sync::Mutex;

#[tokio::test]
async fn a_decision_is_kept_with_who_why_and_what_was_seen() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let done = desk.resolve(Decision::Failed).await.unwrap();
    assert_eq!((done.payout.state, done.payout.cause), (State::Failed, Cause::Operator));
    assert!(done.meanwhile.is_empty() && !done.is_taken_back);
    let evidence = format!(
        "decided: failed by {}, having seen version 3.0; before, it was review (no answer, and no \
         look-up could tell what became of it); the look-up: attempt 1: not found; by itself this \
         proves nothing; because: the bank's statement of Friday",
        desk.clerk().who()
    );
    let reason = "decided by an operator: the bank's statement of Friday".to_owned();
    assert_eq!(desk.notes().await, [reason, evidence]);
}

#[tokio::test]
async fn the_result_file_says_who_decided_in_place_of_what_nobody_knew() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let folder = desk.world.folder.path();
    let batch = desk.world.batch(desk.batch).await;
    let before =
        report::write(desk.ledger(), &desk.world.rules, &batch, folder, false).await.unwrap();
    assert_eq!(before.summary.currencies["RUB"].review.0.rows, 1);
    desk.resolve(Decision::Failed).await.unwrap();
    let batch = desk.world.batch(desk.batch).await;
    let after =
        report::write(desk.ledger(), &desk.world.rules, &batch, folder, false).await.unwrap();
    assert!(after.summary.changes > before.summary.changes, "so that it is written again");
    let text = std::fs::read_to_string(&after.result).unwrap();
    let line = text.lines().nth(1).unwrap();
    let words = ",failed,,decided by an operator: the bank's statement of Friday,1,";
    assert!(line.contains(words), "{line}");
}

#[tokio::test]
async fn what_was_seen_is_refused_when_the_payout_has_changed_and_is_told_what_arrived() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let (story, asked) = (desk.story().await, desk.asked().await);
    desk.news(1, News::Paid).await;
    assert_eq!(desk.payout().await.state, State::Paid, "late news settles the doubt");
    let wish = wish(&story, Decision::Again);
    let done =
        resolve(desk.ledger(), &story, &asked, &wish, Some(&typed()), desk.clerk(), LEASE_MS).await;
    let error = done.unwrap_err().to_string();
    assert_eq!(
        error,
        "nothing was decided: payout \"A\" is not what was seen as version 3.0. It is paid now \
         (version 4.0). Look at it again: producer review show A"
    );
    assert_eq!(desk.payout().await.state, State::Paid);
}

#[tokio::test]
async fn evidence_that_changes_nothing_makes_an_older_sight_old_all_the_same() {
    let desk = Desk::accepted_then(News::Differs).await;
    desk.provider_says(Found::Absent);
    let (story, asked) = (desk.story().await, desk.asked().await);
    let version = desk.payout().await.version;
    desk.news(1, News::Paid).await;
    assert_eq!(desk.payout().await.version, version, "the payout is what it was");
    let wish = wish(&story, Decision::Failed);
    let done =
        resolve(desk.ledger(), &story, &asked, &wish, Some(&typed()), desk.clerk(), LEASE_MS).await;
    let error = done.unwrap_err().to_string();
    assert!(
        error.contains("Arrived since: News { attempt: 1, news: Paid } while review."),
        "{error}"
    );
    assert_eq!(desk.payout().await.state, State::Review);
    let old = check(&desk.story().await, &wish).unwrap_err();
    assert!(matches!(old, ReviewError::Arrived { .. }), "{old}");
}

#[tokio::test]
async fn one_decision_is_written_once_however_often_it_is_sent() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let (story, asked) = (desk.story().await, desk.asked().await);
    let wish = wish(&story, Decision::Again);
    let typed = typed();
    let one =
        || resolve(desk.ledger(), &story, &asked, &wish, Some(&typed), desk.clerk(), LEASE_MS);
    let (first, second) = tokio::join!(one(), one());
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    assert!(one().await.is_err());
    assert_eq!(desk.payout().await.attempt, 2);
}

#[tokio::test]
async fn amount_and_reference_are_typed_exactly_or_nothing_is_decided() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    for (amount, reference, expected) in [
        ("1.50", "A", Mistyped::Amount),
        ("1.50 EUR", "A", Mistyped::Amount),
        ("1.50 rub", "A", Mistyped::Amount),
        ("1.51 RUB", "A", Mistyped::Amount),
        ("1,50 RUB", "A", Mistyped::Amount),
        ("", "A", Mistyped::Amount),
        ("1.50 RUB", "a", Mistyped::Reference),
        ("1.50 RUB", "B", Mistyped::Reference),
        ("1.50 RUB", "", Mistyped::Reference),
    ] {
        let typed = Typed { amount: amount.to_owned(), reference: reference.to_owned() };
        let done = desk.resolve_on(desk.ledger(), Decision::Failed, Some(&typed)).await;
        let Err(ReviewError::Mistyped(found)) = done else { panic!("{typed:?}: {done:?}") };
        assert_eq!(found, expected, "{typed:?}");
    }
    for decision in Decision::ALL {
        let done = desk.resolve_on(desk.ledger(), decision, None).await;
        assert!(matches!(done, Err(ReviewError::NotTyped)), "{done:?}");
    }
    assert!(desk.notes().await.is_empty(), "nothing was written");
    let same = Typed { amount: " 1.5 RUB ".to_owned(), reference: " A".to_owned() };
    desk.resolve_on(desk.ledger(), Decision::Failed, Some(&same)).await.unwrap();
}

#[tokio::test]
async fn what_the_provider_says_is_paid_needs_nothing_typed_but_nothing_wrong_either() {
    let desk = Desk::doubtful().await;
    desk.provider_says(is(News::Paid));
    let wrong = Typed { amount: "9.00 RUB".to_owned(), reference: "A".to_owned() };
    let done = desk.resolve_on(desk.ledger(), Decision::Paid, Some(&wrong)).await;
    assert!(matches!(done, Err(ReviewError::Mistyped(_))), "{done:?}");
    desk.resolve_on(desk.ledger(), Decision::Paid, None).await.unwrap();
    let payout = desk.payout().await;
    assert_eq!((payout.state, payout.returned), (State::Paid, false));
}

#[tokio::test]
async fn a_reason_is_given_and_tells_no_account() {
    let desk = Desk::doubtful().await;
    let story = desk.story().await;
    for (reason, tells) in [
        ("", false),
        ("  ", false),
        (&*"x".repeat(501), false),
        ("card 4111111111111111 was paid", true),
        ("card 4111 1111-1111 1111 was paid", true),
    ] {
        let wish =
            producer::review::Wish { reason: reason.to_owned(), ..wish(&story, Decision::Failed) };
        match check(&story, &wish).unwrap_err() {
            ReviewError::ReasonTellsNumber => assert!(tells, "{reason}"),
            ReviewError::Reason => assert!(!tells, "{reason}"),
            other => panic!("{other}"),
        }
    }
    let wish = producer::review::Wish {
        reason: "bank reference 20261120-000123".to_owned(),
        ..wish(&story, Decision::Failed)
    };
    check(&story, &wish).unwrap();
}

#[tokio::test]
async fn a_new_attempt_is_sent_by_a_worker_and_news_of_the_older_one_changes_nothing_but_a_payment()
{
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let done = desk.resolve(Decision::Again).await.unwrap();
    assert_eq!((done.payout.state, done.payout.attempt), (State::Accepted, 2));
    let ready = desk.ledger().take_ready(lane(), 10, 1_000).await.unwrap();
    assert!(ready.contains(&desk.place.chunk), "a worker finds it");
    desk.send().await;
    desk.news(1, News::Failed).await;
    assert_eq!(desk.payout().await.state, State::Submitting, "kept as evidence");
    let intent = desk.payout().await.intents;
    desk.happen(Event::Outcome { intent, outcome: Outcome::Accepted }).await;
    desk.news(1, News::Paid).await;
    let payout = desk.payout().await;
    assert_eq!((payout.state, payout.cause), (State::Review, Cause::OlderAttemptPaid));
}

#[tokio::test]
async fn a_batch_that_was_over_is_at_work_again_with_the_new_attempt() {
    let desk = Desk::doubtful().await;
    let other = desk.world.rows_of(desk.batch).await[1].0;
    desk.world.settle(other, State::Paid).await;
    assert_eq!(desk.world.batch(desk.batch).await.state, BatchState::Complete);
    desk.provider_says(Found::Absent);
    desk.resolve(Decision::Again).await.unwrap();
    assert_eq!(desk.world.batch(desk.batch).await.state, BatchState::Active);
    let ready = desk.ledger().take_ready(lane(), 10, 1_000).await.unwrap();
    assert_eq!(ready, [desk.place.chunk]);
    let claim = desk.ledger().claim(desk.place.chunk, LEASE_MS).await.unwrap();
    assert!(matches!(claim, Claim::Held { .. }), "the lease was given back");
}

/// A ledger at which this evidence arrives right before the decision is written.
async fn with_evidence(desk: &Desk, text: &str) -> Between {
    let from = desk.payout().await;
    let notes = vec![Note::new(NoteKind::Evidence, text)];
    let change = Change { row: desk.place.row, from, to: from, notes };
    let next = Mutex::new(Some(Meddle::Before(desk.place.chunk, vec![change])));
    Between { inner: desk.world.ledger.clone(), next }
}

#[tokio::test]
async fn a_new_attempt_is_taken_back_if_evidence_arrives_right_before_it_is_written() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let ledger = with_evidence(&desk, "News { attempt: 1, news: Paid } while review").await;
    let done = desk.resolve_on(&ledger, Decision::Again, Some(&typed())).await.unwrap();
    assert!(done.is_taken_back && done.meanwhile.len() == 1, "{done:?}");
    assert_eq!(done.payout.state, State::Review);
    assert_eq!(desk.payout().await, done.payout);
    desk.world.pass(A_WHILE_MS);
    let error = desk.resolve(Decision::Again).await.unwrap_err().to_string();
    assert!(error.contains("its notes hold news of a payment"), "{error}");
}

#[tokio::test]
async fn evidence_that_arrives_right_before_a_payout_is_closed_is_told() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let ledger = with_evidence(&desk, "something else").await;
    let done = desk.resolve_on(&ledger, Decision::Failed, Some(&typed())).await.unwrap();
    assert_eq!(done.meanwhile, [Note::new(NoteKind::Evidence, "something else")]);
    assert_eq!((done.payout.state, done.is_taken_back), (State::Failed, false));
}

#[tokio::test]
async fn a_fact_that_arrives_right_before_the_write_stands_and_the_decision_does_not() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    for decision in [Decision::Failed, Decision::Again] {
        let from = desk.payout().await;
        let to = domain::Payout { version: from.version + 1, ..from };
        let change = Change { row: desk.place.row, from, to, notes: Vec::new() };
        let next = Mutex::new(Some(Meddle::Before(desk.place.chunk, vec![change])));
        let ledger = Between { inner: desk.world.ledger.clone(), next };
        let done = desk.resolve_on(&ledger, decision, Some(&typed())).await;
        assert!(matches!(done, Err(ReviewError::Arrived { .. })), "{done:?}");
        assert_eq!(desk.payout().await, to);
    }
}

#[tokio::test]
async fn a_chunk_that_a_worker_holds_is_waited_for_and_not_retried_under_its_hands() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    let claim = desk.ledger().claim(desk.place.chunk, LEASE_MS).await.unwrap();
    let Claim::Held { token, .. } = claim else { panic!("{claim:?}") };
    let worker = async {
        while desk.fake.looked_up.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(desk.payout().await.attempt, 1, "not while the worker is at it");
        desk.ledger().release(desk.place.chunk, token, Millis::NEVER).await.unwrap();
    };
    let (done, ()) = tokio::join!(desk.resolve(Decision::Again), worker);
    assert_eq!(done.unwrap().payout.attempt, 2);
}

#[tokio::test]
async fn a_payout_that_came_back_is_closed_as_paid_and_returned() {
    let desk = Desk::accepted_then(News::Returned).await;
    assert_eq!(desk.payout().await.state, State::Review);
    desk.provider_says(is(News::Returned));
    desk.resolve(Decision::Paid).await.unwrap();
    let payout = desk.payout().await;
    assert_eq!((payout.state, payout.returned), (State::Paid, true));
}

#[tokio::test]
async fn a_payment_that_is_heard_of_after_it_was_closed_as_failed_is_disputed() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    desk.resolve(Decision::Failed).await.unwrap();
    desk.news(1, News::Paid).await;
    let payout = desk.payout().await;
    assert_eq!((payout.state, payout.cause), (State::Review, Cause::Disputed));
    desk.world.pass(A_WHILE_MS);
    desk.provider_says(is(News::Paid));
    desk.resolve(Decision::Paid).await.unwrap();
    assert_eq!(desk.payout().await.state, State::Paid);
}

#[tokio::test]
async fn the_batchs_audit_chain_is_told_of_a_decision_with_all_that_it_rests_on() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    desk.resolve(Decision::Again).await.unwrap();
    let [told] = &desk.resolved().await[..] else { panic!("{:?}", desk.resolved().await) };
    assert_eq!(told.who, desk.clerk().who());
    let expected = serde_json::json!({
        "reference": "A",
        "attempt": 1,
        "decision": "again",
        "version_seen": "3.0",
        "look_up": "attempt 1: not found; by itself this proves nothing",
        "reason": "the bank's statement of Friday",
    });
    assert_eq!(told.text, expected);
    let chain = Chain::batch(desk.batch);
    let head = newest_head(desk.ledger(), &chain).await.unwrap().unwrap();
    assert_eq!(head.count, told.seq + 1, "signed, so that nobody cuts it off unseen");
}

#[tokio::test]
async fn a_decision_is_told_before_it_is_written_and_not_written_where_it_cannot_be_told() {
    let desk = Desk::doubtful().await;
    desk.provider_says(Found::Absent);
    for decision in [Decision::Failed, Decision::Again] {
        let next = Mutex::new(Some(Meddle::Away));
        let ledger = Between { inner: desk.world.ledger.clone(), next };
        let done = desk.resolve_on(&ledger, decision, Some(&typed())).await;
        assert!(matches!(done, Err(ReviewError::Ledger(_))), "{done:?}");
    }
    assert_eq!(desk.resolved().await.len(), 2, "told, though the writes were lost");
    let config = AuditConfig { key_file: desk.world.file("damaged.key", "half a key") };
    let (story, asked) = (desk.story().await, desk.asked().await);
    let (wish, clerk) = (wish(&story, Decision::Failed), Clerk::new(&config));
    let done =
        resolve(desk.ledger(), &story, &asked, &wish, Some(&typed()), &clerk, LEASE_MS).await;
    let error = done.unwrap_err().to_string();
    assert!(error.starts_with("nothing was decided: "), "{error}");
    assert_eq!(desk.payout().await.state, State::Review);
    assert_eq!(desk.notes().await, [""; 0]);
}

#[tokio::test]
async fn a_late_answer_that_the_older_request_was_taken_stops_the_new_attempt() {
    for (outcome, state) in [
        (Outcome::Accepted, State::Review),
        (Outcome::Begun, State::Review),
        // It tells no more than whoever decided knew.
        (Outcome::Unknown, State::Accepted),
    ] {
        let desk = Desk::doubtful().await;
        desk.provider_says(Found::Absent);
        desk.resolve(Decision::Again).await.unwrap();
        desk.happen(Event::Outcome { intent: 1, outcome }).await;
        assert_eq!(desk.payout().await.state, state, "{outcome:?}");
    }
}
