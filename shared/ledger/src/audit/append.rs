//! The writing side: entries are appended by compare-and-set until one is ours.
//!
//! *Crash before* an append: nothing. *After*: it stands for good. What is told again after a
//! crash stands twice, which is no harm; what must not stand twice asks the chain first.

use super::chain::Chain;
use super::entry::{Entry, Hash, Kind};
use super::head::SignedHead;
use super::key::{PublicKey, SigningKey};
use crate::api::{Ledger, LedgerError};
use crate::register;
use crate::types::Register;
use domain::{BatchId, LaneName};
use serde_json::{Value, json};

/// Rounds of one append. With each of them somebody else's entry was written, so this many in a
/// row mean that something runs wild.
const ROUNDS_MAX: u32 = 1_000;

/// What an entry is to tell.
#[derive(Clone, Debug)]
pub struct What<'a> {
    /// What it tells of.
    pub kind: Kind,
    /// `anna@host`, or the program that did it.
    pub who: &'a str,
    /// What: small, without secrets, destinations masked.
    pub text: Value,
}

/// Appends; gives how many entries the chain has then, and the hash of the last.
pub async fn append(
    ledger: &dyn Ledger,
    chain: &Chain,
    what: &What<'_>,
) -> Result<(u64, Hash), LedgerError> {
    for _ in 0..ROUNDS_MAX {
        let (seq, before) = stands_at(ledger, chain).await?;
        let at_ms = ledger.about().await?.now.0;
        let (kind, who, text) = (what.kind, what.who.to_owned(), what.text.clone());
        let (bytes, hash) = Entry { seq, at_ms, kind, who, text, before }.encode();
        if ledger.append_entry(chain.as_str().to_owned(), seq, bytes).await? {
            return Ok((seq + 1, hash));
        }
    }
    Err(LedgerError::Broken(format!("chain {chain} grew {ROUNDS_MAX} times during one append")))
}

/// How many entries a chain has, and the hash of the last.
pub async fn stands_at(ledger: &dyn Ledger, chain: &Chain) -> Result<(u64, Hash), LedgerError> {
    let count = ledger.entry_count(chain.as_str().to_owned()).await?;
    let Some(last) = count.checked_sub(1) else { return Ok((0, chain.root())) };
    let entry = ledger.entries(chain.as_str().to_owned(), last, 1).await?;
    let entry = entry.first().and_then(|bytes| Entry::decode(bytes));
    let damaged = || {
        LedgerError::Broken(format!(
            "the last entry of audit chain {chain} was changed; run `producer audit verify` and \
             keep a copy of the ledger"
        ))
    };
    entry.map(|(_, hash)| (count, hash)).ok_or_else(damaged)
}

/// A lane's record was given a stop by the program itself. The next head of the lane's chain is
/// signed by whoever writes a result next.
pub async fn note_brake(ledger: &dyn Ledger, lane: &LaneName, who: &str, reason: &str) {
    tell_brake(ledger, &Chain::lane(lane), who, reason).await;
}

/// A batch was paused by the program itself. The next head of its chain is signed by whoever
/// resumes it or writes its result.
pub async fn note_batch_brake(ledger: &dyn Ledger, batch: BatchId, who: &str, reason: &str) {
    tell_brake(ledger, &Chain::batch(batch), who, reason).await;
}

/// What was stopped is stopped already and never waits for the audit, so what keeps the entry from
/// being written is logged.
async fn tell_brake(ledger: &dyn Ledger, chain: &Chain, who: &str, reason: &str) {
    let what = What { kind: Kind::Brake, who, text: json!({ "reason": reason }) };
    if let Err(error) = append(ledger, chain, &what).await {
        tracing::error!(%chain, %error, "stopped, but the audit was not told");
    }
}

/// The register that holds a public key.
fn key_register(fingerprint: &str) -> String {
    format!("audit/key/{fingerprint}")
}

/// Makes a public key known, once: in a register, and in the installation's chain.
pub async fn register_key(
    ledger: &dyn Ledger,
    key: &PublicKey,
    who: &str,
) -> Result<(), LedgerError> {
    let name = key_register(&key.fingerprint());
    if ledger.register(name.clone()).await?.is_some() {
        return Ok(());
    }
    // First the chain: a key that is known was told.
    let text = json!({ "key": key.to_string(), "fingerprint": key.fingerprint() });
    append(ledger, &Chain::installation(), &What { kind: Kind::Key, who, text }).await?;
    ledger.put_register(Register { name, version: 0, text: key.to_string() }).await.map(drop)
}

/// The public key of a fingerprint, if it is known and is that of the fingerprint.
pub async fn known_key(
    ledger: &dyn Ledger,
    fingerprint: &str,
) -> Result<Option<PublicKey>, LedgerError> {
    let register = ledger.register(key_register(fingerprint)).await?;
    let key = register.and_then(|register| register.text.parse::<PublicKey>().ok());
    Ok(key.filter(|key| key.fingerprint() == fingerprint))
}

/// The register that holds the newest head of a chain.
fn head_register(chain: &str) -> String {
    format!("audit/head/{chain}")
}

/// The newest signed head of a chain, as its register tells it.
pub async fn newest_head(
    ledger: &dyn Ledger,
    chain: &Chain,
) -> Result<Option<SignedHead>, LedgerError> {
    Ok(register::read(ledger, head_register(chain.as_str())).await?.1)
}

/// Signs how a chain stands now and records that in the installation's chain, and how *that*
/// stands then; nothing where it was signed so already. Gives the chain's newest head.
pub async fn sign_head(
    ledger: &dyn Ledger,
    chain: &Chain,
    key: &SigningKey,
    who: &str,
) -> Result<Option<SignedHead>, LedgerError> {
    let (count, hash) = stands_at(ledger, chain).await?;
    let newest = newest_head(ledger, chain).await?;
    if count == 0 || newest.as_ref().is_some_and(|head| (head.count, head.hash) == (count, hash)) {
        return Ok(newest);
    }
    register_key(ledger, &key.public(), who).await?;
    let head = SignedHead::new(chain, count, hash, key);
    let text = serde_json::to_value(&head).map_err(|e| LedgerError::Broken(e.to_string()))?;
    let installation = Chain::installation();
    let what = What { kind: Kind::Head, who, text };
    let (entries, last) = append(ledger, &installation, &what).await?;
    keep_head(ledger, chain, &head).await?;
    keep_head(ledger, &installation, &SignedHead::new(&installation, entries, last, key)).await?;
    Ok(Some(head))
}

/// Keeps a head in its register, unless a longer chain stands there.
async fn keep_head(
    ledger: &dyn Ledger,
    chain: &Chain,
    head: &SignedHead,
) -> Result<(), LedgerError> {
    let name = head_register(chain.as_str());
    let text = serde_json::to_string(head).map_err(|e| LedgerError::Broken(e.to_string()))?;
    for _ in 0..ROUNDS_MAX {
        let stands = ledger.register(name.clone()).await?;
        let known = stands.as_ref().and_then(|r| serde_json::from_str::<SignedHead>(&r.text).ok());
        if known.is_some_and(|known| known.count >= head.count) {
            return Ok(());
        }
        let version = stands.map_or(0, |register| register.version);
        let next = Register { name: name.clone(), version, text: text.clone() };
        if ledger.put_register(next).await? {
            return Ok(());
        }
    }
    Err(LedgerError::Broken(format!("register {name} changed {ROUNDS_MAX} times during one write")))
}
