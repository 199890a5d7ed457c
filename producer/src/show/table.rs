//! Columns that line up.

use std::fmt::Write;

/// Lays out rows under headers; columns whose header begins with `>` are aligned right.
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let titles: Vec<String> =
        headers.iter().map(|h| h.trim_start_matches('>').to_owned()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain(titles.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headers.len()).map(width).collect();
    let mut out = String::new();
    for row in std::iter::once(&titles).chain(rows) {
        let mut line = String::new();
        for ((cell, width), header) in row.iter().zip(&widths).zip(headers) {
            // Writing to a String cannot fail.
            let _ = match header.starts_with('>') {
                true => write!(line, "{cell:>width$}  "),
                false => write!(line, "{cell:<width$}  "),
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["bcd".to_owned(), "20".to_owned()]];
        assert_eq!(table(&["name", ">n"], &rows), "name   n\na      1\nbcd   20\n");
    }
}
