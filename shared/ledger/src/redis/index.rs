//! The index of references (S1, S2): 16 bytes of hash → 20 bytes of place, for ever.

use super::RedisLedger;
use super::keys::FIELD_BYTES;
use super::scripts;
use super::values::{damaged, take, take_bool};
use crate::api::LedgerError;
use crate::types::Held;
use domain::{Place, ReferenceKey};
use std::collections::BTreeMap;

/// References in one round trip: bounds what a pipeline holds in memory, here and there.
const REFERENCES_MAX: usize = 20_000;

/// Bytes of a conflict in a script's answer: which entry, and the place that holds it.
const CONFLICT_BYTES: usize = 4 + 20;

/// What one family's script is asked: for each hash its entries, packed, and in the same order
/// whose they are.
#[derive(Default)]
struct Family {
    hashes: BTreeMap<u8, (Vec<u8>, Vec<usize>)>,
}

impl RedisLedger {
    pub(super) async fn do_reserve(
        &self,
        wanted: Vec<(ReferenceKey, Place)>,
    ) -> Result<Vec<Held>, LedgerError> {
        let mut held = Vec::new();
        for (round, part) in wanted.chunks(REFERENCES_MAX).enumerate() {
            self.reserve_part(part, round * REFERENCES_MAX, &mut held).await?;
        }
        held.sort_by_key(|held| held.index);
        Ok(held)
    }

    async fn reserve_part(
        &self,
        wanted: &[(ReferenceKey, Place)],
        first_index: usize,
        held: &mut Vec<Held>,
    ) -> Result<(), LedgerError> {
        let mut families: BTreeMap<u8, Family> = BTreeMap::new();
        for (at, (key, place)) in wanted.iter().enumerate() {
            let family = families.entry(key.0[0]).or_default();
            let (entries, indices) = family.hashes.entry(key.0[1] & 0x3f).or_default();
            entries.extend_from_slice(field(key));
            entries.extend_from_slice(&place.to_bytes());
            indices.push(first_index + at);
        }
        let calls = families.values().map(|family| {
            let name = |indices: &Vec<usize>| self.keys.index(wanted[indices[0] - first_index].0);
            let keys: Vec<String> =
                family.hashes.values().map(|(_, indices)| name(indices)).collect();
            let mut call = scripts::RESERVE.call(&keys);
            for (entries, _) in family.hashes.values() {
                call.arg(entries.as_slice());
            }
            call
        });
        let answers = self.link.all(calls.collect()).await?;
        for (family, answer) in families.values().zip(answers) {
            let indices: Vec<usize> =
                family.hashes.values().flat_map(|(_, indices)| indices).copied().collect();
            for conflict in take::<Vec<u8>>(answer, "references")?.chunks(CONFLICT_BYTES) {
                held.push(conflict_of(conflict, &indices)?);
            }
        }
        Ok(())
    }

    pub(super) async fn do_take_over(
        &self,
        key: ReferenceKey,
        from: Place,
        to: Place,
    ) -> Result<bool, LedgerError> {
        let mut call = scripts::TAKE_OVER.call(&[self.keys.index(key)]);
        call.arg(field(&key)).arg(&from.to_bytes()).arg(&to.to_bytes());
        take_bool(self.link.one(call).await?)
    }

    pub(super) async fn do_find(&self, key: ReferenceKey) -> Result<Option<Place>, LedgerError> {
        let mut get = redis::cmd("HGET");
        get.arg(self.keys.index(key)).arg(field(&key));
        let place: Option<Vec<u8>> = take(self.link.one(get).await?, "a place")?;
        let read = |bytes: Vec<u8>| Place::from_bytes(&bytes).ok_or_else(|| damaged("a place"));
        place.map(read).transpose()
    }
}

/// The bytes of a key that the name of its hash does not hold whole.
fn field(key: &ReferenceKey) -> &[u8] {
    &key.0[key.0.len() - FIELD_BYTES..]
}

fn conflict_of(bytes: &[u8], indices: &[usize]) -> Result<Held, LedgerError> {
    let read = || {
        let (count, place) = bytes.split_first_chunk::<4>()?;
        let index = indices.get(usize::try_from(u32::from_le_bytes(*count)).ok()?)?;
        Some(Held { index: *index, by: Place::from_bytes(place)? })
    };
    read().ok_or_else(|| damaged("a place"))
}
