//! Every code of the document, given over HTTP to a batch of two rows and to one of a single row.

use super::platform::{Say, code, data, http, json};
use super::*;
use serde_json::json as value;

const IMPORT: &str = "import_batch_advanced";

/// What an import's answer makes of two rows, and of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// Nothing was read: the lane stops, until when.
    Stop(Option<u64>),
    /// All unknown, whatever the number of rows.
    Unknown,
    /// All unknown; a row that is alone goes to a person.
    Spoilt,
}

pub(super) const TABLE: &[(u32, Made)] = &[
    (1, Made::Unknown),
    (2, Made::Unknown),
    (5, Made::Stop(None)),
    (10, Made::Stop(None)),
    (15, Made::Stop(None)),
    (16, Made::Stop(Some(1_800_000))),
    (20, Made::Stop(None)),
    (25, Made::Spoilt),
    (110, Made::Unknown),
    (111, Made::Spoilt),
    (112, Made::Spoilt),
    (125, Made::Spoilt),
    (130, Made::Spoilt),
    (131, Made::Stop(None)),
    (132, Made::Spoilt),
    (135, Made::Unknown),
    (150, Made::Stop(None)),
    (151, Made::Stop(None)),
    (152, Made::Stop(None)),
    (155, Made::Spoilt),
    (156, Made::Spoilt),
    (157, Made::Spoilt),
    (158, Made::Spoilt),
    (159, Made::Spoilt),
    (160, Made::Spoilt),
    (170, Made::Spoilt),
    (180, Made::Unknown),
    (181, Made::Unknown),
    (182, Made::Unknown),
    (185, Made::Spoilt),
    (186, Made::Spoilt),
    (187, Made::Unknown),
    (188, Made::Spoilt),
    (190, Made::Spoilt),
    (191, Made::Spoilt),
    (192, Made::Spoilt),
    (193, Made::Spoilt),
    (194, Made::Spoilt),
    (195, Made::Spoilt),
    (196, Made::Spoilt),
    (197, Made::Spoilt),
    (198, Made::Spoilt),
    (200, Made::Spoilt),
    (202, Made::Spoilt),
    // In no document.
    (299, Made::Spoilt),
];

async fn platform(answers: impl IntoIterator<Item = Say>) -> (Platform, Capitalist) {
    let platform = Platform::start().await;
    platform.on(IMPORT, answers);
    platform.on("get_accounts", [accounts()]);
    let adapter = adapter_at(&platform.base, "");
    (platform, adapter)
}

fn accounts() -> Say {
    let numbers = ["R0000001", "E0000001", "U0000001", "B0000001"];
    let accounts: Vec<_> = numbers.iter().map(|number| value!({"number": number})).collect();
    data(value!({"accounts": accounts}))
}

fn rows(count: usize) -> Vec<Payment> {
    (0..count).map(|number| wallet(&format!("P{number}"), "120.00")).collect()
}

