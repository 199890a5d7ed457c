//! Clock changes, holidays on end, zones; and properties over all of them.

use super::*;
use proptest::prelude::*;

const WORKDAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri"];
const EVERY_DAY: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

fn read(
    zone: &str,
    open: &str,
    cut_off: &str,
    days: &[&str],
    holidays: &[&str],
) -> Result<Hours, HoursError> {
    let (days, holidays) = (words(days), words(holidays));
    Hours::read(Given { zone, open, cut_off, days: &days, holidays: &holidays })
}

fn hours(zone: &str, open: &str, cut_off: &str, days: &[&str], holidays: &[&str]) -> Hours {
    read(zone, open, cut_off, days, holidays).unwrap()
}

fn berlin(holidays: &[&str]) -> Hours {
    hours("Europe/Berlin", "08:00", "16:30", WORKDAYS, holidays)
}

/// `2026-12-24T16:30:00Z`.
fn utc(text: &str) -> Millis {
    millis(text.parse().unwrap())
}

fn shown(hours: &Hours, now: &str) -> String {
    hours.closed(utc(now)).unwrap().to_string()
}

fn is_open(hours: &Hours, now: &str) -> bool {
    hours.closed(utc(now)).is_none()
}

#[test]
fn a_business_day_is_open_from_its_opening_hour_to_its_cut_off() {
    let hours = berlin(&[]);
    // A Wednesday in winter, an hour ahead of UTC.
    assert!(is_open(&hours, "2026-12-23T07:00:00Z"));
    assert!(is_open(&hours, "2026-12-23T15:29:59.999Z"));
    assert_eq!(
        shown(&hours, "2026-12-23T06:59:59.999Z"),
        "closed until 2026-12-23 08:00 Europe/Berlin (before the opening hour)"
    );
    assert_eq!(
        shown(&hours, "2026-12-23T15:30:00Z"),
        "closed until 2026-12-24 08:00 Europe/Berlin (after the cut-off)"
    );
    assert_eq!(
        hours.closed(utc("2026-12-23T06:00:00Z")).unwrap().until,
        utc("2026-12-23T07:00:00Z")
    );
}

#[test]
fn holidays_on_end_and_the_weekend_between_are_one_closure() {
    let hours = berlin(&["2026-12-25", "2026-12-26"]);
    // Christmas Eve is a Thursday and, here, a business day.
    let closed = "closed until 2026-12-28 08:00 Europe/Berlin";
    assert_eq!(shown(&hours, "2026-12-24T16:00:00Z"), format!("{closed} (after the cut-off)"));
    assert_eq!(shown(&hours, "2026-12-25T11:00:00Z"), format!("{closed} (holiday)"));
    assert_eq!(shown(&hours, "2026-12-27T11:00:00Z"), format!("{closed} (no business day)"));
    let longest = hours.longest_closure().unwrap();
    assert_eq!(longest.from, "2026-12-24 16:30 Europe/Berlin");
    assert_eq!(longest.until, "2026-12-28 08:00 Europe/Berlin");
    assert_eq!(longest.ms, (3 * 24 * 60 + 15 * 60 + 30) * 60_000);
}

#[test]
fn the_weekend_in_which_the_clock_changes_ends_at_the_same_hour_of_the_wall() {
    let hours = berlin(&[]);
    let until = |friday| hours.closed(utc(friday)).unwrap().until;
    assert_eq!(until("2026-03-27T20:00:00Z"), utc("2026-03-30T06:00:00Z"), "summer begins");
    assert_eq!(until("2026-10-23T20:00:00Z"), utc("2026-10-26T07:00:00Z"), "summer ends");
    // With the hour that comes twice.
    assert_eq!(hours.longest_closure().unwrap().ms, (64 * 60 + 30) * 60_000);
}

#[test]
fn an_opening_hour_that_the_clock_leaves_out_is_the_first_moment_after_it() {
    let hours = hours("Europe/Berlin", "02:30", "12:00", EVERY_DAY, &[]);
    // 02:00 is 03:00 on the 29th of March, at 01:00 UTC.
    let closed = hours.closed(utc("2026-03-29T00:59:00Z")).unwrap();
    assert_eq!(closed.until, utc("2026-03-29T01:00:00Z"));
    assert_eq!(closed.shown, "2026-03-29 03:00 Europe/Berlin");
    assert!(is_open(&hours, "2026-03-29T01:00:00Z"));
}

