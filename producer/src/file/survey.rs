//! The first pass: what a file is, before anything of it is believed.

use super::text::BUFFER_BYTES;
use sha2::{Digest, Sha256};
use std::io::Read;

/// How the characters of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// With or without a byte order mark.
    Utf8,
    /// Little endian, with or without a mark.
    Utf16Le,
    /// Big endian, with or without a mark.
    Utf16Be,
    /// What Windows programs of Western Europe write: everything that is not valid UTF-8.
    Windows1252,
}

impl Encoding {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf16Le | Encoding::Utf16Be => "UTF-16",
            Encoding::Windows1252 => "Windows-1252",
        }
    }
}

/// What the first pass learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// SHA-256 of the bytes as they lie in the file, hex.
    pub sha256: String,
    /// Size of the file.
    pub bytes: u64,
    /// How its characters are written.
    pub encoding: Encoding,
    /// What ends its lines for the purpose of counting them: `\n`, or `\r` where there is none.
    pub line_break: u8,
}

/// Why a file cannot be a table.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// No bytes.
    #[error("the file is empty; expected a header line and at least one row")]
    Empty,
    /// Not text.
    #[error("the file is {what}, not text; export it as CSV")]
    Binary {
        /// What it seems to be.
        what: &'static str,
    },
    /// The disk.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
}

/// Beginnings of files that people drop by mistake.
const SIGNATURES: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "a zip archive or a spreadsheet (xlsx, ods)"),
    (b"\xD0\xCF\x11\xE0", "an old spreadsheet (xls)"),
    (b"%PDF", "a PDF document"),
    (b"\x1F\x8B", "compressed with gzip"),
    (b"\x89PNG", "a picture"),
];

/// Reads the whole file once.
pub fn survey(mut file: impl Read) -> Result<Survey, SurveyError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut guess: Option<Encoding> = None;
    let (mut bytes, mut kept) = (0u64, 0);
    let (mut valid_utf8, mut has_zero, mut has_line_feed) = (true, false, false);
    loop {
        let read = file.read(&mut buffer[kept..])?;
        if read == 0 {
            break;
        }
        let filled = kept + read;
        let fresh = &buffer[kept..filled];
        hasher.update(fresh);
        has_zero |= fresh.contains(&0);
        has_line_feed |= fresh.contains(&b'\n');
        if bytes == 0 {
            guess = by_beginning(&buffer[..filled])?;
        }
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
        kept = 0;
        if valid_utf8 && let Err(error) = std::str::from_utf8(&buffer[..filled]) {
            match error.error_len() {
                // A character that the buffer's end has cut: its beginning waits for the rest.
                None => {
                    buffer.copy_within(error.valid_up_to()..filled, 0);
                    kept = filled - error.valid_up_to();
                }
                Some(_) => valid_utf8 = false,
            }
        }
    }
    if bytes == 0 {
        return Err(SurveyError::Empty);
    }
    let encoding = match guess {
        Some(wide @ (Encoding::Utf16Le | Encoding::Utf16Be)) => wide,
        _ if has_zero => return Err(SurveyError::Binary { what: "binary" }),
        _ if valid_utf8 && kept == 0 => Encoding::Utf8,
        _ => Encoding::Windows1252,
    };
    let line_break = if has_line_feed { b'\n' } else { b'\r' };
    Ok(Survey { sha256: hex::encode(hasher.finalize()), bytes, encoding, line_break })
}

/// What the first bytes say: a mark, zero bytes where UTF-16 has them, or something binary.
fn by_beginning(head: &[u8]) -> Result<Option<Encoding>, SurveyError> {
    match head {
        [0xFF, 0xFE, ..] => return Ok(Some(Encoding::Utf16Le)),
        [0xFE, 0xFF, ..] => return Ok(Some(Encoding::Utf16Be)),
        _ => {}
    }
    if let Some((_, what)) = SIGNATURES.iter().find(|(bytes, _)| head.starts_with(bytes)) {
        return Err(SurveyError::Binary { what });
    }
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|b| **b == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    // Western text in UTF-16 has a zero in nearly every second byte, Cyrillic in each digit,
    // delimiter and line break.
    if odd * 4 > half && even * 20 < odd {
        return Ok(Some(Encoding::Utf16Le));
    }
    if even * 4 > half && odd * 20 < even {
        return Ok(Some(Encoding::Utf16Be));
    }
    let control = |b: &&u8| **b < b'\t' || (0x0E..0x20).contains(*b);
    if head.iter().filter(control).count() * 100 > head.len() {
        return Err(SurveyError::Binary { what: "binary" });
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(bytes: &[u8]) -> Encoding {
        survey(bytes).unwrap().encoding
    }

    fn utf16(text: &str, swap: bool) -> Vec<u8> {
        let order = |unit: u16| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn each_encoding_is_recognised() {
        assert_eq!(encoding("reference,amount\r\nä,1\r\n".as_bytes()), Encoding::Utf8);
        assert_eq!(encoding(b"\xEF\xBB\xBFreference,amount\n"), Encoding::Utf8);
        assert_eq!(encoding(b"reference;Empf\xE4nger\n"), Encoding::Windows1252);
        assert_eq!(encoding(&utf16("reference,amount\n", false)), Encoding::Utf16Le);
        assert_eq!(encoding(&utf16("\u{FEFF}имя,сумма\n1,2\n", true)), Encoding::Utf16Be);
        assert_eq!(encoding(&utf16("\u{FEFF}имя,сумма\n1,2\n", false)), Encoding::Utf16Le);
    }

    #[test]
    fn a_character_cut_by_the_buffer_is_still_utf8() {
        let mut text = "a".repeat(BUFFER_BYTES - 1);
        text.push_str("äöü");
        assert_eq!(encoding(text.as_bytes()), Encoding::Utf8);
        let mut bytes = text.into_bytes();
        bytes.pop();
        assert_eq!(encoding(&bytes), Encoding::Windows1252);
    }

    #[test]
    fn what_is_not_text_is_refused_by_name() {
        let words = |bytes: &[u8]| survey(bytes).unwrap_err().to_string();
        assert_eq!(
            words(b"PK\x03\x04rest"),
            "the file is a zip archive or a spreadsheet (xlsx, ods), not text; export it as CSV"
        );
        assert_eq!(words(b"a,b\n1,\x00\n"), "the file is binary, not text; export it as CSV");
        assert_eq!(words(b"\x01\x02\x03\x04"), "the file is binary, not text; export it as CSV");
        assert!(words(b"").starts_with("the file is empty"));
    }
}
