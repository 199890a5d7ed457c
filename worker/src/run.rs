//! `worker run`: one of any number of workers on the configured ledger.

use crate::cli::Common;
use crate::shell::{Port, Shell, farewell};
use crate::signals::Signals;
use crate::{Failure, lanes, ledger, logs};
use config::{Config, Overrides};

/// Works until a signal comes.
pub async fn run(common: &Common) -> Result<(), Failure> {
    logs::start(common.log, None)?;
    let mut signals = Signals::listen()?;
    let config = Config::load(common.config.as_deref(), &Overrides::from_process(&common.set)?)?;
    lanes::check(&config, false)?;
    let ledger = ledger::open(&config).await?;
    let port = Port::open(&config).await?;
    let address = port.address();
    let shell = Shell::start(&config, ledger, port, None).await?;
    let lanes: Vec<&str> = config.lanes.keys().map(domain::LaneName::as_str).collect();
    tracing::info!(ledger = ledger::place(&config), lanes = lanes.join(", "), "at work");
    match address {
        Some(address) => tracing::info!(%address, "callbacks at /cb/, /health, /metrics"),
        None => tracing::warn!(
            public_url = config.http.public_url,
            "this process takes no callbacks; another worker must, at http.public_url"
        ),
    }
    signals.next().await;
    tracing::info!("stopping; a second signal ends at once");
    signals.end_at_once();
    let in_time = shell.stop().await;
    tracing::info!("{}", farewell(in_time));
    Ok(())
}
