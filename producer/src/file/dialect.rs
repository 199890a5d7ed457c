//! What separates the fields, told from the header line alone.

/// The header line without its line break: up to the first break outside quotes. `None` if it
/// does not end within `window` although the file goes on.
pub fn first_line(window: &[u8], is_whole_file: bool) -> Option<&[u8]> {
    let mut quoted = false;
    for (at, byte) in window.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => return Some(&window[..at]),
            _ => {}
        }
    }
    is_whole_file.then_some(window)
}

/// Excel's own way to name the delimiter, as the first line: `sep=;`.
pub fn excel_hint(line: &[u8]) -> Option<u8> {
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter @ (b',' | b';' | b'\t')] => {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// Comma, semicolon or tab: what the header has most of outside quotes; a comma if it has none.
pub fn guess_delimiter(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(0, b','), (0, b';'), (0, b'\t')];
    for byte in header {
        if *byte == b'"' {
            quoted = !quoted;
        }
        if let Some((count, _)) = counts.iter_mut().find(|(_, d)| d == byte && !quoted) {
            *count += 1;
        }
    }
    // The first of equals wins.
    counts.into_iter().rev().max_by_key(|(count, _)| *count).map_or(b',', |(_, d)| d)
}

/// The header's fields.
pub fn split(header: &[u8], delimiter: u8) -> Vec<String> {
    let mut core = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let mut output = vec![0; header.len() + 1];
    let mut ends = vec![0; header.len() + 2];
    let (_, read, _, mut fields) = core.read_record(header, &mut output, &mut ends);
    if read == header.len() {
        // The end of input closes the last field.
        let (_, _, _, last) = core.read_record(&[], &mut [], &mut ends[fields..]);
        fields += last;
    }
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts
        .zip(&ends[..fields])
        .map(|(start, end)| String::from_utf8_lossy(&output[start..*end]).trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_what_the_header_has_most_of() {
        assert_eq!(guess_delimiter(b"a,b,c"), b',');
        assert_eq!(guess_delimiter(b"a;\"x,y,z,w\";c"), b';');
        assert_eq!(guess_delimiter(b"a\tb"), b'\t');
        assert_eq!(guess_delimiter(b"alone"), b',');
        assert_eq!(excel_hint(b"sep=;"), Some(b';'));
        assert_eq!(excel_hint(b"sep=x"), None);
    }

    #[test]
    fn a_header_is_split_with_its_quotes() {
        assert_eq!(split(b"a;\"b;\"\"c\";  d ", b';'), ["a", "b;\"c", "d"]);
        assert_eq!(split(b"a,,", b','), ["a", "", ""]);
        assert_eq!(first_line(b"a,\"b\nc\"\r\nd", false), Some(&b"a,\"b\nc\""[..]));
        assert_eq!(first_line(b"a,b", true), Some(&b"a,b"[..]));
        assert_eq!(first_line(b"a,b", false), None);
    }
}
