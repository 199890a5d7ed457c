//! The result file has every row in the order of the file, and its totals add up or there is none.

use crate::scene::Scene;
use crate::world::{World, card, iban};
use domain::{BatchState, News, State};
use producer::report::{self, ReportError};
use providers::SecondStep;

#[tokio::test]
async fn the_result_has_one_line_per_row_in_the_order_of_the_file_over_all_lanes() {
    let world = World::new();
    let row = |n: u32| {
        let reference = format!("R-{n}");
        // The lanes' chunks begin and end at different places.
        if n.is_multiple_of(5) || n < 1_500 {
            iban(&reference, "1.10")
        } else {
            card(&reference, "2")
        }
    };
    let rows: Vec<_> = (0..4_321).map(row).collect();
    let id = world.taken(&world.rows("many.csv", &rows)).await;
    let batch = world.batch(id).await;
    assert!(batch.chunks > 4);
    let written = report::write(&*world.ledger, &world.rules, &batch, world.folder.path(), false)
        .await
        .unwrap();
    assert_eq!(written.result, world.path("many.result.csv"));
    let text = std::fs::read_to_string(&written.result).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "line,reference,amount,currency,method,destination,lane,state,provider_id,reason,attempts,updated,receipts,late_news"
    );
    let references: Vec<_> = lines.map(|line| line.split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(references, (0..4_321).map(|n| format!("R-{n}")).collect::<Vec<_>>());
    let sums = &written.summary.currencies;
    assert_eq!((sums["EUR"].file, sums["EUR"].open.0.rows), (sums["EUR"].open, 2_065));
    assert_eq!(sums["RUB"].file.amount(), "4512.00");
}

#[tokio::test]
async fn each_state_is_shown_with_its_reason_and_counted_once() {
    let world = World::new();
    let rows: Vec<_> = ["A", "B", "C", "D"].iter().map(|r| card(r, "10.01")).collect();
    let id = world.taken(&world.rows("a.csv", &rows)).await;
    let places: Vec<_> = world.rows_of(id).await.into_iter().map(|(place, _)| place).collect();
    world.settle(places[0], State::Paid).await;
    world.settle(places[1], State::Failed).await;
    world.settle(places[2], State::Review).await;
    let batch = world.batch(id).await;
    let written = report::write(&*world.ledger, &world.rules, &batch, world.folder.path(), false)
        .await
        .unwrap();
    let text = std::fs::read_to_string(&written.result).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[1],
        "2,A,10.01,RUB,card,4111…1111,main,paid,'=id-1,,1,2023-11-14T22:13:20Z,r/1 r/2,"
    );
    assert!(lines[2].contains(",failed,'=id-1,no such card,1,"), "{}", lines[2]);
    assert!(lines[3].contains(",review,'=id-1,the provider's record differs from ours,1,"));
    assert!(lines[4].contains(",accepted,,,0,"), "{}", lines[4]);
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&written.file).unwrap()).unwrap();
    let rub = &summary["currencies"]["RUB"];
    assert_eq!(rub["file"], serde_json::json!({ "rows": 4, "amount": "40.04" }));
    for column in ["paid", "failed", "review", "open"] {
        assert_eq!(rub[column], serde_json::json!({ "rows": 1, "amount": "10.01" }), "{column}");
    }
}

#[tokio::test]
async fn what_was_to_be_done_is_shown_while_it_waits_and_not_beside_what_is_paid() {
    let scene = Scene::new(SecondStep::Funding).await;
    scene.news(0, News::Paid).await;
    scene.news(1, News::InProgress).await;
    scene.news(2, News::Waiting).await;
    let batch = scene.world.batch(scene.batch).await;
    let folder = scene.world.folder.path();
    let written = report::write(&*scene.world.ledger, &scene.world.rules, &batch, folder, false)
        .await
        .unwrap();
    let mut found = Vec::new();
    let mut file = csv::Reader::from_path(&written.result).unwrap();
    for line in file.records() {
        let line = line.unwrap();
        found.push((line[7].to_owned(), line[9].to_owned()));
    }
    let row = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    let words = "enter the code sent to the owner";
    assert_eq!(found, [row("paid", ""), row("submitted", ""), row("waiting", words)]);
}

#[tokio::test]
async fn totals_that_do_not_add_up_are_an_error_and_leave_no_file() {
    let world = World::new();
    let id = world.taken(&world.rows("a.csv", &[card("A", "1")])).await;
    let mut batch = world.batch(id).await;
    batch.totals.0.get_mut("RUB").unwrap().minor += 1;
    let error = report::write(&*world.ledger, &world.rules, &batch, world.folder.path(), false)
        .await
        .unwrap_err();
    assert!(matches!(error, ReportError::DoesNotAddUp { .. }), "{error}");
    assert!(
        error.to_string().contains("RUB: the file has 1 rows and 1.01, the ledger 1 rows and 1.00"),
        "{error}"
    );
    let left: Vec<_> = std::fs::read_dir(world.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("result") || name.contains(".part"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn results_are_kept_current_and_two_batches_of_one_name_do_not_overwrite_each_other() {
    let world = World::new();
    let folder = world.path("done");
    std::fs::create_dir(&folder).unwrap();
    let mut results = Vec::new();
    for reference in ["A", "B"] {
        let id = world.taken(&world.rows("same.csv", &[card(reference, "1")])).await;
        let (place, _) = world.rows_of(id).await.remove(0);
        assert_eq!(
            report::keep_up::once(&*world.ledger, &world.rules, &folder, true).await.unwrap(),
            0
        );
        world.settle(place, State::Paid).await;
        assert_eq!(world.batch(id).await.state, BatchState::Complete);
        assert_eq!(
            report::keep_up::once(&*world.ledger, &world.rules, &folder, false).await.unwrap(),
            1
        );
        assert_eq!(
            report::keep_up::once(&*world.ledger, &world.rules, &folder, true).await.unwrap(),
            0
        );
        assert_eq!(world.batch(id).await.reported, Some(world.batch(id).await.changes));
        results.push(id);
    }
    let first = std::fs::read_to_string(folder.join("same.result.csv")).unwrap();
    let second =
        std::fs::read_to_string(folder.join(format!("same.{}.result.csv", results[1]))).unwrap();
    assert!(first.contains(",A,") && second.contains(",B,"), "{first}\n{second}");
}

#[tokio::test]
async fn a_rejected_batch_has_nothing_to_report() {
    let world = World::new();
    world
        .refusal("reference,amount,currency,method,destination\nA,x,RUB,card,4111111111111111\n")
        .await;
    let batch = world.ledger.batches(None, 1).await.unwrap().remove(0);
    let error = report::summarize(&*world.ledger, &batch).await.unwrap_err().to_string();
    assert!(
        error.contains("it was rejected: 1 of 1 rows cannot be paid, so nothing was taken"),
        "{error}"
    );
}
