//! The access token: one request for many calls, and what happens where there is none.

use super::server::{Server, TOKEN, is_for_token, token_body};
use super::token::{NoToken, Tokens, read_grant};
use super::*;
use crate::testing::{Gate, Script, card, question, say, say_with};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use std::sync::atomic::{AtomicBool, AtomicUsize};

const TAKEN: &str = r#"{"id": "p-1"}"#;
const HOUR_S: u64 = 3_600;

fn grant_body(exp: u64, expires_in: &str) -> String {
    let claims = URL_SAFE_NO_PAD.encode(format!("{{\"exp\": {exp}}}"));
    format!("{{\"accessToken\": \"h.{claims}.s\", \"expiresInSeconds\": {expires_in}}}")
}

/// How many seconds a token of this answer is used.
async fn used_for_s(body: &str) -> u64 {
    let clock = TestClock::default();
    let tokens = Tokens::default();
    let body = raw(200, body);
    let ask = async || Ok(read_grant(&body, clock.unix_s()).unwrap());
    tokens.get(&clock, ask).await.unwrap();
    let mut seconds = 0;
    while !tokens.are_due(&clock).await {
        clock.advance_s(1);
        seconds += 1;
    }
    seconds
}

#[tokio::test]
async fn a_token_is_used_for_four_fifths_of_its_life() {
    assert_eq!(used_for_s(&token_body()).await, HOUR_S / 5 * 4);
    let plain = |more: &str| format!("{{\"accessToken\": \"opaque\"{more}}}");
    assert_eq!(used_for_s(&plain("")).await, HOUR_S / 5 * 4, "an hour where nothing is told");
    assert_eq!(used_for_s(&plain(", \"expiresInSeconds\": \"100\"")).await, 80);
    assert_eq!(used_for_s(&plain(", \"expiresInSeconds\": 0")).await, 1);
    let for_ever = format!(", \"expiresInSeconds\": {}", u64::MAX);
    assert_eq!(used_for_s(&plain(&for_ever)).await, 24 * HOUR_S / 5 * 4, "a day at most");
}

#[tokio::test]
async fn the_end_in_the_jwt_shortens_a_life_and_never_lengthens_it() {
    assert_eq!(used_for_s(&grant_body(TODAY_S + 1_000, "3600")).await, 800);
    assert_eq!(used_for_s(&grant_body(TODAY_S + 9_000, "3600")).await, HOUR_S / 5 * 4);
    let wrong_clock = used_for_s(&grant_body(TODAY_S - 9_000, "3600")).await;
    assert_eq!(wrong_clock, 48, "a clock that is wrong does not make each call ask");
}

#[test]
fn an_answer_without_a_token_is_none() {
    for body in ["", "{}", "[]", r#"{"accessToken": ""}"#, r#"{"accessToken": "a\nb"}"#] {
        assert!(read_grant(&raw(200, body), TODAY_S).is_err(), "{body}");
    }
}

