//! Second steps by a person: one whole call, once, and nothing while its fate is open.

use crate::between::{Between, Meddle};
use crate::fake::{FINGERPRINT, Fake};
use crate::world::{World, card};
use domain::{BatchId, ChunkId, Event, LaneName, Millis, News, Outcome, Payout, Policy, State};
use domain::{Decision, decide};
use ledger::apply::{Happening, apply};
use ledger::shipment::Shipment;
use ledger::{Change, Claim, Guard, LaneRecord, Note, NoteKind, Stop};
use producer::confirm::{self, Call, ConfirmError, Confirmed, calls};
use producer::provider::Line;
use producer::{show, steer, waiting};
use providers::{SecondStep, StepAnswer};
use std::sync::Arc;

const LEASE_MS: u64 = 60_000;

struct Scene {
    world: World,
    fake: Arc<Fake>,
    batch: BatchId,
}

impl Scene {
    /// A file of three payouts; A and B left in one call, C in another. All wait.
    async fn new(second_step: SecondStep) -> Scene {
        let fake = Fake::with_step(second_step);
        let world = World::with_main(&fake);
        let rows = [card("A", "1.50"), card("B", "2.00"), card("C", "4.00")];
        let batch = world.taken(&world.rows("a.csv", &rows)).await;
        let record = LaneRecord { fingerprint: FINGERPRINT.to_owned(), ..LaneRecord::new(lane()) };
        assert!(world.ledger.put_lane(record).await.unwrap());
        let scene = Scene { world, fake, batch };
        scene.ship(&[0, 1], "call-7").await;
        scene.world.pass(5);
        scene.ship(&[2], "call-8").await;
        scene
    }

    fn chunk(&self) -> ChunkId {
        ChunkId { batch: self.batch, no: 0 }
    }

    fn line(&self) -> Line {
        Line {
            lane: lane(),
            provider: Arc::clone(&self.fake) as _,
            policy: Policy::DEFAULT,
            look_up_interval_us: 0,
        }
    }

    async fn payouts(&self) -> Vec<Payout> {
        self.world.ledger.chunk(self.chunk()).await.unwrap().unwrap().payouts
    }

    async fn payout(&self, row: usize) -> Payout {
        self.payouts().await[row]
    }

    async fn happen(&self, guard: Guard, row: u16, event: Event, notes: Vec<Note>) {
        let payout = self.payout(usize::from(row)).await;
        let now = self.world.ledger.about().await.unwrap().now;
        let happening = Happening { row, payout, event, notes };
        let done =
            apply(&*self.world.ledger, self.chunk(), guard, now, &Policy::DEFAULT, vec![happening]);
        done.await.unwrap().expect("the guard holds");
    }

    async fn news(&self, row: u16, news: News) {
        self.happen(Guard::Fact, row, Event::News { attempt: 1, news }, Vec::new()).await;
    }

    /// What a worker's look-up, asked at that time, tells.
    async fn found(&self, row: u16, news: News, asked_at: Millis) {
        self.happen(Guard::Fact, row, Event::Found { attempt: 1, news, asked_at }, vec![]).await;
    }

    /// What a worker writes of a call that the provider took and that waits for a code.
    async fn ship(&self, rows: &[u16], handle: &str) {
        let claim = self.world.ledger.claim(self.chunk(), LEASE_MS).await.unwrap();
        let Claim::Held { token, now, .. } = claim else { panic!("{claim:?}") };
        let send_before = now.plus(1_000);
        for row in rows {
            self.happen(Guard::Intent(token), *row, Event::Intent { send_before }, vec![]).await;
            let mut notes = vec![Note::new(NoteKind::ProviderId, format!("id-{row}"))];
            if row == &rows[0] {
                notes.push(Shipment::new(send_before, handle, rows).unwrap().to_note());
            }
            let begun = Event::Outcome { intent: 1, outcome: Outcome::Begun };
            self.happen(Guard::Fact, *row, begun, notes).await;
            let reason = vec![Note::new(NoteKind::Reason, "enter the code sent to the owner")];
            let waits = Event::News { attempt: 1, news: News::Waiting };
            self.happen(Guard::Fact, *row, waits, reason).await;
        }
        self.world.ledger.release(self.chunk(), token, Millis::NEVER).await.unwrap();
    }

