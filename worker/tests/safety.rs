//! Every rule of `SAFETY.md` names code that exists and a test that exists.

// All of this is test code, helpers too: for clippy's rules about `unwrap`.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

/// The highest rule.
const RULES: usize = 24;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All sources of the workspace, one behind the other.
fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            sources(&path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn no_rule_is_without_the_code_that_keeps_it_and_the_test_that_breaks_without_it() {
    let table = fs::read_to_string(root().join("worker/SAFETY.md")).unwrap();
    let mut all = String::new();
    sources(&root(), &mut all);
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| S")).collect();
    assert_eq!(rows.len(), RULES, "one row a rule");
    for (number, row) in (1..).zip(rows) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [rule, _, code, tests] = cells[..] else { panic!("four columns: {row}") };
        assert_eq!(rule, format!("S{number}"), "in order");
        let (code, tests) = (quoted(code), quoted(tests));
        assert!(!code.is_empty() && !tests.is_empty(), "{rule} has code and tests");
        for place in code {
            let (file, item) = place.split_once("::").unwrap_or((place, ""));
            let path = root().join(file);
            assert!(path.exists(), "{rule}: there is no {file}");
            let text =
                if path.is_dir() { String::new() } else { fs::read_to_string(path).unwrap() };
            assert!(item.is_empty() || text.contains(item), "{rule}: {file} has no {item}");
        }
        for test in tests {
            assert!(all.contains(&format!("fn {test}(")), "{rule}: there is no test {test}");
        }
    }
}
