//! The check of a result by somebody who has three files and a public key, and nothing else: no
//! ledger, no config, no network. One row of the file is in memory at a time.

use super::hashed::Hashed;
use super::late::LateNews;
use super::seal::{self, Seal};
use super::summary::{CurrencySummary, Sum, Summary, amount_from_text};
use super::{cells, summary};
use crate::audit::trust::{GivenKeyError, given_key};
use domain::State;
use ledger::audit::PublicKey;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest summary: one of a batch in hundreds of currencies is far shorter.
const SUMMARY_BYTES_MAX: u64 = 4 << 20;

/// The endings of the three files.
const ENDINGS: [&str; 3] = [".result.csv", ".summary.json", ".summary.sig"];

/// Why a result is not proved.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Not one of the three.
    #[error(
        "{0} is no result; name a <name>.result.csv, <name>.summary.json or <name>.summary.sig, \
         with the other two beside it"
    )]
    NotAResult(String),
    /// A file is not there.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The key that was given is none.
    #[error(transparent)]
    Key(#[from] GivenKeyError),
    /// A file is not what it should be.
    #[error("{path} is not what was signed: {problem}")]
    Differs {
        /// Which.
        path: String,
        /// How.
        problem: String,
    },
}

/// What is proved.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The summary that was signed.
    pub summary: Summary,
    /// By this key.
    pub key: PublicKey,
    /// The key is the one that was given; otherwise somebody has to compare it.
    pub is_expected: bool,
}

/// The three files.
struct Files {
    result: PathBuf,
    summary: PathBuf,
    signature: PathBuf,
}

/// Checks a result. `key` is a public key, or a file that holds one.
pub fn prove(file: &Path, key: Option<&str>) -> Result<Proof, ProofError> {
    let files = Files::beside(file)?;
    let expected = key.map(given_key).transpose()?;
    let text = read(&files.summary, SUMMARY_BYTES_MAX)?;
    let seal = read(&files.signature, seal::BYTES_MAX)?;
    let seal = String::from_utf8(seal).ok().and_then(|text| Seal::parse(&text));
    let seal = seal.ok_or_else(|| differs(&files.signature, "it is no signature of a result"))?;
    if let Some(expected) = expected.filter(|expected| *expected != seal.key) {
        let problem = format!("it is signed by {}, and not by {expected}", seal.key);
        return Err(differs(&files.signature, problem));
    }
    if !seal.holds(&text) {
        let problem = format!("its signature by {} does not fit", seal.key);
        return Err(differs(&files.summary, problem));
    }
    let summary: Summary = serde_json::from_slice(&text)
        .map_err(|e| differs(&files.summary, format!("it cannot be read: {e}")))?;
    check_rows(&files.result, &summary)?;
    Ok(Proof { summary, key: seal.key, is_expected: expected.is_some() })
}

impl Files {
    fn beside(file: &Path) -> Result<Files, ProofError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let base = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
        let base = base.ok_or_else(|| ProofError::NotAResult(file.display().to_string()))?;
        let [result, summary, signature] =
            ENDINGS.map(|ending| file.with_file_name(format!("{base}{ending}")));
        Ok(Files { result, summary, signature })
    }
}

fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, ProofError> {
    let failed = unreadable(path);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(&failed)?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(&failed)?;
    match u64::try_from(bytes.len()).is_ok_and(|found| found <= bytes_max) {
        true => Ok(bytes),
        false => Err(differs(path, format!("it is longer than {bytes_max} bytes"))),
    }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> ProofError {
    let path = path.display().to_string();
    move |source| ProofError::Unreadable { path: path.clone(), source }
}

fn differs(path: &Path, problem: impl Into<String>) -> ProofError {
    ProofError::Differs { path: path.display().to_string(), problem: problem.into() }
}

/// Reads the rows again: their bytes have the hash, their sums are the summary's, and with the rows
/// that were left out they are all rows of the file.
fn check_rows(path: &Path, summary: &Summary) -> Result<(), ProofError> {
    let result = summary.result.as_ref();
    let result = result.ok_or_else(|| differs(path, "the summary names no result file"))?;
    let file = File::open(path).map_err(unreadable(path))?;
    let mut bytes = Hashed::new(BufReader::new(file));
    let counted = count(path, &mut bytes);
    // What comes behind the last row belongs to the file too.
    std::io::copy(&mut bytes, &mut std::io::sink()).map_err(unreadable(path))?;
    let (_, length, sha256) = bytes.finish();
    if (length, &sha256) != (result.bytes, &result.sha256) {
        let problem = format!(
            "it has {length} bytes with SHA-256 {sha256}; the summary says {} and {}",
            result.bytes, result.sha256
        );
        return Err(differs(path, problem));
    }
    let (rows, found) = counted?;
    compare(path, summary, rows, &found)
}

type Sums = BTreeMap<String, CurrencySummary>;

fn count(path: &Path, bytes: &mut dyn Read) -> Result<(u64, Sums), ProofError> {
    let mut rows = 0;
    let mut sums = Sums::new();
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|e| differs(path, e.to_string()))?.clone();
    if header.iter().ne(cells::HEADER) {
        return Err(differs(path, "its header is not that of a result"));
    }
    let at = |name: &str| header.iter().position(|column| column == name).unwrap_or(usize::MAX);
    let columns = ["amount", "currency", "state", "late_news"].map(at);
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|e| differs(path, e.to_string()))? {
        rows += 1;
        let [amount, currency, state, late] = columns.map(|at| record.get(at).unwrap_or(""));
        let state = State::ALL.into_iter().find(|known| known.name() == state);
        let read = (amount_from_text(amount), state, LateNews::from_name(late));
        let (Some((minor, exponent)), Some(state), Some(late)) = read else {
            return Err(differs(path, format!("row {rows} cannot be read")));
        };
        if !sums.contains_key(currency) {
            let empty = CurrencySummary::with_exponent(exponent);
            sums.insert(currency.to_owned(), empty);
        }
        let Some(sum) = sums.get_mut(currency) else { continue };
        if sum.file.0.exponent != exponent {
            return Err(differs(path, format!("row {rows} has other decimals than the first")));
        }
        sum.file.add(minor);
        sum.add(state, late, minor);
    }
    Ok((rows, sums))
}

fn compare(path: &Path, summary: &Summary, rows: u64, found: &Sums) -> Result<(), ProofError> {
    let said: Vec<_> = summary.currencies.keys().collect();
    if found.keys().ne(said.iter().copied()) {
        return Err(differs(path, "it has other currencies than its summary"));
    }
    for (code, found) in found {
        let Some(said) = summary.currencies.get(code) else { continue };
        if found != said {
            return Err(differs(path, format!("the sums in {code} are not those of its summary")));
        }
        let parts = |sums: &summary::CurrencySummary| {
            let add = |(rows, minor): (u64, i128), (_, sum): (&str, Sum)| {
                (rows + sum.0.rows, minor + sum.0.minor)
            };
            sums.parts().into_iter().fold((0, 0), add)
        };
        if parts(said) != (said.file.0.rows, said.file.0.minor) {
            return Err(differs(path, format!("the columns in {code} do not add up to the file")));
        }
    }
    let all = rows + summary.left_out.rows;
    if all != summary.rows {
        let problem = format!(
            "it has {rows} rows and {} were left out, but the file had {}",
            summary.left_out.rows, summary.rows
        );
        return Err(differs(path, problem));
    }
    Ok(())
}

impl std::fmt::Display for Proof {
    /// One sentence on what is proved, and one on whose key it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Proof { summary, key, is_expected } = self;
        let result = summary.result.as_ref().map_or("", |result| result.file.as_str());
        write!(
            f,
            "proved: {result} is byte for byte what key {} signed about the file \"{}\" (SHA-256 \
             {}), and of its {} rows",
            key.fingerprint(),
            summary.name,
            summary.file_sha256,
            summary.rows
        )?;
        let mut divider = "";
        for (code, sums) in &summary.currencies {
            for (name, sum) in sums.parts().into_iter().filter(|(_, sum)| sum.0.rows > 0) {
                write!(f, "{divider} {} are {name} ({} {code})", sum.0.rows, sum.amount())?;
                divider = ",";
            }
        }
        if summary.left_out.rows > 0 {
            write!(f, "{divider} {} were left out", summary.left_out.rows)?;
        }
        writeln!(f, ".")?;
        match is_expected {
            true => writeln!(f, "The key is the one that you named."),
            false => writeln!(
                f,
                "Compare the key with the one that the payer told you (`producer audit key`), or \
                 name it with --key:\n{key}"
            ),
        }
    }
}
