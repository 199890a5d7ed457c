//! `worker prove` through the real program.

use std::process::{Command, Output};

fn prove(args: &[&str]) -> Output {
    let worker = env!("CARGO_BIN_EXE_worker");
    Command::new(worker).arg("prove").args(args).output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_small_proof_ends_with_a_verdict_in_plain_words() {
    let output = prove(&["--payouts", "600"]);
    let text = said(&output);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("Simulated 600 payouts in 6 separate worlds"), "{text}");
    assert!(text.contains("0 paid twice, 0 lost"), "{text}");
    let shapes = ["one call a payout", "batches with a code", "orders with a second step"];
    assert!(shapes.iter().all(|shape| text.contains(shape)), "{text}");
}

#[test]
fn one_seed_is_told_the_same_way_every_time() {
    let first = prove(&["--seed", "4711"]);
    assert!(first.status.success(), "{first:?}");
    assert!(said(&first).contains("seed 4711"), "{first:?}");
    assert_eq!(said(&first), said(&prove(&["--seed", "4711"])));
}

#[test]
fn a_proof_of_nothing_is_refused() {
    assert!(!prove(&["--payouts", "0"]).status.success());
}
