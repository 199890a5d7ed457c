//! Both signatures of the gateway: the documented one of a create, and `standart_sign`, whose
//! string is not published and therefore a template.

use sha2::{Digest, Sha256};

/// Lower-case hex SHA-256 of `order_id:fiat_amount:requisite:fiat_currency:sign_key`.
pub fn create_sign(
    order_id: &str,
    fiat_amount: &str,
    requisite: &str,
    fiat_currency: &str,
    sign_key: &str,
) -> String {
    let mut hash = Sha256::new();
    for part in [order_id, fiat_amount, requisite, fiat_currency] {
        hash.update(part);
        hash.update(b":");
    }
    hash.update(sign_key);
    hex::encode(hash.finalize())
}

/// A parsed template such as `{order_id}:{sign_key}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Field),
}

/// What may stand in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    SignKey,
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

const FIELDS: [(&str, Field); 11] = [
    ("sign_key", Field::SignKey),
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

/// A template that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{` without `}`.
    #[error("callback_sign {0:?}: a brace is not closed")]
    Open(String),
    /// No such field.
    #[error(
        "callback_sign: there is no field {0:?}; there are sign_key, order_id, type, status, fiat_amount, usdt_amount, merchant_spent_usdt, fiat_currency, exchange_rate, payment_method, requisite"
    )]
    Field(String),
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once('{') {
            let Some((name, tail)) = tail.split_once('}') else {
                return Err(TemplateError::Open(text.to_owned()));
            };
            let field = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(Part::Field(field.ok_or_else(|| TemplateError::Field(name.to_owned()))?));
            rest = tail;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Lower-case hex SHA-256 of the filled-in template.
    pub(super) fn sign<'v>(&self, value: impl Fn(Field) -> &'v str) -> String {
        let mut hash = Sha256::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => hash.update(text),
                Part::Field(field) => hash.update(value(*field)),
            }
        }
        hex::encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_answer_of_the_document() {
        let sign = create_sign("order123", "1500.00", "79161234567", "rub", "test_sign_key");
        assert_eq!(sign, "53f49a84b929a1c6bf16fdf36ed151738def4b30a8088237ce480ffef538aa2f");
    }

    #[test]
    fn a_template_signs_what_it_spells() {
        let template = Template::parse("{order_id}:{sign_key}").unwrap();
        let sign = template.sign(|field| if field == Field::OrderId { "a" } else { "key" });
        assert_eq!(sign, hex::encode(Sha256::digest("a:key")));
    }

    #[test]
    fn a_template_with_an_unknown_field_is_refused() {
        assert!(matches!(Template::parse("{order}"), Err(TemplateError::Field(_))));
        assert!(matches!(Template::parse("{order_id"), Err(TemplateError::Open(_))));
    }
}
