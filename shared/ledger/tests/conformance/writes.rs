//! Writes: compare-and-set per row, counters and batch state in the same step.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::payout::State;
use domain::{BatchState, ChunkId, Event, Millis, News, Payout, Policy};
use ledger::apply::{Applied, Happening, apply};
use ledger::{Change, Guard, Ledger, LedgerError, Note, NoteKind, Written};

on_every_engine![
    a_write_stores_the_payouts_and_moves_the_counters,
    a_row_that_changed_meanwhile_is_given_back_and_left_alone,
    the_same_write_again_changes_nothing,
    a_row_that_stands_twice_in_a_write_is_written_in_order,
    every_bit_of_a_payout_is_compared,
    payouts_are_kept_in_their_normal_form,
    a_batch_is_complete_when_nothing_is_open_and_comes_back_when_something_is,
    late_news_moves_the_counters_of_a_cancelled_batch_and_not_its_state,
    a_batch_that_awaits_approval_does_not_complete,
    notes_come_back_in_the_order_of_writing,
    notes_alone_are_no_change,
    a_row_beyond_the_chunk_is_an_error_and_nothing_is_written,
    a_batch_changes_its_state_by_compare_and_set,
    applying_decides_again_for_rows_that_changed_meanwhile,
    a_step_is_not_begun_on_a_payout_that_has_moved_on,
    a_hint_that_comes_after_the_question_is_not_answered_by_its_answer,
    what_a_person_decided_is_not_decided_again_on_later_news,
    a_thousand_rows_are_written_at_once,
];

async fn a_write_stores_the_payouts_and_moves_the_counters(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[4, 2]).await;
    let (token, chunk) = held(ledger, chunk_id(id, 0), LONG).await;
    let change = |row: u16, state| into_state(row, chunk.payouts[usize::from(row)], state);
    let changes = vec![change(0, State::Submitting), change(2, State::Submitting)];
    let written = ledger.write(chunk.id, Guard::Intent(token), changes.clone()).await.unwrap();
    assert_eq!(written, Written::Done(vec![]));
    let stand = payouts(&*world.second, chunk.id).await;
    assert_eq!((stand[0], stand[2]), (changes[0].to.normal(), changes[1].to.normal()));
    assert_eq!((stand[1], stand[3]), (chunk.payouts[1], chunk.payouts[3]));
    let batch = ledger.batch(id).await.unwrap().unwrap();
    assert_eq!((batch.counts.get(State::Accepted), batch.counts.get(State::Submitting)), (4, 2));
    assert_eq!(batch.changes, 2);
    assert_counted(ledger, id).await;
}

async fn a_row_that_changed_meanwhile_is_given_back_and_left_alone(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[3]).await;
    let chunk = chunk_id(id, 0);
    let seen = payouts(ledger, chunk).await;
    settle(&*world.second, chunk, &[1], State::Paid).await;
    let change = |row: u16| Change {
        notes: vec![Note::new(NoteKind::Reason, format!("row {row}"))],
        ..into_state(row, seen[usize::from(row)], State::Failed)
    };
    let written = ledger.write(chunk, Guard::Fact, vec![change(0), change(1), change(2)]).await;
    let stand = payouts(ledger, chunk).await;
    assert_eq!(written.unwrap(), Written::Done(vec![(1, stand[1])]));
    assert_eq!(stand[1].state, State::Paid);
    assert_eq!((stand[0].state, stand[2].state), (State::Failed, State::Failed));
    let notes = ledger.notes(chunk).await.unwrap();
    assert_eq!(notes.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(ledger.batch(id).await.unwrap().unwrap().changes, 3);
    assert_counted(ledger, id).await;
}

async fn the_same_write_again_changes_nothing(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[2]).await;
    let (token, chunk) = held(ledger, chunk_id(id, 0), LONG).await;
    let change = || Change {
        notes: vec![Note::new(NoteKind::Cost, "1")],
        ..into_state(0, chunk.payouts[0], State::Submitting)
    };
    let write = || ledger.write(chunk.id, Guard::Intent(token), vec![change()]);
    assert_eq!(write().await.unwrap(), Written::Done(vec![]));
    let batch = ledger.batch(id).await.unwrap();
    let stands = payouts(ledger, chunk.id).await[0];
    assert_eq!(write().await.unwrap(), Written::Done(vec![(0, stands)]));
    assert_eq!(ledger.batch(id).await.unwrap(), batch);
    assert_eq!(ledger.notes(chunk.id).await.unwrap().len(), 1);
}

