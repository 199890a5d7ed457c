//! From the bytes of a file to records of text, in memory that does not grow with the file.
//!
//! A file is read twice: [`survey`] learns its hash, its encoding and whether it is text at all;
//! then [`text`] decodes it and [`records`] cuts it into records. Nothing is ever buffered
//! beyond [`records::MAX_RECORD`], however long a field or a quotation is.
//!
//! ```text
//! bytes ──survey──▶ encoding, SHA-256
//! bytes ──text────▶ UTF-8 ──dialect──▶ delimiter ──records──▶ line, fields
//! ```

pub mod dialect;
pub mod records;
pub mod survey;
pub mod text;

pub use records::{Flaw, Record, Records};
pub use survey::{Encoding, Survey, SurveyError, survey};
pub use text::{Text, TextError};
