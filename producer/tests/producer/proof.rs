//! A result is proved by three files and a key, and nothing of them can be changed.

use crate::world::{World, card, iban};
use domain::State;
use ledger::audit::SigningKey;
use producer::report::proof::{ProofError, prove};
use producer::report::{self, seal::Seal};
use std::path::PathBuf;

/// A batch of three rows, two currencies and one row left out, with its result.
async fn result(world: &World) -> PathBuf {
    let rows = [card("A", "10.00"), iban("B", "2.50"), card("C", "0.01"), card("C", "4.00")];
    let options = producer::intake::TakeOptions {
        skip_invalid: true,
        ..producer::intake::TakeOptions::of(world.rows("a.csv", &rows))
    };
    let id = world.take(options).await.unwrap().batch.unwrap();
    let places: Vec<_> = world.rows_of(id).await.into_iter().map(|(place, _)| place).collect();
    for (place, state) in places.iter().zip([State::Paid, State::Failed, State::Paid]) {
        world.settle(*place, state).await;
    }
    let batch = world.batch(id).await;
    let folder = world.folder.path();
    report::write(&*world.ledger, &world.rules, &batch, folder, false).await.unwrap().result
}

#[tokio::test]
async fn a_result_is_proved_by_itself_and_says_in_one_sentence_what_is_proved() {
    let world = World::new();
    let result = result(&world).await;
    let key = world.rules.clerk.public_key().unwrap();
    for file in ["a.result.csv", "a.summary.json", "a.summary.sig"] {
        let proof = prove(&world.path(file), Some(&key.to_string())).unwrap();
        assert!(proof.is_expected);
        let said = proof.to_string();
        let sums = "of its 4 rows 1 are failed (2.50 EUR)";
        assert!(said.contains(&key.fingerprint()) && said.contains(&proof.summary.file_sha256));
        let parts = ["2 are paid (10.01 RUB)", "1 were left out", "The key is the one"];
        assert!(said.contains(sums) || said.contains("1 are paid"), "{said}");
        assert!(said.contains("1 were left out") && said.contains(parts[2]), "{said}");
    }
    let file = world.file("payer.key", format!("{key}\n"));
    assert!(prove(&result, Some(&file.to_string_lossy())).unwrap().is_expected);
    let unnamed = prove(&result, None).unwrap();
    assert!(!unnamed.is_expected && unnamed.to_string().contains(&key.to_string()));
}

#[tokio::test]
async fn any_changed_byte_of_any_of_the_three_files_is_found() {
    let world = World::new();
    let result = result(&world).await;
    for name in ["a.result.csv", "a.summary.json", "a.summary.sig"] {
        let path = world.path(name);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            std::fs::write(&path, &changed).unwrap();
            assert!(prove(&result, None).is_err(), "{name}, byte {at} is not found");
        }
        for end in [0, 1, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert!(prove(&result, None).is_err(), "{name}, cut at {end}");
        }
        std::fs::write(&path, [&whole[..], b"\n"].concat()).unwrap();
        assert!(prove(&result, None).is_err(), "{name} with a line more");
        std::fs::write(&path, &whole).unwrap();
    }
    assert!(prove(&result, None).is_ok(), "put back");
}

#[tokio::test]
async fn a_result_signed_by_somebody_else_is_not_the_payers() {
    let world = World::new();
    let result = result(&world).await;
    let stranger = SigningKey::from_seed(&[9; 32]).unwrap();
    let summary = std::fs::read(world.path("a.summary.json")).unwrap();
    world.file("a.summary.sig", Seal::new(&summary, &stranger).to_text());
    let key = world.rules.clerk.public_key().unwrap().to_string();
    assert!(prove(&result, None).is_ok(), "it is a good signature of somebody");
    let error = prove(&result, Some(&key)).unwrap_err().to_string();
    assert!(error.contains("is signed by") && error.contains(&key), "{error}");
    assert!(matches!(prove(&result, Some("x")), Err(ProofError::Key(..))));
}

#[tokio::test]
async fn sums_that_were_signed_and_do_not_add_up_are_found_all_the_same() {
    let world = World::new();
    let result = result(&world).await;
    let key = SigningKey::from_seed(&[9; 32]).unwrap();
    let text = std::fs::read_to_string(world.path("a.summary.json")).unwrap();
    for (from, to) in [("\"rows\": 4", "\"rows\": 5"), ("\"10.01\"", "\"10.02\"")] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        world.file("a.summary.json", &changed);
        world.file("a.summary.sig", Seal::new(changed.as_bytes(), &key).to_text());
        let error = prove(&result, None).unwrap_err().to_string();
        assert!(
            error.contains("rows and 1 were left out") || error.contains("sums in RUB"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn destinations_are_masked_unless_somebody_asks_otherwise() {
    let world = World::new();
    let id = world.taken(&world.rows("b.csv", &[card("X", "1")])).await;
    let batch = world.batch(id).await;
    for (unmask, shown) in [(false, "4111…1111"), (true, "4111111111111111")] {
        let folder = world.folder.path();
        let written = report::write(&*world.ledger, &world.rules, &batch, folder, unmask).await;
        let written = written.unwrap();
        let text = std::fs::read_to_string(&written.result).unwrap();
        assert!(text.contains(&format!(",{shown},")), "{text}");
        assert_eq!(written.summary.result.unwrap().masked, !unmask);
        prove(&written.result, None).unwrap();
    }
}

#[tokio::test]
async fn whatever_a_run_leaves_behind_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let folder = world.path("inbox");
    let inbox = producer::inbox::folders::Inbox::open(&folder).unwrap();
    for (name, rows) in [("good.csv", card("A", "1")), ("bad.csv", card("B", "x"))] {
        let text = format!("{}\n{rows}\n", crate::world::HEADER);
        std::fs::write(folder.join(name), text).unwrap();
        let claimed = inbox.take(name.as_ref()).unwrap().unwrap();
        let options = producer::inbox::WatchOptions::default();
        producer::inbox::handle(&world.ledger, &world.rules, &inbox, &options, claimed).await;
    }
    let id = world
        .ledger
        .batches(None, 2)
        .await
        .unwrap()
        .iter()
        .find(|b| b.name == "good.csv")
        .unwrap()
        .id;
    let (place, _) = world.rows_of(id).await.remove(0);
    world.settle(place, State::Paid).await;
    report::keep_up::once(&*world.ledger, &world.rules, &inbox.done(), true).await.unwrap();
    let (mut folders, mut seen) = (vec![folder], 0);
    while let Some(folder) = folders.pop() {
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let about = entry.metadata().unwrap();
            match about.is_dir() {
                true => folders.push(entry.path()),
                false => {
                    let mode = about.permissions().mode() & 0o777;
                    assert_eq!(mode, 0o600, "{}", entry.path().display());
                    seen += 1;
                }
            }
        }
    }
    // The file, three of its result; the bad file, its reason, its rows.
    assert_eq!(seen, 7);
    let mode = std::fs::metadata(world.path("audit.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
