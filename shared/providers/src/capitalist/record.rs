//! A row as one line of a batch, or what is wrong with it. The check at intake and the writing
//! before a send are one function, so that what passes can be sent.

use super::formats::{AMOUNT, CURRENCY, DESTINATION, Field, Format, Formats, NUMBER, rur};
use crate::api::RowProblem;
use domain::{Method, Money, Row, checks};
use rust_decimal::Decimal;

/// What a lane adds to its formats.
#[derive(Clone, Debug)]
pub(super) struct Records {
    pub(super) formats: Formats,
    /// Our codes of the currencies that have a source account.
    pub(super) currencies: Vec<String>,
    /// Stands in where a row has no description.
    pub(super) default_description: Option<String>,
    pub(super) field_chars_max: usize,
}

impl Records {
    /// The line of a row under `number`, without a line break; or everything that is wrong.
    pub(super) fn line(&self, row: &Row, number: &str) -> Result<String, Vec<RowProblem>> {
        let mut problems = Vec::new();
        let code = row.money.currency().code();
        if !self.currencies.iter().any(|known| known == code) {
            let known = self.currencies.join(", ");
            let text = format!("no source account for it on this lane; there are {known}");
            return Err(vec![RowProblem { column: CURRENCY, text }]);
        }
        let format =
            self.formats.of(row).map_err(|(column, text)| vec![RowProblem { column, text }])?;
        let mut fields = vec![format.name.clone()];
        for field in &format.fields {
            match self.field(row, number, *field, format) {
                Ok(text) => fields.push(text),
                Err(text) => {
                    let column = if field.column == NUMBER { "reference" } else { field.column };
                    problems.push(RowProblem { column, text });
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let written = format.fields.iter().zip(fields.iter().skip(1)).rev();
        let spare =
            written.take_while(|(field, text)| field.is_optional && text.is_empty()).count();
        fields.truncate(fields.len() - spare);
        Ok(fields.join(";"))
    }

    fn field(
        &self,
        row: &Row,
        number: &str,
        field: Field,
        format: &Format,
    ) -> Result<String, String> {
        match field.column {
            DESTINATION => destination(row),
            AMOUNT => amount(&row.money, format),
            CURRENCY => Ok(rur(row.money.currency().code()).to_owned()),
            NUMBER => self.text(number),
            column => {
                let fallback = self.default_description.as_deref();
                let fallback = if column == "description" { fallback } else { None };
                match row.field(column).map(str::trim).filter(|t| !t.is_empty()).or(fallback) {
                    Some(text) => self.column(column, text, format),
                    None if field.is_optional => Ok(String::new()),
                    None => Err(format!("required by record type {}", format.name)),
                }
            }
        }
    }

    /// A column of the row, in its own form where it has one.
    fn column(&self, column: &str, text: &str, format: &Format) -> Result<String, String> {
        let text = self.text(text)?;
        if let Some(known) = format.one_of.get(column) {
            let same = |name: &&String| name.to_lowercase() == text.to_lowercase();
            let known_as = known.iter().find(same).cloned();
            return known_as.ok_or_else(|| format!("not known; use one of {}", known.join(", ")));
        }
        let number = || text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u32>().ok());
        let wrong = match column {
            "email" if !text.contains('@') => "an address like name@example.com",
            "expiry_month" if !matches!(number().flatten(), Some(1..=12)) => "a month, 1 to 12",
            "expiry_year" if number().flatten().is_none() => "a year in digits",
            _ => return Ok(text),
        };
        Err(format!("expected {wrong}"))
    }

    /// What may stand in a record at all.
    pub(super) fn text(&self, text: &str) -> Result<String, String> {
        let separates = |c: char| matches!(c, ';' | '"' | '\'' | '\u{2028}' | '\u{2029}');
        let is_lost = |c: char| matches!(c, '\u{fffd}' | '\u{feff}');
        if text.chars().any(|c| separates(c) || c.is_control()) {
            return Err("holds a semicolon, a quote or a line break; take it out".into());
        }
        if text.chars().any(is_lost) {
            return Err("holds a character that was lost in reading; write it anew".into());
        }
        if text.chars().count() > self.field_chars_max {
            return Err(format!("longer than {} characters; shorten it", self.field_chars_max));
        }
        Ok(text.to_owned())
    }
}

/// The destination in canonical form; no such form holds what separates fields.
fn destination(row: &Row) -> Result<String, String> {
    let text = row.destination.reveal();
    let canonical = checks::destination(row.method, text).map_err(|error| error.to_string())?;
    let separates = |c: char| matches!(c, ';' | '"' | '\'');
    if canonical.reveal() != text || (row.method == Method::Wallet && text.contains(separates)) {
        return Err("not in canonical form".into());
    }
    Ok(text.to_owned())
}

fn amount(money: &Money, format: &Format) -> Result<String, String> {
    let code = money.currency().code();
    let amount = exact(money).ok_or("more decimals than the provider takes")?;
    let beyond = |limit: Option<&Decimal>, is: fn(&Decimal, &Decimal) -> bool| {
        limit.filter(|limit| is(&amount, limit)).copied()
    };
    if let Some(min) = beyond(format.min.get(code), |a, b| a < b) {
        return Err(format!("below {min} {code}, the least of record type {}", format.name));
    }
    if let Some(max) = beyond(format.max.get(code), |a, b| a > b) {
        return Err(format!("above {max} {code}, the most of record type {}", format.name));
    }
    Ok(amount.to_string())
}

/// The amount with exactly as many decimals as the provider's currency has: eight for BTC, else
/// two.
pub(super) fn exact(money: &Money) -> Option<Decimal> {
    let mut amount = money.amount();
    amount.rescale(if money.currency().code() == "BTC" { 8 } else { 2 });
    (amount == money.amount()).then_some(amount)
}