#[test]
fn a_cut_off_that_the_clock_shows_twice_is_the_first_of_them() {
    let hours = hours("Europe/Berlin", "00:00", "02:30", EVERY_DAY, &[]);
    // 03:00 is 02:00 again on the 25th of October, at 01:00 UTC.
    assert!(is_open(&hours, "2026-10-25T00:29:00Z"), "02:29, the first time");
    assert!(!is_open(&hours, "2026-10-25T00:30:00Z"));
    assert!(!is_open(&hours, "2026-10-25T01:10:00Z"), "02:10, the second time");
    let closed = hours.closed(utc("2026-10-25T01:10:00Z")).unwrap();
    assert_eq!(closed.until, utc("2026-10-25T23:00:00Z"), "midnight");
}

#[test]
fn hours_that_a_day_leaves_out_whole_are_no_hours() {
    let night = hours("Europe/Berlin", "02:10", "02:40", EVERY_DAY, &[]);
    let closed = night.closed(utc("2026-03-28T12:00:00Z")).unwrap();
    assert_eq!(closed.shown, "2026-03-30 02:10 Europe/Berlin");
    // Apia went from the 29th of December 2011 to the 31st.
    let apia = hours("Pacific/Apia", "09:00", "17:00", EVERY_DAY, &[]);
    let closed = apia.closed(utc("2011-12-30T06:00:00Z")).unwrap();
    assert_eq!(closed.shown, "2011-12-31 09:00 Pacific/Apia");
}

#[test]
fn a_lane_without_a_night_is_open_through_midnight_and_has_no_closure() {
    let always = hours("Asia/Kathmandu", "00:00", "24:00", EVERY_DAY, &[]);
    assert!(
        is_open(&always, "2026-05-01T18:14:59.999Z") && is_open(&always, "2026-05-01T18:15:00Z")
    );
    assert_eq!(always.longest_closure(), None);
    let now = utc("2026-05-01T18:14:59.999Z");
    assert_eq!(always.shut(now, 1_000), None);
}

#[test]
fn nothing_begins_that_might_leave_after_the_cut_off() {
    let hours = berlin(&[]);
    let cut_off = utc("2026-12-23T15:30:00Z");
    let opens = Some(utc("2026-12-24T07:00:00Z"));
    assert_eq!(hours.shut(Millis(cut_off.0 - 1_000), 1_000), None);
    assert_eq!(hours.shut(Millis(cut_off.0 - 999), 1_000), opens);
    assert_eq!(hours.shut(cut_off, 1_000), opens);
    assert_eq!(hours.shut(utc("2026-12-24T07:00:00Z"), 1_000), None);
}

#[test]
fn a_list_of_holidays_that_is_over_is_told() {
    let hours = berlin(&["2026-12-25", "2026-12-26"]);
    assert_eq!(hours.holidays_ended(utc("2026-12-26T12:00:00Z")), None);
    let ended = hours.holidays_ended(utc("2026-12-27T12:00:00Z"));
    assert_eq!(ended.as_deref(), Some("2026-12-26"));
    assert_eq!(berlin(&[]).holidays_ended(utc("2030-01-01T00:00:00Z")), None);
}

#[test]
fn what_makes_no_calendar_is_told_with_what_would() {
    let told = |zone, open, cut_off, days, holidays| {
        read(zone, open, cut_off, days, holidays).unwrap_err().to_string()
    };
    assert!(told("Europe/Berln", "08:00", "16:30", WORKDAYS, &[]).contains("\"Europe/Berln\""));
    assert!(told("", "08:00", "16:30", WORKDAYS, &[]).contains("such as \"Europe/Berlin\""));
    assert!(told("UTC", "8:00", "16:30", WORKDAYS, &[]).contains("open is \"8:00\""));
    assert!(told("UTC", "08:00", "16.30", WORKDAYS, &[]).contains("cut_off is \"16.30\""));
    assert!(told("UTC", "08:00", "25:00", WORKDAYS, &[]).contains("cut_off is \"25:00\""));
    assert!(told("UTC", "17:00", "08:00", WORKDAYS, &[]).contains("open comes before"));
    assert!(told("UTC", "24:00", "24:00", WORKDAYS, &[]).contains("open comes before"));
    assert!(told("UTC", "08:00", "16:30", &["Monday"], &[]).contains("days has \"Monday\""));
    assert!(told("UTC", "08:00", "16:30", &[], &[]).contains("never opens"));
    assert!(told("UTC", "08:00", "16:30", WORKDAYS, &["25.12.2026"]).contains("2026-12-25"));
    assert!(told("UTC", "08:00", "16:30", WORKDAYS, &["9999-12-25"]).contains("9999-12-25"));
}

