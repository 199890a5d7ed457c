//! The certificates of the sandbox: made at its first start, kept over restarts, never in a
//! repository.
//!
//! They appear whole or not at all: a directory is filled beside its place and renamed into it.
//! What is there already is never replaced, because clients hold copies of it. The authority's key
//! is thrown away, so nobody can make another client of it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};

use crate::server::TlsFiles;

/// The authority's certificate, for both sides.
const CA: &str = "ca.pem";
const CLIENT: &str = "client.pem";
const CLIENT_KEY: &str = "client.key";
const SERVER: &str = "server.pem";
const SERVER_KEY: &str = "server.key";
/// Readable for the owner alone.
const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Where the certificates lie.
pub(super) struct Certificates {
    dir: PathBuf,
}

impl Certificates {
    /// Takes those in `dir`, or makes them. Whoever calls it holds the ledger's lock, so no other
    /// sandbox does the same.
    pub(super) fn load_or_create(dir: &Path) -> io::Result<Self> {
        // Absolute: whoever is told these paths may stand in another directory.
        let dir = std::path::absolute(dir)?;
        if !dir.try_exists()? {
            create(&dir)?;
        }
        Ok(Self { dir })
    }

    /// What the server needs.
    pub(super) fn of_server(&self) -> TlsFiles {
        TlsFiles {
            authority: self.dir.join(CA),
            certificate: self.dir.join(SERVER),
            key: self.dir.join(SERVER_KEY),
        }
    }

    /// What a client needs to verify the server and to be let in.
    pub(super) fn of_client(&self) -> TlsFiles {
        TlsFiles {
            authority: self.dir.join(CA),
            certificate: self.dir.join(CLIENT),
            key: self.dir.join(CLIENT_KEY),
        }
    }
}

fn create(dir: &Path) -> io::Result<()> {
    let files = generate().map_err(io::Error::other)?;
    let unfinished = dir.with_extension("new");
    if unfinished.try_exists()? {
        // A predecessor died while it filled it; nobody was told of it.
        fs::remove_dir_all(&unfinished)?;
    }
    fs::create_dir_all(&unfinished)?;
    for (name, mode, pem) in files {
        let path = unfinished.join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(pem.as_bytes())?;
    }
    fs::rename(&unfinished, dir)
}

/// Each file's name, mode and content.
type Files = [(&'static str, u32, String); 5];

fn generate() -> Result<Files, rcgen::Error> {
    let mut authority = named("sandbox authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate()?;
    let ca = authority.self_signed(&key)?;
    let issuer = Issuer::new(authority, key);

    let mut server = named("sandbox");
    server.subject_alt_names = vec![
        SanType::DnsName("localhost".try_into()?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    let (server, server_key) = issue(server, ExtendedKeyUsagePurpose::ServerAuth, &issuer)?;
    let client = named("sandbox client");
    let (client, client_key) = issue(client, ExtendedKeyUsagePurpose::ClientAuth, &issuer)?;
    Ok([
        (CA, PUBLIC, ca.pem()),
        (SERVER, PUBLIC, server),
        (SERVER_KEY, PRIVATE, server_key),
        (CLIENT, PUBLIC, client),
        (CLIENT_KEY, PRIVATE, client_key),
    ])
}

/// Valid until 4096, as the library has it: a sandbox may stand for years.
fn named(name: &str) -> CertificateParams {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params
}

/// A certificate and its key, for one of the two sides.
fn issue(
    mut params: CertificateParams,
    side: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<(String, String), rcgen::Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![side];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn certificates_are_made_once_and_keys_are_for_the_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("capay");
        let first = Certificates::load_or_create(&dir).unwrap();
        let before = fs::read(first.of_client().certificate).unwrap();
        let again = Certificates::load_or_create(&dir).unwrap();
        assert_eq!(fs::read(again.of_client().certificate).unwrap(), before);
        for key in [first.of_client().key, first.of_server().key] {
            assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, PRIVATE);
        }
    }

    #[test]
    fn what_a_predecessor_left_unfinished_is_thrown_away() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("capay");
        fs::create_dir(dir.with_extension("new")).unwrap();
        fs::write(dir.with_extension("new").join(CA), "half").unwrap();
        let made = Certificates::load_or_create(&dir).unwrap();
        let ca = fs::read_to_string(made.of_client().authority).unwrap();
        assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"), "{ca}");
        assert!(!dir.with_extension("new").exists());
    }
}
