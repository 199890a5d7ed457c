//! The listener over real sockets: what it answers, when, and to whom.

mod unkept;

use domain::hours::Given;
use domain::{BatchId, ChunkId, Hours, LaneName, LedgerId, Millis, Place};
use engine::Hearing;
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::memory::MemoryLedger;
use ledger::{Ledger, LedgerError};
use providers::callback_url::CallbackUrls;
use providers::{CallbackKind, CallbackRequest};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use worker::http::{Hears, Listener, Rim, bind};

type Heard = Result<Hearing, LedgerError>;
type Letter = (Place, u8, CallbackKind, Vec<u8>);

/// An engine that says what the test wants, when the test wants it.
struct Ear {
    says: Mutex<Heard>,
    heard: Mutex<Vec<Letter>>,
    notices: Mutex<Vec<(CallbackKind, String, Vec<u8>)>>,
    durable: Semaphore,
}

impl Hears for Ear {
    fn hear<'a>(
        &'a self,
        _: &'a LaneName,
        place: Place,
        attempt: u8,
        request: CallbackRequest,
    ) -> BoxFuture<'a, Heard> {
        async move {
            let _written = self.durable.acquire().await;
            let heard = (place, attempt, request.kind, request.body);
            self.heard.lock().expect("no panic").push(heard);
            self.says.lock().expect("no panic").clone()
        }
        .boxed()
    }

    fn hear_notice<'a>(
        &'a self,
        _: &'a LaneName,
        request: CallbackRequest,
    ) -> BoxFuture<'a, Heard> {
        async move {
            let signature = request.signature.unwrap_or_default();
            self.notices.lock().expect("no panic").push((request.kind, signature, request.body));
            self.says.lock().expect("no panic").clone()
        }
        .boxed()
    }

    fn signature_header(&self, _: &LaneName) -> Option<String> {
        Some("x-signature".to_owned())
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        vec![("creates_total", 17)]
    }

    fn room(&self, _: &LaneName) -> u16 {
        3
    }
}

struct World {
    ear: Arc<Ear>,
    ledger: Arc<MemoryLedger>,
    urls: CallbackUrls,
    address: SocketAddr,
    listener: Listener,
}

fn lane() -> LaneName {
    LaneName::new("main").expect("a name")
}

fn place() -> Place {
    Place { chunk: ChunkId { batch: BatchId(ulid::Ulid::from_parts(3, 4)), no: 2 }, row: 17 }
}

fn memory() -> MemoryLedger {
    MemoryLedger::new(LedgerId::from_random(1), Arc::new(|| Millis(1_000)))
}

impl World {
    async fn start() -> World {
        World::in_hours(BTreeMap::new()).await
    }

    /// With lanes that send only at these hours.
    async fn in_hours(hours: BTreeMap<LaneName, Hours>) -> World {
        let ledger = Arc::new(memory());
        World::of(Arc::clone(&ledger), ledger, hours).await
    }

    /// With this ledger, in place of the memory that others read.
    async fn with(memory: Arc<MemoryLedger>, ledger: Arc<dyn Ledger>) -> World {
        World::of(memory, ledger, BTreeMap::new()).await
    }

    async fn of(
        memory: Arc<MemoryLedger>,
        ledger: Arc<dyn Ledger>,
        hours: BTreeMap<LaneName, Hours>,
    ) -> World {
        let ear = Arc::new(Ear {
            says: Mutex::new(Ok(Hearing::Taken)),
            heard: Mutex::default(),
            notices: Mutex::default(),
            durable: Semaphore::new(1_000),
        });
        let urls = CallbackUrls::new("http://pay.example", [7; 32]).expect("a URL");
        let rim = Rim::new(ear.clone(), ledger, urls.clone(), vec![lane()]).with_hours(hours);
        let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let address = socket.local_addr().expect("its address");
        let listener = Listener::start(socket, Arc::new(rim));
        World { ear, ledger: memory, urls, address, listener }
    }

    fn path(&self) -> String {
        let url = self.urls.url(&lane(), place(), 2, CallbackKind::Success);
        url.strip_prefix("http://pay.example").expect("our URL").to_owned()
    }

    async fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.call("POST", path, body).await
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-signature: s1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("to write");
        let mut answer = String::new();
        // A server that refuses a long body may reset the connection after its answer.
        let _ = stream.read_to_string(&mut answer).await;
        let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, body.to_owned())
    }

    fn heard(&self) -> usize {
        self.ear.heard.lock().expect("no panic").len()
    }
}

