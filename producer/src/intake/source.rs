//! A file as a stream of good and bad rows, read and validated on a thread of its own.

use super::{IntakeError, Progress, TakeOptions};
use crate::file::{Record, Records, Survey, Text, dialect, survey};
use crate::rules::columns::{Columns, HeaderError, matches};
use crate::rules::reader::Candidate;
use crate::rules::{Lacking, Problem, RowReader, Rules, Way};
use config::{Delimiter, ProfileConfig};
use domain::{Currency, ReferenceKey};
use std::fs::File;
use std::io::Seek;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Rows that are handed over at once, and bytes of text at which a packet is full earlier.
const PACKET_ROWS: usize = 1_000;
const PACKET_BYTES: usize = 256 << 10;
/// Packets that may wait: reading runs ahead of the ledger by no more.
const PACKETS_WAITING: usize = 12;

/// A row that cannot be paid.
#[derive(Clone, Debug)]
pub struct BadRow {
    /// Counts the data rows from 1.
    pub ordinal: u32,
    /// The line at which it starts.
    pub line: u32,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Its amount, where it could be read.
    pub amount: Option<Amount>,
    /// Its fields as they stand in the file, where they are wanted.
    pub cells: Cells,
}

/// An amount in the currency's smallest unit.
pub type Amount = (Arc<Currency>, i128);

/// The fields of a row as they stand in the file; none where nobody wants them.
pub type Cells = Option<Box<[Box<str>]>>;

/// A row that may be paid if its reference is free, packed as it will lie in its block: a group
/// of them waits in memory while its references are reserved.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Where it goes.
    pub way: Way,
    /// Counts the data rows from 1.
    pub ordinal: u32,
    /// The line at which it starts.
    pub line: u32,
    /// Its reference's key.
    pub key: ReferenceKey,
    /// Its amount in the currency's smallest unit.
    pub minor: i128,
    /// Its currency, one value for all rows in a run.
    pub currency: Arc<Currency>,
    /// The row, by [`ledger::rows::pack`].
    pub row: Box<[u8]>,
}

/// What comes out of a file.
#[derive(Debug)]
pub enum Item {
    /// May be paid, if its reference is free.
    Good(Packed, Cells),
    /// Cannot be paid.
    Bad(Box<BadRow>),
}

impl Item {
    /// Bytes of text that it holds.
    pub fn bytes(&self) -> usize {
        match self {
            Item::Good(packed, None) => packed.row.len(),
            Item::Good(packed, Some(_)) => 3 * packed.row.len(),
            Item::Bad(_) => 400,
        }
    }
}

/// A file whose header has been read.
pub struct Source {
    /// What the first pass learned.
    pub survey: Survey,
    records: Records<File>,
    reader: RowReader,
    delimiter: u8,
    keep_cells: bool,
    progress: Arc<Progress>,
}

/// What the second pass saw, to compare with the first.
#[derive(Clone, Debug)]
pub struct End {
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// Data rows.
    pub rows: u64,
}

impl Source {
    /// Surveys the file, reads its header and chooses the profile.
    pub fn open(
        rules: &Arc<Rules>,
        lacking: Lacking,
        options: &TakeOptions,
        progress: Arc<Progress>,
    ) -> Result<Source, IntakeError> {
        let path = || options.file.display().to_string();
        let mut file = File::open(&options.file)
            .map_err(|source| IntakeError::Open { path: path(), source })?;
        if file.metadata().is_ok_and(|about| about.is_dir()) {
            return Err(IntakeError::Option(format!("{} is a folder, not a file", path())));
        }
        let survey = survey(&file)?;
        progress.set_size(survey.bytes);
        file.rewind().map_err(|source| IntakeError::Open { path: path(), source })?;
        let mut text = Text::new(file, survey.encoding);
        let mut first_line = 1;
        let (columns, delimiter) = loop {
            let window = text.fill()?;
            let whole = text_is_whole(window, &survey);
            let line = dialect::first_line(window, whole).ok_or(HeaderError::TooLong)?;
            // Blank lines, and Excel's `sep=;`, stand before the header.
            let hint = dialect::excel_hint(line);
            if (line.is_empty() && !window.is_empty()) || hint.is_some() {
                let taken = line.len() + 1;
                first_line += u32::from(window.get(line.len()) == Some(&survey.line_break));
                text.consume(taken);
                continue;
            }
            break choose(rules, options.profile.as_deref(), line)?;
        };
        let lane = options.lane.as_ref().and_then(|lane| rules.lane(lane.as_str()));
        Ok(Source {
            records: Records::new(text, delimiter, survey.line_break).starting_at(first_line),
            survey,
            reader: RowReader::new(rules.clone(), columns, lane, lacking),
            delimiter,
            keep_cells: options.rejected.is_some(),
            progress,
        })
    }

    /// The profile's name.
    pub fn profile(&self) -> &str {
        &self.reader.columns().profile
    }

    /// The header.
    pub fn headers(&self) -> &[String] {
        &self.reader.columns().headers
    }

