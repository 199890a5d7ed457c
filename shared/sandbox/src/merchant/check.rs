//! From a create as it came to one that may be paid: required fields, lengths, words, amount,
//! requisite. The signature is checked after it, by `create`.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::order::Method;
use super::requisite;
use super::wire::{CreateRequest, Text};

/// A create whose fields are all in order.
#[derive(Debug)]
pub(super) struct Checked<'a> {
    pub(super) order_id: &'a str,
    pub(super) method: Method,
    pub(super) fiat_amount: &'a str,
    pub(super) fiat: Decimal,
    pub(super) currency: &'a str,
    pub(super) requisite: &'a str,
    pub(super) bank_name: &'a str,
    pub(super) full_name: &'a str,
    pub(super) success_url: &'a str,
    pub(super) error_url: &'a str,
    pub(super) sign: &'a str,
}

/// What the refusal says.
type Refused = Cow<'static, str>;

/// Digits before the point; a larger amount is a mistake.
const WHOLE_DIGITS_MAX: usize = 15;

/// Checks all but the currency, the signature and what only the ledger knows.
pub(super) fn check<'a>(request: &'a CreateRequest<'_>) -> Result<Checked<'a>, Refused> {
    let order_id = required("order_id", &request.order_id, 255)?;
    let word = required("payment_method", &request.payment_method, 16)?;
    let method = Method::of(word).ok_or("payment_method: must be one of card, sbp, score, iban")?;
    let fiat_amount = required("fiat_amount", &request.fiat_amount, 32)?;
    let fiat = amount(fiat_amount)?;
    let currency = required("fiat_currency", &request.fiat_currency, 16)?;
    let requisite = the_requisite(request, method)?;
    let bank_name = match method {
        Method::Sbp => required("bank_name", &request.bank_name, 72)?,
        _ => optional("bank_name", &request.bank_name, 72)?,
    };
    let full_name = optional("full_name", &request.full_name, 128)?;
    optional("bik", &request.bik, 32)?;
    optional("customer", &request.customer, 128)?;
    optional("order_description", &request.order_description, 8000)?;
    let success_url = callback_url("success_callback_url", &request.success_callback_url)?;
    let error_url = callback_url("error_callback_url", &request.error_callback_url)?;
    if request.timeout == Some(0) {
        return Err("timeout: must be at least one minute".into());
    }
    let sign = required("sign", &request.sign, 256)?;
    Ok(Checked {
        order_id,
        method,
        fiat_amount,
        fiat,
        currency,
        requisite,
        bank_name,
        full_name,
        success_url,
        error_url,
        sign,
    })
}

fn required<'a>(name: &str, value: &'a Option<Text<'_>>, max: usize) -> Result<&'a str, Refused> {
    match optional(name, value, max)? {
        "" => Err(format!("{name}: required").into()),
        text => Ok(text),
    }
}

fn optional<'a>(name: &str, value: &'a Option<Text<'_>>, max: usize) -> Result<&'a str, Refused> {
    let text = value.as_deref().unwrap_or_default();
    // Bytes first: characters are counted only where it matters.
    if text.len() > max && text.chars().count() > max {
        return Err(format!("{name}: at most {max} characters").into());
    }
    Ok(text)
}

/// Exactly two decimals, no sign, no leading zero, above nothing.
fn amount(text: &str) -> Result<Decimal, Refused> {
    let wrong = "fiat_amount: must be a string with two decimal places";
    let (whole, cents) = text.split_once('.').ok_or(wrong)?;
    let is_number = (1..=WHOLE_DIGITS_MAX).contains(&whole.len())
        && cents.len() == 2
        && (whole == "0" || !whole.starts_with('0'))
        && whole.bytes().chain(cents.bytes()).all(|b| b.is_ascii_digit());
    if !is_number {
        return Err(wrong.into());
    }
    let fiat: Decimal = text.parse().map_err(|_| wrong)?;
    if fiat.is_zero() {
        return Err("fiat_amount: must be above zero".into());
    }
    Ok(fiat)
}

/// The one requisite that the method needs, and no other.
fn the_requisite<'a>(request: &'a CreateRequest<'_>, method: Method) -> Result<&'a str, Refused> {
    let all = [
        (Method::Card, &request.number_card),
        (Method::Sbp, &request.phone_number),
        (Method::Score, &request.number_score),
        (Method::Iban, &request.iban_number),
    ];
    let given = |value: &Option<Text<'_>>| value.as_deref().is_some_and(|text| !text.is_empty());
    if all.iter().filter(|(_, value)| given(value)).count() > 1 {
        return Err("only one of number_card, phone_number, number_score, iban_number".into());
    }
    let value = all.iter().find(|(of, _)| *of == method).and_then(|(_, value)| value.as_deref());
    let text = value.unwrap_or_default();
    requisite::check(method, text)?;
    Ok(text)
}

fn callback_url<'a>(name: &str, value: &'a Option<Text<'_>>) -> Result<&'a str, Refused> {
    let url = required(name, value, 512)?;
    match url.strip_prefix("http://") {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(url),
        _ => Err(format!("{name}: the sandbox calls back over http:// only").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refusal(change: impl Fn(&mut Value)) -> Option<String> {
        let mut body = json!({
            "order_id": "o1", "payment_method": "card", "fiat_amount": "10.00",
            "fiat_currency": "rub", "number_card": "4111111111111111", "sign": "s",
            "success_callback_url": "http://h/s", "error_callback_url": "http://h/e",
        });
        change(&mut body);
        let text = body.to_string();
        let request: CreateRequest<'_> = serde_json::from_str(&text).expect("it is a create");
        check(&request).err().map(Cow::into_owned)
    }

    #[test]
    fn a_whole_create_passes() {
        assert_eq!(refusal(|_| {}), None);
    }

    #[test]
    fn each_required_field_is_missed_by_name() {
        for name in [
            "order_id",
            "payment_method",
            "fiat_amount",
            "fiat_currency",
            "number_card",
            "sign",
            "success_callback_url",
            "error_callback_url",
        ] {
            let text = refusal(|body| body[name] = Value::Null).unwrap();
            assert!(text.starts_with(name), "{name}: {text}");
        }
    }

    #[test]
    fn amounts_have_exactly_two_decimals() {
        for bad in ["10", "10.0", "10.000", "1e2", "+1.00", "-1.00", "01.00", ".50", "0.00", "1,00"]
        {
            assert!(refusal(|body| body["fiat_amount"] = bad.into()).is_some(), "{bad}");
        }
        for good in ["0.01", "1.00", "999999999999999.99"] {
            assert_eq!(refusal(|body| body["fiat_amount"] = good.into()), None, "{good}");
        }
    }

    #[test]
    fn two_requisites_or_the_wrong_one_are_refused() {
        assert!(refusal(|body| body["phone_number"] = "79161234567".into()).is_some());
        assert!(refusal(|body| body["payment_method"] = "score".into()).is_some());
    }

    #[test]
    fn sbp_needs_a_bank_name() {
        let sbp = |body: &mut Value| {
            body["payment_method"] = "sbp".into();
            body["number_card"] = Value::Null;
            body["phone_number"] = "79161234567".into();
        };
        assert_eq!(refusal(sbp).unwrap(), "bank_name: required");
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        assert_eq!(refusal(|body| body["full_name"] = "я".repeat(128).into()), None);
        assert!(refusal(|body| body["full_name"] = "я".repeat(129).into()).is_some());
        assert!(refusal(|body| body["order_id"] = "x".repeat(256).into()).is_some());
    }
}
