//! A batch of three payouts in two calls that wait for their second step.

use crate::fake::{FINGERPRINT, Fake};
use crate::world::{World, card};
use domain::{BatchId, ChunkId, Event, LaneName, Millis, News, Outcome, Payout, Policy};
use ledger::apply::{Happening, apply};
use ledger::shipment::Shipment;
use ledger::{Claim, Guard, LaneRecord, Note, NoteKind};
use producer::confirm::{self, Call, ConfirmError, Confirmed, calls};
use producer::provider::Line;
use providers::SecondStep;
use std::sync::Arc;

pub const LEASE_MS: u64 = 60_000;

pub struct Scene {
    pub world: World,
    pub fake: Arc<Fake>,
    pub batch: BatchId,
}

impl Scene {
    /// A file of three payouts; A and B left in one call, C in another. All wait.
    pub async fn new(second_step: SecondStep) -> Scene {
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

    pub fn chunk(&self) -> ChunkId {
        ChunkId { batch: self.batch, no: 0 }
    }

    pub fn line(&self) -> Line {
        Line {
            lane: lane(),
            provider: Arc::clone(&self.fake) as _,
            policy: Policy::DEFAULT,
            look_up_interval_us: 0,
        }
    }

    pub async fn payouts(&self) -> Vec<Payout> {
        self.world.ledger.chunk(self.chunk()).await.unwrap().unwrap().payouts
    }

    pub async fn payout(&self, row: usize) -> Payout {
        self.payouts().await[row]
    }

    pub async fn happen(&self, guard: Guard, row: u16, event: Event, notes: Vec<Note>) {
        let payout = self.payout(usize::from(row)).await;
        let now = self.world.ledger.about().await.unwrap().now;
        let happening = Happening { row, payout, event, notes };
        let done =
            apply(&*self.world.ledger, self.chunk(), guard, now, &Policy::DEFAULT, vec![happening]);
        done.await.unwrap().expect("the guard holds");
    }

    pub async fn news(&self, row: u16, news: News) {
        self.happen(Guard::Fact, row, Event::News { attempt: 1, news }, Vec::new()).await;
    }

    /// What a worker's look-up, asked at that time, tells.
    pub async fn found(&self, row: u16, news: News, asked_at: Millis) {
        self.happen(Guard::Fact, row, Event::Found { attempt: 1, news, asked_at }, vec![]).await;
    }

    /// What a worker writes of a call that the provider took and that waits for a code.
    async fn ship(&self, rows: &[u16], handle: &str) {
        let claim = self.world.ledger.claim(self.chunk(), LEASE_MS).await.unwrap();
        let Claim::Held { token, now, .. } = claim else { panic!("{claim:?}") };
        let send_before = now.plus(1_000);
        for row in rows {
            self.happen(
                Guard::Intent(token),
                *row,
                Event::Intent {
                    send_before,
                    sender: domain::Sender(1),
                    account: domain::Account::of(FINGERPRINT),
                },
                vec![],
            )
            .await;
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

    pub async fn calls(&self) -> Vec<Call> {
        calls::of_batch(&*self.world.ledger, &self.world.rules, self.batch).await.unwrap()
    }

    pub async fn first(&self) -> Call {
        self.calls().await.remove(0)
    }

    pub async fn take(&self, call: &Call) -> Result<Confirmed, ConfirmError> {
        let code = Some("123456".to_owned());
        confirm::take(&*self.world.ledger, &self.line(), call, code, LEASE_MS).await
    }

    pub async fn set_lane(&self, change: impl FnOnce(&mut LaneRecord)) {
        let mut record = self.world.ledger.lane(lane()).await.unwrap();
        change(&mut record);
        assert!(self.world.ledger.put_lane(record).await.unwrap());
    }
}

pub fn lane() -> LaneName {
    LaneName::new("main").unwrap()
}
