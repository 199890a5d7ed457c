//! Many runs: seed after seed on all cores, until so many payouts were paid or one run broke an
//! invariant.
//!
//! Each run is made by its seed alone, so the one that broke is run again by its number, whatever
//! ran beside it. Seeds are handed out in order and every run that was begun is finished, so
//! the seed that is named is the smallest of those that break.

use crate::checkers::Violation;
use crate::run::{Report, run};
use crate::scenario::Scenario;
use domain::State;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is to be run.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed.
    pub first_seed: u64,
    /// Payouts in all, rounded up to whole runs.
    pub payouts: u64,
    /// Runs beside each other.
    pub threads: usize,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// Of each shape of provider.
    pub shapes: BTreeMap<&'static str, Tally>,
    /// The smallest seed that broke, if one did.
    pub broken: Option<(u64, Vec<Violation>)>,
}

/// Numbers that add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs.
    pub seeds: u64,
    /// Payouts.
    pub payouts: u64,
    /// Where they ended.
    pub states: BTreeMap<State, u64>,
    /// Crashes and freezes of workers.
    pub mishaps: u64,
    /// Requests that reached the provider.
    pub requests: u64,
    /// Callbacks that were taken.
    pub told: u64,
    /// Payouts that were in review at any time, and those of them that a person decided.
    pub reviewed: u64,
    /// See there.
    pub decided: u64,
    /// Payouts that ended in review with a provider whose look-ups find nothing.
    pub in_review_blind: u64,
    /// Payouts that were in review in worlds whose ledger forgot and whose journals were lost.
    pub reviewed_journals_lost: u64,
    /// Payouts with more than one attempt.
    pub tried_anew: u64,
    /// Payouts that went over to a second lane, and those of them whose sender there died.
    pub moved: u64,
    /// See there.
    pub moved_cut: u64,
    /// Runs with a second lane.
    pub with_failover: u64,
    /// Payouts that the provider paid after it had told them as failed, beside a newer attempt.
    pub paid_late: u64,
    /// How often the ledger went back in time.
    pub rewinds: u64,
    /// Changes that it forgot.
    pub forgotten: u64,
    /// Payouts that were brought into doubt, or before a person, since they may have been sent.
    pub brought_back: u64,
    /// Payouts that waited for a sender that might have been only frozen, and those of them that went
    /// to review.
    pub held_up: u64,
    /// See there.
    pub held_up_in_review: u64,
    /// Runs in which a cap on spending held, and those of lanes that have hours.
    pub capped: u64,
    /// See there.
    pub with_hours: u64,
    /// Simulated time, in seconds.
    pub took_s: u64,
}

impl Tally {
    /// Payouts that ended in a state.
    pub fn ended(&self, state: State) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    fn add(&mut self, scenario: &Scenario, report: &Report) {
        let asked = &report.tally;
        let states = report.states.iter().map(|(state, count)| (*state, wide(*count)));
        let one = Tally {
            seeds: 1,
            payouts: u64::from(scenario.payouts),
            states: states.collect(),
            mishaps: u64::from(report.mishaps),
            requests: wide(asked.calls + asked.look_ups + asked.steps),
            told: wide(report.told),
            reviewed: wide(report.reviewed),
            decided: wide(report.decided),
            in_review_blind: 0,
            reviewed_journals_lost: 0,
            tried_anew: wide(report.tried_anew),
            moved: wide(report.moved),
            moved_cut: wide(report.moved_cut),
            with_failover: u64::from(scenario.second.is_some()),
            paid_late: wide(report.paid_late),
            rewinds: u64::from(report.rewinds),
            forgotten: wide(report.forgotten),
            brought_back: wide(report.brought_back),
            held_up: wide(report.held_up),
            held_up_in_review: wide(report.held_up_in_review),
            capped: u64::from(report.capped),
            with_hours: u64::from(scenario.bounds.has_hours),
            took_s: report.took_ms / 1000,
        };
        let is_spare_blind = scenario.second.is_some_and(|spare| spare.temper.blind);
        let is_blind =
            scenario.temper.blind || scenario.temper.blind_by_reference || is_spare_blind;
        let in_review_blind = if is_blind { one.ended(State::Review) } else { 0 };
        let reviewed_journals_lost = if scenario.journals_lost { one.reviewed } else { 0 };
        self.join(&Tally { in_review_blind, reviewed_journals_lost, ..one });
    }

    fn join(&mut self, other: &Tally) {
        let Tally { seeds, payouts, states, mishaps, requests, told, .. } = other;
        self.seeds += seeds;
        self.payouts += payouts;
        for (state, count) in states {
            *self.states.entry(*state).or_default() += count;
        }
        self.mishaps += mishaps;
        self.requests += requests;
        self.told += told;
        self.reviewed += other.reviewed;
        self.decided += other.decided;
        self.in_review_blind += other.in_review_blind;
        self.reviewed_journals_lost += other.reviewed_journals_lost;
        self.tried_anew += other.tried_anew;
        self.moved += other.moved;
        self.moved_cut += other.moved_cut;
        self.with_failover += other.with_failover;
        self.paid_late += other.paid_late;
        self.rewinds += other.rewinds;
        self.forgotten += other.forgotten;
        self.brought_back += other.brought_back;
        self.held_up += other.held_up;
        self.held_up_in_review += other.held_up_in_review;
        self.capped += other.capped;
        self.with_hours += other.with_hours;
        self.took_s += other.took_s;
    }
}

impl Sum {
    /// All shapes together.
    pub fn all(&self) -> Tally {
        let mut all = Tally::default();
        self.shapes.values().for_each(|tally| all.join(tally));
        all
    }
}

/// Runs it; `progress` hears of the payouts of each run that ended.
pub fn campaign(campaign: &Campaign, progress: &(dyn Fn(u64) + Sync)) -> Sum {
    let seeds = campaign.payouts.div_ceil(u64::from(Scenario::PAYOUTS));
    let (next, broke) = (AtomicU64::new(0), AtomicBool::new(false));
    let sum: Mutex<Sum> = Mutex::default();
    let work = || {
        while !broke.load(Ordering::Relaxed) {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            if nth >= seeds {
                return;
            }
            let scenario = Scenario::drawn(campaign.first_seed.wrapping_add(nth));
            let ended = run_or_panic(&scenario);
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            let violations = match ended {
                Ok(report) => {
                    sum.shapes.entry(scenario.shape.name()).or_default().add(&scenario, &report);
                    report.violations
                }
                Err(panicked) => vec![panicked],
            };
            if !violations.is_empty() {
                broke.store(true, Ordering::Relaxed);
                if sum.broken.as_ref().is_none_or(|(seed, _)| scenario.seed < *seed) {
                    sum.broken = Some((scenario.seed, violations));
                }
            }
            drop(sum);
            progress(u64::from(scenario.payouts));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..campaign.threads.max(1) {
            scope.spawn(work);
        }
    });
    sum.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A panic breaks the run like anything else, and is told with its seed.
fn run_or_panic(scenario: &Scenario) -> Result<Report, Violation> {
    catch_unwind(AssertUnwindSafe(|| run(scenario))).map_err(|_| Violation {
        invariant: "nothing panics",
        place: None,
        found: "a panic; its text stands above".to_owned(),
    })
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
