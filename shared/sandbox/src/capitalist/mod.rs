//! Capitalist: a whole batch in one call, read back by pages; no callbacks.
//!
//! | file | idea |
//! |---|---|
//! | `config`, `code` | behaviour that is chosen at the start; the document's error codes |
//! | `operation`, `form`, `answer` | a call's name and fields; its answer as JSON or CSV |
//! | `keys`, `access`, `verify` | who calls, and who confirms |
//! | `currency`, `formats`, `batch`, `magic` | from a batch's text to its lines |
//! | `record`, `picture`, `book` | the ledger: nouns, memory, file |
//! | `office` | what runs, and what stands before every call |
//! | `import`, `pages`, `search`, `history`, `account` | the operations |
//! | `settle`, `day`, `script` | what time does; days in Moscow; codes to order |

mod access;
mod account;
mod answer;
mod batch;
mod book;
mod code;
mod config;
mod currency;
mod day;
mod form;
mod formats;
mod history;
mod import;
mod keys;
mod magic;
mod office;
mod operation;
mod pages;
mod picture;
mod record;
mod script;
mod search;
mod settle;
mod verify;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use tokio::task::JoinSet;

pub use config::{
    CAPITALIST_ACCOUNT_BTC, CAPITALIST_ACCOUNT_EUR, CAPITALIST_ACCOUNT_RUR, CAPITALIST_ACCOUNT_USD,
    CAPITALIST_LOGIN, CAPITALIST_PASSWORD, CAPITALIST_PIN, CAPITALIST_SMS_CODE, CapitalistConfig,
    CapitalistNumbers, CapitalistPosition,
};
pub use office::CapitalistError;

use crate::clock::lock;
use crate::counters::CountersSnapshot;
use crate::dial::Dial;
use crate::server::{BodyError, Call, Reply};
use crate::venue::{LedgerEntry, Venue};
use answer::{Format, No, Refusal, Told, reply};
use code::Code;
use form::Form;
use office::Office;
use operation::Operation;
use record::{Entry, State};

/// The first part of its paths.
const NAME: &str = "capitalist";

pub(crate) struct Capitalist(Arc<Office>);

impl Capitalist {
    /// Reads the ledger back and takes up its promises.
    pub(crate) fn open(config: CapitalistConfig, dir: &Path) -> Result<Self, CapitalistError> {
        Office::open(config, dir).map(|office| Self(Arc::new(office)))
    }
}

impl Venue for Capitalist {
    fn name(&self) -> &'static str {
        NAME
    }

    fn dial(&self) -> &Dial {
        &self.0.dial
    }

    fn answer(
        self: Arc<Self>,
        path: String,
        call: Call,
    ) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        Box::pin(async move {
            if path != "/" {
                return Reply::empty(StatusCode::NOT_FOUND);
            }
            let format = Format::of(call.headers());
            reply(format, self.0.config.position, self.0.answer(call).await)
        })
    }

    fn control(&self, what: &str, body: &[u8]) -> Option<Reply> {
        (what == "next_code").then(|| self.0.next_code(body))
    }

    fn ledger(&self, from: usize, most: usize) -> Vec<LedgerEntry> {
        let book = lock(&self.0.book);
        let entries = book.picture().entries().iter().skip(from).take(most);
        entries.filter_map(|entry| self.0.entry(book.picture(), entry)).collect()
    }

    fn counters(&self) -> CountersSnapshot {
        self.0.snapshot()
    }

    fn settle_now(&self) -> usize {
        self.0.settle_now()
    }

    fn spawn(self: Arc<Self>, tasks: &mut JoinSet<()>) {
        let office = Arc::clone(&self.0);
        tasks.spawn(async move { office.run_timers().await });
    }

    /// Nothing lags behind: each change is written before it is made.
    fn flush(&self) {}
}

impl Office {
    async fn answer(&self, mut call: Call) -> Result<Told, No> {
        if call.method() != Method::POST {
            return Err(Refusal::of(Code::NOT_POST));
        }
        let kind = call.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let body = call.read_body().await.map_err(|error| match error {
            BodyError::TooLong => No::Struck(Reply::empty(StatusCode::PAYLOAD_TOO_LARGE)),
            // Nobody is there to read an answer.
            BodyError::Gone => No::Struck(Reply::Reset),
        })?;
        let form = Form::parse(&kind, &body)
            .ok_or_else(|| Refusal::because(Code::PARAMS, "the body is not a form"))?;
        let operation = Operation::of(form.get("operation"));
        let operation = operation.ok_or_else(|| Refusal::of(Code::OPERATION))?;
        self.count(operation, &call);
        self.admit(operation, &call)?;
        if operation == Operation::GetToken {
            return self.get_token(&form).await;
        }
        self.check_access(&form).await?;
        self.fault_before(operation)?;
        self.run(operation, &form)
    }

    fn run(&self, operation: Operation, form: &Form) -> Result<Told, No> {
        match operation {
            Operation::ImportBatchAdvanced => self.import(form),
            Operation::ProcessBatch => self.process(form),
            Operation::GetBatchInfo => self.batch_info(form),
            Operation::DocumentsSearch => self.search(form),
            Operation::GetDocumentsHistoryExt | Operation::GetDocumentsHistory => {
                self.history(form, operation)
            }
            Operation::GetDocumentFee => self.fee_of(form),
            Operation::IsVerifiedAccount => self.is_verified(form),
            Operation::GetAccounts => self.accounts(),
            Operation::GetCashinRequisites => self.cashin_requisites(),
            Operation::CurrencyRates => self.rates(),
            // Answered before anybody is known.
            Operation::GetToken => Err(Refusal::of(Code::OPERATION)),
        }
    }

    fn entry(&self, picture: &picture::Picture, entry: &Entry) -> Option<LedgerEntry> {
        let line = entry.line()?;
        Some(LedgerEntry {
            provider: NAME.to_owned(),
            order_id: line.number.to_string(),
            internal_transaction_id: pages::document_number(entry.seq),
            amount: line.currency.show(line.amount),
            currency: line.currency.iso().to_owned(),
            destination: line.destination.to_string(),
            status: self.stage(picture, entry).record_word().to_owned(),
            paid: entry.state == State::Paid,
            created_ms: entry.import.at_ms,
            updated_ms: entry.updated_ms,
            acknowledged: false,
        })
    }
}
