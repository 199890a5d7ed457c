//! What all processes share beside the payouts: registers by compare-and-set, audit chains.

use crate::given::{at_once, texts};
use crate::world::{World, on_every_engine};
use ledger::{Ledger, LedgerError, REGISTER_BYTES_MAX, Register};

on_every_engine![
    a_register_that_was_never_stored_is_not_there,
    a_register_is_stored_over_the_version_that_was_read,
    registers_are_listed_by_prefix_in_the_order_of_their_names,
    a_register_may_hold_any_text_and_none,
    a_register_that_is_too_long_is_refused_and_leaves_the_older_one,
    of_two_who_store_a_register_at_once_one_does,
    an_entry_is_appended_once_however_often_it_is_asked_for,
    an_entry_is_neither_replaced_nor_put_behind_a_gap,
    chains_have_entries_of_their_own_and_are_read_in_parts,
    of_two_who_append_at_once_one_gets_the_place,
];

fn register(name: &str, version: u64, text: &str) -> Register {
    Register { name: name.to_owned(), version, text: text.to_owned() }
}

async fn a_register_that_was_never_stored_is_not_there(world: World) {
    assert_eq!(world.ledger.register("sender/1".to_owned()).await.unwrap(), None);
    assert_eq!(world.ledger.registers("sender".to_owned()).await.unwrap(), []);
    assert!(!world.ledger.put_register(register("sender/1", 1, "x")).await.unwrap());
    assert!(!world.ledger.put_register(register("sender/1", u64::MAX, "x")).await.unwrap());
    assert_eq!(world.second.register("sender/1".to_owned()).await.unwrap(), None);
}

async fn a_register_is_stored_over_the_version_that_was_read(world: World) {
    let name = || "sender/1".to_owned();
    assert!(world.ledger.put_register(register("sender/1", 0, "first")).await.unwrap());
    let again = world.second.put_register(register("sender/1", 0, "first")).await.unwrap();
    assert!(!again, "the second time says so");
    let stored = world.second.register(name()).await.unwrap();
    assert_eq!(stored, Some(register("sender/1", 1, "first")));
    assert!(world.second.put_register(register("sender/1", 1, "second")).await.unwrap());
    assert!(!world.ledger.put_register(register("sender/1", 1, "late")).await.unwrap());
    let stored = world.ledger.register(name()).await.unwrap();
    assert_eq!(stored, Some(register("sender/1", 2, "second")));
}

async fn registers_are_listed_by_prefix_in_the_order_of_their_names(world: World) {
    for name in ["sender/2", "a/b", "sender/10", "sender", "sender/é", "sender0", "sender/1"] {
        assert!(world.ledger.put_register(register(name, 0, name)).await.unwrap());
    }
    let names = async |prefix: &str| {
        let found = world.second.registers(prefix.to_owned()).await.unwrap();
        assert!(found.iter().all(|found| found.text == found.name && found.version == 1));
        found.into_iter().map(|found| found.name).collect::<Vec<_>>()
    };
    assert_eq!(names("sender/").await, ["sender/1", "sender/10", "sender/2", "sender/é"]);
    assert_eq!(names("sender/1").await, ["sender/1", "sender/10"]);
    assert_eq!(names("s").await.len(), 6);
    assert_eq!(names("a").await, ["a/b"]);
    assert!(names("sender%").await.is_empty() && names("sender*").await.is_empty());
}

async fn a_register_may_hold_any_text_and_none(world: World) {
    for (version, text) in (0..).zip(["", " 7 ", "{\"a\": \"é\n\"}", "12", ""]) {
        assert!(world.ledger.put_register(register("a b", version, text)).await.unwrap());
        let stored = world.second.register("a b".to_owned()).await.unwrap().unwrap();
        assert_eq!(stored, register("a b", version + 1, text));
    }
}