#[tokio::test]
async fn an_hour_of_calls_asks_for_one_token_and_the_next_hour_for_another() {
    let server = Server::saying(say(201, TAKEN)).await;
    let clock = Arc::new(TestClock::default());
    let adapter = adapter_on(&server.base(), PM, Arc::clone(&clock));
    // The answer's token ends an hour after the clock's start whenever it is given: a server that
    // gave the same one for ever would be asked once a minute, so these calls stay in four fifths.
    for minute in 0..48 {
        submit(&adapter, &card(&format!("A{minute}"), "1.00"), Gate::new(true)).await;
        clock.advance_s(60);
    }
    assert_eq!((server.requests().len(), server.tokens()), (48, 1));
    submit(&adapter, &card("B", "1.00"), Gate::new(true)).await;
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn of_many_callers_at_once_one_asks_and_the_others_wait() {
    let server = Server::saying(say(201, TAKEN)).await;
    let adapter = adapter_at(&server.base(), "");
    let payments: Vec<_> = (0..8).map(|n| card(&format!("A{n}"), "1.00")).collect();
    let answers = join_all(payments.iter().map(|p| submit(&adapter, p, Gate::new(true)))).await;
    assert!(answers.iter().all(|a| matches!(a, Answer::Accepted { .. })), "{answers:?}");
    assert_eq!((server.requests().len(), server.tokens()), (8, 1));
}

#[tokio::test]
async fn who_asked_and_went_away_leaves_the_next_one_asking() {
    let clock = TestClock::default();
    let tokens = Tokens::default();
    let body = raw(200, &token_body());
    {
        let never = tokens.get(&clock, async || futures::future::pending().await);
        assert!(futures::future::FutureExt::now_or_never(never).is_none());
    }
    let ask = async || Ok(read_grant(&body, TODAY_S).unwrap());
    assert!(tokens.get(&clock, ask).await.is_ok());
}

#[tokio::test]
async fn a_failure_is_everybodys_for_a_second() {
    let clock = TestClock::default();
    let tokens = Tokens::default();
    let asked = AtomicUsize::new(0);
    let fail = async || {
        asked.fetch_add(1, Ordering::SeqCst);
        Err(NoToken::Refused("no".into()))
    };
    for _ in 0..3 {
        assert!(tokens.get(&clock, fail).await.is_err());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    clock.advance_s(1);
    assert!(tokens.get(&clock, fail).await.is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

/// Whatever becomes of the request for a token: the create does not leave, and is never unknown.
#[tokio::test]
async fn without_a_token_no_create_leaves_and_none_is_unknown() {
    type Check = fn(&Answer) -> bool;
    let later: Check = |answer| matches!(answer, Answer::Later { .. });
    let stop: Check = |answer| matches!(answer, Answer::StopLane { retry_after_ms: None, .. });
    for (script, check) in [
        (say(200, "{}"), later),
        (say(200, "<html>"), later),
        (say(302, ""), later),
        (say(408, ""), later),
        (say(500, &token_body()), later),
        (Script::Hang, later),
        (say_with(429, "Retry-After: 3\r\n", ""), |answer| {
            matches!(answer, Answer::Later { retry_after_ms: Some(3_000), .. })
        }),
        (say(400, &token_body()), stop),
        (say(401, KEY), stop),
        (say(403, ""), stop),
        (say(404, ""), stop),
    ] {
        let server = Server::start_raw(move |_| script.clone()).await;
        let adapter = adapter_at(&server.base(), "");
        let answer = submit(&adapter, &card("INV-1", "1.00"), Gate::new(true)).await;
        assert!(check(&answer), "{answer:?}");
        let printed = format!("{answer:?}");
        assert!(!printed.contains(KEY) && !printed.contains(TOKEN), "{printed}");
        assert_eq!((server.requests().len(), server.tokens()), (0, 1));
        let found = ask(&adapter, &card("INV-1", "1.00")).await;
        assert!(matches!(found, Found::StopLane { .. } | Found::Unclear { .. }), "{found:?}");
    }
}

#[tokio::test]
async fn a_401_asks_for_a_new_token_and_repeats_the_request_once() {
    let refused = AtomicBool::new(false);
    let server = Server::start(move |_| {
        if refused.swap(true, Ordering::SeqCst) { say(201, TAKEN) } else { say(401, "") }
    })
    .await;
    let adapter = adapter_at(&server.base(), "");
    let gate = Gate::new(true);
    let answer = submit(&adapter, &card("INV-1", "1.00"), Arc::clone(&gate)).await;
    assert!(matches!(answer, Answer::Accepted { .. }), "{answer:?}");
    assert_eq!((server.requests().len(), server.tokens()), (2, 2));
    assert_eq!(gate.asked.load(Ordering::SeqCst), 2, "the repeat is gated too");
    let [first, second] = &server.requests()[..] else { panic!() };
    assert_eq!(first, second, "it is the same request");
}

#[tokio::test]
async fn a_second_401_stops_the_lane_whatever_was_asked() {
    let server = Server::saying(say(401, "")).await;
    let adapter = adapter_at(&server.base(), "");
    let payment = card("INV-1", "1.00");
    let answer = submit(&adapter, &payment, Gate::new(true)).await;
    assert!(matches!(answer, Answer::StopLane { retry_after_ms: None, .. }), "{answer:?}");
    assert_eq!((server.requests().len(), server.tokens()), (2, 2));
    let found = ask(&adapter, &payment).await;
    assert!(matches!(found, Found::StopLane { .. }), "{found:?}");
}

#[tokio::test]
async fn a_401_that_names_our_payout_is_not_followed_by_another_create() {
    type Check = fn(&Answer) -> bool;
    let table: [(&str, Check); 3] = [
        (r#"{"id": "p-1", "reference": "abcd-INV-1"}"#, |a| matches!(a, Answer::Unknown { .. })),
        (r#"{"error": {"property": "reference"}}"#, |a| matches!(a, Answer::Exists { .. })),
        (r#"{"error": {"message": "Duplicate request"}}"#, |a| matches!(a, Answer::Exists { .. })),
    ];
    for (odd, check) in table {
        let server = Server::saying(say(401, odd)).await;
        let adapter = adapter_at(&server.base(), "");
        let answer = submit(&adapter, &card("INV-1", "1.00"), Gate::new(true)).await;
        assert!(check(&answer), "{odd}: {answer:?}");
        assert_eq!((server.requests().len(), server.tokens()), (1, 1), "{odd}");
    }
}

#[tokio::test]
async fn a_401_that_is_followed_by_no_token_moved_nothing() {
    let had_one = AtomicBool::new(false);
    let server = Server::start_raw(move |request| {
        let first = is_for_token(request) && !had_one.swap(true, Ordering::SeqCst);
        if first {
            say(200, &token_body())
        } else {
            say(if is_for_token(request) { 500 } else { 401 }, "")
        }
    })
    .await;
    let adapter = adapter_at(&server.base(), "");
    let answer = submit(&adapter, &card("INV-1", "1.00"), Gate::new(true)).await;
    assert!(matches!(answer, Answer::Later { .. }), "{answer:?}");
}

#[tokio::test]
async fn a_look_up_takes_a_turn_for_each_request_also_for_a_token() {
    let server = Server::saying(say(200, r#"{"data": []}"#)).await;
    let adapter = adapter_at(&server.base(), "");
    for turns_in_all in [2, 1] {
        let (question, turns) = question(vec![card("INV-1", "1.00")]);
        adapter.look_up(question).await;
        assert_eq!(turns.0.load(Ordering::SeqCst), turns_in_all);
    }
}

#[tokio::test]
async fn the_request_for_a_token_is_the_documents() {
    let body = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&body);
    let server = Server::start_raw(move |request| {
        if is_for_token(request) {
            *seen.lock().unwrap() = request.to_owned();
        }
        say(200, &token_body())
    })
    .await;
    submit(&adapter_at(&server.base(), ""), &card("A", "1.00"), Gate::new(true)).await;
    let request = body.lock().unwrap().clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, serde_json::json!({ "apiUser": USER, "apiKey": KEY }));
}
