//! What each provider allows, and what it makes of a reference that it has seen: from its limits
//! alone, within 100 columns.

use super::table::{table, wrapped};
use domain::Policy;
use providers::{Calls, Deduplication, Idempotency, Limits, Polling, SecondStep};
use serde_json::{Value, json};

/// What a terminal shows without breaking lines.
const COLUMNS: usize = 100;

/// What each provider allows, for people.
pub fn providers(all: &[&Limits]) -> String {
    let mut out = [speeds(all), abilities(all), times(all)].join("\n");
    for limits in all {
        out.push('\n');
        out.push_str(&contract(limits));
    }
    out
}

fn speeds(all: &[&Limits]) -> String {
    let row = |limits: &&Limits| {
        vec![
            limits.provider.to_owned(),
            limits.rows_per_call.to_string(),
            format!("{}/s", limits.creates_per_second),
            limits.in_flight.to_string(),
            format!("{}/s", limits.look_ups_per_second),
            limits.rows_per_look_up.to_string(),
            polling(limits.polling),
            limits.page_size.map_or_else(|| "-".to_owned(), |size| size.to_string()),
        ]
    };
    let headers = [
        "provider",
        ">rows a call",
        ">creates",
        ">at once",
        ">look-ups",
        ">rows a look-up",
        "polling",
        ">page",
    ];
    table(&headers, &all.iter().map(row).collect::<Vec<_>>())
}

fn abilities(all: &[&Limits]) -> String {
    let row = |limits: &&Limits| {
        let step = match limits.second_step {
            SecondStep::None => "none",
            SecondStep::Code => "by a code",
            SecondStep::Funding => "funding",
        };
        vec![
            limits.provider.to_owned(),
            methods(limits),
            callbacks(limits.callbacks).to_owned(),
            step.to_owned(),
            yes(limits.cancel),
            yes(limits.rules),
        ]
    };
    let headers = ["provider", "pays by", "callbacks", "second step", "cancel", "rules at intake"];
    table(&headers, &all.iter().map(row).collect::<Vec<_>>())
}

fn times(all: &[&Limits]) -> String {
    let row = |limits: &&Limits| {
        // The last two are the same everywhere; they stand in the JSON, for which there is room.
        let times = waiting_times(&limits.policy).into_iter().take(HEADERS.len() - 1);
        let name = [limits.provider.to_owned()];
        name.into_iter().chain(times.map(|(_, ms)| duration(ms))).collect()
    };
    const HEADERS: [&str; 10] = [
        "waits",
        ">to send",
        ">for answer",
        ">settling",
        ">overdue",
        ">look-ups up to",
        ">unknown",
        ">submitted",
        ">unsent",
        ">late",
    ];
    table(&HEADERS, &all.iter().map(row).collect::<Vec<_>>())
}

