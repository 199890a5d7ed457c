//! References: unique in the file and in the whole ledger (S1), reserved exactly where their rows
//! lie, given back by what nobody will pay (S2).

use crate::world::{HEADER, World, card, iban};
use domain::BatchState;
use ledger::{NewBatch, Opened};
use producer::intake::{IntakeError, TakeOptions};
use producer::steer;

#[tokio::test]
async fn a_reference_twice_in_a_file_is_told_with_its_first_line() {
    let world = World::new();
    let found = world
        .refusal(format!("{HEADER}\n{}\n{}\n{}\n", card("A", "1"), card("B", "1"), iban("A", "2")))
        .await;
    assert!(
        found.contains(
            "line 4, column \"reference\", value \"A\": the same reference stands in line 2; every \
             row needs its own"
        ),
        "{found}"
    );
}

#[tokio::test]
async fn the_first_line_is_found_wherever_the_first_row_is_by_now() {
    // Group 1 is written, group 2 is in an open chunk or in the same group.
    let world = World::new();
    let mut rows: Vec<_> = (0..64_500).map(|n| card(&format!("A-{n}"), "1")).collect();
    rows.extend([card("A-5", "1"), card("A-64400", "1"), card("A-64499", "1")]);
    let path = world.rows("big.csv", &rows);
    let error = world.take(TakeOptions::of(path)).await.unwrap_err();
    let IntakeError::BadRows { problems, .. } = error else { panic!("{error}") };
    let told: Vec<_> = problems.list.iter().map(|p| (p.line, p.text.clone())).collect();
    let text =
        |line: u32| format!("the same reference stands in line {line}; every row needs its own");
    assert_eq!(told, [(64_502, text(7)), (64_503, text(64_402)), (64_504, text(64_501))]);
}

#[tokio::test]
async fn a_reference_of_another_batch_is_told_with_that_batch() {
    let world = World::new();
    let first = world.taken(&world.rows("first.csv", &[card("A", "1")])).await;
    let path = world.rows("second.csv", &[card("B", "1"), card("A", "2")]);
    let error = world.take(TakeOptions::of(&path)).await.unwrap_err().to_string();
    let words = format!(
        "line 3, column \"reference\", value \"A\": batch {first} (\"first.csv\", active) holds \
         this reference; a reference is paid once"
    );
    assert!(error.contains(&words), "{error}");
}

#[tokio::test]
async fn rows_left_out_leave_no_hole_and_every_reservation_names_its_row() {
    let world = World::new();
    let held: Vec<_> =
        (0..3_000).filter(|n| n % 7 == 0).map(|n| card(&format!("A-{n}"), "1")).collect();
    world.taken(&world.rows("held.csv", &held)).await;
    let row = |n: usize| match n {
        n if n % 11 == 3 => card(&format!("A-{n}"), "x"),
        n if n % 13 == 5 => card(&format!("A-{}", n - 1), "1"),
        n if n % 3 == 0 => iban(&format!("A-{n}"), "1"),
        n => card(&format!("A-{n}"), "1"),
    };
    let rows: Vec<_> = (0..12_000).map(row).collect();
    let options = TakeOptions {
        skip_invalid: true,
        rejected: Some(world.path("mixed.rejected.csv")),
        ..TakeOptions::of(world.rows("mixed.csv", &rows))
    };
    let taken = world.take(options).await.unwrap();
    assert_eq!(taken.rows + taken.rejected, 12_000);
    let batch = taken.batch.unwrap();
    assert_eq!(world.batch(batch).await.totals, taken.totals);
    let rows = world.rows_of(batch).await;
    assert_eq!(u64::try_from(rows.len()).unwrap(), taken.rows);
    for (place, row) in &rows {
        let found = world.ledger.find(row.reference.key()).await.unwrap();
        assert_eq!(found, Some(*place), "{} lies elsewhere", row.reference);
    }
    let list = std::fs::read_to_string(taken.rejected_file.unwrap()).unwrap();
    assert_eq!(u64::try_from(list.lines().count()).unwrap(), taken.rejected + 1);
    let lines: Vec<u32> =
        list.lines().skip(1).map(|line| line.split(',').nth(5).unwrap().parse().unwrap()).collect();
    assert!(lines.is_sorted(), "the rejected rows are not in the order of the file");
}

