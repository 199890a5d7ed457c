//! Caps on what may be spent: what does not fit stays payable, and what holds says why.
//!
//! The rows of these batches cost 1.50, 2.50, 3.50 … EUR.

use crate::world::{World, taken};
use domain::{BatchState, ChunkId, Currencies, Event, Money, Place, State};
use engine::SpendCaps;
use futures::executor::block_on;
use ledger::apply::{Happening, apply};
use ledger::audit::{Chain, Entry, Kind};
use ledger::spend::{self, Caps, Hold, Holder, Span};
use ledger::{Guard, LaneRecord, Ledger, Register, Stop};
use sim::gateway::lane_name;
use std::sync::atomic::Ordering;

const CHUNK_ROWS: u16 = 10;
const ANSWERS: &str = "the in-memory ledger answers";
/// 30.00 EUR: the first six rows cost 24.00, and the seventh 7.50.
const CAP: i128 = 3_000;
const FIT: usize = 6;

fn eur(minor: i128) -> std::collections::BTreeMap<String, i128> {
    [("EUR".to_owned(), minor)].into()
}

fn hourly(cap: i128) -> Caps {
    Caps { hour: eur(cap), ..Caps::default() }
}

fn of_lane(lane: Caps) -> SpendCaps {
    SpendCaps { lane, ..SpendCaps::default() }
}

/// Two chunks of ten rows.
fn world(spend: SpendCaps) -> World {
    World::capped(2 * CHUNK_ROWS, CHUNK_ROWS, spend)
}

fn lane() -> Holder {
    Holder::Lane(lane_name())
}

fn sent(world: &World) -> usize {
    world.provider.sent.lock().expect("no panic").len()
}

/// One chunk is worked on once; how many payouts left.
fn work(world: &World, no: u16) -> usize {
    let before = sent(world);
    assert!(world.engine.offer(ChunkId { no, ..world.chunk }, &lane_name()), "nothing is at work");
    world.until(|world| world.engine.room(&lane_name()) > 0);
    sent(world) - before
}

/// All that left, in smallest units.
fn spent(world: &World) -> i128 {
    let sent = world.provider.sent.lock().expect("no panic");
    sent.iter().map(|payment| payment.row.money.minor_units()).sum()
}

/// What holds, by the caps of who does not know them.
fn hold(world: &World, holder: &Holder) -> Option<Hold> {
    let now = world.now();
    block_on(spend::hold(&world.ledger, holder, &Caps::default(), now)).expect(ANSWERS)
}

/// Somebody else spends so much of the lane's cap, and dies before his intents.
fn others_spend(world: &World, amount: &str) {
    let money = Money::parse(amount, &Currencies::default().find("EUR").unwrap(), '.').unwrap();
    let place = Place { chunk: ChunkId { no: 9, ..world.chunk }, row: 0 };
    let (lane, caps, rows) = (lane(), hourly(CAP), [(place, &money)]);
    let died = block_on(spend::reserve(&world.ledger, &lane, &caps, world.now(), &rows));
    assert_eq!(died.expect(ANSWERS).admitted.rows, 1);
}

/// What was reserved in this hour.
fn used(world: &World, holder: &Holder) -> i128 {
    let (_, spend) = block_on(spend::read(&world.ledger, holder)).expect(ANSWERS);
    spend.hour.used.0.get("EUR").map_or(0, |total| total.minor)
}

/// A person who sees what holds lets it go on.
fn open(world: &World, holder: &Holder) {
    let seen = hold(world, holder).expect("it holds");
    assert!(block_on(spend::open(&world.ledger, holder, &seen, world.now())).expect(ANSWERS));
}

/// Why it was held, each time that it was, as a chain tells it.
fn told(world: &World, chain: &Chain) -> Vec<String> {
    let entries = block_on(world.ledger.entries(chain.as_str().to_owned(), 0, 100)).expect(ANSWERS);
    let entries = entries.iter().map(|entry| Entry::decode(entry).expect("an entry").0);
    let brakes = entries.filter(|entry| entry.kind == Kind::Brake);
    brakes.map(|entry| entry.text["reason"].as_str().expect("a reason").to_owned()).collect()
}

fn state(world: &World) -> BatchState {
    block_on(world.ledger.batch(world.chunk.batch)).expect(ANSWERS).expect("a batch").state
}

/// Until the next full hour.
fn pass_the_hour(world: &World) {
    world.pass(Span::Hour.ms() - world.now().0 % Span::Hour.ms());
}

