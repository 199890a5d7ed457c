//! The real engine in the simulated world, with an ordinary bad provider of each shape. In such
//! worlds nearly nothing needs a person.

use sim::gateway::temper::{Shape, Temper};
use sim::{Report, Scenario, run};

fn must_hold(scenario: &Scenario) -> Report {
    let report = run(scenario);
    assert!(
        report.violations.is_empty(),
        "seed {} broke {:#?}\n{scenario:?}\n{report:?}",
        scenario.seed,
        report.violations
    );
    report
}

fn in_review(report: &Report) -> usize {
    report.states.get(&domain::State::Review).copied().unwrap_or(0)
}

/// What came of many runs.
#[derive(Default, Debug)]
struct Sum {
    payouts: usize,
    reviews: usize,
    mishaps: u32,
    steps: usize,
    stepped_again: usize,
    rows_of_call_max: usize,
}

fn all_hold(scenarios: impl Iterator<Item = Scenario>) -> Sum {
    let mut sum = Sum::default();
    for scenario in scenarios {
        let report = must_hold(&scenario);
        sum.payouts += report.states.values().sum::<usize>();
        sum.reviews += in_review(&report);
        sum.mishaps += report.mishaps;
        sum.steps += report.tally.steps;
        sum.stepped_again += report.tally.stepped_again;
        sum.rows_of_call_max = sum.rows_of_call_max.max(report.tally.rows_of_call_max);
    }
    println!("{sum:?}");
    sum
}

fn few_reviews(sum: &Sum) {
    assert!(sum.reviews * 100 < sum.payouts, "too many went to review: {sum:?}");
}

#[test]
fn without_chaos_every_payout_ends_as_the_provider_says() {
    let calm = |seed| Scenario { chaos: false, ..Scenario::new(seed) };
    few_reviews(&all_hold((0..30).map(calm)));
}

#[test]
fn one_call_a_payout_survives_workers_that_crash_and_freeze_anywhere() {
    let sum = all_hold((0..20).map(|seed| Scenario::of(Shape::OneCall, seed)));
    assert!(sum.mishaps > 300, "the chaos was real: {sum:?}");
    few_reviews(&sum);
}

#[test]
fn batches_survive_workers_that_crash_and_freeze_anywhere() {
    let sum = all_hold((0..20).map(|seed| Scenario::of(Shape::batches(seed), seed)));
    assert!(sum.mishaps > 300, "the chaos was real: {sum:?}");
    assert!(sum.rows_of_call_max > 20 && sum.steps > 50, "{sum:?}");
    few_reviews(&sum);
}

#[test]
fn orders_with_a_second_step_survive_workers_that_crash_and_freeze_anywhere() {
    let sum = all_hold((0..20).map(|seed| Scenario::of(Shape::Orders, seed)));
    assert!(sum.mishaps > 300, "the chaos was real: {sum:?}");
    assert!(sum.steps > 500, "{sum:?}");
    // The provider would not pay twice here; others may.
    assert_eq!(sum.stepped_again, 0, "what was taken is not taken again: {sum:?}");
    few_reviews(&sum);
}

#[test]
fn with_the_look_up_blind_no_unknown_payout_is_sent_again() {
    for seed in 0..9 {
        let temper = Temper { blind: true, ..Temper::default() };
        must_hold(&Scenario { temper, ..Scenario::new(seed) });
        let temper = Temper { blind_by_reference: true, ..Temper::default() };
        must_hold(&Scenario { temper, ..Scenario::new(seed) });
    }
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in [1, 2, 3, 17, 4242] {
        assert_eq!(run(&Scenario::new(seed)), run(&Scenario::new(seed)));
    }
}

#[test]
fn the_checkers_see_a_provider_that_lies() {
    let temper = Temper { lies: 700, taken_unanswered: 300, ..Temper::default() };
    for shape in [Shape::OneCall, Shape::batches(1), Shape::Orders] {
        let caught = (0..10).filter(|seed| {
            let scenario = Scenario { temper, ..Scenario::of(shape, *seed) };
            run(&scenario).violations.iter().any(|v| v.invariant == "nobody twice")
        });
        let shape = format!("{shape:?}: whoever denies what he took makes any worker send twice");
        assert!(caught.count() > 0, "{shape}");
    }
}
