//! From a create as it came to an order that may be paid. What is wrong is named by its property,
//! and its value is never repeated: it may be an account.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::beneficiaries;
use super::order::{Beneficiary, Order, Payee};
use crate::clock::unix_ms;

/// Why a call is refused: which header, parameter or field, and what of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) property: Cow<'static, str>,
    pub(super) message: Cow<'static, str>,
}

impl Wrong {
    pub(super) fn new(
        property: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { property: property.into(), message: message.into() }
    }
}

/// Digits before the point; a larger amount is a mistake.
const WHOLE_DIGITS_MAX: usize = 15;
/// Digits after the point: the finest currencies count in hundred-millionths.
const DECIMALS_MAX: usize = 8;
/// Letters of a currency's code.
const CURRENCY_LETTERS: std::ops::RangeInclusive<usize> = 3..=5;
/// Characters of the longest reference, client id, purpose, name.
const TEXT_MAX: usize = 255;
/// What a described beneficiary's account may be, with the lengths it may have.
const KINDS: [(&str, std::ops::RangeInclusive<usize>); 4] =
    [("card", 12..=19), ("iban", 15..=34), ("account", 1..=64), ("wallet", 1..=128)];

/// Checks a create's body; `must_name_client` is the Program Manager's rule.
pub(super) fn check(body: &[u8], must_name_client: bool) -> Result<Order, Wrong> {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
        return Err(Wrong::new("body", "must be a JSON object"));
    };
    let reference = required(&body, "reference", "reference")?;
    let amount = amount(&body)?;
    let currency = required(&body, "currency", "currency")?;
    let is_code = CURRENCY_LETTERS.contains(&currency.len());
    if !is_code || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(Wrong::new("currency", "must be 3 to 5 capital letters"));
    }
    let client_id = optional(&body, "clientId", "clientId")?;
    if must_name_client && client_id.is_none() {
        return Err(Wrong::new("clientId", "required of a Program Manager"));
    }
    Ok(Order {
        seq: 0,
        created_ms: unix_ms(),
        reference,
        amount,
        currency,
        purpose: optional(&body, "purpose", "purpose")?,
        client_id,
        idempotency_key: None,
        payee: payee(&body)?,
    })
}

/// One of the lists, or one that is described: not both, not neither.
fn payee(body: &Map<String, Value>) -> Result<Payee, Wrong> {
    let id = optional(body, "beneficiaryId", "beneficiaryId")?;
    match (id, body.get("beneficiary").filter(|value| !value.is_null())) {
        (Some(_), Some(_)) => Err(Wrong::new("beneficiary", "not together with beneficiaryId")),
        (None, None) => Err(Wrong::new("beneficiary", "required, or beneficiaryId")),
        (Some(id), None) if beneficiaries::is_known(&id) => Ok(Payee::BeneficiaryId(id)),
        (Some(_), None) => Err(Wrong::new("beneficiaryId", "there is no such beneficiary")),
        (None, Some(Value::Object(described))) => described_payee(described),
        (None, Some(_)) => Err(Wrong::new("beneficiary", "must be an object")),
    }
}

fn described_payee(described: &Map<String, Value>) -> Result<Payee, Wrong> {
    let kind = required(described, "type", "beneficiary.type")?;
    let lengths = KINDS.iter().find(|(word, _)| **word == *kind).map(|(_, lengths)| lengths);
    let lengths = lengths.ok_or_else(|| {
        Wrong::new("beneficiary.type", "must be one of card, iban, account, wallet")
    })?;
    let account = required(described, "account", "beneficiary.account")?;
    let is_form_right = match &*kind {
        "card" => account.bytes().all(|b| b.is_ascii_digit()),
        _ => account.bytes().all(|b| b.is_ascii_graphic()),
    };
    if !is_form_right || !lengths.contains(&account.len()) {
        return Err(Wrong::new("beneficiary.account", format!("is not of the form of: {kind}")));
    }
    Ok(Payee::Beneficiary(Beneficiary {
        name: optional(described, "name", "beneficiary.name")?,
        kind,
        account,
        bank_code: optional(described, "bankCode", "beneficiary.bankCode")?,
    }))
}

fn required(
    object: &Map<String, Value>,
    name: &str,
    property: &'static str,
) -> Result<Box<str>, Wrong> {
    optional(object, name, property)?.ok_or_else(|| Wrong::new(property, "required"))
}