#[tokio::test]
async fn a_callback_of_ours_reaches_the_engine_whole_and_is_answered_200() {
    let world = World::start().await;
    let (status, _) = world.post(&world.path(), "{\"amount\":\"1\"}").await;
    assert_eq!(status, 200);
    let heard = world.ear.heard.lock().expect("no panic").clone();
    assert_eq!(heard, [(place(), 2, CallbackKind::Success, b"{\"amount\":\"1\"}".to_vec())]);
}

#[tokio::test]
async fn a_notice_to_the_lanes_one_url_reaches_the_engine_with_its_signature() {
    let world = World::start().await;
    let url = world.urls.lane_url(&lane());
    let path = url.strip_prefix("http://pay.example").expect("our URL");
    assert_eq!(world.post(path, "{\"ticketId\":\"7\"}").await.0, 200);
    let notices = world.ear.notices.lock().expect("no panic").clone();
    let body = b"{\"ticketId\":\"7\"}".to_vec();
    assert_eq!(notices, [(CallbackKind::Status, "s1".to_owned(), body)]);
    *world.ear.says.lock().expect("no panic") = Ok(Hearing::NotOurs);
    assert_eq!(world.post(path, "{}").await.0, 200, "calling again would change nothing");
    assert_eq!(world.ledger.strays(&lane()), ["names no payout of ours: {}"]);
    assert_eq!(world.post(&path.replace("main", "mine"), "{}").await.0, 404);
}

