//! Look-ups, honest and blind.

use super::*;

#[tokio::test]
async fn what_was_never_sent_is_absent_where_the_list_is_empty_and_the_filter_is_obeyed() {
    let world = world().await;
    let payment = card("INV-1", "10.00");
    assert_eq!(ask(&world.adapter, &payment).await, Found::Absent);
    world.taken(&card("INV-2", "20.00")).await;
    assert_eq!(ask(&world.adapter, &payment).await, Found::Absent, "others do not show up");
    world.always(Fault::StatusFilterIgnored);
    let found = ask(&world.adapter, &payment).await;
    assert!(matches!(found, Found::Unclear { .. }), "others show up: {found:?}");
}

/// Not found, empty, another page, filter ignored: what a blind look-up says is the same for the
/// control, so nothing is proved; and most of it is not even "absent".
#[tokio::test]
async fn a_blind_look_up_never_finds_the_control_that_would_make_it_count() {
    let world = world().await;
    let (control, unknown) = (card("INV-1", "10.00"), card("INV-2", "10.00"));
    world.taken(&control).await;
    world.strike(Fault::HangAfter);
    let lost = world.submit(&unknown).await;
    assert!(matches!(lost, Answer::Unknown { .. }), "{lost:?}");
    for (fault, says) in [
        (Fault::StatusBlind, Some(Found::Absent)),
        (Fault::StatusEmpty, None),
        (Fault::StatusBare404, None),
        (Fault::StatusOtherPage, None),
    ] {
        world.always(fault);
        for payment in [&unknown, &control] {
            let found = ask(&world.adapter, payment).await;
            match &says {
                Some(says) => assert_eq!(found, *says, "{fault:?}"),
                None => assert!(matches!(found, Found::Unclear { .. }), "{fault:?}: {found:?}"),
            }
        }
        world.calm();
    }
    world.always(Fault::StatusFilterIgnored);
    let found = ask(&world.adapter, &unknown).await;
    assert!(is(&found, News::InProgress), "among others, and ours: {found:?}");
}

#[tokio::test]
async fn a_look_up_that_is_not_answered_says_nothing() {
    let world = world().await;
    let known = world.taken(&card("INV-1", "10.00")).await;
    for payment in [&card("INV-1", "10.00"), &known] {
        for fault in [
            Fault::StatusEmpty,
            Fault::StatusBare404,
            Fault::StatusError,
            Fault::TooManyRequests,
            Fault::StatusHang,
        ] {
            world.strike(fault);
            let found = ask(&world.adapter, payment).await;
            assert!(matches!(found, Found::Unclear { .. }), "{fault:?}: {found:?}");
        }
        world.strike(Fault::AccountClosed);
        assert!(matches!(ask(&world.adapter, payment).await, Found::StopLane { .. }));
    }
    world.strike(Fault::StatusBlind);
    let blind = ask(&world.adapter, &known).await;
    assert!(matches!(blind, Found::Unclear { .. }), "what was taken is never absent: {blind:?}");
}

#[tokio::test]
async fn another_client_sees_nothing_of_this_ones_payouts() {
    let world = world_with("persona = \"pm\"\nclient_id = \"client-2\"", |_| {}).await;
    let payment = card("INV-1", "10.00");
    world.taken(&payment).await;
    assert!(is(&ask(&world.adapter, &payment).await, News::InProgress));
    let tls = world.adapter.line.as_ref().unwrap();
    let url = world.adapter.settings.profile.list_path.url(&tls.base);
    let url = url.with_query(&[("reference", payment.reference.as_str()), ("clientId", "other")]);
    let raw = tls.call(&line::Outgoing::get(url)).await.unwrap();
    assert_eq!(world.adapter.read_page(&raw, 0, &payment).map(|page| page.items), Ok(0));
}
