//! Look-ups: by what a payout is found, what "absent" proves, and that a blind one proves nothing.

use super::*;
use sandbox::{Chance, Fault};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_payout_is_found_by_what_is_declared() {
    for world in worlds().await {
        let (name, limits) = (world.name, &world.limits);
        let taken = world.take_one("INV-1").await;
        let found = world.look_up(&taken).await;
        assert!(is_there(&found), "{name}: looks_up_by_id: {found:?}");
        let found = world.look_up(&by_reference(&taken)).await;
        let is_found = is_there(&found);
        assert_eq!(is_found, limits.idempotency.found_by_reference, "{name}: found_by_reference");
        assert!(is_found || matches!(found, Found::Unclear { .. }), "{name}: {found:?}");
    }
}

/// Who wants an id asks another question with it than without it.
#[tokio::test]
async fn what_the_provider_told_is_asked_for_where_that_is_declared() {
    for world in worlds().await {
        let (name, declared) = (world.name, world.limits.looks_up_by_id);
        let taken = world.take_one("INV-1").await;
        let with = world.operations_of(&taken).await;
        let asked = by_reference(&taken);
        let without = match world.limits.idempotency.found_by_reference {
            true => world.operations_of(&asked).await,
            false => BTreeSet::new(),
        };
        assert_eq!(with != without, declared, "{name}: looks_up_by_id: {with:?}, {without:?}");
        let is_told = taken.past.provider_id.is_some() || taken.past.shipment.is_some();
        assert!(is_told || !declared, "{name}: looks_up_by_id: the provider told no id");
    }
}

/// The walk holds every look-up to it; the first one of a lane may need more than its question.
#[tokio::test]
async fn every_request_of_a_look_up_waits_its_turn_the_first_ones_of_a_lane_too() {
    for world in worlds().await {
        world.ask(&[by_reference(&world.payment("INV-1"))], None).await;
        assert!(world.counters().status > 0, "{}: turns: nobody was asked", world.name);
    }
}

#[tokio::test]
async fn what_was_never_sent_is_proved_absent_only_where_that_is_declared() {
    for world in worlds().await {
        let name = world.name;
        let control = by_reference(&world.take_one("CONTROL").await);
        let told = world.ask(&[world.payment("NEVER-SENT")], Some(&control)).await;
        let is_proved = told.found == [Found::Absent] && told.is_live;
        let (declared, found) = (world.limits.idempotency.absence.proves, &told.found);
        assert_eq!(is_proved, declared, "{name}: absence: {found:?}, live: {}", told.is_live);
    }
}

/// Not found, empty, another page, filter ignored. At every question, and, where one look-up
/// makes several, at the first few of them.
#[tokio::test]
async fn no_blind_look_up_proves_that_a_payout_is_absent() {
    let chances = [Chance::ALWAYS, Chance::next(1), Chance::next(2), Chance::next(3)];
    for world in worlds().await {
        let control = by_reference(&world.take_one("CONTROL").await);
        let taken = world.take_one("INV-1").await;
        let is_single = world.limits.rows_per_look_up == 1;
        for (fault, is_of_lists) in [
            (Fault::StatusBlind, false),
            (Fault::StatusEmpty, false),
            (Fault::StatusOtherPage, true),
            (Fault::StatusFilterIgnored, true),
        ] {
            for chance in chances.iter().take(if is_single { 1 } else { chances.len() }) {
                let struck = world.counters().faults.get(&fault).copied();
                for asked in [by_reference(&taken), taken.clone()] {
                    world.dial().set(fault, *chance).unwrap();
                    let told = world.ask(std::slice::from_ref(&asked), Some(&control)).await;
                    world.dial().set(fault, Chance::NEVER).unwrap();
                    let is_proved = told.found == [Found::Absent] && told.is_live;
                    let name = world.name;
                    assert!(!is_proved, "{name}: absence: proved by {fault:?}, {chance:?}");
                }
                // A dial that strikes nothing shows nothing.
                let is_struck = world.counters().faults.get(&fault).copied() > struck;
                let has_lists = world.limits.page_size.is_some();
                let name = world.name;
                assert!(is_struck || (is_of_lists && !has_lists), "{name}: {fault:?} never struck");
            }
        }
        let found = world.look_up(&world.least_known(&taken)).await;
        assert!(is_there(&found), "{}: the dial is calm again: {found:?}", world.name);
    }
}
