//! The drawing in `ARCHITECTURE.md` is the table in the code.

use domain::State;
use domain::table::{Cell, TABLE};

fn word(cell: Cell) -> String {
    match cell {
        Cell::To(state) => format!("**{state}**"),
        Cell::IfNewest(state) => format!("{state}¹"),
        Cell::Recorded => "·".to_owned(),
        Cell::Stays => "stays".to_owned(),
        Cell::StaysIfNewest => "stays¹".to_owned(),
        Cell::ProvesAbsence => "2nd: accepted²".to_owned(),
        Cell::ProvesLoss => "2nd: review".to_owned(),
        Cell::SettlesDoubt => "paid³".to_owned(),
        Cell::IfSent => "review⁴".to_owned(),
        Cell::Anew => "**accepted**⁵".to_owned(),
        Cell::Illegal => "×".to_owned(),
    }
}

fn drawn() -> String {
    let names: Vec<&str> = State::ALL.iter().map(|s| s.name()).collect();
    let mut text = format!("| event | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(9));
    for (kind, cells) in TABLE {
        let cells: Vec<String> = cells.into_iter().map(word).collect();
        text += &format!("| {kind:?} | {} |\n", cells.join(" | "));
    }
    text
}

#[test]
fn the_state_table_in_the_docs_is_the_one_in_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
    let docs = std::fs::read_to_string(path).expect("ARCHITECTURE.md");
    let drawn = drawn();
    assert!(docs.contains(&drawn), "put this table into ARCHITECTURE.md:\n{drawn}");
}
