//! A copy of the ledger that is put back, as by a person who restores a backup: the ledger's own
//! files, and nothing of the workers.

use crate::world::World;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What the ledger held at one moment.
#[derive(Debug)]
pub struct Backup(TempDir);

impl Backup {
    /// Copies the ledger. No program of ours runs.
    pub fn of(world: &mut World) -> Backup {
        let copy = tempfile::tempdir().expect("a folder");
        at_rest(world, |files| copy_all(files, copy.path()));
        Backup(copy)
    }

    /// Puts it back. No program of ours runs.
    pub fn put_back(&self, world: &mut World) {
        world.ledger_went_back = true;
        at_rest(world, |files| {
            fs::remove_dir_all(files).expect("to be removed");
            copy_all(self.0.path(), files);
        });
    }
}

/// Does something with the ledger's files while nobody writes to them.
fn at_rest(world: &mut World, work: impl FnOnce(&Path)) {
    let files = files(world);
    if let Some(redis) = &mut world.redis {
        redis.kill();
    }
    work(&files);
    if let Some(redis) = &mut world.redis {
        redis.restart();
    }
}

fn files(world: &World) -> PathBuf {
    match &world.redis {
        Some(redis) => redis.data().join("appendonlydir"),
        None => world.folder().join("data"),
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for file in fs::read_dir(from).expect("files") {
        let file = file.expect("a file").path();
        let name = file.file_name().expect("a name");
        fs::copy(&file, to.join(name)).expect("a copy");
    }
}
