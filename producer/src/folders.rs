//! Files that appear whole or not at all: written beside their place, made durable, renamed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// A hidden name beside `path`, for a file that is not whole yet. Two processes that write the
/// same file do not meet in it.
pub fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// Makes or empties a file that only its owner can read (S24).
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Lets only its owner read a file that somebody else made (S24). One of another owner stays as it
/// is, in a folder that only we can look into.
pub fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        if let Err(error) = std::fs::set_permissions(path, mode) {
            tracing::warn!(path = %path.display(), %error, "others may be able to read this file");
        }
    }
}

/// Puts a whole file in the place of what was there, durably.
pub fn replace(part: &Path, path: &Path) -> io::Result<()> {
    std::fs::rename(part, path)?;
    sync_folder(path)
}

/// Writes a small file durably and whole.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = part_of(path);
    let mut file = create_private(&part)?;
    io::Write::write_all(&mut file, content)?;
    file.sync_all()?;
    replace(&part, path)
}

/// Renames unless something is there already: gives `AlreadyExists` then.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        // File systems without this kind of rename: look first. Names carry a counter or a
        // batch's id where they could meet, and a lock guards the file itself.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if to.try_exists()? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)?;
        }
        Err(error) => return Err(error.into()),
    }
    sync_folder(to)
}

/// Makes the folder's entries durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// `payouts.csv` → `payouts`: what result files are named after.
pub fn base_name(name: &str) -> &str {
    match name.char_indices().rev().nth(3) {
        Some((at, _)) if at > 0 && name[at..].eq_ignore_ascii_case(".csv") => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_csv_is_taken_off_a_name() {
        assert_eq!(base_name("payouts.csv"), "payouts");
        assert_eq!(base_name("payouts.CSV"), "payouts");
        assert_eq!(base_name("payouts.txt"), "payouts.txt");
        assert_eq!(base_name(".csv"), ".csv");
        assert_eq!(base_name("ä"), "ä");
    }

    #[test]
    fn a_rename_never_replaces_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a"), "a").unwrap();
        std::fs::write(path("b"), "b").unwrap();
        let error = rename_new(&path("a"), &path("b")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(path("b")).unwrap(), "b");
        rename_new(&path("a"), &path("c")).unwrap();
        assert_eq!(std::fs::read_to_string(path("c")).unwrap(), "a");
    }
}
