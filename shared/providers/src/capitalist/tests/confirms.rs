//! The code from the SMS.

use super::platform::{Say, code, csv, data, http};
use super::*;
use crate::api::{Step, StepAnswer};
use serde_json::json as value;

async fn confirm(
    answer: Say,
    payments: Vec<Payment>,
    given: Option<&str>,
) -> (StepAnswer, Platform) {
    confirm_through(answer, payments, given, Gate::new(true)).await
}

async fn confirm_through(
    answer: Say,
    payments: Vec<Payment>,
    given: Option<&str>,
    gate: Arc<Gate>,
) -> (StepAnswer, Platform) {
    let platform = Platform::start().await;
    platform.on("process_batch", [answer]);
    let adapter = adapter_at(&platform.base, "verification = \"mobile\"");
    let step = Step { payments, code: given.map(str::to_owned), gate };
    (Provider::confirm(&adapter).unwrap().confirm(step).await, platform)
}

fn batch() -> Vec<Payment> {
    ["A", "B"].map(|name| shipped(wallet(name, "1.00"), ID)).into()
}

fn success(told: serde_json::Value) -> Say {
    data(value!({"id": ID, "verificationSuccess": told}))
}

#[tokio::test]
async fn a_right_code_is_taken_once_for_the_whole_batch() {
    for answer in [success(value!(1)), success(value!("1")), csv(&format!("0;{ID};1"))] {
        let (answer, platform) = confirm(answer, batch(), Some(" 424242 ")).await;
        assert_eq!(answer, StepAnswer::Taken);
        let [form] = &platform.heard("process_batch")[..] else { panic!("one request") };
        assert_eq!(form["batch_id"], ID);
        assert_eq!(form["verification_type"], "MOBILE");
        assert_eq!(form["verification_data"], "424242");
    }
}

#[tokio::test]
async fn a_wrong_code_is_refused_and_nothing_happened() {
    for answer in
        [success(value!(2)), code(198, "x"), code(197, "x"), code(181, "x"), code(152, "x")]
    {
        let (answer, _) = confirm(answer, batch(), Some("1")).await;
        assert!(matches!(answer, StepAnswer::Refused { .. }), "{answer:?}");
    }
}

#[tokio::test]
async fn no_text_repeats_the_code() {
    for number in [198, 2] {
        let (answer, _) = confirm(code(number, "424242 is wrong"), batch(), Some("424242")).await;
        let (StepAnswer::Refused { text } | StepAnswer::Unknown { text }) = answer else {
            panic!("{answer:?}")
        };
        assert!(!text.contains("424242") && text.contains("… is wrong"), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_for_a_look_up_to_tell() {
    for answer in [
        success(value!(3)),
        data(value!({})),
        http(502, "{\"code\": 198}"),
        http(200, ""),
        code(1, "x"),
        code(2, "x"),
        code(299, "x"),
    ] {
        let (answer, _) = confirm(answer, batch(), Some("1")).await;
        assert!(matches!(answer, StepAnswer::Unknown { .. }), "{answer:?}");
    }
}

#[tokio::test]
async fn without_a_code_or_one_batch_nothing_is_sent_and_no_text_shows_the_code() {
    let mut two = batch();
    two.push(shipped(wallet("C", "1.00"), "another"));
    let unknown = vec![sent(wallet("A", "1.00"))];
    let long = "4".repeat(33);
    for (payments, given) in [
        (batch(), None),
        (batch(), Some(" ")),
        (batch(), Some("12;34")),
        (batch(), Some(long.as_str())),
        (two, Some("424242")),
        (unknown, Some("424242")),
        (Vec::new(), Some("424242")),
    ] {
        let (answer, platform) = confirm(success(value!(1)), payments, given).await;
        let StepAnswer::Refused { text } = answer else { panic!("{answer:?}") };
        assert!(text.starts_with("not sent:") && !text.contains("4242"), "{text}");
        assert!(platform.heard("").is_empty());
    }
}

#[tokio::test]
async fn behind_a_closed_gate_a_code_is_not_sent() {
    let gate = Gate::new(false);
    let (answer, platform) =
        confirm_through(success(value!(1)), batch(), Some("424242"), gate).await;
    assert!(matches!(answer, StepAnswer::NotSent { .. }), "{answer:?}");
    assert!(platform.heard("process_batch").is_empty());
}

#[tokio::test]
async fn what_a_code_needs_is_fetched_before_its_time_runs() {
    for (more, before) in [("", &["get_token"][..]), ("access = \"plain_password\"", &[])] {
        let platform = Platform::start().await;
        platform.on("process_batch", [success(value!(1))]);
        let adapter = adapter_at(&platform.base, &format!("verification = \"mobile\"\n{more}"));
        let confirm = Provider::confirm(&adapter).unwrap();
        confirm.ready().await;
        assert_eq!(platform.operations(), before);
        let gate = Gate::new(true);
        let step = Step { payments: batch(), code: Some("424242".into()), gate };
        assert_eq!(confirm.confirm(step).await, StepAnswer::Taken);
        assert_eq!(platform.operations(), [before, &["process_batch"]].concat());
    }
}

#[tokio::test]
async fn while_a_login_rests_nothing_is_fetched_for_a_code_either() {
    let platform = Platform::start().await;
    platform.on("get_token", [code(16, "locked")]);
    let adapter = adapter_at(&platform.base, "verification = \"mobile\"");
    let confirm = Provider::confirm(&adapter).unwrap();
    confirm.ready().await;
    confirm.ready().await;
    assert_eq!(platform.operations(), ["get_token"]);
    let step = Step { payments: batch(), code: Some("1".into()), gate: Gate::new(true) };
    assert!(matches!(confirm.confirm(step).await, StepAnswer::NotSent { .. }));
    assert_eq!(platform.operations(), ["get_token"]);
}
