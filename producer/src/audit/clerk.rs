//! Who tells the audit chains, and the key that signs for this machine.

use config::AuditConfig;
use config::key_file::{self, KeyError, KeyKind};
use ledger::audit::{Chain, Kind, PublicKey, SignedHead, SigningKey, What, append, sign_head};
use ledger::{Ledger, LedgerError};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Why nothing was told.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Tells and signs. The key is read, or made, when it is first needed: a command that tells
/// nothing needs none.
#[derive(Clone, Debug)]
pub struct Clerk {
    who: String,
    key_file: PathBuf,
    key: Arc<OnceLock<SigningKey>>,
}

impl Clerk {
    /// For whoever runs this process.
    pub fn new(config: &AuditConfig) -> Clerk {
        Clerk { who: who(), key_file: config.key_file.clone(), key: Arc::default() }
    }

    /// `anna@host (producer)`.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Its public half is what third parties check with.
    pub fn public_key(&self) -> Result<PublicKey, AuditError> {
        self.key().map(SigningKey::public)
    }

    /// Its public half, if it lies on this machine already: to check with it none is made.
    pub fn public_key_here(&self) -> Result<Option<PublicKey>, AuditError> {
        match key_file::load(KeyKind::Audit, &self.key_file)? {
            Some(_) => self.public_key().map(Some),
            None => Ok(None),
        }
    }

    /// The key. Asked for before something begins that must be told.
    pub fn key(&self) -> Result<&SigningKey, AuditError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let seed = key_file::load_or_make(KeyKind::Audit, &self.key_file)?;
        let damaged = || KeyError::NotAKey {
            kind: KeyKind::Audit,
            path: self.key_file.display().to_string(),
        };
        let key = SigningKey::from_seed(&seed).ok_or_else(damaged)?;
        Ok(self.key.get_or_init(|| key))
    }

    /// Appends an entry.
    pub async fn tell(
        &self,
        ledger: &dyn Ledger,
        chain: &Chain,
        kind: Kind,
        text: Value,
    ) -> Result<(), AuditError> {
        let what = What { kind, who: &self.who, text };
        Ok(append(ledger, chain, &what).await.map(drop)?)
    }

    /// Appends an entry and signs the chain's head, so that the entry cannot be cut off unseen.
    pub async fn tell_signed(
        &self,
        ledger: &dyn Ledger,
        chain: &Chain,
        kind: Kind,
        text: Value,
    ) -> Result<(), AuditError> {
        self.tell(ledger, chain, kind, text).await?;
        self.sign(ledger, chain).await.map(drop)
    }

    /// Signs how a chain stands, if it is not signed so already.
    pub async fn sign(
        &self,
        ledger: &dyn Ledger,
        chain: &Chain,
    ) -> Result<Option<SignedHead>, AuditError> {
        Ok(sign_head(ledger, chain, self.key()?, &self.who).await?)
    }
}

/// Who runs this process: `anna@host (producer)`. What the environment says is what is told: a
/// person who may run programs as another one is another one.
pub fn who() -> String {
    let named = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let user = named.filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let uid = rustix::process::getuid().as_raw();
        format!("uid {uid}")
    });
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    let program = std::env::args().next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or_default().to_string_lossy();
    format!("{user}@{host} ({program})")
}
