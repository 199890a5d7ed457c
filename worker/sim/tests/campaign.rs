//! Every seed is a batch of payouts, a provider of which nothing is to be hoped for,
//! people who decide, and workers that crash and freeze anywhere.

use sim::campaign::Tally;
use sim::gateway::temper::Temper;
use sim::{Campaign, Scenario, campaign, run, story};

/// As in the shipped program; a third of the time is spent in it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Payouts in the test command, in a thousand seeds.
const PAYOUTS: u64 = 100_000;
/// Payouts before anything lands, in ten thousand.
const A_MILLION: u64 = 1_000_000;

#[test]
fn a_hundred_thousand_payouts_survive_everything_that_a_thousand_seeds_can_think_of() {
    all_survive(PAYOUTS);
}

#[test]
#[ignore = "takes minutes; `.ci/run` runs it"]
fn a_million_payouts_survive_everything_that_ten_thousand_seeds_can_think_of() {
    all_survive(A_MILLION);
}

fn all_survive(payouts: u64) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sum = campaign(&Campaign { first_seed: 0, payouts, threads }, &|_| {});
    println!("{sum:#?}");
    assert_eq!(sum.broken, None);
    let all = sum.all();
    assert_eq!((all.payouts, all.seeds), (payouts, payouts / u64::from(Scenario::PAYOUTS)));
    // What is to be survived did happen.
    let each = |what: fn(&Tally) -> u64| sum.shapes.values().map(what).min().unwrap_or(0);
    assert!(each(|tally| tally.mishaps) > all.seeds * 10, "workers crashed and froze");
    assert!(each(|tally| tally.tried_anew) > all.seeds / 10, "new attempts met old news");
    assert!(each(|tally| tally.decided) > all.seeds / 10, "people decided reviews");
    assert!(each(|tally| tally.told) > all.seeds, "callbacks came");
    assert!(each(|tally| tally.rewinds) > all.seeds / 25, "ledgers went back in time");
    assert!(each(|tally| tally.brought_back) > all.seeds / 10, "and what they forgot was known");
    assert!(each(|tally| tally.held_up_in_review) > 0, "frozen senders were waited for");
    assert!(each(|tally| tally.capped) > all.seeds / 500, "caps held what was left");
    assert!(each(|tally| tally.with_hours) > all.seeds / 500, "lanes closed and opened");
    assert!(each(|tally| tally.moved) > all.seeds / 4, "what one lane refused went by another");
    assert!(all.moved_cut > all.seeds / 10, "and senders died over it there");
    assert!(all.paid_late > 0, "a provider paid what it had told as failed");
    assert!(all.reviewed_journals_lost > 0, "where journals are lost, people are asked");
    let sighted =
        all.reviewed - (all.in_review_blind + all.reviewed_journals_lost).min(all.reviewed);
    assert!(sighted * 20 < all.payouts, "few needed a person: {sighted}");
}

#[test]
fn a_seed_that_breaks_a_rule_breaks_it_in_the_same_way_every_time() {
    let temper = Temper { lies: 700, taken_unanswered: 300, ..Temper::wild() };
    let broken = |seed| Scenario { temper, ..Scenario::drawn(seed) };
    let seed = (0..100).find(|seed| !run(&broken(*seed)).violations.is_empty());
    let scenario = broken(seed.expect("a provider that lies breaks some rule"));
    let (first, again) = (run(&scenario), story(&scenario));
    assert_eq!(first, again.report);
    let place = first.violations[0].place.expect("it is about a payout");
    let way = again.ways.iter().find(|way| way.place == place).expect("its way is told");
    assert!(way.steps.iter().any(|(_, what)| what.contains("sends a create")));
}
