//! The second pass, second half: text becomes records, each with the line at which it starts.
//!
//! A record never takes more than [`MAX_RECORD`] bytes of memory: what is longer is read to its
//! end and thrown away, and the record is marked. So a field of 10 MiB, or a quotation that is
//! never closed, is an error with a line number and not a full memory.

use super::text::{Text, TextError};
use csv_core::ReadRecordResult;
use std::io::Read;

/// The longest field, in bytes of UTF-8.
pub const MAX_FIELD: usize = 8 << 10;
/// The longest record, all fields together, in bytes of UTF-8.
pub const MAX_RECORD: usize = 64 << 10;
/// The most columns.
pub const MAX_COLUMNS: usize = 256;

/// What makes a record unusable as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A field, by its index, is longer than [`MAX_FIELD`], or the record than [`MAX_RECORD`].
    TooLong {
        /// Counts from 0.
        field: usize,
    },
    /// More than [`MAX_COLUMNS`].
    TooManyColumns,
    /// The file ended inside quotes.
    OpenQuote,
    /// The bytes are not what the survey saw.
    NotText,
}

/// One record.
pub struct Record<'a> {
    /// The line at which it starts, from 1.
    pub line: u32,
    /// Set where its fields cannot be used.
    pub flaw: Option<Flaw>,
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Record<'a> {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has none, as a flawed one.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A field by its index; empty beyond the last.
    pub fn field(&self, index: usize) -> &'a str {
        let start =
            index.checked_sub(1).map_or(0, |before| self.ends.get(before).copied().unwrap_or(0));
        self.ends.get(index).and_then(|end| self.text.get(start..*end)).unwrap_or("")
    }

    /// All fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &'a str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let text = self.text;
        starts.zip(self.ends).map(move |(start, end)| text.get(start..*end).unwrap_or(""))
    }
}

/// Cuts a [`Text`] into records.
pub struct Records<R> {
    text: Text<R>,
    core: csv_core::Reader,
    output: Vec<u8>,
    ends: Vec<usize>,
    line: u32,
    line_break: u8,
}

impl<R: Read> Records<R> {
    /// Records separated by `delimiter`; lines are counted by `line_break`.
    pub fn new(text: Text<R>, delimiter: u8, line_break: u8) -> Records<R> {
        Records {
            text,
            core: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            output: vec![0; MAX_RECORD],
            ends: vec![0; MAX_COLUMNS],
            line: 1,
            line_break,
        }
    }

    /// Says that lines before the text's beginning were read already.
    pub fn starting_at(mut self, line: u32) -> Records<R> {
        self.line = line;
        self
    }

    /// The text behind the records.
    pub fn text(&self) -> &Text<R> {
        &self.text
    }

    /// The next record; blank lines are passed over.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, TextError> {
        self.skip_line_breaks()?;
        if self.text.fill()?.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let (mut written, mut fields, mut flaw) = (0, 0, None);
        loop {
            let window = self.text.fill()?;
            let at_end = window.is_empty();
            // A line break at the end of the file closes a record, unless quotes are open.
            let input: &[u8] = if at_end { b"\n" } else { window };
            let (result, read, out, ends) =
                self.core.read_record(input, &mut self.output[written..], &mut self.ends[fields..]);
            self.line = self.line.saturating_add(breaks(&input[..read], self.line_break));
            self.text.consume(read);
            written += out;
            fields += ends;
            match result {
                ReadRecordResult::InputEmpty if at_end => {
                    self.core.reset();
                    flaw.get_or_insert(Flaw::OpenQuote);
                    break;
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    flaw.get_or_insert(Flaw::TooLong { field: fields });
                    written = 0;
                }
                ReadRecordResult::OutputEndsFull => {
                    flaw.get_or_insert(Flaw::TooManyColumns);
                    fields = 0;
                }
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        Ok(Some(self.finish(line, written, fields, flaw)))
    }

    fn finish(&self, line: u32, written: usize, fields: usize, flaw: Option<Flaw>) -> Record<'_> {
        let broken = |flaw| Record { line, flaw: Some(flaw), text: "", ends: &[] };
        if let Some(flaw) = flaw {
            return broken(flaw);
        }
        let Ok(text) = std::str::from_utf8(&self.output[..written]) else {
            return broken(Flaw::NotText);
        };
        let ends = &self.ends[..fields];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        match starts.zip(ends).position(|(start, end)| end - start > MAX_FIELD) {
            Some(field) => broken(Flaw::TooLong { field }),
            None => Record { line, flaw: None, text, ends },
        }
    }

