//! The whole shell, in process: real HTTP to the sandbox and back, both queues.

use config::{Config, Engine, Listen, Rate, RedisUrl};
use domain::batch::Totals;
use domain::{
    BatchId, BatchState, ChunkId, Currencies, Destination, LaneName, LedgerId, Method, Millis,
    Money, PayerReference, Place, ReferenceFormat, Row, Terms,
};
use engine::StartError;
use ledger::memory::MemoryLedger;
use ledger::redis::RedisLedger;
use ledger::sqlite::SqliteLedger;
use ledger::{Ledger, NewBatch, NewChunk, Opened, Seal, Via, rows};
use providers::registry::SandboxAddress;
use sandbox::{Sandbox, SandboxConfig};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use system_tests::redis_server::RedisServer;
use tokio::net::TcpListener;
use worker::shell::{Port, Shell, ShellError};
use worker::verify::verify;

const ROWS: u32 = 300;
const CHUNKS: u16 = 3;

/// The config of one worker: the built-in lane without a limit of its rate, a free port.
fn config(dir: &Path) -> Config {
    let mut config = Config::default();
    config.http.listen = Listen::At(([127, 0, 0, 1], 0).into());
    config.http.callback_key_file = dir.join("callback.key");
    config.worker.state = dir.join("state");
    // A chunk whose holder lost the ledger waits for the end of its lease.
    config.worker.lease_ms = 6_000;
    for lane in config.lanes.values_mut() {
        lane.rate_per_second = Rate::Unlimited;
        lane.look_ups_per_second = Rate::Unlimited;
        lane.policy.request_timeout_ms = Some(2_000);
        lane.policy.settling_ms = Some(300);
    }
    config
}

fn row(ordinal: u32) -> Row {
    let rub = Currencies::default().find("RUB").expect("a currency");
    Row {
        ordinal,
        line: ordinal + 1,
        reference: PayerReference::new(&format!("INV-{ordinal}")).expect("a reference"),
        money: Money::parse(&format!("{}.10", 100 + ordinal), &rub, '.').expect("an amount"),
        method: Method::Card,
        destination: Destination::new("4111111111111111".to_owned()),
        fields: [("full_name".to_owned(), "Anna Ivanova".to_owned())].into(),
    }
}

/// What intake does, without a file.
async fn fill(ledger: &dyn Ledger) -> BatchId {
    let id = BatchId(ulid::Ulid::generate());
    let name = "payouts.csv".to_owned();
    let batch = NewBatch {
        id,
        name,
        file_sha256: "0".repeat(64),
        lease_ms: 60_000,
        terms: Terms::default(),
    };
    assert_eq!(ledger.open_batch(batch).await.expect("an answer"), Opened::Fresh);
    let mut totals = Totals::default();
    for no in 0..CHUNKS {
        let first = u32::from(no) * (ROWS / u32::from(CHUNKS)) + 1;
        let chunk: Vec<Row> = (first..first + ROWS / u32::from(CHUNKS)).map(row).collect();
        let places = chunk.iter().zip(0..).map(|(row, at)| {
            totals.add(&row.money);
            (row.reference.key(), Place { chunk: ChunkId { batch: id, no }, row: at })
        });
        assert!(ledger.reserve(places.collect()).await.expect("an answer").is_empty());
        let chunk = NewChunk {
            id: ChunkId { batch: id, no },
            first: Via {
                lane: LaneName::new("main").expect("a name"),
                format: ReferenceFormat::Text { max_bytes: 36 },
            },
            second: None,
            rows: u16::try_from(chunk.len()).expect("few rows"),
            first_ordinal: first,
            unsent_give_up_ms: 3_600_000,
            blocks: rows::encode(&chunk).expect("blocks"),
            lease_ms: 60_000,
        };
        assert!(ledger.append(chunk).await.expect("an answer"));
    }
    let seal = Seal { id, totals, chunks: CHUNKS, state: BatchState::Active };
    assert!(ledger.seal(seal).await.expect("an answer"));
    id
}

