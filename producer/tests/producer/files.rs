//! What a file may be, and what is said when it is not.

use crate::world::{HEADER, World, card, iban};
use domain::BatchState;
use producer::intake::{IntakeError, TakeOptions};

#[tokio::test]
async fn a_good_file_becomes_an_active_batch_with_its_rows_on_their_lanes() {
    let world = World::new();
    let path = world.rows("good.csv", &[card("A-1", "10"), iban("A-2", "20.5"), card("A-3", "30")]);
    let taken = world.take(TakeOptions::of(&path)).await.unwrap();
    let lanes: Vec<_> = taken.lanes.iter().map(|(lane, n)| (lane.as_str(), *n)).collect();
    assert_eq!(lanes, [("main", 2), ("second", 1)]);
    let id = taken.batch.unwrap();
    let batch = world.batch(id).await;
    assert_eq!((batch.state, batch.name.as_str()), (BatchState::Active, "good.csv"));
    assert_eq!((batch.totals.0["RUB"].minor, batch.totals.0["EUR"].minor), (4_000, 2_050));
    let rows = world.rows_of(id).await;
    let seen: Vec<_> = rows.iter().map(|(p, r)| (p.chunk.no, p.row, r.ordinal, r.line)).collect();
    assert_eq!(seen, [(0, 0, 1, 2), (0, 1, 3, 4), (1, 0, 2, 3)]);
}

#[tokio::test]
async fn what_is_not_a_table_of_payouts_is_refused_with_what_to_do() {
    let world = World::new();
    let long = format!("{HEADER}\nA,{},RUB,card,4111111111111111\n", "1".repeat(10 << 20));
    let cases: [(&[u8], &str); 9] = [
        (b"", "the file is empty; expected a header line and at least one row"),
        (b"reference,amount,currency,method,destination\n", "the file has a header and no rows"),
        (b"PK\x03\x04\x00\x00", "a zip archive or a spreadsheet"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "the file is binary, not text; export it as CSV"),
        (b"a,b\n1,2\n", "the header has no column \"reference\""),
        (
            b"reference,amount,currency,method,destination\nA,1,RUB,card\n",
            "line 2: the row has 4 fields, the header has 5; a field is missing",
        ),
        (
            b"reference,amount,currency,method,destination\nA,1,RUB,card,4111111111111111,x\n",
            "line 2: the row has 6 fields, the header has 5; a field that contains the delimiter",
        ),
        (long.as_bytes(), "line 2, column \"amount\": the field or its row is too long"),
        (
            b"reference,amount,currency,method,destination\nA,1,RUB,card,\"4111",
            "line 2: the file ends inside quotes; close the quote",
        ),
    ];
    for (content, words) in cases {
        let found = world.refusal(content).await;
        assert!(found.contains(words), "expected {words:?}, found {found:?}");
    }
}

