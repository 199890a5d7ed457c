//! Statements: whoever has pages has a list, and what was paid stands in it, on whichever page.

use super::world::paging_worlds;
use super::*;
use crate::statement::{Entry, Period, Standing, StatementPage};
use crate::testing::Counted;
use domain::Millis;
use sandbox::{Chance, Fault};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

/// More than two small pages.
const PAYMENTS: usize = 25;
/// Whoever needs more for so few payments reads in a circle.
const PAGES_MAX: usize = 20;
const HOUR_MS: u64 = 3_600_000;

fn now() -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Millis(u64::try_from(now.as_millis()).unwrap())
}

fn around(at: Millis) -> Period {
    Period { from: at, until: at }.wider(HOUR_MS)
}

/// All pages, or why there is no list.
async fn read(world: &World, period: Period) -> Result<Vec<StatementPage>, String> {
    let statement = world.adapter.statement().unwrap();
    let (turns, before) = (Counted::default(), world.requests());
    let mut pages = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = statement.page(period, cursor.as_deref(), &turns).await?;
        cursor = page.next.clone();
        pages.push(page);
        assert!(pages.len() <= PAGES_MAX, "{}: the list does not end", world.name);
        if cursor.is_none() {
            break;
        }
    }
    let turns = u64::try_from(turns.0.load(Ordering::SeqCst)).unwrap();
    let requests = world.requests() - before;
    assert!(turns >= requests, "{}: {requests} requests waited {turns} turns", world.name);
    Ok(pages)
}

#[tokio::test]
async fn whoever_has_pages_has_a_list() {
    for world in worlds().await {
        let has_list = world.adapter.statement().is_some();
        assert_eq!(has_list, world.limits.page_size.is_some(), "{}: page_size", world.name);
    }
}

#[tokio::test]
async fn what_was_paid_stands_in_the_list_whichever_page_it_is_on() {
    for world in paging_worlds().await.into_iter().filter(|w| w.adapter.statement().is_some()) {
        let name = world.name;
        let most = usize::from(world.limits.rows_per_call).min(PAYMENTS);
        let mut payments: Vec<Payment> =
            (0..PAYMENTS).map(|number| world.payment(&format!("INV-{number}"))).collect();
        let mut taken = Vec::new();
        while !payments.is_empty() {
            let rest = payments.split_off(most.min(payments.len()));
            taken.extend(world.take(std::mem::replace(&mut payments, rest)).await);
        }
        let mut paid = Vec::new();
        for payment in taken {
            paid.push(world.finish(payment).await);
        }
        let pages = read(&world, around(now())).await.unwrap();
        assert!(pages.len() > 2, "{name}: {} pages", pages.len());
        let entries: Vec<&Entry> = pages.iter().flat_map(|page| &page.entries).collect();
        for payment in &paid {
            let ours = entries.iter().filter(|e| e.reference == payment.reference.as_str());
            let ours: Vec<&&Entry> = ours.collect();
            let ids: BTreeSet<_> = ours.iter().map(|entry| entry.provider_id.as_deref()).collect();
            assert_eq!(ids.len(), 1, "{name}: {}: {ids:?}", payment.reference);
            for entry in ours {
                assert_eq!(entry.standing, Standing::Paid, "{name}");
                assert_eq!(entry.differences(&payment.row), [""; 0], "{name}");
                assert!(entry.tells_money(), "{name}: an amount that cannot be compared");
            }
        }
        let last_year = around(Millis(now().0 - 365 * 24 * HOUR_MS));
        let none = read(&world, last_year).await.unwrap();
        assert!(none.iter().all(|page| page.entries.is_empty()), "{name}: of another time");
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_or_is_another_page_is_none() {
    for world in paging_worlds().await.into_iter().filter(|w| w.adapter.statement().is_some()) {
        world.take_one("INV-1").await;
        for fault in [Fault::StatusEmpty, Fault::StatusError, Fault::StatusOtherPage] {
            let struck = world.counters().faults.get(&fault).copied();
            world.dial().set(fault, Chance::ALWAYS).unwrap();
            let told = read(&world, around(now())).await;
            world.dial().set(fault, Chance::NEVER).unwrap();
            let is_struck = world.counters().faults.get(&fault).copied() > struck;
            assert!(is_struck, "{}: {fault:?} never struck", world.name);
            // The only order of a site is on its first page: another one is empty, as if none were.
            let is_empty = |pages: &Vec<StatementPage>| pages.iter().all(|p| p.entries.is_empty());
            let may_be_empty = fault == Fault::StatusOtherPage && world.name == "exchanger";
            let is_none = told.as_ref().map_or(true, |pages| may_be_empty && is_empty(pages));
            assert!(is_none, "{}: {fault:?} gave a list", world.name);
        }
    }
}
