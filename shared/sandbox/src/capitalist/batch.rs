//! From the text of a batch to its lines: what cannot be read refuses the batch, what cannot be
//! paid is rejected alone.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::answer::{No, Refusal};
use super::code::Code;
use super::config::CapitalistConfig;
use super::currency::Currency;
use super::formats::{BANKS, Destination, Format};
use super::magic::{self, Magic};

/// The longest field; a description is the longest that makes sense.
const FIELD_CHARS_MAX: usize = 255;

/// One record of a batch that was taken; it never changes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// The payment type's word.
    pub(super) kind: Box<str>,
    pub(super) destination: Box<str>,
    pub(super) amount: Decimal,
    pub(super) fee: Decimal,
    pub(super) currency: Currency,
    /// The client's own number.
    pub(super) number: Box<str>,
    pub(super) description: Box<str>,
    /// Why it was rejected at the upload; nothing of it is paid.
    pub(super) rejected: Option<Box<str>>,
}

impl CapitalistConfig {
    /// All lines, or the code that refuses the batch whole.
    pub(super) fn lines(&self, batch: &str) -> Result<Vec<Line>, No> {
        let batch = batch.strip_suffix('\n').unwrap_or(batch);
        if batch.trim().is_empty() {
            return Err(Refusal::of(Code::EMPTY));
        }
        if batch.split('\n').count() > self.records_max {
            return Err(Refusal::of(Code::TOO_MANY));
        }
        let lines: Vec<Line> = batch
            .split('\n')
            .enumerate()
            .map(|(index, text)| self.line(text.strip_suffix('\r').unwrap_or(text), index + 1))
            .collect::<Result<_, _>>()?;
        match lines.iter().find(|line| line.amount.is_zero()) {
            Some(zero) => {
                let code = if lines.len() == 1 { Code::SINGLE } else { Code::ZERO };
                Err(No::Refused(Refusal::new(code, Some(zero.number.to_string()))))
            }
            None => Ok(lines),
        }
    }

    fn line(&self, text: &str, place: usize) -> Result<Line, No> {
        let no = |code, what: &str| Refusal::because(code, format!("line {place}: {what}"));
        if text.chars().any(|char| char.is_control() || matches!(char, '"' | '\u{fffd}')) {
            return Err(no(Code::CHARACTERS, "a character that is not allowed"));
        }
        let fields: Vec<&str> = text.split(';').map(str::trim).collect();
        let field = |place: usize| fields.get(place).copied().unwrap_or_default();
        let format = Format::of(field(0)).ok_or_else(|| no(Code::UNPARSED, "payment type"))?;
        let (least, most) = format.fields;
        if !(least..=most).contains(&fields.len()) {
            return Err(no(Code::UNPARSED, "number of fields"));
        }
        if fields.iter().any(|field| field.chars().count() > FIELD_CHARS_MAX) {
            return Err(no(Code::UNPARSED, "a field is too long"));
        }
        let currency = Currency::of(field(3)).ok_or_else(|| no(Code::UNPARSED, "currency"))?;
        let amount = currency.amount(field(2)).ok_or_else(|| no(Code::UNPARSED, "amount"))?;
        if field(format.number).is_empty() {
            return Err(no(Code::UNPARSED, "payment number"));
        }
        if format.destination == Destination::Wallet && !format.destination.fits(field(1)) {
            return Err(no(Code::ACCOUNT, "beneficiary"));
        }
        let bank = format.bank.map(field);
        Ok(Line {
            kind: format.word.into(),
            destination: field(1).into(),
            amount,
            fee: fee(amount, currency, self.fee_per_mille),
            currency,
            number: field(format.number).into(),
            description: field(format.number + 1).into(),
            rejected: self.rejection(format, field(1), amount, currency, bank).map(Into::into),
        })
    }

