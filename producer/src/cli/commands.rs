//! One function per command: load what it needs, do it, print it. Those that speak to a provider
//! stand in [`super::talk`].

use super::{Cli, Command, Enqueue, Failure, LaneCommand, Report, Status, Taking, Watch, ask};
use crate::folders::base_name;
use crate::inbox::folders::Inbox;
use crate::inbox::{self, WatchOptions};
use crate::intake::{self, Progress, TakeOptions};
use crate::provider::Line;
use crate::rebind::{Rebound, rebind};
use crate::rules::Rules;
use crate::{progress, report, show, steer, waiting};
use config::key_file::make_private_folders;
use config::{Config, Overrides, open_ledger};
use domain::{BatchId, LaneName, LedgerId};
use ledger::Ledger;
use ledger::spend::{self, Holder};
use providers::registry;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// Runs a command.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    if let Command::Providers { json } = cli.command {
        let all: Vec<_> = registry::names().filter_map(registry::limits).collect();
        match json {
            true => print_json(&show::limits::providers_json(&all)),
            false => print!("{}", show::limits::providers(&all)),
        }
        return Ok(());
    }
    if let Command::Report(Report { verify: Some(file), key, json, .. }) = &cli.command {
        return super::audit::prove(file, key.as_deref(), *json).await;
    }
    let overrides = Overrides::from_process(&cli.set)?;
    let desk = Office::open(Config::load(cli.config.as_deref(), &overrides)?).await?;
    match cli.command {
        Command::Enqueue(args) => desk.enqueue(args).await,
        Command::Watch(args) => desk.watch(args).await,
        Command::Status(args) => desk.status(args).await,
        Command::Report(args) => desk.report(args).await,
        Command::Audit(command) => desk.audit(command).await,
        Command::Cancel { batch } => desk.cancel(batch).await,
        Command::Pause(args) => desk.pause(args).await,
        Command::Resume { batch } => desk.resume(batch).await,
        Command::Lane(LaneCommand::List { json }) => desk.lanes(json).await,
        Command::Lane(LaneCommand::Start { lane }) => desk.start_lane(&lane).await,
        Command::Lane(LaneCommand::Hurry { lane }) => desk.hurry_lane(&lane).await,
        Command::Lane(LaneCommand::Adopt { lane, ledger }) => desk.adopt(&lane, ledger).await,
        Command::Lane(LaneCommand::Rebind { lane, yes }) => desk.rebind(&lane, yes).await,
        Command::Lane(LaneCommand::Stop { lane, reason, drain }) => {
            desk.stop_lane(&lane, &reason, &drain).await
        }
        Command::Worker(command) => desk.workers(command).await,
        Command::Ledger(command) => desk.ledger(command).await,
        Command::Waiting { batch, json } => desk.waiting(batch, json).await,
        Command::Confirm(args) => desk.confirm(args).await,
        Command::Review(command) => desk.review(command).await,
        Command::Provider(args) => desk.provider(args).await,
        Command::Reconcile(args) => desk.reconcile(args).await,
        Command::Providers { .. } => Ok(()),
    }
}

/// What every command but `providers` needs.
pub(super) struct Office {
    pub(super) config: Config,
    pub(super) rules: Arc<Rules>,
    pub(super) ledger: Arc<dyn Ledger>,
}

impl Office {
    async fn open(config: Config) -> Result<Office, Failure> {
        let rules = Arc::new(Rules::from_config(&config)?);
        let ledger = open_ledger(&config.ledger).await?;
        Ok(Office { config, rules, ledger })
    }

    async fn enqueue(&self, args: Enqueue) -> Result<(), Failure> {
        let beside = || {
            let name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            args.file.with_file_name(format!("{}.rejected.csv", base_name(&name)))
        };
        let options = TakeOptions {
            file: args.file.clone(),
            lane: args.taking.lane.clone(),
            profile: args.taking.profile.clone(),
            skip_invalid: args.taking.skip_invalid,
            rejected: args.rejected.clone().or_else(|| args.taking.skip_invalid.then(beside)),
            expect_rows: args.expect_rows,
            expect_totals: args.expect_total.clone(),
            not_before: args.taking.not_before,
            priority: args.taking.priority,
            dry_run: args.dry_run,
            ..TakeOptions::default()
        };
        let how_far = Arc::new(Progress::default());
        let work = intake::take(self.ledger.clone(), self.rules.clone(), options, how_far.clone());
        match progress::of_intake(how_far, work).await {
            Ok(taken) if args.json => print_json(&show::taken::to_json(&taken)),
            Ok(taken) => {
                print!("{}", show::taken::taken(&taken));
                // A ledger that went away since takes nothing back: the batch is taken.
                let mut lanes = self.lane_records().await.unwrap_or_default();
                lanes.retain(|lane| taken.lanes.iter().any(|(name, _)| *name == lane.record.name));
                print!("{}", show::lanes::closed(&lanes));
            }
            Err(source) => {
                if args.json {
                    print_json(&show::taken::refused_json(&source));
                }
                let file = args.file.display().to_string();
                return Err(Failure::Intake { file, source: Box::new(source) });
            }
        }
        Ok(())
    }

