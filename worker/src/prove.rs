//! `worker prove`: the simulator for everybody. A team runs it before it trusts the program with
//! money.
//!
//! The invariant: *it exits with 0 only if every run held every rule*, and a run that did not is
//! named by its seed, with the command that plays it again exactly.

use crate::Failure;
use crate::cli::Prove;
use domain::State;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sim::campaign::{Campaign, Sum, Tally, campaign};
use sim::checkers::Violation;
use sim::exec::FOR_EVER;
use sim::{Scenario, Story};
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Payouts that are simulated unless the user says otherwise.
pub const PAYOUTS: u64 = 1_000_000;

/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// Violations that are told one by one.
const TOLD_MAX: usize = 5;

/// Runs the proof and tells its verdict.
pub fn prove(args: &Prove) -> Result<(), Failure> {
    match (args.seed, args.payouts) {
        (Some(seed), None) => replay(seed),
        (seed, payouts) => many(seed.unwrap_or(0), payouts.unwrap_or(PAYOUTS)),
    }
}

fn many(first_seed: u64, payouts: u64) -> Result<(), Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    eprintln!("simulating {} payouts on {threads} cores; no money moves", grouped(payouts));
    let bar = bar(payouts);
    let began = Instant::now();
    let plan = Campaign { first_seed, payouts, threads };
    let sum = campaign(&plan, &|payouts| bar.inc(payouts));
    bar.finish_and_clear();
    println!("{}", account(&sum, began.elapsed()));
    match &sum.broken {
        None => Ok(()),
        Some((seed, violations)) => Err(broken(*seed, violations).into()),
    }
}

