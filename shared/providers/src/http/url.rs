//! URLs that may be called: https, or http on this machine; no user, no password, no fragment.
//!
//! The check is the only way to get a [`ProviderUrl`], and the client takes nothing else. So a
//! URL that a provider sends is held to the same rule as the one in the config.

use std::fmt;
use url::{Host, Url};

/// A URL that may be called.
#[derive(Clone, PartialEq, Eq)]
pub struct ProviderUrl(Url);

/// A URL that may not. The URL itself is no part of the words: it may carry what is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL with a host.
    #[error("not a URL; expected something like https://api.example.com")]
    NotAUrl,
    /// http to somewhere else.
    #[error("only https is allowed, or http to this machine (localhost, 127.0.0.1, ::1)")]
    NotHttps,
    /// `user:password@host`.
    #[error("a URL must not carry a user or a password; keys have settings of their own")]
    Credentials,
    /// `#…`, or `?…` in a base.
    #[error("a URL of a provider has no query and no fragment")]
    Tail,
}

impl ProviderUrl {
    /// Reads and checks a URL without query and fragment.
    pub fn parse(text: &str) -> Result<ProviderUrl, UrlError> {
        let url = Url::parse(text.trim()).map_err(|_| UrlError::NotAUrl)?;
        let is_loopback = match url.host().ok_or(UrlError::NotAUrl)? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            _ => return Err(UrlError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(UrlError::Tail);
        }
        Ok(ProviderUrl(url))
    }

    /// This URL with `segments` below it, each escaped, and a slash at the end.
    pub fn below(&self, segments: &[&str]) -> ProviderUrl {
        let mut url = self.0.clone();
        // Fails only for URLs that cannot have a path; `parse` lets none of them in.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments).push("");
        }
        ProviderUrl(url)
    }

    /// This URL with `segments` below it, each escaped, and no slash at the end.
    pub fn file(&self, segments: &[&str]) -> ProviderUrl {
        let mut url = self.0.clone();
        // As in `below`.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        ProviderUrl(url)
    }

    /// This URL with parameters, each escaped; without any, it is as it was.
    pub fn with_query(&self, pairs: &[(&str, &str)]) -> ProviderUrl {
        let mut url = self.0.clone();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        ProviderUrl(url)
    }

    /// Host, port if it is not the usual one, and path without a slash at the end: what names an
    /// account's server in a fingerprint.
    pub fn host_and_path(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{host}{port}{}", self.0.path().trim_end_matches('/'))
    }

    /// Whether it is http, which only this machine may be.
    pub fn is_plain(&self) -> bool {
        self.0.scheme() == "http"
    }

    pub(super) fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for ProviderUrl {
    /// Scheme and host alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for good in
            ["https://api.example.com", "http://127.0.0.1:80/x", "http://localhost", "http://[::1]"]
        {
            assert!(ProviderUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.example.com",
            "http://10.0.0.1",
            "ftp://127.0.0.1/",
            "http://localhost.evil.com",
        ] {
            assert_eq!(ProviderUrl::parse(bad), Err(UrlError::NotHttps), "{bad}");
        }
        assert_eq!(ProviderUrl::parse("example.com"), Err(UrlError::NotAUrl));
        assert_eq!(ProviderUrl::parse("https://a:b@example.com"), Err(UrlError::Credentials));
        assert_eq!(ProviderUrl::parse("https://example.com/?key=1"), Err(UrlError::Tail));
    }

    #[test]
    fn what_lies_below_is_escaped_and_ends_with_a_slash() {
        let base = ProviderUrl::parse("https://example.com/v1/").unwrap();
        let below = base.below(&["api", "a/b", "x y"]);
        assert_eq!(below.as_url().as_str(), "https://example.com/v1/api/a%2Fb/x%20y/");
        assert_eq!(
            ProviderUrl::parse("https://EXAMPLE.com:443/v1/").unwrap().host_and_path(),
            "example.com/v1"
        );
        assert_eq!(
            ProviderUrl::parse("http://127.0.0.1:81").unwrap().host_and_path(),
            "127.0.0.1:81"
        );
    }

    #[test]
    fn a_file_has_no_slash_at_its_end_and_its_parameters_are_escaped() {
        let base = ProviderUrl::parse("https://example.com/v1/").unwrap();
        let file = base.file(&["pay outs", "a/b"]);
        assert_eq!(file.as_url().as_str(), "https://example.com/v1/pay%20outs/a%2Fb");
        let asked = file.with_query(&[("reference", "a&b=c"), ("skip", "0")]);
        assert_eq!(asked.as_url().query(), Some("reference=a%26b%3Dc&skip=0"));
        assert_eq!(file.with_query(&[]), file);
    }

    #[test]
    fn a_url_that_is_printed_shows_no_path() {
        let url = ProviderUrl::parse("https://example.com/secret").unwrap();
        assert_eq!(format!("{url:?}"), "https://example.com/…");
    }
}
