//! The URLs that providers call: they carry the row's place, so that a callback finds its payout
//! without an index, and a MAC, so that nobody can make one up.
//!
//! `<public_url>/cb/<lane>/<place>/<attempt>/<kind>.<mac>`, where the MAC is the first 16 bytes
//! of HMAC-SHA256 over `<lane>/<place>/<attempt>/<kind>`, in lower-case hex. The MAC is checked
//! before anything is read from the path, in constant time. The key outlives restarts: payouts
//! that are under way carry URLs made with it.

use crate::api::CallbackKind;
use domain::{LaneName, Place};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::{self, Write};
use url::Url;

/// Bytes of the MAC in a URL; 128 bits cannot be guessed.
const MAC_BYTES: usize = 16;
/// `/cb/`, a lane of 32, a place of 38, an attempt of 3, the longer kind, a MAC of 32, and what
/// stands between them.
const TAIL_MAX: usize = 4 + 32 + 1 + 38 + 1 + 3 + 1 + 7 + 1 + 2 * MAC_BYTES;
const ROOT: &str = "/cb/";
/// What stands behind the lane in its one URL; no place looks like it.
const NOTICES: &str = "notices";

/// Makes and reads callback URLs. One key per installation.
#[derive(Clone)]
pub struct CallbackUrls {
    /// Without a slash at the end.
    public_url: String,
    /// Its path, which a proxy may or may not have taken off.
    prefix: String,
    /// Keyed once; each URL works on a copy.
    mac: Hmac<Sha256>,
    is_stand_in: bool,
}

/// What a callback URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackTarget {
    /// The lane.
    pub lane: LaneName,
    /// The row.
    pub place: Place,
    /// The attempt that it was made for.
    pub attempt: u8,
    /// Which of the two URLs.
    pub kind: CallbackKind,
}

/// A public URL that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("public_url \"{0}\" cannot be called back; expected http(s)://host[:port][/path]")]
pub struct NotAPublicUrl(String);

impl CallbackUrls {
    /// URLs below `public_url`, under `key`.
    pub fn new(public_url: &str, key: [u8; 32]) -> Result<CallbackUrls, NotAPublicUrl> {
        let wrong = || NotAPublicUrl(public_url.chars().take(200).collect());
        let url = Url::parse(public_url.trim()).map_err(|_| wrong())?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
            return Err(wrong());
        }
        Ok(CallbackUrls {
            public_url: url.as_str().trim_end_matches('/').to_owned(),
            prefix: url.path().trim_end_matches('/').to_owned(),
            // HMAC takes a key of any length, so this does not fail.
            mac: Hmac::new_from_slice(&key).map_err(|_| wrong())?,
            is_stand_in: false,
        })
    }

    /// The same, made with another key than the workers': good for building an adapter that
    /// creates nothing, and never to be given to anybody.
    pub fn stand_in(self) -> CallbackUrls {
        CallbackUrls { is_stand_in: true, ..self }
    }

    /// Whether the workers would refuse these URLs.
    pub fn is_stand_in(&self) -> bool {
        self.is_stand_in
    }

    /// The URL for one kind of news about one attempt.
    pub fn url(&self, lane: &LaneName, place: Place, attempt: u8, kind: CallbackKind) -> String {
        let mut url = String::with_capacity(self.public_url.len() + TAIL_MAX);
        url.push_str(&self.public_url);
        url.push_str(ROOT);
        let start = url.len();
        // Writing into a String cannot fail.
        let _ = write!(url, "{lane}/{place}/{attempt}/{}", word(kind));
        let mac = self.mac.clone().chain_update(&url.as_bytes()[start..]).finalize().into_bytes();
        let mut text = [0; 2 * MAC_BYTES];
        // The buffer is twice as long as what is encoded, so this cannot fail either.
        let _ = hex::encode_to_slice(&mac[..MAC_BYTES], &mut text);
        url.push('.');
        url.extend(text.iter().map(|byte| char::from(*byte)));
        url
    }

    /// Reads the path of a call, with or without the path of the public URL before it. `None`
    /// for everything that was not made with this key.
    pub fn read(&self, path: &str) -> Option<CallbackTarget> {
        let path = path.strip_prefix(&*self.prefix).unwrap_or(path);
        let (told, mac) = path.strip_prefix(ROOT)?.rsplit_once('.')?;
        let mut bytes = [0; MAC_BYTES];
        hex::decode_to_slice(mac, &mut bytes).ok()?;
        self.mac.clone().chain_update(told.as_bytes()).verify_truncated_left(&bytes).ok()?;
        let mut parts = told.split('/');
        let target = CallbackTarget {
            lane: LaneName::new(parts.next()?).ok()?,
            place: parts.next()?.parse().ok()?,
            attempt: parts.next()?.parse().ok()?,
            kind: match parts.next()? {
                "success" => CallbackKind::Success,
                "error" => CallbackKind::Error,
                "status" => CallbackKind::Status,
                _ => return None,
            },
        };
        parts.next().is_none().then_some(target)
    }

    /// The one URL of a lane, for providers that tell all news there.
    pub fn lane_url(&self, lane: &LaneName) -> String {
        let told = format!("{lane}/{NOTICES}");
        let mac = self.mac.clone().chain_update(told.as_bytes()).finalize().into_bytes();
        format!("{}{ROOT}{told}.{}", self.public_url, hex::encode(&mac[..MAC_BYTES]))
    }

    /// The lane whose [`CallbackUrls::lane_url`] this path is, if it is one.
    pub fn read_lane(&self, path: &str) -> Option<LaneName> {
        let path = path.strip_prefix(&*self.prefix).unwrap_or(path);
        let (told, mac) = path.strip_prefix(ROOT)?.rsplit_once('.')?;
        let mut bytes = [0; MAC_BYTES];
        hex::decode_to_slice(mac, &mut bytes).ok()?;
        self.mac.clone().chain_update(told.as_bytes()).verify_truncated_left(&bytes).ok()?;
        LaneName::new(told.strip_suffix(NOTICES)?.strip_suffix('/')?).ok()
    }

    /// The longest URL that [`CallbackUrls::url`] can make, in bytes.
    pub fn longest(&self) -> usize {
        self.public_url.len() + TAIL_MAX
    }
}

