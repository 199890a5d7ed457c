//! What is wrong with a row: line, column, value (masked) and what to do.

use domain::row::mask;
use std::fmt;

/// One thing that is wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line of the file at which the row starts.
    pub line: u32,
    /// The column as the file's header names it; empty where the row as a whole is wrong.
    pub column: String,
    /// What stands there, masked; empty where there is nothing to show.
    pub value: String,
    /// What is wrong and what would be accepted.
    pub text: String,
}

/// Characters of a value that are shown.
const SHOWN_CHARS: usize = 40;
/// A value with so many digits may be a card, account or phone number, whatever its column.
const MASKED_DIGITS: usize = 10;

impl Problem {
    /// A problem of the row as a whole.
    pub fn of_row(line: u32, text: impl Into<String>) -> Problem {
        Problem { line, column: String::new(), value: String::new(), text: text.into() }
    }
}

/// A value as it may be shown: columns may be swapped, so what looks like a number of an account
/// is masked wherever it stands.
pub fn shown(value: &str) -> String {
    let value = value.trim();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    if digits >= MASKED_DIGITS {
        return mask(value);
    }
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut text: String = value.chars().take(SHOWN_CHARS).map(clean).collect();
    if value.chars().nth(SHOWN_CHARS).is_some() {
        text.push('…');
    }
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.column.is_empty() {
            write!(f, ", column \"{}\"", self.column)?;
        }
        if !self.value.is_empty() {
            write!(f, ", value \"{}\"", self.value)?;
        }
        write!(f, ": {}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_short_and_never_as_a_whole_number_of_an_account() {
        assert_eq!(shown(" 12,50 "), "12,50");
        assert_eq!(shown("4111 1111 1111 1111"), "4111…1111");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), SHOWN_CHARS + 1);
        assert_eq!(shown("a\nb"), "a b");
    }
}
