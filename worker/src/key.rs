//! The key that callback URLs are authenticated with.
//!
//! It outlives restarts, because payouts under way carry URLs that were made with it; all workers
//! of a pool need the same one. It is made once, with mode 0600, and appears whole or not at all:
//! two processes that start together end with one key.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can neither be read nor made.
    #[error("cannot read or make the callback key {path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Something else stands in it.
    #[error(
        "{path} holds no callback key: expected 64 hex digits; restore it from the machine that \
         made it, because payouts under way carry URLs made with it"
    )]
    NotAKey {
        /// Which file.
        path: String,
    },
}

/// Reads the key, or makes one.
pub fn load_or_make(path: &Path) -> Result<[u8; KEY_BYTES], KeyError> {
    let shown = || path.display().to_string();
    let at = |source| KeyError::File { path: shown(), source };
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).map_err(at)?;
            fs::read_to_string(path).map_err(at)?
        }
        read => read.map_err(at)?,
    };
    warn_if_others_can_read(path);
    let mut key = [0; KEY_BYTES];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|_| KeyError::NotAKey { path: shown() })?;
    Ok(key)
}

fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".callback.key.{:016x}", rand::random::<u64>()));
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

fn warn_if_others_can_read(path: &Path) {
    let mode = fs::metadata(path).map(|file| Permissions::mode(&file.permissions()));
    if mode.is_ok_and(|mode| mode & 0o077 != 0) {
        let path = path.display();
        tracing::warn!(%path, "others on this machine can read the callback key; chmod 600 it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/callback.key");
        let key = load_or_make(&path).unwrap();
        assert_eq!(load_or_make(&path).unwrap(), key);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path().join("data")).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn processes_that_start_together_end_with_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("callback.key");
        let make = || load_or_make(&path).unwrap();
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
        assert!(matches!(load_or_make(&path), Err(KeyError::NotAKey { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "half a key");
    }
}
