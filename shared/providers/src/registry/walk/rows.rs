//! Rows: the declared methods and no others, the provider's own rules, the longest reference.

use super::*;
use domain::{Method, PayerReference};

const METHODS: [Method; 5] =
    [Method::Card, Method::Sbp, Method::Score, Method::Iban, Method::Wallet];

fn methods_are_as_declared(world: &World, when: &str) {
    for method in METHODS {
        let row = world.row("INV-1", "1500.00", method);
        let (name, word) = (world.name, method.name());
        match (world.limits.methods.contains(&method), row) {
            (true, Err(wrong)) => panic!("{name}: methods: {word} is declared{when}: {wrong}"),
            (false, Ok(_)) => panic!("{name}: methods: {word} is taken and not declared{when}"),
            (true, Ok(_)) | (false, Err(_)) => {}
        }
    }
}

#[tokio::test]
async fn a_row_is_taken_by_the_declared_methods_and_by_no_other() {
    for world in worlds().await {
        methods_are_as_declared(&world, "");
        let prepare = world.adapter.prepare();
        assert_eq!(prepare.is_some(), world.limits.rules, "{}: rules", world.name);
        if let Some(prepare) = prepare {
            let rules = prepare.fetch().await;
            let rules = rules.unwrap_or_else(|text| panic!("{}: rules: {text}", world.name));
            let installed = prepare.install(&rules);
            assert_eq!(installed, Ok(()), "{}: rules", world.name);
            methods_are_as_declared(&world, ", once its rules are known");
        }
    }
}

#[tokio::test]
async fn the_longest_reference_is_taken_and_found_as_it_was_sent() {
    for world in worlds().await {
        let taken = world.take_one(&"X".repeat(PayerReference::MAX_BYTES)).await;
        let name = world.name;
        assert_eq!(world.entries(&taken).len(), 1, "{name}: reference: {}", taken.reference);
        let found = world.look_up(&world.least_known(&taken)).await;
        assert!(is_there(&found), "{name}: reference: {}: {found:?}", taken.reference);
    }
}
