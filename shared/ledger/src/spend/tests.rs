//! What fits into a window, by any history; and what races for it.

use super::*;
use crate::memory::MemoryLedger;
use domain::{ChunkId, Currencies, LedgerId, Place};
use futures::executor::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};

/// A moment in the middle of an hour and of a day.
const NOON: u64 = 20_000 * Span::Day.ms() + 12 * Span::Hour.ms() + 1_000;

fn money(minor: i128) -> Money {
    let text = domain::money::minor_to_text(minor, 2);
    Money::parse(&text, &Currencies::default().find("EUR").unwrap(), '.').unwrap()
}

fn caps(hour: Option<i128>, day: Option<i128>) -> Caps {
    let of = |cap: Option<i128>| cap.map(|cap| ("EUR".to_owned(), cap)).into_iter().collect();
    Caps { hour: of(hour), day: of(day) }
}

/// The first rows of a chunk.
fn asks(chunk: ChunkId, rows: &[Money]) -> Vec<Asks<'_>> {
    (0u16..).map(|row| Place { chunk, row }).zip(rows).collect()
}

fn chunk(no: u16) -> ChunkId {
    ChunkId { batch: BatchId::from_bytes([1; 16]), no }
}

fn admit(spend: &mut Spend, caps: &Caps, now: u64, rows: &[i128]) -> Admitted {
    admit_of(spend, caps, now, chunk(0), rows)
}

fn admit_of(spend: &mut Spend, caps: &Caps, now: u64, chunk: ChunkId, rows: &[i128]) -> Admitted {
    let rows: Vec<Money> = rows.iter().copied().map(money).collect();
    spend.admit(caps, Millis(now), &asks(chunk, &rows))
}

fn held(admitted: &Admitted) -> &Hold {
    match &admitted.stops {
        Some(Stops::Held(hold)) => hold,
        other => panic!("not held but {other:?}"),
    }
}

#[derive(Clone, Debug)]
enum Act {
    /// So much time goes by, or comes back.
    Pass(i64),
    Send(Vec<i128>),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let quarter = i64::try_from(Span::Hour.ms() / 4).unwrap();
    let pass = prop_oneof![0..quarter * 8, -quarter..0].prop_map(Act::Pass);
    vec(prop_oneof![pass, vec(1i128..60, 1..8).prop_map(Act::Send)], 1..60)
}

proptest! {
    #[test]
    fn no_window_ever_spends_more_than_its_cap_and_rows_keep_their_order(
        acts in acts(), hour in 20i128..200, day in 50i128..600,
    ) {
        let (mut spend, mut now) = (Spend::default(), NOON);
        let caps = caps(Some(hour), Some(day));
        // A clock that goes back opens no window anew: the newest that was used counts.
        let mut newest = 0;
        let mut sums: BTreeMap<(&str, u64), i128> = BTreeMap::new();
        for act in acts {
            match act {
                Act::Pass(ms) => now = now.saturating_add_signed(ms),
                Act::Send(rows) => {
                    newest = newest.max(now);
                    let admitted = admit(&mut spend, &caps, now, &rows);
                    // A prefix, and the whole unless something is said to stop it.
                    prop_assert_eq!(admitted.rows < rows.len(), admitted.stops.is_some());
                    let sent: i128 = rows.iter().take(admitted.rows).sum();
                    for span in Span::ALL {
                        *sums.entry((span.name(), newest / span.ms())).or_default() += sent;
                    }
                    if let Some(Stops::TooLarge(over)) = &admitted.stops {
                        prop_assert!(rows[admitted.rows] > over.cap);
                    }
                }
            }
        }
        for ((span, _), sum) in sums {
            prop_assert!(sum <= if span == "hour" { hour } else { day }, "{sum} in one {span}");
        }
    }

    #[test]
    fn what_is_stored_is_read_as_it_was(minor in 1i128..10_000_000_000_000, cap in 1i128..) {
        let mut spend = Spend::default();
        admit(&mut spend, &caps(Some(cap), None), NOON, &[minor, minor]);
        let text = serde_json::to_string(&spend).unwrap();
        prop_assert_eq!(serde_json::from_str::<Spend>(&text).unwrap(), spend);
    }
}

