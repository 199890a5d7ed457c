//! What each operation tells: its fields by name, and their order in CSV. All of them may be
//! missing: what a reader needs, it asks for.

use super::wire::Shape;
use crate::told::Told;
use serde::Deserialize;

/// `get_token`.
pub(super) const TOKEN: Shape = Shape { head: &["token", "modulus", "exponent"], list: None };

/// What passwords are encrypted with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenData<'a> {
    #[serde(borrow)]
    pub(super) token: Option<Told<'a>>,
    /// In hex.
    #[serde(borrow)]
    pub(super) modulus: Option<Told<'a>>,
    /// In hex.
    #[serde(borrow)]
    pub(super) exponent: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) rsa_public_key_pkcs1_pem: Option<Told<'a>>,
}

/// `import_batch_advanced`.
pub(super) const IMPORT: Shape =
    Shape { head: &["id"], list: Some(("errors", &["line", "comment"])) };

/// A batch that was taken.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Imported<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Told<'a>>,
    /// Records that were rejected at upload.
    #[serde(borrow)]
    pub(super) errors: Option<Told<'a>>,
}

/// A record that was rejected at upload.
#[derive(Deserialize)]
pub(super) struct RecordError<'a> {
    #[serde(borrow)]
    pub(super) line: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) comment: Option<Told<'a>>,
}

/// `process_batch`.
pub(super) const PROCESS: Shape = Shape { head: &["id", "verificationSuccess"], list: None };

/// What became of a code.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Processed<'a> {
    #[serde(borrow, rename = "verificationSuccess")]
    pub(super) verification_success: Option<Told<'a>>,
}

/// `get_batch_info`.
pub(super) const BATCH: Shape = Shape {
    head: &["id", "offset", "pageSize", "totalCount", "pageCount", "page"],
    list: Some((
        "records",
        &[
            "lineNumber",
            "internalNumber",
            "beneficiary",
            "amount",
            "currency",
            "description",
            "documentId",
            "state",
            "paymentType",
            "errorDetails",
        ],
    )),
};

/// A page of a batch.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct BatchPage<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Told<'a>>,
    /// How many records lie before this page.
    #[serde(borrow)]
    pub(super) offset: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) total_count: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) records: Option<Vec<Record<'a>>>,
}

/// One record of a batch.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) line_number: Option<Told<'a>>,
    /// Our number.
    #[serde(borrow)]
    pub(super) internal_number: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) beneficiary: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) amount: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) currency: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) document_id: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) state: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) payment_type: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) error_details: Option<Told<'a>>,
}

/// `documents_search`.
pub(super) const DOCUMENTS: Shape = Shape {
    head: &[],
    list: Some((
        "documents",
        &[
            "type",
            "sourceAccount",
            "destinationAccount",
            "batchId",
            "timestamp",
            "currency",
            "amount",
            "description",
            "customNumber",
            "documentNumber",
            "comment",
            "documentState",
            "localizedDocumentState",
        ],
    )),
};

/// What a search found; without the list it has found nothing out.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Documents<'a> {
    #[serde(borrow)]
    pub(super) documents: Option<Vec<Document<'a>>>,
}

/// One document.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document<'a> {
    #[serde(borrow)]
    pub(super) destination_account: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) batch_id: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) currency: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) amount: Option<Told<'a>>,
    /// Our number.
    #[serde(borrow)]
    pub(super) custom_number: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) document_number: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) comment: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) document_state: Option<Told<'a>>,
}