    /// Why a record that can be read is not paid.
    fn rejection(
        &self,
        format: &Format,
        destination: &str,
        amount: Decimal,
        currency: Currency,
        bank: Option<&str>,
    ) -> Option<&'static str> {
        if !format.destination.fits(destination) {
            return Some("Invalid beneficiary");
        }
        if !format.currencies.contains(&currency) {
            return Some("Currency is not available for this payment type");
        }
        if bank.is_some_and(|bank| !BANKS.contains(&bank)) {
            return Some("Unknown bank");
        }
        let (least, most) = format.limits.filter(|_| self.limits).unwrap_or((0, u32::MAX));
        if !(Decimal::from(least)..=Decimal::from(most)).contains(&amount) && !amount.is_zero() {
            return Some("Amount is out of limits");
        }
        match magic::of(amount) {
            Magic::Rejected(words) if self.magic => Some(words),
            _ => None,
        }
    }
}

/// The platform's fee, up to the next smallest unit.
pub(super) fn fee(amount: Decimal, currency: Currency, per_mille: u32) -> Decimal {
    let exact = amount * Decimal::from(per_mille) / Decimal::ONE_THOUSAND;
    exact.round_dp_with_strategy(
        currency.places(),
        rust_decimal::RoundingStrategy::ToPositiveInfinity,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(batch: &str) -> Option<u16> {
        let config = CapitalistConfig { records_max: 2, ..CapitalistConfig::default() };
        match config.lines(batch) {
            Err(No::Refused(refusal)) => Some(refusal.code.0),
            _ => None,
        }
    }

    const CARD: &str = "RUCARD;4111111111111111;100.00;RUR;n1;pay;Ivan;Ivanov";

    #[test]
    fn what_cannot_be_read_refuses_the_whole_batch_with_its_code() {
        assert_eq!(code(&format!("{CARD}\n{CARD}\n")), None);
        assert_eq!(code("\n"), Some(132));
        assert_eq!(code(&format!("{CARD}\n{CARD}\n{CARD}")), Some(112));
        assert_eq!(code(&CARD.replace("pay", "\"pay")), Some(111));
        assert_eq!(code(&CARD.replace("100.00", "0.00")), Some(188));
        assert_eq!(code(&format!("{CARD}\n{}", CARD.replace("100.00", "0"))), Some(185));
        assert_eq!(code("CAPITALIST;X1;5.00;RUR;n1;pay"), Some(130));
        for (from, to) in [("RUCARD", "NOSUCH"), ("100.00", "1,5"), ("RUR", "GBP"), ("n1", "")] {
            assert_eq!(code(&CARD.replace(from, to)), Some(125), "{to}");
        }
        assert_eq!(code(&CARD.replace(";Ivanov", "")), Some(125), "a field is missing");
    }

    #[test]
    fn what_cannot_be_paid_is_rejected_alone() {
        let rejected = |line: &str| {
            let lines = CapitalistConfig::default().lines(&format!("{CARD}\n{line}"));
            let lines = lines.map_err(|_| "refused").unwrap();
            assert_eq!(lines[0].rejected, None);
            lines[1].rejected.as_deref().map(str::to_owned)
        };
        assert_eq!(rejected(&CARD.replace("RUR", "RUB")), None, "RUB is RUR in files");
        assert!(rejected(&CARD.replace("1111;", "1112;")).unwrap().contains("beneficiary"));
        assert!(rejected(&CARD.replace("RUR", "USD")).unwrap().contains("Currency"));
        assert!(rejected(&CARD.replace("100.00", "99.99")).unwrap().contains("limits"));
        assert!(rejected(&CARD.replace("100.00", "100.93")).unwrap().contains("not served"));
        let sbp = "SBP;+79161234567;500.00;RUR;NoBank;Ivan;Ivanov;a@b.c;n2;pay";
        assert_eq!(rejected(sbp).as_deref(), Some("Unknown bank"));
        assert_eq!(rejected(&sbp.replace("NoBank", "VTB")), None);
    }
}
