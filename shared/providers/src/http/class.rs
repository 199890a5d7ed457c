//! What an HTTP status means before anybody has read the body. The same for every provider.

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::time::SystemTime;

/// What a status says about a request that may have moved money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusClass {
    /// 2xx: the body says.
    Told,
    /// 401, 403: our credentials or our account, unless the body says something listed.
    Credentials,
    /// 429: nothing was done; later.
    TooMany,
    /// Any other 4xx: the provider's table says, else a person.
    Refused,
    /// Nothing can be concluded, whatever the body says: 1xx, 3xx, 5xx, and the 4xx that a server
    /// or a proxy may give after it has passed the request on (408, 425, 499).
    Unknown,
    /// 409: as a rule "already exists". Unknown, unless the body says something listed.
    Conflict,
}

/// The class of a status.
pub fn class_of_status(status: u16) -> StatusClass {
    match status {
        200..=299 => StatusClass::Told,
        401 | 403 => StatusClass::Credentials,
        429 => StatusClass::TooMany,
        408 | 425 | 499 => StatusClass::Unknown,
        409 => StatusClass::Conflict,
        400..=499 => StatusClass::Refused,
        _ => StatusClass::Unknown,
    }
}

/// The longest pause that a provider may ask for; it is asked again after that.
const RETRY_AFTER_MS_MAX: u64 = 3_600_000;

/// `Retry-After` in milliseconds, from seconds or an HTTP date. A date is compared with the
/// answer's own `Date` where there is one, so that a wrong clock, here or there, does no harm.
pub(super) fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let ms = match text.parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1000),
        Err(_) => {
            let until = httpdate::parse_http_date(text).ok()?;
            let date = headers.get(DATE).and_then(|date| date.to_str().ok());
            let now = date
                .and_then(|date| httpdate::parse_http_date(date).ok())
                .unwrap_or_else(SystemTime::now);
            let pause = until.duration_since(now).unwrap_or_default();
            u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
        }
    };
    Some(ms.min(RETRY_AFTER_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn every_status_that_proves_nothing_is_unknown() {
        for status in [100, 101, 301, 302, 307, 308, 408, 425, 499, 500, 502, 503, 504, 599, 999] {
            assert_eq!(class_of_status(status), StatusClass::Unknown, "{status}");
        }
        assert_eq!(class_of_status(201), StatusClass::Told);
        assert_eq!(class_of_status(401), StatusClass::Credentials);
        assert_eq!(class_of_status(403), StatusClass::Credentials);
        assert_eq!(class_of_status(404), StatusClass::Refused);
        assert_eq!(class_of_status(409), StatusClass::Conflict);
        assert_eq!(class_of_status(429), StatusClass::TooMany);
    }

    fn pause(retry_after: &'static str, date: Option<&'static str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        retry_after_ms(&headers)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(pause("7", None), Some(7_000));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:42 GMT", date), Some(5_000));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:30 GMT", date), Some(0));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:42 GMT", None), Some(0));
        assert_eq!(pause("99999999999999999999999", None), None);
        assert_eq!(pause("18446744073709551615", None), Some(RETRY_AFTER_MS_MAX));
        assert_eq!(pause("soon", None), None);
        assert_eq!(retry_after_ms(&HeaderMap::new()), None);
    }
}