    async fn calls(&self) -> Vec<Call> {
        calls::of_batch(&*self.world.ledger, &self.world.rules, self.batch).await.unwrap()
    }

    async fn first(&self) -> Call {
        self.calls().await.remove(0)
    }

    async fn take(&self, call: &Call) -> Result<Confirmed, ConfirmError> {
        let code = Some("123456".to_owned());
        confirm::take(&*self.world.ledger, &self.line(), call, code, LEASE_MS).await
    }

    async fn set_lane(&self, change: impl FnOnce(&mut LaneRecord)) {
        let mut record = self.world.ledger.lane(lane()).await.unwrap();
        change(&mut record);
        assert!(self.world.ledger.put_lane(record).await.unwrap());
    }
}

fn lane() -> LaneName {
    LaneName::new("main").unwrap()
}

#[tokio::test]
async fn a_call_is_confirmed_with_all_its_payouts_and_what_is_known_of_them() {
    let scene = Scene::new(SecondStep::Code).await;
    let calls = scene.calls().await;
    let rows = |call: &Call| call.rows.iter().map(|row| row.row).collect::<Vec<_>>();
    assert_eq!(calls.iter().map(rows).collect::<Vec<_>>(), [vec![0, 1], vec![2]]);
    assert_eq!(scene.take(&calls[0]).await.unwrap(), Confirmed::Taken);
    let steps = scene.fake.steps();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].references, ["A", "B"]);
    assert_eq!(steps[0].code.as_deref(), Some("123456"));
    assert!(steps[0].gate_was_open);
    let past = &steps[0].payments[1].past;
    assert_eq!(
        (past.provider_id.as_deref(), past.shipment.as_deref()),
        (Some("id-1"), Some("call-7"))
    );
    assert!(past.sent.is_some() && !past.stepped);
    let now = scene.world.ledger.about().await.unwrap().now;
    for payout in &scene.payouts().await[..2] {
        assert_eq!(
            (payout.state, payout.step_open, payout.stepped),
            (State::Submitted, false, true)
        );
        assert_eq!(payout.due, now.plus(Policy::DEFAULT.settling_ms), "a look-up tells soon");
    }
    assert!(!scene.payout(2).await.stepped, "the other call is untouched");
    let claim = scene.world.ledger.claim(scene.chunk(), 1).await.unwrap();
    assert!(matches!(claim, Claim::Held { .. }), "the lease was given back");
}

#[tokio::test]
async fn after_a_death_between_intent_and_outcome_the_next_confirmation_is_refused() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    scene.fake.answers(None);
    tokio::select! {
        done = scene.take(&call) => panic!("it ended: {done:?}"),
        () = async { while scene.fake.steps().is_empty() { tokio::task::yield_now().await; } } => {}
    }
    // The process is gone: neither outcome nor lease came back.
    let begun = scene.payouts().await;
    assert!(begun[0].step_open && begun[1].step_open && !begun[2].step_open);

    scene.fake.answers(StepAnswer::Taken);
    let again = scene.first().await;
    let error = scene.take(&again).await.unwrap_err();
    let ConfirmError::UnderWay { until, .. } = &error else { panic!("{error}") };
    assert_eq!(*until, begun[0].due);
    assert!(error.to_string().contains("ask again after 20"), "{error}");
    // Who saw the call before it began is no wiser when the lease has ended.
    scene.world.pass(LEASE_MS + 1);
    assert!(matches!(scene.take(&call).await, Err(ConfirmError::Changed)));
    assert!(scene.payout(0).await.step_open, "step_open stands");
    assert_eq!(scene.fake.steps().len(), 1, "nothing left a second time");

    // Only a look-up opens the way, and only one that was asked when the request had surely ended:
    // a callback may have left before the step began.
    for row in [0, 1] {
        scene.news(row, News::Waiting).await;
        scene.found(row, News::Waiting, Millis(until.0 - 1)).await;
    }
    let error = scene.take(&scene.first().await).await.unwrap_err();
    assert!(matches!(error, ConfirmError::UnderWay { .. }), "{error}");
    scene.found(0, News::Waiting, *until).await;
    scene.found(1, News::Waiting, *until).await;
    assert_eq!(scene.take(&scene.first().await).await.unwrap(), Confirmed::Taken);
    assert!(scene.fake.steps()[1].payments[0].past.stepped, "the adapter knows of the first one");
}