fn word(kind: CallbackKind) -> &'static str {
    match kind {
        CallbackKind::Success => "success",
        CallbackKind::Error => "error",
        CallbackKind::Status => "status",
    }
}

impl fmt::Debug for CallbackUrls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackUrls").field("public_url", &self.public_url).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{BatchId, ChunkId};
    use proptest::prelude::*;
    use ulid::Ulid;

    const KINDS: [CallbackKind; 3] =
        [CallbackKind::Success, CallbackKind::Error, CallbackKind::Status];

    fn urls(key: u8) -> CallbackUrls {
        CallbackUrls::new("https://pay.example.com/hooks/", [key; 32]).unwrap()
    }

    fn place(chunk: u16, row: u16) -> Place {
        Place { chunk: ChunkId { batch: BatchId(Ulid::from_parts(7, 9)), no: chunk }, row }
    }

    proptest! {
        #[test]
        fn what_a_url_carries_comes_back(
            lane in "[a-z0-9-]{1,32}", chunk: u16, row: u16, attempt: u8, kind in 0usize..3,
        ) {
            let lane = LaneName::new(&lane).unwrap();
            let url = urls(1).url(&lane, place(chunk, row), attempt, KINDS[kind]);
            prop_assert!(url.len() <= urls(1).longest());
            let whole = url.strip_prefix("https://pay.example.com").unwrap();
            let target =
                CallbackTarget { lane, place: place(chunk, row), attempt, kind: KINDS[kind] };
            prop_assert_eq!(urls(1).read(whole), Some(target.clone()));
            // A proxy took the prefix off.
            prop_assert_eq!(urls(1).read(whole.strip_prefix("/hooks").unwrap()), Some(target));
            prop_assert_eq!(urls(2).read(whole), None);
        }

        #[test]
        fn a_url_with_any_character_changed_is_nobodys(at in 0usize..200, to in "[a-z0-9./-]") {
            let url = urls(1).url(&LaneName::new("main").unwrap(), place(3, 17), 1, KINDS[0]);
            let path = url.strip_prefix("https://pay.example.com/hooks").unwrap();
            let at = at % path.len();
            let mut forged = path.to_owned();
            forged.replace_range(at..=at, &to);
            prop_assume!(forged != path);
            prop_assert_eq!(urls(1).read(&forged), None);
        }

        #[test]
        fn no_path_makes_reading_panic(path in ".*") {
            prop_assert_eq!(urls(1).read(&path), None);
        }
    }

    #[test]
    fn a_url_looks_as_agreed() {
        let url = urls(1).url(&LaneName::new("main").unwrap(), place(3, 17), 2, KINDS[1]);
        let (told, mac) = url.rsplit_once('.').unwrap();
        let batch = BatchId(Ulid::from_parts(7, 9));
        assert_eq!(told, format!("https://pay.example.com/hooks/cb/main/{batch}.3.17/2/error"));
        assert_eq!(mac.len(), 32);
    }

    #[test]
    fn a_lanes_one_url_names_it_and_nobody_makes_one_up() {
        let lane = LaneName::new("main").unwrap();
        let url = urls(1).lane_url(&lane);
        let path = url.strip_prefix("https://pay.example.com").unwrap();
        assert_eq!(urls(1).read_lane(path), Some(lane));
        assert_eq!(urls(2).read_lane(path), None);
        assert_eq!(urls(1).read_lane(&path.replace("main", "mail")), None);
        assert_eq!(urls(1).read(path), None, "it names no payout");
    }

    #[test]
    fn the_key_is_never_printed_and_odd_public_urls_are_refused() {
        assert!(!format!("{:?}", urls(77)).contains("77"));
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "https://a.example/?x=1",
            "https://u@a.example",
        ] {
            assert!(CallbackUrls::new(bad, [0; 32]).is_err(), "{bad}");
        }
    }
}