async fn a_row_that_stands_twice_in_a_write_is_written_in_order(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1]).await;
    let chunk = chunk_id(id, 0);
    let from = payouts(ledger, chunk).await[0];
    let first = into_state(0, from, State::Submitting);
    let second = into_state(0, first.to.normal(), State::Submitted);
    let stale = into_state(0, from, State::Failed);
    let changes = vec![first, second.clone(), stale];
    let written = ledger.write(chunk, Guard::Fact, changes).await.unwrap();
    assert_eq!(written, Written::Done(vec![(0, second.to.normal())]));
    assert_eq!(ledger.batch(id).await.unwrap().unwrap().changes, 2);
    assert_counted(ledger, id).await;
}

async fn every_bit_of_a_payout_is_compared(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1]).await;
    let chunk = chunk_id(id, 0);
    let stands = payouts(ledger, chunk).await[0];
    let wrong: [fn(&mut domain::Payout); 6] = [
        |p| p.attempt += 1,
        |p| p.due.0 += 1,
        |p| p.news_pending = true,
        |p| p.version += 1,
        |p| p.asked += 1,
        |p| p.since.0 += 1_000,
    ];
    for spoil in wrong {
        let mut from = stands;
        spoil(&mut from);
        let change = into_state(0, from, State::Paid);
        let written = ledger.write(chunk, Guard::Fact, vec![change]).await.unwrap();
        assert_eq!(written, Written::Done(vec![(0, stands)]));
    }
}

async fn payouts_are_kept_in_their_normal_form(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1]).await;
    let chunk = chunk_id(id, 0);
    let from = payouts(ledger, chunk).await[0];
    assert_eq!(from, from.normal());
    let mut change = into_state(0, from, State::Submitted);
    (change.to.since, change.to.due) = (Millis(1_234_567), Millis(7_654_321));
    ledger.write(chunk, Guard::Fact, vec![change.clone()]).await.unwrap();
    let stands = payouts(ledger, chunk).await[0];
    assert_eq!((stands.since, stands.due), (Millis(1_234_000), Millis(7_654_321)));
    // What differs only in what the packed form rounds away is the same payout.
    let again = into_state(0, change.to, State::Paid);
    let written = ledger.write(chunk, Guard::Fact, vec![again]).await.unwrap();
    assert_eq!(written, Written::Done(vec![]));
}

async fn a_batch_is_complete_when_nothing_is_open_and_comes_back_when_something_is(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1, 2]).await;
    settle(ledger, chunk_id(id, 0), &[0], State::Paid).await;
    settle(ledger, chunk_id(id, 1), &[0], State::Failed).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Active);
    settle(ledger, chunk_id(id, 1), &[1], State::Review).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Complete);
    settle(ledger, chunk_id(id, 1), &[0], State::Accepted).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Active);
    ledger.set_batch_state(id, BatchState::Active, BatchState::Paused).await.unwrap();
    settle(ledger, chunk_id(id, 1), &[0], State::Cancelled).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Complete);
    assert_counted(ledger, id).await;
}

async fn late_news_moves_the_counters_of_a_cancelled_batch_and_not_its_state(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[2]).await;
    let chunk = chunk_id(id, 0);
    settle(ledger, chunk, &[0], State::Submitted).await;
    ledger.set_batch_state(id, BatchState::Active, BatchState::Cancelled).await.unwrap();
    settle(ledger, chunk, &[1], State::Cancelled).await;
    settle(ledger, chunk, &[0], State::Paid).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Cancelled);
    settle(ledger, chunk, &[0], State::Submitted).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Cancelled);
    assert_counted(ledger, id).await;
    assert_eq!(ledger.batch(id).await.unwrap().unwrap().changes, 4);
}

async fn a_batch_that_awaits_approval_does_not_complete(world: World) {
    let ledger = &*world.ledger;
    let id = received(ledger, 1, &[1]).await;
    ledger.seal(seal_of(id, &[1], BatchState::Awaiting)).await.unwrap();
    settle(ledger, chunk_id(id, 0), &[0], State::Cancelled).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Awaiting);
    assert_counted(ledger, id).await;
}

