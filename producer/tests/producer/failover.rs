//! A route with a second lane (S15): which rows have one, what counts towards its ceilings, and by
//! which lane a result says that a row went.

use crate::world::{HEADER, World, card};
use domain::{ChunkId, Event, LaneName, Outcome, Sender};
use ledger::Guard;
use ledger::apply::{Happening, apply};
use producer::intake::TakeOptions;
use producer::report::rows::ReportRows;

fn name(text: &str) -> LaneName {
    LaneName::new(text).unwrap()
}

/// Cards go to `main`, and by `second` where that one refuses them; `second` has these ceilings.
fn world(payout: &'static str, batch: &'static str) -> World {
    World::with_config(|config| {
        config.routes[0].failover = Some(name("second"));
        let ceilings = &mut config.lanes.get_mut(&name("second")).unwrap().ceilings;
        ceilings.payout.insert("RUB".to_owned(), payout.to_owned());
        ceilings.batch.insert("RUB".to_owned(), batch.to_owned());
    })
}

/// The second lane of each row, by its reference.
async fn seconds(world: &World, batch: domain::BatchId) -> Vec<(String, Option<String>)> {
    let mut all = Vec::new();
    for (place, row) in world.rows_of(batch).await {
        let chunk = world.ledger.chunk(place.chunk).await.unwrap().unwrap();
        assert_eq!(chunk.first.lane, name("main"));
        let second = chunk.second.map(|via| via.lane.to_string());
        all.push((row.reference.to_string(), second));
    }
    all.sort();
    all
}

#[tokio::test]
async fn a_row_has_a_second_lane_where_its_route_names_one_that_could_pay_it() {
    let world = world("100.00", "1000.00");
    let rows = [card("A", "100.00"), card("B", "100.01"), card("C", "7.00")];
    let batch = world.taken(&world.rows("a.csv", &rows)).await;
    let second = Some("second".to_owned());
    let found = seconds(&world, batch).await;
    let expected = [("A", second.clone()), ("B", None), ("C", second)];
    assert_eq!(found, expected.map(|(reference, second)| (reference.to_owned(), second)));
}

#[tokio::test]
async fn a_row_that_names_its_lane_has_no_other() {
    let world = world("100.00", "1000.00");
    let text = format!("{HEADER},lane\n{},main\n", card("A", "1.00"));
    let batch = world.taken(&world.file("a.csv", text)).await;
    assert_eq!(seconds(&world, batch).await, [("A".to_owned(), None)]);
    let path = world.rows("b.csv", &[card("B", "1.00")]);
    let options = TakeOptions { lane: Some(name("main")), ..TakeOptions::of(path) };
    let batch = world.take(options).await.unwrap().batch.unwrap();
    assert_eq!(seconds(&world, batch).await, [("B".to_owned(), None)]);
}

#[tokio::test]
async fn what_may_come_to_a_second_lane_counts_towards_its_ceiling() {
    let world = world("100.00", "10.00");
    let rows = [card("A", "6.00"), card("B", "4.01")];
    let path = world.rows("a.csv", &rows);
    for dry_run in [true, false] {
        let options = TakeOptions { dry_run, ..TakeOptions::of(&path) };
        let error = world.take(options).await.unwrap_err().to_string();
        assert!(error.contains("10.01 RUB for lane second, above its ceiling"), "{error}");
    }
    world.assert_nothing_payable().await;
}

#[tokio::test]
async fn a_row_that_moved_keeps_its_place_in_the_result_and_names_the_lane_it_went_by() {
    let world = world("100.00", "1000.00");
    let rows = [card("A", "1.00"), card("B", "100.01"), card("C", "1.00"), card("D", "1.00")];
    let id = world.taken(&world.rows("a.csv", &rows)).await;
    let chunk = ChunkId { batch: id, no: 0 };
    move_row(&world, chunk, 1).await;
    let batch = world.batch(id).await;
    let mut rows = ReportRows::new(&*world.ledger, &batch);
    let mut found = Vec::new();
    while let Some(row) = rows.next().await.unwrap() {
        found.push((row.row.reference.to_string(), row.lane.to_string()));
    }
    let expected = [("A", "main"), ("B", "main"), ("C", "second"), ("D", "main")];
    let expected = expected.map(|(reference, lane)| (reference.to_owned(), lane.to_owned()));
    assert_eq!(found, expected);
}

/// The first lane refuses a row, as a worker writes it down.
async fn move_row(world: &World, chunk: ChunkId, row: u16) {
    let ledger = &*world.ledger;
    let ledger::Claim::Held { token, now, .. } = ledger.claim(chunk, 60_000).await.unwrap() else {
        panic!("nobody holds it")
    };
    let policy = world.rules.policy(&name("main"));
    let (sender, account) = (Sender(1), domain::Account(1));
    let intent = Event::Intent { send_before: now.plus(1_000), sender, account };
    let moves = Event::Outcome { intent: 1, outcome: Outcome::Moves };
    for (event, guard) in [(intent, Guard::Intent(token)), (moves, Guard::Fact)] {
        let payout = ledger.chunk(chunk).await.unwrap().unwrap().payouts[usize::from(row)];
        let happening = Happening { row, payout, event, notes: Vec::new() };
        let done = apply(ledger, chunk, guard, now, &policy, vec![happening]).await.unwrap();
        assert!(done.unwrap()[0].1.is_changed());
    }
}
