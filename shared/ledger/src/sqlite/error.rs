//! Which of SQLite's errors may pass by themselves.

use crate::api::LedgerError;
use rusqlite::ErrorCode;

impl From<rusqlite::Error> for LedgerError {
    /// Only what the disk or another process causes may pass; anything else is the same again
    /// however often it is tried.
    fn from(error: rusqlite::Error) -> LedgerError {
        let passes = matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::DiskFull
                    | ErrorCode::CannotOpen
                    | ErrorCode::OutOfMemory
                    | ErrorCode::OperationInterrupted
                    | ErrorCode::FileLockingProtocolFailed
            )
        );
        let text = format!("SQLite: {error}");
        if passes { LedgerError::Unavailable(text) } else { LedgerError::Broken(text) }
    }
}

/// Something in the file is not what we ever wrote there.
pub fn damaged(what: &str) -> LedgerError {
    LedgerError::Broken(format!("the ledger's file holds {what} that cannot be read"))
}
