//! What the provider says it paid, held against what the ledger says we paid: row by row, in both
//! directions.
//!
//! The invariant: *every row that is `paid` was paid exactly once, with its own amount, currency
//! and destination; no other row was paid; and nothing was paid that is nobody's row.*

use domain::{Batch, ChunkId, LedgerId, PayerReference, Payout, ProviderReference, Row, State};
use ledger::{Chunk, Ledger, LedgerError, rows};
use rust_decimal::Decimal;
use sandbox::LedgerEntry;
use std::collections::BTreeMap;

/// Problems that are told one by one; the rest is only counted.
const TOLD_MAX: usize = 20;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rows that were looked at.
    pub rows: u64,
    /// Of these, rows that are paid and were paid exactly once.
    pub paid_once: u64,
    /// How many things are wrong.
    pub wrong: u64,
    /// The first of them, in words.
    pub problems: Vec<String>,
}

impl Verdict {
    fn problem(&mut self, text: String) {
        self.wrong += 1;
        if self.problems.len() < TOLD_MAX {
            self.problems.push(text);
        }
    }
}

/// Payments of the provider by our reference; what is left in the end is nobody's.
type Payments<'a> = BTreeMap<&'a str, Vec<&'a LedgerEntry>>;

/// Compares all batches of a ledger with the whole ledger of the provider.
pub async fn verify(ledger: &dyn Ledger, theirs: &[LedgerEntry]) -> Result<Verdict, LedgerError> {
    let id = ledger.about().await?.id;
    let mut payments = Payments::new();
    for entry in theirs.iter().filter(|entry| entry.paid) {
        payments.entry(&entry.order_id).or_default().push(entry);
    }
    let mut verdict = Verdict::default();
    let mut before = None;
    loop {
        let batches = ledger.batches(before, 100).await?;
        let Some(last) = batches.last() else { break };
        before = Some(last.id);
        for batch in batches.iter().filter(|batch| batch.state.was_sealed()) {
            check_batch(ledger, id, batch, &mut payments, &mut verdict).await?;
        }
    }
    for reference in payments.keys() {
        verdict.problem(format!("the provider paid {reference}, which is no row of ours"));
    }
    Ok(verdict)
}

