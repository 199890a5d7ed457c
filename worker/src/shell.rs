//! Everything that runs in a worker, started in order and stopped in order.
//!
//! ```text
//!  start: ledger ▶ port ▶ adapters ▶ berth (a home and a number, S12) ▶ engine (checks the
//!         accounts, S4) ▶ other ledgers (S5) ▶ watch (compares the journals, S18) ▶ rules ▶
//!         listener ▶ queue ▶ pump
//!  stop:  pump ▶ queue ▶ engine (what is under way is written down) ▶ watch ▶ listener
//! ```
//!
//! The listener is the last to go: callbacks are taken as long as anything is under way.

use crate::berth::{Berth, BerthError};
use crate::env::Production;
use crate::http::{self, Listener, Rim};
use crate::lanes::{self, LaneError};
use crate::reconcile::{self, Daily};
use crate::rules::{Pauses, Rules};
use crate::sampling::{self, Sampling, Seen};
use crate::watch::{Watch, Watched};
use config::key_file::{self, KeyError, KeyKind};
use config::{Config, Listen};
use domain::LaneName;
use engine::{Engine, LaneSetup, Settings, StartError};
use ledger::Ledger;
use providers::callback_url::{CallbackUrls, NotAPublicUrl};
use providers::registry::SandboxAddress;
use queue::{Hint, Listening, Pump, Queue, QueueError, Ready, Taker};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const DAY_MS: u64 = 24 * 3_600_000;