async fn trust_when_it_answers(ledger: &dyn Ledger) {
    let start = Instant::now();
    loop {
        match ledger.about().await {
            Ok(about) => return ledger.trust(about.life),
            Err(error) => assert!(start.elapsed() < Duration::from_secs(20), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn complete(ledger: &dyn Ledger, id: BatchId) {
    let start = Instant::now();
    loop {
        // The ledger may be away for a moment: that is what one of the tests is about.
        let batch = ledger.batch(id).await.ok().flatten();
        if batch.as_ref().is_some_and(|batch| batch.state == BatchState::Complete) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "still {batch:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct World {
    dir: tempfile::TempDir,
    sandbox: Sandbox,
    address: SandboxAddress,
}

impl World {
    async fn start() -> World {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = SandboxConfig::new(dir.path().join("sandbox"));
        config.merchant.settle_after_ms = 50;
        let sandbox = Sandbox::start(config).await.expect("a sandbox");
        let address = SandboxAddress { url: sandbox.url(), tls: None, id: sandbox.id().to_owned() };
        World { dir, sandbox, address }
    }

    async fn shell(&self, config: &Config, ledger: &Arc<dyn Ledger>) -> Shell {
        let port = Port::open(config).await.expect("a port");
        Shell::start(config, ledger.clone(), port, Some(&self.address)).await.expect("a shell")
    }

    async fn every_row_was_paid_exactly_once(&self, ledger: &dyn Ledger) {
        let verdict = verify(ledger, &self.sandbox.ledger()).await.expect("an answer");
        assert_eq!(verdict.problems, Vec::<String>::new());
        assert_eq!((verdict.rows, verdict.paid_once), (u64::from(ROWS), u64::from(ROWS)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_pays_every_row_exactly_once_and_stops_in_order() {
    let world = World::start().await;
    let clock = Arc::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        Millis(u64::try_from(now.as_millis()).expect("before the end of time"))
    });
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::new(LedgerId::from_random(9), clock));
    let shell = world.shell(&config(world.dir.path()), &ledger).await;
    let id = fill(&*ledger).await;
    complete(&*ledger, id).await;
    world.every_row_was_paid_exactly_once(&*ledger).await;
    let stopping = tokio::time::timeout(Duration::from_secs(5), shell.stop());
    assert!(stopping.await.expect("an idle worker stops at once"), "nothing is under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_of_a_pool_share_the_rows_while_redis_is_killed() {
    let world = World::start().await;
    let mut redis = RedisServer::start();
    let ledger = RedisLedger::connect(&redis.url(), "payout").await.expect("a ledger");
    let ledger: Arc<dyn Ledger> = Arc::new(ledger);
    let mut config = config(world.dir.path());
    config.ledger.engine = Engine::Redis;
    config.ledger.url = RedisUrl(redis.url());
    let one = world.shell(&config, &ledger).await;
    let two = world.shell(&config, &ledger).await;
    let id = fill(&*ledger).await;
    let start = Instant::now();
    while world.sandbox.ledger().len() < 20 {
        assert!(start.elapsed() < Duration::from_secs(20), "nothing is sent");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    redis.kill();
    tokio::time::sleep(Duration::from_millis(300)).await;
    redis.restart();
    // Nothing was forgotten: this server writes to disk before it answers.
    trust_when_it_answers(&*ledger).await;
    complete(&*ledger, id).await;
    world.every_row_was_paid_exactly_once(&*ledger).await;
    assert!(one.stop().await && two.stop().await, "nothing is under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_of_an_account_before_it_is_known_to_be_ours() {
    let dir = tempfile::tempdir().expect("a folder");
    let provider = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", provider.local_addr().expect("its address"));
    let address = SandboxAddress { url, tls: None, id: "0".repeat(32) };
    let mut config = config(dir.path());
    let lane = config.lanes.values_mut().next().expect("the built-in lane");
    // A provider whose rules are fetched.
    lane.provider = "exchanger".to_owned();
    lane.settings.retain(|key, _| key == "base_url");
    let twin = lane.clone();
    config.lanes.insert(LaneName::new("twin").expect("a name"), twin);
    let ledger = SqliteLedger::open(&dir.path().join("ledger")).expect("a ledger");
    let port = Port::open(&config).await.expect("a port");
    let started = Shell::start(&config, Arc::new(ledger), port, Some(&address)).await;
    let error = started.err().expect("two lanes, one account");
    assert!(matches!(error, ShellError::Engine(StartError::SameAccount(..))), "{error}");
    let called = tokio::time::timeout(Duration::from_millis(300), provider.accept()).await;
    assert!(called.is_err(), "rules were fetched from an account that is refused");
}
