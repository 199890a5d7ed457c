//! Where everything stands unless config says otherwise: one assumption a line, the same as the
//! commented lines of `config/examples/capay.toml`, to which a test holds them.

use super::path::Path;
use super::pointer::{Pointer, Slot};
use super::profile::{
    AmountAs, BeneficiaryFields, ErrorFields, Fields, Kinds, Profile, Request, Statuses,
};
use std::collections::BTreeMap;

impl Default for Profile {
    fn default() -> Profile {
        let payouts = ["transactions", "payouts"];
        Profile {
            token_path: Path::of(&["auth", "token"]),
            create_path: Path::of(&payouts),
            status_path: Path::of(&[payouts[0], payouts[1], "{id}"]),
            list_path: Path::of(&payouts),
            cancel_path: Path::of(&[payouts[0], payouts[1], "{id}", "cancel"]),
            businesses_path: Path::of(&["beneficiaries", "businesses"]),
            individuals_path: Path::of(&["beneficiaries", "individuals"]),
            idempotency_header: "Idempotency-Key".to_owned(),
            reference_parameter: "reference".to_owned(),
            client_parameter: "clientId".to_owned(),
            skip_parameter: "skip".to_owned(),
            limit_parameter: "limit".to_owned(),
            from_parameter: "createdFrom".to_owned(),
            until_parameter: "createdTo".to_owned(),
            page_size: 100,
            deduplicates: false,
            amount_as: AmountAs::String,
            request: Request::default(),
            created: Fields::default(),
            payout: Fields::default(),
            list_items: pointer(&["data"]),
            list_skip: Slot::at(&["skip"]),
            list_total: Slot::at(&["total"]),
            list_created_at: Slot::at(&["createdAt"]),
            item: Fields::default(),
            webhook: Fields::default(),
            error: ErrorFields::default(),
            beneficiary: BeneficiaryFields::default(),
            statuses: Statuses::default(),
        }
    }
}

impl Default for Request {
    fn default() -> Request {
        let column = |name: &str, at: &[&str]| (name.to_owned(), pointer(at));
        Request {
            reference: pointer(&["reference"]),
            amount: pointer(&["amount"]),
            currency: pointer(&["currency"]),
            client_id: Slot::at(&["clientId"]),
            registered_methods: Vec::new(),
            beneficiary_id: Slot::at(&["beneficiaryId"]),
            card: account(),
            iban: account(),
            score: account(),
            wallet: account(),
            kind: Slot::at(&["beneficiary", "type"]),
            kinds: Kinds::default(),
            columns: [column("description", &["purpose"])].into(),
            beneficiary_columns: [
                column("full_name", &["beneficiary", "name"]),
                column("bank_name", &["beneficiary", "bankName"]),
                column("bank_code", &["beneficiary", "bankCode"]),
            ]
            .into(),
            fixed: BTreeMap::new(),
        }
    }
}

impl Default for Kinds {
    fn default() -> Kinds {
        Kinds {
            card: "card".to_owned(),
            iban: "iban".to_owned(),
            score: "account".to_owned(),
            wallet: "wallet".to_owned(),
        }
    }
}

impl Default for Fields {
    fn default() -> Fields {
        Fields {
            id: Slot::at(&["id"]),
            ticket_id: Slot::at(&["ticketId"]),
            status: Slot::at(&["status"]),
            reference: Slot::at(&["reference"]),
            amount: Slot::at(&["amount"]),
            currency: Slot::at(&["currency"]),
            client_id: Slot::at(&["clientId"]),
            beneficiary_id: Slot::at(&["beneficiaryId"]),
            card: account(),
            iban: account(),
            score: account(),
            wallet: account(),
        }
    }
}

impl Default for ErrorFields {
    fn default() -> ErrorFields {
        ErrorFields {
            description: Slot::at(&["error", "message"]),
            properties: Slot::at(&["error", "property"]),
            property_name: Slot::at(&["property"]),
        }
    }
}

impl Default for BeneficiaryFields {
    fn default() -> BeneficiaryFields {
        BeneficiaryFields {
            items: pointer(&["data"]),
            id: Slot::at(&["id"]),
            name: Slot::at(&["name"]),
            status: Slot::at(&["status"]),
        }
    }
}

impl Default for Statuses {
    fn default() -> Statuses {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Statuses {
            in_progress: names(&["CREATED", "PENDING", "PROCESSING"]),
            waiting: Vec::new(),
            paid: names(&["COMPLETED"]),
            failed: names(&["REJECTED", "FAILED"]),
            cancelled: names(&["CANCELLED"]),
            returned: Vec::new(),
        }
    }
}

/// Where a described beneficiary's number stands.
fn account() -> Slot {
    Slot::at(&["beneficiary", "account"])
}

/// A pointer that the code itself names.
fn pointer(names: &[&str]) -> Pointer {
    // Names of the code are never empty, so there is a pointer in the slot; the whole document
    // would be refused by `check`.
    Slot::at(names).pointer().cloned().unwrap_or_else(Pointer::whole)
}
