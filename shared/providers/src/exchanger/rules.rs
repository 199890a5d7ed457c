//! What a row must be like: the lane's own rules, and what the site says of its directions.
//!
//! Pure: no key, no network. Before the site's rules are installed only the lane's own are checked;
//! once they are, a direction that they do not have takes no row. The site checks again at the
//! create.

use super::direction::{self, Direction};
use super::html::plain;
use super::php::Php;
use super::settings::Settings;
use crate::api::RowProblem;
use domain::{LaneName, Row};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form in which rules are kept; others are fetched anew.
const VERSION: u32 = 1;
/// Labels and options are shown to people.
const LABEL_CHARS_MAX: usize = 60;

/// What the site says of all directions of a lane.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rules {
    version: u32,
    directions: BTreeMap<u64, Rule>,
}

/// What it says of one.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rule {
    /// Why it cannot be used at all.
    pub(super) closed: Option<String>,
    /// Currency codes.
    pub(super) give: Option<String>,
    pub(super) get: Option<String>,
    min_give: Option<Decimal>,
    max_give: Option<Decimal>,
    min_get: Option<Decimal>,
    max_get: Option<Decimal>,
    fields: Vec<Field>,
}

/// A field of the direction's form.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Field {
    name: String,
    label: String,
    is_required: bool,
    /// Values of a `select`; empty for any.
    options: Vec<String>,
    /// It belongs into the `cd` of a quote.
    cd: bool,
}

impl Rules {
    pub(super) fn new(directions: BTreeMap<u64, Rule>) -> Rules {
        Rules { version: VERSION, directions }
    }

    pub(super) fn write(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| format!("rules cannot be written: {error}"))
    }

    pub(super) fn read(text: &str) -> Result<Rules, String> {
        let rules: Rules =
            serde_json::from_str(text).map_err(|error| format!("rules cannot be read: {error}"))?;
        if rules.version != VERSION {
            return Err(format!("rules of version {}; expected {VERSION}", rules.version));
        }
        Ok(rules)
    }

    pub(super) fn of(&self, direction: u64) -> Option<&Rule> {
        self.directions.get(&direction)
    }
}

impl Rule {
    /// A direction that the API may not use.
    pub(super) fn closed(why: String) -> Rule {
        Rule { closed: Some(why), ..Rule::default() }
    }

    /// Reads `get_direction`.
    pub(super) fn of_site(data: &Php) -> Rule {
        let word = |name: &str| data.text_of(name).map(str::to_owned);
        let lists = ["give_fields", "get_fields", "dir_fields"];
        let fields = lists.iter().filter_map(|list| data.get(list)?.values()).flatten();
        Rule {
            closed: None,
            give: word("currency_code_give"),
            get: word("currency_code_get"),
            // "no" is no amount, and so no limit.
            min_give: data.amount_of("min_give"),
            max_give: data.amount_of("max_give"),
            min_get: data.amount_of("min_get"),
            max_get: data.amount_of("max_get"),
            fields: fields.filter_map(Field::of_site).collect(),
        }
    }

    /// The `cd` of a quote: the fields that a course may depend on, as one value.
    pub(super) fn cd(&self, direction: &Direction, row: &Row) -> Option<String> {
        let mut form = super::wire::Form::new();
        for field in self.fields.iter().filter(|field| field.cd) {
            form = form.maybe(&field.name, direction.value(&field.name, row));
        }
        Some(form.finish()).filter(|text| !text.is_empty())
    }
}

impl Field {
    fn of_site(php: &Php) -> Option<Field> {
        let is_on = |name: &str| php.text_of(name) == Some("1");
        let options = if php.text_of("type") == Some("select") { php.get("options") } else { None };
        // Of a PHP array with keys, the keys are what is sent.
        let options = match options {
            Some(map @ Php::Map(_)) => map.pairs().into_iter().map(|(key, _)| key).collect(),
            Some(list) => {
                let values = list.values().unwrap_or_default();
                values.into_iter().filter_map(|value| value.text().map(str::to_owned)).collect()
            }
            None => Vec::new(),
        };
        let label = plain(php.text_of("label").unwrap_or_default());
        Some(Field {
            name: php.text_of("name")?.to_owned(),
            label: label.chars().take(LABEL_CHARS_MAX).collect(),
            is_required: is_on("req"),
            options,
            cd: is_on("cd"),
        })
    }

    fn problem(&self, direction: &Direction, row: &Row) -> Option<RowProblem> {
        let Field { name, label, .. } = self;
        let column = direction.column(name);
        match (direction.value(name, row), column) {
            (Some(value), column) => {
                let fits = self.options.is_empty() || self.options.iter().any(|o| o == value);
                let text = || format!("the site takes one of: {}", self.options.join(", "));
                (!fits).then(|| RowProblem { column: column.unwrap_or("method"), text: text() })
            }
            (None, _) if !self.is_required => None,
            (None, Some(column)) => Some(RowProblem {
                column,
                text: format!("required by direction {}: {name} ({label})", direction.id),
            }),
            (None, None) => Some(RowProblem {
                column: "method",
                text: format!(
                    "direction {} requires {name} ({label}), and the lane fills it from no column; \
                     set fields = {{ {name} = \"column\" }} for the direction",
                    direction.id
                ),
            }),
        }
    }
}

/// Everything that speaks against a row.
pub(super) fn problems(
    row: &Row,
    lane: &LaneName,
    settings: &Settings,
    rules: Option<&Rules>,
) -> Vec<RowProblem> {
    let Some(direction) = direction::of(&settings.directions, row) else {
        return vec![no_direction(row, settings)];
    };
    let mut problems = Vec::new();
    let mut add = |column, text: String| problems.push(RowProblem { column, text });
    let amount = row.money.amount();
    if let Some(decimals) = direction.decimals
        && amount.normalize().scale() > decimals
    {
        add("amount", format!("more than {decimals} decimals; the direction takes {decimals}"));
    }
    let Some(rules) = rules else { return problems };
    let Some(rule) = rules.of(direction.id) else {
        // The rules are older than the lane's settings.
        add(
            "method",
            format!(
                "the site's rules were not fetched for direction {}; start a worker with the lane's \
             settings of now, or fetch them with `producer provider {lane} rules`",
                direction.id
            ),
        );
        return problems;
    };
    if let Some(why) = &rule.closed {
        add("method", format!("direction {} is closed: {why}", direction.id));
        return problems;
    }
    let (min, max) = if settings.orders_give() {
        (rule.min_give, rule.max_give)
    } else {
        (rule.min_get, rule.max_get)
    };
    let code = &direction.code;
    if let Some(min) = min.filter(|min| amount < *min) {
        add("amount", format!("direction {} takes no less than {min} {code}", direction.id));
    }
    if let Some(max) = max.filter(|max| amount > *max) {
        add("amount", format!("direction {} takes no more than {max} {code}", direction.id));
    }
    problems.extend(rule.fields.iter().filter_map(|field| field.problem(direction, row)));
    problems
}

fn no_direction(row: &Row, settings: &Settings) -> RowProblem {
    let mut currencies = settings.directions.iter().filter(|d| d.method == row.method).peekable();
    if currencies.peek().is_some() {
        let codes: Vec<_> = currencies.map(|direction| direction.currency.as_str()).collect();
        let text = format!("no direction of the lane pays it by {}; ", row.method.name());
        return RowProblem { column: "currency", text: text + "use one of " + &codes.join(", ") };
    }
    let known: Vec<_> = settings.directions.iter().map(|d| d.method.name()).collect();
    let text = format!("no direction of the lane pays this way; use one of {}", known.join(", "));
    RowProblem { column: "method", text }
}
