//! The client's certificate: read from files, and told in time when it ends.
//!
//! Its end is looked at when the lane starts and before each request for a token: after it, no
//! server lets us in, and the lane stops with that reason instead of trying for ever.
//!
//! Nothing here believes or checks a signature; that is Capay's side. A certificate is only asked
//! whether it would be over at some moment, and names its dates itself.

use crate::http::MutualTls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use secrecy::zeroize::Zeroizing;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use webpki::{EndEntityCert, Error, KeyUsage};

/// People are warned so long before the end.
const WARNING: Duration = Duration::from_secs(30 * 24 * 3_600);
/// The last second that a certificate can name, 9999-12-31: by then each one that ends is over.
const FAR: Duration = Duration::from_secs(253_402_300_799);
/// The longest file: more is certainly neither a key nor a chain of certificates.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Where the certificate, its key and the authority of the server's certificate lie, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) authority: Option<PathBuf>,
}

/// What the line shows and believes, and until when it may.
pub(super) struct Shown {
    pub(super) tls: MutualTls,
    certificate: PathBuf,
    /// When the first certificate of the file ends; `None` never does.
    ends: Option<SystemTime>,
}

impl Shown {
    /// Why nobody lets us in any more, once the certificate has ended.
    pub(super) fn over_at(&self, now: SystemTime) -> Option<String> {
        let end = self.ends.filter(|end| *end < now)?;
        Some(ended(&self.certificate, end))
    }
}

/// What a certificate says of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Valid,
    NotYet(SystemTime),
    Over(SystemTime),
}

impl Files {
    /// Reads all of them. `warn` is told what is no error yet.
    pub(super) fn load(&self, now: SystemTime, warn: impl FnOnce(String)) -> Result<Shown, String> {
        let certificate = read("certificate_file", &self.certificate)?;
        let key = read("key_file", &self.key)?;
        let authority = self.authority.as_deref().map(|path| read("ca_file", path)).transpose()?;
        let ends = check(&self.certificate, &certificate, now)?;
        if let Some(end) = ends.filter(|end| *end < now + WARNING) {
            warn(format!(
                "certificate_file {}: the certificate ends on {}; have a new one issued",
                self.certificate.display(),
                date(end)
            ));
        }
        let authority = authority.as_ref().map(|pem| pem.as_slice());
        let tls = MutualTls::from_pem(&certificate, &key, authority).map_err(|error| {
            format!("certificate_file, key_file, ca_file: {error}; expected PEM files")
        })?;
        Ok(Shown { tls, certificate: self.certificate.clone(), ends })
    }
}

fn read(setting: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let fail = |why: String| format!("{setting} {}: {why}", path.display());
    let length = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(fail(format!("it has {length} bytes, more than any PEM file of this kind")));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(|error| fail(error.to_string()))
}

/// When the first certificate of the file ends, if all of them count now.
fn check(path: &Path, pem: &[u8], now: SystemTime) -> Result<Option<SystemTime>, String> {
    let place = path.display();
    let unreadable = || format!("certificate_file {place}: no readable certificate in PEM");
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(unreadable)?;
    let mut ends = None;
    for certificate in &chain {
        match standing(certificate, now).ok_or_else(unreadable)? {
            Standing::Valid => {}
            Standing::NotYet(from) => {
                return Err(format!(
                    "certificate_file {place}: the certificate counts from {} on; check the \
                     machine's clock",
                    date(from)
                ));
            }
            Standing::Over(end) => return Err(ended(path, end)),
        }
        if let Some(Standing::Over(end)) = standing(certificate, UNIX_EPOCH + FAR) {
            ends = ends.map_or(Some(end), |sooner: SystemTime| Some(sooner.min(end)));
        }
    }
    Ok(ends)
}

fn ended(path: &Path, end: SystemTime) -> String {
    format!(
        "certificate_file {}: the certificate ended on {}; have a new one issued",
        path.display(),
        date(end)
    )
}

/// What the certificate says of `moment`; `None` if it cannot be read.
fn standing(certificate: &CertificateDer<'_>, moment: SystemTime) -> Option<Standing> {
    let since = moment.duration_since(UNIX_EPOCH).ok()?;
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    let system = |time: UnixTime| UNIX_EPOCH + Duration::from_secs(time.as_secs());
    // The dates are what the verifier looks at first. Without any authority to believe, every
    // other certificate ends as "issued by somebody unknown", which is not the question here.
    let verdict = certificate.verify_for_usage(
        &[],
        &[],
        &[],
        UnixTime::since_unix_epoch(since),
        KeyUsage::client_auth(),
        None,
        None,
    );
    match verdict.err() {
        Some(Error::CertExpired { not_after, .. }) => Some(Standing::Over(system(not_after))),
        Some(Error::CertNotValidYet { not_before, .. }) => {
            Some(Standing::NotYet(system(not_before)))
        }
        Some(Error::BadDer | Error::BadDerTime | Error::InvalidCertValidity) => None,
        _ => Some(Standing::Valid),
    }
}

fn date(time: SystemTime) -> String {
    httpdate::fmt_http_date(time)
}
