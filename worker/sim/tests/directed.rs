//! One thing turned at one moment, in a world that is stopped for it.

use domain::{BatchState, Event, Payout, Place, State};
use futures::executor::block_on;
use ledger::Guard;
use ledger::apply::{Happening, apply};
use sim::gateway::book::{Request, Seen};
use sim::gateway::temper::{Shape, Temper};
use sim::run::{ledger_time, policy};
use sim::{Report, Scenario, World};
use std::collections::{BTreeMap, BTreeSet};

const BATCHES: Shape = Shape::Batches { rows_per_call: 12, rows_per_look_up: 9 };

/// One call every 300 ms, so that there is a middle to stop in; nobody crashes.
fn calm(shape: Shape, seed: u64, temper: Temper) -> Scenario {
    Scenario { chaos: false, interval_us: 300_000, temper, ..Scenario::of(shape, seed) }
}

fn holds(world: &World) -> Report {
    let report = world.report();
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    report
}

fn rows_in(report: &Report, state: State) -> usize {
    report.states.get(&state).copied().unwrap_or(0)
}

/// The references of each create call, with its time.
fn creates(seen: &[Seen]) -> Vec<(u64, Vec<String>)> {
    let calls = seen.iter().filter_map(|seen| match &seen.request {
        Request::Create(rows) => {
            Some((seen.at_ms, rows.iter().map(|(_, reference)| reference.clone()).collect()))
        }
        _ => None,
    });
    calls.collect()
}

fn steps(world: &World) -> usize {
    world.gateways.first.tally().steps
}

#[test]
fn with_the_look_up_blind_no_row_of_a_batch_leaves_twice() {
    // What is refused for now is sent again by right; here nothing is.
    let blind = Temper { blind: true, later: 0, stops: 0, lost: 200, ..Temper::default() };
    let by_reference = Temper { blind: false, blind_by_reference: true, ..blind };
    let mut unanswered = 0;
    for (seed, temper) in (0..4).flat_map(|seed| [(seed, blind), (seed, by_reference)]) {
        let world = World::new(&Scenario { temper, ..Scenario::of(BATCHES, seed) });
        assert!(world.until_complete(), "seed {seed}");
        let mut left = BTreeSet::new();
        for reference in
            creates(&world.gateways.first.seen()).into_iter().flat_map(|(_, rows)| rows)
        {
            assert!(left.insert(reference.clone()), "seed {seed}: {reference} left twice");
        }
        unanswered += rows_in(&holds(&world), State::Review);
    }
    assert!(unanswered > 100, "there was something to be tempted by: {unanswered}");
}

#[test]
fn a_lane_that_was_told_to_shrink_sends_smaller_calls_from_then_on() {
    for seed in 0..10 {
        let temper = Temper { rows_taken_max: 3, ..Temper::good() };
        let world = World::new(&calm(BATCHES, seed, temper));
        // When the pool knew of which limit.
        let mut told: Vec<(u64, u16)> = Vec::new();
        let mut steps = 0u64;
        assert!(world.until(|world| {
            steps += 1;
            let known = world.lane().rows_per_call;
            if let Some(rows_max) = known.filter(|max| told.last().is_none_or(|(_, m)| m != max)) {
                told.push((world.exec.now_ms(), rows_max));
            }
            steps.is_multiple_of(100) && world.batch_state() == BatchState::Complete
        }));
        assert!(told.windows(2).all(|pair| pair[1].1 < pair[0].1), "{told:?} only shrinks");
        assert_eq!(told.last().map(|(_, rows_max)| *rows_max), Some(3), "seed {seed}");
        let mut checked = 0;
        for (at_ms, rows) in creates(&world.gateways.first.seen()) {
            // What was already intended when the word came may still leave.
            let intended_ms = at_ms.saturating_sub(policy().send_window_ms);
            let most = told.iter().rev().find(|(since_ms, _)| *since_ms < intended_ms);
            if let Some((_, most)) = most {
                assert!(rows.len() <= usize::from(*most), "seed {seed}: {} > {most}", rows.len());
                checked += 1;
            }
        }
        assert!(checked > 20, "seed {seed}: {checked} calls came after the word");
        assert_eq!(rows_in(&holds(&world), State::Paid), 120);
    }
}

