//! A payout of 1.50 RUB, reference A, that was sent and stopped for a person.

use crate::fake::{FINGERPRINT, Fake};
use crate::world::{World, card};
use domain::{
    BatchId, Event, LaneName, Millis, News, Outcome, Payout, Place, Policy, Sender, State,
};
use ledger::apply::{Happening, apply};
use ledger::audit::{Chain, Entry, Kind};
use ledger::senders::{self, Home};
use ledger::{Claim, Guard, LaneRecord, Ledger, Note};
use producer::audit::Clerk;
use producer::provider::Line;
use producer::review::{
    Asked, Decision, Resolved, ReviewError, Story, Typed, Wish, asked, resolve,
};
use providers::Found;
use std::sync::Arc;

pub const LEASE_MS: u64 = 60_000;
/// Longer than a request and its settling time, shorter than the window for late successes.
pub const A_WHILE_MS: u64 = 600_000;
pub const HOUR_MS: u64 = 3_600_000;

pub struct Desk {
    pub world: World,
    pub fake: Arc<Fake>,
    pub batch: BatchId,
    pub place: Place,
}

impl Desk {
    /// A file of two payouts, A and B. Nothing was sent.
    pub async fn new() -> Desk {
        let fake = Fake::with(|_| {});
        let world = World::with_main(&fake);
        let rows = [card("A", "1.50"), card("B", "2.00")];
        let batch = world.taken(&world.rows("a.csv", &rows)).await;
        let place = world.rows_of(batch).await[0].0;
        let record = LaneRecord { fingerprint: FINGERPRINT.to_owned(), ..LaneRecord::new(lane()) };
        assert!(world.ledger.put_lane(record).await.unwrap());
        let desk = Desk { world, fake, batch, place };
        // Sender 1, whose intents `send` writes, is known to be gone.
        senders::enlist(desk.ledger(), &Home::default(), Sender::NOBODY).await.unwrap();
        senders::declare_gone(desk.ledger(), "lost", |_| true).await.unwrap();
        desk
    }

    /// A was sent, its sender died, and no look-up told anything within its time.
    pub async fn doubtful() -> Desk {
        let desk = Desk::new().await;
        desk.send().await;
        desk.happen(Event::SenderLost).await;
        desk.happen(Event::TooOld).await;
        desk.world.pass(A_WHILE_MS);
        assert_eq!(desk.payout().await.state, State::Review);
        desk
    }

    /// A was accepted by the provider, which then said this.
    pub async fn accepted_then(news: News) -> Desk {
        let desk = Desk::new().await;
        desk.send().await;
        desk.happen(Event::Outcome { intent: 1, outcome: Outcome::Accepted }).await;
        desk.news(1, news).await;
        desk.world.pass(A_WHILE_MS);
        desk
    }

    /// A failed after the provider had it, and then it was reported as paid.
    pub async fn disputed() -> Desk {
        let desk = Desk::accepted_then(News::Failed).await;
        desk.news(1, News::Paid).await;
        desk.world.pass(A_WHILE_MS);
        desk
    }

    /// What a worker writes right before it sends A.
    pub async fn send(&self) {
        let claim = self.ledger().claim(self.place.chunk, LEASE_MS).await.unwrap();
        let Claim::Held { token, now, .. } = claim else { panic!("{claim:?}") };
        let intent = Event::Intent {
            send_before: now.plus(1_000),
            sender: domain::Sender(1),
            account: domain::Account::of(FINGERPRINT),
        };
        self.write(Guard::Intent(token), intent, Vec::new()).await;
        self.ledger().release(self.place.chunk, token, Millis::NEVER).await.unwrap();
    }

    pub async fn happen(&self, event: Event) {
        self.write(Guard::Fact, event, Vec::new()).await;
    }

    pub async fn news(&self, attempt: u8, news: News) {
        self.happen(Event::News { attempt, news }).await;
    }

    pub async fn note(&self, event: Event, note: Note) {
        self.write(Guard::Fact, event, vec![note]).await;
    }

    async fn write(&self, guard: Guard, event: Event, notes: Vec<Note>) {
        let (row, payout) = (self.place.row, self.payout().await);
        let now = self.ledger().about().await.unwrap().now;
        let happening = Happening { row, payout, event, notes };
        let chunk = self.place.chunk;
        let done = apply(self.ledger(), chunk, guard, now, &Policy::DEFAULT, vec![happening]);
        done.await.unwrap().expect("the guard holds");
    }

    pub fn ledger(&self) -> &dyn Ledger {
        &*self.world.ledger
    }

    pub fn clerk(&self) -> &Clerk {
        &self.world.rules.clerk
    }

    /// What the batch's audit chain tells of decisions.
    pub async fn resolved(&self) -> Vec<Entry> {
        let chain = Chain::batch(self.batch).as_str().to_owned();
        let stored = self.ledger().entries(chain, 0, 1_000).await.unwrap();
        let entries = stored.iter().map(|bytes| Entry::decode(bytes).unwrap().0);
        entries.filter(|entry| entry.kind == Kind::Resolved).collect()
    }

    pub async fn payout(&self) -> Payout {
        let chunk = self.ledger().chunk(self.place.chunk).await.unwrap().unwrap();
        chunk.payouts[usize::from(self.place.row)]
    }

    pub async fn notes(&self) -> Vec<String> {
        self.story().await.notes.into_iter().map(|note| note.text).collect()
    }

    pub fn line(&self) -> Line {
        Line {
            lane: lane(),
            provider: Arc::clone(&self.fake) as _,
            policy: Policy::DEFAULT,
            look_up_interval_us: 0,
        }
    }

    pub fn provider_says(&self, found: Found) {
        *self.fake.found.lock().unwrap() = found;
    }

    pub async fn story(&self) -> Story {
        Story::read(self.ledger(), &self.world.rules, "A").await.unwrap()
    }

    pub async fn asked(&self) -> Vec<Asked> {
        let line = self.line();
        asked::ask(self.ledger(), Ok(&line), &self.story().await).await.unwrap()
    }

    /// Decides on what stands now, with everything typed as it should be.
    pub async fn resolve(&self, decision: Decision) -> Result<Resolved, ReviewError> {
        self.resolve_on(self.ledger(), decision, Some(&typed())).await
    }

    pub async fn resolve_on(
        &self,
        ledger: &dyn Ledger,
        decision: Decision,
        typed: Option<&Typed>,
    ) -> Result<Resolved, ReviewError> {
        let (story, asked) = (self.story().await, self.asked().await);
        let wish = wish(&story, decision);
        resolve(ledger, &story, &asked, &wish, typed, self.clerk(), LEASE_MS).await
    }
}

pub fn wish(story: &Story, decision: Decision) -> Wish {
    Wish { decision, seen: story.seen(), reason: "the bank's statement of Friday".to_owned() }
}

pub fn typed() -> Typed {
    Typed { amount: "1.50 RUB".to_owned(), reference: "A".to_owned() }
}

pub fn lane() -> LaneName {
    LaneName::new("main").unwrap()
}

/// What a look-up finds.
pub fn is(news: News) -> Found {
    Found::Is {
        news,
        provider_id: None,
        cost: None,
        receipts: Vec::new(),
        text: "its word".to_owned(),
    }
}