    async fn watch(&self, args: Watch) -> Result<(), Failure> {
        let dir = &self.config.inbox.dir;
        let failed = |source| Failure::Inbox { path: dir.display().to_string(), source };
        let done = Inbox::open(dir).map_err(failed)?.done();
        let (stop, stopped) = watch::channel(false);
        tracing::info!(inbox = %dir.display(), "watching; Ctrl-C stops");
        let Taking { lane, profile, skip_invalid, not_before, priority } = args.taking;
        let options = WatchOptions { lane, profile, skip_invalid, not_before, priority };
        let files = inbox::watch(
            self.ledger.clone(),
            self.rules.clone(),
            &self.config.inbox,
            options,
            stopped.clone(),
        );
        let results = report::keep_up(self.ledger.clone(), self.rules.clone(), &done, stopped);
        let asked = async {
            wait_for_stop().await;
            tracing::info!("stopping");
            // Both loops hold a receiver as long as they run.
            let _ = stop.send(true);
        };
        let (files, (), ()) = tokio::join!(files, results, asked);
        files.map_err(failed)
    }

    async fn status(&self, args: Status) -> Result<(), Failure> {
        let Some(id) = args.batch else {
            let batches = self.ledger.batches(None, args.limit).await?;
            let lanes = self.lane_records().await?;
            if args.json {
                let mut all = Vec::with_capacity(batches.len());
                for batch in &batches {
                    all.push(self.batch_json(batch).await?);
                }
                let lanes = show::lanes::to_json(&lanes);
                print_json(&serde_json::json!({ "batches": all, "lanes": lanes }));
            } else {
                let holds = self.holds(&batches).await?;
                let stopped = show::lanes::stopped(&lanes);
                let closed = show::lanes::holding(&lanes, &batches);
                let prospects = self.prospects(&batches).await?;
                print!("{}{prospects}{holds}{stopped}{closed}", show::batches::list(&batches));
            }
            return Ok(());
        };
        let batch = match args.follow {
            true => progress::follow(&*self.ledger, id).await?,
            false => self.ledger.batch(id).await?,
        };
        let batch = batch.ok_or_else(|| Failure::NoBatch(id.to_string()))?;
        let late = report::late::of_batch(&*self.ledger, &batch).await?;
        if args.json {
            let mut told = self.batch_json(&batch).await?;
            told["late_news"] = show::batches::late_to_json(&late);
            told["pause"] = self.hold_json(&batch).await?;
            told["closed"] = show::lanes::closed_json(&self.lane_records().await?);
            told["spend_held"] = self.spend_held_json(&batch).await?;
            print_json(&told);
        } else {
            let lanes = self.lane_records().await?;
            let stopped = show::lanes::stopped(&lanes);
            let closed = show::lanes::holding(&lanes, std::slice::from_ref(&batch));
            let holds = self.holds(std::slice::from_ref(&batch)).await?;
            print!("{}{}", show::batches::one(&batch), show::batches::late(&late));
            let prospects = self.prospects(std::slice::from_ref(&batch)).await?;
            print!("{prospects}{holds}{stopped}{closed}");
        }
        Ok(())
    }

    async fn report(&self, args: Report) -> Result<(), Failure> {
        // The command line has one, or there is --verify.
        let Some(id) = args.batch else { return Ok(()) };
        let none = || Failure::NoBatch(id.to_string());
        let batch = self.ledger.batch(id).await?.ok_or_else(none)?;
        let folder = self.report_folder(args.out.as_deref())?;
        let unmask = args.unmask || self.rules.unmask;
        let written = report::write(&*self.ledger, &self.rules, &batch, &folder, unmask).await?;
        if args.json {
            print_json(&serde_json::json!({
                "result_file": written.result,
                "summary_file": written.file,
                "signature_file": written.signature,
                "summary": written.summary,
            }));
        } else {
            print!("{}", show::batches::summary(&written.summary));
            print!("{}", show::batches::to_do(&batch));
            for file in [&written.result, &written.file, &written.signature] {
                println!("{}", file.display());
            }
        }
        Ok(())
    }

