//! What a person is told to do, and when he is told not to.

use crate::scene::{Scene, lane};
use domain::{BatchState, News};
use producer::{show, steer, waiting};
use providers::{SecondStep, StepAnswer};

/// What `producer waiting` shows.
async fn shown(scene: &Scene) -> (String, serde_json::Value) {
    let all = waiting::all(&*scene.world.ledger, &scene.world.rules).await.unwrap();
    (show::waiting::list(&all), show::waiting::to_json(&all)[0]["payouts"].clone())
}

#[tokio::test]
async fn what_waits_is_listed_with_what_to_do_and_the_command() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.fake.answers(StepAnswer::Unknown { text: "timeout".to_owned() });
    let calls = scene.calls().await;
    scene.take(&calls[1]).await.unwrap();
    let all = waiting::all(&*scene.world.ledger, &scene.world.rules).await.unwrap();
    let id = scene.batch;
    assert_eq!(
        show::waiting::list(&all),
        format!(
            "batch {id} (a.csv): 3 payouts wait\n\
             reference  lane    amount  since\n\
             A          main  1.50 RUB  2023-11-14T22:13:20Z\n\
             B          main  2.00 RUB  2023-11-14T22:13:20Z\n  \
             to do: enter the code sent to the owner\n  \
             then:  producer confirm {id} --reference A\n\
             reference  lane    amount  since\n\
             C          main  4.00 RUB  2023-11-14T22:13:20Z\n  \
             to do: enter the code sent to the owner\n  \
             then:  producer confirm {id} --reference C\n  \
             but:   a confirmation is under way; a look-up after {} tells what became \
             of\n         it\n",
            producer::report::cells::time(&scene.payout(2).await.due)
        )
    );
    let json = show::waiting::to_json(&all);
    assert_eq!(json[0]["payouts"][1]["command"], format!("producer confirm {id} --reference B"));

    let batch = scene.world.batch(id).await;
    let words = format!(
        "batch {id}: 3 payouts wait for a person at the provider; `producer waiting {id}` says \
         for what\n"
    );
    assert!(show::batches::one(&batch).ends_with(&words), "{}", show::batches::one(&batch));
    assert!(show::batches::list(&[batch]).ends_with(&words));
}

#[tokio::test]
async fn what_somebody_has_said_to_be_funded_is_not_to_be_funded_again() {
    let scene = Scene::new(SecondStep::Funding).await;
    scene.take(&scene.calls().await[1]).await.unwrap();
    // The provider still shows the order as not funded.
    scene.news(2, News::Waiting).await;
    let (text, payouts) = shown(&scene).await;
    let words = "somebody has already said that this was funded; ask before sending anything. What \
                 the provider says: enter the code sent to the owner";
    assert_eq!(payouts[2]["what"], words);
    assert_eq!(payouts[2]["said_to_be_funded"], true);
    assert_eq!(payouts[2]["command"], "producer provider main look-up C");
    assert!(text.contains("to do: somebody has already said that this was funded; ask"), "{text}");
    assert!(!text.contains("--reference C"), "{text}");
    assert_eq!(payouts[0]["what"], "enter the code sent to the owner");
    assert_eq!(payouts[0]["said_to_be_funded"], false);
    assert_eq!(payouts[0]["command"], format!("producer confirm {} --reference A", scene.batch));
}

#[tokio::test]
async fn a_code_that_was_wrong_is_no_funding() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.fake.answers(StepAnswer::Refused { text: "wrong code".to_owned() });
    scene.take(&scene.first().await).await.unwrap();
    let (_, payouts) = shown(&scene).await;
    assert_eq!(payouts[0]["what"], "enter the code sent to the owner");
}

#[tokio::test]
async fn of_a_batch_that_pays_nothing_nobody_is_told_to_fund_anything() {
    for state in [BatchState::Paused, BatchState::Cancelled] {
        let scene = Scene::new(SecondStep::Funding).await;
        let ledger = &*scene.world.ledger;
        assert!(ledger.set_batch_state(scene.batch, BatchState::Active, state).await.unwrap());
        let (text, payouts) = shown(&scene).await;
        for payout in payouts.as_array().unwrap() {
            assert_eq!(payout["what"], format!("do not fund: the batch is {state}"));
            assert_eq!(payout["hold"], format!("the batch is {state}"));
        }
        assert!(!text.contains("enter the code") && !text.contains("producer confirm"), "{text}");
    }
}

#[tokio::test]
async fn of_a_stopped_lane_nobody_is_told_to_fund_anything() {
    for (step, words) in [
        (SecondStep::Funding, "do not fund: lane main is stopped: checking"),
        (SecondStep::Code, "do not enter a code: lane main is stopped: checking"),
    ] {
        let scene = Scene::new(step).await;
        steer::stop_lane(&*scene.world.ledger, &scene.world.rules, &lane(), "checking")
            .await
            .unwrap();
        let (text, payouts) = shown(&scene).await;
        assert_eq!(payouts[0]["what"], words);
        assert!(!text.contains("producer confirm"), "{text}");
        steer::start_lane(&*scene.world.ledger, &scene.world.rules, &lane()).await.unwrap();
        let (_, payouts) = shown(&scene).await;
        assert_eq!(payouts[0]["what"], "enter the code sent to the owner");
    }
}

#[tokio::test]
async fn a_hold_does_not_hide_that_money_may_be_there_already() {
    let scene = Scene::new(SecondStep::Funding).await;
    scene.fake.answers(StepAnswer::Refused { text: "switched off".to_owned() });
    scene.take(&scene.calls().await[1]).await.unwrap();
    steer::cancel(&*scene.world.ledger, &scene.world.rules, scene.batch).await.unwrap();
    let (_, payouts) = shown(&scene).await;
    assert_eq!(
        payouts[2]["what"],
        "do not fund: the batch is cancelled; somebody has already said that this was funded; ask \
         before sending anything"
    );
}
