//! Races: two who want the same thing at the same time. One of them gets it, whole.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::payout::State;
use domain::{BatchState, Event, Policy};
use futures::future::join_all;
use ledger::apply::{Happening, apply};
use ledger::{Claim, Guard, Opened, Pace, Written, intake};

on_every_engine![
    one_file_opened_by_two_at_once_is_fresh_for_one,
    one_reference_wanted_by_two_intakes_is_held_by_one,
    an_abandoned_reference_goes_to_one_of_two_intakes,
    a_batch_is_either_sealed_or_rejected,
    one_of_many_claimers_gets_the_chunk,
    a_row_is_either_cancelled_or_sent,
    a_step_that_two_begin_is_begun_by_one,
    facts_from_many_sides_keep_the_counters,
    a_chunk_is_hinted_to_one_of_many_pumps,
    permits_never_exceed_the_pace,
    no_change_of_a_lane_is_lost,
    one_of_many_writes_the_report,
];

async fn one_file_opened_by_two_at_once_is_fresh_for_one(world: World) {
    for file in 0..100 {
        let ids = [file * 2, file * 2 + 1];
        let opened = at_once(&world, |ledger, n| async move {
            ledger.open_batch(with_file(file * 2 + n, file)).await.unwrap()
        });
        match opened.await {
            [Opened::Fresh, Opened::SameFile(by)] => assert_eq!(by, batch_id(ids[0])),
            [Opened::SameFile(by), Opened::Fresh] => assert_eq!(by, batch_id(ids[1])),
            both => panic!("{both:?}"),
        }
    }
}

async fn one_reference_wanted_by_two_intakes_is_held_by_one(world: World) {
    received(&*world.ledger, 0, &[1]).await;
    received(&*world.ledger, 1, &[1]).await;
    for n in 0..50_u64 {
        let conflicts = at_once(&world, |ledger, batch| async move {
            let wanted: Vec<_> = (0..5)
                .map(|row| (key(n * 5 + u64::from(row)), place(batch_id(batch), row)))
                .collect();
            intake::reserve(&*ledger, &wanted).await.unwrap()
        });
        let [first, second] = conflicts.await;
        assert_eq!(first.len() + second.len(), 5, "each reference is held by exactly one");
    }
}

async fn an_abandoned_reference_goes_to_one_of_two_intakes(world: World) {
    let ledger = &*world.ledger;
    for n in [0, 1] {
        received(ledger, n, &[1]).await;
    }
    for n in 2..30 {
        ledger.open_batch(ledger::NewBatch { lease_ms: 0, ..new_batch(n) }).await.unwrap();
        ledger.reserve(vec![(key(n), place(batch_id(n), 0))]).await.unwrap();
        let conflicts = at_once(&world, |ledger, batch| async move {
            intake::reserve(&*ledger, &[(key(n), place(batch_id(batch), 0))]).await.unwrap()
        });
        let [first, second] = conflicts.await;
        assert_eq!(first.len() + second.len(), 1);
        let holder = if first.is_empty() { batch_id(0) } else { batch_id(1) };
        assert_eq!(ledger.find(key(n)).await.unwrap(), Some(place(holder, 0)));
    }
}

async fn a_batch_is_either_sealed_or_rejected(world: World) {
    for n in 0..40 {
        let id = received(&*world.ledger, n, &[1]).await;
        let did = at_once(&world, |ledger, side| async move {
            match side {
                0 => ledger.seal(seal_of(id, &[1], BatchState::Active)).await.unwrap(),
                _ => ledger.reject(id, "race".to_owned(), false).await.unwrap(),
            }
        });
        let expected = match did.await {
            [true, false] => BatchState::Active,
            [false, true] => BatchState::Rejected,
            both => panic!("{both:?}"),
        };
        assert_eq!(state_of(&*world.ledger, id).await, expected);
    }
}