async fn a_register_that_is_too_long_is_refused_and_leaves_the_older_one(world: World) {
    let long = |version, more| register("long", version, &"x".repeat(REGISTER_BYTES_MAX + more));
    assert!(world.ledger.put_register(long(0, 0)).await.unwrap());
    let refused = world.ledger.put_register(long(1, 1)).await;
    assert!(matches!(refused, Err(LedgerError::Broken(_))), "{refused:?}");
    let stands = world.ledger.register("long".to_owned()).await.unwrap().unwrap();
    assert_eq!((stands.version, stands.text.len()), (1, REGISTER_BYTES_MAX));
}

async fn of_two_who_store_a_register_at_once_one_does(world: World) {
    for version in 0..100 {
        let stored = at_once(&world, |ledger, n| async move {
            ledger.put_register(register("r", version, &n.to_string())).await.unwrap()
        });
        let stored = stored.await;
        let stands = world.ledger.register("r".to_owned()).await.unwrap().unwrap();
        let winner = if stored == [true, false] { "0" } else { "1" };
        assert_ne!(stored[0], stored[1]);
        assert_eq!((stands.version, stands.text.as_str()), (version + 1, winner));
    }
}

async fn append(ledger: &dyn Ledger, seq: u64, entry: &str) -> bool {
    ledger.append_entry("batch/1".to_owned(), seq, entry.as_bytes().to_vec()).await.unwrap()
}

async fn an_entry_is_appended_once_however_often_it_is_asked_for(world: World) {
    for (seq, entry) in (0..).zip(["a", "b", "", "\0\r\n", "b"]) {
        assert!(append(&*world.ledger, seq, entry).await);
        assert!(append(&*world.second, seq, entry).await, "the second time too");
    }
    assert!(append(&*world.second, 0, "a").await, "an older one too");
    assert_eq!(texts(&*world.ledger, "batch/1", 0, 99).await, ["a", "b", "", "\0\r\n", "b"]);
    assert_eq!(world.second.entry_count("batch/1".to_owned()).await.unwrap(), 5);
}

async fn an_entry_is_neither_replaced_nor_put_behind_a_gap(world: World) {
    assert!(!append(&*world.ledger, 1, "a").await);
    assert!(append(&*world.ledger, 0, "a").await);
    assert!(!append(&*world.second, 0, "b").await);
    for gap in [2, 1 << 40, u64::MAX] {
        assert!(!append(&*world.second, gap, "b").await);
    }
    assert_eq!(texts(&*world.ledger, "batch/1", 0, 99).await, ["a"]);
}

async fn chains_have_entries_of_their_own_and_are_read_in_parts(world: World) {
    assert_eq!(world.ledger.entry_count("batch/1".to_owned()).await.unwrap(), 0);
    for (seq, entry) in (0..).zip(["a", "b", "c", "d"]) {
        assert!(append(&*world.ledger, seq, entry).await);
    }
    assert_eq!(texts(&*world.second, "batch/1", 1, 2).await, ["b", "c"]);
    assert_eq!(texts(&*world.second, "batch/1", 3, u32::MAX).await, ["d"]);
    for (from, limit) in [(0, 0), (4, 9), (1 << 62, 9), (u64::MAX, u32::MAX)] {
        assert!(texts(&*world.second, "batch/1", from, limit).await.is_empty());
    }
    assert!(texts(&*world.second, "batch/10", 0, 9).await.is_empty());
    assert!(texts(&*world.second, "batch", 0, 9).await.is_empty());
}

async fn of_two_who_append_at_once_one_gets_the_place(world: World) {
    for seq in 0..100 {
        let appended =
            at_once(
                &world,
                |ledger, n| async move { append(&*ledger, seq, &format!("{n}")).await },
            );
        let appended = appended.await;
        let winner = if appended == [true, false] { "0" } else { "1" };
        assert_ne!(appended[0], appended[1]);
        assert_eq!(texts(&*world.ledger, "batch/1", seq, 9).await, [winner]);
    }
}
