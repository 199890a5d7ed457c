//! Real chaos: real workers, a real Redis that writes everything to disk at once, and `kill -9`.
//! A storm has the machine for itself, so it has a test binary for itself.
//!
//! `./test` runs the pool on Redis; the others are asked for by name, and print how they get on:
//!
//! ```text
//! cargo test -p system-tests --test chaos -- --ignored --nocapture on_sqlite
//! cargo test -p system-tests --release --test chaos -- --ignored --nocapture hundred_thousand
//! cargo test -p system-tests --release --test chaos -- --ignored --nocapture own_defaults
//! ```

use std::time::Duration;
use system_tests::chaos::Storm;
use system_tests::chaos::profile::Profile;
use system_tests::config_file::Engine;

const MINUTE: Duration = Duration::from_secs(60);

/// Four workers on Redis, which dies three times.
const POOL: Storm = Storm {
    engine: Engine::Redis,
    rows: 10_000,
    rows_per_file: 10_000,
    workers: 4,
    turn: Duration::from_millis(300),
    redis_deaths: 3,
    profile: Profile::Quick,
    within: MINUTE.saturating_mul(5),
};

#[test]
fn ten_thousand_payouts_outlive_dying_workers_a_dying_redis_and_a_lying_gateway() {
    let toll = POOL.rage();
    println!("{toll}");
    assert_eq!(toll.redis_deaths, 3);
    assert!(toll.kills >= 20, "half was paid before much could happen: {toll}");
}

#[test]
#[ignore = "takes a minute and a half; `.ci/run` runs it"]
fn ten_thousand_payouts_outlive_the_death_of_the_one_worker_on_sqlite() {
    let turn = Duration::from_secs(2);
    let storm = Storm { engine: Engine::Sqlite, workers: 1, turn, redis_deaths: 0, ..POOL };
    let toll = storm.rage();
    println!("{toll}");
    assert!(toll.kills >= 3, "half was paid before much could happen: {toll}");
}

#[test]
#[ignore = "takes minutes; see above"]
fn a_hundred_thousand_payouts_outlive_the_same() {
    let (rows, within) = (100_000, MINUTE.saturating_mul(40));
    let storm = Storm { rows, rows_per_file: rows, within, ..POOL };
    println!("{}", storm.rage());
}

/// A lease lasts a minute here, in which two hundred workers die, so no chunk gets far before its
/// holder is gone: in one large file nothing would move but once a minute.
#[test]
#[ignore = "takes a quarter of an hour; see above"]
fn two_thousand_payouts_outlive_the_same_at_the_dossiers_own_defaults() {
    let (rows, within) = (2_000, MINUTE.saturating_mul(120));
    let profile = Profile::Dossier;
    let storm = Storm { rows, rows_per_file: 10, profile, within, ..POOL };
    println!("{}", storm.rage());
}
