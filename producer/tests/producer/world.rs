//! A ledger in memory with a clock that the test moves, rules with two lanes, and files.

use config::Config;
use domain::{Batch, BatchId, ChunkId, Event, LedgerId, Millis, News, Outcome, Policy, Row, State};
use ledger::apply::{Happening, apply};
use ledger::memory::MemoryLedger;
use ledger::{Claim, Guard, Ledger, Note, NoteKind};
use producer::intake::{self, IntakeError, Progress, TakeOptions, Taken};
use producer::rules::Rules;
use providers::registry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

pub const HEADER: &str = "reference,amount,currency,method,destination";

/// Cards to `main`, IBANs to `second`; nothing takes phones.
const CONFIG: &str = r#"
[lanes.main]
provider = "merchant"
sandbox = true
settings = { base_url = "sandbox", merchant = "sandbox" }
[lanes.second]
provider = "merchant"
sandbox = true
settings = { base_url = "sandbox", merchant = "second" }
[[routes]]
method = "card"
lane = "main"
[[routes]]
method = "iban"
currency = "EUR"
lane = "second"
"#;

pub struct World {
    pub ledger: Arc<dyn Ledger>,
    pub rules: Arc<Rules>,
    pub folder: TempDir,
    now: Arc<AtomicU64>,
}

impl World {
    pub fn new() -> World {
        World::with(|config| Rules::from_config(config).unwrap())
    }

    /// The config is changed first.
    pub fn with_config(change: impl FnOnce(&mut Config)) -> World {
        World::with(|config| {
            let mut config = config.clone();
            change(&mut config);
            Rules::from_config(&config).unwrap()
        })
    }

    /// Lane `main` has this provider; the other one is as it always is.
    pub fn with_main(fake: &Arc<crate::fake::Fake>) -> World {
        World::with(|config| {
            Rules::new(config, &|name, lane| match name.as_str() {
                "main" => Ok(Arc::clone(fake) as Arc<dyn providers::Provider>),
                _ => {
                    let settings = lane.settings.clone();
                    registry::build_for_intake(&lane.provider, settings, name.clone())
                        .map_err(|e| e.to_string())
                }
            })
            .unwrap()
        })
    }

    fn with(rules: impl FnOnce(&Config) -> Rules) -> World {
        let now = Arc::new(AtomicU64::new(1_700_000_000_000));
        let clock = now.clone();
        let id = LedgerId::parse("abcd").unwrap();
        let ledger = MemoryLedger::new(id, Arc::new(move || Millis(clock.load(Ordering::SeqCst))));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let key = folder.path().join("audit.key");
        let audit = format!("[audit]\nkey_file = {key:?}\n");
        std::fs::write(&path, format!("{CONFIG}{audit}")).unwrap();
        let config = Config::load(Some(&path), &config::Overrides::default()).unwrap();
        let rules = Arc::new(rules(&config));
        World { ledger: Arc::new(ledger), rules, folder, now }
    }

    pub fn pass(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with these bytes.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// A file with a header and these rows.
    pub fn rows(&self, name: &str, rows: &[String]) -> PathBuf {
        self.file(name, format!("{HEADER}\n{}\n", rows.join("\n")))
    }

    pub async fn take(&self, options: TakeOptions) -> Result<Taken, IntakeError> {
        let progress = Arc::new(Progress::default());
        intake::take(self.ledger.clone(), self.rules.clone(), options, progress).await
    }

    /// Takes a file that is good.
    pub async fn taken(&self, path: &Path) -> BatchId {
        self.take(TakeOptions::of(path)).await.unwrap().batch.unwrap()
    }

    /// The words with which a file with this content is refused; nothing of it is payable.
    pub async fn refusal(&self, content: impl AsRef<[u8]>) -> String {
        let path = self.file("refused.csv", content);
        let error = self.take(TakeOptions::of(&path)).await.unwrap_err();
        self.assert_nothing_payable().await;
        error.to_string()
    }

    pub async fn assert_nothing_payable(&self) {
        for batch in self.ledger.batches(None, 100).await.unwrap() {
            assert!(!batch.state.was_sealed(), "batch {} is {}", batch.id, batch.state);
        }
    }

    pub async fn batch(&self, id: BatchId) -> Batch {
        self.ledger.batch(id).await.unwrap().unwrap()
    }

    /// All rows of a batch, each with its place, in the order of chunks.
    pub async fn rows_of(&self, id: BatchId) -> Vec<(domain::Place, Row)> {
        let mut all = Vec::new();
        for no in 0..self.batch(id).await.chunks {
            let chunk = ChunkId { batch: id, no };
            let blocks = self.ledger.blocks(chunk, 0, u16::MAX).await.unwrap();
            let rows = blocks.iter().flat_map(|block| ledger::rows::decode(block).unwrap());
            all.extend((0u16..).zip(rows).map(|(row, r)| (domain::Place { chunk, row }, r)));
        }
        all
    }

    /// Brings one row to a state, by the events that a worker would write.
    pub async fn settle(&self, place: domain::Place, state: State) {
        settle(&*self.ledger, place, state).await;
    }
}

/// Brings one row to a state, by the events that a worker would write.
pub async fn settle(ledger: &dyn Ledger, place: domain::Place, state: State) {
    let Claim::Held { token, chunk, now, .. } = ledger.claim(place.chunk, 60_000).await.unwrap()
    else {
        panic!("{} cannot be claimed", place.chunk)
    };
    let mut payout = chunk.payouts[usize::from(place.row)];
    let paid = Event::News { attempt: 1, news: News::Paid };
    let failed = Event::News { attempt: 1, news: News::Failed };
    let accepted = Event::Outcome { intent: 1, outcome: Outcome::Accepted };
    let differs = Event::News { attempt: 1, news: News::Differs };
    let waiting = Event::News { attempt: 1, news: News::Waiting };
    let intent = Event::Intent {
        send_before: now.plus(1_000),
        sender: domain::Sender(1),
        account: domain::Account(1),
    };
    let mut events = vec![intent, accepted];
    match state {
        State::Paid => events.push(paid),
        State::Failed => events.push(failed),
        State::Review => events.push(differs),
        State::Waiting => events.push(waiting),
        State::Submitted => {}
        other => panic!("no way to {other} here"),
    }
    for event in events {
        let guard = match event {
            Event::Intent { .. } => Guard::Intent(token),
            _ => Guard::Fact,
        };
        let notes = match event {
            Event::Outcome { .. } => vec![Note::new(NoteKind::ProviderId, "=id-1")],
            Event::News { news: News::Failed, .. } => {
                vec![Note::new(NoteKind::Reason, "no such card")]
            }
            // The first was told twice.
            Event::News { news: News::Paid, .. } => {
                ["r/1", "r/2", "r/1"].map(|link| Note::new(NoteKind::Receipt, link)).into()
            }
            _ => Vec::new(),
        };
        let happening = Happening { row: place.row, payout, event, notes };
        let policy = Policy::default();
        let done = apply(ledger, place.chunk, guard, now, &policy, vec![happening]).await;
        payout = done.unwrap().unwrap()[0].1.payout();
    }
    assert_eq!(payout.state, state);
    ledger.release(place.chunk, token, Millis::NEVER).await.unwrap();
}

/// A card payment of `amount` roubles.
pub fn card(reference: &str, amount: &str) -> String {
    format!("{reference},{amount},RUB,card,4111111111111111")
}

/// An IBAN payment of `amount` euros.
pub fn iban(reference: &str, amount: &str) -> String {
    format!("{reference},{amount},EUR,iban,DE89370400440532013000")
}
