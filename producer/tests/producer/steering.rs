//! Lanes start and stop, batches are cancelled.

use crate::world::{World, card};
use domain::{BatchId, BatchState, ChunkId, Currencies, LaneName, LedgerId, Money, Place, State};
use ledger::audit::{Chain, Entry, Kind};
use ledger::spend::{self, Caps, Holder};
use ledger::{LaneRecord, Slow};
use producer::show::lanes::{self, Shown};
use producer::steer::{self, Cancelled, SteerError};

#[tokio::test]
async fn cancelling_ends_what_was_never_sent_and_leaves_the_rest_to_its_end() {
    let world = World::new();
    let id =
        world.taken(&world.rows("a.csv", &[card("A", "1"), card("B", "1"), card("C", "1")])).await;
    let places: Vec<_> = world.rows_of(id).await.into_iter().map(|(place, _)| place).collect();
    world.settle(places[0], State::Submitted).await;
    let done = steer::cancel(&*world.ledger, &world.rules, id).await.unwrap();
    assert_eq!(done, Cancelled { payouts: 2, under_way: 1 });
    let batch = world.batch(id).await;
    assert_eq!(batch.state, BatchState::Cancelled);
    assert_eq!(batch.counts.get(State::Cancelled), 2);
    let again = steer::cancel(&*world.ledger, &world.rules, id).await.unwrap();
    assert_eq!(again, Cancelled { payouts: 0, under_way: 1 });
}

#[tokio::test]
async fn a_complete_batch_cannot_be_cancelled() {
    let world = World::new();
    let id = world.taken(&world.rows("a.csv", &[card("A", "1")])).await;
    let (place, _) = world.rows_of(id).await.remove(0);
    world.settle(place, State::Paid).await;
    let error = steer::cancel(&*world.ledger, &world.rules, id).await.unwrap_err();
    assert!(matches!(error, SteerError::TooLate { state: BatchState::Complete, .. }), "{error}");
}

#[tokio::test]
async fn a_lane_is_stopped_with_its_reason_until_it_is_started() {
    let world = World::new();
    let lane = LaneName::new("main").unwrap();
    assert!(steer::stop_lane(&*world.ledger, &world.rules, &lane, "balance").await.unwrap());
    assert!(!steer::stop_lane(&*world.ledger, &world.rules, &lane, "again").await.unwrap());
    let record = world.ledger.lane(lane.clone()).await.unwrap();
    assert_eq!(record.stopped.unwrap().reason, "balance");
    assert!(steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap());
    assert_eq!(world.ledger.lane(lane.clone()).await.unwrap().stopped, None);
    assert!(!steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap());
    let nobody = LaneName::new("nobody").unwrap();
    let error = steer::start_lane(&*world.ledger, &world.rules, &nobody).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no lane \"nobody\"; lanes: main, second");
}

#[tokio::test]
async fn another_ledger_is_retired_once_and_never_this_one() {
    let world = World::new();
    let lane = LaneName::new("main").unwrap();
    let id = LedgerId::parse("wxyz").unwrap();
    assert!(steer::adopt(&*world.ledger, &world.rules, &lane, id).await.unwrap());
    assert!(!steer::adopt(&*world.ledger, &world.rules, &lane, id).await.unwrap());
    assert_eq!(world.ledger.lane(lane.clone()).await.unwrap().adopted, [id]);
    let own = world.ledger.about().await.unwrap().id;
    let error = steer::adopt(&*world.ledger, &world.rules, &lane, own).await.unwrap_err();
    assert!(matches!(error, SteerError::OwnLedger(_)), "{error}");
    let nobody = LaneName::new("nobody").unwrap();
    let error = steer::adopt(&*world.ledger, &world.rules, &nobody, id).await.unwrap_err();
    assert!(matches!(error, SteerError::NoLane { .. }), "{error}");
}

fn place(row: u16) -> Place {
    Place { chunk: ChunkId { batch: BatchId::from_bytes([1; 16]), no: 0 }, row }
}

/// Uses a cap of 10.00 EUR up: the second of two payouts of 6.00 does not fit.
async fn spent(world: &World, holder: &Holder) {
    let eur = Currencies::default().find("EUR").unwrap();
    let money = Money::parse("6", &eur, '.').unwrap();
    let caps = Caps { hour: [("EUR".to_owned(), 1_000)].into(), ..Caps::default() };
    let now = world.ledger.about().await.unwrap().now;
    let asks = [(place(0), &money), (place(1), &money)];
    let reserved = spend::reserve(&*world.ledger, holder, &caps, now, &asks).await;
    assert_eq!(reserved.unwrap().admitted.rows, 1);
}

async fn told(world: &World, chain: &Chain) -> Entry {
    let entries = world.ledger.entries(chain.as_str().to_owned(), 0, 100).await.unwrap();
    Entry::decode(entries.last().unwrap()).unwrap().0
}

