//! `create_bid`: the request byte for byte, and the whole table of its answers over a socket.

use super::site::Reply;
use super::*;
use crate::testing::{Gate, Nobody};

/// What the site says to a create.
async fn answer(more: &str, say: impl Fn() -> Reply + Send + Sync + 'static) -> (Answer, Site) {
    let site = Site::start(move |method, _| match method {
        "create_bid" => say(),
        _ => Reply::Body(done(json!({ "status": "cancel" }))),
    })
    .await;
    let answer = submit(&adapter_at(&site.base(), more), &card("INV-1", "1500.00")).await;
    (answer, site)
}

async fn body(body: String) -> Answer {
    answer("", move || Reply::Body(body.clone())).await.0
}

#[tokio::test]
async fn the_request_is_the_documents_byte_for_byte() {
    let site = Site::start(|_, _| done(order(7, "new", "1500"))).await;
    let adapter = adapter_at(&site.base(), "partner_id = 3\nlang = \"en_US\"");
    let mut payment = card("INV-1", "1500");
    let row = Arc::make_mut(&mut payment.row);
    row.fields.insert("full_name".into(), "Ivanov & Ж".into());
    row.fields.insert("description".into(), "not for them".into());
    submit(&adapter, &payment).await;
    let [call] = &site.calls()[..] else { panic!("one request") };
    let head = call.head.to_ascii_lowercase();
    assert!(head.starts_with("post /exchanger/api/userapi/v1/create_bid/ http/1.1\r\n"), "{head}");
    for header in [
        "content-type: application/x-www-form-urlencoded\r\n",
        "api-login: sandbox-login\r\n",
        "api-key: sandbox-api-key\r\n",
        "api-lang: en_us\r\n",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    let url = &call.given["callback_url"];
    let encoded: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    assert_eq!(
        call.body,
        format!(
            "direction_id=1&calc_amount=1500.00&calc_action=2&account2=4111111111111111\
             &cf1=Ivanov+%26+%D0%96&cf6=a%40b.example&partner_id=3&api_id={}\
             &callback_url={encoded}",
            number("INV-1")
        )
    );
    let urls = adapter.line.as_ref().unwrap().callbacks.as_ref().unwrap();
    let target = urls.read(url.strip_prefix("http://127.0.0.1:9").unwrap()).unwrap();
    assert_eq!((target.place, target.kind), (payment.place, crate::api::CallbackKind::Status));
}

#[tokio::test]
async fn an_order_of_what_was_ordered_is_begun_and_none_of_it_is_paid() {
    let begun =
        Answer::Begun { provider_id: Some("7:h7".into()), cost: Some("0.1 USDTTRC20".into()) };
    let (answer, site) = answer("", || Reply::Body(done(order(7, "new", "1500")))).await;
    assert_eq!(answer, begun);
    assert_eq!(site.methods(), ["create_bid"]);
    // Numbers for strings, strings for numbers, another case.
    let mut loose = order(7, "new", "1500");
    loose["amount_get"] = json!(1500);
    loose["currency_code_get"] = json!("rur");
    loose["id"] = json!("7");
    assert_eq!(body(done(loose).replace("\"error\":0", "\"error\":\"0\"")).await, begun);
}

#[tokio::test]
async fn another_amount_or_currency_is_cancelled_where_the_api_may_and_goes_to_a_person() {
    for (field, value) in [("amount_get", "1499.99"), ("currency_code_get", "USD")] {
        for (cancel, methods) in [
            ("api", vec!["create_bid", "cancel_bid"]),
            ("disabled", vec!["create_bid"]),
            ("https://example.com/cancel", vec!["create_bid"]),
        ] {
            let mut other = order(7, "new", "1500");
            other[field] = json!(value);
            other["api_actions"]["cancel"] = json!(cancel);
            let (answer, site) = answer("", move || Reply::Body(done(other.clone()))).await;
            let Answer::Differs { text } = answer else { panic!("{answer:?}") };
            assert_eq!(text.contains("it was cancelled"), cancel == "api", "{text}");
            assert_eq!(site.methods(), methods);
        }
    }
}

#[tokio::test]
async fn an_answer_about_a_strangers_order_is_unknown_and_that_order_is_left_alone() {
    let mut other = order(7, "new", "1499.99");
    other["api_id"] = json!("17");
    let (answer, site) = answer("", move || Reply::Body(done(other.clone()))).await;
    assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
    assert_eq!(site.methods(), ["create_bid"]);
}

#[tokio::test]
async fn nothing_is_created_before_the_key_is_known_to_be_a_users_own() {
    type Check = fn(&Answer) -> bool;
    let stop: Check = |a| matches!(a, Answer::StopLane { retry_after_ms: None, .. });
    let later: Check = |a| matches!(a, Answer::Later { .. });
    let table: [(fn() -> Reply, Check); 7] = [
        (|| done(json!({ "user_id": 0 })).into(), stop),
        (|| done(json!({ "user_id": "0" })).into(), stop),
        (|| "Api disabled".to_owned().into(), stop),
        (|| error(json!(3), "Method not supported").into(), stop),
        (|| done(json!({ "ip": "127.0.0.1" })).into(), later),
        (|| String::new().into(), later),
        (|| Reply::Status(502, String::new()), later),
    ];
    for (number, (say, check)) in table.into_iter().enumerate() {
        let site = Site::start(move |_, _| say()).await;
        let adapter = fresh_adapter_at(&site.base(), "");
        let answer = submit(&adapter, &card("INV-1", "1500.00")).await;
        assert!(check(&answer), "line {number}: {answer:?}");
        assert_eq!(site.methods(), ["test"], "line {number}");
    }
    let site = Site::start(|method, _| match method {
        "test" => done(json!({ "user_id": "7" })),
        _ => done(order(7, "new", "1500")),
    })
    .await;
    let adapter = fresh_adapter_at(&site.base(), "");
    for _ in 0..2 {
        let answer = submit(&adapter, &card("INV-1", "1500.00")).await;
        assert!(matches!(answer, Answer::Begun { .. }), "{answer:?}");
    }
    assert_eq!(site.methods(), ["test", "create_bid", "create_bid"], "asked once");
}

#[tokio::test]
async fn what_is_cut_short_or_incomplete_is_unknown() {
    for field in ["id", "status", "amount_get", "currency_code_get"] {
        let mut short = order(7, "new", "1500");
        short[field] = Value::Null;
        let answer = body(done(short)).await;
        assert!(matches!(answer, Answer::Unknown { .. }), "{field}: {answer:?}");
    }
    let whole = done(order(7, "new", "1500"));
    for text in ["", " ", "[]", "{}", "null", "<html>", &whole[..whole.len() / 2], r#"{"error":0}"#]
    {
        let answer = body(text.to_owned()).await;
        assert!(matches!(answer, Answer::Unknown { .. }), "{text}: {answer:?}");
    }
}

#[tokio::test]
async fn every_listed_error_has_its_class() {
    type Check = fn(&Answer) -> bool;
    let unknown: Check = |a| matches!(a, Answer::Unknown { .. });
    let stop: Check = |a| matches!(a, Answer::StopLane { retry_after_ms: None, .. });
    let fields = |name: &str, text: &str| {
        json!({ "error": "3", "error_text": "<b>Error!</b>", "error_fields": { name: text },
                "data": [] })
        .to_string()
    };
    let table: Vec<(Reply, Check)> = vec![
        (error(json!(1), "Direction not found").into(), |a| {
            matches!(a, Answer::Refused { created_nothing: true, .. })
        }),
        (error(json!("2"), "Maintenance").into(), |a| {
            matches!(a, Answer::Later { retry_after_ms: Some(5_000), .. })
        }),
        (error(json!(2), "IP blocked").into(), stop),
        (error(json!("3"), "Method not supported").into(), stop),
        (fields("sum2", "<span>min.: 100 RUB</span>").into(), |a| {
            matches!(a, Answer::Refused { text, created_nothing: true }
                     if text == "error 3: Error!; sum2: min.: 100 RUB")
        }),
        (error(json!(3), "Error! API ID is not unique").into(), |a| {
            matches!(a, Answer::Exists { .. })
        }),
        (fields("api_id", "is taken").into(), |a| matches!(a, Answer::Exists { .. })),
        ("Api disabled".to_owned().into(), stop),
        (Reply::Status(403, "Api disabled".into()), stop),
        (Reply::Status(401, "<html>".into()), stop),
        (Reply::Status(429, String::new()), |a| {
            matches!(a, Answer::Later { retry_after_ms: Some(1_000), .. })
        }),
        // In doubt, nothing of it is believed.
        ("Api disabled for maintenance of the whole site".to_owned().into(), unknown),
        (error(json!(1), "No bid exists").into(), unknown),
        (error(json!(2), "?").into(), unknown),
        (error(json!(3), "?").into(), unknown),
        (error(json!(7), "Maintenance").into(), unknown),
        (Reply::Status(404, done(order(7, "new", "1500"))), unknown),
        (Reply::Status(302, error(json!(1), "Direction not found")), unknown),
        (Reply::Status(500, error(json!(1), "Direction not found")), unknown),
        (Reply::Status(404, String::new()), unknown),
        (Reply::Hang, unknown),
    ];
    for (number, (reply, check)) in table.into_iter().enumerate() {
        let reply = std::sync::Mutex::new(Some(reply));
        let once = move || reply.lock().unwrap().take().unwrap_or(Reply::Hang);
        let (answer, site) = answer("", once).await;
        assert!(check(&answer), "line {number}: {answer:?}");
        assert_eq!(site.calls().len(), 1, "line {number}: sent once");
    }
}

#[tokio::test]
async fn texts_of_the_config_are_classes_too() {
    let more = "errors = { refused = [\"No such bank\"], later = [\"busy\"], stop_lane = \
                [\"no money\"], maintenance = [\"repair\"] }";
    for (code, words, check) in [
        (5, "<b>no such bank</b>", "Refused"),
        (5, "Busy", "Later"),
        (5, "No money", "StopLane"),
        (2, "under repair", "Later"),
        (2, "Maintenance", "Unknown"),
    ] {
        let reply = error(json!(code), words);
        let (answer, _) = answer(more, move || Reply::Body(reply.clone())).await;
        assert!(format!("{answer:?}").starts_with(check), "{words}: {answer:?}");
    }
}

#[tokio::test]
async fn what_the_site_says_is_kept_without_the_account_and_the_key() {
    let words = "card 4111111111111111 of 5555 5555 5555 4444 by sandbox-api-key";
    let Answer::Unknown { text } = body(error(json!(9), words)).await else { panic!() };
    assert_eq!(text, "error 9: card … of 5555…4444 by …");
}

#[tokio::test]
async fn behind_a_closed_gate_and_without_a_connection_nothing_was_sent() {
    let site = Site::start(|_, _| done(json!([]))).await;
    let adapter = adapter_at(&site.base(), "");
    let (lane, payment) = (testing::lane(), card("INV-1", "1500.00"));
    assert_eq!(adapter.create(&lane, &payment, Gate::new(false)).await, Answer::NotSent);
    assert!(site.calls().is_empty());
    let nobody = Nobody::new();
    let answer = submit(&adapter_at(&nobody.base(), ""), &payment).await;
    assert!(matches!(answer, Answer::Later { retry_after_ms: Some(_), .. }), "{answer:?}");
}

#[tokio::test]
async fn a_row_that_no_direction_pays_any_more_is_not_sent() {
    let row = testing::row("A", "1.00", "EUR", Method::Card, "4111111111111111");
    let answer = submit(&adapter(""), &numbered(row)).await;
    assert!(matches!(&answer, Answer::Unlisted { text } if text.starts_with("not sent")));
}

#[tokio::test]
async fn a_quote_that_would_change_the_amount_keeps_the_create_from_leaving() {
    for (changed, methods) in
        [(json!(1), vec!["get_calc"]), (json!("0"), vec!["get_calc", "create_bid"])]
    {
        let site = Site::start(move |method, _| match method {
            "get_calc" => done(json!({ "sum_get": "100", "changed": changed.clone() })),
            _ => done(order(7, "new", "1500")),
        })
        .await;
        let adapter = adapter_at(&site.base(), "quote_before_create = true");
        let answer = submit(&adapter, &card("INV-1", "1500.00")).await;
        let refused = matches!(answer, Answer::Refused { created_nothing: true, .. });
        assert_eq!(refused, methods.len() == 1, "{answer:?}");
        assert_eq!(site.methods(), methods);
        assert_eq!(site.calls()[0].body, "direction_id=1&calc_amount=1500.00&calc_action=2");
    }
}

#[tokio::test]
async fn a_create_that_missed_its_moment_by_questions_leaves_in_the_next_without_any() {
    let gate = Gate::new(true);
    let shut = Arc::clone(&gate);
    let site = Site::start(move |method, _| match method {
        "test" => done(json!({ "user_id": "7" })),
        "get_calc" => {
            // The moment passes while the site thinks about it.
            shut.open.store(false, std::sync::atomic::Ordering::SeqCst);
            done(json!({ "changed": 0 }))
        }
        _ => done(order(7, "new", "1500")),
    })
    .await;
    let adapter = fresh_adapter_at(&site.base(), "quote_before_create = true");
    let (lane, payment) = (testing::lane(), card("INV-1", "1500.00"));
    let create = || adapter.create(&lane, &payment, Arc::clone(&gate) as _);
    assert_eq!(create().await, Answer::NotSent);
    assert_eq!(site.methods(), ["test", "get_calc"]);
    gate.open.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(create().await, Answer::Begun { .. }));
    assert_eq!(site.methods()[2..], ["create_bid"]);
    // Once one has left, the next asks anew.
    assert_eq!(create().await, Answer::NotSent);
    assert_eq!(site.methods()[3..], ["get_calc"]);
}

#[tokio::test]
async fn the_given_amount_is_what_is_checked_where_that_is_ordered() {
    let more = "calc_action = 1\ndirections = [{ id = 1, currency = \"USDT\", method = \"card\", \
                code = \"USDTTRC20\", account1 = \"T9\" }]";
    let site = Site::start(|_, _| done(order(7, "new", "10"))).await;
    let adapter = adapter_at(&site.base(), more);
    let pay = |amount: &str| {
        numbered(testing::row("A", amount, "USDT", Method::Card, "4111111111111111"))
    };
    assert!(matches!(submit(&adapter, &pay("0.1")).await, Answer::Begun { .. }));
    let given = site.calls()[0].given.clone();
    assert_eq!((given["account1"].as_str(), given["calc_action"].as_str()), ("T9", "1"));
    assert!(matches!(submit(&adapter, &pay("10")).await, Answer::Differs { .. }));
}