/// Why a worker did not start.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The port is taken, or not ours to take.
    #[error(
        "cannot listen on {0}: {1}; choose another with --set http.listen=ADDRESS:PORT, or \
         \"off\" if another worker takes the callbacks"
    )]
    Listen(SocketAddr, io::Error),
    /// The MAC key of callback URLs.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The address that providers call back.
    #[error(transparent)]
    PublicUrl(#[from] NotAPublicUrl),
    /// A lane.
    #[error(transparent)]
    Lane(#[from] LaneError),
    /// The state directory, or the number in the ledger.
    #[error(transparent)]
    Berth(#[from] BerthError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] StartError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Where callbacks arrive.
pub struct Port {
    socket: Option<TcpListener>,
    urls: CallbackUrls,
}

impl Port {
    /// Takes the port and the key. A port of 0 takes a free one, and then is what is called back.
    pub async fn open(config: &Config) -> Result<Port, ShellError> {
        let file = &config.http.callback_key_file;
        let key = key_file::load_or_make(KeyKind::Callback, file)?;
        let Listen::At(address) = config.http.listen else {
            return Ok(Port {
                socket: None,
                urls: CallbackUrls::new(&config.http.public_url, key)?,
            });
        };
        let at = |error| ShellError::Listen(address, error);
        let socket = http::bind(address).await.map_err(at)?;
        let urls = match address.port() {
            0 => CallbackUrls::new(&format!("http://{}", socket.local_addr().map_err(at)?), key)?,
            _ => CallbackUrls::new(&config.http.public_url, key)?,
        };
        Ok(Port { socket: Some(socket), urls })
    }

    /// Where all notices about a lane's payouts go, for a provider that has one URL for them.
    pub fn lane_url(&self, lane: &LaneName) -> String {
        self.urls.lane_url(lane)
    }

    /// Where it listens, if it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.socket.as_ref().and_then(|socket| socket.local_addr().ok())
    }
}

/// A running worker.
pub struct Shell {
    engine: Engine,
    pump: Pump,
    listening: Listening,
    rules: Rules,
    daily: Daily,
    sampling: Sampling,
    watch: Watch,
    http: Option<Listener>,
    stop_within: Duration,
}

impl Shell {
    /// Starts all parts; when it returns, work is taken up.
    pub async fn start(
        config: &Config,
        ledger: Arc<dyn Ledger>,
        port: Port,
        sandbox: Option<&SandboxAddress>,
    ) -> Result<Shell, ShellError> {
        ledger.trust(ledger.about().await?.life);
        let setups = lanes::set_up(config, Some(&port.urls), sandbox)?;
        let names: Vec<LaneName> = setups.iter().map(|setup| setup.name.clone()).collect();
        let of = |setup: &LaneSetup| (setup.name.clone(), Arc::clone(&setup.provider));
        let providers = setups.iter().map(of).collect();
        let listed = reconcile::listed(&setups);
        let hours = setups.iter().filter_map(|s| Some((s.name.clone(), s.hours.clone()?)));
        let hours = hours.collect();
        let policies = setups.iter().map(|setup| (setup.name.clone(), setup.policy.clone()));
        let policies = policies.collect();
        let berth = Arc::new(Berth::take(&config.worker, &*ledger).await?);
        let settings = Settings {
            lease_ms: config.worker.lease_ms,
            chunks_at_once: config.worker.chunks_at_once,
            sender: berth.number,
            journal: Arc::new(berth.journal()?),
        };
        let engine = Engine::start(Arc::new(Production), ledger.clone(), setups, settings).await?;
        reconcile::check_ledgers(&*ledger, &listed).await;
        let watch = Watch::start(Watched {
            engine: engine.clone(),
            ledger: ledger.clone(),
            berth,
            policies,
            keep_ms: u64::from(config.worker.journal_days) * DAY_MS,
        })
        .await;
        // Not before the accounts are known to be ours (S4): rules of another one are not kept.
        let rules = Rules::keep(&ledger, providers, Pauses::USUAL);
        let daily = Daily::keep(&ledger, listed, reconcile::Pauses::USUAL);
        let rim = Rim::new(Arc::new(engine.clone()), ledger.clone(), port.urls, names.clone());
        let rim = Arc::new(rim.with_hours(hours));
        let http = port.socket.map(|socket| Listener::start(socket, rim));
        let queue = queue(config)?;
        let seen = Seen::default();
        let sampling = Sampling::keep(&ledger, seen.clone(), sampling::USUAL);
        let taker: Arc<dyn Taker> = Arc::new(Takes { engine: engine.clone(), seen });
        let listening = queue.listen(&names, &taker);
        let ready: Arc<dyn Ready> = Arc::new(ledger);
        let pump = Pump::start(queue, ready, names, config.worker.chunks_at_once);
        let stop_within = Duration::from_millis(config.worker.stop_within_ms);
        Ok(Shell { engine, pump, listening, rules, daily, sampling, watch, http, stop_within })
    }

    /// Stops all parts; what is under way gets the configured time. Gives whether all of it is
    /// written down; if not, the next worker asks about it.
    pub async fn stop(self) -> bool {
        self.pump.stop().await;
        self.listening.stop().await;
        self.rules.stop().await;
        self.daily.stop().await;
        self.sampling.stop().await;
        let in_time = tokio::time::timeout(self.stop_within, self.engine.stop()).await.is_ok();
        self.watch.stop(in_time).await;
        if let Some(http) = self.http {
            http.stop().await;
        }
        in_time
    }
}

/// What is said when a worker has stopped.
pub fn farewell(in_time: bool) -> &'static str {
    if in_time {
        "stopped; nothing is under way"
    } else {
        "stopped with requests under way; the next start asks the provider about them"
    }
}

/// A process that has the SQLite file to itself needs no server for its queue.
fn queue(config: &Config) -> Result<Queue, QueueError> {
    match config.ledger.engine {
        config::Engine::Sqlite => Ok(Queue::embedded()),
        config::Engine::Redis => Queue::pool(&config.ledger.url.0, &config.ledger.prefix),
    }
}

/// The engine, as the queue sees it.
struct Takes {
    engine: Engine,
    /// What it takes is sampled.
    seen: Seen,
}

impl Taker for Takes {
    fn room(&self, lane: &LaneName) -> u16 {
        self.engine.room(lane)
    }

    fn offer(&self, Hint { chunk, lane }: Hint) -> bool {
        self.seen.see(chunk.batch);
        self.engine.offer(chunk, &lane)
    }
}
