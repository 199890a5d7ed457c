//! What goes over the wire, as types. The token call and the webhook's four fields are documented
//! or named in the profile; the rest is the profile that the adapter's defaults assume.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::order::Payee;

/// The token call, as documented.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenRequest {
    pub(super) api_user: String,
    pub(super) api_key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenAnswer<'a> {
    pub(super) access_token: &'a str,
    pub(super) expires_in_seconds: u64,
}

/// The answer of an accepted create and of a cancellation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateAnswer<'a> {
    /// Always there, but for the fault `answer_incomplete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    pub(super) ticket_id: &'a str,
    pub(super) status: &'a str,
    pub(super) reference: &'a str,
    pub(super) amount: &'a str,
    pub(super) currency: &'a str,
}

/// A payout as look-ups tell it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PayoutBody<'a> {
    pub(super) id: String,
    pub(super) ticket_id: String,
    pub(super) status: &'a str,
    pub(super) reference: &'a str,
    pub(super) amount: String,
    pub(super) currency: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<&'a str>,
    /// `beneficiaryId` or `beneficiary`, as the create had it.
    #[serde(flatten)]
    pub(super) payee: &'a Payee,
    pub(super) created_at: String,
    pub(super) updated_at: String,
}

/// A page of a list.
#[derive(Serialize)]
pub(super) struct Page<T> {
    pub(super) data: Vec<T>,
    /// Where the page begins: another number than was asked for is another page.
    pub(super) skip: u64,
    pub(super) limit: u64,
    /// How many there are on all pages.
    pub(super) total: u64,
}

/// A webhook.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notice<'a> {
    pub(super) ticket_id: &'a str,
    pub(super) reference: &'a str,
    pub(super) status: &'a str,
    pub(super) occurred_at: &'a str,
}

/// `{"error": {"property": …, "message": …}}`
#[derive(Serialize)]
pub(super) struct Problem<'a> {
    pub(super) error: Cause<'a>,
}

#[derive(Serialize)]
pub(super) struct Cause<'a> {
    /// Which header, parameter or field is wrong; absent where it is none of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) property: Option<&'a str>,
    pub(super) message: &'a str,
}

/// ISO 8601 in UTC with milliseconds.
pub(super) fn iso(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_a_zone() {
        assert_eq!(iso(1_734_338_987_005), "2024-12-16T08:49:47.005Z");
        assert_eq!(iso(1_734_338_987_000), "2024-12-16T08:49:47.000Z");
    }
}
