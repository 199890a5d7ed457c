//! Questions to a provider's [`Desk`]: what was typed becomes a question with its parameters,
//! all known and the required ones there, or words on what would be accepted.

use super::Line;
use super::account::{self, AccountError};
use super::act::Act;
use config::error::nearest;
use domain::LaneName;
use domain::row::mask;
use ledger::{Ledger, LedgerError};
use providers::{Desk, Parameter, Provider, Question, Sheet};
use std::collections::BTreeMap;

/// A parameter's value is no longer, in bytes.
const VALUE_BYTES_MAX: usize = 1_000;

/// Why a question was not asked, or not answered.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Nothing can be asked.
    #[error("the provider of lane {0} can be asked nothing")]
    NoDesk(LaneName),
    /// No such question.
    #[error(
        "the provider of lane {lane} cannot be asked \"{found}\"{hint}; it can be asked: {known}"
    )]
    NoQuestion {
        /// The lane.
        lane: LaneName,
        /// What was asked.
        found: String,
        /// `; did you mean "balance"?`
        hint: String,
        /// What can be asked.
        known: String,
    },
    /// A parameter is wrong or missing.
    #[error("{question}: {problem}; {takes}")]
    Parameter {
        /// The question.
        question: &'static str,
        /// What is wrong.
        problem: String,
        /// What the question takes.
        takes: String,
    },
    /// The provider did not answer it.
    #[error("the provider did not answer {question}: {problem}")]
    Unanswered {
        /// The question.
        question: &'static str,
        /// Why.
        problem: String,
    },
    /// Another account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The provider's desk.
pub fn desk<'a>(lane: &LaneName, provider: &'a dyn Provider) -> Result<&'a dyn Desk, DeskError> {
    provider.desk().ok_or_else(|| DeskError::NoDesk(lane.clone()))
}

/// Finds a question by its name.
pub fn question(
    lane: &LaneName,
    provider: &dyn Provider,
    name: &str,
) -> Result<Question, DeskError> {
    let all = desk(lane, provider)?.questions();
    if let Some(question) = all.iter().find(|question| question.name == name) {
        return Ok(*question);
    }
    let names = || all.iter().map(|question| question.name);
    Err(DeskError::NoQuestion {
        lane: lane.clone(),
        found: name.chars().take(64).collect(),
        hint: did_you_mean(name, names().chain(ALWAYS)),
        known: names().collect::<Vec<_>>().join(", "),
    })
}

/// What every lane can be asked beside the desk's own questions.
pub const ALWAYS: [&str; 3] = ["look-up", "cancel", "rules"];

/// Reads `KEY=VALUE` pairs as the parameters of a question.
pub fn parameters(
    question: &Question,
    typed: &[String],
) -> Result<BTreeMap<String, String>, DeskError> {
    let wrong = |problem: String| DeskError::Parameter {
        question: question.name,
        problem,
        takes: takes(question.parameters),
    };
    let mut given = BTreeMap::new();
    for pair in typed {
        // What was typed without a key is not repeated: it may be a code or an account.
        let (key, value) =
            pair.split_once('=').ok_or_else(|| wrong("a parameter is written KEY=VALUE".into()))?;
        let (key, value) = (key.trim(), value.trim());
        if !question.parameters.iter().any(|parameter| parameter.name == key) {
            let hint = did_you_mean(key, question.parameters.iter().map(|p| p.name));
            let key: String = key.chars().take(64).collect();
            return Err(wrong(format!("there is no parameter \"{key}\"{hint}")));
        }
        if value.is_empty() || value.len() > VALUE_BYTES_MAX {
            return Err(wrong(format!("{key} has 1 to {VALUE_BYTES_MAX} bytes")));
        }
        if given.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(wrong(format!("{key} is given twice")));
        }
    }
    let missing = |p: &&Parameter| p.required && !given.contains_key(p.name);
    match question.parameters.iter().find(missing) {
        Some(p) => Err(wrong(format!("{} is missing ({})", p.name, p.about))),
        None => Ok(given),
    }
}

