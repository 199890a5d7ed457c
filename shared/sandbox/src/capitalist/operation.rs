//! The operations by their names.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Operation {
    GetToken,
    ImportBatchAdvanced,
    ProcessBatch,
    GetBatchInfo,
    DocumentsSearch,
    GetDocumentsHistoryExt,
    GetDocumentsHistory,
    GetDocumentFee,
    IsVerifiedAccount,
    GetAccounts,
    GetCashinRequisites,
    CurrencyRates,
}

impl Operation {
    const ALL: [Self; 12] = [
        Self::GetToken,
        Self::ImportBatchAdvanced,
        Self::ProcessBatch,
        Self::GetBatchInfo,
        Self::DocumentsSearch,
        Self::GetDocumentsHistoryExt,
        Self::GetDocumentsHistory,
        Self::GetDocumentFee,
        Self::IsVerifiedAccount,
        Self::GetAccounts,
        Self::GetCashinRequisites,
        Self::CurrencyRates,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::GetToken => "get_token",
            Self::ImportBatchAdvanced => "import_batch_advanced",
            Self::ProcessBatch => "process_batch",
            Self::GetBatchInfo => "get_batch_info",
            Self::DocumentsSearch => "documents_search",
            Self::GetDocumentsHistoryExt => "get_documents_history_ext",
            Self::GetDocumentsHistory => "get_documents_history",
            Self::GetDocumentFee => "get_document_fee",
            Self::IsVerifiedAccount => "is_verified_account",
            Self::GetAccounts => "get_accounts",
            Self::GetCashinRequisites => "get_cashin_requisites",
            Self::CurrencyRates => "currency_rates",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.word() == word)
    }

    /// Does it tell what became of payments? Faults of look-ups strike these.
    pub(super) fn is_look_up(self) -> bool {
        matches!(
            self,
            Self::GetBatchInfo
                | Self::DocumentsSearch
                | Self::GetDocumentsHistoryExt
                | Self::GetDocumentsHistory
        )
    }

    /// Does it move money? Faults of creates strike these.
    pub(super) fn moves_money(self) -> bool {
        matches!(self, Self::ImportBatchAdvanced | Self::ProcessBatch)
    }
}
