//! Who takes hints.

use crate::hint::Hint;
use domain::LaneName;

/// Takes hints: the engine, in production. Both calls return at once.
pub trait Taker: Send + Sync + 'static {
    /// How many hints of this lane could be taken now. While it is 0 none is fetched.
    fn room(&self, lane: &LaneName) -> u16;

    /// Takes a hint or declines it; a declined hint is lost and comes back by itself.
    fn offer(&self, hint: Hint) -> bool;
}
