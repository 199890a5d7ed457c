//! The README's error tables, line by line, against the sandbox: what the site says, and what the
//! adapter makes of it.

use super::*;
use crate::api::CancelAnswer;
use domain::News;
use sandbox::Fault;
use std::collections::BTreeMap;
use world::{World, now, world, world_of};

/// Everything that the adapter can be asked on a lane: create, look-up, step, cancel, desk.
async fn everything(world: &World, known: &Payment) -> (Answer, Found, StepAnswer, CancelAnswer) {
    (
        world.submit(&now("NEW", "1500.00")).await,
        world.look_up(known).await,
        confirm(&world.adapter, known.clone()).await,
        Provider::cancel(&world.adapter).unwrap().cancel(known.clone()).await,
    )
}

/// Nothing is done, the lane stops, and a person is told what to do.
fn all_stop(told: &(Answer, Found, StepAnswer, CancelAnswer), advice: &str) {
    let (answer, found, step, cancel) = told;
    let stops = matches!(answer, Answer::StopLane { text, retry_after_ms: None }
                         if text.contains(advice));
    assert!(stops, "{answer:?}");
    assert!(matches!(found, Found::StopLane { text } if text.contains(advice)), "{found:?}");
    assert!(matches!(step, StepAnswer::NotSent { text } if text.contains(advice)), "{step:?}");
    assert!(
        matches!(cancel, CancelAnswer::Refused { text } if text.contains(advice)),
        "{cancel:?}"
    );
}

#[tokio::test]
async fn an_address_that_is_not_on_the_list_stops_the_lane() {
    let world = world_of("", |config| config.exchanger.is_address_blocked = true).await;
    let told = everything(&world, &known("A", "1500.00", "100001:h")).await;
    all_stop(&told, "add it to the allowed IP addresses of the API key");
}

#[tokio::test]
async fn api_disabled_stops_the_lane() {
    let world = world("").await;
    let known = world.begun(now("A", "1500.00")).await;
    world.always(Fault::AccountClosed, true);
    all_stop(&everything(&world, &known).await, "the API is off, the login or key is wrong");
    world.always(Fault::AccountClosed, false);
    assert_eq!(world.sandbox.ledger().len(), 1);
    // A wrong key is told in the same words.
    let wrong = world_of("", |config| config.exchanger.api_key = "another".into()).await;
    all_stop(&everything(&wrong, &known).await, "the API is off, the login or key is wrong");
}

#[tokio::test]
async fn a_method_that_is_not_enabled_is_named() {
    let off = |methods: &'static [&str]| {
        world_of("", move |config| {
            config.exchanger.disabled_methods =
                methods.iter().map(|method| (*method).to_owned()).collect();
        })
    };
    let world = off(&["create_bid"]).await;
    let answer = world.submit(&now("A", "1500.00")).await;
    let advice = "enable the method create_bid for the API key";
    assert!(
        matches!(&answer, Answer::StopLane { text, .. } if text.contains(advice)),
        "{answer:?}"
    );

    let world = off(&["pay_bid", "cancel_bid"]).await;
    let payment = world.begun(now("A", "1500.00")).await;
    let step = confirm(&world.adapter, payment.clone()).await;
    assert!(
        matches!(&step, StepAnswer::Refused { text } if text.contains("enable the method pay_bid")),
        "{step:?}"
    );
    let cancel = Provider::cancel(&world.adapter).unwrap().cancel(payment).await;
    let advice = "enable the method cancel_bid";
    assert!(
        matches!(&cancel, CancelAnswer::Refused { text } if text.contains(advice)),
        "{cancel:?}"
    );

    let world = off(&["bid_info", "get_exchanges"]).await;
    let payment = world.begun(now("A", "1500.00")).await;
    for payment in [payment, now("B", "1500.00")] {
        let found = world.look_up(&payment).await;
        assert!(
            matches!(&found, Found::StopLane { text } if text.contains("enable the method")),
            "{found:?}"
        );
    }

    let world = off(&["get_partner_info"]).await;
    let text = world.adapter.desk().unwrap().ask("partner-info", &BTreeMap::new()).await;
    assert!(text.unwrap_err().contains("enable the method get_partner_info"));
}

#[tokio::test]
async fn an_empty_answer_is_never_absence_by_itself() {
    let world = world("").await;
    let payment = world.begun(now("A", "1500.00")).await;
    world.always(Fault::StatusEmpty, true);
    for asked in [payment.clone(), now("A", "1500.00"), now("NONE", "1.00")] {
        let found = world.look_up(&asked).await;
        assert!(matches!(found, Found::Unclear { .. }), "{found:?}");
    }
    let step = confirm(&world.adapter, payment.clone()).await;
    assert!(matches!(step, StepAnswer::NotSent { .. }), "{step:?}");
    assert_eq!(world.calls("pay_bid"), 0);
    let text = world.adapter.desk().unwrap().ask("exchanges", &BTreeMap::new()).await.unwrap_err();
    assert_eq!(text, "get_exchanges: an empty answer");
}

