//! `import_batch_advanced` and `process_batch`: once the book has returned, the money is promised,
//! whatever the client is told.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::{No, Numeral, Refusal, Told};
use super::batch::Line;
use super::book::ImportError;
use super::code::Code;
use super::config::CapitalistConfig;
use super::currency::Currency;
use super::form::Form;
use super::magic::{self, Magic};
use super::office::Office;
use super::operation::Operation;
use super::record::Import;
use super::script::NextCode;
use super::verify::Confirmed;
use crate::clock::{lock, unix_ms};
use crate::dial::Fault;

#[derive(Serialize)]
struct ImportData {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    summary: BTreeMap<&'static str, Numeral>,
    fee: BTreeMap<&'static str, Numeral>,
    #[serde(rename = "nettoSummary")]
    netto: BTreeMap<&'static str, Numeral>,
    errors: Vec<LineError>,
}

#[derive(Serialize)]
struct LineError {
    /// From 1.
    line: Numeral,
    comment: String,
}

#[derive(Serialize)]
struct ConfirmData {
    id: String,
    #[serde(rename = "verificationSuccess")]
    success: u8,
}

/// The code was right; the batch is on its way.
const CONFIRMED: u8 = 1;
/// The code was wrong; the batch still waits.
const WRONG_CODE: u8 = 2;

impl Office {
    pub(super) fn import(&self, form: &Form) -> Result<Told, No> {
        let sources = sources(form)?;
        let order = self.script.take(Operation::ImportBatchAdvanced);
        if let Some(order) = order.as_ref().filter(|order| !order.is_after()) {
            let lines = self.config.lines(form.get("batch")).unwrap_or_default();
            return Err(order.clone().refusal(&lines));
        }
        let confirmed = self.verify(form)?;
        let mut lines = self.config.lines(form.get("batch"))?;
        check_sources(&sources, &lines)?;
        self.check_busy(&lines)?;
        let all = lines.clone();
        if let Some(record) = order.as_ref().and_then(NextCode::record).filter(|r| *r < lines.len())
        {
            lines.remove(record);
        }
        let import = Import {
            id: new_id().into(),
            at_ms: unix_ms(),
            waits: confirmed == Confirmed::Later,
            sources,
            lines,
        };
        let told = self.import_answer(&import)?;
        let batch = lock(&self.book).import(import).map_err(|error| match error {
            ImportError::Funds => Refusal::of(Code::FUNDS),
            ImportError::Write(error) => self.own_fault(&error),
        })?;
        self.settle_later(batch);
        self.fault_after()?;
        match order {
            Some(order) => Err(order.refusal(&all)),
            None if self.dial.strikes(Fault::AnswerMalformed) => Err(No::Torn(told)),
            None => Ok(told),
        }
    }

    /// The first batch that holds a number with these cents is refused before it is read.
    fn check_busy(&self, lines: &[Line]) -> Result<(), No> {
        if !self.config.magic {
            return Ok(());
        }
        let mut busy = lock(&self.busy);
        let asked = lines.iter().filter(|line| magic::of(line.amount) == Magic::BusyOnce);
        let new = asked.filter(|line| busy.insert(line.number.clone())).count();
        if new == 0 { Ok(()) } else { Err(Refusal::because(Code::RUN_TIME, "try again later")) }
    }