#[test]
fn the_first_row_that_does_not_fit_holds_those_behind_it() {
    let (mut spend, caps) = (Spend::default(), caps(Some(1_000), None));
    let admitted = admit(&mut spend, &caps, NOON, &[400, 400, 300, 1]);
    assert_eq!(admitted.rows, 2, "the last would fit, and would overtake");
    let hold = held(&admitted);
    assert_eq!(hold.until.0, (NOON / Span::Hour.ms() + 1) * Span::Hour.ms());
    let [over] = &hold.over[..] else { panic!("{hold:?}") };
    assert_eq!((over.cap, over.used, over.next), (1_000, 800, 300));
    assert_eq!(over.text(over.used), "8.00 EUR");
    assert_eq!(admit(&mut spend, &caps, NOON + 1, &[1]).rows, 0, "while it holds nothing goes");
    assert_eq!(admit(&mut spend, &caps, hold.until.0, &[300, 1]).rows, 2, "then it does");
}

#[test]
fn the_payout_that_was_held_goes_before_others_in_the_next_window_for_a_minute() {
    let (mut spend, caps) = (Spend::default(), caps(Some(1_000), None));
    let large = [900, 100];
    assert_eq!(admit_of(&mut spend, &caps, NOON, chunk(1), &[200]).rows, 1);
    let held_until = held(&admit_of(&mut spend, &caps, NOON, chunk(0), &large)).until.0;
    let small = |spend: &mut Spend, now| admit_of(spend, &caps, now, chunk(1), &[200]).rows;
    let mut patient = spend.clone();
    assert_eq!(small(&mut patient, held_until), 0, "it is not its turn");
    assert_eq!(admit_of(&mut patient, &caps, held_until + 1, chunk(0), &large).rows, 2);
    assert_eq!(patient.hold, None, "the others may go, where there is room");
    assert_eq!(small(&mut spend, held_until + window::TURN_MS - 1), 0);
    assert_eq!(small(&mut spend, held_until + window::TURN_MS), 1, "it has lost its turn");
}

#[test]
fn a_hold_whose_payout_waits_no_more_is_released_once_and_no_other_one() {
    let (mut spend, caps) = (Spend::default(), caps(Some(1_000), None));
    let of_large = held(&admit(&mut spend, &caps, NOON, &[1_000, 1])).clone();
    assert_eq!(of_large.waits, Some(Place { chunk: chunk(0), row: 1 }));
    assert!(spend.release(&of_large));
    let now = NOON + 1;
    let another = held(&admit(&mut spend, &caps, now, &[2])).clone();
    assert!(!spend.release(&of_large));
    assert_eq!(spend.hold, Some(another));
}

#[test]
fn a_hold_is_shown_while_it_holds_by_the_caps_of_who_looks() {
    let mut spend = Spend::default();
    admit(&mut spend, &caps(Some(100), None), NOON, &[100, 1]);
    let hold = seen(&spend);
    let shown = |caps: &Caps| hold.stands(caps, Millis(NOON));
    assert!(shown(&caps(Some(100), None)));
    assert!(!shown(&caps(Some(101), None)), "it was raised");
    assert!(!shown(&caps(None, Some(100))), "it is gone");
    assert!(shown(&Caps::default()), "who names none does not know those of the workers");
    assert!(!hold.stands(&Caps::default(), hold.until));
}

#[test]
fn a_cap_that_is_reached_exactly_holds_only_what_comes_after() {
    let (mut spend, caps) = (Spend::default(), caps(None, Some(1_000)));
    assert_eq!(admit(&mut spend, &caps, NOON, &[600, 400]), Admitted { rows: 2, stops: None });
    let admitted = admit(&mut spend, &caps, NOON, &[1]);
    assert_eq!(held(&admitted).until.0, (NOON / Span::Day.ms() + 1) * Span::Day.ms());
}

