//! Registers and audit chains.

use super::RedisLedger;
use super::scripts;
use super::values::{damaged, take, take_bool};
use crate::api::LedgerError;
use crate::types::{Register, check_register};

impl RedisLedger {
    pub(super) async fn get_register(&self, name: String) -> Result<Option<Register>, LedgerError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.keys.registers()).arg(&name);
        let stored: Option<String> = take(self.link.one(get).await?, "a register")?;
        stored.map(|stored| read(name, &stored)).transpose()
    }

    pub(super) async fn get_registers(&self, prefix: String) -> Result<Vec<Register>, LedgerError> {
        let mut call = scripts::REGISTERS.call(&self.register_keys());
        // No text has the byte ff: what begins with the prefix lies before it.
        let end = [b"(", prefix.as_bytes(), b"\xff"].concat();
        call.arg(format!("[{prefix}")).arg(end);
        let found: Vec<(String, String)> = take(self.link.one(call).await?, "registers")?;
        found.into_iter().map(|(name, stored)| read(name, &stored)).collect()
    }

    pub(super) async fn do_put_register(&self, register: Register) -> Result<bool, LedgerError> {
        check_register(&register)?;
        let Register { name, version, text } = register;
        // No version has ever grown so large: it is not the one that stands.
        let Some(next) = version.checked_add(1) else { return Ok(false) };
        let mut call = scripts::PUT_REGISTER.call(&self.register_keys());
        call.arg(name).arg(version).arg(format!("{next} {text}"));
        take_bool(self.link.one(call).await?)
    }

    fn register_keys(&self) -> [String; 2] {
        [self.keys.registers(), self.keys.register_names()]
    }

    pub(super) async fn do_append_entry(
        &self,
        chain: String,
        seq: u64,
        entry: Vec<u8>,
    ) -> Result<bool, LedgerError> {
        let mut call = scripts::APPEND_ENTRY.call(&[self.keys.chain(&chain)]);
        call.arg(seq).arg(entry);
        take_bool(self.link.one(call).await?)
    }

    pub(super) async fn get_entries(
        &self,
        chain: String,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, LedgerError> {
        // Redis takes signed numbers, and those below zero for places counted from the end.
        let last = i64::try_from(from.saturating_add(limit.into())).ok().map(|end| end - 1);
        let (Some(last), 1..) = (last, limit) else { return Ok(Vec::new()) };
        let mut range = redis::cmd("LRANGE");
        range.arg(self.keys.chain(&chain)).arg(from).arg(last);
        take(self.link.one(range).await?, "audit entries")
    }

    pub(super) async fn get_entry_count(&self, chain: String) -> Result<u64, LedgerError> {
        let mut length = redis::cmd("LLEN");
        length.arg(self.keys.chain(&chain));
        take(self.link.one(length).await?, "the length of an audit chain")
    }
}

/// A register as it is stored: its version, a space, its text.
fn read(name: String, stored: &str) -> Result<Register, LedgerError> {
    let parts = stored.split_once(' ').and_then(|(v, text)| Some((v.parse().ok()?, text)));
    let (version, text) = parts.ok_or_else(|| damaged("a register"))?;
    Ok(Register { name, version, text: text.to_owned() })
}
