//! A chain, read in pages: one page is in memory at a time.

use ledger::audit::{Chain, Entry, Finding, Hash, Walk};
use ledger::{Ledger, LedgerError};

/// Entries read at once. An entry tells of at most some thousand rows.
const PAGE: u32 = 64;

/// Streams a chain from its beginning.
pub struct Pages<'a> {
    ledger: &'a dyn Ledger,
    chain: Chain,
    page: std::vec::IntoIter<Vec<u8>>,
    walk: Walk,
    /// What is wrong with the chain, as far as it was read.
    pub found: Vec<Finding>,
}

impl<'a> Pages<'a> {
    /// From the first entry on.
    pub fn new(ledger: &'a dyn Ledger, chain: Chain) -> Pages<'a> {
        let (walk, page) = (Walk::new(chain.clone()), Vec::new().into_iter());
        Pages { ledger, chain, page, walk, found: Vec::new() }
    }

    /// The next entry that can be read; those that cannot are in [`Pages::found`].
    pub async fn next(&mut self) -> Result<Option<(Entry, Hash)>, LedgerError> {
        loop {
            for bytes in self.page.by_ref() {
                if let Some(entry) = self.walk.take(&bytes, &mut self.found) {
                    return Ok(Some(entry));
                }
            }
            let name = self.chain.as_str().to_owned();
            // Behind the last entry by its own number: where one is missing, none is read twice.
            let page = self.ledger.entries(name, self.walk.length(), PAGE).await?;
            if page.is_empty() {
                return Ok(None);
            }
            self.page = page.into_iter();
        }
    }

    /// How long the chain is, as far as it was read.
    pub fn length(&self) -> u64 {
        self.walk.length()
    }
}