async fn check_batch(
    ledger: &dyn Ledger,
    id: LedgerId,
    batch: &Batch,
    payments: &mut Payments<'_>,
    verdict: &mut Verdict,
) -> Result<(), LedgerError> {
    for no in 0..batch.chunks {
        let chunk_id = ChunkId { batch: batch.id, no };
        let Some(chunk) = ledger.chunk(chunk_id).await? else {
            verdict.problem(format!("chunk {chunk_id} is missing"));
            continue;
        };
        let last = u16::try_from(chunk.payouts.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let blocks = ledger.blocks(chunk_id, 0, rows::block_of(last)).await?;
        let mut rows = Vec::with_capacity(chunk.payouts.len());
        for block in &blocks {
            rows.extend(rows::decode(block)?);
        }
        if rows.len() != chunk.payouts.len() {
            verdict.problem(format!("chunk {chunk_id} has rows without payouts, or none for some"));
        }
        for (row, payout) in rows.iter().zip(&chunk.payouts) {
            check_row(id, &chunk, row, payout, payments, verdict);
        }
    }
    Ok(())
}

fn check_row(
    id: LedgerId,
    chunk: &Chunk,
    row: &Row,
    payout: &Payout,
    payments: &mut Payments<'_>,
    verdict: &mut Verdict,
) {
    verdict.rows += 1;
    let of = |reference: &PayerReference, attempt| {
        ProviderReference::make(id, reference, attempt, chunk.via_of(payout, attempt).format)
    };
    let paid: Vec<&LedgerEntry> = (1..=payout.attempt.max(1))
        .flat_map(|attempt| {
            payments.remove(of(&row.reference, attempt).as_str()).unwrap_or_default()
        })
        .collect();
    let name = row.reference.as_str();
    match (payout.state, paid.as_slice()) {
        (State::Paid, [entry]) => match difference(row, entry) {
            None => verdict.paid_once += 1,
            Some(what) => verdict.problem(format!("{name}: paid, but {what} differs")),
        },
        (State::Paid, []) => {
            verdict.problem(format!("{name}: paid here, and the provider never paid it"));
        }
        (_, []) => {}
        (_, [_]) if payout.state == State::Review => {}
        (state, [_]) => {
            verdict.problem(format!("{name}: {state} here, and the provider paid it"));
        }
        (_, many) => verdict.problem(format!("{name}: the provider paid it {} times", many.len())),
    }
}

/// What the provider paid otherwise than the row says.
fn difference(row: &Row, entry: &LedgerEntry) -> Option<&'static str> {
    let amount = entry.amount.parse::<Decimal>().ok();
    if amount != Some(row.money.amount()) {
        Some("the amount")
    } else if !entry.currency.eq_ignore_ascii_case(row.money.currency().code()) {
        Some("the currency")
    } else if entry.destination != row.destination.reveal() {
        Some("the destination")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{BatchId, Currencies, Destination, LaneName, Method, Millis, Money};
    use domain::{ReferenceFormat, payout};
    use ledger::Via;
    use sandbox::Status;

    const FORMAT: ReferenceFormat = ReferenceFormat::Text { max_bytes: 36 };

    fn id() -> LedgerId {
        LedgerId::from_random(7)
    }

    fn row(reference: &str) -> Row {
        let eur = Currencies::default().find("EUR").unwrap();
        Row {
            ordinal: 1,
            line: 2,
            reference: PayerReference::new(reference).unwrap(),
            money: Money::parse("12.50", &eur, '.').unwrap(),
            method: Method::Iban,
            destination: Destination::new("DE89370400440532013000".to_owned()),
            fields: BTreeMap::new(),
        }
    }

    fn chunk() -> Chunk {
        Chunk {
            id: ChunkId { batch: BatchId(ulid::Ulid::from_parts(1, 1)), no: 0 },
            first: Via { lane: LaneName::new("main").unwrap(), format: FORMAT },
            second: None,
            first_ordinal: 1,
            payouts: Vec::new(),
        }
    }

    fn entry(reference: &str, amount: &str) -> LedgerEntry {
        let reference = PayerReference::new(reference).unwrap();
        LedgerEntry {
            order_id: ProviderReference::make(id(), &reference, 1, FORMAT).to_string(),
            internal_transaction_id: "1".to_owned(),
            amount: amount.to_owned(),
            currency: "eur".to_owned(),
            destination: "DE89370400440532013000".to_owned(),
            provider: "merchant".to_owned(),
            status: Status::Successful.word().to_owned(),
            paid: true,
            created_ms: 1,
            updated_ms: 2,
            acknowledged: true,
        }
    }

    fn checked(state: State, theirs: &[LedgerEntry]) -> Verdict {
        let mut payments = Payments::new();
        for entry in theirs {
            payments.entry(&entry.order_id).or_default().push(entry);
        }
        let mut verdict = Verdict::default();
        let mut payout = payout::Payout::new(Millis(1), Millis(2));
        payout.state = state;
        check_row(id(), &chunk(), &row("INV-1"), &payout, &mut payments, &mut verdict);
        assert!(payments.is_empty(), "the payment was found by our reference");
        verdict
    }

    #[test]
    fn a_row_that_was_paid_exactly_once_with_its_amount_is_right() {
        let verdict = checked(State::Paid, &[entry("INV-1", "12.50")]);
        assert_eq!((verdict.paid_once, verdict.wrong), (1, 0), "{:?}", verdict.problems);
        assert_eq!(checked(State::Failed, &[]).wrong, 0);
        assert_eq!(checked(State::Review, &[entry("INV-1", "12.50")]).wrong, 0);
    }

    #[test]
    fn whatever_else_was_paid_is_found() {
        let once = entry("INV-1", "12.50");
        assert_eq!(checked(State::Paid, &[once.clone(), once.clone()]).wrong, 1);
        assert_eq!(checked(State::Review, &[once.clone(), once.clone()]).wrong, 1);
        assert_eq!(checked(State::Failed, std::slice::from_ref(&once)).wrong, 1);
        assert_eq!(checked(State::Paid, &[]).wrong, 1);
        assert_eq!(checked(State::Paid, &[entry("INV-1", "12.51")]).wrong, 1);
        let elsewhere = LedgerEntry { destination: "DE02".to_owned(), ..once };
        assert_eq!(checked(State::Paid, &[elsewhere]).wrong, 1);
    }
}