fn takes(parameters: &[Parameter]) -> String {
    let one = |p: &Parameter| {
        if p.required { format!("{}=… (required)", p.name) } else { format!("{}=…", p.name) }
    };
    match parameters {
        [] => "it takes no parameters".to_owned(),
        some => format!("it takes: {}", some.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}

fn did_you_mean(found: &str, names: impl Iterator<Item = &'static str>) -> String {
    nearest(found, names).map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"))
}

/// Asks. What acts is announced first, and only under the pool's account.
pub async fn ask(
    ledger: &dyn Ledger,
    line: &Line,
    question: &Question,
    given: &BTreeMap<String, String>,
) -> Result<Sheet, DeskError> {
    let desk = desk(&line.lane, &*line.provider)?;
    let unanswered = |problem| DeskError::Unanswered { question: question.name, problem };
    if !question.acts {
        return desk.ask(question.name, given).await.map_err(unanswered);
    }
    account::check_if_served(ledger, line).await?;
    let act = Act::begin(ledger, &line.lane, noted(question, given)).await?;
    let answer = desk.ask(question.name, given).await;
    // The provider's words may repeat what was typed; the note says only whether it answered.
    act.end(if answer.is_ok() { "answered" } else { "not answered" }).await;
    answer.map_err(unanswered)
}

/// What names the provider's record that an act is about.
const NAMES_A_RECORD: [&str; 2] = ["hash", "id"];

/// An act as its note has it: the names of what was typed, and of which record it was. That one
/// stands with its ends, which find it again among the ids that are kept: who knows the hash of an
/// order whole may act on it, and what was typed by mistake may be an account.
fn noted(question: &Question, given: &BTreeMap<String, String>) -> String {
    let one = |(key, value): (&String, &String)| match key.as_str() {
        name if NAMES_A_RECORD.contains(&name) => format!("{name} {}", mask(value)),
        name => name.to_owned(),
    };
    format!("{} ({})", question.name, given.iter().map(one).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUCCESS: Question = Question {
        name: "success",
        about: "marks an order completed",
        operation: "success_bid",
        parameters: &[
            Parameter { name: "hash", about: "the order", required: true },
            Parameter { name: "account", about: "where to", required: false },
        ],
        acts: true,
    };

    #[test]
    fn an_act_is_noted_with_the_record_that_it_was_about_and_no_account() {
        let typed = ["hash=b81hx7Kq0PzW3nTd".to_owned(), "account=4111111111111111".to_owned()];
        let given = parameters(&SUCCESS, &typed).unwrap();
        assert_eq!(noted(&SUCCESS, &given), "success (account, hash b81h…3nTd)");
    }

    const HISTORY: Question = Question {
        name: "history",
        about: "payments of a time",
        operation: "getHistory",
        parameters: &[
            Parameter { name: "from", about: "first day, YYYY-MM-DD", required: true },
            Parameter { name: "to", about: "last day; today if left out", required: false },
        ],
        acts: false,
    };

    fn read(typed: &[&str]) -> Result<BTreeMap<String, String>, String> {
        let typed: Vec<String> = typed.iter().map(|t| (*t).to_owned()).collect();
        parameters(&HISTORY, &typed).map_err(|e| e.to_string())
    }

    #[test]
    fn parameters_are_read_once_each() {
        let given = read(&["to=2026-01-02", "from=2026-01-01=x"]).unwrap();
        assert_eq!(given["from"], "2026-01-01=x");
        assert_eq!(given.len(), 2);
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        let takes = "it takes: from=… (required), to=…";
        for (typed, words) in [
            (vec![], "from is missing (first day, YYYY-MM-DD)"),
            (vec!["form=1"], "there is no parameter \"form\"; did you mean \"from\"?"),
            (vec!["from=1", "from=2"], "from is given twice"),
            (vec!["from="], "from has 1 to 1000 bytes"),
            (vec!["4111111111111111"], "a parameter is written KEY=VALUE"),
        ] {
            assert_eq!(read(&typed).unwrap_err(), format!("history: {words}; {takes}"));
        }
    }
}