#[tokio::test]
async fn a_refused_step_is_closed_with_its_reason_and_may_be_tried_again() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.fake.answers(StepAnswer::Refused { text: "wrong code".to_owned() });
    let done = scene.take(&scene.first().await).await.unwrap();
    assert_eq!(done, Confirmed::Refused { text: "wrong code".to_owned() });
    let ledger = &*scene.world.ledger;
    let batch = scene.world.batch(scene.batch).await;
    let waits = waiting::of_batch(ledger, &scene.world.rules, &batch, 10).await.unwrap();
    assert_eq!(waits.payouts[1].what, "wrong code");
    assert_eq!(waits.payouts[2].what, "enter the code sent to the owner");
    scene.fake.answers(StepAnswer::Taken);
    assert_eq!(scene.take(&scene.first().await).await.unwrap(), Confirmed::Taken);
}

#[tokio::test]
async fn a_step_without_a_readable_answer_stays_open_for_a_look_up() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.fake.answers(StepAnswer::Unknown { text: "timeout".to_owned() });
    let call = scene.first().await;
    let Confirmed::Unknown { until, .. } = scene.take(&call).await.unwrap() else { panic!() };
    let payout = scene.payout(0).await;
    assert!(payout.step_open && payout.due == until);
    let again = scene.take(&scene.first().await).await;
    assert!(matches!(again, Err(ConfirmError::UnderWay { .. })));
}

#[tokio::test]
async fn of_two_people_at_once_one_step_leaves() {
    let scene = Scene::new(SecondStep::Funding).await;
    let call = scene.first().await;
    let (first, second) = tokio::join!(scene.take(&call), scene.take(&call));
    assert_eq!(scene.fake.steps().len(), 1, "{first:?} {second:?}");
    let taken = |done: &Result<_, _>| matches!(done, Ok(Confirmed::Taken));
    assert!(taken(&first) != taken(&second), "{first:?} {second:?}");
}

#[tokio::test]
async fn a_call_with_a_payout_that_must_not_be_paid_now_is_not_confirmed() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.news(1, News::Differs).await;
    let error = scene.take(&scene.first().await).await.unwrap_err().to_string();
    assert!(error.starts_with("payout \"B\" of the same call is review, and"), "{error}");

    let scene = Scene::new(SecondStep::Code).await;
    scene.happen(Guard::Fact, 0, Event::Hint, Vec::new()).await;
    let error = scene.take(&scene.first().await).await.unwrap_err();
    assert!(matches!(error, ConfirmError::News(_)), "{error}");
    assert!(scene.fake.steps().is_empty());
}

#[tokio::test]
async fn what_is_settled_already_is_left_out_of_the_step() {
    let scene = Scene::new(SecondStep::Code).await;
    scene.news(0, News::Failed).await;
    scene.take(&scene.first().await).await.unwrap();
    assert_eq!(scene.fake.steps()[0].references, ["B"]);
}

#[tokio::test]
async fn another_account_a_stopped_lane_and_a_cancelled_batch_are_refused() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    scene.set_lane(|record| record.fingerprint = "fake:account-2".to_owned()).await;
    let error = scene.take(&call).await.unwrap_err().to_string();
    assert!(error.contains("on account fake:account-2 in the pool"), "{error}");
    scene.set_lane(|record| record.fingerprint = String::new()).await;
    let error = scene.take(&call).await.unwrap_err().to_string();
    assert!(error.contains("no worker has served lane main yet"), "{error}");
    scene
        .set_lane(|record| {
            record.fingerprint = FINGERPRINT.to_owned();
            let reason = "checking".to_owned();
            record.stopped = Some(Stop { reason, since: Millis(1), until: None });
        })
        .await;
    let error = scene.take(&call).await.unwrap_err().to_string();
    assert!(error.contains("lane main is stopped: checking"), "{error}");
    scene.set_lane(|record| record.stopped = None).await;
    steer::cancel(&*scene.world.ledger, &scene.world.rules, scene.batch).await.unwrap();
    let error = scene.take(&call).await.unwrap_err().to_string();
    assert!(error.contains("is cancelled; only payouts of an active batch"), "{error}");
    assert!(scene.fake.steps().is_empty());
}

