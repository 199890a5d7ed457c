//! The ledger that a configuration names.

use crate::{Engine, LedgerConfig};
use ledger::redis::RedisLedger;
use ledger::sqlite::SqliteLedger;
use ledger::{Ledger, LedgerError};
use std::sync::Arc;

/// Opens the ledger, and makes a new SQLite one with its folder if there is none.
pub async fn open_ledger(config: &LedgerConfig) -> Result<Arc<dyn Ledger>, LedgerError> {
    match config.engine {
        Engine::Sqlite => {
            let folder = config.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder {
                std::fs::create_dir_all(folder).map_err(|e| {
                    LedgerError::Unavailable(format!("cannot make {}: {e}", folder.display()))
                })?;
            }
            Ok(Arc::new(SqliteLedger::open(&config.path)?))
        }
        Engine::Redis => Ok(Arc::new(RedisLedger::connect(&config.url.0, &config.prefix).await?)),
    }
}