#[test]
fn what_does_not_fit_stays_payable_and_the_lane_holds_and_says_so_once() {
    let world = world(of_lane(hourly(CAP)));
    assert_eq!((work(&world, 0), work(&world, 1)), (FIT, 0));
    assert!(world.payouts()[FIT..].iter().all(|payout| payout.state == State::Accepted));
    assert_eq!(state(&world), BatchState::Active, "the lane holds, not the batch");
    let held = hold(&world, &lane()).expect("a hold");
    assert_eq!(held.until.0 % Span::Hour.ms(), 0);
    for no in [0, 1, 0, 1] {
        world.pass(2_000);
        assert_eq!(work(&world, no), 0);
    }
    assert_eq!(
        told(&world, &Chain::lane(&lane_name())),
        [
            "of the cap of 30.00 EUR for one hour, 24.00 EUR are used, and the next payout is 7.50 EUR; \
          it goes on by itself at the next full hour (UTC), or at once, with all of that cap, by \
          `producer lane start sim`"
        ]
    );
}

#[test]
fn when_the_hour_is_over_it_goes_on_by_itself() {
    let world = world(of_lane(hourly(CAP)));
    assert_eq!(work(&world, 0), FIT);
    pass_the_hour(&world);
    assert_eq!(hold(&world, &lane()), None);
    assert_eq!((work(&world, 0), work(&world, 1)), (3, 0), "7.50, 8.50 and 9.50");
    assert_eq!(told(&world, &Chain::lane(&lane_name())).len(), 2, "another hour, another word");
}

/// What happens to a payout of the second chunk.
fn happen(world: &World, row: u16, event: Event) {
    let chunk = ChunkId { no: 1, ..world.chunk };
    let payouts = block_on(world.ledger.chunk(chunk)).expect(ANSWERS).expect("a chunk").payouts;
    let payout = payouts[usize::from(row)];
    let (policy, now) = (sim::run::policy(), world.now());
    let happening = vec![Happening { row, payout, event, notes: Vec::new() }];
    let done = block_on(apply(&world.ledger, chunk, Guard::Fact, now, &policy, happening));
    assert!(done.expect(ANSWERS).expect("no guard")[0].1.is_changed());
}

#[test]
fn a_hold_ends_with_the_payout_that_made_it_and_smaller_ones_go() {
    let world = world(of_lane(hourly(CAP)));
    // 11.50 and 12.50 go; 13.50 holds back what would fit into the 6.00 that are left.
    assert_eq!((work(&world, 1), work(&world, 0)), (2, 0));
    world.pass(2_000);
    assert_eq!(work(&world, 0), 0, "while it waits nobody overtakes it");
    happen(&world, 2, Event::Cancel);
    assert_eq!(work(&world, 0), 2, "1.50 and 2.50");
    assert_eq!(spent(&world), 2_800);
}

#[test]
fn in_the_next_hour_the_payout_that_was_held_goes_first() {
    let world = world(of_lane(hourly(CAP)));
    assert_eq!((work(&world, 1), work(&world, 0)), (2, 0));
    pass_the_hour(&world);
    assert_eq!(work(&world, 0), 0, "it is not its turn");
    assert_eq!(work(&world, 1), 2, "13.50 and 14.50");
}

#[test]
fn a_probe_that_a_cap_keeps_back_is_not_a_lost_one() {
    let world = world(of_lane(hourly(CAP)));
    others_spend(&world, "30");
    let record = || block_on(world.ledger.lane(lane_name())).expect(ANSWERS);
    let (reason, now) = ("it did not answer".to_owned(), world.now());
    let stopped = Some(Stop { reason, since: now, until: Some(now) });
    let rests = LaneRecord { stopped, ..record() };
    assert!(block_on(world.ledger.put_lane(rests)).expect(ANSWERS));
    assert_eq!(work(&world, 0), 0);
    let LaneRecord { probes_lost, canary, stopped, .. } = record();
    let until = stopped.expect("it rests still").until.expect("and ends by itself");
    assert_eq!((probes_lost, canary), (0, None));
    assert!(until <= world.now(), "as soon as there is room another one tries");
    pass_the_hour(&world);
    assert_eq!((work(&world, 0), record().stopped), (1, None), "it has opened the lane");
}

#[test]
fn a_person_opens_a_fresh_allowance_and_it_goes_on_within_seconds() {
    let world = world(of_lane(hourly(CAP)));
    assert_eq!((work(&world, 0), work(&world, 1)), (FIT, 0));
    open(&world, &lane());
    world.pass(2_000);
    let ready = block_on(world.ledger.take_ready(lane_name(), 10, 1)).expect(ANSWERS);
    assert_eq!(ready.len(), 2, "whoever waits looks again");
    assert_eq!(work(&world, 0), 3);
}

#[test]
fn a_batch_that_holds_is_told_in_its_own_chain_and_the_lane_goes_on() {
    let caps = SpendCaps { lane: hourly(100_000), batch: hourly(CAP) };
    let world = world(caps);
    let of_batch = Holder::Batch(world.chunk.batch, lane_name());
    assert_eq!((work(&world, 0), work(&world, 1)), (FIT, 0));
    let reasons = told(&world, &Chain::batch(world.chunk.batch));
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].ends_with(&format!("`producer resume {}`", world.chunk.batch)));
    assert_eq!(hold(&world, &lane()), None);
    assert_eq!(
        (used(&world, &lane()), used(&world, &of_batch)),
        (2_400, 2_400),
        "what is held costs the lane nothing"
    );
    open(&world, &of_batch);
    assert_eq!(work(&world, 0), 3);
}

