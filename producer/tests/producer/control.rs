//! Control totals and rehearsals.

use crate::world::{World, card, iban};
use producer::intake::TakeOptions;

#[tokio::test]
async fn control_totals_that_differ_refuse_the_file() {
    let world = World::new();
    let path = world.rows("a.csv", &[card("A", "10.10"), card("B", "0.90"), iban("C", "5")]);
    let expect = |rows, totals: &[&str]| TakeOptions {
        expect_rows: Some(rows),
        expect_totals: totals.iter().map(|t| (*t).to_owned()).collect(),
        ..TakeOptions::of(&path)
    };
    let error = world.take(expect(2, &["RUB:11.00", "EUR:5.01"])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the control totals differ, so nothing was taken:\n  rows: expected 2, found 3\n  EUR: \
         expected 5.01, found 5.00"
    );
    world.assert_nothing_payable().await;
    let taken = world.take(expect(3, &["RUB:11.00", "EUR:5"])).await.unwrap();
    assert_eq!(taken.rows, 3);
}

#[tokio::test]
async fn a_control_total_that_cannot_be_read_is_an_error_before_anything_is() {
    let world = World::new();
    let path = world.rows("a.csv", &[card("A", "1")]);
    for (text, words) in [
        ("RUB 5", "--expect-total RUB 5: there is no colon; write it as EUR:1500.00"),
        ("RUX:5", "--expect-total RUX:5: unknown currency \"RUX\""),
        ("RUB:1e3", "--expect-total RUB:1e3: not an amount"),
    ] {
        let options =
            TakeOptions { expect_totals: vec![text.to_owned()], ..TakeOptions::of(&path) };
        let error = world.take(options).await.unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
}

#[tokio::test]
async fn a_rehearsal_finds_what_intake_would_find_and_writes_nothing() {
    let world = World::new();
    world.taken(&world.rows("first.csv", &[card("A", "1")])).await;
    let before = world.ledger.batches(None, 10).await.unwrap();
    let dry = |path| TakeOptions { dry_run: true, ..TakeOptions::of(path) };

    let rows = [card("A", "1"), card("B", "1"), card("B", "2"), card("C", "x")];
    let error = world.take(dry(world.rows("bad.csv", &rows))).await.unwrap_err().to_string();
    for words in [
        "line 2, column \"reference\"",
        "line 4, column \"reference\"",
        "line 5, column \"amount\"",
    ] {
        assert!(error.contains(words), "{error}");
    }
    let good = world.rows("good.csv", &[card("B", "1.50"), iban("C", "2")]);
    let taken = world.take(dry(good.clone())).await.unwrap();
    assert_eq!((taken.batch, taken.rows, taken.totals.0["RUB"].minor), (None, 2, 150));
    assert_eq!(world.ledger.batches(None, 10).await.unwrap(), before);
    world.taken(&good).await;
}
