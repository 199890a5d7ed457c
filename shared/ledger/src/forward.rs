//! A ledger around a ledger names the methods that it passes on, and writes the others.
//!
//! ```
//! # use ledger::*;
//! /// Counts the chunks that are written.
//! struct Counting<L> {
//!     inner: L,
//!     chunks: std::sync::atomic::AtomicU64,
//! }
//!
//! impl<L: Ledger> Ledger for Counting<L> {
//!     ledger::forward! { self.inner =>
//!         about, trust, open_batch, reserve, take_over, find, seal, reject, batch, batches, chunk,
//!         blocks, notes, take_ready, claim, renew, release, write, set_batch_state, claim_report,
//!         reported, lane, put_lane, permits, rules, put_rules, keep_stray, register, registers,
//!         put_register, append_entry, entries, entry_count
//!     }
//!
//!     fn append(&self, chunk: NewChunk) -> Answer<'_, bool> {
//!         self.chunks.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
//!         self.inner.append(chunk)
//!     }
//! }
//! ```
//!
//! A method that is neither named nor written is an error of the compiler, and so is one that the
//! trait does not have.

/// The types that the signatures name.
#[doc(hidden)]
pub use crate::types::*;
#[doc(hidden)]
pub use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Place, ReferenceKey};

/// Makes methods of [`crate::Ledger`] that pass the call on to the ledger in a field.
#[macro_export]
macro_rules! forward {
    ($self:ident . $field:tt => $($name:ident),+ $(,)?) => {
        $($crate::forward!(@one $name $self $field);)+
    };
    (@pass $self:ident $field:tt $name:ident($($arg:ident: $type:ty),*) -> $answer:ty) => {
        fn $name(&$self, $($arg: $type),*) -> $crate::Answer<'_, $answer> {
            $self.$field.$name($($arg),*)
        }
    };
    (@one trust $s:ident $f:tt) => {
        fn trust(&$s, life: $crate::forward::Life) {
            $s.$f.trust(life);
        }
    };
    (@one about $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f about() -> $crate::forward::About);
    };
    (@one open_batch $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f open_batch(
            new: $crate::forward::NewBatch
        ) -> $crate::forward::Opened);
    };
    (@one reserve $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f reserve(
            wanted: Vec<($crate::forward::ReferenceKey, $crate::forward::Place)>
        ) -> Vec<$crate::forward::Held>);
    };
    (@one take_over $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f take_over(
            key: $crate::forward::ReferenceKey,
            from: $crate::forward::Place,
            to: $crate::forward::Place
        ) -> bool);
    };
    (@one find $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f find(
            key: $crate::forward::ReferenceKey
        ) -> Option<$crate::forward::Place>);
    };
    (@one append $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f append(chunk: $crate::forward::NewChunk) -> bool);
    };
    (@one seal $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f seal(seal: $crate::forward::Seal) -> bool);
    };
    (@one reject $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f reject(
            batch: $crate::forward::BatchId,
            reason: String,
            only_if_abandoned: bool
        ) -> bool);
    };
    (@one batch $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f batch(
            id: $crate::forward::BatchId
        ) -> Option<$crate::forward::Batch>);
    };
    (@one batches $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f batches(
            before: Option<$crate::forward::BatchId>,
            limit: u32
        ) -> Vec<$crate::forward::Batch>);
    };
    (@one chunk $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f chunk(
            id: $crate::forward::ChunkId
        ) -> Option<$crate::forward::Chunk>);
    };
    (@one blocks $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f blocks(
            chunk: $crate::forward::ChunkId,
            first: u16,
            last: u16
        ) -> Vec<Vec<u8>>);
    };
    (@one notes $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f notes(
            chunk: $crate::forward::ChunkId
        ) -> Vec<(u16, $crate::forward::Note)>);
    };
    (@one take_ready $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f take_ready(
            lane: $crate::forward::LaneName,
            max: u16,
            hint_ms: u64
        ) -> Vec<$crate::forward::ChunkId>);
    };
    (@one claim $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f claim(
            chunk: $crate::forward::ChunkId,
            lease_ms: u64
        ) -> $crate::forward::Claim);
    };
    (@one renew $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f renew(
            chunk: $crate::forward::ChunkId,
            token: $crate::forward::Token,
            lease_ms: u64
        ) -> bool);
    };
    (@one release $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f release(
            chunk: $crate::forward::ChunkId,
            token: $crate::forward::Token,
            next_at: $crate::forward::Millis
        ) -> ());
    };
    (@one write $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f write(
            chunk: $crate::forward::ChunkId,
            guard: $crate::forward::Guard,
            changes: Vec<$crate::forward::Change>
        ) -> $crate::forward::Written);
    };
    (@one set_batch_state $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f set_batch_state(
            id: $crate::forward::BatchId,
            from: $crate::forward::BatchState,
            to: $crate::forward::BatchState
        ) -> bool);
    };
    (@one claim_report $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f claim_report(
            id: $crate::forward::BatchId,
            lease_ms: u64
        ) -> Option<$crate::forward::Batch>);
    };
    (@one reported $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f reported(id: $crate::forward::BatchId, changes: u64) -> ());
    };
    (@one lane $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f lane(
            name: $crate::forward::LaneName
        ) -> $crate::forward::LaneRecord);
    };
    (@one put_lane $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f put_lane(record: $crate::forward::LaneRecord) -> bool);
    };
    (@one permits $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f permits(
            lane: $crate::forward::LaneName,
            want: u32,
            pace: $crate::forward::Pace
        ) -> $crate::forward::Permits);
    };
    (@one rules $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f rules(
            lane: $crate::forward::LaneName
        ) -> Option<($crate::forward::Millis, String)>);
    };
    (@one put_rules $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f put_rules(
            lane: $crate::forward::LaneName,
            text: String
        ) -> ());
    };
    (@one keep_stray $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f keep_stray(
            lane: $crate::forward::LaneName,
            text: String
        ) -> ());
    };
    (@one register $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f register(name: String) -> Option<$crate::forward::Register>);
    };
    (@one registers $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f registers(prefix: String) -> Vec<$crate::forward::Register>);
    };
    (@one put_register $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f put_register(register: $crate::forward::Register) -> bool);
    };
    (@one append_entry $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f append_entry(chain: String, seq: u64, entry: Vec<u8>) -> bool);
    };
    (@one entries $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f entries(chain: String, from: u64, limit: u32) -> Vec<Vec<u8>>);
    };
    (@one entry_count $s:ident $f:tt) => {
        $crate::forward!(@pass $s $f entry_count(chain: String) -> u64);
    }
}
