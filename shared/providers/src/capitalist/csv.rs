//! CSV answers: semicolons, a line each, the code first. A field in quotes may hold both.
//!
//! Only for `get_batch_info` is the order of fields known; for the other operations it is assumed
//! to be that of their names. So a line that has another number of fields is no answer, instead of
//! a guess.

use super::wire::{Envelope, Form, Shape};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Lines of one answer; a batch has at most a thousand records.
const LINES_MAX: usize = 20_000;

/// Reads an answer; `None` where it is none.
pub(super) fn read(body: &str, shape: &Shape) -> Option<Envelope> {
    let mut lines = lines(body)?.into_iter();
    let mut first = lines.next()?.into_iter();
    let code: u32 = first.next()?.trim().parse().ok()?;
    if code != 0 {
        let rest = lines.map(|fields| fields.join(";"));
        let first = first.collect::<Vec<_>>().join(";");
        let message = std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n");
        return Some(Envelope { code, message, data: None, form: Form::Csv });
    }
    let mut data: Map<String, Value> =
        shape.head.iter().map(|name| (*name).to_owned()).zip(first.map(Value::String)).collect();
    if let Some((name, columns)) = shape.list {
        let object = |fields: Vec<String>| {
            let is_whole = fields.len() == columns.len();
            let named = columns.iter().map(|c| (*c).to_owned()).zip(fields);
            is_whole.then(|| named.map(|(c, f)| (c, Value::String(f))).collect())
        };
        let items: Option<Vec<Map<String, Value>>> = lines.map(object).collect();
        data.insert(name.to_owned(), items?.into_iter().map(Value::Object).collect());
    } else if let Some(more) = Some(lines.collect::<Vec<_>>()).filter(|more| !more.is_empty()) {
        data.insert("lines".to_owned(), more.into_iter().map(Value::from).collect());
    }
    let data = serde_json::to_string(&data).ok().and_then(|text| RawValue::from_string(text).ok());
    Some(Envelope { code, message: String::new(), data, form: Form::Csv })
}

/// Splits into lines of fields; blank lines do not count. `None` where a quote is left open.
fn lines(body: &str) -> Option<Vec<Vec<String>>> {
    let mut lines = Vec::new();
    let mut fields = vec![String::new()];
    let mut chars = body.chars().peekable();
    let mut is_quoted = false;
    while let Some(c) = chars.next() {
        let field = fields.last_mut()?;
        match c {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => is_quoted = true,
            ';' if !is_quoted => fields.push(String::new()),
            '\n' if !is_quoted => {
                lines.push(std::mem::replace(&mut fields, vec![String::new()]));
                if lines.len() > LINES_MAX {
                    return None;
                }
            }
            '\r' if !is_quoted => {}
            c => field.push(c),
        }
    }
    lines.push(fields);
    lines.retain(|fields| fields.iter().any(|field| !field.trim().is_empty()));
    (!is_quoted).then_some(lines)
}

#[cfg(test)]
mod tests {
    use super::super::data::{BATCH, BatchPage};
    use super::*;
    use crate::told::text;

    #[test]
    fn a_batch_in_csv_reads_as_the_same_batch_in_json() {
        let body = "0;uuid;0;1000;2;1;0\r\n1;abcd-1;4111;10.00;RUR;pay;77;PROCESSED;RUCARD;\n\
                    2;abcd-2;4111;10.00;RUR;\"a;\"\"b\"\"\n\";;NEW;RUCARD;\n";
        let told = read(body, &BATCH).unwrap();
        let page: BatchPage<'_> = told.data().unwrap();
        assert_eq!(
            (text(page.id).unwrap(), page.total_count.unwrap().count()),
            ("uuid".into(), Some(2))
        );
        let records = page.records.unwrap();
        assert_eq!(text(records[0].document_id).unwrap(), "77");
        assert_eq!(text(records[1].state).unwrap(), "NEW");
        assert!(text(records[1].document_id).is_none());
    }

    #[test]
    fn an_error_keeps_its_text_and_what_its_second_line_names() {
        let told = read("185;Error importing; zero\nabcd-7", &BATCH).unwrap();
        assert_eq!((told.code, told.message.as_str()), (185, "Error importing; zero\nabcd-7"));
    }

    #[test]
    fn what_is_torn_or_of_another_shape_is_no_answer() {
        for body in ["", "\n", "x;1", "-1;x", "0;uuid;0;1000;1;1;0\n1;abcd-1;4111", "0;\"open"] {
            assert!(read(body, &BATCH).is_none(), "{body:?}");
        }
    }
}