async fn one_of_many_claimers_gets_the_chunk(world: World) {
    let id = active(&*world.ledger, 1, &[1; 20]).await;
    for no in 0..20 {
        let chunk = chunk_id(id, no);
        let claims = at_once(&world, |ledger, _| async move {
            join_all((0..4).map(|_| ledger.claim(chunk, LONG))).await
        });
        let claims: Vec<Claim> = claims.await.into_iter().flatten().map(Result::unwrap).collect();
        let held = claims.iter().filter(|claim| matches!(claim, Claim::Held { .. })).count();
        let busy = claims.iter().filter(|claim| matches!(claim, Claim::Busy)).count();
        assert_eq!((held, busy), (1, 7));
    }
}

async fn a_row_is_either_cancelled_or_sent(world: World) {
    let rows = 200_u16;
    let id = active(&*world.ledger, 1, &[rows]).await;
    let (token, seen) = held(&*world.ledger, chunk_id(id, 0), LONG).await;
    let now = world.now().await;
    let applied = at_once(&world, |ledger, side| {
        let seen = seen.clone();
        async move {
            let (guard, event) = match side {
                0 => (
                    Guard::Intent(token),
                    Event::Intent {
                        send_before: now.plus(1_000),
                        sender: domain::Sender(1),
                        account: domain::Account(1),
                    },
                ),
                _ => (Guard::Fact, Event::Cancel),
            };
            let mut won = Vec::new();
            // In small groups and from both ends, so that the two meet in the middle.
            let mut order: Vec<u16> = (0..rows).collect();
            if side == 1 {
                order.reverse();
            }
            for group in order.chunks(10) {
                let happening = |row: &u16| Happening {
                    row: *row,
                    payout: seen.payouts[usize::from(*row)],
                    event: event.clone(),
                    notes: Vec::new(),
                };
                let group = group.iter().map(happening).collect();
                let policy = Policy::default();
                let applied = apply(&*ledger, seen.id, guard, now, &policy, group).await;
                // Refused where the other side has cancelled all: then the batch is complete.
                for (row, applied) in applied.unwrap().unwrap_or_default() {
                    if applied.is_changed() {
                        won.push(row);
                    }
                }
                tokio::task::yield_now().await;
            }
            won
        }
    });
    let [sent, cancelled] = applied.await;
    let stand = payouts(&*world.ledger, seen.id).await;
    for row in 0..rows {
        let expected = match (sent.contains(&row), cancelled.contains(&row)) {
            (true, false) => State::Submitting,
            (false, true) => State::Cancelled,
            both => panic!("row {row}: {both:?}"),
        };
        assert_eq!(stand[usize::from(row)].state, expected);
    }
    assert_counted(&*world.ledger, id).await;
}

async fn a_step_that_two_begin_is_begun_by_one(world: World) {
    let rows = 200_u16;
    let id = active(&*world.ledger, 1, &[rows]).await;
    let chunk = chunk_id(id, 0);
    let all: Vec<u16> = (0..rows).collect();
    settle(&*world.ledger, chunk, &all, State::Submitted).await;
    let (token, seen) = held(&*world.ledger, chunk, LONG).await;
    let now = world.now().await;
    let begun = at_once(&world, |ledger, side| {
        let seen = seen.clone();
        async move {
            let mut ours = Vec::new();
            // From both ends, so that the two meet in the middle.
            let mut order: Vec<u16> = (0..rows).collect();
            if side == 1 {
                order.reverse();
            }
            for group in order.chunks(10) {
                let step = |row: &u16| Happening {
                    row: *row,
                    payout: seen.payouts[usize::from(*row)],
                    event: Event::StepIntent,
                    notes: Vec::new(),
                };
                let group = group.iter().map(step).collect();
                let (guard, policy) = (Guard::Intent(token), Policy::default());
                let applied = apply(&*ledger, seen.id, guard, now, &policy, group).await;
                let applied = applied.unwrap().expect("the lease is held").into_iter();
                ours.extend(applied.filter(|(_, a)| a.is_changed()).map(|(row, _)| row));
                tokio::task::yield_now().await;
            }
            ours
        }
    });
    let [first, second] = begun.await;
    let stand = payouts(&*world.ledger, chunk).await;
    for row in 0..rows {
        assert!(first.contains(&row) != second.contains(&row), "row {row} is begun by one");
        let (was, stands) = (seen.payouts[usize::from(row)], stand[usize::from(row)]);
        assert!(stands.step_open);
        assert_eq!(stands.intents, was.intents + 1, "and once");
    }
}

