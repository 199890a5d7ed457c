//! Which part of a list is asked for: `skip` and `limit`, with their limits.

use hyper::Uri;
use url::form_urlencoded;

use super::check::Wrong;
use super::wire::Page;

/// The longest page; more is refused, not cut, so that a short page always is the last one.
const LIMIT_MAX: u64 = 1_000;
/// Without a `limit`.
const LIMIT: u64 = 10;

/// A query parameter, decoded; of several with one name, the first.
pub(super) fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paging {
    pub(super) skip: u64,
    pub(super) limit: u64,
}

impl Paging {
    pub(super) fn of(uri: &Uri) -> Result<Self, Wrong> {
        let skip = number(uri, "skip", 0)?;
        let limit = number(uri, "limit", LIMIT)?;
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Wrong::new("limit", format!("must be 1 to {LIMIT_MAX}")));
        }
        Ok(Self { skip, limit })
    }

    /// The page after this one: what the fault `status_other_page` gives instead of it.
    pub(super) fn next(self) -> Self {
        Self { skip: self.skip.saturating_add(self.limit), ..self }
    }

    /// Takes this part of `all`.
    pub(super) fn cut<T, U>(self, all: &[T], tell: impl FnMut(&T) -> U) -> Page<U> {
        let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let part = all.iter().skip(place(self.skip)).take(place(self.limit));
        Page {
            data: part.map(tell).collect(),
            skip: self.skip,
            limit: self.limit,
            total: u64::try_from(all.len()).unwrap_or(u64::MAX),
        }
    }
}

fn number(uri: &Uri, name: &'static str, default: u64) -> Result<u64, Wrong> {
    match parameter(uri, name) {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| Wrong::new(name, "must be a whole number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(query: &str) -> Result<(u64, u64), String> {
        let uri: Uri = format!("/list?{query}").parse().unwrap();
        Paging::of(&uri).map(|p| (p.skip, p.limit)).map_err(|wrong| wrong.property.into_owned())
    }

    #[test]
    fn a_page_has_documented_limits() {
        assert_eq!(paging(""), Ok((0, 10)));
        assert_eq!(paging("skip=20&limit=1000"), Ok((20, 1_000)));
        for (bad, property) in
            [("limit=0", "limit"), ("limit=1001", "limit"), ("skip=-1", "skip"), ("skip=x", "skip")]
        {
            assert_eq!(paging(bad), Err(property.to_owned()), "{bad}");
        }
    }

    #[test]
    fn the_last_page_is_short_and_the_one_after_it_empty() {
        let all: Vec<u32> = (0..12).collect();
        let page = |skip| Paging { skip, limit: 10 }.cut(&all, |n| *n);
        assert_eq!((page(0).data.len(), page(10).data, page(20).data), (10, vec![10, 11], vec![]));
        assert_eq!(page(20).total, 12);
    }

    #[test]
    fn parameters_are_decoded() {
        let uri: Uri = "/list?reference=a%2Fb+c&reference=d".parse().unwrap();
        assert_eq!(parameter(&uri, "reference").as_deref(), Some("a/b c"));
        assert_eq!(parameter(&uri, "ref"), None);
    }
}
