//! A program that runs: its output is kept, told when the test fails, and it never outlives
//! the test.

use crate::wait::wait_for;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Until a signal has reached all threads of a program.
const FREEZE: Duration = Duration::from_secs(5);

/// Lines shown of each program when a test fails.
const SHOWN: usize = 60;

type Lines = Arc<Mutex<Vec<String>>>;

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Process {
    /// Starts a program.
    pub fn start(name: &str, command: &mut Command) -> Process {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        let stdout = collect(child.stdout.take().expect("its stdout"));
        let stderr = collect(child.stderr.take().expect("its stderr"));
        Process { name: name.to_owned(), child, stdout, stderr }
    }

    /// Waits for a line of its stdout or stderr that contains `text`.
    #[track_caller]
    pub fn wait_for_line(&mut self, text: &str, within: Duration) -> String {
        let what = format!("{} says {text:?}", self.name);
        wait_for(&what, within, || {
            let find = |lines: &Lines| lock(lines).iter().find(|l| l.contains(text)).cloned();
            let found = find(&self.stdout).or_else(|| find(&self.stderr));
            let mut ended = || self.child.try_wait().expect("its state");
            assert!(found.is_some() || ended().is_none(), "{} has ended: {what}", self.name);
            found
        })
    }

    /// What it wrote to stderr so far.
    pub fn stderr(&self) -> String {
        lock(&self.stderr).join("\n")
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("to be killed");
        self.child.wait().expect("to end");
    }

    /// SIGTERM: ends it in order.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGSTOP: when this returns it does nothing any more, and keeps all that it has.
    #[track_caller]
    pub fn freeze(&self) {
        self.signal("-STOP");
        let stat = format!("/proc/{}/stat", self.child.id());
        wait_for("it stands still", FREEZE, || {
            let text = std::fs::read_to_string(&stat).expect("its state");
            // Behind the name in brackets, which may hold anything.
            let (_, state) = text.rsplit_once(") ").expect("a state");
            state.starts_with('T').then_some(())
        });
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill(1)");
        assert!(status.success(), "{} did not get its signal", self.name);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_some()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let what = format!("{} ends", self.name);
        wait_for(&what, within, || self.child.try_wait().expect("its state"))
    }
}

/// Runs a program to its end.
#[track_caller]
pub fn run(name: &str, command: &mut Command, within: Duration) -> Ended {
    let mut process = Process::start(name, command);
    let status = process.wait(within);
    let whole = |lines: &Lines| {
        // The pipe's last lines may come after the end.
        wait_for("its output ends", within, || (Arc::strong_count(lines) == 1).then_some(()));
        lock(lines).iter().map(|line| format!("{line}\n")).collect()
    };
    Ended { status, stdout: whole(&process.stdout), stderr: whole(&process.stderr) }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            for (from, lines) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
                let lines = lock(lines);
                let skipped = lines.len().saturating_sub(SHOWN);
                eprintln!("--- {} {} {from}, {skipped} lines before:", self.name, self.child.id());
                lines.iter().skip(skipped).for_each(|line| eprintln!("{line}"));
            }
        }
    }
}

fn lock(lines: &Lines) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a pipe to its end, so that the program never waits for us.
fn collect(pipe: impl Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let sink = Arc::clone(&lines);
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).into_owned();
            lock(&sink).push(line);
        }
    });
    lines
}