    fn skip_line_breaks(&mut self) -> Result<(), TextError> {
        loop {
            let window = self.text.fill()?;
            let blank = window.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            if blank == 0 {
                return Ok(());
            }
            self.line = self.line.saturating_add(breaks(&window[..blank], self.line_break));
            self.text.consume(blank);
        }
    }
}

fn breaks(bytes: &[u8], line_break: u8) -> u32 {
    let count = bytes.iter().filter(|b| **b == line_break).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Encoding, survey};
    use proptest::prelude::*;

    type Row = (u32, Option<Flaw>, Vec<String>);

    fn read(bytes: &[u8]) -> Vec<Row> {
        let line_break = survey(bytes).map_or(b'\n', |s| s.line_break);
        let mut records = Records::new(Text::new(bytes, Encoding::Utf8), b',', line_break);
        let mut all = Vec::new();
        while let Some(r) = records.next_record().unwrap() {
            all.push((r.line, r.flaw, r.fields().map(str::to_owned).collect()));
        }
        all
    }

    fn row(line: u32, fields: &[&str]) -> Row {
        (line, None, fields.iter().map(|f| (*f).to_owned()).collect())
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a,b{end}1,\"x{end}y\"{end}{end}2,z");
            let inner = format!("x{end}y");
            assert_eq!(
                read(text.as_bytes()),
                [row(1, &["a", "b"]), row(2, &["1", &inner]), row(5, &["2", "z"])],
                "{end:?}"
            );
        }
    }

    #[test]
    fn a_field_of_ten_mebibytes_costs_one_row_and_no_memory() {
        let text = format!("a,b\n1,{}\n2,z\n", "x".repeat(10 << 20));
        let all = read(text.as_bytes());
        assert_eq!(all[1], (2, Some(Flaw::TooLong { field: 1 }), vec![]));
        assert_eq!(all[2], row(3, &["2", "z"]));
    }

    #[test]
    fn a_field_just_too_long_is_found_inside_a_short_record() {
        let fits = format!("1,{}\n", "x".repeat(MAX_FIELD));
        let long = format!("1,{}\n", "x".repeat(MAX_FIELD + 1));
        assert_eq!(read(fits.as_bytes())[0].1, None);
        assert_eq!(read(long.as_bytes())[0].1, Some(Flaw::TooLong { field: 1 }));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told_at_its_row() {
        assert_eq!(read(b"a,b\n1,\"x\n2,y\n")[1], (2, Some(Flaw::OpenQuote), vec![]));
        assert_eq!(read(b"a,b\n1,\"x\"")[1], row(2, &["1", "x"]));
    }

    #[test]
    fn too_many_columns_are_a_flaw_of_their_row_only() {
        let wide = ",".repeat(MAX_COLUMNS + 5);
        let all = read(format!("{wide}\na,b\n").as_bytes());
        assert_eq!(all[0].1, Some(Flaw::TooManyColumns));
        assert_eq!(all[1], row(2, &["a", "b"]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec(
            proptest::collection::vec("[ -~äß\r\n]{0,12}", 2..5), 1..20))
        {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let again: Vec<_> = read(&bytes).into_iter().map(|(_, _, fields)| fields).collect();
            prop_assert_eq!(again, rows);
        }

        #[test]
        fn no_bytes_make_it_panic_or_hang(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }
    }
}
