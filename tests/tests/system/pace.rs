//! A pool on one lane: it uses what the provider allows, never more, and finds out what that is
//! when it changes. Each of these worlds has the machine alone; the provider's own stamps judge.

use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::{Tally, agree};
use system_tests::config_file::{Engine, Settings};
use system_tests::process::Process;
use system_tests::sandbox::{Pace, Tenth, busiest, creates};
use system_tests::wait::{wait_until, wait_with};
use system_tests::world::{WORKERS, World};

const LONG: Duration = Duration::from_secs(60);
/// Between two looks at the pace: each look takes a little of the machine.
const LOOK: Duration = Duration::from_millis(50);
/// Tenths in a second.
const SECOND: u64 = 10;

/// What the provider allows in any sliding second.
const ALLOWED: u64 = 500;
/// The lane's limit: what the provider allows is 5 % above it.
const LANE: u32 = 475;

fn pool_at_a_limit(rows: u32, name: &str) -> (World, Batch, String, Vec<Process>) {
    let settings = Settings { rate_per_second: LANE, ..Settings::on(Engine::Redis) };
    let world = World::alone(&settings);
    world.sandbox.dial(&serde_json::json!({ "creates_per_second": ALLOWED, "retry_after_s": 1 }));
    let batch = Batch::new(name, rows);
    let id = world.enqueue(&batch);
    let workers: Vec<Process> = (0..WORKERS).map(|no| world.start_worker(no)).collect();
    // Warm: all four are there, and the canary has come home.
    wait_until("the pool is at its pace", LONG, || {
        let pace = world.sandbox.pace();
        let from = (pace.now + 1).saturating_sub(SECOND);
        pace.now > SECOND && creates(&pace.between(from, pace.now + 1)) > u64::from(LANE) * 8 / 10
    });
    (world, batch, id, workers)
}

/// Waits until tenth number `tenth` has gone by; the pace then.
fn pace_after(world: &World, tenth: u64) -> Pace {
    wait_with("time goes by", LONG, LOOK, || {
        Some(world.sandbox.pace()).filter(|pace| pace.now > tenth)
    })
}

