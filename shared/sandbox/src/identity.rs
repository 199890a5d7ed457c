//! The sandbox's account identity: drawn once, kept in `data_dir/id`, independent of the port.
//!
//! A client that fingerprints its accounts must see the same account after a restart on another
//! port, and another account behind the same port when the data directory is a new one.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

const DIGITS: usize = 32;

/// Reads the id, or draws one and stores it durably before anybody can see it.
pub(crate) fn load_or_create(dir: &Path) -> io::Result<String> {
    let path = dir.join("id");
    match fs::read_to_string(&path) {
        Ok(text) => check(text.trim(), &path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(dir, &path),
        Err(error) => Err(error),
    }
}

fn check(id: &str, path: &Path) -> io::Result<String> {
    if id.len() == DIGITS && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(id.to_owned());
    }
    let text = format!("{} holds no sandbox id ({DIGITS} hex digits)", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidData, text))
}

fn create(dir: &Path, path: &Path) -> io::Result<String> {
    let id = hex::encode(rand::random::<[u8; DIGITS / 2]>());
    // Renamed into place: a crash leaves either no id or a whole one.
    let temporary = dir.join("id.new");
    let mut file = fs::File::create(&temporary)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let first = load_or_create(dir.path()).unwrap();
        assert_eq!(load_or_create(dir.path()).unwrap(), first);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(load_or_create(other.path()).unwrap(), first);
    }

    #[test]
    fn a_damaged_id_is_refused_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("id"), "half").unwrap();
        assert!(load_or_create(dir.path()).is_err());
    }
}