#[test]
fn a_lane_that_holds_costs_its_batches_nothing() {
    let caps = SpendCaps { lane: hourly(CAP), batch: hourly(100_000) };
    let world = world(caps);
    for no in [0, 1, 0, 1] {
        work(&world, no);
    }
    let of_batch = Holder::Batch(world.chunk.batch, lane_name());
    assert_eq!(used(&world, &of_batch), 2_400);
}

#[test]
fn two_workers_at_one_lane_spend_no_more_than_its_cap() {
    for cap in [100, 1_000, 3_000, 5_000, 12_345] {
        let lane_caps = Caps { hour: eur(cap), day: eur(2 * cap) };
        let world = world(SpendCaps { lane: lane_caps, batch: hourly(100_000) });
        let other = world.neighbour();
        assert!(world.engine.offer(world.chunk, &lane_name()));
        assert!(other.offer(ChunkId { no: 1, ..world.chunk }, &lane_name()));
        world.until(|world| world.engine.room(&lane_name()) + other.room(&lane_name()) == 2);
        assert!(spent(&world) <= cap, "{} of {cap}", spent(&world));
        let of_batch = Holder::Batch(world.chunk.batch, lane_name());
        let used = [lane(), of_batch].map(|holder| used(&world, &holder));
        assert_eq!(used[0], used[1], "what the lane has no room for, the batch has not spent");
    }
}

#[test]
fn what_was_reserved_by_somebody_who_died_before_his_intents_is_used_up() {
    let world = world(of_lane(hourly(CAP)));
    others_spend(&world, "24");
    assert_eq!(work(&world, 0), 2, "1.50 and 2.50 of the 6.00 that are left");
    assert_eq!(spent(&world), 400);
}

#[test]
fn what_is_refused_for_now_or_taken_back_uses_nothing_up_and_is_counted_when_it_goes() {
    let world = world(of_lane(hourly(CAP)));
    world.provider.answers(|_| providers::Answer::Later {
        text: "maintenance".to_owned(),
        retry_after_ms: None,
    });
    for _ in 0..5 {
        work(&world, 0);
        world.pass(60_000);
    }
    let used = || {
        let (_, spend) = block_on(spend::read(&world.ledger, &lane())).expect(ANSWERS);
        spend.hour.used.0["EUR"].minor
    };
    assert!(sent(&world) > FIT, "they were tried again");
    assert_eq!((used(), told(&world, &Chain::lane(&lane_name())).len()), (0, 1));
    world.journal.is_full.store(true, Ordering::Relaxed);
    work(&world, 0);
    assert_eq!(used(), 0);
    world.journal.is_full.store(false, Ordering::Relaxed);
    world.provider.answers(|_| taken());
    world.pass(1_000);
    let tried = sent(&world);
    world.work_for(5_000);
    assert_eq!((sent(&world) - tried, used()), (FIT, 2_400));
}

#[test]
fn nothing_leaves_where_the_ledger_cannot_tell_what_was_spent() {
    let world = world(of_lane(hourly(CAP)));
    let name = format!("spend/{}", lane_name());
    let damaged = Register { name, version: 0, text: "?".to_owned() };
    assert!(block_on(world.ledger.put_register(damaged)).expect(ANSWERS));
    assert_eq!(work(&world, 0), 0);
    assert!(world.payouts().iter().all(|payout| payout.intents == 0));
}

#[test]
fn a_payout_above_its_cap_pauses_its_batch_and_not_the_lane() {
    let world = world(of_lane(hourly(300)));
    // 1.50 fits, 2.50 does in the next hour, and 3.50 never.
    assert_eq!(work(&world, 0), 1);
    pass_the_hour(&world);
    assert_eq!((work(&world, 0), state(&world)), (1, BatchState::Paused));
    assert_eq!(hold(&world, &lane()), None, "other batches go on");
    let pause = block_on(ledger::pause::read(&world.ledger, world.chunk.batch)).expect(ANSWERS).1;
    let reason = pause.hold.expect("a reason").reason;
    assert_eq!(
        reason,
        "its next payout is 3.50 EUR, more than all that lane sim may spend in one hour, 3.00 EUR, \
         so it would never be sent; raise the cap in [lanes.sim.brakes] and resume the batch, or \
         cancel it"
    );
    assert_eq!(told(&world, &Chain::batch(world.chunk.batch)), [reason]);
}

#[test]
fn without_caps_nothing_is_kept_and_nothing_holds() {
    let world = world(SpendCaps::default());
    assert_eq!((work(&world, 0), work(&world, 1)), (10, 10));
    let kept = block_on(world.ledger.registers("spend/".to_owned())).expect(ANSWERS);
    assert_eq!(kept, []);
}
