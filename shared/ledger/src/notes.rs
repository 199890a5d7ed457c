//! Notes as one string of bytes for each write: `[row u16][kind u8][length u16][text]…`, little
//! end first. Engines append such strings and never change one.

use crate::api::LedgerError;
use crate::types::{Note, NoteKind};

/// Bytes before each text.
const HEAD_BYTES: usize = 5;

/// Packs notes in the order given. Texts longer than [`Note::MAX_BYTES`] are cut.
pub fn encode(notes: &[(u16, Note)]) -> Vec<u8> {
    let size = notes.iter().map(|(_, note)| HEAD_BYTES + note.text.len()).sum();
    let mut out = Vec::with_capacity(size);
    for (row, note) in notes {
        let text = within_bounds(&note.text);
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&row.to_le_bytes());
        out.push(note.kind as u8);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    out
}

/// Unpacks what [`encode`] gave, or several of them one behind the other.
pub fn decode(mut bytes: &[u8]) -> Result<Vec<(u16, Note)>, LedgerError> {
    let mut notes = Vec::new();
    while !bytes.is_empty() {
        let (note, rest) = first(bytes)
            .ok_or_else(|| LedgerError::Broken("stored notes cannot be unpacked".to_owned()))?;
        notes.push(note);
        bytes = rest;
    }
    Ok(notes)
}

fn first(bytes: &[u8]) -> Option<((u16, Note), &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let row = u16::from_le_bytes([head[0], head[1]]);
    let kind = NoteKind::ALL.get(usize::from(head[2])).copied()?;
    let (text, rest) =
        rest.split_at_checked(usize::from(u16::from_le_bytes([head[3], head[4]])))?;
    let text = std::str::from_utf8(text).ok()?.to_owned();
    Some(((row, Note { kind, text }), rest))
}

/// [`Note::new`] cuts; this holds for notes that were made without it.
fn within_bounds(text: &str) -> &str {
    let end = (0..=Note::MAX_BYTES.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // The byte of a kind is its index: what `first` reads by.
    const _: () = {
        let mut at = 0;
        while at < NoteKind::ALL.len() {
            assert!(NoteKind::ALL[at] as usize == at);
            at += 1;
        }
    };

    proptest! {
        #[test]
        fn notes_survive_packing_one_write_behind_the_other(
            written in proptest::collection::vec((0u16..1000, 0usize..6, ".{0,40}"), 0..20),
            cut in 0usize..20,
        ) {
            let notes: Vec<(u16, Note)> = written
                .into_iter()
                .map(|(row, kind, text)| (row, Note::new(NoteKind::ALL[kind], text)))
                .collect();
            let (a, b) = notes.split_at(cut.min(notes.len()));
            let stored = [encode(a), encode(b)].concat();
            prop_assert_eq!(decode(&stored).unwrap(), notes);
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_at_a_character() {
        let note = Note { kind: NoteKind::Reason, text: "é".repeat(40_000) };
        let stored = decode(&encode(&[(7, note)])).unwrap();
        assert_eq!(stored[0].1.text.len(), Note::MAX_BYTES);
    }

    #[test]
    fn damaged_notes_are_an_error_and_not_a_panic() {
        let whole = encode(&[(1, Note::new(NoteKind::Cost, "rate 1"))]);
        for end in 1..whole.len() {
            assert!(decode(&whole[..end]).is_err());
        }
        assert!(decode(&[0, 0, 9, 0, 0]).is_err());
    }
}