    fn import_answer(&self, import: &Import) -> Result<Told, No> {
        let config = &self.config;
        let taken = |currency| {
            let lines = import.lines.iter().filter(|line| line.rejected.is_none());
            lines.filter(move |line| line.currency == currency)
        };
        let of_each = |value: &dyn Fn(Currency) -> rust_decimal::Decimal| {
            let each = Currency::ALL.into_iter();
            each.map(|c| (c.word(), config.amount(c, value(c)))).collect::<BTreeMap<_, _>>()
        };
        let rejected: Vec<(usize, &str)> = import
            .lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| Some((index + 1, line.rejected.as_deref()?)))
            .collect();
        let is_incomplete = self.dial.strikes(Fault::AnswerIncomplete);
        let data = ImportData {
            id: (!is_incomplete).then(|| import.id.to_string()),
            summary: of_each(&|c| taken(c).map(|line| line.amount + line.fee).sum()),
            fee: of_each(&|c| taken(c).map(|line| line.fee).sum()),
            netto: of_each(&|c| taken(c).map(|line| line.amount).sum()),
            errors: rejected
                .iter()
                .map(|(line, comment)| LineError {
                    line: config.count(*line),
                    comment: (*comment).to_owned(),
                })
                .collect(),
        };
        let mut lines = vec![vec![data.id.clone().unwrap_or_default()]];
        lines.extend(rejected.iter().map(|(line, why)| vec![line.to_string(), (*why).to_owned()]));
        Told::new(&data, lines)
    }

    /// `process_batch`: the code that a person read off a telephone.
    pub(super) fn process(&self, form: &Form) -> Result<Told, No> {
        let order = self.script.take(Operation::ProcessBatch);
        if let Some(order) = order.as_ref().filter(|order| !order.is_after()) {
            return Err(order.clone().refusal(&[]));
        }
        if form.get("verification_type") != "MOBILE" {
            return Err(Refusal::of(Code::METHOD));
        }
        let id = form.get("batch_id");
        let place = lock(&self.book).picture().batch_place(id);
        let place = place.ok_or_else(no_batch)?;
        let is_right = form.get("verification_data") == self.config.sms_code;
        if is_right {
            let started = lock(&self.book).confirm(place, unix_ms());
            if !started.map_err(|error| self.own_fault(&error))? {
                return Err(Refusal::because(Code::RUN_TIME, "the batch does not wait"));
            }
            self.settle_later(place);
        }
        self.fault_after()?;
        if let Some(order) = order {
            return Err(order.refusal(&[]));
        }
        let success = if is_right { CONFIRMED } else { WRONG_CODE };
        let data = ConfirmData { id: id.to_owned(), success };
        let told = Told::new(&data, vec![vec![data.id.clone(), success.to_string()]])?;
        if self.dial.strikes(Fault::AnswerMalformed) { Err(No::Torn(told)) } else { Ok(told) }
    }
}

/// Nobody says how the platform answers for a batch that it does not know.
pub(super) fn no_batch() -> No {
    Refusal::because(Code::RUN_TIME, "the batch was not found")
}

/// The source accounts that the call names: checked before the batch is read.
fn sources(form: &Form) -> Result<BTreeMap<Currency, Box<str>>, No> {
    let named = |currency: Currency| {
        let account = form.get(match currency {
            Currency::Rur => "account_RUR",
            Currency::Usd => "account_USD",
            Currency::Eur => "account_EUR",
            Currency::Btc => "account_BTC",
        });
        (!account.is_empty()).then(|| (currency, account.into()))
    };
    let sources: BTreeMap<_, _> = Currency::ALL.into_iter().filter_map(named).collect();
    if sources.is_empty() { Err(Refusal::of(Code::NO_SOURCE)) } else { Ok(sources) }
}

/// Each account named is ours, and each record's currency has one.
fn check_sources(sources: &BTreeMap<Currency, Box<str>>, lines: &[Line]) -> Result<(), No> {
    let mut named = sources.iter();
    let are_ours =
        named.all(|(currency, account)| **account == *CapitalistConfig::account(*currency));
    let all_paid = lines.iter().all(|line| sources.contains_key(&line.currency));
    if are_ours && all_paid { Ok(()) } else { Err(Refusal::of(Code::ACCOUNT)) }
}

/// A random UUID, version 4.
fn new_id() -> String {
    let mut bytes = rand::random::<[u8; 16]>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_id_is_a_uuid_of_version_4() {
        let id = new_id();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]));
        assert_ne!(new_id(), id);
    }
}
