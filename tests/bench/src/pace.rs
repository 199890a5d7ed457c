//! How much of a provider's limit a pool uses, and whether it ever exceeds it: four workers on
//! one Redis, the lane's limit exactly the provider's. The provider's own stamps judge.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use system_tests::redis_server::{RedisServer, free_port};
use system_tests::sandbox::{Sandbox, busiest, creates};
use tempfile::TempDir;

use crate::setup::{Running, binary, config, csv, enqueue, machine, sandbox};

type Problem = Box<dyn std::error::Error>;

/// Creates a second: what the provider allows and what the lane is told.
const LIMIT: u64 = 500;
const WORKERS: usize = 4;
/// Requests under way at once in the whole pool: more than it needs.
const IN_FLIGHT: u32 = 256;
/// Until all workers are there and the canary has come home.
const WARM_UP: Duration = Duration::from_secs(3);
const MEASURED_S: u64 = 30;
const TAKES: usize = 3;
/// More rows than are sent in one take.
const ROWS: u32 = 20_000;

/// What one take showed.
struct Take {
    sent: u64,
    /// Tenths in which a sliding second ended that held more than the limit.
    above: usize,
    busiest: u64,
    refused: u64,
}

impl Take {
    /// Of the limit, in hundredths of a percent.
    fn used(&self) -> u64 {
        self.sent * 10_000 / (LIMIT * MEASURED_S)
    }

    fn line(&self, what: &str) -> String {
        let (used, Take { sent, above, busiest, refused }) = (self.used(), self);
        let (whole, part) = (used / 100, used % 100);
        format!(
            "{what}: {whole}.{part:02} % of {LIMIT}/s used ({sent} creates in {MEASURED_S} s), \
             {above} windows above it (busiest second {busiest}), {refused} answered 429"
        )
    }
}

/// Prints each take and the best.
pub fn run() -> Result<(), Problem> {
    println!("{WORKERS} workers on Redis, lane and provider at {LIMIT}/s, {}", machine());
    println!();
    let mut takes = Vec::with_capacity(TAKES);
    for no in 1..=TAKES {
        let take = take()?;
        println!("{}", take.line(&format!("take {no}")));
        takes.push(take);
    }
    // What exceeds the limit is worth nothing, however much of it is used.
    takes.sort_by_key(|take| (std::cmp::Reverse(take.above), take.used()));
    let best = takes.pop().ok_or("no take")?;
    println!("{}", best.line("best"));
    Ok(())
}

fn take() -> Result<Take, Problem> {
    let dir = TempDir::new()?;
    let redis = RedisServer::start();
    // A provider that waits for the pool's disk would stamp requests later than they came.
    let memory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new())?;
    let (_server, url) = sandbox(memory.path(), &["--no-magic"])?;
    let provider = Sandbox::inside(&format!("{url}/merchant"));
    provider.dial(&serde_json::json!({ "creates_per_second": LIMIT }));
    let ledger = format!("engine = \"redis\"\nurl = \"{}\"\nprefix = \"pace\"", redis.url());
    let home = dir.path().join("pool");
    std::fs::create_dir_all(&home)?;
    let config = config(&home, &ledger, &url)?;
    let file = home.join("batch.csv");
    csv(&file, "P", ROWS)?;
    enqueue(&config, &file)?;
    let workers: Result<Vec<Running>, Problem> = (0..WORKERS)
        .map(|_| {
            let address = format!("127.0.0.1:{}", free_port());
            let worker = Command::new(binary("worker")?)
                .args(["run", "--config"])
                .arg(&config)
                .args(["--set", &format!("http.listen={address}")])
                .args(["--set", &format!("http.public_url=http://{address}")])
                .args(["--set", &format!("lanes.main.rate_per_second={LIMIT}")])
                .args(["--set", &format!("lanes.main.in_flight={IN_FLIGHT}")])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            Ok(Running(worker))
        })
        .collect();
    let _workers = workers?;
    wait("the first create", || provider.counters().create > 0)?;
    std::thread::sleep(WARM_UP);
    let from = provider.pace().now + 1;
    let until = from + MEASURED_S * 10;
    std::thread::sleep(Duration::from_secs(MEASURED_S));
    wait("the last tenth has gone by", || provider.pace().now > until)?;
    let pace = provider.pace();
    let tenths = pace.between(from, until);
    if creates(&pace.between(until, pace.now + 1)) == 0 {
        return Err("the batch came to its end, or the pool stopped".into());
    }
    Ok(Take {
        sent: creates(&tenths),
        above: tenths.iter().filter(|tenth| tenth.busiest > LIMIT).count(),
        busiest: busiest(&tenths),
        refused: tenths.iter().map(|tenth| tenth.over_limit).sum(),
    })
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Problem> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > Duration::from_secs(30) {
            return Err(format!("waited in vain: {what}").into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
