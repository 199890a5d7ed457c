//! Registers whose text is a type's JSON.
//!
//! The invariant: *what is stored was made of what stood there.* Every write names the version that it
//! was made of, so of two that race one is told, and makes its change anew. A register that nobody has
//! written reads as the type's default, at version 0.
//!
//! Registers are never removed. What is kept of a batch (`pause`, `spend`, `forecast`) is at most some
//! hundred bytes, beside a record of the batch itself that stays as long as its references do: to
//! empty them would take a write for each batch and give less than that record.

use crate::api::{Ledger, LedgerError};
use crate::types::Register;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Rounds of one change. With each of them somebody else's was stored, so this many in a row mean
/// that something runs wild.
const ROUNDS_MAX: u32 = 1_000;

/// What stands there, with its version.
pub async fn read<T: DeserializeOwned + Default>(
    ledger: &dyn Ledger,
    name: String,
) -> Result<(u64, T), LedgerError> {
    match ledger.register(name).await? {
        Some(register) => Ok((register.version, parse(&register)?)),
        None => Ok((0, T::default())),
    }
}

/// What a register that was read says.
pub fn parse<T: DeserializeOwned>(register: &Register) -> Result<T, LedgerError> {
    serde_json::from_str(&register.text).map_err(|e| broken(&register.name, &e))
}

/// Stores it, if nobody changed the register since `version` was read. *Crash after*: stored.
pub async fn put<T: Serialize>(
    ledger: &dyn Ledger,
    name: String,
    version: u64,
    value: &T,
) -> Result<bool, LedgerError> {
    let text = serde_json::to_string(value).map_err(|e| broken(&name, &e))?;
    ledger.put_register(Register { name, version, text }).await
}

/// Changes what stands there until the change is stored; `change` gives whether there is anything to
/// store, and so does this.
pub async fn change<T, E>(
    ledger: &dyn Ledger,
    name: &str,
    mut change: impl FnMut(&mut T) -> Result<bool, E>,
) -> Result<bool, E>
where
    T: DeserializeOwned + Default + Serialize,
    E: From<LedgerError>,
{
    for _ in 0..ROUNDS_MAX {
        let (version, mut value) = read(ledger, name.to_owned()).await?;
        if !change(&mut value)? {
            return Ok(false);
        }
        if put(ledger, name.to_owned(), version, &value).await? {
            return Ok(true);
        }
    }
    Err(LedgerError::Broken(format!("register {name} changed {ROUNDS_MAX} times")).into())
}

fn broken(name: &str, error: &serde_json::Error) -> LedgerError {
    LedgerError::Broken(format!("register {name} cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryLedger;
    use domain::{LedgerId, Millis};
    use futures::FutureExt;
    use futures::executor::block_on;
    use std::sync::Arc;

    const NAME: &str = "count";

    fn ledger() -> MemoryLedger {
        MemoryLedger::new(LedgerId::from_random(0), Arc::new(|| Millis(1)))
    }

    #[test]
    fn what_nobody_has_written_is_the_default_at_version_0_and_a_lost_race_is_told() {
        let ledger = ledger();
        assert_eq!(block_on(read::<u32>(&ledger, NAME.to_owned())).unwrap(), (0, 0));
        let put = |version| block_on(put(&ledger, NAME.to_owned(), version, &7u32)).unwrap();
        assert_eq!((put(0), put(0)), (true, false));
        assert_eq!(block_on(read::<u32>(&ledger, NAME.to_owned())).unwrap(), (1, 7));
    }

    #[test]
    fn a_change_that_lost_a_race_is_made_anew_of_what_won() {
        let ledger = ledger();
        let mut rounds = 0;
        let add = |count: &mut u32| -> Result<bool, LedgerError> {
            rounds += 1;
            if rounds == 1 {
                // Somebody else comes between reading and writing.
                let other = put(&ledger, NAME.to_owned(), 0, &10u32).now_or_never();
                assert!(other.expect("it answers at once")?);
            }
            *count += 1;
            Ok(true)
        };
        assert!(block_on(change(&ledger, NAME, add)).unwrap());
        assert_eq!(
            (rounds, block_on(read::<u32>(&ledger, NAME.to_owned())).unwrap()),
            (2, (2, 11))
        );
    }

    #[test]
    fn a_damaged_register_is_named_and_never_written_over() {
        let ledger = ledger();
        let text = "?".to_owned();
        let damaged = Register { name: NAME.to_owned(), version: 0, text };
        assert!(block_on(ledger.put_register(damaged)).unwrap());
        let add = |count: &mut u32| -> Result<bool, LedgerError> {
            *count += 1;
            Ok(true)
        };
        let error = block_on(change(&ledger, NAME, add)).unwrap_err().to_string();
        assert!(error.contains("register count cannot be read"), "{error}");
        assert_eq!(block_on(ledger.register(NAME.to_owned())).unwrap().unwrap().version, 1);
    }
}
