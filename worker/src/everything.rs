//! All parts of `worker up` in one process: sandbox, ledger, worker, inbox.
//!
//! Started from the inside out and stopped from the outside in: files are taken only while there
//! is somebody to pay them, and the sandbox goes last, because it calls back to the end.

use crate::inbox::Inbox;
use crate::shell::{Port, Shell};
use crate::{Failure, lanes, ledger};
use config::Config;
use ledger::place;
use providers::registry::{SandboxAddress, SandboxTls};
use sandbox::{LedgerEntry, Sandbox, SandboxConfig, TlsInfo};
use std::fmt::Write;
use std::sync::Arc;

/// Everything, running.
pub struct Everything {
    /// The truth.
    pub ledger: Arc<dyn ::ledger::Ledger>,
    sandbox: Option<Sandbox>,
    shell: Shell,
    inbox: Inbox,
    places: String,
}

impl Everything {
    /// Starts all parts.
    pub async fn start(config: &Config) -> Result<Everything, Failure> {
        let wanted = lanes::want_sandbox(config);
        lanes::check(config, wanted)?;
        let sandbox = if wanted { Some(start_sandbox(config).await?) } else { None };
        let address = sandbox.as_ref().map(|sandbox| SandboxAddress {
            url: sandbox.url(),
            id: sandbox.id().to_owned(),
            tls: sandbox.tls().map(|TlsInfo { url, ca_file, certificate_file, key_file }| {
                SandboxTls { url, ca_file, certificate_file, key_file }
            }),
        });
        let ledger = ledger::open(config).await?;
        let port = Port::open(config).await?;
        if let Some(sandbox) = &sandbox {
            register_webhook(config, &port, sandbox)?;
        }
        let places = places(config, &port, sandbox.as_ref());
        let shell = Shell::start(config, ledger.clone(), port, address.as_ref()).await?;
        let inbox = Inbox::start(config, ledger.clone())?;
        Ok(Everything { ledger, sandbox, shell, inbox, places })
    }

    /// Where everything is, one line each.
    pub fn places(&self) -> &str {
        &self.places
    }

    /// All that the built-in sandbox was asked to pay, by its own ledger.
    pub fn sandbox_ledger(&self) -> Vec<LedgerEntry> {
        self.sandbox.as_ref().map(Sandbox::ledger).unwrap_or_default()
    }

    /// Stops all parts in order. Gives whether all that was under way is written down.
    pub async fn stop(self) -> bool {
        self.inbox.stop().await;
        let in_time = self.shell.stop().await;
        if let Some(sandbox) = self.sandbox {
            sandbox.shutdown().await;
        }
        in_time
    }
}

async fn start_sandbox(config: &Config) -> Result<Sandbox, Failure> {
    let mut sandbox = SandboxConfig::new(&config.sandbox.data);
    sandbox.merchant.settle_after_ms = config.sandbox.settle_after_ms;
    sandbox.capitalist.settle_after_ms = config.sandbox.settle_after_ms;
    sandbox.capay.settle_after_ms = config.sandbox.settle_after_ms;
    sandbox.exchanger.settle_after_ms = config.sandbox.settle_after_ms;
    let data = config.sandbox.data.display();
    Sandbox::start(sandbox)
        .await
        .map_err(|error| format!("the built-in sandbox did not start on {data}: {error}").into())
}

/// What a customer of Capay asks for once: notices go to the lane that pays through it.
fn register_webhook(config: &Config, port: &Port, sandbox: &Sandbox) -> Result<(), Failure> {
    let lane = config.lanes.iter().find(|(_, lane)| lane.provider == "capay");
    if let Some((name, _)) = lane {
        sandbox.set_capay_webhook(&port.lane_url(name))?;
    }
    Ok(())
}

fn places(config: &Config, port: &Port, sandbox: Option<&Sandbox>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, place: String| {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {name:<9} {place}");
    };
    line("inbox", config.inbox.dir.display().to_string());
    line("ledger", place(config));
    if let Some(sandbox) = sandbox {
        let data = config.sandbox.data.display();
        line("sandbox", format!("{}  ({data}; no money moves)", sandbox.merchant_base_url()));
    }
    match port.address() {
        Some(address) => line("listener", format!("http://{address}  (/cb/, /health, /metrics)")),
        None => line("listener", "off: another process must take the callbacks".to_owned()),
    }
    text
}