async fn notes_come_back_in_the_order_of_writing(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[3, 1]).await;
    let chunk = chunk_id(id, 0);
    let mut expected = Vec::new();
    for turn in 0..5_u16 {
        let stand = payouts(ledger, chunk).await;
        let row = turn % 3;
        let notes: Vec<Note> = [NoteKind::ProviderId, NoteKind::Reason]
            .map(|kind| Note::new(kind, format!("{turn} – “é”")))
            .into();
        expected.extend(notes.iter().map(|note| (row, note.clone())));
        let late = Note::new(NoteKind::Evidence, "");
        expected.push((2, late.clone()));
        let change = Change { notes, ..into_state(row, stand[usize::from(row)], State::Unknown) };
        let mut changes = vec![change];
        if row == 2 {
            changes[0].notes.push(late);
        } else {
            changes.push(only_notes(2, stand[2], vec![late]));
        }
        ledger.write(chunk, Guard::Fact, changes).await.unwrap();
    }
    assert_eq!(world.second.notes(chunk).await.unwrap(), expected);
    assert_eq!(ledger.notes(chunk_id(id, 1)).await.unwrap(), []);
}

async fn notes_alone_are_no_change(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1]).await;
    let chunk = chunk_id(id, 0);
    let before = (ledger.batch(id).await.unwrap(), payouts(ledger, chunk).await);
    let note = Note::new(NoteKind::Evidence, "asked");
    let change = only_notes(0, before.1[0], vec![note.clone()]);
    ledger.write(chunk, Guard::Fact, vec![change]).await.unwrap();
    assert_eq!((ledger.batch(id).await.unwrap(), payouts(ledger, chunk).await), before);
    assert_eq!(ledger.notes(chunk).await.unwrap(), [(0, note)]);
}

async fn a_row_beyond_the_chunk_is_an_error_and_nothing_is_written(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[2]).await;
    let chunk = chunk_id(id, 0);
    let stand = payouts(ledger, chunk).await;
    let good = Change {
        notes: vec![Note::new(NoteKind::Reason, "good")],
        ..into_state(0, stand[0], State::Paid)
    };
    let bad = into_state(2, stand[0], State::Paid);
    let error = ledger.write(chunk, Guard::Fact, vec![good, bad]).await.unwrap_err();
    assert!(matches!(error, LedgerError::Broken(_)));
    assert_eq!(payouts(ledger, chunk).await, stand);
    assert_eq!(ledger.notes(chunk).await.unwrap(), []);
    assert_eq!(ledger.batch(id).await.unwrap().unwrap().changes, 0);
}

async fn a_batch_changes_its_state_by_compare_and_set(world: World) {
    let ledger = &*world.ledger;
    let id = received(ledger, 1, &[1]).await;
    let go = |from, to| ledger.set_batch_state(id, from, to);
    use BatchState::{Active, Awaiting, Cancelled, Paused, Receiving, Rejected};
    for to in [Active, Awaiting, Rejected] {
        assert!(!go(Receiving, to).await.unwrap(), "sealing and rejecting have their own calls");
    }
    ledger.seal(seal_of(id, &[1], Awaiting)).await.unwrap();
    assert!(!go(Active, Paused).await.unwrap());
    assert!(!go(Awaiting, Paused).await.unwrap());
    assert!(go(Awaiting, Active).await.unwrap());
    assert!(!go(Awaiting, Active).await.unwrap(), "the second time says so");
    assert!(go(Active, Cancelled).await.unwrap());
    assert!(!go(Cancelled, Active).await.unwrap());
    assert_eq!(state_of(ledger, id).await, Cancelled);
    assert!(!ledger.set_batch_state(batch_id(2), Active, Paused).await.unwrap());
}

async fn applying_decides_again_for_rows_that_changed_meanwhile(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[3]).await;
    let chunk = chunk_id(id, 0);
    let stale = payouts(ledger, chunk).await;
    settle(&*world.second, chunk, &[0], State::Submitted).await;
    settle(&*world.second, chunk, &[1], State::Failed).await;
    let happenings = (0..3)
        .map(|row| Happening {
            row,
            payout: stale[usize::from(row)],
            event: Event::News { attempt: 1, news: News::Paid },
            notes: Vec::new(),
        })
        .collect();
    let now = world.now().await;
    let applied = apply(ledger, chunk, Guard::Fact, now, &Policy::default(), happenings).await;
    let applied = applied.unwrap().unwrap();
    let states: Vec<State> = applied.iter().map(|(_, a)| a.payout().state).collect();
    assert_eq!(states, [State::Paid, State::Review, State::Paid]);
    assert!(applied.iter().all(|(_, a)| matches!(a, Applied::Changed(_))));
    let stand = payouts(ledger, chunk).await;
    assert_eq!(stand, applied.iter().map(|(_, a)| a.payout()).collect::<Vec<_>>());
    assert_counted(ledger, id).await;
}

