//! The real programs, built once with the profile that the tests themselves were built with.
//!
//! `PAYOUT_BIN_DIR` names a folder with finished ones instead.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The file of a program: `worker`, `producer` or `sandbox`.
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| match std::env::var_os("PAYOUT_BIN_DIR") {
        Some(folder) => folder.into(),
        None => build(),
    });
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

/// `--tests`, and the ledger with its default features, ask for the same features that
/// `cargo test --workspace` builds with, so that nothing is compiled twice.
fn build() -> PathBuf {
    let folder = profile_folder();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--bins", "--tests"])
        .args(["-p", "worker", "-p", "producer", "-p", "sandbox", "-p", "ledger"])
        .arg("--target-dir")
        .arg(folder.parent().expect("target/"))
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        command.arg("--release");
    }
    assert!(command.status().expect("cargo runs").success(), "the programs do not build");
    folder
}

/// `target/debug`: this very test lies in `target/debug/deps`.
fn profile_folder() -> PathBuf {
    let own = std::env::current_exe().expect("our own path");
    own.parent().and_then(Path::parent).expect("target/debug").to_owned()
}
