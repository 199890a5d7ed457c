//! What a person asks a provider: questions, one payout, a cancellation.

use crate::fake::{FINGERPRINT, Fake};
use crate::world::{World, card};
use domain::{LaneName, LedgerId, Millis, News, Policy, State};
use ledger::memory::MemoryLedger;
use ledger::{LaneRecord, Ledger};
use producer::provider::{Line, chat, desk};
use producer::show;
use providers::{CancelAnswer, Found, Provider};
use std::sync::Arc;

fn lane() -> LaneName {
    LaneName::new("main").unwrap()
}

fn line(fake: &Arc<Fake>) -> Line {
    Line {
        lane: lane(),
        provider: Arc::clone(fake) as _,
        policy: Policy::DEFAULT,
        look_up_interval_us: 0,
    }
}

/// One payout, submitted, on the lane's own account.
async fn scene() -> (World, Arc<Fake>, domain::Place) {
    let fake = Fake::with(|_| {});
    let world = World::with_main(&fake);
    let batch = world.taken(&world.rows("a.csv", &[card("A", "1.50"), card("B", "1")])).await;
    let place = world.rows_of(batch).await[0].0;
    let record = LaneRecord { fingerprint: FINGERPRINT.to_owned(), ..LaneRecord::new(lane()) };
    assert!(world.ledger.put_lane(record).await.unwrap());
    (world, fake, place)
}

fn given(pairs: &[&str]) -> Vec<String> {
    pairs.iter().map(|pair| (*pair).to_owned()).collect()
}

#[test]
fn what_can_be_asked_is_listed_with_parameters_and_operations() {
    let text = show::provider::questions(&lane(), &*Fake::with_rules());
    assert_eq!(
        text,
        "lane main (fake) can be asked:\n  \
         balance            what is there [getBalance]\n  \
         withdraw           takes money out; changes something, asks for a yes [createWithdrawal]\n                     \
         to=…  the account (required)\n                     \
         amount=…  how much (required)\n  \
         look-up REFERENCE  where one payout stands at the provider; changes nothing\n  \
         cancel REFERENCE   asks to cancel one payout; asks for a yes\n  \
         rules              fetches the rules for rows, and keeps them for intake\n\
         ask with `producer provider main QUESTION [KEY=VALUE …]`\n"
    );
}

#[test]
fn an_unknown_question_is_told_with_the_nearest_one() {
    let fake = Fake::with(|_| {});
    let error = desk::question(&lane(), &*fake, "balanse").unwrap_err().to_string();
    assert_eq!(
        error,
        "the provider of lane main cannot be asked \"balanse\"; did you mean \"balance\"?; it can \
         be asked: balance, withdraw"
    );
    let error = desk::question(&lane(), &*fake, "lookup").unwrap_err().to_string();
    assert!(error.contains("did you mean \"look-up\"?"), "{error}");
}

#[tokio::test]
async fn what_acts_is_noted_before_and_after_without_what_was_typed() {
    let clock = Arc::new(|| Millis(1_700_000_000_000));
    let ledger = MemoryLedger::new(LedgerId::parse("abcd").unwrap(), clock);
    let fake = Fake::with(|_| {});
    let question = desk::question(&lane(), &*fake, "balance").unwrap();
    let none = desk::parameters(&question, &[]).unwrap();
    let sheet = desk::ask(&ledger, &line(&fake), &question, &none).await.unwrap();
    assert_eq!(show::provider::sheet(&sheet), "currency  amount\nEUR       12.50\n");
    assert!(ledger.strays(&lane()).is_empty(), "a question is no act");

    let question = desk::question(&lane(), &*fake, "withdraw").unwrap();
    let typed = given(&["to=4111111111111111", "amount=5"]);
    let typed = desk::parameters(&question, &typed).unwrap();
    desk::ask(&ledger, &line(&fake), &question, &typed).await.unwrap();
    let notes =
        ["by hand: withdraw (amount, to): begun", "by hand: withdraw (amount, to): answered"];
    assert_eq!(ledger.strays(&lane()), notes);

    let other = LaneRecord { fingerprint: "other".to_owned(), ..LaneRecord::new(lane()) };
    assert!(ledger.put_lane(other).await.unwrap());
    assert!(desk::ask(&ledger, &line(&fake), &question, &typed).await.is_err());
    assert_eq!(fake.asked.lock().unwrap().len(), 2, "nothing is done on another account");
}

