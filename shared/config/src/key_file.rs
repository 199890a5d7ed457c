//! Keys that lie in files of their own: the one that callback URLs are authenticated with, the one
//! that rows are encrypted with, and the one that signs audit chains and results.
//!
//! A key outlives restarts, because what was made with it does; all machines of a pool need the
//! same one. It is made once, with mode 0600, and appears whole or not at all: two processes that
//! start together end with one key.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// What a key is for: for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Authenticates callback URLs.
    Callback,
    /// Encrypts rows.
    Ledger,
    /// Signs audit chains and results; machines of a pool may each have their own.
    Audit,
}

impl KeyKind {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            KeyKind::Callback => "callback key",
            KeyKind::Ledger => "ledger key",
            KeyKind::Audit => "audit key",
        }
    }

    /// What another one in its place would break.
    fn needed_for(self) -> &'static str {
        match self {
            KeyKind::Callback => "payouts under way carry URLs made with it",
            KeyKind::Ledger => "the rows in the ledger are encrypted with it",
            KeyKind::Audit => "people check the results with its public half",
        }
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can neither be read nor made.
    #[error("cannot read or make the {} {path}: {source}", kind.name())]
    File {
        /// What for.
        kind: KeyKind,
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Something else stands in it.
    #[error(
        "{path} holds no {}: expected 64 hex digits; restore it from the machine that made it, \
         because {}", kind.name(), kind.needed_for()
    )]
    NotAKey {
        /// What for.
        kind: KeyKind,
        /// Which file.
        path: String,
    },
}

/// Reads the key, or makes one.
pub fn load_or_make(kind: KeyKind, path: &Path) -> Result<[u8; KEY_BYTES], KeyError> {
    if let Some(key) = load(kind, path)? {
        return Ok(key);
    }
    let shown = || path.display().to_string();
    make(kind, path).map_err(|source| KeyError::File { kind, path: shown(), source })?;
    load(kind, path)?.ok_or_else(|| KeyError::NotAKey { kind, path: shown() })
}

/// Reads the key, if there is one.
pub fn load(kind: KeyKind, path: &Path) -> Result<Option<[u8; KEY_BYTES]>, KeyError> {
    let shown = || path.display().to_string();
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|source| KeyError::File { kind, path: shown(), source })?,
    };
    warn_if_others_can_read(kind, path);
    let key = parse(&text).ok_or_else(|| KeyError::NotAKey { kind, path: shown() })?;
    Ok(Some(key))
}

/// A key from its 64 hex digits.
pub fn parse(text: &str) -> Option<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    hex::decode_to_slice(text.trim(), &mut key).ok()?;
    Some(key)
}

fn make(kind: KeyKind, path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_private_folders(folder)?;
    let name = kind.name().replace(' ', "-");
    let draft = folder.join(format!(".{name}.{:016x}", rand::random::<u64>()));
    let key: [u8; KEY_BYTES] = rand::random();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", hex::encode(key))?;
    file.sync_all()?;
    // Unlike a rename, a link never replaces a key that another process made meanwhile.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(folder)?.sync_all(),
    }
}

/// Makes a folder that only its owner can look into (S24), and those above it.
pub fn make_private_folders(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn warn_if_others_can_read(kind: KeyKind, path: &Path) {
    let mode = fs::metadata(path).map(|file| Permissions::mode(&file.permissions()));
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        let (path, key) = (path.display(), kind.name());
        tracing::warn!(%path, key, "others on this machine can read this key; chmod 600 it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/callback.key");
        let key = load_or_make(KeyKind::Callback, &path).unwrap();
        assert_eq!(load_or_make(KeyKind::Callback, &path).unwrap(), key);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path().join("data")).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn processes_that_start_together_end_with_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("callback.key");
        let make = || load_or_make(KeyKind::Ledger, &path).unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn a_damaged_key_is_refused_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("callback.key");
        fs::write(&path, "half a key").unwrap();
        let refused = load_or_make(KeyKind::Ledger, &path);
        assert!(matches!(refused, Err(KeyError::NotAKey { .. })), "{refused:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "half a key");
    }
}
