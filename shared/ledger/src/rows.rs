//! A chunk's rows, compressed in blocks of [`BLOCK_ROWS`], so that one row can be read without
//! unpacking the chunk. Blocks never change after intake.

use crate::api::LedgerError;
use domain::Row;
use std::cell::RefCell;

/// Rows in a block; the last one may be shorter.
pub const BLOCK_ROWS: u16 = 100;

/// The block that holds a row.
pub fn block_of(row: u16) -> u16 {
    row / BLOCK_ROWS
}

/// Fast, and within a few per cent of the slower levels on rows of text.
const ZSTD_LEVEL: i32 = 1;

/// No block unpacks to more: 100 rows of fields of at most 8 KiB each, with room.
const MAX_BLOCK_BYTES: usize = 16 << 20;

/// Packs rows into blocks.
pub fn encode(rows: &[Row]) -> Result<Vec<Vec<u8>>, LedgerError> {
    rows.chunks(usize::from(BLOCK_ROWS)).map(encode_block).collect()
}

/// One row as it lies in a block: a fifth of what a [`Row`] costs in memory, for streams of rows
/// that wait for their chunk.
pub fn pack(row: &Row) -> Result<Box<[u8]>, LedgerError> {
    postcard::to_stdvec(row).map(Vec::into_boxed_slice).map_err(|e| broken(&e))
}

/// The inverse of [`pack`].
pub fn unpack(packed: &[u8]) -> Result<Row, LedgerError> {
    postcard::from_bytes(packed).map_err(|e| broken(&e))
}

/// Packs rows into blocks that went through [`pack`]: the same bytes as [`encode`] gives.
pub fn encode_packed(rows: &[Box<[u8]>]) -> Result<Vec<Vec<u8>>, LedgerError> {
    rows.chunks(usize::from(BLOCK_ROWS)).map(encode_packed_block).collect()
}

fn encode_packed_block(rows: &[Box<[u8]>]) -> Result<Vec<u8>, LedgerError> {
    // A sequence is its length and then its elements.
    let mut plain = postcard::to_stdvec(&rows.len()).map_err(|e| broken(&e))?;
    rows.iter().for_each(|row| plain.extend_from_slice(row));
    zstd::bulk::compress(&plain, ZSTD_LEVEL).map_err(|e| broken(&e))
}

fn encode_block(rows: &[Row]) -> Result<Vec<u8>, LedgerError> {
    let plain = postcard::to_stdvec(rows).map_err(|e| broken(&e))?;
    zstd::bulk::compress(&plain, ZSTD_LEVEL).map_err(|e| broken(&e))
}

thread_local! {
    /// Kept by each thread: setting one up costs more than unpacking a block.
    static UNPACKER: RefCell<zstd::bulk::Decompressor<'static>> = RefCell::default();
}

/// Unpacks one block.
pub fn decode(block: &[u8]) -> Result<Vec<Row>, LedgerError> {
    let plain = UNPACKER.with_borrow_mut(|unpacker| unpacker.decompress(block, MAX_BLOCK_BYTES));
    postcard::from_bytes(&plain.map_err(|e| broken(&e))?).map_err(|e| broken(&e))
}

fn broken(error: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Broken(format!("a block of rows cannot be packed or unpacked: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Currencies, Destination, Method, Money, PayerReference};

    fn row(ordinal: u32) -> Row {
        let eur = Currencies::default().find("EUR").unwrap();
        Row {
            ordinal,
            line: ordinal + 1,
            reference: PayerReference::new(&format!("INV-{ordinal}")).unwrap(),
            money: Money::parse("12.34", &eur, '.').unwrap(),
            method: Method::Card,
            destination: Destination::new("4111111111111111".to_owned()),
            fields: [("full_name".to_owned(), "Anna Ivanova".to_owned())].into(),
        }
    }

    #[test]
    fn rows_survive_their_blocks_and_a_row_is_found_in_its_own() {
        let rows: Vec<Row> = (1..=250).map(row).collect();
        let blocks = encode(&rows).unwrap();
        assert_eq!(blocks.len(), 3);
        let again: Vec<Row> = blocks.iter().flat_map(|b| decode(b).unwrap()).collect();
        assert_eq!(again, rows);
        assert_eq!(block_of(249), 2);
    }

    #[test]
    fn rows_packed_one_by_one_make_the_same_blocks() {
        let rows: Vec<Row> = (1..=250).map(row).collect();
        let packed: Vec<_> = rows.iter().map(|row| pack(row).unwrap()).collect();
        assert_eq!(encode_packed(&packed).unwrap(), encode(&rows).unwrap());
        assert_eq!(unpack(&packed[7]).unwrap(), rows[7]);
    }

    #[test]
    fn a_damaged_block_is_an_error_and_not_a_panic() {
        let mut block = encode(&[row(1)]).unwrap().remove(0);
        block.truncate(10);
        assert!(decode(&block).is_err());
    }
}
