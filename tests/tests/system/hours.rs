//! A lane sends in its hours, and says until when it does not; one that is stopped is drained.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::config_file::{Engine, Settings};
use system_tests::provider::{Lane, Provider};
use system_tests::wait::{holds_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);
/// Half of them for each lane.
const ROWS: u32 = 400;
const HALF: u64 = 200;

/// Both lanes get a calendar: the gateway's has no end, Capay's has holidays today and tomorrow.
/// Gives the day on which that one opens.
fn set_hours(world: &World) -> String {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let after = |days: i64| today.checked_add(days.days()).expect("a date");
    let days = r#"["mon", "tue", "wed", "thu", "fri", "sat", "sun"]"#;
    let config = world.folder().join("payout.toml");
    let mut config = OpenOptions::new().append(true).open(config).expect("the config");
    let text = format!(
        "[lanes.merchant.hours]\nzone = \"Europe/Berlin\"\ndays = {days}\n\n\
         [lanes.capay.hours]\nzone = \"UTC\"\ndays = {days}\nholidays = [\"{today}\", \"{}\"]\n",
        after(1)
    );
    config.write_all(text.as_bytes()).expect("the config");
    after(2).to_string()
}

#[test]
fn a_closed_lane_sends_nothing_and_says_until_when_and_an_open_one_pays_and_can_be_drained() {
    let lanes = [Provider::Merchant, Provider::Capay];
    let settings = Settings { rate_per_second: 50, ..Settings::on(Engine::Sqlite) };
    let world = World::new(&settings.through(lanes.map(Lane::of)));
    let closed = format!("lane capay is closed until {} 00:00 UTC (holiday)", set_hours(&world));
    world.sandbox.latency_ms(50);
    let batch = Batch::through(&lanes, "hours", ROWS);
    let told = world.producer(&["enqueue", &world.file(&batch).to_string_lossy()]);
    assert!(told.contains(&closed), "whoever hands the file in is told: {told}");
    let (id, _) = world.batches().remove(0);
    let _worker = world.worker();
    wait_until("some of it is sent", LONG, || world.sandbox.counters().create >= 20);

    let told = world.producer(&["lane", "stop", "merchant", "--reason", "upkeep", "--wait"]);
    assert!(told.contains("is stopped\nnothing of it is being sent any more"), "{told}");
    let (status, sent) = (world.status(&id), world.sandbox.counters().create);
    assert_eq!(status.rows("submitting"), 0, "{status:?}");
    assert!(status.rows("accepted") > HALF, "stopped too late to prove anything: {status:?}");
    holds_for("nothing more is sent", Duration::from_millis(700), || {
        world.sandbox.counters().create == sent
    });
    world.producer(&["lane", "start", "merchant"]);
    wait_until("the open lane pays all of its own", LONG, || {
        world.status(&id).rows("paid") == HALF
    });

    assert_eq!(world.status(&id).rows("accepted"), HALF, "and nothing of the closed one's");
    assert_eq!(world.sandbox.of(Provider::Capay).counters().create, 0);
    for words in [&["status"][..], &["status", &id]] {
        let told = world.producer(words);
        assert!(told.contains(&closed), "{told}");
        assert!(!told.contains("lane merchant is closed"), "{told}");
    }
    let told = world.producer(&["lane", "list"]);
    assert!(told.lines().any(|l| l.contains("capay") && l.contains("closed  until")), "{told}");
}