#[tokio::test]
async fn each_bad_value_is_told_with_line_column_masked_value_and_what_to_do() {
    let world = World::new();
    let cases = [
        (
            card("A", "1,5").replace("1,5", "\"1,5\""),
            "line 2, column \"amount\", value \"1,5\": not an amount; write digits with a . before \
             the decimals, such as 1500.00, without sign, exponent or thousands separator",
        ),
        (card("A", "-1"), "column \"amount\", value \"-1\": not an amount"),
        (card("A", "1e3"), "column \"amount\", value \"1e3\": not an amount"),
        (card("A", "1 000"), "column \"amount\", value \"1 000\": not an amount"),
        (card("A", "1.005"), "column \"amount\", value \"1.005\": RUB has 2 decimals, found 3"),
        (card("A", "0.00"), "column \"amount\", value \"0.00\": the amount is zero"),
        (card("", "1"), "line 2, column \"reference\": the reference is empty"),
        (card(&"x".repeat(129), "1"), "the reference has 129 bytes; at most 128 are allowed"),
        (
            "A,1,XYZ,card,4111111111111111".to_owned(),
            "column \"currency\", value \"XYZ\": unknown currency \"XYZ\"",
        ),
        (
            "A,1,RUB,cash,4111111111111111".to_owned(),
            "column \"method\", value \"cash\": unknown method; use one of card, sbp",
        ),
        (
            "A,1,RUB,card,4111111111111112".to_owned(),
            "column \"destination\", value \"4111…1112\": the card number's check digit is wrong",
        ),
        (
            "A,1,EUR,iban,DE88370400440532013000".to_owned(),
            "column \"destination\", value \"DE88…3000\": the IBAN's check digits are wrong",
        ),
        ("A,1,RUB,sbp,12345".to_owned(), "value \"…45\": not a phone number"),
        (
            "A,1,RUB,iban,DE89370400440532013000".to_owned(),
            "line 2, column \"lane\": no route takes method iban in RUB; add one to [[routes]]",
        ),
        ("A,1,RUB,card,4111111111111".to_owned(), "column \"destination\", value \"4111…1111\""),
    ];
    for (row, words) in cases {
        let found = world.refusal(format!("{HEADER}\n{row}\n")).await;
        assert!(found.contains(words), "expected {words:?}, found {found:?}");
        assert!(!found.contains("4111111111111"), "a whole number is shown: {found}");
    }
}

#[tokio::test]
async fn every_bad_row_is_listed_and_one_refuses_the_file() {
    let world = World::new();
    let rows = [card("A", "x"), card("B", "1"), card("C", "0"), card("B", "2")];
    let path = world.rows("bad.csv", &rows);
    let error = world.take(TakeOptions::of(&path)).await.unwrap_err();
    world.assert_nothing_payable().await;
    let IntakeError::BadRows { rows, problems, .. } = &error else { panic!("{error}") };
    assert_eq!((*rows, problems.rows), (4, 3));
    let lines: Vec<_> = problems.list.iter().map(|p| p.line).collect();
    assert_eq!(lines, [2, 4, 5]);
    assert!(error.to_string().starts_with("3 of 4 rows cannot be paid, so nothing was taken:\n"));
}

#[tokio::test]
async fn a_corrected_file_is_not_refused_because_of_its_broken_predecessor() {
    let world = World::new();
    world.refusal(format!("{HEADER}\n{}\n{}\n", card("A", "1"), card("B", "x"))).await;
    world.taken(&world.rows("corrected.csv", &[card("A", "1"), card("B", "2")])).await;
}

#[tokio::test]
async fn delimiters_encodings_and_line_ends_make_no_difference() {
    let world = World::new();
    let text = "reference,amount,currency,method,destination,description\nREF,1,RUB,card,4111111111111111,\"Zoë,\nÖ\"\n";
    let mut variants: Vec<Vec<u8>> = Vec::new();
    for delimiter in [",", ";", "\t"] {
        for end in ["\n", "\r\n", "\r"] {
            let name = text.find('"').unwrap();
            let (plain, quoted) = text.split_at(name);
            let text = format!("{}{quoted}", plain.replace(',', delimiter)).replace('\n', end);
            variants.push(text.clone().into_bytes());
            variants.push(format!("\u{FEFF}{text}").into_bytes());
            variants.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
            let marked = format!("\u{FEFF}{text}");
            variants.push(marked.encode_utf16().flat_map(u16::to_be_bytes).collect());
            variants.push(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect());
        }
    }
    for (n, bytes) in variants.into_iter().enumerate() {
        let bytes = replace_reference(bytes, n);
        let batch = world.taken(&world.file("variant.csv", bytes)).await;
        let (_, row) = world.rows_of(batch).await.remove(0);
        assert_eq!((row.field("description"), row.line), (Some("Zoë,\nÖ"), 2), "variant {n}");
    }
}

