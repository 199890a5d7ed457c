//! All four providers at once: one file spread over them, by the sample files and by files of
//! ours, each judged by the provider's own ledger; and what happens when none of them can find
//! what it has.

use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::binaries::binary;
use system_tests::compare::{Tally, agree_by_card};
use system_tests::config_file::{Engine, Settings};
use system_tests::process::{Process, run};
use system_tests::provider::{Lane, Provider};
use system_tests::results::{self, ResultRow};
use system_tests::sandbox::{Entry, Sandbox};
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(120);

/// The sample files: one of each provider, and one for all.
const SAMPLES: [&str; 5] = ["merchant", "capitalist", "exchanger", "capay", "mixed"];

#[test]
fn worker_up_pays_the_sample_of_each_provider_and_the_one_for_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let config = shipped.join("four-providers.toml");
    let mut command = Command::new(binary("worker"));
    command.args(["up", "--set", "http.listen=127.0.0.1:0", "--config"]).arg(&config);
    let mut up = Process::start("worker up", command.current_dir(folder.path()));
    let line = up.wait_for_line("/merchant", LONG);
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a URL");
    let sandbox = Sandbox::inside(url);

    let mut rows: Vec<ResultRow> = Vec::new();
    for sample in SAMPLES {
        let file = shipped.join("samples/providers").join(format!("{sample}.csv"));
        let mut enqueue = Command::new(binary("producer"));
        enqueue.arg("enqueue").arg(file).arg("--config").arg(&config).current_dir(folder.path());
        // The worker fetches the exchange site's rules first; until then no row for it is taken.
        wait_until(&format!("{sample} is taken"), LONG, || {
            let ended = run("producer enqueue", &mut enqueue, LONG);
            assert!(ended.status.success() || ended.stderr.contains("never fetched"), "{ended:?}");
            ended.status.success()
        });
    }
    let done = folder.path().join("data/four-providers/inbox/done");
    for sample in SAMPLES {
        let result = done.join(format!("{sample}.result.csv"));
        wait_until(&format!("{} is written", result.display()), LONG, || result.is_file());
        rows.extend(results::read(&result));
    }
    // Of each provider, what it says it paid is what our results say, to the cent.
    for provider in Provider::ALL {
        let ours = |row: &&ResultRow| row.lane == provider.name() && row.state == "paid";
        let mut ours: Vec<_> =
            rows.iter().filter(ours).map(|row| sum(&row.amount, &row.currency)).collect();
        let entries = sandbox.of(provider).ledger();
        let paid = entries.iter().filter(|entry| entry.paid);
        let mut theirs: Vec<_> = paid.map(|entry| sum(&entry.amount, &entry.currency())).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs, "{}", provider.name());
        assert!(ours.len() >= 30, "{}: only {} paid", provider.name(), ours.len());
        assert_eq!(sandbox.of(provider).counters().duplicates, 0, "{}", provider.name());
    }
    // Each file has two rows per provider that its sandbox refuses or gives back.
    let refused: Vec<_> = rows.iter().filter(|row| row.state != "paid").collect();
    assert!((8..=16).contains(&refused.len()), "{refused:?}");
    sandbox.was_asked_for_no_large_page();
    sandbox.was_never_polled();
    up.terminate();
    assert!(up.wait(LONG).success());
}

/// An amount in one form.
fn sum(amount: &str, currency: &str) -> (String, u64) {
    (currency.to_owned(), system_tests::money::cents(amount))
}

/// Compares a result with what all providers together were asked for.
fn judge(world: &World, batch: &Batch, results: &[ResultRow]) -> Tally {
    let mut all: Vec<Entry> = Vec::new();
    for provider in Provider::ALL {
        let sandbox = world.sandbox.of(provider);
        assert_eq!(sandbox.counters().duplicates, 0, "{}", provider.name());
        let lane = |entry: &Entry| {
            let row = batch.rows.iter().find(|row| row.card == entry.destination);
            row.and_then(|row| row.lane)
        };
        let entries = sandbox.ledger();
        let stray = entries.iter().find(|entry| lane(entry) != Some(provider));
        assert!(stray.is_none(), "{}: {stray:?}", provider.name());
        all.extend(entries);
    }
    agree_by_card(batch, results, &all)
}