    fn report_folder(&self, out: Option<&Path>) -> Result<PathBuf, Failure> {
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |source| Failure::Inbox { path, source }
        };
        match out {
            Some(out) => {
                make_private_folders(out).map_err(failed(out))?;
                Ok(out.to_owned())
            }
            None => {
                let dir = &self.config.inbox.dir;
                Ok(Inbox::open(dir).map_err(failed(dir))?.done())
            }
        }
    }

    async fn cancel(&self, batch: BatchId) -> Result<(), Failure> {
        let done = steer::cancel(&*self.ledger, &self.rules, batch).await?;
        println!("batch {batch} is cancelled: {} payouts will not be sent", done.payouts);
        if done.under_way > 0 {
            println!("{} payouts are under way and are followed to their end", done.under_way);
        }
        Ok(())
    }

    async fn waiting(&self, batch: Option<BatchId>, json: bool) -> Result<(), Failure> {
        let ledger = &*self.ledger;
        let all = match batch {
            None => waiting::all(ledger, &self.rules).await?,
            Some(id) => {
                let batch = ledger.batch(id).await?;
                let batch = batch.ok_or_else(|| Failure::NoBatch(id.to_string()))?;
                let waits = waiting::of_batch(ledger, &self.rules, &batch, waiting::LISTED_MAX);
                Some(waits.await?).filter(|waits| waits.count > 0).into_iter().collect()
            }
        };
        match json {
            true => print_json(&show::waiting::to_json(&all)),
            false => print!("{}", show::waiting::list(&all)),
        }
        Ok(())
    }

    async fn lanes(&self, json: bool) -> Result<(), Failure> {
        let lanes = self.lane_records().await?;
        match json {
            true => print_json(&show::lanes::to_json(&lanes)),
            false => print!("{}", show::lanes::list(&lanes)),
        }
        Ok(())
    }

    async fn start_lane(&self, lane: &LaneName) -> Result<(), Failure> {
        let changed = steer::start_lane(&*self.ledger, &self.rules, lane).await?;
        println!("lane {lane} {}", if changed { "is started" } else { "was not stopped" });
        Ok(())
    }

    async fn hurry_lane(&self, lane: &LaneName) -> Result<(), Failure> {
        match steer::hurry_lane(&*self.ledger, &self.rules, lane).await? {
            Some(until) => println!(
                "lane {lane} sends again, slower than before; its provider had asked for a pause until {}",
                report::cells::time(&until)
            ),
            None => println!("lane {lane} has no pause to end"),
        }
        Ok(())
    }

    async fn adopt(&self, lane: &LaneName, id: LedgerId) -> Result<(), Failure> {
        let changed = steer::adopt(&*self.ledger, &self.rules, lane, id).await?;
        let words = if changed { "is retired from now on" } else { "was known to be retired" };
        println!("lane {lane}: ledger {id} {words}");
        Ok(())
    }

    async fn rebind(&self, lane: &LaneName, yes: bool) -> Result<(), Failure> {
        let line = Line::open(&self.config, lane)?;
        let now = line.provider.fingerprint();
        let what = format!(
            "lane {lane} moves to account {now}; what was sent under the account before goes to \
             review, and workers with the old config must be stopped."
        );
        ask::yes(&what, yes).await?;
        match rebind(&*self.ledger, &self.rules.clerk, lane, &line.policy, now).await? {
            Rebound::AsBefore => println!("lane {lane} pays from account {now} already"),
            Rebound::Moved { before, reviewed } => println!(
                "lane {lane} moved from account {before} to {now}; {reviewed} payouts went to \
                 review (producer review list). It is stopped: producer lane start {lane}"
            ),
        }
        Ok(())
    }

    async fn lane_records(&self) -> Result<Vec<show::lanes::Shown>, Failure> {
        let now = self.ledger.about().await?.now;
        let mut records = Vec::with_capacity(self.rules.lanes.len());
        for (name, lane) in &self.config.lanes {
            let record = self.ledger.lane(name.clone()).await?;
            let (holder, caps) = (Holder::Lane(name.clone()), self.rules.spend_caps(name).lane);
            let at = self.rules.lane(name.as_str());
            let hours = at.and_then(|at| self.rules.lanes[at].hours.as_ref());
            records.push(show::lanes::Shown {
                paused_until: record.paused_until(now),
                record,
                provider: lane.provider.clone(),
                closed: hours.and_then(|hours| hours.closed(now)),
                holidays_ended: hours.and_then(|hours| hours.holidays_ended(now)),
                hold: spend::hold(&*self.ledger, &holder, &caps, now).await?,
            });
        }
        Ok(records)
    }
}

/// Ends at Ctrl-C or SIGTERM.
async fn wait_for_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the signal ends the process: nothing is to wait for.
    let _ = tokio::signal::ctrl_c().await;
}

pub(super) fn print_json(value: &serde_json::Value) {
    println!("{value:#}");
}