    /// The file's name of the reference.
    pub fn reference_column(&self) -> String {
        self.reader.columns().header_of("reference")
    }

    /// What separates the fields.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Reads on a thread of its own.
    pub fn start(self) -> Stream {
        let (sender, packets) = mpsc::channel(PACKETS_WAITING);
        let thread = tokio::task::spawn_blocking(move || self.read_all(&sender));
        Stream { packets, thread }
    }

    fn read_all(mut self, sender: &mpsc::Sender<Vec<Item>>) -> Result<End, IntakeError> {
        // The header, which is known already.
        self.records.next_record()?;
        let mut packet = Vec::with_capacity(PACKET_ROWS);
        let (mut ordinal, mut bytes) = (0u32, 0);
        let mut currency = None;
        while let Some(record) = self.records.next_record()? {
            ordinal = ordinal.checked_add(1).ok_or(IntakeError::TooLarge)?;
            let cells = if self.keep_cells { cells(&record) } else { None };
            let item = match self.reader.read(&record, ordinal) {
                Ok(candidate) => Item::Good(packed(candidate, &mut currency)?, cells),
                Err(problems) => {
                    let amount = self
                        .reader
                        .amount()
                        .map(|money| (Arc::new(money.currency().clone()), money.minor_units()));
                    let line = record.line;
                    Item::Bad(Box::new(BadRow { ordinal, line, problems, amount, cells }))
                }
            };
            if let Some(lacks) = self.reader.lacks_rules() {
                return Err(lacks.clone().into());
            }
            bytes += item.bytes();
            packet.push(item);
            if packet.len() >= PACKET_ROWS || bytes >= PACKET_BYTES {
                bytes = 0;
                self.progress.set(self.records.text().bytes(), u64::from(ordinal));
                let full = std::mem::replace(&mut packet, Vec::with_capacity(PACKET_ROWS));
                if sender.blocking_send(full).is_err() {
                    return Err(IntakeError::WriterGone);
                }
            }
        }
        self.progress.set(self.records.text().bytes(), u64::from(ordinal));
        if !packet.is_empty() && sender.blocking_send(packet).is_err() {
            return Err(IntakeError::WriterGone);
        }
        Ok(End { sha256: self.records.text().sha256(), rows: u64::from(ordinal) })
    }
}

/// Packs a row; `currency` is that of the row before, shared where it is the same.
fn packed(
    candidate: Candidate,
    currency: &mut Option<Arc<Currency>>,
) -> Result<Packed, IntakeError> {
    let Candidate { way, row, key } = candidate;
    let currency = match currency {
        Some(same) if **same == *row.money.currency() => same,
        other => other.insert(Arc::new(row.money.currency().clone())),
    };
    Ok(Packed {
        way,
        ordinal: row.ordinal,
        line: row.line,
        key,
        minor: row.money.minor_units(),
        currency: currency.clone(),
        row: ledger::rows::pack(&row)?,
    })
}

fn cells(record: &Record<'_>) -> Cells {
    Some(record.fields().map(Box::from).collect())
}

/// Whether the window holds all that is left of a small file.
fn text_is_whole(window: &[u8], survey: &Survey) -> bool {
    let capacity = u64::try_from(crate::file::text::BUFFER_BYTES).unwrap_or(u64::MAX);
    survey.bytes <= capacity || window.is_empty()
}

/// Chooses the profile: by name, else the first whose `match_header` fits, else `default`.
fn choose(rules: &Rules, wanted: Option<&str>, line: &[u8]) -> Result<(Columns, u8), IntakeError> {
    let split = |profile: &ProfileConfig| {
        let delimiter = match profile.delimiter {
            Delimiter::Auto => dialect::guess_delimiter(line),
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
        };
        (dialect::split(line, delimiter), delimiter)
    };
    let fits = |(_, profile): &(&String, &ProfileConfig)| matches(profile, &split(profile).0);
    let by_header = || rules.profiles.iter().find(fits).map(|(name, _)| name.as_str());
    let name = wanted.or_else(by_header).unwrap_or("default");
    let profile = rules.profiles.get(name).ok_or_else(|| HeaderError::NoProfile {
        found: name.to_owned(),
        known: rules.profiles.keys().cloned().collect::<Vec<_>>().join(", "),
    })?;
    let (headers, delimiter) = split(profile);
    Ok((Columns::new(name, profile, headers)?, delimiter))
}

/// Packets of rows from the reading thread.
pub struct Stream {
    packets: mpsc::Receiver<Vec<Item>>,
    thread: JoinHandle<Result<End, IntakeError>>,
}

impl Stream {
    /// The next packet; `None` at the end of the file, or where reading failed.
    pub async fn next(&mut self) -> Option<Vec<Item>> {
        self.packets.recv().await
    }

    /// How reading ended.
    pub async fn finish(&mut self) -> Result<End, IntakeError> {
        self.packets.close();
        (&mut self.thread).await.map_err(|_| IntakeError::WriterGone)?
    }
}
