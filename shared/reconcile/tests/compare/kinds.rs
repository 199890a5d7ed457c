//! Each kind of difference is found, and what is none is told apart.

use crate::world::*;
use domain::{Destination, Millis, ReferenceFormat, State};
use providers::{Entry, Standing};
use reconcile::Kind;
use rust_decimal::Decimal;

fn named(kind: Kind, at: usize) -> (Kind, String) {
    (kind, format!("INV-{at}"))
}

#[test]
fn what_was_paid_there_and_failed_here_is_found() {
    let mut world = World::of(&[State::Paid, State::Failed, State::Cancelled]);
    world.list.entries.iter_mut().for_each(|entry| entry.standing = Standing::Paid);
    assert_eq!(world.found(), [named(Kind::PaidThere, 1), named(Kind::PaidThere, 2)]);
}

#[test]
fn what_was_paid_there_and_would_be_sent_again_here_is_found() {
    let mut world = World::of(&[State::Paid, State::Accepted]);
    world.list.entries[1].standing = Standing::Paid;
    assert_eq!(world.found(), [named(Kind::PaidThere, 1)]);
}

#[test]
fn news_may_take_a_day_and_no_longer() {
    let mut world = World::of(&[State::Submitted, State::Unknown]);
    world.list.entries.iter_mut().for_each(|entry| entry.standing = Standing::Paid);
    world.list.entries[1].at = Some(Millis(NOW.0 - 25 * HOUR_MS));
    assert_eq!(world.found(), [named(Kind::PaidThere, 1), named(Kind::Behind, 0)]);
    assert_eq!(world.compare().differences(), 1);
}

#[test]
fn what_a_person_has_before_him_stops_nothing() {
    let mut world = World::of(&[State::Paid, State::Review]);
    world.list.entries[1].standing = Standing::Paid;
    assert_eq!(world.found(), [named(Kind::InReview, 1)]);
    assert_eq!(world.compare().differences(), 0);
}

#[test]
fn what_was_paid_here_and_not_there_is_found() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Paid, State::Paid]);
    world.list.entries[1].standing = Standing::Failed;
    world.list.entries[2].standing = Standing::Open;
    world.list.entries.remove(3);
    let expected: Vec<_> = (1..4).map(|at| named(Kind::PaidHere, at)).collect();
    assert_eq!(world.found(), expected);
    let words: Vec<_> = world.compare().shown.into_iter().map(|one| one.words).collect();
    assert!(words.iter().any(|words| words == "failed there"), "{words:?}");
}

#[test]
fn what_was_sent_within_the_hour_need_not_stand_in_the_list_yet() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Paid]);
    let lately = Millis(NOW.0 - HOUR_MS / 2);
    world.put(1, |payout| payout.send_before = lately);
    world.put(2, |payout| payout.since = lately);
    world.list.entries[2].standing = Standing::Open;
    world.list.entries.remove(1);
    assert_eq!(world.found(), []);
}

#[test]
fn a_record_that_failed_beside_one_that_was_paid_is_no_difference() {
    let mut world = World::of(&[State::Paid]);
    let failed = Entry {
        standing: Standing::Failed,
        provider_id: Some("other".to_owned()),
        ..world.entry(0, 1)
    };
    world.list.entries.insert(0, failed.clone());
    world.list.entries.push(failed);
    assert_eq!(world.found(), []);
}

#[test]
fn what_was_paid_twice_is_found_and_what_two_pages_show_is_one() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Paid, State::Paid, State::Paid]);
    world.list.overlap = 2;
    assert_eq!(world.found(), []);
    assert_eq!((world.compare().ours, world.compare().agree), (5, 5));
    let again = Entry { provider_id: Some("doc-again".to_owned()), ..world.entry(2, 1) };
    world.list.entries.push(again);
    let nameless = Entry { provider_id: None, ..world.entry(3, 1) };
    world.list.entries.push(nameless);
    assert_eq!(world.found(), [named(Kind::Twice, 2), named(Kind::Twice, 3)]);
}

#[test]
fn an_older_attempt_that_was_paid_is_found() {
    let mut world = World::of(&[State::Paid, State::Paid]);
    world.put(0, |payout| payout.attempt = 2);
    world.list.entries[0] = world.entry(0, 2);
    assert_eq!(world.found(), []);
    world.list.entries.push(world.entry(0, 1));
    assert_eq!(world.found(), [named(Kind::PaidThere, 0)]);
}

#[test]
fn another_amount_currency_or_destination_is_found_and_never_shown_whole() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Paid]);
    world.list.entries[0].amount = Some(Decimal::new(1, 0));
    world.list.entries[1].currency = Some("USD".to_owned());
    let other = "4222222222222222";
    world.list.entries[2].destination = Some(Destination::new(other.to_owned()));
    let expected: Vec<_> = (0..3).map(|at| named(Kind::Otherwise, at)).collect();
    assert_eq!(world.found(), expected);
    let shown = format!("{:?}", world.compare());
    assert!(!shown.contains(other) && !shown.contains("4111111100000002"), "{shown}");
}

