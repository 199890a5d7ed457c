//! AES-256-GCM under random nonces: a data key encrypts at most some 700,000 blocks, a master key
//! one data key a batch, both far below where two nonces might meet.

use crate::api::LedgerError;
use domain::{BatchId, ChunkId};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;

/// Bytes of a key.
pub const KEY_LEN: usize = 32;

/// The first byte of a block that is encrypted: form, nonce, ciphertext with its tag.
const SEALED: u8 = 1;

/// The first byte of a block that is not: zstd's.
const PLAIN: u8 = 0x28;

/// What wraps the data keys.
pub struct MasterKey {
    key: LessSafeKey,
    place: String,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey from {}", self.place)
    }
}

impl MasterKey {
    /// A key, and where it was read from: for errors.
    pub fn new(key: &[u8; KEY_LEN], place: impl Into<String>) -> Result<MasterKey, LedgerError> {
        Ok(MasterKey { key: ready(key)?, place: place.into() })
    }

    /// Where it was read from.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Encrypts a few bytes for a register of this name.
    pub(super) fn wrap(&self, name: &str, plain: &[u8]) -> Result<String, LedgerError> {
        sealed(&self.key, name.as_bytes(), &[], plain).map(hex::encode)
    }

    /// The inverse of [`MasterKey::wrap`]; `None` for what another key, or none, has made, and
    /// for what was made for another register.
    pub(super) fn unwrap(&self, name: &str, text: &str) -> Option<Vec<u8>> {
        opened(&self.key, name.as_bytes(), 0, hex::decode(text).ok()?)
    }
}

/// What encrypts the blocks of one batch.
pub(super) struct DataKey(LessSafeKey);

impl DataKey {
    /// A new one, wrapped for the register of this name.
    pub fn make(master: &MasterKey, name: &str) -> Result<(DataKey, String), LedgerError> {
        let mut key = [0; KEY_LEN];
        fill(&mut key)?;
        Ok((DataKey(ready(&key)?), master.wrap(name, &key)?))
    }

    /// One that was wrapped.
    pub fn unwrap(master: &MasterKey, name: &str, text: &str) -> Option<DataKey> {
        let key: [u8; KEY_LEN] = master.unwrap(name, text)?.try_into().ok()?;
        ready(&key).ok().map(DataKey)
    }

    /// Encrypts block number `no` of a chunk.
    pub fn seal_block(&self, id: ChunkId, no: u16, block: &[u8]) -> Result<Vec<u8>, LedgerError> {
        sealed(&self.0, &bound_to(id, no), &[SEALED], block)
    }

    /// Decrypts block number `no` of a chunk.
    pub fn open_block(&self, id: ChunkId, no: u16, block: Vec<u8>) -> Result<Vec<u8>, LedgerError> {
        let opened = match block.first() {
            Some(&SEALED) => opened(&self.0, &bound_to(id, no), 1, block),
            _ => None,
        };
        opened.ok_or_else(|| {
            LedgerError::Broken(format!(
                "block {no} of chunk {id} was not encrypted for its place with its batch's key: \
                 somebody has changed the ledger, or it is damaged"
            ))
        })
    }
}

/// Sees that a block of a batch without a key is not encrypted.
pub(super) fn is_plain(id: ChunkId, block: &[u8]) -> Result<(), LedgerError> {
    match block.first() {
        Some(&PLAIN) => Ok(()),
        Some(&SEALED) => Err(key_is_gone(id.batch)),
        _ => Err(LedgerError::Broken(format!(
            "a block of chunk {id} has a form that this program does not know"
        ))),
    }
}

pub(super) fn key_is_gone(batch: BatchId) -> LedgerError {
    LedgerError::Broken(format!(
        "the rows of batch {batch} are encrypted and its key is gone: somebody has changed the \
         ledger, or it is damaged"
    ))
}

/// A block belongs to one place only.
fn bound_to(id: ChunkId, no: u16) -> [u8; 20] {
    let mut place = [0; 20];
    place[..16].copy_from_slice(&id.batch.to_bytes());
    place[16..18].copy_from_slice(&id.no.to_le_bytes());
    place[18..].copy_from_slice(&no.to_le_bytes());
    place
}

