//! A lane moves to another account: nothing that the old one may have is sent from the new one.

use crate::between::{Between, Meddle};
use crate::desk::{Desk, LEASE_MS, lane};
use crate::fake::FINGERPRINT;
use crate::world::card;
use domain::{Account, Cause, ChunkId, Event, Millis, News, Outcome, Payout, Policy, State};
use ledger::audit::{Chain, Entry, Kind};
use ledger::{Claim, Ledger};
use producer::rebind::{Rebound, rebind};
use producer::review::{Says, asked};
use producer::steer::{self, SteerError};
use std::sync::Mutex;

const NEXT: &str = "fake:account-2";

async fn moved(desk: &Desk, ledger: &dyn Ledger) -> Result<Rebound, SteerError> {
    rebind(ledger, desk.clerk(), &lane(), &Policy::DEFAULT, NEXT).await
}

fn done(reviewed: u64) -> Rebound {
    Rebound::Moved { before: FINGERPRINT.to_owned(), reviewed }
}

async fn told(desk: &Desk) -> Vec<Entry> {
    let chain = Chain::lane(&lane()).as_str().to_owned();
    let stored = desk.ledger().entries(chain, 0, 1_000).await.unwrap();
    stored.iter().map(|bytes| Entry::decode(bytes).unwrap().0).collect()
}

async fn first_of(desk: &Desk, chunk: ChunkId) -> Payout {
    desk.ledger().chunk(chunk).await.unwrap().unwrap().payouts[0]
}

/// A is with the provider, B was never sent.
async fn half_sent() -> Desk {
    let desk = Desk::new().await;
    desk.send().await;
    desk.happen(Event::Outcome { intent: 1, outcome: Outcome::Accepted }).await;
    desk
}

#[tokio::test]
async fn what_was_sent_goes_to_review_and_what_never_was_is_paid_from_the_new_account() {
    let desk = half_sent().await;
    assert_eq!(moved(&desk, desk.ledger()).await.unwrap(), done(1));
    let payout = desk.payout().await;
    assert_eq!((payout.state, payout.cause), (State::Review, Cause::Rebound));
    let story = desk.story().await;
    let reason = story.reason.unwrap_or_default();
    assert!(reason.contains(FINGERPRINT) && reason.contains(NEXT), "{reason}");
    let chunk = desk.ledger().chunk(desk.place.chunk).await.unwrap().unwrap();
    assert_eq!(
        (chunk.payouts[1].state, chunk.payouts[1].account),
        (State::Accepted, Account::NONE)
    );
    let record = desk.ledger().lane(lane()).await.unwrap();
    assert_eq!(record.fingerprint, NEXT);
    let stop = record.stopped.unwrap();
    assert!(stop.until.is_none() && stop.reason.contains("producer lane start main"), "{stop:?}");
    assert!(steer::start_lane(desk.ledger(), &desk.world.rules, &lane()).await.unwrap());
    let ready = desk.ledger().take_ready(lane(), 10, 1_000).await.unwrap();
    assert_eq!(ready, [desk.place.chunk], "B is due");
}

#[tokio::test]
async fn a_lane_does_not_move_while_the_ledger_may_have_gone_back_in_time() {
    let desk = half_sent().await;
    let ledger = desk.ledger();
    assert!(ledger::suspicion::raise(ledger, "it knows less than worker 2", "2").await.unwrap());
    let before = (desk.payout().await, ledger.lane(lane()).await.unwrap());
    let refused = moved(&desk, ledger).await.unwrap_err();
    assert!(matches!(refused, SteerError::Suspect { .. }), "{refused:?}");
    let words = refused.to_string();
    assert!(words.contains("worker 2") && words.contains("producer ledger recover"), "{words}");
    assert_eq!((desk.payout().await, ledger.lane(lane()).await.unwrap()), before);
    assert!(told(&desk).await.is_empty(), "nor is anything told of it");
}

#[tokio::test]
async fn a_payout_whose_sender_is_gone_goes_to_review_too() {
    let desk = Desk::new().await;
    desk.send().await;
    assert_eq!(moved(&desk, desk.ledger()).await.unwrap(), done(1));
    let payout = desk.payout().await;
    assert_eq!((payout.state, payout.cause), (State::Review, Cause::Rebound));
}

