//! Acts after the create: the second step, and the cancellation.

use super::world::stepping_worlds;
use super::*;
use crate::api::{CancelAnswer, StepAnswer};
use crate::limits::SecondStep;

#[tokio::test]
async fn nothing_is_paid_before_the_second_step_that_is_declared() {
    for world in stepping_worlds().await {
        let (name, declared) = (world.name, world.limits.second_step);
        let is_declared = declared != SecondStep::None;
        let is_offered = world.adapter.confirm().is_some();
        assert_eq!(is_offered, is_declared, "{name}: second_step: confirm()");
        let answers = world.submit(&[world.payment("INV-0")]).await.answers;
        let is_begun = matches!(answers[..], [Answer::Begun { .. }]);
        assert_eq!(is_begun, is_declared, "{name}: second_step: {answers:?}");

        let taken = world.take_one("INV-1").await;
        world.sandbox.settle_now();
        let is_paid_already = world.entries(&taken).iter().any(|entry| entry.paid);
        assert_eq!(is_paid_already, !is_declared, "{name}: second_step: paid without it");
        let found = world.look_up(&taken).await;
        let is_due = match declared {
            SecondStep::None => is_paid(&found),
            SecondStep::Code => matches!(found, Found::Is { news: News::Waiting, .. }),
            SecondStep::Funding => {
                matches!(found, Found::StepDue { .. } | Found::Is { news: News::Waiting, .. })
            }
        };
        assert!(is_due, "{name}: second_step: {declared:?} is declared, and {found:?}");
        if declared == SecondStep::Code {
            let answer = world.step(&taken, None).await;
            let is_refused = matches!(answer, StepAnswer::Refused { .. });
            assert!(is_refused, "{name}: second_step: without the code: {answer:?}");
        }
        let done = world.finish(taken).await;
        let found = world.look_up(&done).await;
        assert!(is_paid(&found), "{name}: second_step: after it: {found:?}");
        let [entry] = &world.entries(&done)[..] else { panic!("{name}: second_step: one entry") };
        assert!(entry.paid, "{name}: second_step: {entry:?}");
    }
}

#[tokio::test]
async fn an_open_payout_can_be_cancelled_where_that_is_declared_and_a_paid_one_nowhere() {
    for world in worlds().await {
        let name = world.name;
        let cancel = world.adapter.cancel();
        assert_eq!(cancel.is_some(), world.limits.cancel, "{name}: cancel");
        let Some(cancel) = cancel else { continue };
        let paid = world.take_one("INV-PAID").await;
        let paid = world.finish(paid).await;
        let open = world.take_one("INV-OPEN").await;
        let answer = cancel.cancel(open.clone()).await;
        assert_eq!(answer, CancelAnswer::Taken, "{name}: cancel");
        let found = world.look_up(&open).await;
        let is_given_up = matches!(found, Found::Is { news: News::Cancelled | News::Failed, .. });
        assert!(is_given_up, "{name}: cancel: {found:?}");
        world.sandbox.settle_now();
        let moved = world.entries(&open).iter().any(|entry| entry.paid);
        assert!(!moved, "{name}: cancel: it was paid all the same");
        let answer = cancel.cancel(paid.clone()).await;
        let is_refused = matches!(answer, CancelAnswer::Refused { .. });
        assert!(is_refused, "{name}: cancel: of what is paid: {answer:?}");
        let found = world.look_up(&paid).await;
        assert!(is_paid(&found), "{name}: cancel: {found:?}");
    }
}