async fn facts_from_many_sides_keep_the_counters(world: World) {
    let rows = 20_u16;
    let id = active(&*world.ledger, 1, &[rows, rows]).await;
    at_once(&world, |ledger, side| async move {
        let states = [State::Submitting, State::Submitted, State::Paid, State::Accepted];
        for turn in 0..40 {
            let chunk = chunk_id(id, turn % 2);
            let stand = payouts(&*ledger, chunk).await;
            let state = states[usize::from(turn / 2 + u16::from(side == 1)) % states.len()];
            let change = |row: u16| into_state(row, stand[usize::from(row)], state);
            let changes = (0..rows).map(change).collect();
            let written = ledger.write(chunk, Guard::Fact, changes).await.unwrap();
            assert!(matches!(written, Written::Done(_)));
        }
    })
    .await;
    assert_counted(&*world.ledger, id).await;
    let mut versions = 0;
    for no in 0..2 {
        let stand = payouts(&*world.ledger, chunk_id(id, no)).await;
        versions += stand.iter().map(|p| u64::from(p.version)).sum::<u64>();
    }
    assert_eq!(world.ledger.batch(id).await.unwrap().unwrap().changes, versions);
}

async fn a_chunk_is_hinted_to_one_of_many_pumps(world: World) {
    active(&*world.ledger, 1, &[1; 30]).await;
    active(&*world.ledger, 2, &[1; 30]).await;
    let taken = at_once(&world, |ledger, _| async move {
        let mut taken = Vec::new();
        while let hints @ [_, ..] = &*ledger.take_ready(lane(), 4, LONG).await.unwrap() {
            taken.extend_from_slice(hints);
        }
        taken
    });
    let mut all = taken.await.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60);
}

async fn permits_never_exceed_the_pace(world: World) {
    let pace = Pace { interval_us: 5_000, horizon_ms: 100 };
    let begun = world.now().await;
    let drawn = at_once(&world, |ledger, _| async move {
        let draws = (0..3).map(|_| async {
            let mut drawn = 0;
            for want in 0..10 {
                drawn += u64::from(ledger.permits(lane(), want, pace).await.unwrap().count);
            }
            drawn
        });
        join_all(draws).await.iter().sum::<u64>()
    });
    let drawn: u64 = drawn.await.iter().sum();
    let ended = world.now().await;
    // All slots lie between the first draw and the last horizon.
    let most = (ended.since(begun) + pace.horizon_ms) * 1_000 / pace.interval_us + 1;
    assert!(drawn <= most, "{drawn} permits where {most} slots are");
    assert!(drawn >= 20, "the first horizon alone holds 20");
}

async fn no_change_of_a_lane_is_lost(world: World) {
    let stored = at_once(&world, |ledger, _| async move {
        let mut stored = 0;
        while stored < 20 {
            let mut record = ledger.lane(lane()).await.unwrap();
            record.fingerprint.push('x');
            stored += usize::from(ledger.put_lane(record).await.unwrap());
        }
    });
    stored.await;
    let record = world.ledger.lane(lane()).await.unwrap();
    assert_eq!((record.version, record.fingerprint.len()), (40, 40));
}

async fn one_of_many_writes_the_report(world: World) {
    let id = active(&*world.ledger, 1, &[1]).await;
    settle(&*world.ledger, chunk_id(id, 0), &[0], State::Paid).await;
    let claims = at_once(&world, |ledger, _| async move {
        join_all((0..4).map(|_| ledger.claim_report(id, LONG))).await
    });
    let claims = claims.await.into_iter().flatten().map(Result::unwrap);
    assert_eq!(claims.filter(Option::is_some).count(), 1);
}
