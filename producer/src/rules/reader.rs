//! A record becomes a row on a lane, or a list of everything that is wrong with it.
//!
//! The only place that validates: what passes here is reserved, placed and paid as it stands.

use super::columns::{Columns, Source};
use super::fetched::{Lacking, LacksRules};
use super::problem::{Problem, shown};
use super::{Rules, Way};
use crate::file::records::{MAX_COLUMNS, MAX_FIELD, MAX_RECORD};
use crate::file::{Flaw, Record};
use domain::row::{NotAMethod, mask};
use domain::{Currency, LaneName, Method, Money, PayerReference, ReferenceKey, Row, checks};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest further field, in bytes of UTF-8.
pub const MAX_TEXT: usize = 2_000;

/// A row that may be paid, if nobody holds its reference.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Where it goes.
    pub way: Way,
    /// The row.
    pub row: Row,
    /// Its reference's key.
    pub key: ReferenceKey,
}

/// Reads the rows of one file.
pub struct RowReader {
    rules: Arc<Rules>,
    columns: Columns,
    /// `--lane`.
    lane: Option<usize>,
    /// The currency of the last row: files rarely change it.
    last_currency: Option<(String, Currency)>,
    joined: String,
    /// The amount of the last row, if it could be read.
    amount: Option<Money>,
    /// Lanes that take no rows now, and the first one that a row was for.
    lacking: Lacking,
    lacks: Option<usize>,
}

impl RowReader {
    /// Reads records laid out as `columns`; rows without a lane of their own go to `lane`, or by
    /// the routes.
    pub fn new(
        rules: Arc<Rules>,
        columns: Columns,
        lane: Option<usize>,
        lacking: Lacking,
    ) -> RowReader {
        let (last_currency, joined, amount, lacks) = (None, String::new(), None, None);
        RowReader { rules, columns, lane, last_currency, joined, amount, lacking, lacks }
    }

    /// A row was for a lane that takes none now: the file cannot be judged.
    pub fn lacks_rules(&self) -> Option<&LacksRules> {
        self.lacking.get(&self.lacks?)
    }

    /// The amount of the row that was read last, where it could be read: a row that is left out
    /// counts with it.
    pub fn amount(&self) -> Option<&Money> {
        self.amount.as_ref()
    }

    /// The layout.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Reads row number `ordinal`.
    pub fn read(&mut self, record: &Record<'_>, ordinal: u32) -> Result<Candidate, Vec<Problem>> {
        self.amount = None;
        if let Some(problem) = self.flaw(record) {
            return Err(vec![problem]);
        }
        let mut problems = Vec::new();
        let reference = self.reference(record, &mut problems);
        let method = self.method(record, &mut problems);
        let money = self.money(record, &mut problems);
        let destination = method.and_then(|method| {
            let text = value(&self.columns.destination, record);
            let found = checks::destination(method, text);
            found
                .map_err(|e| problems.push(self.hidden(record, "destination", text, e.to_string())))
                .ok()
        });
        let fields = self.fields(record, &mut problems);
        self.amount.clone_from(&money);
        let way = match (method, &money) {
            (Some(method), Some(money)) => self.way_of(record, method, money, &mut problems),
            _ => None,
        };
        if let Some(way) = way.filter(|way| self.lacking.contains_key(&way.lane)) {
            self.lacks = Some(way.lane);
            return Err(problems);
        }
        let (Some(reference), Some(money), Some(method), Some(destination), Some(mut way)) =
            (reference, money, method, destination, way)
        else {
            return Err(problems);
        };
        let key = reference.key();
        let row = Row { ordinal, line: record.line, reference, money, method, destination, fields };
        self.ask_provider(record, way.lane, &row, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        way.failover = way.failover.filter(|lane| self.may_take_over(record, *lane, &row));
        Ok(Candidate { way, row, key })
    }

    /// Whether a lane could pay what another one refuses. A row that it cannot pay has no second
    /// lane, and is as good as any other.
    fn may_take_over(&self, record: &Record<'_>, lane: usize, row: &Row) -> bool {
        let mut problems = Vec::new();
        self.ask_provider(record, lane, row, &mut problems);
        problems.is_empty() && !self.lacking.contains_key(&lane)
    }

    /// What makes the record unusable as a whole.
    fn flaw(&self, record: &Record<'_>) -> Option<Problem> {
        let columns = self.columns.headers.len();
        let text = match record.flaw {
            Some(Flaw::TooLong { field }) => {
                let text = format!(
                    "the field or its row is too long; at most {} KiB a field and {} KiB a row are \
                     read. A quote that is not closed looks the same",
                    MAX_FIELD >> 10,
                    MAX_RECORD >> 10
                );
                let column = self.columns.headers.get(field).cloned().unwrap_or_default();
                return Some(Problem { column, ..Problem::of_row(record.line, text) });
            }
            Some(Flaw::TooManyColumns) => {
                format!("the row has more than {MAX_COLUMNS} fields, the header has {columns}")
            }
            Some(Flaw::OpenQuote) => {
                "the file ends inside quotes; close the quote or double it (\"\")".to_owned()
            }
            Some(Flaw::NotText) => "the row is not text; export the file as UTF-8".to_owned(),
            None if record.len() < columns => format!(
                "the row has {}, the header has {columns}; a field is missing",
                count(record.len())
            ),
            None if record.len() > columns => format!(
                "the row has {}, the header has {columns}; a field that contains the delimiter \
                 must stand in quotes",
                count(record.len())
            ),
            None => return None,
        };
        Some(Problem::of_row(record.line, text))
    }

    fn reference(&mut self, record: &Record<'_>, to: &mut Vec<Problem>) -> Option<PayerReference> {
        let found = match self.columns.reference.as_slice() {
            [at] => PayerReference::new(record.field(*at)),
            parts => {
                // A reference with an empty part would not be the row's own.
                self.joined.clear();
                for (n, at) in parts.iter().enumerate() {
                    let part = record.field(*at).trim();
                    if part.is_empty() {
                        self.joined.clear();
                        break;
                    }
                    self.joined.push_str(if n > 0 { "-" } else { "" });
                    self.joined.push_str(part);
                }
                PayerReference::new(&self.joined)
            }
        };
        let text = self.columns.reference.first().map_or("", |at| record.field(*at));
        found.map_err(|e| to.push(self.problem(record, "reference", text, e.to_string()))).ok()
    }

    fn method(&self, record: &Record<'_>, to: &mut Vec<Problem>) -> Option<Method> {
        let text = value(&self.columns.method, record);
        let found: Result<Method, NotAMethod> = text.parse();
        found.map_err(|e| to.push(self.problem(record, "method", text, e.to_string()))).ok()
    }

    fn money(&mut self, record: &Record<'_>, to: &mut Vec<Problem>) -> Option<Money> {
        let text = value(&self.columns.currency, record);
        let is_known = self.last_currency.as_ref().is_some_and(|(known, _)| known == text);
        if !is_known {
            match self.rules.currencies.find(text) {
                Ok(found) => self.last_currency = Some((text.to_owned(), found)),
                Err(e) => {
                    to.push(self.problem(record, "currency", text, e.to_string()));
                    return None;
                }
            }
        }
        let (_, currency) = self.last_currency.as_ref()?;
        let text = value(&self.columns.amount, record);
        match Money::parse(text, currency, self.columns.separator) {
            Ok(money) => Some(money),
            Err(e) => {
                to.push(self.problem(record, "amount", text, e.to_string()));
                None
            }
        }
    }

    fn fields(&self, record: &Record<'_>, to: &mut Vec<Problem>) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        for (name, source) in &self.columns.fields {
            let text = value(source, record).trim();
            let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            if text.is_empty() {
                continue;
            } else if text.len() > MAX_TEXT {
                let words = format!("has {} bytes; at most {MAX_TEXT} are allowed", text.len());
                to.push(self.problem(record, name, text, words));
            } else if text.contains(control) {
                let words = "contains a control character; use printable characters only";
                to.push(self.problem(record, name, text, words.to_owned()));
            } else if text.contains('\r') {
                // Inside a field a line break is one, whatever the file ends its lines with.
                let text = text.replace("\r\n", "\n").replace('\r', "\n");
                fields.insert(name.clone(), text);
            } else {
                fields.insert(name.clone(), text.to_owned());
            }
        }
        fields
    }

