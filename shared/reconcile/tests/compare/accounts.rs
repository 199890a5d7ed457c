//! A lane changes its account: one account's list says nothing of the other's payouts.

use crate::world::*;
use domain::{Account, State};
use futures::executor::block_on;
use futures::future::BoxFuture;
use ledger::Ledger;
use providers::{Period, Statement, StatementPage, Turns};
use reconcile::{CompareError, Job, Kind, Progress, compare, lane as record};

async fn bind(ledger: &dyn Ledger, fingerprint: &str) {
    let mut record = ledger.lane(lane()).await.unwrap();
    record.fingerprint = fingerprint.to_owned();
    assert!(ledger.put_lane(record).await.unwrap());
}

#[test]
fn what_was_sent_under_another_account_is_not_looked_for_in_this_ones_list() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Paid]);
    world.put(0, |payout| payout.account = Account::of("before:1"));
    world.put(1, |payout| payout.account = account());
    let own = world.list.entries.split_off(1);
    world.list.entries.clear();
    assert_eq!(world.found(), [(Kind::Blind, String::new())], "two are ours");
    world.list.entries = own;
    assert_eq!(world.found(), []);
    let outcome = world.compare();
    assert_eq!((outcome.elsewhere, outcome.agree), (1, 2));
    assert_eq!(outcome.there, outcome.here);
    for at in 1..3 {
        world.put(at, |payout| payout.account = Account::of("before:1"));
    }
    world.list.entries.clear();
    assert_eq!(world.found(), [], "the lane came here today");
    assert_eq!(world.compare().elsewhere, 3);
}

#[test]
fn a_list_of_another_account_than_the_pools_is_neither_claimed_nor_compared() {
    let world = World::of(&[State::Paid]);
    block_on(bind(&*world.ledger, "after:1"));
    assert!(matches!(world.try_compare(), Err(CompareError::Account)));
    let claim = || block_on(record::claim(&*world.ledger, &lane(), account())).unwrap();
    assert!(!claim());
    block_on(bind(&*world.ledger, "telling:1"));
    assert!(world.try_compare().is_ok());
    assert!(claim(), "it was left to whoever is on the account");
}

/// The lane changes its account while the list is read.
struct Rebound<'w>(&'w World);

impl Statement for Rebound<'_> {
    fn page<'a>(
        &'a self,
        period: Period,
        cursor: Option<&'a str>,
        turns: &'a dyn Turns,
    ) -> BoxFuture<'a, Result<StatementPage, String>> {
        Box::pin(async move {
            bind(&*self.0.ledger, "after:1").await;
            self.0.list.page(period, cursor, turns).await
        })
    }
}

#[test]
fn a_comparison_during_which_the_lane_changed_its_account_is_void() {
    let mut world = World::of(&[State::Paid]);
    world.list.entries.clear();
    let (name, list) = (lane(), Rebound(&world));
    let job = Job { statement: &list, ..world.job(&name) };
    let found = block_on(compare(&job, &Progress::default()));
    assert!(matches!(found, Err(CompareError::Account)));
}