#[test]
fn a_row_that_was_sent_again_is_never_asked_for_by_the_older_handle() {
    let temper = Temper { drops: 300, taken_unanswered: 150, lost: 100, ..Temper::default() };
    let mut sent_again = 0;
    for seed in 0..15 {
        let world = World::new(&Scenario { chaos: false, temper, ..Scenario::of(BATCHES, seed) });
        assert!(world.until_complete(), "seed {seed}");
        let book = world.gateways.first.book();
        let mut calls: BTreeMap<String, u32> = BTreeMap::new();
        let mut handles: BTreeMap<String, (u32, String)> = BTreeMap::new();
        for seen in world.gateways.first.seen() {
            match seen.request {
                Request::Create(rows) => rows.into_iter().for_each(|(_, reference)| {
                    *calls.entry(reference).or_default() += 1;
                }),
                Request::LookUp(rows) => {
                    for (reference, handle) in rows {
                        let Some(handle) = handle else { continue };
                        let call = calls.get(&reference).copied().unwrap_or(0);
                        let (of_call, known) = handles
                            .entry(reference.clone())
                            .or_insert_with(|| (call, handle.clone()));
                        let is_old = *known == handle && *of_call != call;
                        assert!(!is_old, "seed {seed}: {reference} by {handle} of an older call");
                        sent_again += usize::from(*known != handle);
                        (*of_call, *known) = (call, handle);
                    }
                }
                Request::Step(_) => {}
            }
        }
        let carried = |entries: &Vec<_>| entries.len() == 1;
        assert!(book.values().all(carried));
        holds(&world);
    }
    assert!(sent_again > 20, "rows had an older handle to be confused with: {sent_again}");
}

#[test]
fn a_crash_between_step_intent_and_outcome_is_settled_by_asking() {
    let mut crashes = 0;
    for seed in 0..30 {
        let temper = Temper { callback_lost: 1000, ..Temper::good() };
        let world = World::new(&calm(Shape::Orders, seed, temper));
        // The worker dies with a step just intended, just under way, or just taken.
        for _ in 0..6 {
            let before = steps(&world);
            let wanted = |world: &World| match seed % 3 {
                0 => world.payouts().iter().any(|(.., payout)| payout.step_open),
                1 => steps(world) > before,
                _ => world.gateways.first.book().values().flatten().any(|order| {
                    let open = |p: &domain::Payout| p.step_open && p.state == State::Submitted;
                    let here = world.payouts();
                    order.steps > 0 && here.iter().any(|(at, _, p)| *at == order.place && open(p))
                }),
            };
            if !world.until(wanted) {
                break;
            }
            crashes += 1;
            (1..=3).map(sim::exec::Actor).for_each(|actor| {
                world.pool.kill(actor);
                world.pool.start(actor);
            });
        }
        assert!(world.until_complete(), "seed {seed}");
        let report = holds(&world);
        assert_eq!(rows_in(&report, State::Paid), 60, "seed {seed}: {report:?}");
    }
    assert!(crashes > 100, "{crashes} crashes");
}