#[tokio::test]
async fn a_fact_that_comes_right_before_the_intent_keeps_the_whole_call_back() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    let from = scene.payout(1).await;
    let now = scene.world.ledger.about().await.unwrap().now;
    let paid = Event::News { attempt: 1, news: News::Paid };
    let Ok(Decision::Change(to)) = decide(&from, &paid, now, &Policy::DEFAULT) else { panic!() };
    let change = Change { row: 1, from, to, notes: Vec::new() };
    let meddle = Meddle::Before(scene.chunk(), vec![change]);
    let ledger =
        Between { inner: scene.world.ledger.clone(), next: std::sync::Mutex::new(Some(meddle)) };
    let done = confirm::take(&ledger, &scene.line(), &call, None, LEASE_MS).await;
    assert!(matches!(done, Err(ConfirmError::Changed)), "{done:?}");
    assert!(scene.fake.steps().is_empty(), "nothing left");
    let payouts = scene.payouts().await;
    assert!(!payouts[0].step_open, "what was announced is taken back");
    assert_eq!(payouts[1].state, State::Paid);
}

#[tokio::test]
async fn a_step_that_somebody_begins_right_before_the_intent_is_his_alone() {
    let scene = Scene::new(SecondStep::Code).await;
    let call = scene.first().await;
    let from = scene.payout(1).await;
    let now = scene.world.ledger.about().await.unwrap().now;
    let begins = decide(&from, &Event::StepIntent, now, &Policy::DEFAULT);
    let Ok(Decision::Change(to)) = begins else { panic!("{begins:?}") };
    let change = Change { row: 1, from, to, notes: Vec::new() };
    let meddle = Meddle::Before(scene.chunk(), vec![change]);
    let ledger =
        Between { inner: scene.world.ledger.clone(), next: std::sync::Mutex::new(Some(meddle)) };
    let done = confirm::take(&ledger, &scene.line(), &call, None, LEASE_MS).await;
    assert!(matches!(done, Err(ConfirmError::Changed)), "{done:?}");
    assert!(scene.fake.steps().is_empty(), "nothing left");
    let payouts = scene.payouts().await;
    assert!(!payouts[0].step_open, "what was announced is taken back");
    assert_eq!(payouts[1], to, "and what the other one announced stands");
}

#[tokio::test]
async fn a_ledger_that_is_away_at_the_intent_lets_nothing_leave() {
    let scene = Scene::new(SecondStep::Code).await;
    let next = std::sync::Mutex::new(Some(Meddle::Away));
    let ledger = Between { inner: scene.world.ledger.clone(), next };
    let call = scene.first().await;
    let done = confirm::take(&ledger, &scene.line(), &call, None, LEASE_MS).await;
    assert!(matches!(done, Err(ConfirmError::NotAnnounced(_))), "{done:?}");
    assert!(scene.fake.steps().is_empty());
}

#[tokio::test]
async fn a_reference_chooses_its_call_and_one_code_is_for_one_call() {
    let scene = Scene::new(SecondStep::Code).await;
    let chosen = calls::choose(scene.calls().await, scene.batch, Some(" B ")).unwrap();
    assert_eq!(chosen.iter().map(Call::first).collect::<Vec<_>>(), ["A"]);
    let error = calls::choose(scene.calls().await, scene.batch, Some("Z")).unwrap_err();
    assert!(matches!(error, ConfirmError::NotWaiting { .. }));
    let error = ConfirmError::which(scene.batch, &scene.calls().await).to_string();
    assert!(error.contains("2 calls of batch") && error.ends_with("such as A, C"), "{error}");
}

#[tokio::test]
async fn submitted_payouts_of_a_call_wait_until_a_step_was_begun() {
    let scene = Scene::new(SecondStep::Code).await;
    for row in 0..3 {
        scene.news(row, News::InProgress).await;
    }
    assert_eq!(scene.calls().await.len(), 2);
    scene.take(&scene.first().await).await.unwrap();
    assert_eq!(scene.calls().await.iter().map(Call::first).collect::<Vec<_>>(), ["C"]);
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
