//! `worker up --demo`: the sample files, paid by the built-in sandbox, each row checked against
//! the sandbox's own ledger.
//!
//! Each run has a new folder with a ledger, a sandbox and an inbox of its own, so it can be run
//! again and again and leaves everything to look at. It never reads a config: whatever is
//! configured here, the demo moves no money.

use crate::Failure;
use crate::everything::Everything;
use crate::signals::Signals;
use crate::verify::{Verdict, verify};
use crate::view::View;
use config::{Config, Listen, Rate};
use domain::{Batch, BatchState};
use jiff::Timestamp;
use ledger::Ledger;
use producer::{report, show};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The files, as they stand in `config/samples`.
const SAMPLES: [(&str, &[u8]); 2] = [
    ("payouts.csv", include_bytes!("../../config/samples/payouts.csv")),
    ("accounting-export.csv", include_bytes!("../../config/samples/accounting-export.csv")),
];

/// The demo fails if it takes longer.
const WITHIN: Duration = Duration::from_secs(120);

/// How often the batches are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Batches that are looked at: more than there are samples.
const BATCHES: u32 = 100;

/// Runs the demo.
pub async fn run(view: &View, mut signals: Signals) -> Result<(), Failure> {
    let folder = new_folder(Path::new("./data"))?;
    let config = config(&folder);
    put_samples(&config.inbox.dir)?;
    let all = Everything::start(&config).await?;
    view.say(&format!("the demo is up in {}; no money moves\n{}", folder.display(), all.places()));
    let over = tokio::select! {
        () = signals.next() => Err("interrupted".into()),
        never = view.follow(all.ledger.clone()) => match never {},
        over = tokio::time::timeout(WITHIN, all_over(&*all.ledger)) => match over {
            Ok(batches) => batches,
            Err(_) => Err(unfinished(&*all.ledger).await),
        },
    };
    signals.end_at_once();
    let checked = match over {
        Ok(batches) => check(view, &all, &batches).await,
        Err(error) => Err(error),
    };
    all.stop().await;
    checked?;
    view.say(&format!("results: {}", config.inbox.dir.join("done").display()));
    Ok(())
}

async fn check(view: &View, all: &Everything, batches: &[Batch]) -> Result<(), Failure> {
    for batch in batches {
        let summary = report::summarize(&*all.ledger, batch).await?;
        view.say(&format!("\n{}\n{}", batch.name, show::batches::summary(&summary)));
    }
    let Verdict { rows, paid_once, wrong, problems } =
        verify(&*all.ledger, &all.sandbox_ledger()).await?;
    if wrong > 0 {
        let list = problems.join("\n  ");
        return Err(
            format!("{wrong} of {rows} rows are not as the sandbox has them:\n  {list}").into()
        );
    }
    view.say(&format!(
        "checked against the sandbox's own ledger: {rows} rows, {paid_once} paid, each exactly \
         once and with its own amount; nothing else was paid"
    ));
    Ok(())
}

/// Waits until every sample is over and its result is written.
async fn all_over(ledger: &dyn Ledger) -> Result<Vec<Batch>, Failure> {
    loop {
        let batches = ledger.batches(None, BATCHES).await?;
        if let Some(refused) = batches.iter().find(|b| b.state == BatchState::Rejected) {
            return Err(format!("{} was refused: {}", refused.name, refused.reason).into());
        }
        let is_over = |batch: &Batch| {
            batch.state == BatchState::Complete && batch.reported == Some(batch.changes)
        };
        if batches.len() >= SAMPLES.len() && batches.iter().all(is_over) {
            return Ok(batches);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn unfinished(ledger: &dyn Ledger) -> Failure {
    let batches = ledger.batches(None, BATCHES).await.unwrap_or_default();
    let list = show::batches::list(&batches);
    format!("the demo was not over after {} s:\n{list}", WITHIN.as_secs()).into()
}

fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.ledger.path = folder.join("ledger/ledger.sqlite");
    config.ledger.key_file = folder.join("ledger.key");
    config.worker.state = folder.join("state");
    config.inbox.dir = folder.join("inbox");
    config.sandbox.data = folder.join("sandbox");
    config.http.callback_key_file = folder.join("callback.key");
    config.http.listen = Listen::At(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    for lane in config.lanes.values_mut() {
        lane.look_ups_per_second = Rate::Unlimited;
    }
    config
}

fn new_folder(data: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(data).map_err(|error| format!("cannot make {}: {error}", data.display()))?;
    let now = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    // Two runs in one second get a folder each.
    for try_no in 0..100 {
        let suffix = if try_no == 0 { String::new() } else { format!("-{try_no}") };
        let folder = data.join(format!("demo-{now}{suffix}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("cannot make {}: {error}", folder.display()).into()),
        }
    }
    Err(format!("{} is full of demos of this second", data.display()).into())
}

/// Puts the samples in as a person would: each appears whole.
fn put_samples(inbox: &Path) -> Result<(), Failure> {
    fs::create_dir_all(inbox)?;
    for (name, bytes) in SAMPLES {
        let part = inbox.join(format!(".{name}.part"));
        fs::write(&part, bytes)?;
        fs::rename(part, inbox.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::{LedgerConfig, WorkerConfig};

    #[test]
    fn two_demos_of_one_second_have_a_folder_each() {
        let data = tempfile::tempdir().unwrap();
        let folders: Vec<_> = (0..3).map(|_| new_folder(data.path()).unwrap()).collect();
        assert!(folders[0] != folders[1] && folders[1] != folders[2]);
        assert!(folders.iter().all(|folder| folder.is_dir()));
    }

    #[test]
    fn the_demo_can_only_pay_into_the_built_in_sandbox() {
        let config = config(Path::new("/demo"));
        assert!(config.lanes.values().all(|lane| lane.sandbox));
        assert!(crate::lanes::want_sandbox(&config));
        assert_eq!(config.lanes.len(), 1);
        let LedgerConfig { path, key_file, .. } = &config.ledger;
        let WorkerConfig { state, .. } = &config.worker;
        for place in [path, key_file, &config.inbox.dir, &config.sandbox.data, state] {
            assert!(place.starts_with("/demo"), "{}", place.display());
        }
    }
}