/// Applies events to payouts as they were read, and gives what became of each.
async fn happen(
    ledger: &dyn Ledger,
    chunk: ChunkId,
    now: Millis,
    read: &[Payout],
    events: Vec<(u16, Event)>,
) -> Vec<Applied> {
    let happening = |(row, event): (u16, Event)| {
        let payout = read[usize::from(row)];
        Happening { row, payout, event, notes: Vec::new() }
    };
    let happenings = events.into_iter().map(happening).collect();
    let applied = apply(ledger, chunk, Guard::Fact, now, &Policy::default(), happenings).await;
    applied.unwrap().unwrap().into_iter().map(|(_, applied)| applied).collect()
}

async fn a_step_is_not_begun_on_a_payout_that_has_moved_on(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[4]).await, 0);
    settle(ledger, chunk, &[0, 1, 2, 3], State::Submitted).await;
    let read = payouts(ledger, chunk).await;
    let now = world.now().await;
    // Another step, the payment itself, and a sign of life that may tell of either.
    let alive = Event::News { attempt: 1, news: News::InProgress };
    let paid = Event::News { attempt: 1, news: News::Paid };
    let meanwhile = vec![(0, Event::StepIntent), (1, paid), (2, alive)];
    happen(&*world.second, chunk, now, &read, meanwhile).await;
    let stand = payouts(ledger, chunk).await;
    let steps = (0..4).map(|row| (row, Event::StepIntent)).collect();
    let done = happen(ledger, chunk, now, &read, steps).await;
    let overtaken = stand[..3].iter().map(|payout| Applied::Overtaken(*payout));
    assert_eq!(done[..3], overtaken.collect::<Vec<_>>());
    assert!(done[3].is_changed() && done[3].payout().step_open);
    assert_eq!(payouts(ledger, chunk).await[..3], stand[..3], "and nothing is written");
}

async fn a_hint_that_comes_after_the_question_is_not_answered_by_its_answer(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[4]).await, 0);
    settle(ledger, chunk, &[0, 1, 2, 3], State::Submitted).await;
    let now = world.now().await;
    // A first hint is what they are asked for; a second one comes while three are asked.
    let read = payouts(ledger, chunk).await;
    happen(ledger, chunk, now, &read, (0..4).map(|row| (row, Event::Hint)).collect()).await;
    let asked = payouts(ledger, chunk).await;
    let again = (0..3).map(|row| (row, Event::Hint)).collect();
    happen(&*world.second, chunk, now, &asked, again).await;
    let hinted = payouts(ledger, chunk).await;
    let found = |news| Event::Found { attempt: 1, news, asked_at: now };
    let [alive, failed, paid] = [News::InProgress, News::Failed, News::Paid].map(found);
    let answers = vec![(0, alive.clone()), (1, failed), (2, paid), (3, alive)];
    let told = happen(ledger, chunk, now, &asked, answers).await;
    assert_eq!(told[..2], [Applied::Overtaken(hinted[0]), Applied::Overtaken(hinted[1])]);
    assert_eq!(told[2].payout().state, State::Paid);
    assert!(!told[3].payout().news_pending, "this one had no second hint");
    let stand = payouts(ledger, chunk).await;
    assert_eq!(stand[..2], hinted[..2], "they are still to be asked about, at once");
    assert!(stand[..2].iter().all(|payout| payout.news_pending && payout.due <= now));
}

async fn what_a_person_decided_is_not_decided_again_on_later_news(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[2]).await, 0);
    settle(ledger, chunk, &[0], State::Failed).await;
    let seen = payouts(ledger, chunk).await;
    let now = world.now().await;
    // A new attempt is possible in review, too, and would pay twice.
    let paid = Event::News { attempt: 1, news: News::Paid };
    happen(&*world.second, chunk, now, &seen, vec![(0, paid)]).await;
    let stands = payouts(ledger, chunk).await[0];
    assert_eq!(stands.state, State::Review);
    let decided = happen(ledger, chunk, now, &seen, vec![(0, Event::NewAttempt)]).await;
    assert_eq!(decided, [Applied::Overtaken(stands)]);
    assert_eq!(payouts(ledger, chunk).await[0], stands, "and nothing is written");
}

async fn a_thousand_rows_are_written_at_once(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1_000]).await;
    let rows: Vec<u16> = (0..1_000).collect();
    settle(ledger, chunk_id(id, 0), &rows, State::Submitted).await;
    settle(ledger, chunk_id(id, 0), &rows, State::Paid).await;
    let batch = ledger.batch(id).await.unwrap().unwrap();
    assert_eq!((batch.state, batch.changes), (BatchState::Complete, 2_000));
    assert_eq!(batch.counts.get(State::Paid), 1_000);
    assert_counted(ledger, id).await;
}
