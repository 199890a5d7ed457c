//! Which field of a record is what: a profile laid on the header of one file.
//!
//! Headers are compared without regard to case and surrounding space. Every column that money
//! depends on is either in the file or has a default in the profile; a header that nobody reads
//! refuses the file unless the profile says otherwise, so that a misspelt column is noticed.

use config::{Canonical, ColumnSource, ProfileConfig, error::nearest};
use std::collections::BTreeMap;

/// Columns that we add to a `.rejected.csv`, passed over when the corrected file comes back.
pub const OWN_COLUMNS: [&str; 2] = ["rejected_line", "rejected_reason"];

/// Why a header does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A column is missing.
    #[error(
        "the header has no column \"{header}\" for the {name} (profile \"{profile}\"); found: {found}"
    )]
    Missing {
        /// Our name of it.
        name: String,
        /// The header that was looked for.
        header: String,
        /// The profile that says so.
        profile: String,
        /// The headers of the file.
        found: String,
    },
    /// A header stands there twice.
    #[error("the header names column \"{0}\" twice; columns need different names")]
    Twice(String),
    /// A column that nobody reads.
    #[error(
        "the header has a column \"{found}\" that profile \"{profile}\" does not map{hint}; map it, \
         remove it, or set ignore_unknown_columns = true"
    )]
    Unknown {
        /// The header.
        found: String,
        /// The profile.
        profile: String,
        /// `; did you mean "amount"?`
        hint: String,
    },
    /// No such profile.
    #[error("there is no profile \"{found}\"; profiles: {known}")]
    NoProfile {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// The header line does not end.
    #[error("the header line does not end within 64 KiB; expected one line of column names")]
    TooLong,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// From this field.
    At(usize),
    /// It is the same for all rows.
    Always(String),
}

/// A profile laid on a header.
#[derive(Clone, Debug)]
pub struct Columns {
    /// The profile's name.
    pub profile: String,
    /// The header of the file.
    pub headers: Vec<String>,
    /// Fields that are joined with `-`.
    pub reference: Vec<usize>,
    /// The amount.
    pub amount: Source,
    /// `.` or `,`.
    pub separator: char,
    /// The currency.
    pub currency: Source,
    /// The method.
    pub method: Source,
    /// The destination.
    pub destination: Source,
    /// The lane, where the file or the profile has one.
    pub lane: Option<Source>,
    /// Everything else, by our names.
    pub fields: Vec<(String, Source)>,
}

impl Columns {
    /// Lays `profile` on `headers`.
    pub fn new(
        name: &str,
        profile: &ProfileConfig,
        headers: Vec<String>,
    ) -> Result<Columns, HeaderError> {
        let keys: Vec<String> = headers.iter().map(|header| key(header)).collect();
        for (at, one) in keys.iter().enumerate() {
            if !one.is_empty() && keys[..at].contains(one) {
                return Err(HeaderError::Twice(headers[at].clone()));
            }
        }
        let find = |header: &str| keys.iter().position(|k| *k == key(header));
        let missing = |column: &str, header: &str| HeaderError::Missing {
            name: column.to_owned(),
            header: header.to_owned(),
            profile: name.to_owned(),
            found: headers.join(", "),
        };
        let header_of = |column: &str| match profile.columns.get(column) {
            Some(source) => source.headers().to_vec(),
            None => vec![column.to_owned()],
        };
        let source = |column: &str| {
            let in_file = header_of(column).first().and_then(|header| find(header)).map(Source::At);
            in_file.or_else(|| profile.defaults.get(column).cloned().map(Source::Always))
        };
        let required = |column: &str| {
            source(column).ok_or_else(|| missing(column, &header_of(column).join("\", \"")))
        };
        let reference = header_of("reference")
            .iter()
            .map(|header| find(header).ok_or_else(|| missing("reference", header)))
            .collect::<Result<Vec<_>, _>>()?;
        let others = profile.columns.keys().chain(profile.defaults.keys());
        let fields: BTreeMap<String, Source> = others
            .filter(|column| Canonical::of(column) == Canonical::Field)
            .filter_map(|column| source(column).map(|source| (column.clone(), source)))
            .collect();
        let columns = Columns {
            profile: name.to_owned(),
            reference,
            amount: required("amount")?,
            separator: if profile.decimal_comma { ',' } else { '.' },
            currency: required("currency")?,
            method: required("method")?,
            destination: required("destination")?,
            lane: source("lane"),
            fields: fields.into_iter().collect(),
            headers,
        };
        columns.refuse_unread(profile)?;
        Ok(columns)
    }