#[test]
fn holidays_that_leave_no_business_day_in_a_year_are_refused() {
    let first: Date = "2027-01-01".parse().unwrap();
    let all: Vec<String> = first.series(1.day()).take(370).map(|day| day.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let error = read("UTC", "08:00", "16:30", WORKDAYS, &all).unwrap_err();
    assert!(error.to_string().contains("never opens for a year around 2027-01-01"), "{error}");
    assert!(read("UTC", "08:00", "16:30", WORKDAYS, &all[..300]).is_ok());
}

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Antarctica/Troll",
];

prop_compose! {
    /// Any calendar, with a run of holidays near the moment.
    fn calendars()(
        zone in 0..ZONES.len(),
        minutes in (0u32..1_440, 1u32..=1_440),
        days in 1u8..128,
        start in 10_957i64..69_000,
        run in 0usize..40,
        gap in 1i64..5,
    ) -> (Hours, Millis) {
        let (open, length) = minutes;
        let cut_off = (open + length).min(1_440);
        let time = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let named = (0..7).filter(|bit| days & (1 << bit) != 0).map(|bit| EVERY_DAY[bit]);
        let epoch: Date = "1970-01-01".parse().unwrap();
        let holiday = |no: usize| {
            let after = start + 3 + i64::try_from(no).unwrap() * gap;
            epoch.checked_add(after.days()).unwrap().to_string()
        };
        let holidays: Vec<String> = (0..run).map(holiday).collect();
        let named = words(&named.collect::<Vec<_>>());
        let given = Given {
            zone: ZONES[zone],
            open: &time(open),
            cut_off: &time(cut_off),
            days: &named,
            holidays: &holidays,
        };
        let read = Hours::read(given).unwrap();
        (read, Millis(u64::try_from(start).unwrap() * DAY_MS))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_next_opening_is_in_the_future_within_a_year_and_the_first_there_is(
        (hours, from) in calendars(),
        after_ms in 0..200 * DAY_MS,
        part in 0u64..1_000,
    ) {
        let now = from.plus(after_ms);
        match hours.at(now) {
            Now::Closed(Closed { until, .. }) => {
                prop_assert!(until > now && until.since(now) < 366 * DAY_MS);
                prop_assert!(hours.closed(until).is_none());
                prop_assert!(hours.closed(Millis(until.0 - 1)).is_some());
                let between = now.plus(until.since(now) / 1_000 * part);
                let later = hours.closed(between);
                prop_assert_eq!(later.map(|closed| closed.until), Some(until));
                let longest = hours.longest_closure().unwrap();
                // Clock changes of another year.
                prop_assert!(until.since(now) <= longest.ms + 2 * 60 * 60_000 || longest.ms == 0);
            }
            Now::Open { until } => {
                prop_assert!(until > now && until.since(now) <= 26 * 60 * 60_000);
                let between = now.plus(until.since(now) / 1_000 * part);
                prop_assert_eq!(hours.at(between), Now::Open { until });
            }
        }
    }

    #[test]
    fn on_a_day_whose_clock_does_not_change_it_is_open_as_the_wall_says(
        (hours, from) in calendars(),
        after_ms in 0..200 * DAY_MS,
    ) {
        let now = from.plus(after_ms);
        let (at, day) = hours.moment(now).unwrap();
        let offset = |day: Date| hours.zone.to_ambiguous_timestamp(day.to_datetime(Time::midnight())).offset();
        let near = [day.yesterday().unwrap(), day, day.tomorrow().unwrap()];
        let days_after = near[2].tomorrow().unwrap();
        prop_assume!(near.iter().all(|near| offset(*near) == offset(days_after)));
        let time = hours.zone.to_datetime(at).time();
        let is_open = hours.is_business(day)
            && time >= hours.open
            && hours.cut_off.is_none_or(|cut_off| time < cut_off);
        prop_assert_eq!(hours.closed(now).is_none(), is_open);
    }
}
