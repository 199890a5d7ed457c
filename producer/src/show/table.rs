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

/// Text behind a label, broken between words so that no line has more than `columns`; a longer
/// word stands by itself.
pub fn wrapped(label: &str, text: &str, columns: usize) -> String {
    let indent = label.chars().count();
    let (mut out, mut at) = (label.to_owned(), indent);
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if at > indent && at + 1 + width > columns {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            at = indent;
        } else if at > indent {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += width;
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// What somebody else wrote, as one line that cannot steer a terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// As a shell takes it whole.
pub fn quoted(reference: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    if reference.chars().all(plain) {
        return reference.to_owned();
    }
    format!("'{}'", reference.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["bcd".to_owned(), "20".to_owned()]];
        assert_eq!(table(&["name", ">n"], &rows), "name   n\na      1\nbcd   20\n");
    }

    #[test]
    fn text_is_broken_between_words_and_never_inside_one() {
        assert_eq!(wrapped("a: ", "one two three", 10), "a: one two\n   three\n");
        assert_eq!(wrapped("a: ", "incomprehensible x", 10), "a: incomprehensible\n   x\n");
        assert_eq!(wrapped("a: ", "", 10), "a:\n");
    }

    #[test]
    fn a_reference_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(quoted("INV-1/2"), "INV-1/2");
        assert_eq!(quoted("a b;'c"), "'a b;'\\''c'");
    }

    #[test]
    fn what_a_provider_writes_cannot_steer_a_terminal() {
        assert_eq!(plain("ok\u{1b}[2J\r\n"), "ok [2J  ");
    }
}