    /// From the lane column, from `--lane`, or by the routes, in this order. Only a route knows of a
    /// second lane: who names one means that one.
    fn way_of(
        &self,
        record: &Record<'_>,
        method: Method,
        money: &Money,
        to: &mut Vec<Problem>,
    ) -> Option<Way> {
        let named = self.columns.lane.as_ref().map_or("", |source| value(source, record).trim());
        if !named.is_empty() {
            let found = self.rules.lane(named);
            if found.is_none() {
                let words = format!("there is no such lane; lanes: {}", self.rules.lane_names());
                let words = LaneName::new(named).map_or_else(|e| e.to_string(), |_| words);
                to.push(self.problem(record, "lane", named, words));
            }
            return found.map(Way::only);
        }
        let code = money.currency().code();
        let found = self.lane.map(Way::only).or_else(|| self.rules.route(method, code));
        if found.is_none() {
            let words = format!(
                "no route takes method {} in {code}; add one to [[routes]], a lane column, or --lane",
                method.name()
            );
            to.push(self.problem(record, "lane", "", words));
        }
        found
    }

    /// The provider's own rules.
    fn ask_provider(&self, record: &Record<'_>, lane: usize, row: &Row, to: &mut Vec<Problem>) {
        let lane = &self.rules.lanes[lane];
        let methods = lane.provider.limits().methods;
        if !methods.contains(&row.method) {
            let names: Vec<_> = methods.iter().map(|method| method.name()).collect();
            let words = format!(
                "lane {} does not pay by {}; it pays by {}",
                lane.name,
                row.method.name(),
                names.join(", ")
            );
            to.push(self.problem(record, "method", row.method.name(), words));
            return;
        }
        if let Some(words) = lane.refuses(&row.money) {
            let amount = row.money.amount().to_string();
            to.push(self.problem(record, "amount", &amount, words));
        }
        for problem in lane.provider.validate(row) {
            let text = match problem.column {
                "destination" => mask(row.destination.reveal()),
                "amount" => row.money.amount().to_string(),
                "reference" => shown(row.reference.as_str()),
                "currency" => row.money.currency().code().to_owned(),
                "method" => row.method.name().to_owned(),
                name => shown(row.field(name).unwrap_or("")),
            };
            to.push(Problem {
                line: record.line,
                column: self.columns.header_of(problem.column),
                value: text,
                text: problem.text,
            });
        }
    }

    fn problem(&self, record: &Record<'_>, column: &str, value: &str, text: String) -> Problem {
        let column = self.columns.header_of(column);
        Problem { line: record.line, column, value: shown(value), text }
    }

    /// A problem with a value that is masked however short it is.
    fn hidden(&self, record: &Record<'_>, column: &str, value: &str, text: String) -> Problem {
        let value = value.trim();
        let value = if value.is_empty() { String::new() } else { mask(value) };
        Problem { value, ..self.problem(record, column, "", text) }
    }
}

fn value<'a>(source: &'a Source, record: &Record<'a>) -> &'a str {
    match source {
        Source::At(at) => record.field(*at),
        Source::Always(text) => text,
    }
}

fn count(fields: usize) -> String {
    if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") }
}
