//! A file lies in exactly one folder, is taken once, and a crash at any moment leaves it either
//! to be taken again or already taken.

use crate::world::{World, card};
use config::InboxConfig;
use domain::{BatchState, Priority, State, Terms};
use ledger::{NewBatch, Opened};
use producer::file::survey;
use producer::inbox::folders::Inbox;
use producer::inbox::{self, Handled, WatchOptions};
use producer::report;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::watch;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap());
    let files = entries.filter(|e| e.file_type().unwrap().is_file());
    let mut names: Vec<_> = files.map(|e| e.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

struct Folders {
    world: World,
    dir: PathBuf,
    inbox: Inbox,
}

impl Folders {
    fn new() -> Folders {
        let world = World::new();
        let dir = world.path("inbox");
        std::fs::create_dir(&dir).unwrap();
        let inbox = Inbox::open(&dir).unwrap();
        Folders { world, dir, inbox }
    }

    fn drop_file(&self, name: &str, rows: &[String]) {
        let from = self.world.rows("prepared", rows);
        std::fs::rename(from, self.dir.join(name)).unwrap();
    }

    async fn handle_next(&self, name: &str) -> Handled {
        self.handle_with(name, &WatchOptions::default()).await
    }

    async fn handle_with(&self, name: &str, options: &WatchOptions) -> Handled {
        let claimed = self.inbox.take(OsStr::new(name)).unwrap().unwrap();
        let (ledger, rules) = (&self.world.ledger, &self.world.rules);
        inbox::handle(ledger, rules, &self.inbox, options, claimed).await
    }

    /// What a watcher does that starts after a crash.
    async fn recover(&self) -> Vec<Handled> {
        let mut all = Vec::new();
        for claimed in self.inbox.left_behind().unwrap() {
            let (ledger, rules) = (&self.world.ledger, &self.world.rules);
            let options = WatchOptions::default();
            all.push(inbox::handle(ledger, rules, &self.inbox, &options, claimed).await);
        }
        all
    }

    async fn sealed(&self) -> usize {
        let batches = self.world.ledger.batches(None, 100).await.unwrap();
        batches.iter().filter(|batch| batch.state.was_sealed()).count()
    }

    fn assert_lies_in(&self, processing: &[&str], done: &[&str], failed: &[&str]) {
        assert_eq!(names(&self.inbox.processing()), processing, "processing/");
        assert_eq!(names(&self.inbox.done()), done, "done/");
        assert_eq!(names(&self.inbox.failed()), failed, "failed/");
    }

    fn config(&self) -> InboxConfig {
        InboxConfig { dir: self.dir.clone(), rest_ms: 50 }
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_good_file_goes_to_done_and_a_bad_one_to_failed_with_the_reason() {
    let folders = Folders::new();
    folders.drop_file("good.csv", &[card("A", "1")]);
    folders.drop_file("bad.csv", &[card("B", "1"), card("C", "x")]);
    assert!(matches!(folders.handle_next("good.csv").await, Handled::Done(_)));
    assert!(matches!(folders.handle_next("bad.csv").await, Handled::Failed(_)));
    folders.assert_lies_in(&[], &["good.csv"], &["bad.csv", "bad.reason.txt", "bad.rejected.csv"]);
    let reason = std::fs::read_to_string(folders.inbox.failed().join("bad.reason.txt")).unwrap();
    assert!(
        reason.starts_with("bad.csv: 1 of 2 rows cannot be paid, so nothing was taken:\n  line 3, column \"amount\""),
        "{reason}"
    );
    assert_eq!(folders.sealed().await, 1);
}

#[tokio::test]
async fn what_the_inbox_takes_waits_for_its_time_and_has_its_priority() {
    let folders = Folders::new();
    folders.drop_file("a.csv", &[card("A", "1")]);
    let now = folders.world.ledger.about().await.unwrap().now;
    let (not_before, priority) = (Some(now.plus(60_000)), Priority::High);
    let options = WatchOptions { not_before, priority, ..WatchOptions::default() };
    let handled = folders.handle_with("a.csv", &options).await;
    let Handled::Done(taken) = handled else { panic!("{handled:?}") };
    let batch = folders.world.batch(taken.batch.unwrap()).await;
    assert_eq!(batch.terms, Terms { not_before: now.plus(60_000), priority });
}

#[tokio::test]
async fn a_dropped_duplicate_goes_to_failed_and_names_the_first_batch() {
    let folders = Folders::new();
    folders.drop_file("a.csv", &[card("A", "1")]);
    let Handled::Done(taken) = folders.handle_next("a.csv").await else { panic!() };
    folders.drop_file("a.csv", &[card("A", "1")]);
    assert!(matches!(folders.handle_next("a.csv").await, Handled::Failed(_)));
    folders.assert_lies_in(&[], &["a.csv"], &["a.2.csv", "a.2.reason.txt"]);
    let reason = std::fs::read_to_string(folders.inbox.failed().join("a.2.reason.txt")).unwrap();
    assert!(reason.contains(&taken.batch.unwrap().to_string()), "{reason}");
    assert_eq!(folders.sealed().await, 1);
}

#[tokio::test]
async fn a_file_left_by_a_crash_right_after_the_rename_is_taken() {
    let folders = Folders::new();
    folders.drop_file("a.csv", &[card("A", "1")]);
    drop(folders.inbox.take(OsStr::new("a.csv")).unwrap().unwrap());
    folders.assert_lies_in(&["a.csv"], &[], &[]);
    assert!(matches!(folders.recover().await[..], [Handled::Done(_)]));
    folders.assert_lies_in(&[], &["a.csv"], &[]);
    assert_eq!(folders.sealed().await, 1);
}

#[tokio::test]
async fn a_file_left_by_a_crash_before_the_seal_is_taken_once_the_lease_has_ended() {
    let folders = Folders::new();
    folders.drop_file("a.csv", &[card("A", "1")]);
    let claimed = folders.inbox.take(OsStr::new("a.csv")).unwrap().unwrap();
    let file = std::fs::File::open(claimed.path()).unwrap();
    let dead = domain::BatchId(ulid::Ulid::from_parts(1, 1));
    let new = NewBatch {
        id: dead,
        name: "a.csv".to_owned(),
        file_sha256: survey(file).unwrap().sha256,
        lease_ms: 15_000,
        terms: domain::Terms::default(),
    };
    assert_eq!(folders.world.ledger.open_batch(new).await.unwrap(), Opened::Fresh);
    drop(claimed);
    assert!(matches!(folders.recover().await[..], [Handled::Later(_)]));
    folders.assert_lies_in(&["a.csv"], &[], &[]);
    folders.world.pass(15_001);
    assert!(matches!(folders.recover().await[..], [Handled::Done(_)]));
    folders.assert_lies_in(&[], &["a.csv"], &[]);
    assert_eq!(folders.world.batch(dead).await.state, BatchState::Rejected);
    assert_eq!(folders.sealed().await, 1);
}

#[tokio::test]
async fn a_file_left_by_a_crash_after_the_seal_is_moved_on_and_not_paid_again() {
    let folders = Folders::new();
    folders.drop_file("a.csv", &[card("A", "1")]);
    folders.handle_next("a.csv").await;
    // As if the process had died before the last rename.
    std::fs::rename(folders.inbox.done().join("a.csv"), folders.inbox.processing().join("a.csv"))
        .unwrap();
    let handled = folders.recover().await;
    let [Handled::Done(taken)] = &handled[..] else { panic!("{handled:?}") };
    assert!(taken.was_taken_before);
    folders.assert_lies_in(&[], &["a.csv"], &[]);
    assert_eq!(folders.sealed().await, 1);
}

#[tokio::test]
async fn a_file_left_by_a_crash_between_reason_and_rename_goes_to_failed_once() {
    let folders = Folders::new();
    folders.drop_file("a.csv", &[card("A", "x")]);
    folders.handle_next("a.csv").await;
    std::fs::rename(folders.inbox.failed().join("a.csv"), folders.inbox.processing().join("a.csv"))
        .unwrap();
    assert!(matches!(folders.recover().await[..], [Handled::Failed(_)]));
    folders.assert_lies_in(&[], &[], &["a.csv", "a.reason.txt", "a.rejected.csv"]);
}

#[tokio::test]
async fn a_file_that_somebody_works_on_is_not_taken_from_processing() {
    let folders = Folders::new();
    folders.drop_file("a.csv", &[card("A", "1")]);
    let claimed = folders.inbox.take(OsStr::new("a.csv")).unwrap().unwrap();
    assert!(folders.inbox.left_behind().unwrap().is_empty());
    assert!(folders.inbox.take(OsStr::new("a.csv")).unwrap().is_none());
    drop(claimed);
    assert_eq!(folders.inbox.left_behind().unwrap().len(), 1);
}

#[tokio::test]
async fn unfinished_files_are_ignored() {
    let folders = Folders::new();
    for name in [".hidden.csv", "a.csv.tmp", "a.csv.PART", "ready.csv"] {
        folders.drop_file(name, &[card(name, "1")]);
    }
    let waiting = folders.inbox.waiting().unwrap();
    let waiting: Vec<_> = waiting.iter().map(|w| w.name.to_str().unwrap()).collect();
    assert_eq!(waiting, ["ready.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_watchers_on_one_inbox_take_each_file_once() {
    const FILES: usize = 40;
    let folders = Folders::new();
    let (stop, stopped) = watch::channel(false);
    let watchers: Vec<_> = (0..2)
        .map(|_| {
            let (ledger, rules) = (folders.world.ledger.clone(), folders.world.rules.clone());
            let (config, stopped) = (folders.config(), stopped.clone());
            tokio::spawn(async move {
                inbox::watch(ledger, rules, &config, WatchOptions::default(), stopped).await
            })
        })
        .collect();
    for n in 0..FILES {
        folders.drop_file(&format!("{n}.csv"), &[card(&format!("A-{n}"), "1")]);
    }
    let done = folders.inbox.done();
    until("all files in done/", async || names(&done).len() == FILES).await;
    stop.send(true).unwrap();
    for watcher in watchers {
        watcher.await.unwrap().unwrap();
    }
    assert_eq!(folders.sealed().await, FILES);
    assert!(names(&folders.inbox.processing()).is_empty());
    assert!(names(&folders.inbox.failed()).is_empty());
}

#[tokio::test]
async fn the_result_lies_beside_the_finished_file() {
    let folders = Folders::new();
    folders.drop_file("a.csv", &[card("A", "1")]);
    let Handled::Done(taken) = folders.handle_next("a.csv").await else { panic!() };
    let (place, _) = folders.world.rows_of(taken.batch.unwrap()).await.remove(0);
    folders.world.settle(place, State::Paid).await;
    let (stop, stopped) = watch::channel(false);
    let (ledger, done) = (folders.world.ledger.clone(), folders.inbox.done());
    let rules = folders.world.rules.clone();
    let folder = done.clone();
    let loop_ = tokio::spawn(async move { report::keep_up(ledger, rules, &folder, stopped).await });
    until("the result", async || done.join("a.result.csv").exists()).await;
    stop.send(true).unwrap();
    loop_.await.unwrap();
    let results = ["a.result.csv", "a.summary.json", "a.summary.sig"];
    folders.assert_lies_in(&[], &[&["a.csv"], &results[..]].concat(), &[]);
    // A file of the same name that comes later does not take the results' name.
    folders.drop_file("a.csv", &[card("B", "1")]);
    folders.handle_next("a.csv").await;
    folders.assert_lies_in(&[], &[&["a.2.csv", "a.csv"], &results[..]].concat(), &[]);
}
