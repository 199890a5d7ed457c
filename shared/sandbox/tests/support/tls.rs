//! The same client over TLS, with or without what the sandbox asks for.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, SupportedProtocolVersion, version};
use sandbox::TlsInfo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::client::{Answer, exchange};

#[derive(Clone)]
pub struct TlsClient {
    host: String,
    config: Arc<ClientConfig>,
}

impl TlsClient {
    /// With the client certificate, and no version but 1.3.
    pub fn new(tls: &TlsInfo) -> Self {
        Self::presenting(tls, &tls.certificate_file, &tls.key_file)
    }

    /// With this certificate instead.
    pub fn presenting(tls: &TlsInfo, certificate: &Path, key: &Path) -> Self {
        Self::build(tls, &[&version::TLS13], |config| with_certificate(config, certificate, key))
    }

    /// Without a certificate.
    pub fn anonymous(tls: &TlsInfo) -> Self {
        Self::build(tls, &[&version::TLS13], |config| config.with_no_client_auth())
    }

    /// With the client certificate, but up to 1.2 only.
    pub fn outdated(tls: &TlsInfo) -> Self {
        Self::build(tls, &[&version::TLS12], |config| {
            with_certificate(config, &tls.certificate_file, &tls.key_file)
        })
    }

    fn build(
        tls: &TlsInfo,
        versions: &[&'static SupportedProtocolVersion],
        present: impl FnOnce(ConfigBuilder<ClientConfig, WantsClientCert>) -> ClientConfig,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_file(&tls.ca_file).expect("the authority");
        roots.add(ca).expect("an authority");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("a version")
            .with_root_certificates(roots);
        let host = tls.url.strip_prefix("https://").expect("an https URL").to_owned();
        Self { host, config: Arc::new(present(config)) }
    }

    /// One call on a connection of its own; `path` begins with a slash.
    pub async fn call(
        &self,
        verb: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> io::Result<Answer> {
        let tcp = TcpStream::connect(&self.host).await?;
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let stream = TlsConnector::from(Arc::clone(&self.config)).connect(name, tcp).await?;
        exchange(stream, verb, &self.host, &path[1..], headers, body).await
    }
}

fn with_certificate(
    config: ConfigBuilder<ClientConfig, WantsClientCert>,
    certificate: &Path,
    key: &Path,
) -> ClientConfig {
    let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    config.with_client_auth_cert(vec![certificate], key).expect("a pair")
}