/// The waiting times with their keys in the config.
fn waiting_times(policy: &Policy) -> [(&'static str, u64); 11] {
    [
        ("send_window_ms", policy.send_window_ms),
        ("request_timeout_ms", policy.request_timeout_ms),
        ("settling_ms", policy.settling_ms),
        ("overdue_ms", policy.overdue_ms),
        ("look_up_max_ms", policy.look_up_max_ms),
        ("unknown_give_up_ms", policy.unknown_give_up_ms),
        ("submitted_give_up_ms", policy.submitted_give_up_ms),
        ("unsent_give_up_ms", policy.unsent_give_up_ms),
        ("late_success_window_ms", policy.late_success_window_ms),
        ("retry_first_ms", policy.retry_first_ms),
        ("retry_max_ms", policy.retry_max_ms),
    ]
}

/// The idempotency contract in words.
fn contract(limits: &Limits) -> String {
    let Idempotency { deduplication, repeats_errors, .. } = limits.idempotency;
    let lines = [
        ("same reference", same_reference(deduplication)),
        ("after a refusal", after_refusal(repeats_errors).to_owned()),
        ("found by", found_by(limits).to_owned()),
        ("not found", not_found(limits)),
        ("second step", second_step(limits.second_step).to_owned()),
    ];
    let head = format!("{}: what is sent twice, and what a look-up proves\n", limits.provider);
    let line = |(name, text): (&str, String)| wrapped(&format!("  {name:<17}"), &text, COLUMNS);
    head + &lines.map(line).concat()
}

fn same_reference(deduplication: Deduplication) -> String {
    match deduplication {
        Deduplication::None => {
            "is paid twice, so nothing is sent again before it is proved that it never arrived"
                .to_owned()
        }
        Deduplication::Refuses { for_ms: None, scope } => {
            format!("is refused for ever, or answered as the first time (unique by {scope})")
        }
        Deduplication::Refuses { for_ms: Some(ms), scope } => format!(
            "is refused for {}, or answered as the first time (unique by {scope}); after that it \
             would be paid again",
            duration(ms)
        ),
    }
}

fn after_refusal(repeats_errors: bool) -> &'static str {
    match repeats_errors {
        true => {
            "the same reference gets the stored refusal ever after; only a new attempt can do better"
        }
        false => "the same reference may be sent again",
    }
}

fn found_by(limits: &Limits) -> &'static str {
    match (limits.idempotency.found_by_reference, limits.looks_up_by_id) {
        (true, false) => "our own reference",
        (true, true) => "our own reference, or the id that the provider told",
        (false, _) => "the id that the provider told; a create without an answer cannot be found",
    }
}

fn not_found(limits: &Limits) -> String {
    let absence = limits.idempotency.absence;
    if !absence.proves {
        return format!("{}: proves nothing, so what stays unfound goes to a person", absence.form);
    }
    let settling = duration(limits.policy.settling_ms);
    format!(
        "{}: believed if it is told {settling} after the request has ended and again {settling} \
         later, by a look-up that finds what is known to exist; then it never arrived and is sent \
         again",
        absence.form
    )
}

fn second_step(step: SecondStep) -> &'static str {
    match step {
        SecondStep::None => "none: creating is paying",
        SecondStep::Code => "a code that a person has received, given with `producer confirm`",
        SecondStep::Funding => {
            "funding: by the lane where its settings say so, else with `producer confirm`"
        }
    }
}

/// Limits for scripts.
pub fn providers_json(all: &[&Limits]) -> Value {
    let one = |limits: &&Limits| {
        let Idempotency { repeats_errors, found_by_reference, absence, .. } = limits.idempotency;
        let times: serde_json::Map<String, Value> = waiting_times(&limits.policy)
            .into_iter()
            .map(|(key, ms)| (key.to_owned(), ms.into()))
            .collect();
        json!({
            "provider": limits.provider,
            "methods": limits.methods,
            "rows_per_call": limits.rows_per_call,
            "creates_per_second": limits.creates_per_second,
            "in_flight": limits.in_flight,
            "look_ups_per_second": limits.look_ups_per_second,
            "rows_per_look_up": limits.rows_per_look_up,
            "looks_up_by_id": limits.looks_up_by_id,
            "polling": limits.polling.name(),
            "polling_interval_ms_min": limits.polling.interval_ms_min(),
            "page_size": limits.page_size,
            "callbacks": callbacks(limits.callbacks),
            "cancel": limits.cancel,
            "second_step": second_step(limits.second_step),
            "rules_at_intake": limits.rules,
            "reference": limits.reference,
            "idempotency": {
                "same_reference": same_reference(limits.idempotency.deduplication),
                "repeats_errors": repeats_errors,
                "found_by_reference": found_by_reference,
                "not_found_form": absence.form,
                "not_found_proves": absence.proves,
                "not_found": not_found(limits),
            },
            "policy": times,
        })
    };
    all.iter().map(one).collect()
}

fn methods(limits: &Limits) -> String {
    limits.methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(", ")
}