#[tokio::test]
async fn a_lane_that_its_cap_holds_is_opened_by_starting_it_and_that_is_told() {
    let world = World::new();
    let lane = LaneName::new("main").unwrap();
    let holder = Holder::Lane(lane.clone());
    spent(&world, &holder).await;
    let now = world.ledger.about().await.unwrap().now;
    let hold = spend::hold(&*world.ledger, &holder, &Caps::default(), now).await.unwrap();
    let record = world.ledger.lane(lane.clone()).await.unwrap();
    let shown = [Shown { hold, ..shown(record) }];
    // The ledger of these tests stands at 22:13.
    let words = "until 2023-11-14T23:00:00Z: of the cap of 10.00 EUR for one hour, 6.00 EUR are \
                 used, and the next payout is 6.00 EUR; it goes on by itself at the next full hour \
                 (UTC), or at once, with all of that cap, by `producer lane start main`";
    assert_eq!(lanes::stopped(&shown), format!("lane main holds {words}\n"));
    assert!(lanes::list(&shown).contains(words), "{}", lanes::list(&shown));
    let json = &lanes::to_json(&shown)[0];
    assert_eq!(
        (&json["state"], &json["held"]["caps"][0]["used"]),
        (&"holds".into(), &"6.00 EUR".into())
    );

    assert!(steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap());
    assert_eq!(spend::hold(&*world.ledger, &holder, &Caps::default(), now).await.unwrap(), None);
    let entry = told(&world, &Chain::lane(&lane)).await;
    assert_eq!(entry.kind, Kind::LaneStarted);
    assert!(entry.text["was_held_for"].as_str().unwrap().contains("6.00 EUR are used"));
    assert!(!steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap(), "once");
}

fn shown(record: LaneRecord) -> Shown {
    Shown {
        record,
        provider: "fake".to_owned(),
        paused_until: None,
        closed: None,
        holidays_ended: None,
        hold: None,
    }
}

#[tokio::test]
async fn a_pause_that_the_provider_asked_for_is_ended_by_a_person_and_its_slower_pace_is_kept() {
    let world = World::new();
    let lane = LaneName::new("main").unwrap();
    let hurry = || steer::hurry_lane(&*world.ledger, &world.rules, &lane);
    assert_eq!(hurry().await.unwrap(), None, "nothing to end");
    let now = world.ledger.about().await.unwrap().now;
    let until = now.plus(900_000);
    let slow = Slow { since: now, until, refusals: 2, met_us: 2_000, cut_us: 16_000 };
    let slows = |record: &mut LaneRecord| {
        record.slow = Some(slow);
        true
    };
    ledger::lane::change(&*world.ledger, &lane, slows).await.unwrap();
    let record = world.ledger.lane(lane.clone()).await.unwrap();
    let told_of = [Shown { paused_until: record.paused_until(now), ..shown(record) }];
    let words = "no requests until 2023-11-14T22:28:20Z (`producer lane hurry main`)";
    assert!(lanes::list(&told_of).contains(words), "{}", lanes::list(&told_of));
    assert_eq!(lanes::to_json(&told_of)[0]["paused_until"], "2023-11-14T22:28:20Z");

    assert_eq!(hurry().await.unwrap(), Some(until));
    let after = world.ledger.lane(lane.clone()).await.unwrap();
    assert_eq!(after.slow, Some(Slow { until: now, ..slow }));
    let entry = told(&world, &Chain::lane(&lane)).await;
    assert_eq!(entry.kind, Kind::LaneHurried);
    assert_eq!(entry.text["was_paused_until_ms"], until.0);
    assert_eq!(hurry().await.unwrap(), None, "once");
}

#[tokio::test]
async fn starting_a_lane_that_was_stopped_gives_no_cap_its_room_back() {
    let world = World::new();
    let lane = LaneName::new("main").unwrap();
    let holder = Holder::Lane(lane.clone());
    let money = Money::parse("6", &Currencies::default().find("EUR").unwrap(), '.').unwrap();
    let now = world.ledger.about().await.unwrap().now;
    let none = Caps::default();
    spend::reserve(&*world.ledger, &holder, &none, now, &[(place(0), &money)]).await.unwrap();
    assert!(steer::stop_lane(&*world.ledger, &world.rules, &lane, "balance").await.unwrap());
    assert!(steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap());
    let (_, spend) = spend::read(&*world.ledger, &holder).await.unwrap();
    assert_eq!(spend.hour.used.0["EUR"].minor, 600);
}

#[tokio::test]
async fn a_batch_that_its_cap_holds_is_opened_by_resuming_it_paused_or_not() {
    let world = World::new();
    let (ledger, rules) = (&*world.ledger, &*world.rules);
    let id = world.taken(&world.rows("a.csv", &[card("A", "1")])).await;
    let holder = Holder::Batch(id, LaneName::new("main").unwrap());
    for is_paused in [false, true] {
        spent(&world, &holder).await;
        if is_paused {
            steer::pause::pause(ledger, rules, id, Some("lunch")).await.unwrap();
        }
        assert!(steer::pause::resume(ledger, rules, id).await.unwrap());
        assert_eq!(world.batch(id).await.state, BatchState::Active);
        let now = ledger.about().await.unwrap().now;
        assert_eq!(spend::hold(ledger, &holder, &Caps::default(), now).await.unwrap(), None);
        let entry = told(&world, &Chain::batch(id)).await;
        assert_eq!(entry.kind, Kind::Resumed);
        assert!(entry.text["was_held_for"][0].as_str().unwrap().contains("6.00 EUR are used"));
        assert_eq!(entry.text["was_paused_for"].as_str(), is_paused.then_some("lunch"));
    }
    assert!(!steer::pause::resume(ledger, rules, id).await.unwrap(), "nothing holds it");
}
