//! The ledger that a configuration names, with its rows encrypted (S24).

use crate::key_file::{self, KeyError, KeyKind};
use crate::{Engine, LedgerConfig};
use ledger::redis::{Durability, RedisLedger};
use ledger::sealed::{self, MasterKey, Sealed};
use ledger::sqlite::SqliteLedger;
use ledger::{Ledger, LedgerError};
use std::sync::Arc;

/// The ledger key as 64 hex digits; wins over the file.
const KEY_VARIABLE: &str = "PAYOUT_LEDGER_KEY";

/// An open ledger.
pub struct OpenLedger {
    /// With its rows encrypted.
    pub ledger: Arc<dyn Ledger>,
    /// What an answer is worth in a power cut. A file is synced before each.
    pub durability: Durability,
}

/// Opens the ledger, and makes a new SQLite one with its folder if there is none, and its key.
pub async fn open_ledger(config: &LedgerConfig) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(open(config).await?.ledger)
}

/// The same, and what its answers are worth.
pub async fn open(config: &LedgerConfig) -> Result<OpenLedger, LedgerError> {
    open_with(config, std::env::var(KEY_VARIABLE).ok()).await
}

async fn open_with(config: &LedgerConfig, key: Option<String>) -> Result<OpenLedger, LedgerError> {
    let (inner, durability): (Arc<dyn Ledger>, _) = match config.engine {
        Engine::Sqlite => {
            let folder = config.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder {
                crate::key_file::make_private_folders(folder).map_err(|e| {
                    LedgerError::Unavailable(format!("cannot make {}: {e}", folder.display()))
                })?;
            }
            (Arc::new(SqliteLedger::open(&config.path)?), Durability::Always)
        }
        Engine::Redis => {
            let ledger = RedisLedger::connect(&config.url.0, &config.prefix).await?;
            let durability = ledger.durability();
            (Arc::new(ledger), durability)
        }
    };
    let key = match key {
        Some(text) => of_environment(&text)?,
        None => of_file(config, &*inner).await?,
    };
    Ok(OpenLedger { ledger: Arc::new(Sealed::open(inner, key).await?), durability })
}

fn of_environment(text: &str) -> Result<MasterKey, LedgerError> {
    let key = key_file::parse(text).ok_or_else(|| {
        LedgerError::Broken(format!("{KEY_VARIABLE} holds no key: expected 64 hex digits"))
    })?;
    MasterKey::new(&key, KEY_VARIABLE)
}

/// A key is made only for a ledger that has none yet: made for another one, it would be the wrong
/// one, and would lie where the right one belongs.
async fn of_file(config: &LedgerConfig, inner: &dyn Ledger) -> Result<MasterKey, LedgerError> {
    let path = &config.key_file;
    let failed = |error: KeyError| LedgerError::Broken(error.to_string());
    let key = match key_file::load(KeyKind::Ledger, path).map_err(failed)? {
        Some(key) => key,
        None if sealed::is_sealed(inner).await? => {
            let path = path.display();
            return Err(LedgerError::Broken(format!(
                "the rows of this ledger are encrypted, and there is no {path}; copy it from a \
                 machine that works with this ledger, or set {KEY_VARIABLE} (64 hex digits)"
            )));
        }
        None => key_file::load_or_make(KeyKind::Ledger, path).map_err(failed)?,
    };
    MasterKey::new(&key, path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    /// A machine: its key lies in `folder/name`, the ledger in a place that all machines share.
    fn machine(folder: &Path, name: &str) -> LedgerConfig {
        LedgerConfig {
            path: folder.join("shared/ledger.sqlite"),
            key_file: folder.join(name).join("ledger.key"),
            ..LedgerConfig::default()
        }
    }

    async fn refusal(config: &LedgerConfig, key: Option<&str>) -> String {
        match open_with(config, key.map(str::to_owned)).await {
            Err(LedgerError::Broken(text)) => text,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("it opened"),
        }
    }

    #[tokio::test]
    async fn a_new_ledger_gets_a_key_that_only_its_owner_can_read_and_opens_with_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let config = machine(folder.path(), "one");
        open_with(&config, None).await.unwrap();
        for file in [&config.path, &config.key_file] {
            let mode = std::fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
        open_with(&config, None).await.unwrap();
    }

    #[tokio::test]
    async fn a_machine_without_the_key_is_told_to_copy_it_and_makes_none() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (machine(folder.path(), "one"), machine(folder.path(), "two"));
        open_with(&one, None).await.unwrap();
        let text = refusal(&two, None).await;
        assert!(text.contains("two/ledger.key") && text.contains("PAYOUT_LEDGER_KEY"), "{text}");
        assert!(!two.key_file.exists());
        std::fs::create_dir(folder.path().join("two")).unwrap();
        std::fs::copy(&one.key_file, &two.key_file).unwrap();
        open_with(&two, None).await.unwrap();
    }

    #[tokio::test]
    async fn another_key_is_refused_and_the_error_names_its_place_and_not_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let config = machine(folder.path(), "one");
        open_with(&config, None).await.unwrap();
        let text = refusal(&config, Some(KEY)).await;
        assert!(text.contains("PAYOUT_LEDGER_KEY") && !text.contains("0011"), "{text}");
        std::fs::write(&config.key_file, KEY).unwrap();
        let text = refusal(&config, None).await;
        assert!(text.contains("one/ledger.key") && !text.contains("0011"), "{text}");
    }

    #[tokio::test]
    async fn the_environment_wins_over_the_file_and_needs_none() {
        let folder = tempfile::tempdir().unwrap();
        let config = machine(folder.path(), "one");
        open_with(&config, Some(KEY.to_owned())).await.unwrap();
        assert!(!config.key_file.exists());
        let text = refusal(&config, Some("0011 half a key")).await;
        assert!(text.contains("64 hex digits") && !text.contains("0011"), "{text}");
        let other = KEY.replace("00", "01");
        std::fs::create_dir(folder.path().join("one")).unwrap();
        std::fs::write(&config.key_file, other).unwrap();
        open_with(&config, Some(KEY.to_owned())).await.unwrap();
    }
}