#[tokio::test]
async fn the_lanes_chain_is_told_of_both_accounts_and_of_a_retired_ledger() {
    let desk = half_sent().await;
    moved(&desk, desk.ledger()).await.unwrap();
    assert_eq!(moved(&desk, desk.ledger()).await.unwrap(), Rebound::AsBefore);
    let (rules, other) = (&desk.world.rules, domain::LedgerId::parse("wxyz").unwrap());
    assert!(steer::adopt(desk.ledger(), rules, &lane(), other).await.unwrap());
    assert!(!steer::adopt(desk.ledger(), rules, &lane(), other).await.unwrap());
    let told = told(&desk).await;
    let kinds: Vec<_> = told.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Kind::LaneRebound, Kind::LaneAdopted], "each once");
    assert_eq!(told[0].text, serde_json::json!({ "before": FINGERPRINT, "now": NEXT }));
    assert_eq!(told[1].text, serde_json::json!({ "ledger": "wxyz" }));
    let head = ledger::audit::newest_head(desk.ledger(), &Chain::lane(&lane())).await.unwrap();
    assert_eq!(head.unwrap().count, 2);
}

#[tokio::test]
async fn a_chunk_that_a_worker_holds_is_waited_for() {
    let desk = half_sent().await;
    let claim = desk.ledger().claim(desk.place.chunk, LEASE_MS).await.unwrap();
    let Claim::Held { token, .. } = claim else { panic!("{claim:?}") };
    let worker = async {
        while told(&desk).await.is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(desk.ledger().lane(lane()).await.unwrap().stopped.is_some(), "stopped before");
        // What the worker has under way ends, and it writes that down.
        desk.happen(Event::News { attempt: 1, news: News::Paid }).await;
        desk.ledger().release(desk.place.chunk, token, Millis::NEVER).await.unwrap();
    };
    let (result, ()) = tokio::join!(moved(&desk, desk.ledger()), worker);
    assert_eq!(result.unwrap(), done(0));
    assert_eq!(desk.payout().await.state, State::Paid);
}

#[tokio::test]
async fn a_crash_midway_leaves_the_lane_stopped_under_its_old_account_and_is_completed_later() {
    let desk = half_sent().await;
    let second = desk.world.taken(&desk.world.rows("b.csv", &[card("C", "3.00")])).await;
    let second = desk.world.rows_of(second).await[0].0;
    desk.world.settle(second, State::Submitted).await;
    let next = Mutex::new(Some(Meddle::AwayAfter(1)));
    let ledger = Between { inner: desk.world.ledger.clone(), next };
    assert!(moved(&desk, &ledger).await.is_err());
    let states = [desk.payout().await.state, first_of(&desk, second.chunk).await.state];
    let reviewed = states.iter().filter(|state| **state == State::Review).count();
    assert_eq!(reviewed, 1, "one of two: {states:?}");
    let record = desk.ledger().lane(lane()).await.unwrap();
    assert!(record.fingerprint == FINGERPRINT && record.stopped.is_some(), "{record:?}");
    // The lease of whoever crashed ends by itself.
    desk.world.pass(LEASE_MS);
    assert_eq!(moved(&desk, desk.ledger()).await.unwrap(), done(1));
    for payout in [desk.payout().await, first_of(&desk, second.chunk).await] {
        assert_eq!((payout.state, payout.cause), (State::Review, Cause::Rebound));
    }
    assert_eq!(desk.ledger().lane(lane()).await.unwrap().fingerprint, NEXT);
}

#[tokio::test]
async fn the_desk_asks_no_account_about_what_another_one_sent() {
    let desk = half_sent().await;
    assert_ne!(desk.asked().await[0].says(), Says::Nothing);
    desk.fake.looked_up.lock().unwrap().clear();
    // The lane comes back to this account; what is asked about was sent under yet another one.
    let mut story = desk.story().await;
    story.known.payout.account = Account::of(NEXT);
    let line = desk.line();
    let asked = asked::ask(desk.ledger(), Ok(&line), &story).await.unwrap();
    let why = asked[0].told.clone().unwrap_err();
    assert!(why.contains("another account"), "{why}");
    assert!(desk.fake.looked_up.lock().unwrap().is_empty());
}
