//! The phases of the benchmark, each printing its lines.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Batch, ChunkId, State};
use ledger::Ledger;
use ledger::redis::RedisLedger;
use ledger::sqlite::SqliteLedger;
use system_tests::redis_server::RedisServer;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::measure::{Usage, line, usage};
use crate::setup::{Running, binary, config, csv, enqueue, sandbox};

type Problem = Box<dyn std::error::Error>;

/// What every phase uses.
pub struct Phases {
    rows: u32,
    dir: TempDir,
    runtime: Runtime,
}

/// What a phase pays on.
struct Bench<'a> {
    name: &'a str,
    config: &'a Path,
    ledger: Arc<dyn Ledger>,
    redis: Option<u32>,
    sandbox: u32,
}

impl Phases {
    /// Prepares a directory.
    pub fn new(rows: u32) -> Result<Phases, Problem> {
        Ok(Phases { rows, dir: tempfile::tempdir()?, runtime: Runtime::new()? })
    }

    fn folder(&self, name: &str) -> Result<std::path::PathBuf, Problem> {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// `reqwest` alone.
    pub fn raw(&self) -> Result<(), Problem> {
        let (_sandbox, url) = sandbox(&self.folder("raw")?, &["--fast"])?;
        let base = format!("{url}/merchant");
        let rows = self.rows.to_string();
        let client =
            Command::new(std::env::current_exe()?).args(["raw-client", &base, &rows]).status()?;
        if client.success() { Ok(()) } else { Err("the raw client failed".into()) }
    }

    /// SQLite, callbacks off.
    pub fn embedded(&self) -> Result<(), Problem> {
        let dir = self.folder("sqlite")?;
        let (server, url) = sandbox(&self.folder("sqlite-sandbox")?, &["--fast"])?;
        let path = dir.join("ledger.sqlite");
        let config =
            config(&dir, &format!("engine = \"sqlite\"\npath = \"{}\"", path.display()), &url)?;
        let ledger = Arc::new(SqliteLedger::open(&path)?);
        let sandbox = server.0.id();
        let bench = Bench { name: "SQLite", config: &config, ledger, redis: None, sandbox };
        self.pay(&bench, |batch| batch.counts.get(State::Accepted) == 0 && settled(batch))
    }

    /// Redis with `appendfsync always`, callbacks off.
    pub fn redis(&self) -> Result<(), Problem> {
        let redis = RedisServer::start();
        let dir = self.folder("redis")?;
        let (server, url) = sandbox(&self.folder("redis-sandbox")?, &["--fast"])?;
        let (config, ledger) = self.on_redis(&dir, &redis, &url)?;
        let before = memory(&redis)?;
        let sandbox = server.0.id();
        let bench = Bench {
            name: "Redis",
            config: &config,
            ledger: Arc::clone(&ledger),
            redis: Some(redis.pid()),
            sandbox,
        };
        self.pay(&bench, |batch| batch.counts.get(State::Accepted) == 0 && settled(batch))?;
        let input = self.runtime.block_on(input_bytes(&*ledger))?;
        let used = memory(&redis)?.saturating_sub(before);
        let rows = u64::from(self.rows);
        println!(
            "Redis, memory: {} bytes a row in all; compressed input {}, beside it {}",
            used / rows,
            input / rows,
            used.saturating_sub(input) / rows
        );
        Ok(())
    }

    /// Both engines, each payout settled by a signed callback.
    pub fn settled(&self) -> Result<(), Problem> {
        let args = ["--settle-after-ms", "0"];
        {
            let dir = self.folder("sqlite-cb")?;
            let (server, url) = sandbox(&self.folder("sqlite-cb-sandbox")?, &args)?;
            let path = dir.join("ledger.sqlite");
            let config =
                config(&dir, &format!("engine = \"sqlite\"\npath = \"{}\"", path.display()), &url)?;
            let ledger = Arc::new(SqliteLedger::open(&path)?);
            let sandbox = server.0.id();
            let name = "SQLite, with callbacks";
            let bench = Bench { name, config: &config, ledger, redis: None, sandbox };
            self.pay(&bench, |batch| batch.counts.open() == 0)?;
        }
        let redis = RedisServer::start();
        let dir = self.folder("redis-cb")?;
        let (server, url) = sandbox(&self.folder("redis-cb-sandbox")?, &args)?;
        let (config, ledger) = self.on_redis(&dir, &redis, &url)?;
        let (name, sandbox) = ("Redis, with callbacks", server.0.id());
        let bench = Bench { name, config: &config, ledger, redis: Some(redis.pid()), sandbox };
        self.pay(&bench, |batch| batch.counts.open() == 0)
    }

    /// Intake of a large file: rows a second and the producer's memory.
    pub fn large_intake(&self, rows: u32) -> Result<(), Problem> {
        let dir = self.folder("large")?;
        let path = dir.join("ledger.sqlite");
        let ledger = format!("engine = \"sqlite\"\npath = \"{}\"", path.display());
        let config = config(&dir, &ledger, "http://127.0.0.1:9")?;
        let file = dir.join("large.csv");
        csv(&file, "L", rows)?;
        let (took, producer) = enqueue(&config, &file)?;
        line(&format!("intake of {rows} rows, SQLite"), rows, took, &[("producer", producer)]);
        Ok(())
    }

    fn on_redis(
        &self,
        dir: &Path,
        redis: &RedisServer,
        sandbox_url: &str,
    ) -> Result<(std::path::PathBuf, Arc<dyn Ledger>), Problem> {
        let text = format!("engine = \"redis\"\nurl = \"{}\"\nprefix = \"payout\"", redis.url());
        let config = config(dir, &text, sandbox_url)?;
        let ledger = self.runtime.block_on(RedisLedger::connect(&redis.url(), "payout"))?;
        Ok((config, Arc::new(ledger)))
    }

    /// Takes a file in and pays it.
    fn pay(&self, bench: &Bench<'_>, done: impl Fn(&Batch) -> bool) -> Result<(), Problem> {
        let file = bench.config.with_file_name("batch.csv");
        csv(&file, "B", self.rows)?;
        let redis_before = bench.redis.map(usage).unwrap_or_default();
        let (took, producer) = enqueue(bench.config, &file)?;
        let name = bench.name;
        line(&format!("{name}: intake"), self.rows, took, &[("producer", producer)]);

        let redis_middle = bench.redis.map(usage).unwrap_or_default();
        let start = Instant::now();
        let worker = Command::new(binary("worker")?)
            .args(["run", "--config"])
            .arg(bench.config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let worker = Running(worker);
        while !self.newest(bench)?.as_ref().is_some_and(&done) {
            if start.elapsed() > Duration::from_secs(300) {
                return Err(
                    format!("{name}: not done after 300 s: {:?}", self.newest(bench)?).into()
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let took = start.elapsed();
        let mut costs = vec![("worker", usage(worker.0.id())), ("sandbox", usage(bench.sandbox))];
        if let Some(redis) = bench.redis {
            costs.push(("redis", since(usage(redis), redis_middle)));
            let intake = since(redis_middle, redis_before);
            line(&format!("{name}: intake, Redis's share"), self.rows, took, &[("redis", intake)]);
        }
        line(&format!("{name}: paying"), self.rows, took, &costs);
        Ok(())
    }

    fn newest(&self, bench: &Bench<'_>) -> Result<Option<Batch>, Problem> {
        Ok(self.runtime.block_on(bench.ledger.batches(None, 1))?.into_iter().next())
    }
}

/// Every row has the provider's answer: nothing is being sent or unknown.
fn settled(batch: &Batch) -> bool {
    batch.counts.get(State::Submitting) == 0 && batch.counts.get(State::Unknown) == 0
}

fn since(now: Usage, before: Usage) -> Usage {
    Usage { cpu: now.cpu.saturating_sub(before.cpu), peak_kib: now.peak_kib }
}

fn memory(redis: &RedisServer) -> Result<u64, Problem> {
    let output = Command::new("redis-cli").args(["-u", &redis.url(), "info", "memory"]).output()?;
    let text = String::from_utf8(output.stdout)?;
    let used = text.lines().find_map(|l| l.strip_prefix("used_memory:"));
    Ok(used.ok_or("redis-cli told no used_memory")?.trim().parse()?)
}

/// Bytes of the compressed rows of the newest batch.
async fn input_bytes(ledger: &dyn Ledger) -> Result<u64, Problem> {
    let batch = ledger.batches(None, 1).await?.pop().ok_or("no batch")?;
    let mut bytes = 0;
    for no in 0..batch.chunks {
        let id = ChunkId { batch: batch.id, no };
        let rows = ledger.chunk(id).await?.map_or(0, |chunk| chunk.payouts.len());
        let last = u16::try_from(rows.saturating_sub(1))?;
        let blocks = ledger.blocks(id, 0, ledger::rows::block_of(last)).await?;
        bytes += blocks.iter().map(|b| u64::try_from(b.len()).unwrap_or(0)).sum::<u64>();
    }
    Ok(bytes)
}