/// The pace, told so that a failed test shows it: creates, and what was refused of them, a tenth.
fn told(tenths: &[Tenth]) -> String {
    let one = |tenth: &Tenth| match tenth.over_limit {
        0 => tenth.creates.to_string(),
        refused => format!("{}(-{refused})", tenth.creates),
    };
    tenths.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Every row is final, and the provider says the same of each; no create came twice.
fn all_is_paid_once(world: &World, batch: &Batch, id: &str) -> Tally {
    let tally = agree(batch, &world.report(id), &world.sandbox.ledger());
    assert_eq!(world.sandbox.counters().duplicates, 0);
    tally
}

#[test]
fn a_pool_of_four_uses_its_lanes_limit_and_never_exceeds_the_providers() {
    const MEASURED_S: u64 = 8;
    let (world, batch, id, _workers) = pool_at_a_limit(4_700, "steady");
    let from = world.sandbox.pace().now + 1;
    let until = from + MEASURED_S * SECOND;
    let tenths = pace_after(&world, until).between(from, until);
    let (sent, most) = (creates(&tenths), u64::from(LANE) * MEASURED_S);
    let counters = world.sandbox.counters();
    println!("{sent} of {most} in {MEASURED_S} s, busiest second {}", counters.max_per_second);
    assert!(sent * 100 >= most * 90, "{sent} of {most} were sent: {}", told(&tenths));
    assert_eq!(counters.too_many_requests, 0, "{counters:?}: {}", told(&tenths));
    assert!(counters.max_per_second <= ALLOWED, "{counters:?}: {}", told(&tenths));
    world.completes(&id, LONG);
    assert_eq!(all_is_paid_once(&world, &batch, &id).rows("paid"), batch.rows.len());
    assert_eq!(world.sandbox.counters().too_many_requests, 0);
    world.asked_only_for_what_was_overdue();
}

#[test]
fn while_redis_is_silent_nothing_leaves_without_a_permit_and_the_pace_holds_when_it_is_back() {
    /// A permit is a slot at most 250 ms ahead; a request that leaves in it needs a moment to
    /// arrive on a busy machine.
    const HORIZON_AND_WAY: u64 = 5;
    const SILENCE_S: u64 = 10;
    let (world, batch, id, mut workers) = pool_at_a_limit(3_000, "silence");
    let redis = world.redis.as_ref().expect("a server");
    redis.freeze();
    let frozen = world.sandbox.pace().now;
    let thawed = frozen + SILENCE_S * SECOND;
    let pace = pace_after(&world, thawed);
    redis.thaw();
    let late = pace.between(frozen + HORIZON_AND_WAY, pace.now + 1);
    let last = pace.between(frozen - SECOND, frozen + HORIZON_AND_WAY);
    assert_eq!(creates(&late), 0, "sent without a permit: {} | {}", told(&last), told(&late));
    assert!(world.sandbox.counters().create < 3_000, "frozen too late to prove anything");
    world.completes(&id, LONG);
    let counters = world.sandbox.counters();
    let pace = world.sandbox.pace();
    let after = pace.between(thawed, pace.now + 1);
    println!("busiest second {}, after it {}", counters.max_per_second, busiest(&after));
    assert!(counters.max_per_second <= ALLOWED, "{counters:?}: {}", told(&after));
    assert_eq!(counters.too_many_requests, 0, "{counters:?}: {}", told(&after));
    assert!(workers.iter_mut().all(|worker| !worker.has_ended()), "a worker has ended");
    assert_eq!(all_is_paid_once(&world, &batch, &id).rows("paid"), batch.rows.len());
}

#[test]
#[ignore = "waits a minute for the pace to grow back, and wants a quiet machine"]
fn a_pool_slows_to_what_the_provider_takes_and_comes_back_when_it_takes_more() {
    const LESS: u64 = 100;
    /// What the pool sends is judged from so long after the drop on …
    const GRACE_S: u64 = 2;
    /// … how much of the new limit it uses, from so long after it.
    const SETTLED_S: u64 = 6;
    const END_S: u64 = 10;
    /// A pool learns where the limit is from a 429 alone: it tries a little more than was taken,
    /// and the requests that are under way when the first one is refused are refused with it. At
    /// 100 a second and a few ms a request this is one request or two for each such try, and one
    /// try a second at most: what the provider sees is noise at its edge.
    const REFUSED_PER_SECOND: u64 = 5;
    const BACK: u64 = 400;
    const BACK_WITHIN_S: u64 = 45;
    let (world, batch, id, _workers) = pool_at_a_limit(20_000, "narrow");

    world.sandbox.dial(&serde_json::json!({ "creates_per_second": LESS }));
    let drop = world.sandbox.pace().now;
    let end = drop + END_S * SECOND;
    let pace = pace_after(&world, end);
    let all = told(&pace.between(drop - SECOND, end));
    let judged = pace.between(drop + GRACE_S * SECOND + 1, end);
    for second in judged.windows(usize::try_from(SECOND).expect("ten")) {
        let refused: u64 = second.iter().map(|tenth| tenth.over_limit).sum();
        let taken = creates(second) - refused;
        assert!(taken <= LESS, "{taken} taken in a second: {all}");
        assert!(refused <= REFUSED_PER_SECOND, "{refused} refused in a second: {all}");
    }
    let settled = pace.between(drop + SETTLED_S * SECOND, end);
    let (sent, most) = (creates(&settled), LESS * (END_S - SETTLED_S));
    let refused: u64 = judged.iter().map(|tenth| tenth.over_limit).sum();
    println!("after the drop: {sent} of {most}, {refused} refused: {all}");
    assert!(sent * 2 >= most, "{sent} of {most} were sent: {all}");

    world.sandbox.dial(&serde_json::json!({ "creates_per_second": ALLOWED }));
    let rise = world.sandbox.pace().now;
    let back = wait_with("the pool is back", LONG, LOOK, || {
        let pace = world.sandbox.pace();
        let last = pace.between(pace.now - SECOND, pace.now);
        let all = told(&pace.between(rise, pace.now));
        assert!(pace.now < rise + BACK_WITHIN_S * SECOND, "not back at {BACK} a second: {all}");
        (creates(&last) > BACK).then_some((pace.now - rise, all))
    });
    println!("back after {} tenths: {}", back.0, back.1);

    // What is left is not needed.
    world.producer(&["cancel", &id]);
    let open = ["accepted", "submitting", "submitted", "unknown", "waiting"];
    wait_until("what was sent is final", LONG, || {
        let status = world.status(&id);
        open.iter().all(|state| status.rows(state) == 0)
    });
    let tally = all_is_paid_once(&world, &batch, &id);
    let (paid, cancelled) = (tally.rows("paid"), tally.rows("cancelled"));
    assert_eq!(paid + cancelled, batch.rows.len(), "{tally:?}");
}
