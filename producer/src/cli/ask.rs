//! Questions to the person at the terminal. They go to standard error, so that standard output
//! holds results alone.

use super::Failure;
use super::hidden::Hidden;
use std::io::{IsTerminal, Write};

/// Reads a line; `None` where nothing was typed.
pub async fn line(prompt: String) -> Option<String> {
    tokio::task::spawn_blocking(move || read(&prompt)).await.ok().flatten()
}

/// Reads a line that a terminal does not show; from a pipe as any other.
pub async fn hidden_line(prompt: String) -> Option<String> {
    let read = tokio::task::spawn_blocking(move || {
        let stdin = std::io::stdin();
        let hidden = match stdin.is_terminal() {
            true => Some(Hidden::typing(stdin).ok()?),
            false => None,
        };
        let line = read(&prompt);
        drop(hidden);
        line
    });
    read.await.ok().flatten()
}

fn read(prompt: &str) -> Option<String> {
    eprint!("{prompt}");
    // A prompt that cannot be shown is answered, or not, without having been seen.
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).ok()?;
    let line = line.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// Goes on only if somebody types `yes`, or has said so already.
pub async fn yes(what: &str, said_already: bool) -> Result<(), Failure> {
    if said_already {
        return Ok(());
    }
    match line(format!("{what}\ntype yes to go on: ")).await.as_deref() {
        Some("yes") => Ok(()),
        _ => Err(Failure::NotDone("nothing was done: nobody said yes (type it, or --yes)".into())),
    }
}
