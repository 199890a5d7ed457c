//! Whose signature counts.
//!
//! A head names its key by a fingerprint, and the ledger has a register of keys. Whoever can write
//! to the ledger can put a key of his own there and sign with it whatever he wrote. So a key counts
//! only where somebody outside the ledger stands for it: a person who names it, or this machine,
//! on whose disk it lies. What the ledger alone vouches for is checked, and is called so.

use ledger::audit::PublicKey;
use ledger::audit::key::NotAKey;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The longest file that a public key is read from: the key has 72 characters.
const KEY_FILE_BYTES_MAX: u64 = 1_024;

/// Which keys count.
#[derive(Clone, Debug)]
pub enum Trust {
    /// These, and no other: a person was told them by another way than the ledger.
    Named(Vec<PublicKey>),
    /// This machine's own, where it has one. Others may be those of its neighbours in the pool.
    Here(Option<PublicKey>),
}

/// Who stands for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voucher {
    /// Whoever asked.
    Named,
    /// The key lies on this machine.
    Here,
    /// Nobody but the ledger that is checked.
    OnlyTheLedger,
}

/// A key that signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The key; none where nobody knows it, and then its signatures count for nothing.
    pub key: Option<PublicKey>,
    /// Who stands for it.
    pub voucher: Voucher,
}

impl Signer {
    /// The key that nobody but the ledger stands for, if this is one.
    pub fn strange(&self) -> Option<PublicKey> {
        self.key.filter(|_| self.voucher == Voucher::OnlyTheLedger)
    }
}

impl Trust {
    /// What was named on a command line; where nothing was, what `here` gives.
    pub fn of<E>(
        named: Vec<PublicKey>,
        here: impl FnOnce() -> Result<Option<PublicKey>, E>,
    ) -> Result<Trust, E> {
        match named.is_empty() {
            true => Ok(Trust::Here(here()?)),
            false => Ok(Trust::Named(named)),
        }
    }

    /// Who signed with the key of this fingerprint, if it is one that counts.
    pub fn signer(&self, fingerprint: &str) -> Option<Signer> {
        let (keys, voucher) = match self {
            Trust::Named(keys) => (keys.as_slice(), Voucher::Named),
            Trust::Here(key) => (key.as_slice(), Voucher::Here),
        };
        let key = keys.iter().find(|key| key.fingerprint() == fingerprint)?;
        Some(Signer { key: Some(*key), voucher })
    }

    /// Whether a signature by any other key is a finding.
    pub fn is_strict(&self) -> bool {
        matches!(self, Trust::Named(_))
    }
}

/// A text, or a file, that is no public key.
#[derive(Debug, thiserror::Error)]
pub enum GivenKeyError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else. What it is instead is not shown: it may be the secret half.
    #[error("{path}: {problem}, or a file that holds such a line (`producer audit key`)")]
    NotAKey {
        /// Which.
        path: String,
        /// What is wrong with it.
        problem: NotAKey,
    },
    /// The text is neither a key nor the name of a file. It is not shown either, for the same
    /// reason: what a person types by mistake goes to logs like everything else.
    #[error("what was given as a key names no file, and {0} (`producer audit key`)")]
    Neither(NotAKey),
}

/// A public key as it stands on a command line, or in a file that is named there.
pub fn given_key(given: &str) -> Result<PublicKey, GivenKeyError> {
    let path = Path::new(given);
    if !path.is_file() {
        return given.trim().parse().map_err(GivenKeyError::Neither);
    }
    let named = || given.to_owned();
    let text = read(path).map_err(|source| GivenKeyError::Unreadable { path: named(), source })?;
    text.trim().parse().map_err(|problem| GivenKeyError::NotAKey { path: named(), problem })
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(KEY_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::audit::SigningKey;

    fn key(seed: u8) -> PublicKey {
        SigningKey::from_seed(&[seed; 32]).unwrap().public()
    }

    #[test]
    fn keys_that_are_named_count_alone_and_else_the_one_of_this_machine_does() {
        let here = || Ok::<_, ()>(Some(key(1)));
        let named = Trust::of(vec![key(2), key(3)], here).unwrap();
        assert!(named.is_strict() && named.signer(&key(1).fingerprint()).is_none());
        let signer = named.signer(&key(3).fingerprint()).unwrap();
        assert_eq!(signer, Signer { key: Some(key(3)), voucher: Voucher::Named });
        let local = Trust::of(Vec::new(), here).unwrap();
        assert!(!local.is_strict() && local.signer(&key(2).fingerprint()).is_none());
        assert_eq!(local.signer(&key(1).fingerprint()).unwrap().voucher, Voucher::Here);
    }

    #[test]
    fn a_key_is_given_as_a_text_or_in_a_file_and_a_secret_one_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payer.pub");
        std::fs::write(&path, format!("{}\n", key(1))).unwrap();
        assert_eq!(given_key(&path.to_string_lossy()).unwrap(), key(1));
        assert_eq!(given_key(&key(1).to_string()).unwrap(), key(1));
        let secret = "7".repeat(64);
        std::fs::write(&path, &secret).unwrap();
        let error = given_key(&path.to_string_lossy()).unwrap_err();
        assert!(error.to_string().contains("payer.pub: this is no public key"), "{error}");
        let typed = given_key(&secret).unwrap_err();
        assert!(typed.to_string().contains("names no file, and this is no public key"), "{typed}");
        for told in [format!("{error} {error:?}"), format!("{typed} {typed:?}")] {
            assert!(!told.contains(&secret), "{told}");
        }
    }
}
