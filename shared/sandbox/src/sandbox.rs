//! The sandbox as a whole: starts, answers for all its providers, stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::arrivals::PaceSnapshot;
use crate::capay::Capay;
use crate::capitalist::{Capitalist, CapitalistError};
use crate::config::SandboxConfig;
use crate::counters::CountersSnapshot;
use crate::dial::Dial;
use crate::exchanger::Exchanger;
use crate::guarded::{Guarded, TlsInfo};
use crate::merchant::{Merchant, OpenError, Opening};
use crate::server::{App, Call, Reply, TlsError, serve};
use crate::venue::{LedgerEntry, Venue};
use crate::{control, identity};

/// A running sandbox. Dropping it stops it at once, as a crash would; [`Sandbox::shutdown`] is the
/// orderly way.
pub struct Sandbox {
    addr: SocketAddr,
    inside: Arc<Inside>,
    /// Not in fast mode.
    capay: Option<Arc<Capay>>,
    tls: Option<TlsInfo>,
    stop: watch::Sender<bool>,
    server: JoinSet<()>,
    tasks: JoinSet<()>,
}

/// What calls see of the sandbox.
pub(crate) struct Inside {
    pub(crate) id: String,
    pub(crate) dial: Arc<Dial>,
    pub(crate) merchant: Merchant,
    /// The other providers.
    pub(crate) venues: Vec<Arc<dyn Venue>>,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The directory or the id in it.
    #[error("data directory: {0}")]
    DataDir(#[source] io::Error),
    /// The address.
    #[error("listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The merchant gateway.
    #[error(transparent)]
    Merchant(#[from] OpenError),
    /// Capitalist.
    #[error(transparent)]
    Capitalist(#[from] CapitalistError),
    /// The exchange site.
    #[error("exchanger ledger: {0}")]
    Exchanger(#[source] io::Error),
    /// Capay's ledger or its certificates.
    #[error("capay: {0}")]
    Capay(#[source] io::Error),
    /// The listener with mutual TLS.
    #[error("mutual TLS: {0}")]
    Tls(#[from] TlsError),
}

impl Sandbox {
    /// Starts listening; calls are answered as soon as it returns.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let SandboxConfig { listen, data_dir, merchant, capitalist, exchanger, capay, fast } =
            config;
        std::fs::create_dir_all(&data_dir).map_err(SandboxError::DataDir)?;
        let id = identity::load_or_create(&data_dir).map_err(SandboxError::DataDir)?;
        let (listener, addr) = bind(listen).await?;
        let dial = Arc::new(Dial::new());
        let opening = Opening {
            base: format!("http://{addr}/merchant"),
            sandbox_id: &id,
            dir: &data_dir,
            dial: Arc::clone(&dial),
            fast,
        };
        let merchant = Merchant::open(merchant, opening)?;
        let mut venues: Vec<Arc<dyn Venue>> = Vec::new();
        let mut guarded = None;
        // The benchmark has the gateway alone, and no ledger on the disk.
        if !fast {
            venues.push(Arc::new(Capitalist::open(capitalist, &data_dir)?));
            let exchanger = Exchanger::open(exchanger, &format!("http://{addr}"), &id, &data_dir)
                .map_err(SandboxError::Exchanger)?;
            venues.push(Arc::new(exchanger));
            let opened = Guarded::open(capay, &id, &data_dir).await?;
            venues.push(Arc::clone(&opened.capay) as Arc<dyn Venue>);
            guarded = Some(opened);
        }
        let capay = guarded.as_ref().map(|guarded| Arc::clone(&guarded.capay));
        let tls = guarded.as_ref().map(|guarded| guarded.info.clone());
        let inside = Arc::new(Inside { id, dial, merchant, venues });
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        inside.merchant.spawn(&mut tasks);
        inside.venues.iter().for_each(|venue| Arc::clone(venue).spawn(&mut tasks));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, None, Arc::clone(&inside), stopped.clone()));
        if let Some(guarded) = guarded {
            server.spawn(guarded.serve(Arc::clone(&inside), stopped));
        }
        Ok(Self { addr, inside, capay, tls, stop, server, tasks })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its URL; each provider lies below, by its name.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The merchant gateway's base URL.
    pub fn merchant_base_url(&self) -> String {
        format!("http://{}/merchant", self.addr)
    }

    /// Its listener with mutual TLS; there is none in fast mode.
    pub fn tls(&self) -> Option<TlsInfo> {
        self.tls.clone()
    }

    /// Capay's base URL; it lies behind mutual TLS, and there is none in fast mode.
    pub fn capay_base_url(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| format!("{}/capay", tls.url))
    }

    /// Registers where Capay's webhooks go from now on; kept over restarts. An `http://` URL.
    pub fn set_capay_webhook(&self, url: &str) -> io::Result<()> {
        match &self.capay {
            Some(capay) => capay.set_webhook(Some(url)),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// How long Capay's tokens live in truth, those already issued included; `None` is as long as
    /// they tell.
    pub fn set_capay_token_life(&self, life: Option<Duration>) {
        if let Some(capay) = &self.capay {
            capay.set_token_life(life);
        }
    }

    /// The account identity: kept in the data directory, whatever the port.
    pub fn id(&self) -> &str {
        &self.inside.id
    }

    /// The fault dial of the merchant gateway.
    pub fn dial(&self) -> &Dial {
        &self.inside.dial
    }

    /// The fault dial of another provider.
    pub fn dial_of(&self, provider: &str) -> Option<&Dial> {
        self.inside.venue(provider).map(|venue| venue.dial())
    }

    /// What another provider was called and sent.
    pub fn counters_of(&self, provider: &str) -> Option<CountersSnapshot> {
        self.inside.venue(provider).map(|venue| counters_of(&**venue))
    }

    /// What was called and sent, and what the ledger says in sum.
    pub fn counters(&self) -> CountersSnapshot {
        self.inside.counters()
    }

    /// How creates came to the merchant gateway over the last minutes.
    pub fn pace(&self) -> PaceSnapshot {
        self.inside.merchant.pace()
    }

    /// The ledgers of all providers, one entry an accepted create. For tests; the HTTP call
    /// streams them, provider by provider.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        let mut entries = self.inside.merchant.ledger(0, usize::MAX);
        entries.extend(self.inside.venues.iter().flat_map(|v| v.ledger(0, usize::MAX)));
        entries
    }

    /// Settles everything that is pending, but for what never settles; returns how many.
    pub fn settle_now(&self) -> usize {
        let others = self.inside.venues.iter().map(|venue| venue.settle_now());
        self.inside.merchant.settle_now() + others.sum::<usize>()
    }

    /// Takes no more calls, lets those under way end, writes what may lag behind.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        while self.server.join_next().await.is_some() {}
        self.tasks.shutdown().await;
        self.inside.merchant.flush();
        self.inside.venues.iter().for_each(|venue| venue.flush());
    }
}

/// A provider's counts, those of its dial included.
pub(crate) fn counters_of(venue: &dyn Venue) -> CountersSnapshot {
    CountersSnapshot { faults: venue.dial().hits(), ..venue.counters() }
}

/// Binds, and tells which port it is.
pub(crate) async fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let at = |error| SandboxError::Listen(listen, error);
    let listener = TcpListener::bind(listen).await.map_err(at)?;
    let addr = listener.local_addr().map_err(at)?;
    Ok((listener, addr))
}

impl Inside {
    /// The provider that a path leads to, and the rest of the path.
    fn venue_of(&self, path: &str) -> Option<(Arc<dyn Venue>, String)> {
        let (name, _) = path.strip_prefix('/')?.split_once('/')?;
        let venue = self.venue(name)?;
        Some((Arc::clone(venue), path[name.len() + 1..].to_owned()))
    }

    pub(crate) fn venue(&self, name: &str) -> Option<&Arc<dyn Venue>> {
        self.venues.iter().find(|venue| venue.name() == name)
    }

    /// Has the provider answer that the path leads to, if it is served on this kind of listener.
    pub(crate) async fn of_venue(&self, call: Call, is_tls: bool) -> Reply {
        match self.venue_of(call.uri().path()) {
            Some((venue, path)) if venue.is_behind_tls() == is_tls => {
                let reply = Arc::clone(&venue).answer(path, call).await;
                late(reply, venue.dial()).await
            }
            _ => Reply::empty(StatusCode::NOT_FOUND),
        }
    }

    pub(crate) fn counters(&self) -> CountersSnapshot {
        CountersSnapshot { faults: self.dial.hits(), ..self.merchant.counters() }
    }
}

/// After the deed: a client that stops waiting has been paid for all the same.
async fn late(reply: Reply, dial: &Dial) -> Reply {
    if let Some(latency) = dial.latency() {
        tokio::time::sleep(latency).await;
    }
    reply
}

impl App for Inside {
    async fn answer(self: Arc<Self>, call: Call) -> Reply {
        // The URI is reference-counted: a clone frees the call to be handed on.
        let uri = call.uri().clone();
        if let Some(path) = uri.path().strip_prefix("/sandbox/") {
            return control::answer(&self, path, call).await;
        }
        match uri.path().strip_prefix("/merchant") {
            Some(path) => {
                let _under_way = self.merchant.begin(path);
                late(self.merchant.answer(path, call).await, &self.dial).await
            }
            None => self.of_venue(call, false).await,
        }
    }
}
