//! The nouns of the ledger: a batch that was taken, and each of its records that is to be paid.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::batch::Line;
use super::currency::Currency;

/// An import as it was taken; it never changes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Import {
    pub(super) id: Box<str>,
    pub(super) at_ms: u64,
    /// Does it wait for `process_batch`?
    pub(super) waits: bool,
    /// The source account of each currency.
    pub(super) sources: BTreeMap<Currency, Box<str>>,
    pub(super) lines: Vec<Line>,
}

/// An import and what became of it as a whole.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) import: Arc<Import>,
    /// The place in the ledger of each line's entry; rejected lines have none.
    pub(super) entries: Vec<Option<usize>>,
    /// When its records began to be paid; `None` while it waits for its code.
    pub(super) started_ms: Option<u64>,
}

/// Where a record stands for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Paid,
    Declined,
}

/// One record that money was promised for.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its place in the ledger, from 0.
    pub(super) seq: usize,
    /// Its batch's place.
    pub(super) batch: usize,
    pub(super) import: Arc<Import>,
    /// Its line's index in the import.
    pub(super) line: usize,
    pub(super) state: State,
    pub(super) updated_ms: u64,
}

/// The platform's words for where a record stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    New,
    /// Waits for the code.
    Ready,
    InProcess,
    Processed,
    Declined,
}

impl Entry {
    pub(super) fn line(&self) -> Option<&Line> {
        self.import.lines.get(self.line)
    }

    /// The account that it is paid from.
    pub(super) fn source(&self) -> &str {
        let source = self.line().and_then(|line| self.import.sources.get(&line.currency));
        source.map_or("", |account| account)
    }
}

impl Stage {
    /// In `get_batch_info`.
    pub(super) fn record_word(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Ready => "READY",
            Self::InProcess => "INPROCESS",
            Self::Processed => "PROCESSED",
            Self::Declined => "DECLINED",
        }
    }

    /// In `documents_search` and in histories.
    pub(super) fn document_word(self) -> &'static str {
        match self {
            Self::New | Self::Ready => "NEW",
            Self::InProcess => "INPROCESS",
            Self::Processed => "EXECUTED",
            Self::Declined => "DECLINED",
        }
    }

    /// For people, in the language of `x-language: en`.
    pub(super) fn localized(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Ready => "Waits for confirmation",
            Self::InProcess => "In process",
            Self::Processed => "Executed",
            Self::Declined => "Declined",
        }
    }
}
