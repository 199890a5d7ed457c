//! A call's fields: form-urlencoded or multipart, UTF-8, both read alike.

use std::collections::HashMap;

use super::answer::{No, Refusal};
use super::code::Code;

/// The longest boundary that RFC 2046 allows.
const BOUNDARY_MAX: usize = 70;
/// Fields of a call; the largest documented one has ten.
const FIELDS_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// `None` if it is neither, or not UTF-8.
    pub(super) fn parse(content_type: &str, body: &[u8]) -> Option<Self> {
        let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        match kind.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => urlencoded(body),
            "multipart/form-data" => multipart(boundary(parameters)?, body),
            _ => None,
        }
    }

    /// A field's value, empty if it is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A whole number; a missing one is `None`, anything else is code 202.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, No> {
        match self.get(name) {
            "" => Ok(None),
            text => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Refusal::because(Code::PARAMS, format!("{name}: not a number"))),
            },
        }
    }
}

fn urlencoded(body: &[u8]) -> Option<Form> {
    let text = std::str::from_utf8(body).ok()?;
    let fields = url::form_urlencoded::parse(text.as_bytes()).into_owned();
    Some(Form(fields.take(FIELDS_MAX).collect()))
}

fn boundary(parameters: &str) -> Option<&str> {
    let mut all = parameters.split(';').filter_map(|parameter| parameter.trim().split_once('='));
    let (_, value) = all.find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let value = value.trim_matches('"');
    (1..=BOUNDARY_MAX).contains(&value.len()).then_some(value)
}

fn multipart(boundary: &str, body: &[u8]) -> Option<Form> {
    let body = format!("\r\n{}", std::str::from_utf8(body).ok()?);
    let delimiter = format!("\r\n--{boundary}");
    let mut fields = HashMap::new();
    for part in body.split(&delimiter).skip(1).take(FIELDS_MAX) {
        if part.starts_with("--") {
            return Some(Form(fields));
        }
        let (head, value) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        fields.insert(field_name(head)?.to_owned(), value.to_owned());
    }
    // It broke off before its end.
    None
}

fn field_name(head: &str) -> Option<&str> {
    let is_disposition =
        |line: &&str| line.to_ascii_lowercase().starts_with("content-disposition:");
    let line = head.split("\r\n").find(is_disposition)?;
    let (_, rest) = line.split_once(" name=\"").or_else(|| line.split_once(";name=\""))?;
    rest.split_once('"').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_keep_line_breaks_and_letters_of_a_batch() {
        let plain = Form::parse("application/x-www-form-urlencoded", b"a=1%0A%D0%B9+x&b=").unwrap();
        let body = "--q\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\nй x\r\n--q--\r\n";
        let parts = Form::parse("multipart/form-data; boundary=\"q\"", body.as_bytes()).unwrap();
        assert_eq!((plain.get("a"), parts.get("a"), plain.get("none")), ("1\nй x", "1\nй x", ""));
    }

    #[test]
    fn what_is_no_form_or_breaks_off_is_none() {
        assert!(Form::parse("application/json", b"{}").is_none());
        assert!(Form::parse("application/x-www-form-urlencoded", b"a=\xff").is_none());
        let torn = b"--q\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1";
        assert!(Form::parse("multipart/form-data; boundary=q", torn).is_none());
    }
}
