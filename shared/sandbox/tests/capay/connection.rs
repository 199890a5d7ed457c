//! Who is let in: mutual TLS, and the token that stands before every call but one.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use sandbox::{CAPAY_API_KEY, CAPAY_API_USER};
use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn nobody_is_let_in_without_a_certificate_of_the_sandboxs_authority() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let desk = Desk::open(dir.path(), calm()).await;
    let stranger = Desk::open(other.path(), calm()).await.sandbox.tls().unwrap();
    let tls = desk.sandbox.tls().unwrap();
    let calls = desk.sandbox.counters_of("capay").unwrap().calls;
    for client in [
        TlsClient::anonymous(&tls),
        TlsClient::presenting(&tls, &stranger.certificate_file, &stranger.key_file),
    ] {
        assert!(client.call("GET", "/capay/beneficiaries/businesses", "", "").await.is_err());
    }
    assert_eq!(desk.sandbox.counters_of("capay").unwrap().calls, calls, "nothing came through");
    assert_eq!(desk.get("/beneficiaries/businesses").await.status, 200);
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), calm()).await;
    let client = TlsClient::outdated(&desk.sandbox.tls().unwrap());
    let error = client.call("GET", "/capay/beneficiaries/businesses", "", "").await.unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[tokio::test]
async fn each_listener_serves_its_own_calls_and_not_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), calm()).await;
    let bearer = format!("Authorization: Bearer {}\r\n", desk.token);
    let plain = format!("{}/capay/transactions/payouts", desk.sandbox.url());
    assert_eq!(call("GET", &plain, &bearer, "").await.unwrap().status, 404);
    for path in ["/sandbox/id", "/merchant/api/merchant/sandbox/status/", "/transactions/payouts"] {
        assert_eq!(desk.client.call("GET", path, &bearer, "").await.unwrap().status, 404, "{path}");
    }
    let url = format!("{}/sandbox/capay/counters", desk.sandbox.url());
    assert_eq!(get(&url, "").await.unwrap().json()["calls"]["auth/token"], 1);
}

#[tokio::test]
async fn a_token_opens_every_call_and_each_request_for_one_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(dir.path(), calm()).await;
    let answer = desk.ask_token(CAPAY_API_USER, CAPAY_API_KEY).await;
    assert_eq!((answer.status, &answer.json()["expiresInSeconds"]), (200, &json!(3_600)));
    assert_eq!(answer.json()["accessToken"].as_str().unwrap().split('.').count(), 3);
    assert_eq!(desk.ask_token(CAPAY_API_USER, "wrong").await.status, 401);
    assert_eq!(desk.list("").await.status, 200);
    desk.token = "unknown".into();
    for (verb, path) in [
        ("GET", "/beneficiaries/individuals"),
        ("GET", "/transactions/payouts"),
        ("GET", "/transactions/payouts/x"),
        ("POST", "/transactions/payouts"),
        ("POST", "/transactions/payouts/x/cancel"),
    ] {
        let body = payout_body("r", "1.00");
        assert_eq!(desk.call(verb, path, &body).await.unwrap().status, 401, "{verb} {path}");
    }
    let counters = desk.sandbox.counters_of("capay").unwrap();
    assert_eq!((counters.calls["auth/token"], counters.bad_api_keys), (3, 6));
    assert_eq!(counters.accepted, 0);
}

#[tokio::test]
async fn a_token_ends_before_its_time_when_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = Desk::open(dir.path(), calm()).await;
    let control = |path: &str| format!("{}/sandbox/capay/{path}", desk.sandbox.url());
    let (life, tokens) = (control("token_life"), control("forget_tokens"));
    let put = |life: Value| json!({ "token_life_ms": life }).to_string();

    let answer = call("PUT", &life, "", &put(json!(0))).await.unwrap();
    assert_eq!((answer.status, &answer.json()["token_life_ms"]), (200, &json!(0)));
    desk.token = desk.log_in().await;
    assert_eq!(desk.list("").await.status, 401, "also a new one");
    call("PUT", &life, "", &put(Value::Null)).await.unwrap();
    assert_eq!(desk.list("").await.status, 200, "it lives as long as it tells");

    assert_eq!(call("POST", &tokens, "", "").await.unwrap().json()["forgotten"], 2);
    assert_eq!(desk.list("").await.status, 401);
    desk.token = desk.log_in().await;
    assert_eq!(desk.list("").await.status, 200);
    assert_eq!(call("PUT", &life, "", "{\"life\": 1}").await.unwrap().status, 400);
}

#[test]
fn the_program_tells_its_certificates_before_it_is_ready() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["--capay-pm", "--data"])
        .arg(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut told: Vec<String> = Vec::new();
    for line in lines {
        let is_ready = line.starts_with("sandbox listening on http://");
        told.push(line);
        if is_ready {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[0].starts_with("sandbox tls on https://127.0.0.1:"), "{told:?}");
    for (line, file) in told[1..4].iter().zip(["ca.pem", "client.pem", "client.key"]) {
        let path = line.split_whitespace().last().unwrap();
        assert!(path.ends_with(file) && std::path::Path::new(path).exists(), "{line}");
    }
}
