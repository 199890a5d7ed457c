//! Tokens that end, notices, cancellations, and what a person sees.

use super::*;

#[tokio::test]
async fn a_token_that_capay_forgets_is_replaced_once_for_all_and_no_payout_is_sent_twice() {
    let world = world().await;
    world.taken(&card("INV-0", "10.00")).await;
    assert_eq!(world.tokens(), 1);
    world.control("forget_tokens", "").await;
    let payments: Vec<_> = (1..=8).map(|n| card(&format!("INV-{n}"), "10.00")).collect();
    futures::future::join_all(payments.iter().map(|payment| world.taken(payment))).await;
    assert_eq!(world.tokens(), 2, "one asked, the others waited");
    assert_eq!((world.duplicates(), world.sandbox.ledger().len()), (0, 9));
}

#[tokio::test]
async fn where_no_token_lives_the_second_401_stops_the_lane() {
    let world = world().await;
    world.sandbox.set_capay_token_life(Some(Duration::ZERO));
    let stop = world.submit(&card("INV-1", "10.00")).await;
    assert!(matches!(stop, Answer::StopLane { retry_after_ms: None, .. }), "{stop:?}");
    assert_eq!(world.tokens(), 2, "the first, and one for the 401");
    world.sandbox.set_capay_token_life(None);
    world.taken(&card("INV-1", "10.00")).await;
    assert_eq!(world.duplicates(), 0);
}

/// By the default profile no amount is told, so a true notice is a hint, too; but a forged one
/// does not even find its payout.
#[tokio::test]
async fn a_true_notice_is_a_hint_and_a_forged_one_is_nobodys() {
    let world = world().await;
    let payment = card("INV-1", "10.00");
    let known = world.taken(&payment).await;
    for fault in [Fault::ForgedSignature, Fault::ForgedStatus, Fault::CallbackDuplicated] {
        world.strike(fault);
    }
    world.sandbox.settle_now();
    let completed = "COMPLETED, but amount is not told; currency is not told";
    let completed = Heard::Hint { text: completed.to_owned() };
    until("the true notice has come", || world.heard(&payment).contains(&completed)).await;
    let heard = world.heard(&payment);
    let all = world.called.lock().unwrap().len();
    assert!(all >= heard.len() + 2, "of {all} notices two are forged");
    assert!(heard.iter().all(|heard| matches!(heard, Heard::Hint { .. })), "{heard:?}");
    assert!(is(&ask(&world.adapter, &known).await, News::Paid), "one look-up decides");
}

#[tokio::test]
async fn what_is_not_paid_can_be_cancelled_and_what_is_paid_cannot() {
    let world = world().await;
    let paid = world.taken(&card("INV-2", "10.00")).await;
    world.sandbox.settle_now();
    let open = world.taken(&card("INV-1", "10.00")).await;
    let cancel = Provider::cancel(&world.adapter).unwrap();
    assert_eq!(cancel.cancel(open.clone()).await, CancelAnswer::Taken);
    assert!(is(&ask(&world.adapter, &open).await, News::Cancelled));
    let refused = cancel.cancel(paid).await;
    assert!(matches!(refused, CancelAnswer::Refused { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_person_sees_beneficiaries_in_pages_and_payouts() {
    let world = world().await;
    let known = world.taken(&card("INV-1", "10.00")).await;
    let desk = world.adapter.desk().unwrap();
    let given = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let first = desk.ask("businesses", &given(&[("limit", "10")])).await.unwrap();
    assert_eq!((first.rows.len(), &*first.rows[0][0]), (10, "biz-01"));
    assert!(first.more.unwrap().starts_with("skip=10"));
    let second = given(&[("skip", "10"), ("limit", "10")]);
    let second = desk.ask("individuals", &second).await.unwrap();
    assert_eq!((second.rows.len(), second.more), (2, None));
    let payouts = desk.ask("payouts", &given(&[])).await.unwrap();
    assert_eq!(payouts.rows.len(), 1);
    let id = known.past.provider_id.unwrap();
    let one = desk.ask("payout", &given(&[("id", &id)])).await.unwrap();
    assert_eq!((&one.rows[0][2], &one.rows[0][4]), (&"abcd-INV-1".into(), &"10.00".into()));
}