#[test]
fn a_step_without_an_answer_is_not_taken_again_before_its_request_has_surely_ended() {
    let temper =
        Temper { step_lost: 300, step_unanswered: 300, callback_lost: 1000, ..Temper::good() };
    let mut again = 0;
    for seed in 0..8 {
        let world = World::new(&calm(Shape::Orders, seed, temper));
        assert!(world.until_complete(), "seed {seed}");
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for Seen { at_ms, request, .. } in world.gateways.first.seen() {
            let Request::Step(payouts) = request else { continue };
            for payout in payouts {
                if let Some(before_ms) = last.insert(payout.reference.clone(), at_ms) {
                    let apart_ms = at_ms - before_ms;
                    let reference = payout.reference;
                    assert!(apart_ms >= policy().doubt_ms(), "seed {seed}: {reference} {apart_ms}");
                    again += 1;
                }
            }
        }
        assert_eq!(rows_in(&holds(&world), State::Paid), 60, "seed {seed}");
    }
    assert!(again > 50, "{again} steps were taken again");
}

/// A person announces the step of a payout, as the ledger has it now, and takes his time.
fn begin_step(world: &World, place: Place, payout: Payout) {
    let step = Happening { row: place.row, payout, event: Event::StepIntent, notes: Vec::new() };
    let (now, policy) = (ledger_time(world.exec.now_ms()), policy());
    let applied = apply(&world.ledger, place.chunk, Guard::Fact, now, &policy, vec![step]);
    let applied = block_on(applied).expect("the ledger answers").expect("no guard");
    assert!(applied.iter().all(|(_, applied)| applied.is_changed()), "{applied:?}");
}

#[test]
fn a_step_that_somebody_else_has_just_begun_is_not_sent_by_a_worker() {
    for seed in 0..20 {
        let temper = Temper { callback_lost: 1000, ..Temper::good() };
        let world = World::new(&calm(Shape::Orders, seed, temper));
        // A look-up's answer is written, and the worker's own step intent is not yet.
        let is_due = |p: &Payout| p.state == State::Submitted && p.asked > 0 && !p.stepped;
        let due = |world: &World| world.payouts().into_iter().find(|(.., p)| is_due(p));
        assert!(world.until(|world| due(world).is_some()), "seed {seed}");
        let (place, _, payout) = due(&world).expect("it was there");
        begin_step(&world, place, payout);
        let before = world.gateways.first.seen().len();
        world.pass(policy().send_window_ms + policy().doubt_ms() - 1);
        for seen in &world.gateways.first.seen()[before..] {
            let Request::Step(payouts) = &seen.request else { continue };
            assert!(payouts.iter().all(|p| p.place != place), "seed {seed}: {seen:?}");
        }
        assert!(world.until_complete(), "seed {seed}");
        assert_eq!(rows_in(&holds(&world), State::Paid), 60, "seed {seed}");
    }
}

#[test]
fn no_step_is_taken_in_a_paused_batch() {
    let mut stopped_some = 0;
    for seed in 0..30 {
        let world = World::new(&calm(Shape::Orders, seed, Temper::good()));
        let middle = 3 + usize::try_from(seed).unwrap();
        // In the middle of a round of look-ups, where steps are just about to be taken.
        assert!(world.until(|world| world.gateways.first.tally().look_ups >= middle));
        world.set_batch(BatchState::Active, BatchState::Paused);
        let intended: BTreeSet<_> = world
            .payouts()
            .into_iter()
            .filter_map(|(place, _, payout)| payout.step_open.then_some(place))
            .collect();
        let before = world.gateways.first.seen().len();
        world.pass(60_000);
        for seen in &world.gateways.first.seen()[before..] {
            let Request::Step(payouts) = &seen.request else { continue };
            for payout in payouts {
                assert!(intended.contains(&payout.place), "seed {seed}: {payout:?}");
            }
        }
        let waiting = world.payouts().iter().filter(|(.., p)| p.state == State::Submitted).count();
        stopped_some += waiting;
        world.set_batch(BatchState::Paused, BatchState::Active);
        assert!(world.until_complete(), "seed {seed}");
        assert_eq!(rows_in(&holds(&world), State::Paid), 60);
    }
    assert!(stopped_some > 30, "{stopped_some} orders waited for their step");
}

