//! The README's table of the document names tests that exist.

const README: &str = include_str!("../README.md");
const TESTS: [&str; 11] = [
    include_str!("certificates.rs"),
    include_str!("creates.rs"),
    include_str!("desks.rs"),
    include_str!("lookups.rs"),
    include_str!("rows.rs"),
    include_str!("setting.rs"),
    include_str!("tokens.rs"),
    include_str!("webhooks.rs"),
    include_str!("whole/lookups.rs"),
    include_str!("whole/news.rs"),
    include_str!("whole/pays.rs"),
];

#[test]
fn each_row_of_the_document_names_a_test_that_exists() {
    let section = README.split("\n## ").find(|part| part.starts_with("The document, row by row"));
    let rows = section.unwrap().lines().filter(|line| line.starts_with("| "));
    let rows: Vec<_> = rows.skip(1).collect();
    assert!(rows.len() >= 16, "the document has more rows than {}", rows.len());
    for row in rows {
        let cell = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap();
        let names: Vec<_> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test: {row}");
        for name in names {
            let head = format!("fn {name}()");
            assert!(TESTS.iter().any(|file| file.contains(&head)), "there is no {name}");
        }
    }
}
