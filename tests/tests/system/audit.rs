//! What was done is proved to people who have neither ledger nor config, and whatever is changed in
//! the ledger's file by hand is found.

use rusqlite::{Connection, params};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::binaries::binary;
use system_tests::config_file::{Engine, Settings};
use system_tests::process::{Ended, run};
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);

/// A batch that was paid, with its result in `done/`, and nothing running any more.
fn paid(rows: u32) -> (World, Batch, String) {
    let world = World::new(&Settings::on(Engine::Sqlite));
    let batch = Batch::new("proved", rows);
    let mut up = world.up();
    world.drop_in(&batch);
    world.result_of(&batch, LONG);
    let id = world.batches().remove(0).0;
    // The newest result shows the newest change before anybody looks.
    wait_until("the result is current", LONG, || {
        let told: serde_json::Value =
            serde_json::from_str(&world.producer(&["status", &id, "--json"])).expect("JSON");
        told["reported"] == told["changes"]
    });
    up.terminate();
    assert!(up.wait(LONG).success());
    (world, batch, id)
}

/// The ledger's file with all that still stood beside it.
fn whole(path: &Path) -> Vec<u8> {
    let db = Connection::open(path).expect("the ledger");
    let busy: i64 = db
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .expect("a checkpoint");
    assert_eq!(busy, 0, "nobody else has it open");
    db.close().expect("closed");
    std::fs::read(path).expect("the ledger")
}

fn put_back(path: &Path, whole: &[u8]) {
    for ending in ["-wal", "-shm"] {
        // They are there only after some ends of a program.
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    std::fs::write(path, whole).expect("the ledger");
}

/// `producer report --verify` in an empty folder of a stranger.
fn prove(result: &Path, key: &str) -> Ended {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(binary("producer"));
    command.args(["report", "--verify"]).arg(result).args(["--key", key]);
    run("producer", command.current_dir(elsewhere.path()), LONG)
}

#[test]
fn a_paid_file_is_proved_offline_and_a_changed_cell_of_its_result_is_found() {
    let (world, _, id) = paid(40);
    let told = world.producer(&["audit", "verify"]);
    assert!(told.contains("nothing was changed, taken out, moved or cut off"), "{told}");
    let shown = world.producer(&["audit", "show", &id]);
    assert!(shown.contains("  intake ") && shown.contains("  settled "), "{shown}");

    let key = world.producer(&["audit", "key"]);
    let result = world.inbox("done").join("proved.result.csv");
    let proof = prove(&result, key.trim());
    assert!(proof.status.success(), "{proof:?}");
    assert!(proof.stdout.contains("of its 40 rows 40 are paid"), "{proof:?}");

    let text = std::fs::read_to_string(&result).expect("the result");
    std::fs::write(&result, text.replacen(",paid,", ",failed,", 1)).expect("a change");
    let proof = prove(&result, key.trim());
    assert_eq!(proof.status.code(), Some(1), "{proof:?}");
    assert!(proof.stderr.contains("is not what was signed"), "{proof:?}");
}

#[test]
fn an_audit_is_held_to_the_keys_that_are_named_and_else_to_the_one_of_the_machine() {
    let (world, _, id) = paid(4);
    let told = world.producer(&["audit", "verify"]);
    let key = world.producer(&["audit", "key"]);
    assert!(told.contains(&format!("signed by the key of this machine: {key}")), "{told}");
    let file = world.folder().join("payer.pub");
    std::fs::write(&file, &key).expect("a public key");
    let other = "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let told = world.producer(&["audit", "verify", "--key", "payer.pub", "--key", other]);
    assert!(told.contains(&format!("signed by a key that you named: {key}")), "{told}");
    let only = format!("signed by a key that only this ledger vouches for: {}", key.trim());
    for words in
        [&["audit", "verify", "--key", other][..], &["audit", "verify", &id, "--key", other]]
    {
        let found = world.try_producer(words);
        assert_eq!(found.status.code(), Some(1), "{found:?}");
        assert!(found.stdout.contains(&only), "{found:?}");
    }
    let none = world.try_producer(&["audit", "verify", "--key", "data/audit.key"]);
    let secret = std::fs::read_to_string(world.folder().join("data/audit.key")).expect("a key");
    assert_eq!(none.status.code(), Some(1), "{none:?}");
    assert!(none.stderr.contains("no public key") && !none.stderr.contains(secret.trim()));
    // The key went with its machine: what this one sees of it stands in the ledger alone.
    std::fs::remove_file(world.folder().join("data/audit.key")).expect("a key");
    let told = world.producer(&["audit", "verify"]);
    assert!(told.contains(&only) && told.contains("if all of these keys are yours"), "{told}");
}

#[test]
fn what_is_changed_in_the_ledgers_file_by_hand_is_found() {
    let (world, _, id) = paid(40);
    let path = world.folder().join("data/ledger.sqlite");
    let whole = whole(&path);
    let chain = format!("batch/{id}");
    type Change<'a> = &'a dyn Fn(&Connection) -> rusqlite::Result<usize>;
    let changes: [(Change<'_>, &str); 5] = [
        (
            &|db| {
                let sql = "UPDATE entry SET data = CAST(replace(CAST(data AS TEXT), 'RUB', 'EUR') \
                           AS BLOB) WHERE chain = ?1 AND seq = 0";
                db.execute(sql, params![chain])
            },
            "entry 0 was changed after it was written",
        ),
        (
            &|db| db.execute("DELETE FROM entry WHERE chain = ?1 AND seq = 0", params![chain]),
            "entry 0 is missing",
        ),
        (
            &|db| {
                let sql = "DELETE FROM entry WHERE chain = ?1 AND seq = (SELECT max(seq) FROM \
                           entry WHERE chain = ?1)";
                db.execute(sql, params![chain])
            },
            "it was cut off",
        ),
        (
            &|db| {
                // `paid` becomes `failed`: the first byte of a slot is its state.
                let sql = "UPDATE slots SET packed = CAST(x'06' || substr(packed, 2) AS BLOB)";
                db.execute(sql, [])
            },
            "payouts of chunk 0 are not those that were told",
        ),
        (
            &|db| db.execute("DELETE FROM entry WHERE chain = 'installation' AND seq = 1", []),
            "installation: entry 1 is missing",
        ),
    ];
    for (change, words) in changes {
        put_back(&path, &whole);
        let db = Connection::open(&path).expect("the ledger");
        assert_eq!(change(&db).expect("a change"), 1, "{words}");
        db.close().expect("closed");
        for words_of_command in [&["audit", "verify"][..], &["audit", "verify", &id]] {
            let found = world.try_producer(words_of_command);
            assert_eq!(found.status.code(), Some(1), "{words}: {found:?}");
            assert!(found.stdout.contains(words), "{words}: {found:?}");
            assert!(found.stdout.contains("keep a copy of the ledger"), "{found:?}");
        }
    }
    put_back(&path, &whole);
    world.producer(&["audit", "verify"]);
}
