//! How many rows the next batch carries.
//!
//! A batch that was refused as a whole may have been so for one row that nobody names. All its rows
//! are unknown, and once they are proved absent they would be refused together again. So batches
//! carry half as many rows as the one that was refused, down to one, until the row that spoils
//! them is alone, and twice as many after each that was not. What does not fit is not sent.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Kept in memory only: forgetting it costs one more refused batch.
#[derive(Debug, Default)]
pub(super) struct Hold(Mutex<Option<usize>>);

/// No batch is larger.
const ROWS_MAX: usize = 1_000;

impl Hold {
    /// How many of `rows` may go in one batch.
    pub(super) fn room(&self, rows: usize) -> usize {
        self.lock().map_or(rows, |max| rows.min(max))
    }

    /// A batch of `rows` was refused by something in it.
    pub(super) fn narrow(&self, rows: usize) {
        *self.lock() = Some((rows / 2).max(1));
    }

    /// A batch was taken, or what spoiled it was alone in it.
    pub(super) fn widen(&self) {
        let mut rows_max = self.lock();
        *rows_max = rows_max.map(|max| max * 2).filter(|max| *max < ROWS_MAX);
    }

    fn lock(&self) -> MutexGuard<'_, Option<usize>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spoilt_batch_is_narrowed_to_one_row_and_then_grows_again() {
        let hold = Hold::default();
        assert_eq!(hold.room(1000), 1000);
        let mut rows = 1000;
        let mut batches = 0;
        while rows > 1 {
            hold.narrow(rows);
            rows = hold.room(1000);
            batches += 1;
        }
        assert_eq!(batches, 9);
        hold.narrow(1);
        assert_eq!(hold.room(1000), 1);
        for _ in 0..10 {
            hold.widen();
        }
        assert_eq!(hold.room(1000), 1000);
    }
}