#[tokio::test]
async fn a_notice_that_names_nobody_is_answered_200_only_where_it_is_kept() {
    let world = World::start().await;
    *world.ear.says.lock().expect("no panic") = Ok(Hearing::NotOurs);
    let url = world.urls.lane_url(&lane());
    let path = url.strip_prefix("http://pay.example").expect("our URL");
    let mut answers = Vec::new();
    // A flood: only some of it may be kept.
    for _ in 0..60 {
        answers.push(world.post(path, "{}").await.0);
    }
    let kept = answers.iter().filter(|status| **status == 200).count();
    assert_eq!(world.ledger.strays(&lane()).len(), kept);
    assert!((20..60).contains(&kept), "{kept} of 60");
    assert!(answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
    let away = World::with(Arc::new(memory()), Arc::new(unkept::Unkept(memory()))).await;
    *away.ear.says.lock().expect("no panic") = Ok(Hearing::NotOurs);
    assert_eq!(away.post(path, "{}").await.0, 503, "the ledger did not keep it");
    let (_, metrics) = away.call("GET", "/metrics", "").await;
    assert!(metrics.contains("payout_strays_total{kept=\"no\"} 1"), "{metrics}");
}

#[tokio::test]
async fn nothing_is_answered_before_it_is_durable() {
    let world = World::start().await;
    let writing = world.ear.durable.acquire_many(1_000).await.expect("open");
    let path = world.path();
    let mut call = std::pin::pin!(world.post(&path, "{}"));
    let early = tokio::time::timeout(Duration::from_millis(200), call.as_mut()).await;
    assert!(early.is_err(), "answered while the write was under way");
    drop(writing);
    assert_eq!(call.await.0, 200);
}

#[tokio::test]
async fn a_ledger_that_is_away_makes_the_provider_call_again() {
    let world = World::start().await;
    for error in [LedgerError::Unavailable("x".into()), LedgerError::Broken("x".into())] {
        *world.ear.says.lock().expect("no panic") = Err(error);
        assert_eq!(world.post(&world.path(), "{}").await.0, 503);
    }
}

#[tokio::test]
async fn a_callback_that_nobody_could_check_makes_the_provider_call_again() {
    let world = World::start().await;
    *world.ear.says.lock().expect("no panic") = Ok(Hearing::Unchecked);
    assert_eq!(world.post(&world.path(), "x").await.0, 503);
    let (_, metrics) = world.call("GET", "/metrics", "").await;
    assert!(metrics.contains("payout_callbacks_total{result=\"unchecked\"} 1"), "{metrics}");
}

#[tokio::test]
async fn a_forged_url_is_not_heard_but_kept_with_its_numbers_masked() {
    let world = World::start().await;
    let forged = world.path().replace("/success.", "/error.");
    assert_eq!(world.post(&forged, "{\"number_card\":\"4276345439581234\"}").await.0, 404);
    assert_eq!(world.heard(), 0);
    let strays = world.ledger.strays(&lane());
    assert_eq!(strays, ["not a URL of ours: {\"number_card\":\"…1234\"}"]);
    let elsewhere = forged.replace("/cb/main/", "/cb/other/");
    assert_eq!(world.post(&elsewhere, "{}").await.0, 404);
    assert_eq!(world.ledger.strays(&lane()).len(), 1, "only lanes of ours keep strays");
}

#[tokio::test]
async fn a_flood_of_forged_urls_leaves_room_for_what_the_provider_says() {
    let world = World::start().await;
    let forged = world.path().replace("/success.", "/error.");
    for _ in 0..60 {
        assert_eq!(world.post(&forged, "{}").await.0, 404);
    }
    assert_eq!(world.ledger.strays(&lane()).len(), 5, "of 60");
    *world.ear.says.lock().expect("no panic") = Ok(Hearing::NotOurs);
    for _ in 0..20 {
        assert_eq!(world.post(&world.path(), "{}").await.0, 404);
    }
    assert_eq!(world.ledger.strays(&lane()).len(), 25, "all of what carries our MAC");
}

#[tokio::test]
async fn a_callback_for_no_payout_is_answered_404_only_where_it_is_kept() {
    let world = World::start().await;
    *world.ear.says.lock().expect("no panic") = Ok(Hearing::NotOurs);
    assert_eq!(world.post(&world.path(), "{}").await.0, 404);
    assert_eq!(world.ledger.strays(&lane()), [format!("no attempt 2 of {}: {{}}", place())]);
    let away = World::with(Arc::new(memory()), Arc::new(unkept::Unkept(memory()))).await;
    *away.ear.says.lock().expect("no panic") = Ok(Hearing::NotOurs);
    assert_eq!(away.post(&away.path(), "{}").await.0, 503, "the ledger did not keep it");
}

#[tokio::test]
async fn a_callback_for_a_row_that_was_destroyed_at_retention_is_kept_with_the_reason() {
    let world = World::start().await;
    let batch = place().chunk.batch;
    let destroyed = LedgerError::Destroyed { batch, on: "2026-02-03".to_owned() };
    *world.ear.says.lock().expect("no panic") = Err(destroyed);
    assert_eq!(world.post(&world.path(), "payed=1").await.0, 404);
    let strays = world.ledger.strays(&lane());
    assert!(strays.len() == 1 && strays[0].contains("destroyed at retention on 2026-02-03"));
    assert!(strays[0].contains("payed=1"), "{strays:?}");
}

#[tokio::test]
async fn a_body_over_64_kib_is_refused_unread() {
    let world = World::start().await;
    assert_eq!(world.post(&world.path(), &"x".repeat(64 * 1024)).await.0, 200);
    let (status, _) = world.post(&world.path(), &"x".repeat(64 * 1024 + 1)).await;
    assert_eq!((status, world.heard()), (413, 1));
}

#[tokio::test]
async fn health_and_metrics_name_lanes_and_results_and_nothing_else() {
    let world = World::start().await;
    world.post(&world.path(), "{}").await;
    let (status, health) = world.call("GET", "/health", "").await;
    assert_eq!(status, 200);
    assert_eq!(health, r#"{"status":"ok","ledger":"reachable","lanes":{"main":"sending"}}"#);
    let (status, metrics) = world.call("GET", "/metrics", "").await;
    assert_eq!(status, 200);
    for line in [
        "payout_creates_total 17",
        "payout_callbacks_total{result=\"taken\"} 1",
        "payout_callbacks_total{result=\"forged\"} 0",
        "payout_free_chunk_slots{lane=\"main\"} 3",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in\n{metrics}");
    }
    assert!(!metrics.contains(&place().to_string()));
    assert_eq!(world.call("GET", &world.path(), "").await.0, 405);
    assert_eq!(world.call("GET", "/", "").await.0, 404);
}

#[tokio::test]
async fn health_says_until_when_a_lane_is_closed_and_that_is_no_fault() {
    // The ledger of these tests stands at the first second of 1970, a Thursday.
    let (days, holidays) = (["mon".to_owned()], []);
    let given = Given {
        zone: "Europe/Berlin",
        open: "08:00",
        cut_off: "16:30",
        days: &days,
        holidays: &holidays,
    };
    let hours = Hours::read(given).expect("a calendar");
    let world = World::in_hours([(lane(), hours)].into()).await;
    let (status, health) = world.call("GET", "/health", "").await;
    let closed = "closed until 1970-01-05 08:00 Europe/Berlin (no business day)";
    assert_eq!(status, 200);
    assert_eq!(
        health,
        format!(r#"{{"status":"ok","ledger":"reachable","lanes":{{"main":"{closed}"}}}}"#)
    );
}

#[tokio::test]
async fn a_callback_under_way_is_answered_before_the_listener_ends() {
    let world = World::start().await;
    let writing = world.ear.clone();
    let held = writing.durable.acquire_many(1_000).await.expect("open");
    let path = world.path();
    let address = world.address;
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{{}}");
    stream.write_all(request.as_bytes()).await.expect("to write");
    while world.ear.durable.available_permits() == 1_000 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(world.listener.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!stopping.is_finished(), "it waits for the callback");
    drop(held);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stopping.await.expect("it stops");
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
}