fn callbacks(calls: Calls) -> &'static str {
    match calls {
        Calls::None => "none",
        Calls::OurUrls => "URL per payout",
        Calls::OneUrl => "one URL",
    }
}

/// With the shortest interval that config may set.
fn polling(polling: Polling) -> String {
    match polling.interval_ms_min() {
        None => polling.name().to_owned(),
        Some(ms) => format!("{}, {}", polling.name(), duration(ms)),
    }
}

fn yes(offered: bool) -> String {
    if offered { "yes" } else { "no" }.to_owned()
}

/// In the largest unit that leaves no rest: `90 s`, `6 h`, `7 d`.
fn duration(ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let fits = |(unit, _): &(u64, &str)| ms > 0 && ms.is_multiple_of(*unit);
    match units.into_iter().find(fits) {
        Some((unit, name)) => format!("{} {name}", ms / unit),
        None => format!("{ms} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Method, ReferenceFormat};
    use providers::Absence;

    /// As wide as a provider can be.
    fn widest(provider: &'static str) -> Limits {
        Limits {
            provider,
            rows_per_call: 1_000,
            creates_per_second: 1_000,
            in_flight: 1_000,
            look_ups_per_second: 1_000,
            rows_per_look_up: 1_000,
            looks_up_by_id: true,
            polling: Polling::Paged { interval_ms_min: 300_000 },
            page_size: Some(1_000),
            idempotency: Idempotency {
                deduplication: Deduplication::Refuses { for_ms: Some(5_400_000), scope: "account" },
                repeats_errors: true,
                found_by_reference: true,
                absence: Absence {
                    form: "status 200 with an empty list, over the whole window of the request",
                    proves: true,
                },
            },
            reference: ReferenceFormat::Text { max_bytes: 255 },
            methods: &[Method::Card, Method::Sbp, Method::Score, Method::Iban, Method::Wallet],
            callbacks: Calls::OurUrls,
            cancel: true,
            second_step: SecondStep::Funding,
            rules: true,
            policy: Policy { request_timeout_ms: 45_500, ..Policy::DEFAULT },
        }
    }

    #[test]
    fn four_providers_are_readable_in_a_hundred_columns() {
        let names = ["merchant", "capitalist", "exchanger", "capay"];
        let all = names.map(widest);
        let text = providers(&all.each_ref());
        for line in text.lines() {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
        for name in names {
            assert!(text.contains(&format!("\n{name}: what is sent twice")), "{text}");
        }
    }

    #[test]
    fn the_contract_is_told_in_words() {
        let text = contract(&widest("capay"));
        let lines = [
            "capay: what is sent twice, and what a look-up proves",
            "  same reference   is refused for 90 min, or answered as the first time (unique by account); after",
            "                   that it would be paid again",
            "  after a refusal  the same reference gets the stored refusal ever after; only a new attempt can do",
            "                   better",
            "  found by         our own reference, or the id that the provider told",
            "  not found        status 200 with an empty list, over the whole window of the request: believed if",
            "                   it is told 1 min after the request has ended and again 1 min later, by a look-up",
            "                   that finds what is known to exist; then it never arrived and is sent again",
            "  second step      funding: by the lane where its settings say so, else with `producer confirm`",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn the_json_has_the_numbers_behind_the_words() {
        let json = providers_json(&[&widest("capay")]);
        assert_eq!(json[0]["policy"]["settling_ms"], 60_000);
        assert_eq!(json[0]["rows_per_look_up"], 1_000);
        assert_eq!(json[0]["idempotency"]["repeats_errors"], true);
    }

    #[test]
    fn durations_have_the_largest_unit_without_a_rest() {
        let cases = [(0, "0 ms"), (1_500, "1500 ms"), (90_000, "90 s"), (259_200_000, "3 d")];
        for (ms, words) in cases {
            assert_eq!(duration(ms), words);
        }
    }
}
