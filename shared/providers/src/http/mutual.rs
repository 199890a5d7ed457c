//! Mutual TLS: the certificate that the client shows, and whom it believes in turn.
//!
//! TLS 1.3 or nothing. With an authority of the provider's own, nobody else is believed: not the
//! machine's list either.

use super::{HttpError, text_of};
use reqwest::tls::Version;
use reqwest::{Certificate, ClientBuilder, Identity};
use secrecy::zeroize::Zeroizing;
use std::fmt;

/// What one client shows and believes.
#[derive(Clone)]
pub struct MutualTls {
    identity: Identity,
    /// `None` believes whom the machine believes.
    authorities: Option<Vec<Certificate>>,
}

impl MutualTls {
    /// From PEM: a certificate with what stands between it and its authority, its key, and the
    /// authorities to believe in. That key and certificate belong together is checked when the
    /// client is built.
    pub fn from_pem(
        certificate: &[u8],
        key: &[u8],
        authority: Option<&[u8]>,
    ) -> Result<MutualTls, HttpError> {
        let wrong = |error| HttpError(text_of(error));
        let both = Zeroizing::new([certificate, b"\n", key].concat());
        let identity = Identity::from_pem(&both).map_err(wrong)?;
        let authorities = authority.map(Certificate::from_pem_bundle).transpose().map_err(wrong)?;
        if authorities.as_ref().is_some_and(Vec::is_empty) {
            return Err(HttpError("the file of authorities holds no certificate".to_owned()));
        }
        Ok(MutualTls { identity, authorities })
    }

    pub(super) fn on(self, builder: ClientBuilder) -> ClientBuilder {
        let builder = builder.identity(self.identity).tls_version_min(Version::TLS_1_3);
        match self.authorities {
            Some(authorities) => builder.tls_certs_only(authorities),
            None => builder,
        }
    }
}

impl fmt::Debug for MutualTls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authorities = self.authorities.as_ref().map(Vec::len);
        f.debug_struct("MutualTls").field("authorities", &authorities).finish_non_exhaustive()
    }
}