#[test]
fn a_payout_above_the_cap_is_said_to_fit_never_and_holds_nobody_else() {
    let (mut spend, caps) = (Spend::default(), caps(Some(1_000), Some(5_000)));
    let admitted = admit(&mut spend, &caps, NOON, &[100, 1_001, 100]);
    assert_eq!(admitted.rows, 1);
    assert!(matches!(admitted.stops, Some(Stops::TooLarge(Over { next: 1_001, .. }))));
    assert_eq!(spend.hold, None);
    assert_eq!(admit(&mut spend, &caps, NOON, &[900]).rows, 1);
}

fn seen(spend: &Spend) -> Hold {
    spend.hold.clone().unwrap()
}

#[test]
fn a_person_opens_what_holds_and_no_other_cap() {
    let (mut spend, caps) = (Spend::default(), caps(Some(1_000), Some(1_700)));
    assert_eq!(admit(&mut spend, &caps, NOON, &[1_000, 600]).rows, 1);
    let of_hour = seen(&spend);
    assert!(spend.open(&of_hour, Millis(NOON)));
    assert!(!spend.open(&of_hour, Millis(NOON)), "once");
    let admitted = admit(&mut spend, &caps, NOON, &[600, 200]);
    assert_eq!((admitted.rows, held(&admitted).over[0].span), (1, Span::Day));
    assert!(!spend.open(&of_hour, Millis(NOON)), "nobody has seen that one");
    assert!(spend.open(&seen(&spend), Millis(NOON)));
    assert_eq!(admit(&mut spend, &caps, NOON, &[200, 200]).rows, 2);
}

#[test]
fn where_both_caps_hold_one_command_opens_both() {
    let (mut spend, caps) = (Spend::default(), caps(Some(1_000), Some(1_000)));
    let admitted = admit(&mut spend, &caps, NOON, &[1_000, 1_000]);
    assert_eq!((admitted.rows, held(&admitted).over.len()), (1, 2));
    assert!(spend.open(&seen(&spend), Millis(NOON)));
    assert_eq!(admit(&mut spend, &caps, NOON, &[1_000]).rows, 1);
}

#[test]
fn a_raised_cap_ends_the_hold_that_a_lower_one_made() {
    let mut spend = Spend::default();
    assert_eq!(admit(&mut spend, &caps(Some(100), None), NOON, &[100, 1]).rows, 1);
    assert_eq!(admit(&mut spend, &caps(Some(90), None), NOON, &[1]).rows, 0);
    assert_eq!(admit(&mut spend, &caps(Some(101), None), NOON, &[1]).rows, 1);
}

#[test]
fn a_currency_without_a_cap_is_counted_and_not_held() {
    let (mut spend, none) = (Spend::default(), Caps::default());
    assert_eq!(admit(&mut spend, &none, NOON, &[1_000]).rows, 1);
    assert_eq!(admit(&mut spend, &caps(Some(1_000), None), NOON, &[1]).rows, 0);
}

#[test]
fn what_moved_no_money_has_its_room_again_and_the_hold_that_it_made_is_over() {
    let (mut spend, caps) = (Spend::default(), caps(Some(1_000), Some(5_000)));
    assert_eq!(admit(&mut spend, &caps, NOON, &[600, 300, 200]).rows, 2);
    let from = spend.allowance();
    assert!(spend.give_back(&from, &[&money(300)]));
    assert_eq!((spend.hold.is_some(), spend.hour.used.0["EUR"].minor), (false, 600));
    assert_eq!(admit(&mut spend, &caps, NOON, &[200, 300]).rows, 1);
    assert!(spend.give_back(&from, &[&money(50)]));
    assert!(spend.hold.is_some(), "150 and 300 are too much still");
}

#[test]
fn nothing_is_given_back_to_another_window_or_to_one_that_was_opened_since() {
    let (mut spend, caps) = (Spend::default(), caps(Some(1_000), None));
    assert_eq!(admit(&mut spend, &caps, NOON, &[900, 200]).rows, 1);
    let from = spend.allowance();
    assert!(spend.open(&seen(&spend), Millis(NOON)));
    assert_eq!(admit(&mut spend, &caps, NOON, &[500]).rows, 1);
    spend.give_back(&from, &[&money(400)]);
    assert_eq!(spend.hour.used.0["EUR"].minor, 500);
    let from = spend.allowance();
    assert_eq!(admit(&mut spend, &caps, NOON + Span::Hour.ms(), &[300]).rows, 1);
    spend.give_back(&from, &[&money(300)]);
    assert_eq!(spend.hour.used.0["EUR"].minor, 300);
}

