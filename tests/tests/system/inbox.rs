//! Files that are dropped into the inbox: each is taken once, whatever happens to whom.

use std::fs;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::wait::{wait_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn the_same_file_dropped_again_is_refused_with_the_id_of_the_first_batch() {
    let world = World::new(&Settings::on(Engine::Sqlite));
    let _up = world.up();
    let batch = Batch::new("twice", 20);
    world.drop_in(&batch);
    let results = world.result_of(&batch, LONG);
    let (first, _) = world.batches().remove(0);

    for name in ["twice", "another-name"] {
        let again = Batch { name: name.to_owned(), rows: batch.rows.clone() };
        world.drop_in(&again);
        let refused = || {
            let reason = |name: &str| fs::read_to_string(world.inbox("failed").join(name)).ok();
            reason(&format!("{name}.reason.txt"))
                .or_else(|| reason(&format!("{name}.2.reason.txt")))
        };
        let reason = wait_for("the second is refused", LONG, refused);
        assert!(reason.contains(&first), "which batch was it? {reason}");
    }
    assert_eq!(world.batches().len(), 1);
    assert_eq!(agree(&batch, &results, &world.sandbox.ledger()).rows("paid"), 20);
}

#[test]
fn two_watchers_on_one_inbox_take_each_file_once() {
    let world = World::new(&Settings::on(Engine::Redis));
    let _watchers = [world.start_producer(&["watch"]), world.start_producer(&["watch"])];
    wait_until("the inbox is there", LONG, || world.inbox("done").is_dir());
    let files: Vec<Batch> = (0..20).map(|n| Batch::new(&format!("shared{n}"), 30)).collect();
    for file in &files {
        world.drop_in(file);
    }
    let is_done = |file: &Batch| world.inbox("done").join(file.file_name()).is_file();
    wait_until("all are taken", LONG, || files.iter().all(is_done));
    let batches = world.batches();
    assert_eq!(batches.len(), 20, "{batches:?}");
    assert!(batches.iter().all(|(_, state)| state == "active"), "{batches:?}");
    let failed = fs::read_dir(world.inbox("failed")).expect("the folder");
    assert_eq!(failed.count(), 0, "one of them was refused as taken already");

    let _worker = world.worker();
    for file in &files {
        world.result_of(file, LONG);
    }
    let counters = world.sandbox.counters();
    assert_eq!((counters.paid, counters.duplicates), (600, 0));
}

#[test]
fn a_file_that_is_still_being_written_is_left_alone() {
    use std::io::Write;
    let world = World::new(&Settings::on(Engine::Sqlite));
    let _watcher = world.start_producer(&["watch"]);
    wait_until("the inbox is there", LONG, || world.inbox("done").is_dir());
    let batch = Batch::new("slow", 40);
    let path = world.inbox("").join(batch.file_name());
    let mut file = fs::File::create(&path).expect("the file");
    // A copy over a slow network: a line now and then, for much longer than a file must rest.
    for line in batch.csv().split_inclusive('\n') {
        file.write_all(line.as_bytes()).expect("a line");
        std::thread::sleep(Duration::from_millis(50));
        assert!(path.is_file(), "taken before it was whole");
    }
    drop(file);
    wait_until("it is taken", LONG, || world.inbox("done").join(batch.file_name()).is_file());
    let (id, _) = world.batches().remove(0);
    assert_eq!(world.status(&id).rows("accepted"), 40);
}
