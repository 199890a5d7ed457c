//! The program broken on purpose (`mutants/*.patch`): each fault stays one that fits the code, and
//! `mutants/run` shows that the simulator catches each.

use sim::{Campaign, campaign};
use std::path::{Path, PathBuf};

/// Seeds are searched for a broken rule up to so many payouts.
const PAYOUTS: u64 = 40_000;

fn patches() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants");
    let files = std::fs::read_dir(folder).expect("the folder of patches");
    let files = files.map(|file| file.expect("a file of it").path());
    let mut patches: Vec<_> =
        files.filter(|p| p.extension().is_some_and(|e| e == "patch")).collect();
    patches.sort();
    patches
}

/// Files of a patch and, for each of its hunks, the lines that it wants to find there.
fn hunks(patch: &str) -> Vec<(String, String)> {
    let (mut hunks, mut file): (Vec<(String, String)>, String) = (Vec::new(), String::new());
    let mut is_inside = false;
    for line in patch.lines() {
        if let Some(name) = line.strip_prefix("--- a/") {
            name.clone_into(&mut file);
            is_inside = false;
        } else if line.starts_with("@@ ") {
            hunks.push((file.clone(), String::new()));
            is_inside = true;
        } else if is_inside && let Some((_, wanted)) = hunks.last_mut() {
            match line.split_at_checked(1) {
                Some((" " | "-", rest)) => *wanted += &format!("{rest}\n"),
                None => *wanted += "\n",
                Some(_) => {}
            }
        }
    }
    hunks
}

#[test]
fn every_fault_still_fits_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let patches = patches();
    assert!(patches.len() >= 9, "{patches:?}");
    for patch in patches {
        let text = std::fs::read_to_string(&patch).expect("a patch");
        let hunks = hunks(&text);
        assert!(!hunks.is_empty(), "{} changes nothing", patch.display());
        for (file, wanted) in hunks {
            let code = std::fs::read_to_string(root.join(&file)).expect("its file");
            let found = code.matches(&wanted).count();
            assert_eq!(found, 1, "{}: in {file} it looks for\n{wanted}", patch.display());
        }
    }
}

/// Run by `mutants/run`, in a copy of the code that is broken.
#[test]
#[ignore = "is to find a broken rule; the code as it is breaks none"]
fn a_rule_is_broken() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sum = campaign(&Campaign { first_seed: 0, payouts: PAYOUTS, threads }, &|_| {});
    match sum.broken {
        None => println!("RESULT survived {} seeds", sum.all().seeds),
        Some((seed, violations)) => {
            println!("RESULT seed {seed}: {}", violations[0].invariant);
            println!("{:#?}", &violations[..violations.len().min(3)]);
        }
    }
}
