//! `worker up`: everything on one machine, in one process.

use crate::cli::Up;
use crate::everything::Everything;
use crate::shell::farewell;
use crate::signals::Signals;
use crate::view::View;
use crate::{Failure, demo, logs};
use config::{Config, Overrides};

/// Works until a signal comes; with `--demo`, until the demo is over.
pub async fn up(args: &Up) -> Result<(), Failure> {
    let view = View::new();
    logs::start(args.common.log, Some(&view))?;
    let signals = Signals::listen()?;
    if args.demo {
        return demo::run(&view, signals).await;
    }
    let overrides = Overrides::from_process(&args.common.set)?;
    work(&Config::load(args.common.config.as_deref(), &overrides)?, &view, signals).await
}

async fn work(config: &Config, view: &View, mut signals: Signals) -> Result<(), Failure> {
    let all = Everything::start(config).await?;
    let inbox = config.inbox.dir.display();
    view.say(&format!(
        "everything is up; Ctrl-C stops\n{}\n\
         now copy a file into the inbox:  cp config/samples/payouts.csv {inbox}/\n\
         its result appears in            {inbox}/done/",
        all.places()
    ));
    tokio::select! {
        () = signals.next() => {}
        never = view.follow(all.ledger.clone()) => match never {},
    }
    view.say("stopping; a second signal ends at once");
    signals.end_at_once();
    let in_time = all.stop().await;
    view.say(farewell(in_time));
    Ok(())
}
