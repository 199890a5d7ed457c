//! Both signatures: the documented one of a create, and `standart_sign`, whose string is not
//! published and therefore a template. Neither string ever holds an ambiguous colon.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A SHA-256 in lower-case hex.
pub(super) struct Signature([u8; 64]);

impl Signature {
    fn of(hash: Sha256) -> Signature {
        let mut text = [0; 64];
        // The buffer is twice as long as the hash, so this cannot fail.
        let _ = hex::encode_to_slice(hash.finalize(), &mut text);
        Signature(text)
    }

    pub(super) fn as_str(&self) -> &str {
        // Hex is always UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether `told` is this signature, in either case; in constant time.
    pub(super) fn verifies(&self, told: &str) -> bool {
        told.to_ascii_lowercase().as_bytes().ct_eq(&self.0).into()
    }
}

/// The signature of a create: over `order_id:fiat_amount:requisite:fiat_currency:sign_key`.
/// `None` where a part holds a colon itself: the string would have two readings.
pub(super) fn create_sign(
    order_id: &str,
    fiat_amount: &str,
    requisite: &str,
    fiat_currency: &str,
    sign_key: &SecretString,
) -> Option<Signature> {
    let mut hash = Sha256::new();
    for part in [order_id, fiat_amount, requisite, fiat_currency] {
        if part.contains(':') {
            return None;
        }
        hash.update(part);
        hash.update(b":");
    }
    hash.update(sign_key.expose_secret());
    Some(Signature::of(hash))
}

/// What a template may take from a callback, a cancellation or the lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    OrderId,
    Type,
    Status,
    FiatAmount,
    UsdtAmount,
    MerchantSpentUsdt,
    FiatCurrency,
    ExchangeRate,
    PaymentMethod,
    Requisite,
}

const FIELDS: [(&str, Field); 10] = [
    ("order_id", Field::OrderId),
    ("type", Field::Type),
    ("status", Field::Status),
    ("fiat_amount", Field::FiatAmount),
    ("usdt_amount", Field::UsdtAmount),
    ("merchant_spent_usdt", Field::MerchantSpentUsdt),
    ("fiat_currency", Field::FiatCurrency),
    ("exchange_rate", Field::ExchangeRate),
    ("payment_method", Field::PaymentMethod),
    ("requisite", Field::Requisite),
];
const SIGN_KEY: &str = "sign_key";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Field),
    SignKey,
}

/// What `standart_sign` hashes, such as `{order_id}:{sign_key}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

impl Template {
    /// Reads a template; without the key it would prove nothing.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once('{') {
            let (name, tail) = tail.split_once('}').ok_or("a brace is not closed")?;
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(Self::part(name)?);
            rest = tail;
        }
        parts.push(Part::Literal(rest.to_owned()));
        if !parts.contains(&Part::SignKey) {
            return Err("a signature without {sign_key} proves nothing".to_owned());
        }
        Ok(Template(parts))
    }

    fn part(name: &str) -> Result<Part, String> {
        if name == SIGN_KEY {
            return Ok(Part::SignKey);
        }
        let field = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
        field.map(Part::Field).ok_or_else(|| {
            let known: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
            format!("there is no field {{{name}}}; there are {SIGN_KEY}, {}", known.join(", "))
        })
    }

    /// Signs with what `value` gives; `None` where it lacks a field of the template.
    pub(super) fn sign<'v, V: AsRef<str> + 'v>(
        &self,
        key: &SecretString,
        value: impl Fn(Field) -> Option<V>,
    ) -> Option<Signature> {
        let mut hash = Sha256::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => hash.update(text),
                Part::Field(field) => hash.update(value(*field)?.as_ref()),
                Part::SignKey => hash.update(key.expose_secret()),
            }
        }
        Some(Signature::of(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretString {
        SecretString::from("test_sign_key")
    }

    #[test]
    fn the_known_answer_of_the_document_comes_out_byte_for_byte() {
        let sign = create_sign("order123", "1500.00", "79161234567", "rub", &key()).unwrap();
        assert_eq!(
            sign.as_str(),
            "53f49a84b929a1c6bf16fdf36ed151738def4b30a8088237ce480ffef538aa2f"
        );
    }

    #[test]
    fn a_part_with_a_colon_is_not_signed() {
        assert!(create_sign("a:b", "1.00", "1", "rub", &key()).is_none());
        assert!(create_sign("a", "1.00", "1:2", "rub", &key()).is_none());
    }

    #[test]
    fn a_template_signs_what_it_spells() {
        let template = Template::parse("{order_id}:{sign_key}").unwrap();
        let sign = template.sign(&key(), |f| (f == Field::OrderId).then_some("a")).unwrap();
        assert_eq!(sign.as_str(), hex::encode(Sha256::digest("a:test_sign_key")));
        assert!(sign.verifies(sign.as_str()) && sign.verifies(&sign.as_str().to_uppercase()));
        assert!(!sign.verifies("") && !sign.verifies(&sign.as_str()[..63]));
        assert!(!sign.verifies(&sign.as_str().replacen('a', "b", 1)));
        assert!(template.sign(&key(), |_| None::<&str>).is_none());
    }

    #[test]
    fn a_template_without_the_key_or_with_an_unknown_field_is_refused() {
        for bad in ["{order_id}", "{order}:{sign_key}", "{sign_key", ""] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
