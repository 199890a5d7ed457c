//! `<name>.rejected.csv`: the rows that were left out, as they stand in the file, with their line
//! and what is wrong. Corrected, it can be dropped as it is: intake passes over the two columns.
//!
//! It appears under its name only when it is whole; before, it is a `.part` file beside it.

use super::IntakeError;
use super::source::BadRow;
use crate::folders;
use crate::rules::columns::OWN_COLUMNS;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Excel takes a file without it for something older than UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The file, made at the first bad row.
pub struct RejectedFile {
    path: PathBuf,
    part: PathBuf,
    header: Vec<String>,
    delimiter: u8,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

impl RejectedFile {
    /// A file that will lie at `path`.
    pub fn new(path: &Path, header: &[String], delimiter: u8) -> RejectedFile {
        RejectedFile {
            path: path.to_owned(),
            part: folders::part_of(path),
            header: header.to_vec(),
            delimiter,
            writer: None,
        }
    }

    /// Writes a row.
    pub fn write(&mut self, row: &BadRow) -> Result<(), IntakeError> {
        let reasons: Vec<String> = row.problems.iter().map(reason).collect();
        let cells = row.cells.as_deref().unwrap_or_default();
        let own = [row.line.to_string(), reasons.join("; ")];
        let missing = self.header.len().saturating_sub(cells.len());
        let fields = cells.iter().map(AsRef::as_ref).chain(std::iter::repeat_n("", missing));
        let fields: Vec<&str> = fields.chain(own.iter().map(String::as_str)).collect();
        self.open().and_then(|writer| Ok(writer.write_record(fields)?)).map_err(|e| self.failed(&e))
    }

    /// Puts the file where it belongs, durably.
    pub fn keep(mut self) -> Result<PathBuf, IntakeError> {
        let finish = |this: &mut RejectedFile| -> std::io::Result<()> {
            let Some(writer) = this.writer.take() else { return Ok(()) };
            let buffer = writer.into_inner().map_err(|e| e.into_error())?;
            let file = buffer.into_inner().map_err(|e| e.into_error())?;
            file.sync_all()?;
            folders::replace(&this.part, &this.path)
        };
        finish(&mut self).map_err(|e| self.failed(&e))?;
        Ok(self.path.clone())
    }

    fn open(&mut self) -> std::io::Result<&mut csv::Writer<BufWriter<File>>> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let mut buffer = BufWriter::new(folders::create_private(&self.part)?);
                buffer.write_all(MARK)?;
                let mut writer = csv::WriterBuilder::new()
                    .delimiter(self.delimiter)
                    .flexible(true)
                    .from_writer(buffer);
                writer.write_record(self.header.iter().map(String::as_str).chain(OWN_COLUMNS))?;
                writer
            }
        };
        Ok(self.writer.insert(writer))
    }

    fn failed(&self, error: &std::io::Error) -> IntakeError {
        let path = self.path.display().to_string();
        IntakeError::Rejected { path, problem: error.to_string() }
    }
}

impl Drop for RejectedFile {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

fn reason(problem: &crate::rules::Problem) -> String {
    match problem.column.as_str() {
        "" => problem.text.clone(),
        column => format!("{column}: {}", problem.text),
    }
}