#[test]
fn a_hold_that_comes_back_in_its_window_is_no_news_until_a_person_has_opened_it() {
    let ledger = MemoryLedger::new(LedgerId::from_random(0), Arc::new(|| Millis(NOON)));
    let (holder, now) = (Holder::Lane(LaneName::new("main").unwrap()), Millis(NOON));
    let (caps, row) = (caps(Some(100), None), money(60));
    let hold = || {
        let rows = [row.clone(), row.clone()];
        let rows = asks(chunk(0), &rows);
        let reserved = block_on(reserve(&ledger, &holder, &caps, now, &rows)).unwrap();
        assert_eq!(reserved.admitted.rows, 1);
        (reserved.allowance, reserved.is_news)
    };
    let (from, is_news) = hold();
    assert!(is_news);
    block_on(give_back(&ledger, &holder, &from, &[&row])).unwrap();
    assert!(!hold().1);
    let (_, spend) = block_on(read(&ledger, &holder)).unwrap();
    assert!(block_on(open(&ledger, &holder, &seen(&spend), now)).unwrap());
    assert!(hold().1);
}

#[test]
fn of_many_who_race_for_one_cap_each_cent_goes_to_one_and_one_tells_that_it_holds() {
    const RACERS: usize = 8;
    let ledger = MemoryLedger::new(LedgerId::from_random(0), Arc::new(|| Millis(NOON)));
    let holder = Holder::Lane(LaneName::new("main").unwrap());
    let caps = caps(Some(1_000), None);
    let start = Barrier::new(RACERS);
    let race = || {
        start.wait();
        let rows = [7; 5].map(money);
        let rows = asks(chunk(0), &rows);
        let one = |_| block_on(reserve(&ledger, &holder, &caps, Millis(NOON), &rows)).unwrap();
        let all: Vec<Reserved> = (0..50).map(one).collect();
        let rows: usize = all.iter().map(|reserved| reserved.admitted.rows).sum();
        (rows, all.iter().filter(|reserved| reserved.is_news).count())
    };
    let (rows, told) = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS).map(|_| scope.spawn(race)).collect();
        let ends = racers.into_iter().map(|racer| racer.join().unwrap());
        ends.fold((0, 0), |sum, end| (sum.0 + end.0, sum.1 + end.1))
    });
    assert_eq!((rows, told), (142, 1), "142 times 0.07 is 9.94 of 10.00");
    let (_, spend) = block_on(read(&ledger, &holder)).unwrap();
    assert_eq!(spend.hour.used.0["EUR"].minor, 994);
}

#[test]
fn a_batch_is_held_on_each_lane_by_itself() {
    let ledger = MemoryLedger::new(LedgerId::from_random(0), Arc::new(|| Millis(NOON)));
    let (batch, now) = (BatchId::from_bytes([1; 16]), Millis(NOON));
    let [a, b] = ["a", "b"].map(|lane| Holder::Batch(batch, LaneName::new(lane).unwrap()));
    let (rows, caps) = ([60, 60].map(money), caps(Some(100), None));
    for (holder, rows) in [(&a, &rows[..]), (&b, &rows[..1])] {
        let rows = asks(chunk(0), rows);
        assert_eq!(block_on(reserve(&ledger, holder, &caps, now, &rows)).unwrap().admitted.rows, 1);
    }
    let holds = || block_on(holds_of_batch(&ledger, batch, |_| caps.clone(), now)).unwrap();
    let [(holder, hold)] = &holds()[..] else { panic!("one holds") };
    assert_eq!(*holder, a);
    assert!(!block_on(open(&ledger, &b, hold, now)).unwrap(), "nothing held it");
    assert!(block_on(open(&ledger, &a, hold, now)).unwrap());
    assert!(holds().is_empty());
}
