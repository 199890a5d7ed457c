//! Creates: every method, every magic amount, every fault.

use super::*;

#[tokio::test]
async fn every_method_is_taken_found_and_paid_with_one_token() {
    let world = world().await;
    let mut taken = Vec::new();
    for (number, (method, to)) in [
        (Method::Card, "4111111111111111"),
        (Method::Score, "40817810099910004312"),
        (Method::Iban, "DE89370400440532013000"),
        (Method::Wallet, "TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut row = row(&format!("INV-{number}"), "1500.00", "EUR", method, to);
        row.fields.insert("full_name".into(), "Ada Lovelace".into());
        row.fields.insert("description".into(), "for work".into());
        assert_eq!(world.adapter.validate(&row), []);
        let payment = payment(row);
        let known = world.taken(&payment).await;
        for payment in [&payment, &known] {
            let found = ask(&world.adapter, payment).await;
            assert!(is(&found, News::InProgress), "{method:?}: {found:?}");
        }
        taken.push(known);
    }
    assert_eq!(world.sandbox.settle_now(), 4);
    for payment in &taken {
        let found = ask(&world.adapter, payment).await;
        assert!(is(&found, News::Paid), "{found:?}");
    }
    assert_eq!(world.tokens(), 1);
}

#[tokio::test]
async fn a_registered_beneficiary_is_paid_by_its_id() {
    let world = world_with("[profile.request]\nregistered_methods = [\"wallet\"]", |_| {}).await;
    let payment = payment(row("INV-1", "10.00", "EUR", Method::Wallet, "ind-01"));
    let known = world.taken(&payment).await;
    assert!(is(&ask(&world.adapter, &known).await, News::InProgress));
}

#[tokio::test]
async fn every_fault_of_a_create_has_its_class() {
    type Check = fn(&Answer) -> bool;
    let unknown: Check = |answer| matches!(answer, Answer::Unknown { .. });
    let world = world().await;
    for (number, (fault, check)) in [
        (Fault::ErrorBefore, unknown),
        (Fault::ErrorAfter, unknown),
        (Fault::HangAfter, unknown),
        (Fault::ResetBefore, unknown),
        (Fault::ResetAfter, unknown),
        (Fault::AnswerMalformed, unknown),
        (Fault::AnswerIncomplete, unknown),
        (Fault::AnswerDiffers, |answer| matches!(answer, Answer::Differs { .. })),
        (Fault::AccountClosed, |answer| matches!(answer, Answer::StopLane { .. })),
        (Fault::TooManyRequests, |answer| {
            matches!(answer, Answer::Later { retry_after_ms: Some(1_000), .. })
        }),
    ]
    .into_iter()
    .enumerate()
    {
        world.strike(fault);
        let answer = world.submit(&card(&format!("INV-{number}"), "10.00")).await;
        assert!(check(&answer), "{fault:?}: {answer:?}");
    }
    assert_eq!(world.duplicates(), 0, "nothing was sent twice");
}

#[tokio::test]
async fn the_sandboxes_magic_amounts_have_their_classes() {
    let world = world().await;
    let refused = world.submit(&card("A", "10.93")).await;
    assert!(matches!(refused, Answer::Refused { created_nothing: true, .. }), "{refused:?}");
    let busy = world.submit(&card("B", "10.94")).await;
    assert!(matches!(busy, Answer::Later { retry_after_ms: Some(_), .. }), "{busy:?}");
    assert!(matches!(world.submit(&card("B", "10.94")).await, Answer::Accepted { .. }));
    let unlisted = world.submit(&card("C", "10.95")).await;
    assert!(matches!(unlisted, Answer::Unlisted { .. }), "{unlisted:?}");
    let rejected = world.taken(&card("D", "10.91")).await;
    world.sandbox.settle_now();
    let found = ask(&world.adapter, &rejected).await;
    assert!(is(&found, News::Failed), "{found:?}");
}

#[tokio::test]
async fn a_repeated_create_that_capay_refuses_is_looked_up() {
    let conflict = |config: &mut SandboxConfig| {
        config.capay.repeat = sandbox::CapayRepeat::Conflict;
    };
    let world = world_with("", conflict).await;
    let payment = card("INV-1", "10.00");
    world.taken(&payment).await;
    let again = world.submit(&payment).await;
    assert!(matches!(again, Answer::Exists { .. }), "{again:?}");
    assert_eq!(world.duplicates(), 0);
}

#[tokio::test]
async fn a_program_manager_who_names_no_client_is_refused_by_capay_too() {
    let strict = |config: &mut SandboxConfig| config.capay.persona_pm = true;
    let world = world_with("persona = \"client\"", strict).await;
    let answer = world.submit(&card("INV-1", "10.00")).await;
    let Answer::Refused { text, created_nothing: true } = answer else { panic!("{answer:?}") };
    assert!(text.contains("clientId"), "{text}");
    let world = world_with("", strict).await;
    world.taken(&card("INV-1", "10.00")).await;
}