#[tokio::test]
async fn rejected_rows_can_be_corrected_and_dropped_as_they_are() {
    let world = World::new();
    let rows = [card("A", "1"), "B,\"1,50\",RUB,card,4111111111111111".to_owned()];
    let options = TakeOptions {
        skip_invalid: true,
        rejected: Some(world.path("a.rejected.csv")),
        ..TakeOptions::of(world.rows("a.csv", &rows))
    };
    let taken = world.take(options).await.unwrap();
    assert_eq!((taken.rows, taken.rejected), (1, 1));
    let list = std::fs::read_to_string(world.path("a.rejected.csv")).unwrap();
    assert!(
        list.starts_with("\u{FEFF}reference,amount,currency,method,destination,rejected_line,rejected_reason\nB,\"1,50\",RUB,card,4111111111111111,3,\"amount: not an amount"),
        "{list}"
    );
    let corrected = world.file("a2.csv", list.replace("\"1,50\"", "1.50"));
    assert_eq!(world.take(TakeOptions::of(corrected)).await.unwrap().rows, 1);
}

#[tokio::test]
async fn a_file_of_which_nothing_is_good_is_refused_even_if_bad_rows_may_be_left_out() {
    let world = World::new();
    let options = TakeOptions {
        skip_invalid: true,
        rejected: Some(world.path("a.rejected.csv")),
        ..TakeOptions::of(world.rows("a.csv", &[card("A", "x")]))
    };
    let error = world.take(options).await.unwrap_err();
    assert!(matches!(error, IntakeError::BadRows { rejected_file: Some(_), .. }), "{error}");
    world.assert_nothing_payable().await;
}

#[tokio::test]
async fn an_abandoned_intake_gives_its_references_back_when_its_lease_has_ended() {
    let world = World::new();
    let path = world.rows("a.csv", &[card("A", "1")]);
    // What a producer that was killed leaves: an open batch that holds the reference.
    let id = domain::BatchId(ulid::Ulid::from_parts(1, 1));
    let new = NewBatch {
        id,
        name: "dead.csv".to_owned(),
        file_sha256: "00".repeat(32),
        lease_ms: 15_000,
        terms: domain::Terms::default(),
    };
    assert_eq!(world.ledger.open_batch(new).await.unwrap(), Opened::Fresh);
    let place = domain::Place { chunk: domain::ChunkId { batch: id, no: 0 }, row: 0 };
    let key = domain::PayerReference::new("A").unwrap().key();
    assert!(world.ledger.reserve(vec![(key, place)]).await.unwrap().is_empty());

    let error = world.take(TakeOptions::of(&path)).await.unwrap_err().to_string();
    assert!(error.contains("holds this reference and is being taken in at this moment"), "{error}");
    world.pass(15_001);
    let batch = world.taken(&path).await;
    assert_eq!(world.batch(id).await.state, BatchState::Rejected);
    assert_eq!(world.ledger.find(key).await.unwrap().unwrap().chunk.batch, batch);
}

#[tokio::test]
async fn of_two_files_taken_in_at_once_the_younger_gives_way_and_the_older_is_taken() {
    let world = World::new();
    let path = world.rows("a.csv", &[card("A", "1"), card("B", "1")]);
    // The younger one was quicker and holds B; it is refused when it comes to A.
    let id = domain::BatchId(ulid::Ulid::from_parts((1 << 48) - 1, 1));
    let new = NewBatch {
        id,
        name: "younger.csv".to_owned(),
        file_sha256: "00".repeat(32),
        lease_ms: 15_000,
        terms: domain::Terms::default(),
    };
    assert_eq!(world.ledger.open_batch(new).await.unwrap(), Opened::Fresh);
    let place = domain::Place { chunk: domain::ChunkId { batch: id, no: 0 }, row: 0 };
    let key = |name: &str| domain::PayerReference::new(name).unwrap().key();
    assert!(world.ledger.reserve(vec![(key("B"), place)]).await.unwrap().is_empty());

    let younger = async {
        while world.ledger.find(key("A")).await.unwrap().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert!(world.ledger.reject(id, "A is held".to_owned(), false).await.unwrap());
    };
    let (taken, ()) = tokio::join!(world.take(TakeOptions::of(path)), younger);
    assert_eq!(taken.unwrap().rows, 2);
}

#[tokio::test]
async fn a_cancelled_batch_gives_back_what_was_never_sent() {
    let world = World::new();
    let first = world.taken(&world.rows("a.csv", &[card("A", "1"), card("B", "1")])).await;
    steer::cancel(&*world.ledger, &world.rules, first).await.unwrap();
    world.taken(&world.rows("b.csv", &[card("B", "1"), card("C", "1")])).await;
}
