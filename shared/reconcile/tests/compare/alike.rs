//! Where both sides are alike nothing is found, whatever the pages; and one change is found.

use crate::world::*;
use domain::State;
use proptest::prelude::*;
use providers::Standing;
use reconcile::Kind;
use rust_decimal::Decimal;

fn states() -> impl Strategy<Value = Vec<State>> {
    let one = prop_oneof![
        4 => Just(State::Paid),
        1 => Just(State::Failed),
        1 => Just(State::Cancelled),
        1 => Just(State::Submitted),
        1 => Just(State::Unknown),
    ];
    proptest::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_found_where_both_are_alike(states in states(), page in 2usize..9, overlap in 0usize..2) {
        let mut world = World::of(&states);
        (world.list.page, world.list.overlap) = (page, overlap);
        let outcome = world.compare();
        prop_assert_eq!(outcome.shown, vec![]);
        prop_assert_eq!(&outcome.there, &outcome.here);
        let paid = states.iter().filter(|state| **state == State::Paid).count();
        prop_assert_eq!(outcome.agree, u64::try_from(paid).unwrap());
    }

    #[test]
    fn one_change_is_found_and_nothing_else(states in states(), at in any::<prop::sample::Index>(), kind in 0..5) {
        let mut world = World::of(&states);
        let at = at.index(states.len());
        let is_paid = states[at] == State::Paid;
        let entry = &mut world.list.entries[at];
        let expected = match kind {
            0 => {
                entry.amount = entry.amount.map(|amount| amount + Decimal::ONE);
                is_paid.then_some(Kind::Otherwise)
            }
            1 => {
                let again = providers::Entry { provider_id: Some("x".to_owned()), ..entry.clone() };
                world.list.entries.push(again);
                is_paid.then_some(Kind::Twice)
            }
            2 if is_paid => {
                entry.standing = Standing::Failed;
                Some(Kind::PaidHere)
            }
            2 => {
                entry.standing = Standing::Paid;
                let closed = matches!(states[at], State::Failed | State::Cancelled);
                Some(if closed { Kind::PaidThere } else { Kind::Behind })
            }
            3 => {
                entry.standing = Standing::Returned;
                Some(Kind::Returned)
            }
            _ => {
                world.list.entries.remove(at);
                let is_all = !world.list.entries.iter().any(|e| !e.reference.is_empty());
                is_paid.then_some(if is_all { Kind::Blind } else { Kind::PaidHere })
            }
        };
        let found: Vec<Kind> = world.found().into_iter().map(|(kind, _)| kind).collect();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }
}
