//! The provider's own list against the ledger, asked for by a person (S22).
//!
//! The comparing itself is the crate `reconcile`, which the workers' daily run uses too. What stands
//! here: which period, under which account, and what becomes of a difference. A lane whose provider
//! has no list gets what it can: balance and what was spent, for a person to explain.
//!
//! - [`period`]: from dates to moments; [`show`]: the tables, and the same as JSON

pub mod period;
pub mod show;

use crate::audit::who;
use crate::progress;
use crate::provider::Line;
use crate::provider::account::{self, AccountError};
use ::reconcile::{CompareError, Job, Outcome, Progress, Spent, compare, lane, spent};
use domain::Account;
use ledger::{Ledger, LedgerError};
use providers::{Period, Sheet, Statement};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The question that every provider's desk has.
const BALANCE: &str = "balance";

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A day that is none, or a period that ends before it begins.
    #[error("{0}")]
    Period(String),
    /// Another account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The list, or the ledger.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ReconcileError {
    /// What the ledger said, where it is about the ledger.
    pub fn ledger(&self) -> Option<&LedgerError> {
        match self {
            ReconcileError::Ledger(error)
            | ReconcileError::Account(AccountError::Ledger(error))
            | ReconcileError::Compare(CompareError::Ledger(error)) => Some(error),
            _ => None,
        }
    }
}

/// What was found.
#[derive(Debug)]
pub enum Reconciled {
    /// The provider has a list.
    Compared {
        /// What the comparison found.
        outcome: Box<Outcome>,
        /// The lane has stopped for it now.
        stopped: bool,
    },
    /// It has none: for a person to explain.
    Spent {
        /// What was paid, and what it cost.
        spent: Spent,
        /// What is there, or why that is not known.
        balance: Result<Sheet, String>,
    },
}

/// Compares, and stops the lane for a difference unless it is only to be looked at.
pub async fn run(
    ledger: &dyn Ledger,
    line: &Line,
    period: Period,
    look_only: bool,
) -> Result<Reconciled, ReconcileError> {
    account::check(ledger, line).await?;
    match line.provider.statement() {
        Some(statement) => by_list(ledger, line, statement, period, look_only).await,
        None => {
            let spent = spent(ledger, &line.lane, period).await?;
            Ok(Reconciled::Spent { spent, balance: balance(line).await })
        }
    }
}

async fn by_list(
    ledger: &dyn Ledger,
    line: &Line,
    statement: &dyn Statement,
    period: Period,
    look_only: bool,
) -> Result<Reconciled, ReconcileError> {
    let turns = line.turns();
    let format = line.provider.limits().reference;
    let account = Account::of(line.provider.fingerprint());
    let lane = &line.lane;
    let job = Job { ledger, lane, account, statement, format, period, turns: &*turns };
    let how_far = Arc::new(Progress::default());
    let outcome = progress::of_comparison(&how_far, compare(&job, &how_far)).await?;
    let stopped = !look_only && lane::stop_for(ledger, &line.lane, &who(), &outcome).await?;
    Ok(Reconciled::Compared { outcome: Box::new(outcome), stopped })
}

async fn balance(line: &Line) -> Result<Sheet, String> {
    let desk = line.provider.desk();
    let desk = desk.filter(|desk| desk.questions().iter().any(|q| q.name == BALANCE));
    match desk {
        Some(desk) => desk.ask(BALANCE, &BTreeMap::new()).await,
        None => Err("the provider tells no balance".to_owned()),
    }
}
