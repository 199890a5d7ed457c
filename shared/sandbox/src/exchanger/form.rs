//! A form body as PHP reads it: what is missing is empty, of two the last counts, and what is no
//! number is 0.

use std::collections::HashMap;

use crate::server::{BodyError, Call, Reply};
use hyper::StatusCode;
use hyper::header::CONTENT_TYPE;

const FORM: &[u8] = b"application/x-www-form-urlencoded";

pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// Reads the body. One of another content type has no parameters, as PHP sees it.
    pub(super) async fn read(call: &mut Call) -> Result<Self, Reply> {
        let kind = call.headers().get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
        let is_form = kind.get(..FORM.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(FORM));
        match call.read_body().await {
            Ok(body) if is_form => Ok(Self::parse(&body)),
            Ok(_) => Ok(Self(HashMap::new())),
            Err(BodyError::TooLong) => Err(Reply::empty(StatusCode::PAYLOAD_TOO_LARGE)),
            // Nobody is there to read an answer.
            Err(BodyError::Gone) => Err(Reply::Reset),
        }
    }

    fn parse(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// Without the blanks around it.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// A text that is there.
    pub(super) fn filter(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// The digits that it begins with.
    pub(super) fn number(&self, name: &str) -> u64 {
        let text = self.text(name);
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        text.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_php_reads_it() {
        let form = Form::parse(b"a=1%2B+x+&limit=12abc&b=1&b=2&none=&big=99999999999999999999");
        assert_eq!(form.text("a"), "1+ x");
        assert_eq!((form.number("limit"), form.number("a"), form.number("missing")), (12, 1, 0));
        assert_eq!((form.text("b"), form.filter("none"), form.number("big")), ("2", None, 0));
    }
}
