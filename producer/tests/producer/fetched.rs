//! Rules for rows that lie at the provider: what intake does with them, and without them.

use crate::fake::Fake;
use crate::world::{World, card, iban};
use domain::LaneName;
use producer::intake::{IntakeError, TakeOptions};
use producer::provider::{Line, fetch};
use std::sync::Arc;

const HOUR_MS: u64 = 3_600_000;

fn main_lane() -> LaneName {
    LaneName::new("main").unwrap()
}

async fn words(world: &World, options: TakeOptions) -> String {
    let error = world.take(options).await.unwrap_err();
    world.assert_nothing_payable().await;
    assert!(matches!(error, IntakeError::LacksRules(_)), "{error}");
    assert!(!error.is_final(), "an inbox tries it again, when a worker has fetched them");
    error.to_string()
}

#[tokio::test]
async fn without_rules_a_file_is_refused_with_what_to_do_dry_or_not() {
    let world = World::with_main(&Fake::with_rules());
    let path = world.rows("a.csv", &[card("A", "x"), card("B", "0.50")]);
    let expected = "lane main cannot take rows now, so nothing was taken: its provider's rules \
                    for rows were never fetched. Start a worker with this lane, it fetches them, \
                    or fetch them now with `producer provider main rules`";
    assert_eq!(words(&world, TakeOptions::of(&path)).await, expected);
    let dry = TakeOptions { dry_run: true, ..TakeOptions::of(&path) };
    assert_eq!(words(&world, dry).await, expected);
}

#[tokio::test]
async fn a_file_for_other_lanes_does_not_care() {
    let world = World::with_main(&Fake::with_rules());
    world.taken(&world.rows("a.csv", &[iban("A", "1")])).await;
}

#[tokio::test]
async fn rules_of_the_ledger_are_followed_until_they_are_a_day_old() {
    let world = World::with_main(&Fake::with_rules());
    world.ledger.put_rules(main_lane(), "100".to_owned()).await.unwrap();
    world.taken(&world.rows("a.csv", &[card("A", "1.00")])).await;
    let path = world.rows("b.csv", &[card("B", "1.01")]);
    let error = world.take(TakeOptions::of(path)).await.unwrap_err().to_string();
    assert!(error.contains("column \"amount\", value \"1.01\": at most 100 kopecks"), "{error}");

    world.pass(24 * HOUR_MS);
    world.taken(&world.rows("c.csv", &[card("C", "1.00")])).await;
    world.pass(1);
    let world2 = words_of_old(&world).await;
    assert!(world2.contains("were fetched 24 hours ago"), "{world2}");

    world.ledger.put_rules(main_lane(), "200".to_owned()).await.unwrap();
    world.taken(&world.rows("e.csv", &[card("E", "2.00")])).await;
}

async fn words_of_old(world: &World) -> String {
    let path = world.rows("d.csv", &[card("D", "1.00")]);
    let error = world.take(TakeOptions::of(path)).await.unwrap_err();
    assert!(matches!(error, IntakeError::LacksRules(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn rules_that_cannot_be_followed_take_no_row() {
    let world = World::with_main(&Fake::with_rules());
    world.ledger.put_rules(main_lane(), "nonsense".to_owned()).await.unwrap();
    let path = world.rows("a.csv", &[card("A", "1")]);
    let text = words(&world, TakeOptions::of(path)).await;
    assert!(text.contains("cannot be followed (not a number)"), "{text}");
}

#[tokio::test]
async fn fetching_keeps_rules_that_can_be_followed_and_no_others() {
    let fake = Fake::with_rules();
    let world = World::with_main(&fake);
    let line = Line {
        lane: main_lane(),
        provider: Arc::clone(&fake) as _,
        policy: domain::Policy::DEFAULT,
        look_up_interval_us: 0,
    };
    assert_eq!(fetch::rules(&*world.ledger, &line).await.unwrap(), 3);
    *fake.rules.lock().unwrap() = Ok("broken".to_owned());
    let error = fetch::rules(&*world.ledger, &line).await.unwrap_err().to_string();
    assert!(error.contains("so they are not kept: not a number"), "{error}");
    *fake.rules.lock().unwrap() = Err("HTTP 503".to_owned());
    let error = fetch::rules(&*world.ledger, &line).await.unwrap_err().to_string();
    assert!(error.contains("did not give its rules: HTTP 503"), "{error}");
    assert_eq!(world.ledger.rules(main_lane()).await.unwrap().unwrap().1, "100");
}
