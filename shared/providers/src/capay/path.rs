//! Paths of the profile: what stands behind the base URL, with a place for an id.

use crate::http::ProviderUrl;
use serde::Deserialize;

/// What stands for the id.
const ID: &str = "{id}";

/// A path such as `/transactions/payouts/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Path(Vec<String>);

impl TryFrom<String> for Path {
    type Error = String;

    fn try_from(text: String) -> Result<Path, String> {
        let wrong = || format!("\"{text}\" is not a path; expected one such as \"/payouts/{ID}\"");
        let segments: Vec<_> =
            text.strip_prefix('/').ok_or_else(wrong)?.split('/').map(str::to_owned).collect();
        let is_plain = |segment: &String| {
            let good = |b: u8| b.is_ascii_graphic() && !b"?#%{}\\".contains(&b);
            segment == ID || (!segment.is_empty() && segment.bytes().all(good) && !is_dots(segment))
        };
        let ids = segments.iter().filter(|segment| *segment == ID).count();
        if ids > 1 || !segments.iter().all(is_plain) {
            return Err(wrong());
        }
        Ok(Path(segments))
    }
}

impl Path {
    /// A path that the code itself names.
    pub(super) fn of(segments: &[&str]) -> Path {
        Path(segments.iter().map(|segment| (*segment).to_owned()).collect())
    }

    /// Whether it has a place for an id.
    pub(super) fn takes_id(&self) -> bool {
        self.0.iter().any(|segment| segment == ID)
    }

    /// The URL without an id.
    pub(super) fn url(&self, base: &ProviderUrl) -> ProviderUrl {
        self.url_of(base, ID)
    }

    /// The URL with `id` in its place, escaped.
    pub(super) fn url_of(&self, base: &ProviderUrl, id: &str) -> ProviderUrl {
        let segments: Vec<_> =
            self.0.iter().map(|segment| if segment == ID { id } else { segment }).collect();
        base.file(&segments)
    }
}

/// Dots alone would be taken for "here" or "above", and name another resource.
pub(super) fn is_dots(segment: &str) -> bool {
    segment.bytes().all(|b| b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_escaped_in_its_place() {
        let base = ProviderUrl::parse("https://example.com/v1").unwrap();
        let path = Path::try_from("/payouts/{id}/cancel".to_owned()).unwrap();
        assert!(path.takes_id());
        assert_eq!(
            path.url_of(&base, "a/b?c").host_and_path(),
            "example.com/v1/payouts/a%2Fb%3Fc/cancel"
        );
    }

    #[test]
    fn what_would_name_another_place_is_refused() {
        for bad in
            ["payouts", "/", "/a//b", "/a/", "/a?b=c", "/a/../b", "/{id}/{id}", "/x{id}", "/a b"]
        {
            assert!(Path::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
