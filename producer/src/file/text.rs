//! The second pass, first half: bytes become UTF-8, and are hashed once more on the way, so that
//! a file that changed between the passes is noticed.

use super::survey::Encoding;
use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Read};

/// Bytes read at once.
pub const BUFFER_BYTES: usize = 64 << 10;

/// One byte of Windows-1252, or two of UTF-16, make at most three of UTF-8.
const DECODED_BYTES: usize = 3 * BUFFER_BYTES + 16;

/// Why a text broke off.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The disk.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
    /// Not what the survey found.
    #[error("the file has characters that are not {0}; export it as UTF-8")]
    Malformed(&'static str),
}

/// A file as UTF-8, a window at a time.
pub struct Text<R> {
    input: R,
    hasher: Sha256,
    bytes: u64,
    name: &'static str,
    /// None for UTF-8: then `window` is read directly.
    decoder: Option<(Decoder, Vec<u8>)>,
    window: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl<R: Read> Text<R> {
    /// Reads `input`, which [`super::survey`] found to be in `encoding`.
    pub fn new(input: R, encoding: Encoding) -> Text<R> {
        let decoder = match encoding {
            Encoding::Utf8 => None,
            Encoding::Utf16Le => Some(UTF_16LE),
            Encoding::Utf16Be => Some(UTF_16BE),
            Encoding::Windows1252 => Some(WINDOWS_1252),
        }
        .map(|encoding| (encoding.new_decoder_with_bom_removal(), vec![0; BUFFER_BYTES]));
        let window = if decoder.is_some() { DECODED_BYTES } else { BUFFER_BYTES };
        Text {
            input,
            hasher: Sha256::new(),
            bytes: 0,
            name: encoding.name(),
            decoder,
            window: vec![0; window],
            start: 0,
            end: 0,
            ended: false,
        }
    }

    /// What is read and not yet consumed; empty at the end of the file.
    pub fn fill(&mut self) -> Result<&[u8], TextError> {
        while self.start == self.end && !self.ended {
            self.refill()?;
        }
        Ok(&self.window[self.start..self.end])
    }

    /// Takes `count` bytes off the window.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Bytes of the file read so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of the bytes read so far, hex.
    pub fn sha256(&self) -> String {
        hex::encode(self.hasher.clone().finalize())
    }

    fn refill(&mut self) -> Result<(), TextError> {
        let first = self.bytes == 0;
        let raw = match &mut self.decoder {
            Some((_, raw)) => raw,
            None => &mut self.window,
        };
        let read = read_full(&mut self.input, raw)?;
        self.ended = read == 0;
        self.hasher.update(&raw[..read]);
        self.bytes += u64::try_from(read).unwrap_or(u64::MAX);
        self.start = 0;
        let Some((decoder, raw)) = &mut self.decoder else {
            self.end = read;
            if first && self.window[..read].starts_with(b"\xEF\xBB\xBF") {
                self.start = 3;
            }
            return Ok(());
        };
        let (result, _, written, malformed) =
            decoder.decode_to_utf8(&raw[..read], &mut self.window, read == 0);
        if malformed || result == CoderResult::OutputFull {
            return Err(TextError::Malformed(self.name));
        }
        self.end = written;
        Ok(())
    }
}

/// Fills the buffer as far as the file reaches, so that the first window holds the whole header.
fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, TextError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], encoding: Encoding) -> Result<String, TextError> {
        let mut text = Text::new(bytes, encoding);
        let mut all = Vec::new();
        loop {
            let window = text.fill()?;
            if window.is_empty() {
                return Ok(String::from_utf8(all).unwrap());
            }
            all.extend_from_slice(window);
            let length = window.len();
            text.consume(length);
        }
    }

    #[test]
    fn every_encoding_becomes_the_same_text_without_its_mark() {
        let text = "Größe;Zoë\r\n".repeat(20_000);
        let marked = format!("\u{FEFF}{text}");
        let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (western, _, _) = WINDOWS_1252.encode(&text);
        assert_eq!(decoded(marked.as_bytes(), Encoding::Utf8).unwrap(), text);
        assert_eq!(decoded(&wide, Encoding::Utf16Le).unwrap(), text);
        assert_eq!(decoded(&western, Encoding::Windows1252).unwrap(), text);
    }

    #[test]
    fn half_a_character_of_utf16_is_malformed() {
        let error = decoded(b"a\0b\0c", Encoding::Utf16Le).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the file has characters that are not UTF-16; export it as UTF-8"
        );
    }
}
