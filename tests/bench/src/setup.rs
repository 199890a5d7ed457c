//! Binaries, files and config that the phases use.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use system_tests::redis_server::free_port;

use crate::measure::{Usage, usage};

type Problem = Box<dyn std::error::Error>;

/// Requests under way at once, for the worker and for the raw client alike.
pub const IN_FLIGHT: u32 = 64;

/// Builds the binaries with the profile of this one: with `--release`, as users run them.
pub fn build() -> Result<(), Problem> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "-q", "-p", "worker", "-p", "producer", "-p", "sandbox"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    if command.status()?.success() { Ok(()) } else { Err("the build failed".into()) }
}

/// A binary beside this one.
pub fn binary(name: &str) -> Result<PathBuf, Problem> {
    let here = std::env::current_exe()?;
    let found = here.parent().map(|dir| dir.join(name)).filter(|path| path.exists());
    found.ok_or_else(|| format!("no binary {name} beside {}", here.display()).into())
}

/// Cores of this machine.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{cores} cores")
}

/// A child process that ends with its owner.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A sandbox process; gives its base URL.
pub fn sandbox(dir: &Path, args: &[&str]) -> Result<(Running, String), Problem> {
    let mut child = Command::new(binary("sandbox")?)
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(dir)
        .args(args)
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("the sandbox has no output")?;
    let running = Running(child);
    // Its other listener is told before.
    for line in BufReader::new(stdout).lines() {
        if let Some(url) = line?.strip_prefix("sandbox listening on ") {
            return Ok((running, url.to_owned()));
        }
    }
    Err("the sandbox ended before it listened".into())
}

/// A batch of card payouts with references of its own.
pub fn csv(path: &Path, prefix: &str, rows: u32) -> Result<(), Problem> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "reference,amount,currency,method,destination,full_name")?;
    for row in 0..rows {
        let amount = 10 + row % 900;
        writeln!(file, "{prefix}-{row},{amount}.50,RUB,card,4111111111111111,Anna Ivanova {row}")?;
    }
    file.flush()?;
    Ok(())
}

/// Writes a config for one engine; gives its path.
pub fn config(dir: &Path, ledger: &str, sandbox_url: &str) -> Result<PathBuf, Problem> {
    fs::write(dir.join("sign"), "sandbox-sign-key")?;
    fs::write(dir.join("api"), "sandbox-api-key")?;
    let (port, at) = (free_port(), dir.display());
    let text = format!(
        r#"
[ledger]
{ledger}
key_file = "{at}/ledger.key"

[inbox]
dir = "{at}/inbox"

[http]
listen = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
callback_key_file = "{at}/callback.key"

[worker]
chunks_at_once = 4
lease_ms = 60000
state = "{at}-state"

[lanes.main]
provider = "merchant"
sandbox = true
rate_per_second = "unlimited"
in_flight = {IN_FLIGHT}

[lanes.main.settings]
base_url = "{sandbox_url}/merchant"
merchant = "sandbox"
sign_key = {{ file = "{at}/sign" }}
api_key = {{ file = "{at}/api" }}

[[routes]]
lane = "main"
"#
    );
    let path = dir.join("bench.toml");
    fs::write(&path, text)?;
    Ok(path)
}

/// Runs `producer enqueue` and watches what it costs.
pub fn enqueue(config: &Path, file: &Path) -> Result<(Duration, Usage), Problem> {
    let start = Instant::now();
    let child = Command::new(binary("producer")?)
        .args(["enqueue", "--config"])
        .arg(config)
        .arg(file)
        .stdout(Stdio::null())
        .spawn()?;
    let mut child = Running(child);
    let mut last = Usage::default();
    let status = loop {
        let now = usage(child.0.id());
        if now.peak_kib > 0 {
            last = now;
        }
        if let Some(status) = child.0.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    if !status.success() {
        return Err(format!("producer enqueue ended with {status}").into());
    }
    Ok((start.elapsed(), last))
}
