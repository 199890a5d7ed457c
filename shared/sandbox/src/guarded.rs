//! The second listener: mutual TLS, and behind it only the providers that ask for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::capay::{Capay, CapayConfig};
use crate::sandbox::{Inside, SandboxError, bind};
use crate::server::{App, Call, Reply, acceptor, serve};

/// The listener with mutual TLS, and what it takes to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// Its URL, without a slash at the end.
    pub url: String,
    /// PEM: the authority behind the server's certificate.
    pub ca_file: PathBuf,
    /// PEM: the client's certificate.
    pub certificate_file: PathBuf,
    /// PEM: the client's key.
    pub key_file: PathBuf,
}

/// What is there before the first call comes.
pub(crate) struct Guarded {
    pub(crate) capay: Arc<Capay>,
    pub(crate) info: TlsInfo,
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Guarded {
    /// Opens Capay and listens for it.
    pub(crate) async fn open(
        config: CapayConfig,
        sandbox_id: &str,
        dir: &Path,
    ) -> Result<Self, SandboxError> {
        let listen = config.listen_tls;
        let capay = Arc::new(Capay::open(config, sandbox_id, dir).map_err(SandboxError::Capay)?);
        let acceptor = acceptor(&capay.server_files())?;
        let (listener, addr) = bind(listen).await?;
        let client = capay.client_files();
        let info = TlsInfo {
            url: format!("https://{addr}"),
            ca_file: client.authority,
            certificate_file: client.certificate,
            key_file: client.key,
        };
        Ok(Self { capay, info, listener, acceptor })
    }

    /// Serves until `stop` turns true.
    pub(crate) async fn serve(self, inside: Arc<Inside>, stop: watch::Receiver<bool>) {
        serve(self.listener, Some(self.acceptor), Arc::new(Front(inside)), stop).await;
    }
}

/// What is seen through this listener: neither the control API nor what the plain one serves.
struct Front(Arc<Inside>);

impl App for Front {
    async fn answer(self: Arc<Self>, call: Call) -> Reply {
        self.0.of_venue(call, true).await
    }
}
