//! The real engine in the simulated world: some hundreds of seeds in the test command.

use sim::gateway::Temper;
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

#[test]
fn without_chaos_every_payout_ends_as_the_provider_says() {
    for seed in 0..50 {
        must_hold(&Scenario { chaos: false, ..Scenario::new(seed) });
    }
}

#[test]
fn workers_that_crash_and_freeze_anywhere_pay_nobody_twice_and_forget_nobody() {
    let (mut reviews, mut mishaps, mut payouts) = (0, 0, 0);
    for seed in 0..300 {
        let report = must_hold(&Scenario::new(seed));
        reviews += in_review(&report);
        mishaps += report.mishaps;
        payouts += report.states.values().sum::<usize>();
    }
    println!("{payouts} payouts, {mishaps} crashes and freezes, {reviews} in review");
    assert!(mishaps > 1_000, "the chaos was real");
    assert!(reviews * 100 < payouts, "{reviews} of {payouts} payouts went to review");
}

#[test]
fn with_the_look_up_blind_no_unknown_payout_is_sent_again() {
    for seed in 0..100 {
        let temper = Temper { blind: true, ..Temper::default() };
        must_hold(&Scenario { temper, ..Scenario::new(seed) });
    }
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in [1, 17, 4242] {
        assert_eq!(run(&Scenario::new(seed)), run(&Scenario::new(seed)));
    }
}

#[test]
fn the_checkers_see_a_provider_that_lies() {
    let temper = Temper { lies: 700, taken_unanswered: 300, ..Temper::default() };
    let caught = (0..50)
        .filter(|seed| {
            let scenario = Scenario { temper, ..Scenario::new(*seed) };
            run(&scenario).violations.iter().any(|v| v.invariant == "nobody twice")
        })
        .count();
    assert!(caught > 0, "a provider that denies what it paid makes any worker pay twice");
}
