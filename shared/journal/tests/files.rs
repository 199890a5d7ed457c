//! Journals as files: what is answered stands there, whatever breaks off behind it.

// All of this is test code, helpers too: for clippy's rules about `unwrap`.
#![cfg(test)]

use domain::{Account, BatchId, ChunkId, LaneName, LedgerId, Millis, Policy, Sender};
use futures::executor::block_on;
use journal::read::{Compared, Then, compare_all, notice_the_dead, segments};
use journal::slots::homes;
use journal::{End, Entry, FileJournal, Journal, Slot, entry};
use ledger::Life;
use ledger::memory::MemoryLedger;
use ledger::senders::{self, Home};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use ulid::Ulid;

const NOW: Millis = Millis(1_000_000);

fn ledger() -> MemoryLedger {
    MemoryLedger::new(LedgerId::from_random(0), Arc::new(|| NOW))
}

fn entry(sender: u32, send_before: u64) -> Entry {
    Entry {
        life: Life(0),
        counter: 0,
        ledger: LedgerId::from_random(0),
        sender: Sender(sender),
        account: Account(1),
        chunk: ChunkId { batch: BatchId(Ulid(1)), no: 0 },
        send_before: Millis(send_before),
        rows: Vec::new(),
    }
}

fn write(slot: &Slot, times: &[u64]) {
    let journal = FileJournal::open(slot.home()).unwrap();
    for time in times {
        block_on(journal.append(entry(1, *time))).unwrap();
    }
}

fn files(slot: &Slot) -> Vec<fs::DirEntry> {
    fs::read_dir(slot.home().journal()).unwrap().map(Result::unwrap).collect()
}

fn look(state: &Path, keep_from: Millis, then: Then<'_>) -> Compared {
    block_on(compare_all(&ledger(), state, keep_from, then)).unwrap().0
}

fn home() -> (TempDir, Slot) {
    let state = tempfile::tempdir().unwrap();
    let slot = Slot::take(state.path()).unwrap();
    (state, slot)
}

#[test]
fn what_was_answered_stands_in_the_file_in_the_order_of_answers() {
    let (_state, slot) = home();
    let journal = FileJournal::open(slot.home()).unwrap();
    for n in 0..50 {
        block_on(journal.append(entry(1, n))).unwrap();
        let segments = segments(slot.home()).unwrap();
        let (entries, end) = entry::read(&fs::read(&segments[0].path).unwrap());
        assert_eq!((entries.len(), end), (usize::try_from(n).unwrap() + 1, End::Whole));
        assert_eq!(entries.last().map(|e| (e.counter, e.send_before)), Some((n, Millis(n))));
    }
}

#[test]
fn each_life_writes_a_segment_of_its_own_behind_what_it_found() {
    let (_state, slot) = home();
    write(&slot, &[1]);
    write(&slot, &[]);
    write(&slot, &[2]);
    let numbers: Vec<u64> = segments(slot.home()).unwrap().iter().map(|s| s.number).collect();
    assert_eq!(numbers, [1, 2], "and none for a life that sent nothing");
}

#[test]
fn a_journal_that_cannot_be_written_says_so_and_goes_on_when_it_can() {
    let (_state, slot) = home();
    let journal = FileJournal::open(slot.home()).unwrap();
    let away = slot.home().path.join("away");
    fs::rename(slot.home().journal(), &away).unwrap();
    let error = block_on(journal.append(entry(1, 1))).unwrap_err();
    assert!(error.contains("cannot write the journal"), "{error}");
    fs::rename(&away, slot.home().journal()).unwrap();
    block_on(journal.append(entry(1, 2))).unwrap();
}

#[test]
fn a_torn_end_is_no_reason_to_suspect_anything() {
    let (state, slot) = home();
    write(&slot, &[NOW.0, NOW.0]);
    let path = segments(slot.home()).unwrap().remove(0).path;
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(look(state.path(), Millis(0), Then::Tell).words(), None);
}

#[test]
fn damage_is_told_and_set_aside_once_a_person_has_spoken() {
    let (state, slot) = home();
    write(&slot, &[NOW.0, NOW.0]);
    let path = segments(slot.home()).unwrap().remove(0).path;
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let words = look(state.path(), Millis(0), Then::Tell).words().unwrap();
    assert!(words.contains("is damaged") && words.contains("0000000001"), "{words}");
    drop(slot);
    look(state.path(), Millis(0), Then::Mark(&|_: &LaneName| Policy::DEFAULT));
    assert_eq!(look(state.path(), Millis(0), Then::Tell).words(), None);
    let slot = Slot::take(state.path()).unwrap();
    assert_eq!(files(&slot).len(), 1, "a person may still look at it");
}

#[test]
fn only_segments_of_which_nothing_is_young_go() {
    let (state, slot) = home();
    write(&slot, &[10, 20]);
    write(&slot, &[20, 30]);
    look(state.path(), Millis(10), Then::Tell);
    assert_eq!(files(&slot).len(), 2);
    look(state.path(), Millis(25), Then::Tell);
    assert_eq!(files(&slot).len(), 1);
    look(state.path(), Millis(31), Then::Tell);
    assert_eq!(files(&slot).len(), 0);
}

#[test]
fn what_another_ledger_was_told_is_kept_for_it() {
    let (state, slot) = home();
    let journal = FileJournal::open(slot.home()).unwrap();
    let other = Entry { ledger: LedgerId::from_random(77), ..entry(1, 1) };
    block_on(journal.append(other)).unwrap();
    look(state.path(), NOW, Then::Tell);
    assert_eq!(files(&slot).len(), 1);
}

#[test]
fn a_neighbour_whose_lock_is_free_is_gone_and_one_who_holds_it_is_not() {
    let (state, first) = home();
    let second = Slot::take(state.path()).unwrap();
    let ledger = ledger();
    for home in homes(state.path()).unwrap() {
        let home = Home { id: home.id, ..Home::default() };
        block_on(senders::enlist(&ledger, &home, Sender::NOBODY)).unwrap();
    }
    let dead = || block_on(notice_the_dead(&ledger, state.path(), &first.home().id)).unwrap();
    assert_eq!(dead(), []);
    drop(second);
    assert_eq!(dead().iter().map(|sender| sender.number).collect::<Vec<_>>(), [Sender(2)]);
    assert_eq!(dead(), [], "said once");
}