#[tokio::test]
async fn a_look_up_shows_what_the_provider_says_and_writes_nothing() {
    let (world, fake, place) = scene().await;
    let ledger = &*world.ledger;
    let error = chat::look_up(ledger, &line(&fake), "A").await.unwrap_err().to_string();
    assert!(error.contains("was never sent"), "{error}");
    world.settle(place, State::Submitted).await;
    let before = ledger.chunk(place.chunk).await.unwrap();
    *fake.found.lock().unwrap() = Found::Is {
        news: News::Paid,
        provider_id: Some("77".to_owned()),
        cost: None,
        receipts: vec!["https://r.example/1".to_owned()],
        text: "COMPLETED\u{1b}[2J".to_owned(),
    };
    let (known, found) = chat::look_up(ledger, &line(&fake), " A").await.unwrap();
    assert_eq!(
        show::provider::look_up(&known, &found),
        "reference      A\n\
         amount         1.50 RUB\n\
         here           submitted since 2023-11-14T22:13:20Z, attempt 1\n\
         provider says  paid: COMPLETED [2J\n\
         provider's id  77\n\
         receipt        https://r.example/1\n"
    );
    assert_eq!(ledger.chunk(place.chunk).await.unwrap(), before);
    let asked = fake.looked_up.lock().unwrap().clone();
    let past = &asked[0].past;
    assert!(
        past.sent.is_some() && past.provider_id.is_none(),
        "by our reference, as a worker asks"
    );
    for (reference, words) in [("Z", "the ledger knows no payout \"Z\""), ("", "is no reference")] {
        let error = chat::look_up(ledger, &line(&fake), reference).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_cancellation_keeps_the_state_and_asks_for_a_look_up() {
    let (world, fake, place) = scene().await;
    let ledger = &*world.ledger;
    let error = chat::cancellable(ledger, &line(&fake), "A").await.unwrap_err().to_string();
    assert!(error.contains("is accepted: it is not at the provider"), "{error}");
    world.settle(place, State::Submitted).await;
    let known = chat::cancellable(ledger, &line(&fake), "A").await.unwrap();
    let stands = || async { ledger.chunk(place.chunk).await.unwrap().unwrap().payouts[0] };

    let refusal = CancelAnswer::Refused { text: "too late".to_owned() };
    *fake.cancel_answer.lock().unwrap() = refusal.clone();
    assert_eq!(chat::cancel(ledger, &line(&fake), &known).await.unwrap(), refusal);
    assert_eq!(stands().await, known.payout, "a refusal changes nothing");

    *fake.cancel_answer.lock().unwrap() = CancelAnswer::Taken;
    assert_eq!(chat::cancel(ledger, &line(&fake), &known).await.unwrap(), CancelAnswer::Taken);
    let payout = stands().await;
    assert_eq!((payout.state, payout.news_pending), (State::Submitted, true));
    assert!(payout.due <= ledger.about().await.unwrap().now, "it is looked up at once");
    let cancelled = fake.cancelled.lock().unwrap().clone();
    assert_eq!((cancelled.len(), cancelled[0].attempt), (2, 1));
    assert_eq!(cancelled[0].past.provider_id.as_deref(), Some("=id-1"));
}

#[tokio::test]
async fn what_is_settled_is_not_cancelled_and_other_lanes_are_named() {
    let (world, fake, place) = scene().await;
    world.settle(place, State::Paid).await;
    let ledger = &*world.ledger;
    let error = chat::cancellable(ledger, &line(&fake), "A").await.unwrap_err().to_string();
    assert_eq!(error, "payout \"A\" is paid: there is nothing left to cancel");
    let other = Line { lane: LaneName::new("second").unwrap(), ..line(&fake) };
    let error = chat::cancellable(ledger, &other, "A").await.unwrap_err().to_string();
    assert_eq!(error, "payout \"A\" is paid by lane main; ask that one");
    assert_eq!(fake.limits().provider, "fake");
}
