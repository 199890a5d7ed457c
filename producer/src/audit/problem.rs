//! What can be wrong, in words for people.

use domain::{BatchId, ChunkId};
use ledger::audit::{Finding, PublicKey};
use std::fmt;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// With a chain.
    Chain(Finding),
    /// A batch has payouts and no intake was told.
    NoIntake(BatchId),
    /// The ledger's record of a batch differs from its intake.
    Batch(BatchId),
    /// Payouts of a chunk are not those that were told.
    Payouts(ChunkId),
    /// A settled chunk was never told, though its batch has its result.
    NotTold(ChunkId),
    /// A chain tells of a batch that the ledger does not have.
    NoBatch(BatchId),
    /// A chain that must end in a signed head does not: entries at its end are nobody's word.
    NotSigned(String),
    /// Keys were named, and none of them stands for anything here, though there are batches.
    NothingSigned,
    /// A batch is over for long, and no signed head covers what became of it.
    NeverSigned(BatchId),
    /// It signed, and is none of the keys that count.
    StrangeKey(PublicKey),
    /// A register that holds a head or a key cannot be read.
    Register(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Chain(finding) => finding.fmt(f),
            Problem::NoIntake(batch) => {
                write!(f, "batch {batch}: it has payouts, but its chain tells of no intake")
            }
            Problem::Batch(batch) => {
                write!(f, "batch {batch}: its file hash or totals are not those of its intake")
            }
            Problem::Payouts(chunk) => write!(
                f,
                "batch {}: payouts of chunk {} are not those that were told when it settled, and no \
                 entry explains why",
                chunk.batch, chunk.no
            ),
            Problem::NotTold(chunk) => write!(
                f,
                "batch {}: nothing was told of chunk {}, though the batch has its result",
                chunk.batch, chunk.no
            ),
            Problem::NoBatch(batch) => {
                write!(f, "batch {batch}: its chain is there, and the batch is not")
            }
            Problem::NotSigned(chain) => write!(
                f,
                "{chain}: no signed head covers it to its end; the head was taken away, or the end \
                 was written by somebody without a key"
            ),
            Problem::NothingSigned => f.write_str(
                "installation: no key that you named signed how its chain stands, though the \
                 ledger has batches: the signed heads were taken away, or everything was written \
                 by somebody without a key. Only in the moment after the very first intake is this \
                 as it must be",
            ),
            Problem::NeverSigned(batch) => write!(
                f,
                "batch {batch}: it is over for more than a day, and no signed head covers what \
                 became of it: its result was not written since (does `producer watch` or `worker \
                 up` run?), or the head was taken away"
            ),
            Problem::StrangeKey(key) => write!(
                f,
                "signed by a key that only this ledger vouches for: {key}; it is none of those that \
                 you named. Whoever can write to the ledger can put a key of his own there. If it \
                 is that of another machine of yours (`producer audit key` prints it there), name \
                 it with --key as well"
            ),
            Problem::Register(name) => write!(f, "register {name} was changed"),
        }
    }
}

/// What to do about any of it.
pub const TO_DO: &str = "Stop the lanes (`producer lane stop`), keep a copy of the ledger as it is, \
and compare with the signed results that you have sent and with the provider's own list \
(`producer provider LANE`). Do not pay from this ledger before it is explained.";
