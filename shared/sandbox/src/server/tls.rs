//! Mutual TLS 1.3: nobody speaks to the application who has no certificate of its authority.
//!
//! Older versions are not offered, so a client that would accept one is refused, not served.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, version};
use tokio_rustls::TlsAcceptor;

/// What the server proves itself with, and whose clients it lets in. PEM, all three.
pub(crate) struct TlsFiles {
    pub(crate) authority: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Why a listener with TLS does not start.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Not there, or not PEM.
    #[error("{}: {source}", .file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The authority verifies nobody.
    #[error("the authority of the clients: {0}")]
    Authority(#[from] VerifierBuilderError),
    /// Certificate and key do not go together, or not with TLS 1.3.
    #[error("the server's certificate: {0}")]
    Certificate(#[from] rustls::Error),
}

/// Reads the files and makes what a connection is accepted with.
pub(crate) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let at = |file: &PathBuf| {
        let file = file.clone();
        move |source| TlsError::File { file, source }
    };
    let authority =
        CertificateDer::from_pem_file(&files.authority).map_err(at(&files.authority))?;
    let certificate =
        CertificateDer::from_pem_file(&files.certificate).map_err(at(&files.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(at(&files.key))?;

    let mut roots = RootCertStore::empty();
    roots.add(authority)?;
    let provider = Arc::new(ring::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])?
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
