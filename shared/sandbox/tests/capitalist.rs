//! Capitalist over real HTTP: access, batches, pages, look-ups, restarts.

mod support;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use rsa::pkcs1::{DecodeRsaPublicKey, EncodeRsaPublicKey};
use rsa::pkcs8::LineEnding;
use rsa::rand_core::OsRng;
use rsa::{BigUint, Pkcs1v15Encrypt, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sandbox::{CapitalistConfig, CapitalistNumbers, Sandbox};
use serde_json::{Value, json};
use support::capitalist::*;
use support::eventually;

#[tokio::test]
async fn an_encrypted_password_opens_with_a_token_and_only_with_it() {
    let office = office(never()).await;
    let token = office.json(&[("operation", "get_token"), ("login", "sandbox")]).await;
    let data = &token["data"];
    let number = |name: &str| hex::decode(pad(data[name].as_str().unwrap())).unwrap();
    let key = RsaPublicKey::new(
        BigUint::from_bytes_be(&number("modulus")),
        BigUint::from_bytes_be(&number("exponent")),
    )
    .unwrap();
    let pem = data["rsa_public_key_pkcs1_pem"].as_str().unwrap();
    assert_eq!(RsaPublicKey::from_pkcs1_pem(pem).unwrap(), key, "the three forms are one key");
    let encrypt = |text: &str| {
        hex::encode(key.encrypt(&mut OsRng, Pkcs1v15Encrypt, text.as_bytes()).unwrap())
    };
    let (right, wrong) = (encrypt("sandbox-password"), encrypt("guess"));
    let token = data["token"].as_str().unwrap();
    for (login, token, hidden, code) in [
        ("sandbox", token, right.as_str(), 0),
        ("nobody", token, &right, 5),
        ("sandbox", "", &right, 20),
        ("sandbox", "0123", &right, 20),
        ("sandbox", token, "", 10),
        ("sandbox", token, "abcd", 10),
        ("sandbox", token, &wrong, 15),
    ] {
        let fields = [
            ("operation", "get_accounts"),
            ("login", login),
            ("token", token),
            ("encrypted_password", hidden),
        ];
        assert_eq!(office.json(&fields).await["code"], code, "{login} {token} {hidden}");
    }
}

fn pad(digits: &str) -> String {
    format!("{}{digits}", "0".repeat(digits.len() % 2))
}

#[tokio::test]
async fn a_token_ends_and_wrong_passwords_lock_the_login() {
    let office = office(CapitalistConfig {
        token_life_ms: 0,
        wrong_passwords_max: 3,
        lock_ms: 3_600_000,
        ..never()
    })
    .await;
    let token = office.json(&[("operation", "get_token"), ("login", "sandbox")]).await;
    let token = token["data"]["token"].as_str().unwrap().to_owned();
    let fields = [("operation", "get_accounts"), ("login", "sandbox"), ("token", &token)];
    assert_eq!(office.json(&fields).await["code"], 20, "it lives no moment");
    let mut codes = Vec::new();
    for password in ["a", "b", "sandbox-password", "a", "b", "c", "sandbox-password"] {
        let fields =
            [("operation", "get_accounts"), ("login", "sandbox"), ("plain_password", password)];
        codes.push(office.json(&fields).await["code"].as_u64().unwrap());
    }
    assert_eq!(codes, [15, 15, 0, 15, 15, 16, 16]);
}

#[tokio::test]
async fn a_batch_is_taken_processed_over_time_and_found_in_every_look_up() {
    let office = office(CapitalistConfig { settle_after_ms: 400, ..quick() }).await;
    let batch = [card("n1", "100.00"), card("n2", "250.50"), card("n3", "100.91")].join("\n");
    let answer = office.try_import(&batch).await.unwrap();
    assert!(answer.body.contains("\"RUR\":451.41"), "exact digits, bare: {}", answer.body);
    let answer = answer.json();
    assert_eq!((answer["code"].as_u64(), &answer["message"]), (Some(0), &json!("")));
    let data = &answer["data"];
    assert_eq!(data["fee"]["RUR"], json!(4.52), "each fee is rounded up");
    assert_eq!(data["errors"], json!([]));
    let id = data["id"].as_str().unwrap().to_owned();

    let mut seen = Vec::new();
    let page = loop {
        let page = office.page(&id, 10, 0).await;
        let words: Vec<_> =
            records(&page).iter().map(|r| r["state"].as_str().unwrap().to_owned()).collect();
        let is_final = words.iter().all(|word| word == "PROCESSED" || word == "DECLINED");
        if seen.last() != Some(&words) {
            seen.push(words);
        }
        if is_final {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    assert!(seen.len() >= 2, "the same page read twice showed progress: {seen:?}");
    assert_eq!(seen.last().unwrap(), &["PROCESSED", "PROCESSED", "DECLINED"]);
    let first = &records(&page)[0];
    assert_eq!((&first["internalNumber"], &first["beneficiary"]), (&json!("n1"), &json!(CARD)));
    assert_eq!((&first["lineNumber"], &first["paymentType"]), (&json!("1"), &json!("RUCARD")));
    assert_eq!((&first["currency"], &first["amount"]), (&json!("RUR"), &json!(100.0)));
    assert_ne!(records(&page)[2]["errorDetails"], Value::Null);

    let found = office.search("n2", "", "").await;
    let [document] = documents(&found) else { panic!("{found}") };
    assert_eq!(
        (&document["batchId"], &document["documentState"]),
        (&json!(id), &json!("EXECUTED"))
    );
    assert_eq!(document["sourceAccount"], "R0000001");
    let history = office.ask("get_documents_history_ext", &[("document_state", "declined")]).await;
    assert_eq!(history["data"]["history"][0]["number"], "n3");
    let counters = office.counters();
    assert_eq!((counters.create, counters.accepted, counters.paid, counters.pending), (1, 3, 2, 0));
    let entry = &office.ledger()[1];
    assert_eq!((&*entry.order_id, &*entry.amount, &*entry.currency), ("n2", "250.50", "rub"));
    assert_eq!((&*entry.destination, entry.paid, &*entry.provider), (CARD, true, "capitalist"));
}

#[tokio::test]
async fn the_same_number_twice_is_paid_twice_and_counted() {
    let office = office(quick()).await;
    office.import(&card("twice", "100.00")).await;
    assert_eq!(office.counters().duplicates, 0);
    office.import(&card("twice", "100.00")).await;
    office.sandbox.settle_now();
    let counters = office.counters();
    assert_eq!((counters.accepted, counters.paid, counters.duplicates), (2, 2, 1));
    assert_eq!(documents(&office.search("twice", "", "").await).len(), 2);
}

#[tokio::test]
async fn a_pin_or_a_signature_over_the_very_bytes_confirms_and_nothing_else() {
    let key = RsaPrivateKey::new(&mut OsRng, 1024).unwrap();
    let pem = key.to_public_key().to_pkcs1_pem(LineEnding::LF).unwrap();
    let office = office(CapitalistConfig { public_key_pem: Some(pem), ..never() }).await;
    let batch = card("n1", "100.00");
    let sign = |text: &str| {
        let hash = <sha1::Sha1 as sha1::Digest>::digest(text);
        STANDARD.encode(key.sign(Pkcs1v15Sign::new::<sha1::Sha1>(), &hash).unwrap())
    };
    let pin = hex::encode(Md5::digest("sandbox-pin"));
    for (kind, data, code) in [
        ("SIGNATURE", sign(&format!("{batch}\n")), 110),
        ("SIGNATURE", "not base64!".to_owned(), 110),
        ("SIGNATURE", String::new(), 182),
        ("PIN", hex::encode(Md5::digest("0000")), 110),
        ("PIN", pin.to_uppercase(), 110),
        ("PIN", "sandbox-pin".to_owned(), 110),
        ("OTHER", pin.clone(), 180),
        ("SIGNATURE", sign(&batch), 0),
        ("PIN", pin, 0),
    ] {
        let answer = office.import_as(&batch, kind, &data).await;
        assert_eq!(answer["code"], code, "{kind} {data}: {answer}");
    }
    let counters = office.counters();
    assert_eq!((counters.accepted, counters.bad_signatures), (2, 5));
}

#[tokio::test]
async fn without_a_registered_key_a_signature_is_inactive() {
    let office = office(never()).await;
    let answer = office.import_as(&card("n1", "100.00"), "SIGNATURE", "AAAA").await;
    assert_eq!(answer["code"], 181);
}

#[tokio::test]
async fn a_batch_for_the_telephone_waits_until_the_right_code() {
    let office = office(quick()).await;
    let answer = office.import_as(&card("n1", "100.00"), "MOBILE", "").await;
    let id = answer["data"]["id"].as_str().unwrap().to_owned();
    let state = async || records(&office.page(&id, 1, 0).await)[0]["state"].clone();
    assert_eq!(office.sandbox.settle_now(), 0, "nothing settles what waits");
    assert_eq!(state().await, "READY");
    let confirm = async |code: &str| {
        let fields =
            [("batch_id", &*id), ("verification_type", "MOBILE"), ("verification_data", code)];
        office.ask("process_batch", &fields).await
    };
    let wrong = confirm("000000").await;
    assert_eq!((&wrong["code"], &wrong["data"]["verificationSuccess"]), (&json!(0), &json!(2)));
    assert_eq!(state().await, "READY");
    let right = confirm("424242").await;
    assert_eq!(right["data"], json!({ "id": id, "verificationSuccess": 1 }));
    eventually("paid", || office.counters().paid == 1).await;
    assert_eq!(confirm("424242").await["code"], 2, "it does not wait any more");
}

#[tokio::test]
async fn pages_of_a_large_batch_are_told_whole_once_each_and_never_above_the_limit() {
    let office = office(never()).await;
    let lines: Vec<_> = (0..1_000).map(|n| card(&format!("n{n}"), "100.00")).collect();
    let answer = office.import(&lines.join("\n")).await;
    let id = answer["data"]["id"].as_str().unwrap().to_owned();
    let mut numbers = Vec::new();
    for offset in (0..1_000).step_by(300) {
        let page = office.page(&id, 300, offset).await;
        assert_eq!(page["data"]["totalCount"], "1000");
        assert_eq!(page["data"]["pageCount"], "4");
        assert_eq!(page["data"]["offset"], offset.to_string());
        let told = records(&page).iter().map(|r| r["internalNumber"].as_str().unwrap().to_owned());
        numbers.extend(told);
    }
    let all: Vec<_> = (0..1_000).map(|n| format!("n{n}")).collect();
    assert_eq!(numbers, all);
    assert_eq!(office.page(&id, 1_001, 0).await["code"], 25);
    let by_page = [("batch_id", &*id), ("page_size", "10"), ("page", "99")];
    let last = office.ask("get_batch_info", &by_page).await;
    assert_eq!(records(&last)[9]["internalNumber"], "n999");
    assert_eq!(records(&office.page(&id, 10, 1_000).await).len(), 0, "past the end");
    let one_more = format!("{}\n{}", lines.join("\n"), card("n1000", "100.00"));
    assert_eq!(office.import(&one_more).await["code"], 112);
    let counters = office.counters();
    assert_eq!((counters.max_page, counters.calls["get_batch_info"]), (1_001, 7));
    assert_eq!((counters.create, counters.accepted), (2, 1_000));
}

#[tokio::test]
async fn a_lowered_limit_of_records_is_kept() {
    let office = office(CapitalistConfig { records_max: 2, ..never() }).await;
    let three = [card("a", "100.00"), card("b", "100.00"), card("c", "100.00")];
    assert_eq!(office.import(&three.join("\n")).await["code"], 112);
    assert_eq!(office.import(&three[..2].join("\n")).await["code"], 0);
}

#[tokio::test]
async fn rejected_records_are_listed_and_skipped_and_the_others_are_taken() {
    let office = office(quick()).await;
    let batch = [card("n1", "100.00"), card("n2", "100.93"), card("n3", "100.95")].join("\n");
    let answer = office.import(&batch).await;
    let errors = answer["data"]["errors"].as_array().unwrap();
    assert_eq!((&errors[0]["line"], &errors[1]["line"]), (&json!("2"), &json!("3")));
    assert_ne!(errors[0]["comment"], errors[1]["comment"]);
    assert_eq!(answer["data"]["nettoSummary"]["RUR"], json!(100.0));
    let page = office.page(answer["data"]["id"].as_str().unwrap(), 10, 0).await;
    let skipped = &records(&page)[1];
    assert_eq!((&skipped["paymentType"], &skipped["documentId"]), (&json!("SKIP"), &Value::Null));
    assert_eq!(skipped["errorDetails"], errors[0]["comment"]);
    assert_eq!(documents(&office.search("n2", "", "").await).len(), 0);
    assert_eq!(office.counters().accepted, 1);
}

#[tokio::test]
async fn a_busy_amount_refuses_the_batch_once_and_one_that_stays_never_settles() {
    let office = office(quick()).await;
    let batch = [card("n1", "100.94"), card("n2", "100.96")].join("\n");
    assert_eq!(office.import(&batch).await["code"], 2);
    assert_eq!(office.counters().accepted, 0);
    assert_eq!(office.import(&batch).await["code"], 0);
    eventually("paid", || office.counters().paid == 1).await;
    assert_eq!(office.sandbox.settle_now(), 0);
    assert_eq!((office.counters().pending, &*office.ledger()[1].status), (1, "INPROCESS"));
}

#[tokio::test]
async fn what_is_wrong_with_an_import_has_its_own_code_and_takes_nothing() {
    let office = office(CapitalistConfig { balance: 1_000.into(), ..never() }).await;
    let import = async |account: (&str, &str), batch: &str| {
        let pin = hex::encode(Md5::digest("sandbox-pin"));
        let fields =
            [account, ("batch", batch), ("verification_type", "PIN"), ("verification_data", &pin)];
        office.ask("import_batch_advanced", &fields).await["code"].as_u64().unwrap()
    };
    let ours = ("account_RUR", "R0000001");
    assert_eq!(import(("other", ""), &card("n", "100.00")).await, 131);
    assert_eq!(import(("account_RUR", "R7654321"), &card("n", "100.00")).await, 130);
    assert_eq!(import(("account_EUR", "E0000001"), &card("n", "100.00")).await, 130);
    assert_eq!(import(ours, "").await, 132);
    assert_eq!(import(ours, "NOSUCH;1;2;3").await, 125);
    assert_eq!(import(ours, &card("n\"", "100.00")).await, 111);
    assert_eq!(import(ours, &card("n", "0.00")).await, 188);
    assert_eq!(import(ours, &card("n", "1000.00")).await, 135, "the fee does not fit");
    assert_eq!(office.counters().accepted, 0);
    assert_eq!(import(ours, &card("n", "990.00")).await, 0);
}

#[tokio::test]
async fn both_formats_tell_the_same_and_the_header_says_which() {
    let office = office(CapitalistConfig { numbers: CapitalistNumbers::Strings, ..never() }).await;
    let answer = office.import(&[card("n1", "100.00"), card("n2", "100.93")].join("\n")).await;
    assert_eq!(answer["data"]["summary"]["RUR"], "101.00");
    let id = answer["data"]["id"].as_str().unwrap().to_owned();
    let query = [("batch_id", &*id), ("page_size", "10"), ("start_offset", "0")];
    let csv = office.csv("get_batch_info", &query).await;
    assert!(csv.head.contains("x-response-format: csv"), "{}", csv.head);
    let lines: Vec<&str> = csv.body.lines().collect();
    assert_eq!(lines[0], format!("0;{id};0;10;2;1;0"));
    assert!(lines[1].starts_with(&format!("1;n1;{CARD};100.00;RUR;")), "{}", lines[1]);
    assert!(lines[1].ends_with(";NEW;RUCARD;") && lines[2].contains(";SKIP;"), "{lines:?}");
    let search = office.csv("documents_search", &[("customNumber", "n1")]).await;
    let lines: Vec<&str> = search.body.lines().collect();
    assert_eq!((lines[0], lines.len()), ("0", 2));
    assert!(lines[1].contains(";n1;") && lines[1].contains(&id));
    let token = office.csv("get_token", &[]).await.body;
    assert_eq!((token.split(';').count(), token.split(';').next()), (4, Some("0")));
    let refusal = office.csv("get_batch_info", &[("batch_id", "none"), ("page_size", "1")]).await;
    assert!(refusal.body.starts_with("2;Run-time error"), "{}", refusal.body);
    let json = office.call("x-response-format: JSON\r\n", &[("operation", "nothing")]).await;
    assert!(json.head.contains("x-response-format: json"), "{}", json.head);
    assert_eq!(json.json()["code"], 151);
}

#[tokio::test]
async fn a_multipart_call_is_read_like_any_other() {
    let office = office(never()).await;
    let pin = hex::encode(Md5::digest("sandbox-pin"));
    let batch = [card("n1", "100.00"), card("n2", "100.00")].join("\n");
    let fields = [
        ("operation", "import_batch_advanced"),
        ("login", "sandbox"),
        ("plain_password", "sandbox-password"),
        ("account_RUR", "R0000001"),
        ("batch", &batch),
        ("verification_type", "PIN"),
        ("verification_data", &pin),
    ];
    let part = |(name, value): (&str, &str)| {
        format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = format!("{}--xyz--\r\n", fields.map(part).concat());
    let headers = "x-response-format: json\r\nContent-Type: multipart/form-data; boundary=xyz\r\n";
    let answer = support::call("POST", &office.url(), headers, &body).await.unwrap();
    assert_eq!(answer.json()["code"], 0, "{}", answer.body);
    assert_eq!(office.counters().accepted, 2);
}

#[tokio::test]
async fn a_search_keeps_its_days_and_a_history_its_pages() {
    let office = office(never()).await;
    office
        .import(&[card("n1", "100.00"), card("n2", "200.00"), card("n3", "300.00")].join("\n"))
        .await;
    let all = office.search("", "01.01.2020", "31.12.2099").await;
    assert_eq!(documents(&all).len(), 3);
    assert_eq!(documents(&office.search("n1", "01.01.2020", "02.01.2020").await).len(), 0);
    let today = documents(&all)[0]["timestamp"].as_str().unwrap()[..10].to_owned();
    assert_eq!(documents(&office.search("", &today, &today).await).len(), 3, "both days included");
    assert_eq!(office.search("", "2020-01-01", "").await["code"], 202);

    let page = async |page: &str| {
        let fields = [("limit", "2"), ("page", page), ("account", "R0000001")];
        office.ask("get_documents_history_ext", &fields).await["data"].clone()
    };
    let numbers = |data: &Value| -> Vec<String> {
        let items = data["history"].as_array().unwrap().iter();
        items.map(|item| item["number"].as_str().unwrap().to_owned()).collect()
    };
    let (first, second) = (page("1").await, page("2").await);
    assert_eq!(
        (numbers(&first), numbers(&second)),
        (vec!["n3".to_owned(), "n2".to_owned()], vec!["n1".to_owned()])
    );
    assert_eq!(
        (&second["pages"]["itemCount"], &second["pages"]["pageCount"]),
        (&json!("3"), &json!("2"))
    );
    assert_eq!(first["history"][0]["tax"], json!(3.0));
    let elder = office.ask("get_documents_history", &[("external_account", CARD)]).await;
    assert_eq!(numbers(&elder["data"]).len(), 3);
    assert!(elder["data"].get("pages").is_none());
    let too_large = office.ask("get_documents_history_ext", &[("limit", "1001")]).await;
    assert_eq!(too_large["code"], 25);
}

#[tokio::test]
async fn the_account_tells_its_balances_fees_rates_and_who_is_verified() {
    let office = office(never()).await;
    office.import(&card("n1", "100.00")).await;
    let accounts = office.ask("get_accounts", &[]).await;
    let rouble = &accounts["data"]["accounts"][0];
    assert_eq!((&rouble["number"], &rouble["blockedAmount"]), (&json!("R0000001"), &json!(101.0)));
    let fee = |changed: (&'static str, &'static str)| {
        let mut fields = vec![
            ("document_type", "RUCARD"),
            ("source_account", "R0000001"),
            ("amount", "150.00"),
            ("dest_account", CARD),
        ];
        fields.retain(|(name, _)| *name != changed.0);
        fields.push(changed);
        fields
    };
    let answer = office.ask("get_document_fee", &fee(("wiretag", ""))).await;
    assert_eq!(answer["data"]["fee"], json!(1.5));
    for (changed, code) in [
        (("document_type", "NOSUCH"), 190),
        (("dest_account", ""), 193),
        (("source_account", "R7654321"), 195),
        (("amount", "0"), 196),
    ] {
        assert_eq!(office.ask("get_document_fee", &fee(changed)).await["code"], code);
    }
    let verified =
        async |account: &str| office.ask("is_verified_account", &[("account", account)]).await;
    assert_eq!(verified("R0000002").await["data"]["verified"], true);
    assert_eq!(verified("R0000099").await["data"]["verified"], false);
    assert_eq!(verified("nobody").await["code"], 200);
    let rates = office.ask("currency_rates", &[]).await;
    assert_eq!(rates["data"]["rates"]["sell"][0]["target"], "USD");
    let systems = office.ask("get_cashin_requisites", &[]).await;
    assert_eq!(systems["data"]["systems"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_no_call_is_refused_by_its_code() {
    let office = office(never()).await;
    let get = support::call("GET", &office.url(), "x-response-format: json\r\n", "").await.unwrap();
    assert_eq!(get.json()["code"], 150);
    let headers = "Content-Type: application/json\r\nx-response-format: json\r\n";
    let body = support::call("POST", &office.url(), headers, "{}").await.unwrap();
    assert_eq!(body.json()["code"], 202);
    let elsewhere = format!("{}other", office.url());
    assert_eq!(support::call("POST", &elsewhere, "", "").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_restart_keeps_key_ledger_duplicates_and_what_was_on_its_way() {
    let dir = tempfile::tempdir().unwrap();
    let before = Office::start(dir.path(), never()).await;
    let key = before.ask("get_token", &[]).await["data"]["modulus"].clone();
    let answer = before.import(&card("n1", "100.00")).await;
    let id = answer["data"]["id"].as_str().unwrap().to_owned();
    let waiting = before.import_as(&card("n2", "100.00"), "MOBILE", "").await;
    let (counters, ledger) = (before.counters(), before.ledger());
    let file = std::fs::read_to_string(dir.path().join("capitalist.ndjson")).unwrap();
    assert!(file.contains(&id), "in the file before it was answered");
    before.sandbox.shutdown().await;

    let after = Office::start(dir.path(), quick()).await;
    assert_eq!(after.ask("get_token", &[]).await["data"]["modulus"], key);
    assert_eq!(after.counters().accepted, counters.accepted);
    assert_eq!(after.ledger()[0].internal_transaction_id, ledger[0].internal_transaction_id);
    eventually("paid", || after.counters().paid == 1).await;
    assert_eq!(records(&after.page(&id, 1, 0).await)[0]["state"], "PROCESSED");
    let waiting = waiting["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(records(&after.page(&waiting, 1, 0).await)[0]["state"], "READY");
    after.import(&card("n1", "100.00")).await;
    assert_eq!(after.counters().duplicates, 1);
}

#[tokio::test]
async fn secrets_of_the_sandbox_lie_in_files_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let office = office(never()).await;
    office.ask("get_token", &[]).await;
    let key = std::fs::metadata(office.dir().join("capitalist-key.pem")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_key_that_is_none_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let config = CapitalistConfig { public_key_pem: Some("no key".into()), ..never() };
    let config =
        sandbox::SandboxConfig { capitalist: config, ..sandbox::SandboxConfig::new(dir.path()) };
    let error = Sandbox::start(config).await.err().expect("refused").to_string();
    assert!(error.contains("public_key_pem"), "{error}");
}