#[test]
fn an_amount_that_is_not_told_is_counted_and_one_that_is_still_open_is_not_judged() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Submitted, State::Submitted]);
    world.list.entries[1].amount = None;
    world.list.entries[2].amount = None;
    world.list.entries[3].amount = Some(Decimal::ONE);
    assert_eq!(world.found(), []);
    assert_eq!(world.compare().untold, 1);
}

#[test]
fn money_that_came_back_unnoticed_is_found() {
    let mut world = World::of(&[State::Paid, State::Paid]);
    world.list.entries.iter_mut().for_each(|entry| entry.standing = Standing::Returned);
    world.put(1, |payout| payout.returned = true);
    assert_eq!(world.found(), [named(Kind::Returned, 0)]);
}

#[test]
fn what_is_closed_here_and_open_there_is_told_and_stops_nothing() {
    let mut world = World::of(&[State::Paid, State::Failed]);
    world.list.entries[1].standing = Standing::Open;
    assert_eq!(world.found(), [named(Kind::StillOpen, 1)]);
    assert_eq!(world.compare().differences(), 0);
}

#[test]
fn our_reference_that_the_ledger_does_not_know_is_found() {
    let mut world = World::of(&[State::Paid]);
    let unknown = |reference: &str, standing| Entry {
        reference: reference.to_owned(),
        standing,
        ..world.entry(0, 1)
    };
    let more = [
        unknown("abcd-LOST", Standing::Paid),
        unknown("abcd.00112233445566778899aabbccddeeff", Standing::Open),
        unknown("abcd-NEVER", Standing::Failed),
        unknown("bill 17", Standing::Paid),
        unknown("17", Standing::Paid),
        unknown("", Standing::Paid),
    ];
    world.list.entries.extend(more);
    let digest = "abcd.00112233445566778899aabbccddeeff".to_owned();
    let expected = [(Kind::Unknown, "abcd-LOST".to_owned()), (Kind::Unknown, digest)];
    assert_eq!(world.found(), expected);
    assert_eq!(world.compare().others, 4, "made by nobody of ours, or of no consequence");
}

#[test]
fn a_payout_of_long_ago_is_found_by_its_reference() {
    let mut world = World::of(&[State::Paid, State::Failed]);
    let long_ago = Millis(NOW.0 - 30 * 24 * HOUR_MS);
    world.put(1, |payout| (payout.send_before, payout.since) = (long_ago, long_ago));
    world.list.entries[1].standing = Standing::Paid;
    assert_eq!(world.found(), [named(Kind::PaidThere, 1)]);
}

#[test]
fn another_ledgers_reference_is_found_until_that_ledger_is_retired() {
    let mut world = World::of(&[State::Paid]);
    let other = Entry { reference: "wxyz-INV-9".to_owned(), ..world.entry(0, 1) };
    world.list.entries.push(other);
    assert_eq!(world.found(), [(Kind::OtherLedger, "wxyz-INV-9".to_owned())]);
    let id = domain::LedgerId::parse("wxyz").unwrap();
    futures::executor::block_on(reconcile::lane::adopt(&*world.ledger, &lane(), id)).unwrap();
    assert_eq!(world.found(), []);
}

#[test]
fn a_number_is_found_though_it_names_no_ledger() {
    let mut world =
        World::with(&[State::Paid, State::Failed, State::Paid], ReferenceFormat::Number);
    world.list.entries[1].standing = Standing::Paid;
    world.list.entries.remove(2);
    for reference in ["4611686018427387904", "4611686018427387904", "17"] {
        let other = Entry { reference: reference.to_owned(), ..world.entry(0, 1) };
        world.list.entries.push(other);
    }
    assert_eq!(world.found(), [named(Kind::PaidThere, 1), named(Kind::PaidHere, 2)]);
    let outcome = world.compare();
    assert_eq!((outcome.unplaced.0["RUB"].rows, outcome.others), (1, 1));
}

#[test]
fn a_list_that_shows_nothing_of_ours_is_told_once_and_not_as_agreement() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Paid]);
    world.list.entries.clear();
    assert_eq!(world.found(), [(Kind::Blind, String::new())]);
    let empty = World::of(&[State::Failed]);
    assert_eq!(empty.found(), [], "nothing was to be shown");
}

#[test]
fn a_list_that_leads_in_a_circle_is_none() {
    let mut world = World::of(&[State::Paid, State::Paid, State::Paid, State::Paid]);
    (world.list.page, world.list.overlap) = (2, 0);
    assert!(world.try_compare().is_ok());
    world.list.overlap = 2;
    let error = world.try_compare().unwrap_err().to_string();
    assert!(error.contains("to itself"), "{error}");
}
