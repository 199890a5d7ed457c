//! A slip does not become a payment: ceilings for a payout, a batch and a day (S23).

use crate::world::{World, card, iban};
use domain::LaneName;
use producer::intake::{IntakeError, TakeOptions};

fn world(what: &'static str, code: &'static str, amount: &'static str) -> World {
    World::with_config(|config| {
        let lane = config.lanes.get_mut(&LaneName::new("main").unwrap()).unwrap();
        let ceilings = match what {
            "payout" => &mut lane.ceilings.payout,
            "batch" => &mut lane.ceilings.batch,
            _ => &mut lane.ceilings.day,
        };
        ceilings.insert(code.to_owned(), amount.to_owned());
    })
}

#[tokio::test]
async fn a_row_above_the_ceiling_is_refused_with_line_and_column_and_without_its_destination() {
    let world = world("payout", "RUB", "100.00");
    let rows = [card("A", "100.00"), card("B", "100.01")].join("\n");
    let words = world.refusal(format!("{}\n{rows}\n", crate::world::HEADER)).await;
    assert!(words.contains("line 3") && words.contains("amount"), "{words}");
    assert!(words.contains("above the ceiling of lane main for one payout, 100.00 RUB"), "{words}");
    assert!(!words.contains("4111"), "{words}");
}

#[tokio::test]
async fn a_lane_that_moves_real_money_takes_nothing_without_a_ceiling_and_no_other_currency() {
    let main = LaneName::new("main").unwrap();
    let bare = World::with_config(|config| {
        config.lanes.get_mut(&main).unwrap().sandbox = false;
    });
    let path = bare.rows("a.csv", &[card("A", "1")]);
    for dry_run in [true, false] {
        let options = TakeOptions { dry_run, ..TakeOptions::of(&path) };
        let error = bare.take(options).await.unwrap_err();
        assert!(matches!(error, IntakeError::NoCeiling(_)), "{error}");
        assert!(error.to_string().contains("[lanes.main.ceilings]"), "{error}");
        assert!(!error.is_final(), "the file is taken once the config is right");
    }
    let euros_only = World::with_config(|config| {
        let lane = config.lanes.get_mut(&main).unwrap();
        lane.sandbox = false;
        lane.ceilings.payout.insert("EUR".to_owned(), "5".to_owned());
    });
    let text = format!("{}\n{}\n", crate::world::HEADER, card("A", "1"));
    let words = euros_only.refusal(text).await;
    assert!(words.contains("lane main has no ceiling for RUB"), "{words}");
}

#[tokio::test]
async fn a_file_above_the_ceiling_of_a_batch_is_refused_whole_and_rehearsed_so() {
    let world = world("batch", "RUB", "10.00");
    let rows = [card("A", "6.00"), card("B", "4.01"), iban("C", "5000.00")];
    let path = world.rows("a.csv", &rows);
    for dry_run in [true, false] {
        let error =
            world.take(TakeOptions { dry_run, ..TakeOptions::of(&path) }).await.unwrap_err();
        let words = "10.01 RUB for lane main, above its ceiling for one batch, 10.00 RUB";
        assert!(error.to_string().contains(words), "{error}");
    }
    world.assert_nothing_payable().await;
    world.taken(&world.rows("b.csv", &rows[..1])).await;
}

fn capped(key: &'static str, amount: &'static str) -> World {
    World::with_config(|config| {
        let lane = config.lanes.get_mut(&LaneName::new("main").unwrap()).unwrap();
        let caps = match key {
            "spend_hour" => &mut lane.brakes.spend_hour,
            _ => &mut lane.brakes.batch_spend_day,
        };
        caps.insert("RUB".to_owned(), amount.to_owned());
    })
}

