//! What a person may ask, in the words of the command line, with the document's operation.

use crate::api::{Parameter, Question};

const fn needed(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, required: true }
}

const fn optional(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, about, required: false }
}

const ACCOUNT: Parameter = needed("account", "our account, such as R0000001");
const FROM: Parameter = needed("from", "first day, 2026-01-31 or 31.01.2026");
const TO: Parameter = needed("to", "last day, 2026-01-31 or 31.01.2026");
const PAGE: Parameter = optional("page", "page, from 1 (default 1)");
const LIMIT: Parameter = optional("limit", "entries in a page, 1 to 1000 (default 30)");

const fn question(
    name: &'static str,
    about: &'static str,
    operation: &'static str,
    parameters: &'static [Parameter],
) -> Question {
    Question { name, about, operation, parameters, acts: false }
}

/// All that can be asked.
pub(super) const QUESTIONS: &[Question] = &[
    question("balance", "our accounts: what is there, what is blocked", "get_accounts", &[]),
    question("rates", "the platform's exchange rates", "currency_rates", &[]),
    question(
        "fees",
        "what a payment would cost",
        "get_document_fee",
        &[
            needed("type", "record type, such as RUCARD"),
            ACCOUNT,
            needed("amount", "with a dot, such as 100.00"),
            optional("to", "destination; shown masked"),
            optional("wiretag", "urgency of a wire"),
        ],
    ),
    question(
        "verified",
        "whether an account's holder is verified",
        "is_verified_account",
        &[needed("account", "any account, such as U0000001")],
    ),
    question(
        "cashin",
        "where to top up",
        "get_cashin_requisites",
        &[optional("account", "our account, such as R0000001")],
    ),
    question(
        "history",
        "operations of an account",
        "get_documents_history_ext",
        &[
            ACCOUNT,
            FROM,
            TO,
            optional("external", "the other account"),
            optional("state", "any, inprocess, executed or declined (default any)"),
            LIMIT,
            PAGE,
        ],
    ),
    question(
        "history-old",
        "the same by the operation that the document calls deprecated",
        "get_documents_history",
        &[ACCOUNT, FROM, TO, LIMIT, PAGE],
    ),
    question(
        "batch",
        "records of a batch",
        "get_batch_info",
        &[needed("id", "the batch's id"), optional("offset", "records to pass over (default 0)")],
    ),
    question(
        "search",
        "documents by our number, or of some days",
        "documents_search",
        &[optional("number", "our number of the payment"), FROM, TO],
    ),
];