    fn refuse_unread(&self, profile: &ProfileConfig) -> Result<(), HeaderError> {
        if profile.ignore_unknown_columns {
            return Ok(());
        }
        let all = [&self.amount, &self.currency, &self.method, &self.destination];
        let all = all.into_iter().chain(&self.lane).chain(self.fields.iter().map(|(_, s)| s));
        let mut read = self.reference.clone();
        read.extend(all.filter_map(|s| if let Source::At(at) = s { Some(*at) } else { None }));
        let unread = |(at, header): &(usize, &String)| {
            // A delimiter at the end of each line makes a column without a name.
            let passed_over = header.is_empty() || OWN_COLUMNS.contains(&header.as_str());
            !read.contains(at) && !passed_over
        };
        let Some((_, header)) = self.headers.iter().enumerate().find(unread) else {
            return Ok(());
        };
        let known = profile.columns.values().flat_map(ColumnSource::headers).map(String::as_str);
        let hint = nearest(header, known)
            .map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
        let profile = self.profile.clone();
        Err(HeaderError::Unknown { found: header.clone(), profile, hint })
    }

    /// The file's name of one of our columns, for messages.
    pub fn header_of(&self, column: &str) -> String {
        let source = match column {
            "reference" => {
                let names: Vec<_> =
                    self.reference.iter().map(|at| self.headers[*at].as_str()).collect();
                return names.join("-");
            }
            "amount" => Some(&self.amount),
            "currency" => Some(&self.currency),
            "method" => Some(&self.method),
            "destination" => Some(&self.destination),
            "lane" => self.lane.as_ref(),
            _ => self.fields.iter().find(|(name, _)| name == column).map(|(_, source)| source),
        };
        match source {
            Some(Source::At(at)) => self.headers[*at].clone(),
            _ => column.to_owned(),
        }
    }
}

/// Whether a file with these headers is one that the profile was made for.
pub fn matches(profile: &ProfileConfig, headers: &[String]) -> bool {
    let has = |wanted: &String| headers.iter().any(|header| key(header) == key(wanted));
    !profile.match_header.is_empty() && profile.match_header.iter().all(has)
}

fn key(header: &str) -> String {
    header.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::Config;

    fn lay(profile: &str, header: &str) -> Result<Columns, HeaderError> {
        let config = Config::default();
        let headers = header.split(';').map(str::to_owned).collect();
        Columns::new(profile, &config.profiles[profile], headers)
    }

    #[test]
    fn headers_are_found_in_any_order_and_case() {
        let columns =
            lay("default", "Amount; CURRENCY;method;destination;reference;bank_name").unwrap();
        assert_eq!(columns.reference, [4]);
        assert_eq!(columns.amount, Source::At(0));
        assert_eq!(columns.fields, [("bank_name".to_owned(), Source::At(5))]);
    }

    #[test]
    fn a_missing_column_is_named_with_what_was_found() {
        let error = lay("default", "reference;amount;method;destination").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the header has no column \"currency\" for the currency (profile \"default\"); found: \
             reference, amount, method, destination"
        );
    }

    #[test]
    fn a_column_that_nobody_reads_refuses_the_file() {
        let header = "reference;amount;currency;method;destination;bank_nmae";
        assert_eq!(
            lay("default", header).unwrap_err().to_string(),
            "the header has a column \"bank_nmae\" that profile \"default\" does not map; did you \
             mean \"bank_name\"?; map it, remove it, or set ignore_unknown_columns = true"
        );
        let again = "reference;amount;currency;method;destination;rejected_line;rejected_reason";
        assert!(lay("default", again).is_ok());
    }

    #[test]
    fn the_same_header_twice_is_refused() {
        let error = lay("default", "reference;amount;Amount;currency").unwrap_err();
        assert_eq!(error, HeaderError::Twice("Amount".to_owned()));
    }

    #[test]
    fn a_reference_may_be_joined_from_columns() {
        let mut profile = Config::default().profiles["default"].clone();
        let joined = ColumnSource::Joined(vec!["invoice".to_owned(), "position".to_owned()]);
        profile.columns.insert("reference".to_owned(), joined);
        let header = "position;invoice;amount;currency;method;destination";
        let headers = header.split(';').map(str::to_owned).collect();
        assert_eq!(Columns::new("p", &profile, headers).unwrap().reference, [1, 0]);
    }
}