#[tokio::test]
async fn a_direction_that_is_closed_to_the_api_refuses_its_rows_and_nothing_is_created() {
    let world = world("directions = [{ id = 4, currency = \"RUB\", method = \"card\" }]").await;
    for reference in ["A", "B"] {
        let answer = world.submit(&now(reference, "1500.00")).await;
        assert!(
            matches!(&answer, Answer::Refused { text, created_nothing: true }
                     if text == "error 1: Direction not found"),
            "{answer:?}"
        );
    }
    assert_eq!(*world.adapter.warned.lock().unwrap(), BTreeSet::from([4]), "told once");
    assert!(world.sandbox.ledger().is_empty());
    // Intake knows as soon as the rules are there.
    let prepare = world.adapter.prepare().unwrap();
    prepare.install(&prepare.fetch().await.unwrap()).unwrap();
    let problems = world.adapter.validate(&now("C", "1500.00").row);
    assert!(problems[0].text.contains("Direction not found"), "{problems:?}");
}

#[tokio::test]
async fn maintenance_and_fields_that_are_wrong_and_an_id_that_exists_have_their_classes() {
    let world = world("").await;
    let later = world.submit(&now("A", "1500.94")).await;
    assert!(matches!(later, Answer::Later { retry_after_ms: Some(5_000), .. }), "{later:?}");
    // Validation names fields, and the limits, without the site's HTML.
    let mut poor = now("B", "99.00");
    Arc::make_mut(&mut poor.row).fields.clear();
    let refused = world.submit(&poor).await;
    let Answer::Refused { text, created_nothing: true } = &refused else { panic!("{refused:?}") };
    assert!(text.contains("sum2: min.: 100 RUB"), "{text}");
    assert!(text.contains("cf6: the field must be filled in") && !text.contains('<'), "{text}");
    assert!(world.sandbox.ledger().is_empty());
    // "Not unique": an order with our id is there, and it is the one to go on with.
    world.begun(now("C", "1500.00")).await;
    assert!(matches!(world.submit(&now("C", "1500.00")).await, Answer::Exists { .. }));
    let found = world.look_up(&now("C", "1500.00")).await;
    assert!(matches!(found, Found::StepDue { .. }), "{found:?}");
    // Under our id, but not what is ordered now: a person.
    let other = world.look_up(&now("C", "1600.00")).await;
    assert!(matches!(other, Found::Differs { .. }), "{other:?}");
}

#[tokio::test]
async fn an_order_that_does_not_exist_and_an_act_that_is_switched_off_change_nothing() {
    let world = world("").await;
    let stranger = known("A", "1500.00", "100001:0000");
    let cancel = Provider::cancel(&world.adapter).unwrap();
    let answer = cancel.cancel(stranger.clone()).await;
    assert!(matches!(&answer, CancelAnswer::Refused { text } if text.contains("No bid exists")));
    let step = confirm(&world.adapter, stranger).await;
    assert!(matches!(&step, StepAnswer::NotSent { text } if text.contains("No bid exists")));
    let desk = world.adapter.desk().unwrap();
    let hash = |hash: &str| BTreeMap::from([("hash".to_owned(), hash.to_owned())]);
    for act in ["success", "cancel-bid"] {
        let text = desk.ask(act, &hash("0000")).await.unwrap_err();
        assert!(text.contains("No bid exists"), "{text}");
    }
    // Paid already: it can be cancelled no more.
    let payment = world.begun(now("B", "1500.00")).await;
    confirm(&world.adapter, payment.clone()).await;
    let id = payment.past.provider_id.as_deref().and_then(wire::BidId::read).unwrap();
    let text = desk.ask("cancel-bid", &hash(&id.hash.unwrap())).await.unwrap_err();
    assert!(text.contains("Action disabled"), "{text}");
    let found = world.look_up(&stepped(payment)).await;
    assert!(matches!(found, Found::Is { news: News::InProgress, .. }), "{found:?}");
}

#[tokio::test]
async fn words_that_no_table_lists_are_unknown() {
    let world = world("").await;
    let answer = world.submit(&now("A", "1500.95")).await;
    assert!(
        matches!(&answer, Answer::Unknown { text } if text.contains("code 7741")),
        "{answer:?}"
    );
}
