//! Sizes: of a call, of a look-up, of a page.

use super::*;
use crate::api::Shipped;
use crate::limits::Polling;
use std::collections::BTreeSet;

/// No provider is asked for more records in a page.
const PAGE_MAX: u64 = 1_000;

fn payments(world: &World, prefix: &str, count: usize) -> Vec<Payment> {
    (0..count).map(|number| world.payment(&format!("{prefix}-{number}"))).collect()
}

#[tokio::test]
async fn a_call_carries_as_many_rows_as_are_declared_and_never_more() {
    for world in worlds().await {
        let (name, most) = (world.name, usize::from(world.limits.rows_per_call));
        let exact = payments(&world, "A", most);
        let shipped = world.submit(&exact).await;
        assert!(shipped.answers.iter().all(is_taken), "{name}: rows_per_call: not all are taken");
        assert_eq!(shipped.answers.len(), most, "{name}: rows_per_call: one answer a row");
        assert_eq!(world.counters().create, 1, "{name}: rows_per_call: creates");
        let booked: BTreeSet<_> = world.ledger().into_iter().map(|entry| entry.order_id).collect();
        assert_eq!(booked.len(), most, "{name}: rows_per_call: in the sandbox's ledger");
        assert!(
            exact.iter().all(|payment| booked.contains(payment.reference.as_str())),
            "{name}: rows_per_call: under our references"
        );

        let more = payments(&world, "B", most + 1);
        let Shipped { answers, rows_max, .. } = world.submit(&more).await;
        let creates = world.counters().create - 1;
        let booked = world.ledger().len() - most;
        let is_split = creates > 1 && booked == most + 1;
        let is_refused = creates == 1
            && booked == 0
            && !answers.iter().any(is_taken)
            && rows_max.is_some_and(|max| usize::from(max) <= most);
        assert!(
            is_split || is_refused,
            "{name}: rows_per_call: one row more was neither split nor refused whole: {creates} \
             creates took {booked} rows, rows_max {rows_max:?}"
        );
    }
}

#[tokio::test]
async fn a_look_up_answers_for_as_many_as_are_declared_in_pages_no_larger_than_declared() {
    for world in worlds().await {
        let (name, most) = (world.name, usize::from(world.limits.rows_per_look_up));
        let mut taken = world.take(payments(&world, "A", most + 1)).await;
        let control = by_reference(&taken.pop().unwrap());
        let mut ways = Vec::new();
        if world.limits.idempotency.found_by_reference {
            ways.push(("our references", taken.iter().map(by_reference).collect()));
        }
        if world.limits.looks_up_by_id {
            ways.push(("what the provider told", taken));
        }
        for (way, asked) in ways {
            let before = world.counters().status;
            let asked_alone = world.counters().calls.get("bid_info").copied().unwrap_or(0);
            let told = world.ask(&asked, Some(&control)).await;
            let lost: Vec<_> = told.found.iter().filter(|found| !is_there(found)).collect();
            let (count, first) = (lost.len(), lost.first());
            assert_eq!(count, 0, "{name}: rows_per_look_up: by {way}, not found: {first:?}");
            let requests = world.counters().status - before;
            assert!(requests > 0, "{name}: rows_per_look_up: nobody was asked");
            // A page tells of all that is on it; but an order that waits for its step is asked about
            // by itself before that is taken.
            let alone = world.counters().calls.get("bid_info").copied().unwrap_or(0) - asked_alone;
            if matches!(world.limits.polling, Polling::Paged { .. }) {
                let lists = requests - alone;
                assert!(lists <= 5, "{name}: polling: {lists} lists for {most} payouts by {way}");
            }
        }
        let (asked, declared) = (world.counters().max_page, world.limits.page_size);
        assert!(asked <= PAGE_MAX, "{name}: page_size: {asked} records were asked for");
        match declared {
            None => assert_eq!(asked, 0, "{name}: page_size: pages, and none is declared"),
            Some(declared) => assert!(
                (1..=u64::from(declared)).contains(&asked),
                "{name}: page_size: {declared} is declared, {asked} were asked for"
            ),
        }
    }
}
