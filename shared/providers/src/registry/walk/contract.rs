//! The idempotency contract: what becomes of a reference that the provider has seen.

use super::*;
use crate::limits::Deduplication;

/// Refused the first time, in each sandbox; the next create of the same reference is taken.
const REFUSED_ONCE: &str = "1500.94";

#[tokio::test]
async fn a_reference_that_is_sent_twice_is_paid_twice_unless_that_is_excluded_by_declaration() {
    for world in worlds().await {
        let name = world.name;
        let payment = world.payment("INV-1");
        let payments = std::slice::from_ref(&payment);
        world.take(payments.to_vec()).await;
        let again = world.submit(payments).await.answers;
        let entries = world.entries(&payment).len();
        match world.limits.idempotency.deduplication {
            Deduplication::None => {
                assert_eq!(entries, 2, "{name}: deduplication: none is declared: {again:?}");
            }
            Deduplication::Refuses { .. } => {
                assert_eq!(entries, 1, "{name}: deduplication: it is declared: {again:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_reference_that_was_refused_once_is_taken_unless_errors_are_declared_to_repeat() {
    for world in worlds().await {
        let name = world.name;
        let payment = world.payment_of("INV-1", REFUSED_ONCE);
        let payments = std::slice::from_ref(&payment);
        let first = world.submit(payments).await.answers;
        let is_refused = !is_taken(&first[0]) && world.entries(&payment).is_empty();
        assert!(is_refused, "{name}: repeats_errors: not refused at first: {first:?}");
        let second = world.submit(payments).await.answers;
        let repeats = world.limits.idempotency.repeats_errors;
        assert_eq!(!is_taken(&second[0]), repeats, "{name}: repeats_errors: {second:?}");
        let booked = world.entries(&payment).len();
        assert_eq!(booked, usize::from(!repeats), "{name}: repeats_errors: in the ledger");
    }
}