/// `before`, a nonce, the ciphertext, its tag.
fn sealed(
    key: &LessSafeKey,
    bound_to: &[u8],
    before: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, LedgerError> {
    let mut nonce = [0; NONCE_LEN];
    fill(&mut nonce)?;
    let text_at = before.len() + NONCE_LEN;
    let mut out = Vec::with_capacity(text_at + plain.len() + AES_256_GCM.tag_len());
    out.extend_from_slice(before);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plain);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(bound_to), &mut out[text_at..]);
    out.extend_from_slice(tag.map_err(|_| refused())?.as_ref());
    Ok(out)
}

/// What [`sealed`] encrypted; `nonce_at` says how long `before` was.
fn opened(
    key: &LessSafeKey,
    bound_to: &[u8],
    nonce_at: usize,
    mut text: Vec<u8>,
) -> Option<Vec<u8>> {
    let nonce = Nonce::try_assume_unique_for_key(text.get(nonce_at..nonce_at + NONCE_LEN)?).ok()?;
    let text_at = nonce_at + NONCE_LEN;
    let plain = key.open_within(nonce, Aad::from(bound_to), &mut text, text_at..).ok()?;
    let length = plain.len();
    text.truncate(length);
    Some(text)
}

fn ready(key: &[u8; KEY_LEN]) -> Result<LessSafeKey, LedgerError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| refused())
}

fn fill(bytes: &mut [u8]) -> Result<(), LedgerError> {
    let failed = |_| LedgerError::Unavailable("the system gives no random bytes".to_owned());
    SystemRandom::new().fill(bytes).map_err(failed)
}

fn refused() -> LedgerError {
    LedgerError::Broken("the cipher refused a key or a block".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn master(byte: u8) -> MasterKey {
        MasterKey::new(&[byte; KEY_LEN], "a test").unwrap()
    }

    fn chunk(no: u16) -> ChunkId {
        ChunkId { batch: BatchId(ulid::Ulid::from_parts(1, 1)), no }
    }

    #[test]
    fn a_block_opens_in_its_place_and_nowhere_else() {
        let (key, text) = DataKey::make(&master(1), "key/a").unwrap();
        let again = DataKey::unwrap(&master(1), "key/a", &text).unwrap();
        for plain in [&b""[..], b"x", &[7; 5_000]] {
            let sealed = key.seal_block(chunk(3), 4, plain).unwrap();
            assert_ne!(sealed, key.seal_block(chunk(3), 4, plain).unwrap(), "a nonce of its own");
            assert_eq!(again.open_block(chunk(3), 4, sealed.clone()).unwrap(), plain);
            assert!(again.open_block(chunk(3), 5, sealed.clone()).is_err());
            assert!(again.open_block(chunk(4), 4, sealed).is_err());
        }
    }

    #[test]
    fn a_data_key_opens_under_its_master_key_and_name_only() {
        let (_, text) = DataKey::make(&master(1), "key/a").unwrap();
        assert!(DataKey::unwrap(&master(2), "key/a", &text).is_none());
        assert!(DataKey::unwrap(&master(1), "key/b", &text).is_none());
        for damaged in ["", "00", "not hex", &text[2..]] {
            assert!(DataKey::unwrap(&master(1), "key/a", damaged).is_none(), "{damaged}");
        }
    }

    /// Run with `--nocapture` to see the figure.
    #[test]
    fn encrypting_a_row_costs_a_fraction_of_a_microsecond() {
        const BLOCKS: u16 = 10_000;
        let rows = u128::from(BLOCKS) * u128::from(crate::rows::BLOCK_ROWS);
        let (key, _) = DataKey::make(&master(1), "key/a").unwrap();
        // A hundred rows with names and cards compress to some three kilobytes.
        let plain = vec![7; 3_000];
        let mut took = Duration::ZERO;
        for no in 0..BLOCKS {
            let start = Instant::now();
            let sealed = key.seal_block(chunk(no / 10), no % 10, &plain).unwrap();
            took += start.elapsed();
            assert_eq!(sealed.len(), plain.len() + 29);
        }
        println!("encrypting {rows} rows: {} ns a row", took.as_nanos() / rows);
        // A hundred times what it is on a quiet machine: only a change of the kind fails here.
        assert!(took.as_micros() < 5 * rows);
    }
}