#[test]
fn a_stopped_lane_sends_nothing_but_the_canary() {
    const STOPPED_MS: u64 = 60_000;
    for (seed, shape) in
        (0..10).flat_map(|s| [(s, Shape::OneCall), (s, BATCHES), (s, Shape::Orders)])
    {
        let world = World::new(&calm(shape, seed, Temper::good()));
        assert!(world.until(|world| world.gateways.first.tally().calls >= 4), "seed {seed}");
        world.stop_lane(STOPPED_MS);
        let stopped_ms = world.exec.now_ms();
        // Every process looks at the lane's record before it writes the next intents; what was
        // intended by then may still leave.
        let quiet_from_ms = stopped_ms + policy().send_window_ms;
        let tries_ms = stopped_ms + STOPPED_MS;
        assert!(world.until(|world| {
            world
                .gateways
                .first
                .seen()
                .iter()
                .any(|seen| seen.at_ms >= tries_ms && matches!(seen.request, Request::Create(_)))
        }));
        for seen in world.gateways.first.seen() {
            let is_look_up = matches!(seen.request, Request::LookUp(_));
            let is_quiet_time = (quiet_from_ms..tries_ms).contains(&seen.at_ms);
            assert!(is_look_up || !is_quiet_time, "{shape:?} seed {seed}: {seen:?}");
        }
        // One row tries; another one only when nobody can hear of the first one any more.
        assert!(world.until(|world| world.lane().stopped.is_none()));
        let tried = creates(&world.gateways.first.seen());
        let tried: Vec<_> = tried.into_iter().filter(|(at_ms, _)| *at_ms >= tries_ms).collect();
        let apart = |pair: &[(u64, Vec<String>)]| pair[1].0 - pair[0].0 >= policy().doubt_ms();
        assert!(tried.iter().all(|(_, rows)| rows.len() == 1), "{shape:?} seed {seed}: {tried:?}");
        assert!(tried.windows(2).all(apart), "{shape:?} seed {seed}: {tried:?}");
        assert!(world.until_complete(), "seed {seed}");
        let report = holds(&world);
        assert_eq!(rows_in(&report, State::Paid), report.states.values().sum::<usize>());
    }
}

#[test]
fn a_hint_about_a_row_that_was_never_sent_does_not_keep_it_from_being_sent() {
    for (seed, shape) in [(1, Shape::OneCall), (2, BATCHES), (3, Shape::Orders)] {
        let world = World::new(&calm(shape, seed, Temper::good()));
        assert!(world.until(|world| world.lane().control.is_some()));
        let unsent = world.payouts().into_iter().rev().find(|(.., p)| p.intents == 0);
        let (place, ..) = unsent.expect("the last rows have not left yet");
        let pool = world.pool.clone();
        let hint = async move { pool.hint(place).await };
        world.exec.spawn(sim::process::OUTSIDE, Box::pin(hint));
        let hinted = |world: &World| {
            world.payouts().iter().any(|(at, _, payout)| *at == place && payout.news_pending)
        };
        assert!(world.until(hinted));
        assert!(world.until_complete());
        assert!(world.exec.now_ms() < 600_000, "{shape:?}: {} ms", world.exec.now_ms());
        let report = holds(&world);
        assert_eq!(rows_in(&report, State::Paid), report.states.values().sum::<usize>());
    }
}

#[test]
fn a_row_that_was_rejected_at_upload_is_no_control() {
    for seed in 0..10 {
        // Every other row is rejected, so the canary often is.
        let temper = Temper { refuses: 500, lost: 100, stops: 0, ..Temper::default() };
        let world = World::new(&Scenario { chaos: false, temper, ..Scenario::of(BATCHES, seed) });
        assert!(world.until_complete());
        if let Some(control) = world.lane().control {
            let book = world.gateways.first.book();
            let is_taken = book.values().flatten().any(|entry| entry.place == control);
            assert!(is_taken, "seed {seed}: {control}");
        }
        holds(&world);
    }
}