/// Null and the empty text are as good as nothing.
fn optional(
    object: &Map<String, Value>,
    name: &str,
    property: &'static str,
) -> Result<Option<Box<str>>, Wrong> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.chars().count() > TEXT_MAX => {
            Err(Wrong::new(property, format!("at most {TEXT_MAX} characters")))
        }
        Some(Value::String(text)) => Ok(Some(text.as_str().into())),
        Some(_) => Err(Wrong::new(property, "must be a string")),
    }
}

/// A string of digits with eight decimals at most, no sign, no leading zero, above nothing.
fn amount(body: &Map<String, Value>) -> Result<Decimal, Wrong> {
    let text = required(body, "amount", "amount")?;
    let wrong = || Wrong::new("amount", "must be a decimal string with 8 decimals at most");
    let (whole, decimals) = text.split_once('.').map_or((&*text, None), |(w, d)| (w, Some(d)));
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_number = (1..=WHOLE_DIGITS_MAX).contains(&whole.len())
        && is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && decimals.is_none_or(|text| (1..=DECIMALS_MAX).contains(&text.len()) && is_digits(text));
    if !is_number {
        return Err(wrong());
    }
    let amount: Decimal = text.parse().map_err(|_| wrong())?;
    if amount.is_zero() {
        return Err(Wrong::new("amount", "must be above zero"));
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        json!({
            "reference": "r1", "amount": "12.50", "currency": "EUR",
            "beneficiary": { "type": "iban", "account": "DE89370400440532013000" },
        })
    }

    /// The property that a changed create is refused for; empty if it is not.
    fn property(change: impl Fn(&mut Value)) -> String {
        let mut body = body();
        change(&mut body);
        let refused = check(body.to_string().as_bytes(), false).err();
        refused.map(|wrong| wrong.property.into_owned()).unwrap_or_default()
    }

    #[test]
    fn a_whole_create_passes_with_its_decimals_as_sent() {
        let order = check(body().to_string().as_bytes(), false).ok().unwrap();
        assert_eq!(order.amount.to_string(), "12.50");
        assert_eq!(order.payee.destination(), "DE89370400440532013000");
    }

    #[test]
    fn each_required_field_is_missed_by_name() {
        for name in ["reference", "amount", "currency", "beneficiary"] {
            assert_eq!(property(|body| body[name] = Value::Null), name);
        }
        for name in ["type", "account"] {
            let expected = format!("beneficiary.{name}");
            assert_eq!(property(|body| body["beneficiary"][name] = "".into()), expected);
        }
    }

    #[test]
    fn amounts_are_exact_strings() {
        let bad =
            ["1.000000000", "1.", ".5", "01.00", "-1.00", "+1.00", "1e2", "0.00", "1,00", "٣.00"];
        for bad in bad {
            assert_eq!(property(|body| body["amount"] = bad.into()), "amount", "{bad}");
        }
        assert_eq!(property(|body| body["amount"] = json!(12.5)), "amount", "never a number");
        for good in ["0.01", "1", "1.5", "0.00000001", "999999999999999.99999999"] {
            assert_eq!(property(|body| body["amount"] = good.into()), "", "{good}");
        }
    }

    #[test]
    fn currencies_are_codes_in_capitals() {
        for (code, is_right) in
            [("EUR", true), ("USDT", true), ("eur", false), ("EU", false), ("EURO99", false)]
        {
            assert_eq!(property(|body| body["currency"] = code.into()).is_empty(), is_right);
        }
    }

    #[test]
    fn a_beneficiary_is_named_or_described_and_not_both() {
        assert_eq!(property(|body| body["beneficiaryId"] = "ind-01".into()), "beneficiary");
        let named = |id: &'static str| {
            move |body: &mut Value| {
                body["beneficiary"] = Value::Null;
                body["beneficiaryId"] = id.into();
            }
        };
        assert_eq!(property(named("ind-01")), "");
        assert_eq!(property(named("nobody")), "beneficiaryId");
    }

    #[test]
    fn accounts_have_the_form_of_their_type() {
        for (kind, account, is_right) in [
            ("card", "4111111111111111", true),
            ("card", "4111 1111 1111 1111", false),
            ("card", "41111111111", false),
            ("iban", "DE89", false),
            ("account", "40817810099910004312", true),
            ("wallet", "TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE", true),
            ("sepa", "1", false),
        ] {
            let refused = property(|body| {
                body["beneficiary"] = json!({ "type": kind, "account": account });
            });
            assert_eq!(refused.is_empty(), is_right, "{kind} {account}: {refused}");
        }
    }

    #[test]
    fn only_a_program_manager_must_name_the_client() {
        let text = body().to_string();
        assert!(check(text.as_bytes(), false).is_ok());
        assert_eq!(check(text.as_bytes(), true).err().unwrap().property, "clientId");
    }
}
