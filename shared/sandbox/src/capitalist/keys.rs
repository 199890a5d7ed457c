//! The platform's own key, under which clients encrypt their password.
//!
//! Made at the first `get_token`, not at the start: a sandbox that nobody asks for it starts at
//! once. It is kept in the data directory, for its owner alone, so that a restart changes nothing.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use serde::Serialize;
use tokio::sync::OnceCell;

const FILE: &str = "capitalist-key.pem";

pub(super) struct Keys {
    dir: PathBuf,
    bits: usize,
    key: OnceCell<RsaPrivateKey>,
}

/// The public half, in the three forms of `get_token`.
#[derive(Debug, Serialize)]
pub(super) struct PublicKey {
    /// Hex, most significant digit first.
    pub(super) modulus: String,
    pub(super) exponent: String,
    #[serde(rename = "rsa_public_key_pkcs1_pem")]
    pub(super) pem: String,
}

impl Keys {
    pub(super) fn new(dir: &Path, bits: usize) -> Self {
        Self { dir: dir.to_owned(), bits, key: OnceCell::new() }
    }

    pub(super) async fn public(&self) -> io::Result<PublicKey> {
        let key = self.key().await?.to_public_key();
        Ok(PublicKey {
            modulus: hex::encode(key.n().to_bytes_be()),
            exponent: hex::encode(key.e().to_bytes_be()),
            pem: key.to_pkcs1_pem(LineEnding::LF).map_err(io::Error::other)?,
        })
    }

    /// What a hex text hides; `None` if it was not encrypted under this key.
    pub(super) async fn decrypt(&self, hidden: &str) -> io::Result<Option<Vec<u8>>> {
        let Ok(bytes) = hex::decode(hidden) else { return Ok(None) };
        let key = self.key().await?;
        Ok(key.decrypt_blinded(&mut OsRng, Pkcs1v15Encrypt, &bytes).ok())
    }

    async fn key(&self) -> io::Result<&RsaPrivateKey> {
        let (dir, bits) = (self.dir.clone(), self.bits);
        // Making a key takes a good part of a second: no other call may wait for it.
        let make = || async move {
            let made = tokio::task::spawn_blocking(move || load_or_create(&dir, bits));
            made.await.map_err(io::Error::other)?
        };
        self.key.get_or_try_init(make).await
    }
}

fn load_or_create(dir: &Path, bits: usize) -> io::Result<RsaPrivateKey> {
    let path = dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(pem) => RsaPrivateKey::from_pkcs8_pem(&pem).map_err(|error| {
            let text = format!("{} holds no key: {error}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, text)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(dir, &path, bits),
        Err(error) => Err(error),
    }
}

fn create(dir: &Path, path: &Path, bits: usize) -> io::Result<RsaPrivateKey> {
    let key = RsaPrivateKey::new(&mut OsRng, bits).map_err(io::Error::other)?;
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
    // Renamed into place: a crash leaves either no key or a whole one.
    let temporary = dir.join("capitalist-key.new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    Ok(key)
}