#[tokio::test]
async fn a_row_that_no_window_of_a_cap_has_room_for_is_refused() {
    for (key, words) in [
        ("spend_hour", "is more than lane main may spend in one hour, 10.00 RUB"),
        ("batch_spend_day", "is more than one batch on lane main may spend in one day, 10.00 RUB"),
    ] {
        let world = capped(key, "10");
        let rows = [card("A", "10.00"), card("B", "10.01")].join("\n");
        let told = world.refusal(format!("{}\n{rows}\n", crate::world::HEADER)).await;
        assert!(told.contains("line 3") && told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn a_file_that_a_cap_would_not_let_through_before_it_is_too_old_is_refused_and_rehearsed_so()
{
    // Seven days touch eight days of the calendar at most.
    let world = capped("batch_spend_day", "10");
    let rows: Vec<_> = (0..9).map(|n| card(&format!("A-{n}"), "10.00")).collect();
    let too_many = world.rows("a.csv", &rows);
    for dry_run in [true, false] {
        let options = TakeOptions { dry_run, ..TakeOptions::of(&too_many) };
        let told = world.take(options).await.unwrap_err().to_string();
        let words = "the file has 90.00 RUB for lane main, and one batch on lane main may spend \
                     10.00 RUB in one day: in the 604800000 ms";
        assert!(told.contains(words), "{told}");
    }
    world.assert_nothing_payable().await;
    world.taken(&world.rows("b.csv", &rows[..8])).await;
}

#[tokio::test]
async fn a_day_has_a_ceiling_over_all_its_files_and_what_was_rejected_leaves_its_room() {
    let world = world("day", "RUB", "10.00");
    world.taken(&world.rows("a.csv", &[card("A", "6.00")])).await;
    let second = world.rows("b.csv", &[card("B", "4.01")]);
    let error = world.take(TakeOptions::of(&second)).await.unwrap_err().to_string();
    assert!(error.contains("6.00 RUB were taken in for it today"), "{error}");
    assert!(error.contains("its ceiling for one day is 10.00 RUB"), "{error}");
    world.taken(&world.rows("c.csv", &[card("C", "4.00")])).await;
    world.pass(24 * 60 * 60 * 1_000);
    world.taken(&second).await;
    let registers = world.ledger.registers("day/main/".to_owned()).await.unwrap();
    let told: Vec<_> = registers.iter().map(|r| (r.name.as_str(), r.text.as_str())).collect();
    assert_eq!(
        told,
        [
            ("day/main/2023-11-14", r#"{"RUB":{"rows":2,"amount":"10.00"}}"#),
            ("day/main/2023-11-15", r#"{"RUB":{"rows":1,"amount":"4.01"}}"#),
        ]
    );
}

#[tokio::test]
async fn the_largest_rows_are_shown_masked_and_an_unusual_total_is_warned_of() {
    let world = World::new();
    for n in 1..=3 {
        let name = format!("{n}.csv");
        world.taken(&world.rows(&name, &[card(&name, &format!("{n}.00"))])).await;
    }
    let rows: Vec<_> = (1..=7).map(|n| card(&format!("R-{n}"), &format!("{n}.00"))).collect();
    let taken = world.take(TakeOptions::of(world.rows("big.csv", &rows))).await.unwrap();
    let lines: Vec<_> = taken.largest.iter().map(|row| row.line).collect();
    assert_eq!(lines, [8, 7, 6, 5, 4]);
    assert_eq!(taken.largest[0].amount, "7.00 RUB");
    let [with] = &taken.compared[..] else { panic!("{:?}", taken.compared) };
    assert_eq!((with.median.as_str(), with.batches, with.is_unusual), ("2.00", 3, true));
    let shown = producer::show::taken::taken(&taken);
    assert!(shown.contains("large: line 8, R-7, 7.00 RUB to 4111…1111"), "{shown}");
    assert!(shown.contains("BEWARE, ten times as much or more: 28.00 RUB"), "{shown}");
    assert!(!shown.contains("4111111111111111"), "{shown}");
    let usual = world.take(TakeOptions::of(world.rows("u.csv", &[card("U", "2.00")]))).await;
    assert!(!usual.unwrap().compared[0].is_unusual);
}
