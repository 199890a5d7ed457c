//! Twins: the same file, or the same references in two files, given to two producers at the same
//! moment. One is taken; the other is told which batch holds what it wanted.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree_by_card;
use system_tests::config_file::{Engine, Settings};
use system_tests::process::Ended;
use system_tests::provider::{Lane, Provider};
use system_tests::sandbox::Entry;
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn the_same_file_dropped_by_two_producers_a_hundred_times_is_one_batch_each_time_on_sqlite() {
    the_same_file_dropped_by_two_producers_is_one_batch_each_time(Engine::Sqlite);
}

#[test]
fn the_same_file_dropped_by_two_producers_a_hundred_times_is_one_batch_each_time_on_redis() {
    the_same_file_dropped_by_two_producers_is_one_batch_each_time(Engine::Redis);
}

fn the_same_file_dropped_by_two_producers_is_one_batch_each_time(engine: Engine) {
    let world = World::new(&Settings::on(engine));
    // Somebody has to be the first to make the ledger; here it is not one of a pair.
    world.batches();
    let mut taken = BTreeSet::new();
    for no in 0..100 {
        let file = world.file(&Batch::new(&format!("twin{no}"), 5));
        let (batch, refusal) = one_of(enqueue_at_once(&world, [&file, &file]));
        assert!(refusal.contains(&batch), "which batch was it? {refusal}");
        taken.insert(batch);
    }
    let batches = world.batches();
    let active: BTreeSet<String> =
        batches.iter().filter(|(_, state)| state == "active").map(|(id, _)| id.clone()).collect();
    assert_eq!((taken.len(), batches.len()), (100, 100), "{batches:?}");
    assert_eq!(active, taken);
}

#[test]
fn a_hundred_files_dropped_into_two_inboxes_at_once_are_taken_once_each() {
    let world = World::new(&Settings::on(Engine::Redis));
    let inboxes = ["one", "other"].map(|name| world.folder().join(name));
    let _watchers = inboxes.each_ref().map(|inbox| {
        let dir = format!("inbox.dir={}", inbox.display());
        world.start_producer(&["watch", "--set", &dir])
    });
    for inbox in &inboxes {
        wait_until("the inbox is there", LONG, || inbox.join("done").is_dir());
    }
    let files: Vec<Batch> = (0..100).map(|n| Batch::new(&format!("twin{n}"), 5)).collect();
    let drop_in = |inbox: &Path| {
        for file in &files {
            let part = inbox.join(format!("{}.part", file.name));
            fs::write(&part, file.csv()).expect("the file");
            fs::rename(part, inbox.join(file.file_name())).expect("a rename");
        }
    };
    std::thread::scope(|scope| {
        for inbox in &inboxes {
            scope.spawn(|| drop_in(inbox));
        }
    });
    let taken = |inbox: &Path, file: &Batch| inbox.join("done").join(file.file_name()).is_file();
    let reason = |inbox: &Path, file: &Batch| {
        fs::read_to_string(inbox.join("failed").join(format!("{}.reason.txt", file.name))).ok()
    };
    let is_over = |file: &Batch| {
        inboxes.iter().all(|inbox| taken(inbox, file) || reason(inbox, file).is_some())
    };
    wait_until("all are taken or refused", LONG, || files.iter().all(is_over));
    let batches = world.batches();
    assert_eq!(batches.len(), 100, "{batches:?}");
    assert!(batches.iter().all(|(_, state)| state == "active"), "{batches:?}");
    for file in &files {
        let takers = inboxes.iter().filter(|inbox| taken(inbox, file)).count();
        let refusals: Vec<String> =
            inboxes.iter().filter_map(|inbox| reason(inbox, file)).collect();
        // One that met its twin while that was being taken is tried again, and then it is a file
        // that was taken under its own name, as after a crash: done, too, and no second batch.
        assert!(takers >= 1, "{}: {refusals:?}", file.name);
        let names_batch = |refusal: &String| batches.iter().any(|(id, _)| refusal.contains(id));
        assert!(refusals.iter().all(names_batch), "{refusals:?}");
    }
}

#[test]
fn the_same_references_through_two_lanes_files_and_producers_at_once_are_paid_once_on_sqlite() {
    the_same_references_at_once_are_paid_once(Engine::Sqlite);
}

#[test]
fn the_same_references_through_two_lanes_files_and_producers_at_once_are_paid_once_on_redis() {
    the_same_references_at_once_are_paid_once(Engine::Redis);
}

fn the_same_references_at_once_are_paid_once(engine: Engine) {
    const LANES: [Provider; 2] = [Provider::Merchant, Provider::Capay];
    const PAIRS: u32 = 8;
    const ROWS: u32 = 120;
    let world = World::new(&Settings::on(engine).through(LANES.map(Lane::of)));
    world.batches();
    let all = Batch::through(&LANES[..1], "row", PAIRS * ROWS);
    let mut taken = Vec::new();
    for (rows, no) in all.rows.chunks(usize::try_from(ROWS).expect("a few")).zip(1..) {
        // Other lanes and the opposite order: nothing in common but the references.
        let one = Batch { name: format!("one{no}"), rows: rows.to_vec() };
        let mut other = Batch { name: format!("other{no}"), rows: rows.to_vec() };
        other.rows.reverse();
        other.rows.iter_mut().for_each(|row| row.lane = Some(LANES[1]));
        let ended = enqueue_at_once(&world, [&world.file(&one), &world.file(&other)]);
        let winner = if ended[0].status.success() { one } else { other };
        let (id, refusal) = one_of(ended);
        assert!(refusal.contains(&id), "which batch was it? {refusal}");
        taken.push((id, winner));
    }
    let _worker = world.worker();
    world.register_webhook();
    let mut results = Vec::new();
    for (id, batch) in &taken {
        world.completes(id, LONG);
        let report = world.report(id);
        assert_eq!(report.len(), batch.rows.len());
        results.extend(report);
    }
    let mut entries: Vec<Entry> = Vec::new();
    for lane in LANES {
        let sandbox = world.sandbox.of(lane);
        assert_eq!(sandbox.counters().duplicates, 0, "{}", lane.name());
        entries.extend(sandbox.ledger());
    }
    assert_eq!(entries.len(), all.rows.len(), "each reference was sent, and once");
    let tally = agree_by_card(&all, &results, &entries);
    assert_eq!(tally.rows("paid"), all.rows.len(), "{tally:?}");
}

/// Two processes, begun in one moment, each with a file to take; how they ended.
fn enqueue_at_once(world: &World, files: [&Path; 2]) -> [Ended; 2] {
    let path = files.map(|file| file.to_string_lossy().into_owned());
    let start = &Barrier::new(2);
    std::thread::scope(|scope| {
        let [one, other] = path.each_ref().map(|path| {
            scope.spawn(move || {
                start.wait();
                world.try_producer(&["enqueue", path, "--json"])
            })
        });
        [one, other].map(|thread| thread.join().expect("it ended"))
    })
}

/// Exactly one has taken its file: its batch, and what the other was told.
#[track_caller]
fn one_of(ended: [Ended; 2]) -> (String, String) {
    let (taken, refused): (Vec<Ended>, Vec<Ended>) =
        ended.into_iter().partition(|ended| ended.status.success());
    assert_eq!((taken.len(), refused.len()), (1, 1), "{taken:?} {refused:?}");
    let told: Value = serde_json::from_str(&taken[0].stdout).expect("JSON");
    let batch = told["batch"].as_str().expect("a batch").to_owned();
    (batch, format!("{}{}", refused[0].stdout, refused[0].stderr))
}