#[test]
fn one_file_to_all_four_is_paid_and_each_ledger_confirms_it_on_sqlite() {
    one_file_to_all_four_is_paid_and_each_ledger_confirms_it(Engine::Sqlite);
}

#[test]
fn one_file_to_all_four_is_paid_and_each_ledger_confirms_it_on_redis() {
    one_file_to_all_four_is_paid_and_each_ledger_confirms_it(Engine::Redis);
}

fn one_file_to_all_four_is_paid_and_each_ledger_confirms_it(engine: Engine) {
    let world = World::new(&Settings::on(engine).through(Lane::of_each()));
    world.fetch_rules();
    let batch = Batch::through(&Provider::ALL, "all", 1_200);
    let id = world.enqueue(&batch);
    let _workers = [world.worker(), world.second_worker()];
    world.completes(&id, LONG);
    let tally = judge(&world, &batch, &world.report(&id));
    assert_eq!(tally.rows("paid"), 1_200, "{tally:?}");
    assert!(world.sandbox.of(Provider::Capitalist).counters().create <= 20, "not in batches");
}

#[test]
fn what_all_four_do_not_find_is_never_sent_again() {
    nothing_is_sent_again("status_blind");
}

#[test]
fn what_all_four_answer_with_nothing_is_never_sent_again() {
    nothing_is_sent_again("status_empty");
}

#[test]
fn what_stands_on_another_page_is_never_sent_again() {
    nothing_is_sent_again("status_other_page");
}

#[test]
fn what_is_lost_among_the_payments_of_others_is_never_sent_again() {
    nothing_is_sent_again("status_filter_ignored");
}

/// The first payouts come home, so that each lane knows a payout that can be found. Then answers
/// are lost after the deed, and every look-up is blind in one of its forms.
fn nothing_is_sent_again(blind: &str) {
    let give_up_ms = 8_000;
    let world = World::new(&Settings {
        unknown_give_up_ms: give_up_ms,
        submitted_give_up_ms: give_up_ms,
        ..Settings::on(Engine::Sqlite).through(Lane::of_each())
    });
    world.fetch_rules();
    let _worker = world.worker();
    let first = world.enqueue(&Batch::through(&Provider::ALL, "first", 8));
    world.completes(&first, LONG);
    for provider in Provider::ALL {
        let sandbox = world.sandbox.of(provider);
        sandbox.dial(&json!({ "seed": 11, "faults": {
            "error_after": { "per_mille": 150 },
            "reset_after": { "per_mille": 150 },
            blind: { "per_mille": 1000 },
            "callback_dropped": { "per_mille": 300 },
        } }));
        // Of a batch in one call there is only one; it must be struck.
        sandbox.dial(&json!({ "faults": { "reset_after": { "next": 1 } } }));
    }
    // Its cards are others than those of the first.
    let mut batch = Batch::through(&Provider::ALL, "blind", 168);
    batch.rows.drain(..8);
    let id = world.enqueue(&batch);
    world.completes(&id, LONG);
    let (mut blinded, mut doubtful) = (0, 0);
    for provider in Provider::ALL {
        let counters = world.sandbox.of(provider).counters();
        assert_eq!(counters.duplicates, 0, "{}: {counters:?}", provider.name());
        blinded += counters.struck(blind);
        let struck = counters.struck("error_after") + counters.struck("reset_after");
        assert!(struck > 0, "{}: the dial did not strike", provider.name());
        doubtful += struck;
    }
    // Not each provider has lists, and of a list that is read to its end a filter matters little.
    assert!(blinded > 0, "no look-up was blind");
    let mut entries: Vec<Entry> = Vec::new();
    for provider in Provider::ALL {
        entries.extend(world.sandbox.of(provider).ledger());
    }
    entries.retain(|entry| batch.rows.iter().any(|row| row.card == entry.destination));
    assert_eq!(entries.len(), 160, "each was taken, and once");
    let tally = agree_by_card(&batch, &world.report(&id), &entries);
    assert_eq!(tally.rows("paid") + tally.rows("review"), 160, "{tally:?}");
    assert!(doubtful >= 4, "{doubtful} answers were lost");
}
