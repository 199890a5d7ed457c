//! What a person has seen of a payout, as one short text.
//!
//! Evidence that changes nothing leaves the payout's own version alone, and still somebody who has
//! not read it must not decide: so what was seen is the version *and* the number of notes.

use std::fmt;
use std::str::FromStr;

/// A payout's version and the notes beside it: `7.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The payout's version.
    pub version: u32,
    /// How many notes stood beside it.
    pub notes: usize,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.notes)
    }
}

/// A text that names no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a version as `producer review show` prints it, such as 7.3")]
pub struct NotAVersion;

impl FromStr for Seen {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Seen, NotAVersion> {
        let (version, notes) = text.trim().split_once('.').ok_or(NotAVersion)?;
        let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_plain(version) || !is_plain(notes) {
            return Err(NotAVersion);
        }
        let version = version.parse().map_err(|_| NotAVersion)?;
        let notes = notes.parse().map_err(|_| NotAVersion)?;
        Ok(Seen { version, notes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_it_is_written_and_nothing_else_is_one() {
        let seen = Seen { version: 7, notes: 3 };
        assert_eq!(seen.to_string().parse(), Ok(seen));
        for text in ["7", "7.", ".3", "7.3.1", "+7.3", "7.x", ""] {
            assert_eq!(text.parse::<Seen>(), Err(NotAVersion), "{text}");
        }
    }
}