/// `REF` becomes three characters that no other variant has, in one byte a character or two.
fn replace_reference(mut bytes: Vec<u8>, n: usize) -> Vec<u8> {
    let name = format!("{n:03}");
    let wide = |b: &[u8], e: fn(u16) -> [u8; 2]| -> Vec<u8> {
        b.iter().flat_map(|b| e(u16::from(*b))).collect()
    };
    let forms: [(Vec<u8>, Vec<u8>); 3] = [
        (b"REF".to_vec(), name.clone().into_bytes()),
        (wide(b"REF", u16::to_le_bytes), wide(name.as_bytes(), u16::to_le_bytes)),
        (wide(b"REF", u16::to_be_bytes), wide(name.as_bytes(), u16::to_be_bytes)),
    ];
    for (from, to) in forms {
        if let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
            bytes.splice(at..at + from.len(), to);
            return bytes;
        }
    }
    panic!("no reference in variant {n}");
}

#[tokio::test]
async fn excels_first_line_and_blank_lines_are_passed_over_and_counted() {
    let world = World::new();
    let text = format!(
        "sep=;\r\n\r\n{}\r\n\r\nA;x;RUB;card;4111111111111111\r\n",
        HEADER.replace(',', ";")
    );
    let found = world.refusal(text).await;
    assert!(found.contains("line 5, column \"amount\", value \"x\""), "{found}");
}

#[tokio::test]
async fn a_row_goes_where_its_lane_column_says_else_the_flag_else_the_routes() {
    let world = World::new();
    let rows = [format!("{},second", card("A", "1")), format!("{},", card("B", "1"))];
    let with_lane = |name: &str, rows: &[String]| {
        world.file(name, format!("{HEADER},lane\n{}\n", rows.join("\n")))
    };
    let taken = world.take(TakeOptions::of(with_lane("a.csv", &rows))).await.unwrap();
    let lanes: Vec<_> = taken.lanes.iter().map(|(lane, n)| (lane.as_str(), *n)).collect();
    assert_eq!(lanes, [("main", 1), ("second", 1)]);

    let lane = Some(domain::LaneName::new("second").unwrap());
    let options = TakeOptions { lane, ..TakeOptions::of(world.rows("b.csv", &[card("C", "1")])) };
    let taken = world.take(options).await.unwrap();
    assert_eq!(taken.lanes[0].0.as_str(), "second");

    let path = with_lane("c.csv", &[format!("{},third", card("D", "1"))]);
    let error = world.take(TakeOptions::of(path)).await.unwrap_err().to_string();
    assert!(
        error.contains("value \"third\": there is no such lane; lanes: main, second"),
        "{error}"
    );
}

#[tokio::test]
async fn the_same_bytes_dropped_twice_are_refused_with_the_first_batch() {
    let world = World::new();
    let first = world.taken(&world.rows("a.csv", &[card("A", "1")])).await;
    let again = world.rows("b.csv", &[card("A", "1")]);
    let error = world.take(TakeOptions::of(again)).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "this very file was taken before as batch {first} (\"a.csv\", active); a file is paid \
             once. To pay again, make a file with new references"
        )
    );
}

#[tokio::test]
async fn only_a_thousand_problems_are_kept_and_all_are_counted() {
    let world = World::new();
    let rows: Vec<_> = (0..1_500).map(|n| card(&format!("A-{n}"), "x")).collect();
    let options = TakeOptions {
        rejected: Some(world.path("all.rejected.csv")),
        ..TakeOptions::of(world.rows("bad.csv", &rows))
    };
    let error = world.take(options).await.unwrap_err();
    assert!(error.to_string().ends_with("\n  and 500 more"));
    let IntakeError::BadRows { problems, rejected_file, .. } = error else { panic!("{error}") };
    assert_eq!((problems.list.len(), problems.count, problems.rows), (1_000, 1_500, 1_500));
    let list = std::fs::read_to_string(rejected_file.unwrap()).unwrap();
    assert_eq!(list.lines().count(), 1_501);
}