fn bar(payouts: u64) -> ProgressBar {
    let watched = std::io::stderr().is_terminal();
    let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let template = "{bar:30} {human_pos}/{human_len} payouts simulated  {elapsed}, {eta} left";
    let style = ProgressStyle::with_template(template);
    ProgressBar::with_draw_target(Some(payouts), target)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What was simulated and what came of it, for people who do not program.
fn account(sum: &Sum, took: Duration) -> String {
    let all = sum.all();
    let mut text = format!(
        "Simulated {} payouts in {} separate worlds ({} days of their time) in {} s.\n\
         What the worlds did to them: {} crashes and freezes of workers, some for ever; ledger \
         calls that failed, lagged or took effect after nobody waited; {} requests to providers \
         that lost, delayed, refused and denied them; {} callbacks, late, twice, forged.\n",
        grouped(all.payouts),
        grouped(all.seeds),
        grouped(all.took_s / DAY_S),
        took.as_secs(),
        grouped(all.mishaps),
        grouped(all.requests),
        grouped(all.told),
    );
    for (shape, tally) in &sum.shapes {
        let _ = writeln!(
            text,
            "  {shape}: {} payouts; {} paid, {} failed, {} in review",
            grouped(tally.payouts),
            grouped(tally.ended(State::Paid)),
            grouped(tally.ended(State::Failed)),
            grouped(tally.ended(State::Review)),
        );
    }
    if sum.broken.is_none() {
        text.push_str(&verdict(&all));
    }
    text
}

/// Only for runs that all held.
fn verdict(all: &Tally) -> String {
    let review = all.ended(State::Review);
    let mut text = format!(
        "\nVerdict: 0 paid twice, 0 lost, {} in review (a person decides; they were not \
         guessed).\n\
         Of those in review, {} had a provider whose look-ups find nothing. {} more were in review \
         until a simulated person decided them by the provider's book. Worlds whose ledger forgot \
         and whose journals were lost, too, had {} of all these.",
        grouped(review),
        grouped(all.in_review_blind),
        grouped(all.reviewed.saturating_sub(review)),
        grouped(all.reviewed_journals_lost),
    );
    if all.paid_late > 0 {
        let _ = write!(
            text,
            "\nNot counted, since no program can prevent it: {} payouts that the provider paid \
             after it had reported them as failed and a person had ordered a new attempt.",
            grouped(all.paid_late)
        );
    }
    text
}

/// What broke, and how to see it again.
fn broken(seed: u64, violations: &[Violation]) -> String {
    let mut text = format!("the proof FAILED: in the world of seed {seed} a rule was broken\n");
    for Violation { invariant, found, .. } in violations.iter().take(TOLD_MAX) {
        let _ = writeln!(text, "  {invariant}: {found}");
    }
    if violations.len() > TOLD_MAX {
        let _ = writeln!(text, "  and {} more", violations.len() - TOLD_MAX);
    }
    let _ = write!(
        text,
        "do not trust this version with money; see it happen again, exactly, with\n  \
         worker prove --seed {seed}"
    );
    text
}

/// One world, told.
fn replay(seed: u64) -> Result<(), Failure> {
    let scenario = Scenario::drawn(seed);
    let story = sim::story(&scenario);
    println!("{}", told(&scenario, &story));
    match story.report.violations.as_slice() {
        [] => Ok(()),
        violations => Err(broken(seed, violations).into()),
    }
}

fn told(scenario: &Scenario, story: &Story) -> String {
    let report = &story.report;
    let mut text = format!(
        "The world of seed {}: {} payouts to a provider of {}, {} workers.\n\
         It lasted {} simulated seconds.\n",
        scenario.seed,
        scenario.payouts,
        scenario.shape.name(),
        scenario.workers,
        report.took_ms / 1000,
    );
    let crashes = story.mishaps.iter().filter(|mishap| mishap.frozen_ms.is_none()).count();
    let for_ever = story.mishaps.iter().filter(|m| m.frozen_ms == Some(FOR_EVER)).count();
    let _ = writeln!(
        text,
        "Mishaps: {crashes} crashes, {} freezes, {for_ever} of them for ever.",
        story.mishaps.len() - crashes,
    );
    text.push_str("At the end:");
    for (state, count) in &report.states {
        let _ = write!(text, " {count} {state},");
    }
    let _ = writeln!(text, " {} that a person had decided.", report.decided);
    for way in &story.ways {
        let _ = writeln!(text, "\nThe way of payout {}:", way.place);
        for (at_ms, what) in &way.steps {
            let _ = writeln!(text, "  {:>6}.{:03} s  {what}", at_ms / 1000, at_ms % 1000);
        }
    }
    if report.violations.is_empty() {
        text.push_str("\nEvery rule held: nobody was paid twice, nobody was forgotten.");
    }
    text
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(paid_late: u64, broken: Option<(u64, Vec<Violation>)>) -> Sum {
        let states = [(State::Paid, 1_200), (State::Failed, 30), (State::Review, 4)].into();
        let tally = Tally {
            seeds: 13,
            payouts: 1_234,
            states,
            requests: 5_000_000,
            reviewed: 9,
            in_review_blind: 3,
            reviewed_journals_lost: 4,
            paid_late,
            ..Tally::default()
        };
        Sum { shapes: [("one call a payout", tally)].into(), broken }
    }

    #[test]
    fn a_proof_that_held_says_so_in_plain_words() {
        let text = account(&sum(0, None), Duration::from_millis(61_500));
        assert!(text.contains("Simulated 1,234 payouts in 13 separate worlds"), "{text}");
        assert!(text.contains("5,000,000 requests"), "{text}");
        assert!(text.contains("0 paid twice, 0 lost, 4 in review"), "{text}");
        assert!(text.contains("3 had a provider whose look-ups find nothing. 5 more"), "{text}");
        assert!(!text.contains("Not counted"), "{text}");
    }

    #[test]
    fn what_no_program_can_prevent_is_told_and_not_hidden() {
        let text = account(&sum(2, None), Duration::ZERO);
        assert!(text.contains("Not counted") && text.contains("2 payouts"), "{text}");
    }

    #[test]
    fn a_proof_that_failed_gives_no_verdict_but_the_command_that_plays_it_again() {
        let found = "P-7 was taken 2 times".to_owned();
        let violation = Violation { invariant: "nobody twice", place: None, found };
        let text = account(&sum(0, Some((17, vec![violation.clone()]))), Duration::ZERO);
        assert!(!text.contains("Verdict"), "{text}");
        let text = broken(17, &[violation]);
        assert!(text.contains("nobody twice: P-7 was taken 2 times"), "{text}");
        assert!(text.ends_with("worker prove --seed 17"), "{text}");
    }

    #[test]
    fn numbers_are_grouped_in_threes() {
        let groups = [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")];
        assert!(groups.iter().all(|(number, text)| grouped(*number) == *text));
    }
}