#[tokio::test]
async fn every_documented_code_has_its_class() {
    let known: Vec<u32> = errors::CODES.iter().map(|known| known.code).chain([299]).collect();
    assert_eq!(TABLE.iter().map(|(code, _)| *code).collect::<Vec<_>>(), known);
    for (number, made) in TABLE {
        for count in [2, 1] {
            let (_platform, adapter) = platform([code(*number, "words")]).await;
            let answers = submit(&adapter, &rows(count)).await.answers;
            for answer in answers {
                let is_right = match (made, &answer) {
                    (Made::Stop(until), Answer::StopLane { retry_after_ms, .. }) => {
                        until == retry_after_ms
                    }
                    (Made::Unknown, Answer::Unknown { .. }) => true,
                    (Made::Spoilt, Answer::Unknown { .. }) => count == 2,
                    (Made::Spoilt, Answer::Unlisted { .. }) => count == 1,
                    _ => false,
                };
                assert!(is_right, "{number}, {count} rows: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_code_counts_only_under_a_status_that_speaks_of_the_request() {
    for (status, speaks) in [(200, true), (400, true), (403, true), (408, false), (500, false)] {
        let body = r#"{"code": 131, "message": "x"}"#;
        let (_platform, adapter) = platform([http(status, body)]).await;
        let answers = submit(&adapter, &rows(1)).await.answers;
        assert_eq!(matches!(answers[..], [Answer::StopLane { .. }]), speaks, "{status}");
        assert!(speaks || matches!(answers[..], [Answer::Unknown { .. }]), "{status}");
    }
}

#[tokio::test]
async fn after_these_codes_the_rows_are_unknown_and_the_lane_stops() {
    for (number, until) in
        [(135, Some(300_000)), (110, None), (180, None), (181, None), (182, None)]
    {
        let (_platform, adapter) = platform([code(number, "words")]).await;
        let shipped = submit(&adapter, &rows(2)).await;
        assert!(shipped.answers.iter().all(|answer| matches!(answer, Answer::Unknown { .. })));
        let Some((text, retry_after_ms)) = shipped.stop else { panic!("{number}") };
        assert_eq!(retry_after_ms, until);
        assert!(text.contains(&format!("code {number} \"words\"")), "{text}");
    }
    let (_platform, adapter) = platform_of(16).await;
    let shipped = submit(&adapter, &rows(2)).await;
    let Some((text, Some(1_800_000))) = shipped.stop else { panic!("{:?}", shipped.stop) };
    assert!(text.ends_with("nothing is sent for 30 minutes"), "{text}");
    for number in [1, 2, 112, 186, 187] {
        let (_platform, adapter) = platform([code(number, "words")]).await;
        assert_eq!(submit(&adapter, &rows(2)).await.stop, None, "{number}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_found_is_ours_or_a_beneficiarys() {
    for count in [1, 2] {
        let (platform, adapter) = platform([code(130, "x")]).await;
        platform.on("get_accounts", [data(value!({"accounts": [{"number": "R0000001"}]}))]);
        let shipped = submit(&adapter, &rows(count)).await;
        assert!(shipped.answers.iter().all(|answer| matches!(answer, Answer::Unknown { .. })));
        let Some((text, None)) = shipped.stop else { panic!("{:?}", shipped.stop) };
        assert!(text.contains("the provider lists no such EUR account"), "{text}");
    }
    let (platform, adapter) = platform_of(130).await;
    assert_eq!(submit(&adapter, &rows(4)).await.stop, None);
    submit(&adapter, &rows(4)).await;
    assert_eq!(sizes(&platform), [4, 2], "it is looked for among the rows");
}

async fn platform_of(number: u32) -> (Platform, Capitalist) {
    platform([code(number, "x")]).await
}

/// Records in each batch that was sent.
fn sizes(platform: &Platform) -> Vec<usize> {
    platform.heard(IMPORT).iter().map(|form| form["batch"].lines().count()).collect()
}

#[tokio::test]
async fn what_spoils_a_batch_is_looked_for_by_halves_until_it_is_alone() {
    let taken = data(value!({"id": ID, "errors": []}));
    let spoilt = || code(186, "ask the support");
    let (platform, adapter) = platform([spoilt(), spoilt(), spoilt(), taken.clone(), taken]).await;
    let first = submit(&adapter, &rows(4)).await.answers;
    assert!(first.iter().all(|answer| matches!(answer, Answer::Unknown { .. })), "{first:?}");
    let second = submit(&adapter, &rows(4)).await.answers;
    assert!(matches!(
        second[..],
        [Answer::Unknown { .. }, Answer::Unknown { .. }, Answer::NotSent, Answer::NotSent]
    ));
    let third = submit(&adapter, &rows(4)).await.answers;
    assert!(matches!(third[0], Answer::Unlisted { .. }), "{third:?}");
    assert!(third[1..].iter().all(|answer| *answer == Answer::NotSent));
    submit(&adapter, &rows(4)).await;
    submit(&adapter, &rows(4)).await;
    assert_eq!(sizes(&platform), [4, 2, 1, 2, 4], "and batches grow again");
}

#[tokio::test]
async fn too_many_records_halve_the_lanes_shipments_for_good() {
    let (_platform, adapter) = platform([code(112, "x")]).await;
    let shipped = submit(&adapter, &rows(9)).await;
    assert_eq!(shipped.rows_max, Some(4));
    assert!(shipped.answers.iter().all(|answer| matches!(answer, Answer::Unknown { .. })));
}

#[tokio::test]
async fn the_record_that_185_or_188_names_is_refused_by_number_and_amount() {
    for number in [185, 188] {
        let named = value!({"number": "abcd-P1", "amount": "120.00", "line": 2});
        let body = value!({"code": number, "message": "declined", "data": named}).to_string();
        let (_platform, adapter) = platform([json(&body)]).await;
        let answers = submit(&adapter, &rows(3)).await.answers;
        assert!(
            matches!(
                answers[..],
                [
                    Answer::Unknown { .. },
                    Answer::Refused { created_nothing: false, .. },
                    Answer::Unknown { .. }
                ]
            ),
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn a_record_that_was_sent_before_is_not_refused_for_what_it_may_have_become() {
    for message in ["is there already\nabcd-P0", "is there already: abcd-P0, 10.00"] {
        let (_platform, adapter) = platform([code(188, message)]).await;
        let mut again = wallet("P0", "10.00");
        again.past.resent = true;
        let answers = submit(&adapter, &[again]).await.answers;
        assert!(matches!(answers[..], [Answer::Unlisted { .. }]), "{answers:?}");
    }
}

#[tokio::test]
async fn a_single_record_that_188_names_by_number_is_refused_with_the_text() {
    let (_platform, adapter) = platform([code(188, "card is closed\nabcd-P0")]).await;
    let answers = submit(&adapter, &rows(1)).await.answers;
    let [Answer::Refused { text, created_nothing: false }] = &answers[..] else {
        panic!("{answers:?}")
    };
    assert!(text.contains("card is closed"), "{text}");
}

#[tokio::test]
async fn a_name_that_does_not_agree_goes_to_a_person_and_the_others_stay_unknown() {
    for named in [
        value!({"number": "abcd-P1", "amount": "0.00"}),
        value!("abcd-P1"),
        value!({"number": "abcd-P1", "amount": "120.00", "line": 3}),
    ] {
        let body = value!({"code": 185, "message": "zero", "data": named}).to_string();
        let (_platform, adapter) = platform([json(&body)]).await;
        let answers = submit(&adapter, &rows(3)).await.answers;
        assert!(matches!(answers[0], Answer::Unknown { .. }), "{answers:?}");
        assert!(matches!(answers[1], Answer::Unlisted { .. }), "{answers:?}");
    }
}

#[tokio::test]
async fn the_record_of_187_is_away_for_now_and_stays_unknown_as_all_others() {
    let (platform, adapter) = platform([code(187, "away\n1")]).await;
    let answers = submit(&adapter, &rows(4)).await.answers;
    assert!(answers.iter().all(|answer| matches!(answer, Answer::Unknown { .. })), "{answers:?}");
    submit(&adapter, &rows(4)).await;
    assert_eq!(sizes(&platform), [4, 2]);
}

#[tokio::test]
async fn after_a_wrong_password_and_in_a_locked_login_nothing_is_sent_at_all() {
    for (number, until) in [(15, false), (16, true)] {
        let (platform, adapter) = platform([code(number, "x")]).await;
        submit(&adapter, &rows(1)).await;
        let asked = platform.heard("").len();
        let told = ask(&adapter, &platform, vec![sent(wallet("A", "1.00"))], None).await;
        // A lock opens by itself: only what needs a person stops the lane from a look-up.
        assert_eq!(matches!(told.found[..], [Found::StopLane { .. }]), !until, "{told:?}");
        assert!(!until || is_unclear(&told.found[0]), "{told:?}");
        let answers = submit(&adapter, &rows(1)).await.answers;
        let [Answer::StopLane { retry_after_ms, .. }] = &answers[..] else { panic!("{answers:?}") };
        assert_eq!(retry_after_ms.is_some(), until);
        assert_eq!(platform.heard("").len(), asked, "{number}: each try makes it worse");
    }
}
