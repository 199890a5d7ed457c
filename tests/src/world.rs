//! One installation in a folder of its own: ledger, config, inbox, the sandbox as its provider,
//! and whatever programs a test starts on it.

use crate::batch::Batch;
use crate::binaries::binary;
use crate::config_file::{Engine, Settings};
use crate::http;
use crate::process::{Ended, Process, run};
use crate::provider::Provider;
use crate::redis_server::{RedisServer, free_port};
use crate::relay::Relay;
use crate::results::{self, ResultRow};
use crate::sandbox::{SIGN_KEY, Sandbox};
use crate::wait::{wait_for, wait_until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tempfile::TempDir;

/// Debug builds on two busy cores start slowly.
const START: Duration = Duration::from_secs(30);

/// Workers that an installation has room for.
pub const WORKERS: usize = 4;

/// Worlds share the machine; one whose times are measured has it alone.
static MACHINE: RwLock<()> = RwLock::new(());

#[derive(Debug)]
enum Share {
    Common { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

impl Share {
    fn common() -> Share {
        Share::Common { _guard: MACHINE.read().unwrap_or_else(PoisonError::into_inner) }
    }

    fn alone() -> Share {
        Share::Alone { _guard: MACHINE.write().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// An installation.
#[derive(Debug)]
pub struct World {
    /// The provider.
    pub sandbox: Sandbox,
    /// The ledger's server, where there is one.
    pub redis: Option<RedisServer>,
    /// The key that its programs sign with.
    pub sign_key: String,
    config: PathBuf,
    /// What it has forgotten must be asked about, although the provider has told it before.
    pub(crate) ledger_went_back: bool,
    /// From `accepted` without news to the first look-up.
    overdue_ms: u64,
    /// Where its workers take callbacks: the same after a restart, as in any installation.
    addresses: [String; WORKERS],
    folder: TempDir,
    // The last to go: other tests begin when everything here has ended.
    _share: Share,
}

/// Where the rows of a batch stand, as `producer status` tells it.
#[derive(Clone, Debug)]
pub struct Status {
    /// `active`, `complete` …
    pub state: String,
    /// Rows in each state.
    pub counts: BTreeMap<String, u64>,
}

impl Status {
    /// Rows in `state`.
    pub fn rows(&self, state: &str) -> u64 {
        self.counts.get(state).copied().unwrap_or(0)
    }
}

impl World {
    /// Sets one up; no program of ours runs yet.
    pub fn new(settings: &Settings) -> World {
        World::set_up(settings, Share::common())
    }

    /// Sets one up for a test that measures time: no other world runs beside it.
    pub fn alone(settings: &Settings) -> World {
        World::set_up(settings, Share::alone())
    }

    fn set_up(settings: &Settings, share: Share) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let redis = (settings.engine == Engine::Redis).then(RedisServer::start);
        let after_ms = settings.look_ups_after_ms().to_string();
        let told = [&["--look-ups-after-ms", &after_ms], &settings.sandbox[..]].concat();
        let sandbox = Sandbox::start(&folder.path().join("sandbox"), &told);
        let url = redis.as_ref().map_or_else(|| "redis://unused".to_owned(), RedisServer::url);
        let config = folder.path().join("payout.toml");
        let text = settings.toml(&url, &sandbox);
        fs::write(&config, text).expect("the config");
        let addresses = [(); WORKERS].map(|()| format!("127.0.0.1:{}", free_port()));
        let sign_key = SIGN_KEY.to_owned();
        World {
            sandbox,
            redis,
            sign_key,
            config,
            ledger_went_back: false,
            overdue_ms: settings.overdue_ms,
            addresses,
            folder,
            _share: share,
        }
    }

    /// The folder that everything lies in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(binary(program));
        command
            .args(words)
            .arg("--config")
            .arg(&self.config)
            .current_dir(self.folder())
            .env("TEST_SIGN_KEY", &self.sign_key)
            .envs(Provider::environment());
        command
    }

    /// `worker run`, at work.
    pub fn worker(&self) -> Process {
        self.serving("run", &self.addresses[0], &[])
    }

    /// The same, and it reaches its ledger over this relay.
    pub fn worker_by(&self, relay: &Relay) -> Process {
        self.serving("run", &self.addresses[0], &[&format!("ledger.url={}", relay.url())])
    }

    /// Another `worker run` beside the first, at an address of its own.
    pub fn second_worker(&self) -> Process {
        self.serving("run", &self.addresses[1], &[])
    }

    /// `worker run` at address number `no` of [`WORKERS`]; nobody waits until it is at work.
    pub fn start_worker(&self, no: usize) -> Process {
        self.start_serving("run", &self.addresses[no], &[])
    }

    /// `worker up`, at work.
    pub fn up(&self) -> Process {
        self.serving("up", &self.addresses[0], &[])
    }

    /// Nothing went wrong here: so the gateway was asked about no payout but one whose callback was
    /// overdue (or that had been rejected, which is confirmed). It is never polled.
    #[track_caller]
    pub fn asked_only_for_what_was_overdue(&self) {
        let counters = self.sandbox.counters();
        let youngest_ms = counters.youngest_asked_ms.unwrap_or(u64::MAX);
        assert!(youngest_ms >= self.overdue_ms, "asked about {youngest_ms} ms old: {counters:?}");
    }

    /// Fetches what the exchange site says of its directions, so that rows for it can be checked;
    /// a worker does so by itself soon after it has begun.
    pub fn fetch_rules(&self) {
        self.producer(&["provider", Provider::Exchanger.name(), "rules"]);
    }

    /// Asks Capay to send its notices to the first worker, as its customers do once by hand.
    pub fn register_webhook(&self) {
        let public_url = format!("http.public_url=http://{}", self.addresses[0]);
        let told = self.producer(&["provider", "capay", "webhook", "--json", "--set", &public_url]);
        let url = &parse(&told)["rows"][0]["url"];
        let capay = self.sandbox.of(Provider::Capay);
        capay.control("PUT", "webhook", &serde_json::json!({ "url": url }).to_string());
    }

    /// What the first worker says of itself.
    #[track_caller]
    pub fn health(&self) -> Value {
        let answer = http::call("GET", &format!("http://{}/health", self.addresses[0]), "");
        parse(&answer.expect("an answer").body)
    }

    fn serving(&self, command: &str, address: &str, settings: &[&str]) -> Process {
        let mut process = self.start_serving(command, address, settings);
        let health = format!("http://{address}/health");
        wait_until("the worker answers", START, || {
            assert!(!process.has_ended(), "the worker has ended: {}", process.stderr());
            http::call("GET", &health, "").is_ok_and(|answer| answer.status == 200)
        });
        process
    }

    fn start_serving(&self, command: &str, address: &str, settings: &[&str]) -> Process {
        let mut command = self.command("worker", &[command]);
        command.args(settings.iter().flat_map(|setting| ["--set", *setting]));
        command.args(["--set", &format!("http.listen={address}")]);
        command.args(["--set", &format!("http.public_url=http://{address}")]);
        Process::start("worker", &mut command)
    }

    /// `producer …` that runs on.
    pub fn start_producer(&self, words: &[&str]) -> Process {
        Process::start("producer", &mut self.command("producer", words))
    }

    /// `producer …` to its end, whatever that is.
    #[track_caller]
    pub fn try_producer(&self, words: &[&str]) -> Ended {
        run("producer", &mut self.command("producer", words), START)
    }

    /// `producer …` to its good end; what it printed.
    #[track_caller]
    pub fn producer(&self, words: &[&str]) -> String {
        let ended = self.try_producer(words);
        assert!(ended.status.success(), "producer {words:?}: {ended:?}");
        ended.stdout
    }

    /// Puts a file beside the inbox; its path.
    pub fn file(&self, batch: &Batch) -> PathBuf {
        let path = self.folder().join(batch.file_name());
        fs::write(&path, batch.csv()).expect("the file");
        path
    }

    /// `producer enqueue`; the batch's id.
    #[track_caller]
    pub fn enqueue(&self, batch: &Batch) -> String {
        self.enqueue_file(&self.file(batch))
    }

    /// `producer enqueue FILE`; the batch's id.
    #[track_caller]
    pub fn enqueue_file(&self, file: &Path) -> String {
        self.enqueue_with(file, &[])
    }

    /// `producer enqueue FILE …`; the batch's id.
    #[track_caller]
    pub fn enqueue_with(&self, file: &Path, words: &[&str]) -> String {
        let file = file.to_string_lossy();
        let told = self.producer(&[&["enqueue", &file, "--json"], words].concat());
        id_of(&parse(&told))
    }

    /// The folder `inbox`, or one inside it.
    pub fn inbox(&self, inner: &str) -> PathBuf {
        self.folder().join("inbox").join(inner)
    }

    /// Drops a file into the inbox as a careful program does: whole, by one rename.
    pub fn drop_in(&self, batch: &Batch) {
        fs::create_dir_all(self.inbox("")).expect("the inbox");
        fs::rename(self.file(batch), self.inbox("").join(batch.file_name())).expect("a rename");
    }

    /// `producer status BATCH`.
    #[track_caller]
    pub fn status(&self, id: &str) -> Status {
        let told = parse(&self.producer(&["status", id, "--json"]));
        let counts = told["payouts"].as_object().expect("counts").iter();
        Status {
            state: told["state"].as_str().expect("a state").to_owned(),
            counts: counts.map(|(k, v)| (k.clone(), v.as_u64().expect("a count"))).collect(),
        }
    }

    /// Waits until every row is final or in review; where they stand then.
    #[track_caller]
    pub fn completes(&self, id: &str, within: Duration) -> Status {
        let complete = || Some(self.status(id)).filter(|status| status.state == "complete");
        wait_for(&format!("batch {id} completes"), within, complete)
    }

    /// `producer report BATCH`: its rows.
    #[track_caller]
    pub fn report(&self, id: &str) -> Vec<ResultRow> {
        let folder = self.folder().join("reports");
        let told = self.producer(&["report", id, "--out", &folder.to_string_lossy(), "--json"]);
        let file = parse(&told)["result_file"].as_str().map(PathBuf::from);
        results::read(&file.expect("a result file"))
    }

    /// Waits for the result file that belongs to a file of the inbox: its rows.
    #[track_caller]
    pub fn result_of(&self, batch: &Batch, within: Duration) -> Vec<ResultRow> {
        let path = self.inbox("done").join(format!("{}.result.csv", batch.name));
        wait_until(&format!("{} is written", path.display()), within, || path.is_file());
        results::read(&path)
    }

    /// All batches that the ledger knows, the newest first: id and state.
    #[track_caller]
    pub fn batches(&self) -> Vec<(String, String)> {
        let told = parse(&self.producer(&["status", "--json", "--limit", "1000"]));
        let all = told["batches"].as_array().expect("batches").iter();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        all.map(|batch| (id_of(batch), text(&batch["state"]))).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.sandbox.was_asked_for_no_large_page();
            if !self.ledger_went_back {
                self.sandbox.was_never_polled();
            }
        }
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("not JSON, {e}: {text}"))
}

fn id_of(told: &Value) -> String {
    told["batch"].as_str().unwrap_or_else(|| panic!("no batch in {told}")).to_owned()
}
