//! The payout profile: paths, field names and status names of the calls that Capay documents to
//! its customers only. Every value is config, and every default is an assumption.
//!
//! A profile that is read is consistent (`check`). What stands where unless config says otherwise
//! is in `defaults`.

use super::path::Path;
use super::pointer::{Pointer, Slot};
use domain::{Method, News};
use reqwest::header::HeaderName;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[lanes.<name>.settings.profile]`; `config/examples/capay.toml` explains each key.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) token_path: Path,
    pub(super) create_path: Path,
    pub(super) status_path: Path,
    pub(super) list_path: Path,
    pub(super) cancel_path: Path,
    pub(super) businesses_path: Path,
    pub(super) individuals_path: Path,
    /// The header that carries our reference with a create; `""` sends none.
    pub(super) idempotency_header: String,
    pub(super) reference_parameter: String,
    /// `""` names no client in look-ups and cancellations.
    pub(super) client_parameter: String,
    pub(super) skip_parameter: String,
    pub(super) limit_parameter: String,
    /// From when on and until when payouts of a list were made; `""` asks for those of all times.
    pub(super) from_parameter: String,
    pub(super) until_parameter: String,
    pub(super) page_size: u16,
    pub(super) deduplicates: bool,
    pub(super) amount_as: AmountAs,
    pub(super) request: Request,
    /// The answer to a create.
    pub(super) created: Fields,
    /// The answer about one payout.
    pub(super) payout: Fields,
    /// The list itself, in the answer that holds one.
    pub(super) list_items: Pointer,
    /// Where the list begins, as the answer tells it: another number than was asked for is another
    /// page.
    pub(super) list_skip: Slot,
    /// How many payouts the list holds on all its pages, as the answer tells it: an empty first page
    /// of several is no absence.
    pub(super) list_total: Slot,
    /// When one payout of the list was made.
    pub(super) list_created_at: Slot,
    /// One payout of the list.
    pub(super) item: Fields,
    pub(super) webhook: Fields,
    pub(super) error: ErrorFields,
    pub(super) beneficiary: BeneficiaryFields,
    pub(super) statuses: Statuses,
}

/// In which JSON type an amount is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AmountAs {
    /// `"10.00"`.
    String,
    /// `10.00`, digit by digit.
    Number,
}

/// Where each field of a create stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    pub(super) reference: Pointer,
    pub(super) amount: Pointer,
    pub(super) currency: Pointer,
    pub(super) client_id: Slot,
    /// Methods of which the destination is the id of a beneficiary registered with Capay. All
    /// others describe the beneficiary.
    pub(super) registered_methods: Vec<Method>,
    pub(super) beneficiary_id: Slot,
    /// The destination, by method; `""` does not offer the method.
    pub(super) card: Slot,
    pub(super) iban: Slot,
    pub(super) score: Slot,
    pub(super) wallet: Slot,
    /// What kind of destination a described beneficiary has.
    pub(super) kind: Slot,
    pub(super) kinds: Kinds,
    /// Columns of a row that are sent with every method.
    pub(super) columns: BTreeMap<String, Pointer>,
    /// Columns that go with a description of the beneficiary.
    pub(super) beneficiary_columns: BTreeMap<String, Pointer>,
    /// Texts that are the same in every create.
    pub(super) fixed: BTreeMap<String, String>,
}

/// Capay's words for our methods.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Kinds {
    pub(super) card: String,
    pub(super) iban: String,
    pub(super) score: String,
    pub(super) wallet: String,
}

/// Where each field of what Capay tells about a payout stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) id: Slot,
    pub(super) ticket_id: Slot,
    pub(super) status: Slot,
    pub(super) reference: Slot,
    pub(super) amount: Slot,
    pub(super) currency: Slot,
    pub(super) client_id: Slot,
    pub(super) beneficiary_id: Slot,
    /// The destination, by method.
    pub(super) card: Slot,
    pub(super) iban: Slot,
    pub(super) score: Slot,
    pub(super) wallet: Slot,
}

/// Where a refusal says what is wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ErrorFields {
    pub(super) description: Slot,
    /// A name, a list of names or of objects, or an object by name.
    pub(super) properties: Slot,
    /// The name in an object of the list.
    pub(super) property_name: Slot,
}

/// Where each field of a beneficiary stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct BeneficiaryFields {
    /// The list itself, in the answer that holds one.
    pub(super) items: Pointer,
    pub(super) id: Slot,
    pub(super) name: Slot,
    pub(super) status: Slot,
}

/// Status names by what they mean, in any case. A name that stands nowhere is "in progress", and
/// shown to people.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Statuses {
    pub(super) in_progress: Vec<String>,
    pub(super) waiting: Vec<String>,
    pub(super) paid: Vec<String>,
    pub(super) failed: Vec<String>,
    pub(super) cancelled: Vec<String>,
    pub(super) returned: Vec<String>,
}

impl Statuses {
    /// Every list of names with its meaning.
    pub(super) fn all(&self) -> [(&[String], News); 6] {
        [
            (&self.in_progress, News::InProgress),
            (&self.waiting, News::Waiting),
            (&self.paid, News::Paid),
            (&self.failed, News::Failed),
            (&self.cancelled, News::Cancelled),
            (&self.returned, News::Returned),
        ]
    }

    /// The name as the profile writes it, and what it means.
    pub(super) fn meaning(&self, told: &str) -> Option<(&str, News)> {
        let told = told.trim();
        self.all().into_iter().find_map(|(names, news)| {
            let name = names.iter().find(|name| name.eq_ignore_ascii_case(told))?;
            Some((name.as_str(), news))
        })
    }
}

impl Request {
    /// Whether the destination is the id of a registered beneficiary.
    pub(super) fn is_registered(&self, method: Method) -> bool {
        self.registered_methods.contains(&method)
    }

    /// Where a method's destination stands, if the method is offered.
    pub(super) fn destination(&self, method: Method) -> Option<&Pointer> {
        if self.is_registered(method) {
            return self.beneficiary_id.pointer();
        }
        match method {
            Method::Card => self.card.pointer(),
            Method::Iban => self.iban.pointer(),
            Method::Score => self.score.pointer(),
            Method::Wallet => self.wallet.pointer(),
            Method::Sbp => None,
        }
    }

    /// Where Capay's word for a method goes, and the word.
    pub(super) fn kind_of(&self, method: Method) -> Option<(&Pointer, &str)> {
        let at = self.kind.pointer().filter(|_| !self.is_registered(method))?;
        let word = match method {
            Method::Card => &self.kinds.card,
            Method::Iban => &self.kinds.iban,
            Method::Score => &self.kinds.score,
            Method::Wallet => &self.kinds.wallet,
            Method::Sbp => return None,
        };
        Some((at, word))
    }

    /// Columns that go with a method.
    pub(super) fn columns_of(&self, method: Method) -> impl Iterator<Item = (&str, &Pointer)> {
        let is_described = !self.is_registered(method);
        let more = self.beneficiary_columns.iter().filter(move |_| is_described);
        self.columns.iter().chain(more).map(|(name, at)| (name.as_str(), at))
    }
}

impl Profile {
    /// The header that carries our reference with a create.
    pub(super) fn idempotency(&self) -> Result<Option<HeaderName>, String> {
        if self.idempotency_header.is_empty() {
            return Ok(None);
        }
        let name = HeaderName::from_bytes(self.idempotency_header.as_bytes());
        name.map(Some).map_err(|_| "idempotency_header: not the name of a header".to_owned())
    }
}
