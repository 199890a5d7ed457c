//! Registers and audit chains.

use super::store::Store;
use crate::api::LedgerError;
use crate::types::{Register, check_register};

impl Store {
    pub(super) fn register(&self, name: &str) -> Option<Register> {
        let (version, text) = self.registers.get(name)?;
        Some(Register { name: name.to_owned(), version: *version, text: text.clone() })
    }

    pub(super) fn registers(&self, prefix: &str) -> Vec<Register> {
        let from = self.registers.range(prefix.to_owned()..);
        from.take_while(|(name, _)| name.starts_with(prefix))
            .map(|(name, (version, text))| Register {
                name: name.clone(),
                version: *version,
                text: text.clone(),
            })
            .collect()
    }

    pub(super) fn put_register(&mut self, register: Register) -> Result<bool, LedgerError> {
        check_register(&register)?;
        let Register { name, version, text } = register;
        let stands = self.registers.get(&name).map_or(0, |(version, _)| *version);
        if stands == version {
            self.registers.insert(name, (version + 1, text));
        }
        Ok(stands == version)
    }

    pub(super) fn append_entry(&mut self, chain: String, seq: u64, entry: Vec<u8>) -> bool {
        let entries = self.chains.entry(chain).or_default();
        let Ok(at) = usize::try_from(seq) else { return false };
        match entries.get(at) {
            Some(stands) => *stands == entry,
            None if at == entries.len() => {
                entries.push(entry);
                true
            }
            None => false,
        }
    }

    pub(super) fn entries(&self, chain: &str, from: u64, limit: u32) -> Vec<Vec<u8>> {
        let entries = self.chains.get(chain).map_or(&[][..], Vec::as_slice);
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        entries.iter().skip(from).take(limit).cloned().collect()
    }

    pub(super) fn entry_count(&self, chain: &str) -> u64 {
        let len = self.chains.get(chain).map_or(0, Vec::len);
        u64::try_from(len).unwrap_or(u64::MAX)
    }
}
