use super::*;
use proptest::prelude::*;

/// How long a request may last, and how often a process looks.
const TAIL_MS: u64 = 3_000;
const LOOK_MS: u64 = 100;

/// A process: what it was granted, and until when its requests last.
#[derive(Clone, Debug, Default)]
struct Process {
    sender: Sender,
    seats: usize,
    ends_ms: u64,
    under_way: Vec<u64>,
    /// A visit that was begun: when, what it read, what it would write and be granted.
    visit: Option<(u64, u64, Seats, u16)>,
    is_dead: bool,
}

impl Process {
    fn used(&mut self, now_ms: u64) -> usize {
        self.under_way.retain(|ends_ms| *ends_ms > now_ms);
        self.under_way.len()
    }

    fn visit(most: u16, sender: Sender, now_ms: u64) -> Visit {
        Visit { sender, most, tail_ms: TAIL_MS, now: Millis(now_ms) }
    }

    /// Reads the register and works out what to write; from then on it uses no more than that.
    fn look(&mut self, asked_ms: u64, now_ms: u64, most: u16, (version, seats): &(u64, Seats)) {
        let mut seats = seats.clone();
        let used = u16::try_from(self.used(now_ms)).unwrap();
        let mine = seats.sit(&Process::visit(most, self.sender, now_ms), |fair| {
            self.seats = self.seats.min(usize::from(fair));
            used
        });
        self.visit = Some((asked_ms, *version, seats, mine.seats));
    }

    /// Writes, if nobody else did meanwhile. False if there was nothing to write.
    fn write(&mut self, register: &mut (u64, Seats)) {
        let Some((asked_ms, version, seats, mine)) = self.visit.take() else { return };
        if register.0 == version {
            *register = (version + 1, seats);
            (self.seats, self.ends_ms) = (usize::from(mine), asked_ms + SHARE_MS);
        }
    }

    fn begin(&mut self, now_ms: u64, lasts_ms: u64) -> bool {
        let is_free = now_ms < self.ends_ms && self.used(now_ms) < self.seats;
        if is_free {
            self.under_way.push(now_ms + lasts_ms);
        }
        is_free
    }
}

fn pool(count: usize) -> Vec<Process> {
    let senders = (1u32..).map(Sender).take(count);
    senders.map(|sender| Process { sender, ..Process::default() }).collect()
}

#[derive(Clone, Debug)]
enum Act {
    /// A visit that takes so long between its three steps, in which others go on.
    Look {
        asked_before_ms: u64,
    },
    Write,
    Begin {
        lasts_ms: u64,
    },
    Leave,
    Die,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0u64..1_500).prop_map(|asked_before_ms| Act::Look { asked_before_ms }),
        6 => Just(Act::Write),
        12 => (1..=TAIL_MS).prop_map(|lasts_ms| Act::Begin { lasts_ms }),
        1 => Just(Act::Leave),
        1 => Just(Act::Die),
    ]
}

proptest! {
    /// Dead processes write what they had begun to write, too: late, or never.
    #[test]
    fn whatever_happens_in_whatever_order_no_more_are_under_way_than_there_are_seats(
        most in 1u16..6,
        steps in proptest::collection::vec((0usize..5, 0u64..400, acts()), 1..400),
    ) {
        let mut pool = pool(5);
        let (mut register, mut now_ms) = ((0, Seats::default()), 10_000);
        for (at, pause_ms, act) in steps {
            now_ms += pause_ms;
            let process = &mut pool[at];
            match act {
                Act::Write => process.write(&mut register),
                _ if process.is_dead => {}
                Act::Look { asked_before_ms } => {
                    process.look(now_ms - asked_before_ms, now_ms, most, &register);
                }
                Act::Begin { lasts_ms } => drop(process.begin(now_ms, lasts_ms)),
                Act::Leave if process.used(now_ms) == 0 => {
                    (process.seats, process.visit) = (0, None);
                    register.1.leave(process.sender);
                    register.0 += 1;
                }
                Act::Leave => {}
                Act::Die => process.is_dead = true,
            }
            let under_way: usize = pool.iter_mut().map(|process| process.used(now_ms)).sum();
            prop_assert!(under_way <= usize::from(most), "{under_way} of {most}: {register:?}");
            let held: u32 = register.1.line().iter().map(|h| u32::from(h.seats)).sum();
            prop_assert!(held <= u32::from(most), "{register:?}");
        }
    }

    #[test]
    fn whoever_goes_on_wanting_sends_within_the_turns_of_the_others(
        most in 1u16..6,
        count in 1usize..6,
        lasts_ms in proptest::collection::vec(1..=1_500u64, 5),
        dies_ms in proptest::option::of(0u64..20_000),
    ) {
        let mut pool = pool(count);
        let mut last_ms = vec![0; count];
        let mut register = (0, Seats::default());
        // The seats that a dead process held, then a turn and a request of each of the others.
        let turn_ms = TURN_MS + 1_500 + 5 * LOOK_MS;
        let bound_ms = SHARE_MS + TAIL_MS + u64::try_from(count).unwrap() * turn_ms;
        for now_ms in (0..120_000).step_by(20) {
            for (at, process) in pool.iter_mut().enumerate() {
                process.is_dead |= at > 0 && dies_ms.is_some_and(|dies_ms| dies_ms <= now_ms);
                if process.is_dead {
                    continue;
                }
                if (now_ms / 20 + u64::try_from(at).unwrap()) % 5 == 0 {
                    process.look(now_ms, now_ms, most, &register);
                    process.write(&mut register);
                }
                while process.begin(now_ms, lasts_ms[at]) {
                    last_ms[at] = now_ms;
                }
                prop_assert!(now_ms - last_ms[at] <= bound_ms, "{at} since {}", last_ms[at]);
            }
        }
    }
}

fn alone(register: &mut Seats, sender: u32, most: u16, now_ms: u64, used: u16) -> u16 {
    register.sit(&Process::visit(most, Sender(sender), now_ms), |_| used).seats
}

#[test]
fn one_alone_has_all_seats_at_its_first_look_and_two_have_half_of_them_each() {
    let mut seats = Seats::default();
    assert_eq!(alone(&mut seats, 1, 7, 0, 0), 7);
    assert_eq!(alone(&mut seats, 2, 7, 10, 0), 0, "none is free");
    assert_eq!(alone(&mut seats, 1, 7, 20, 6), 4, "it takes no more than half …");
    assert_eq!(alone(&mut seats, 2, 7, 30, 0), 1, "… and keeps what is under way");
    assert_eq!(alone(&mut seats, 1, 7, 40, 3), 4);
    assert_eq!(alone(&mut seats, 2, 7, 50, 1), 3);
    assert!(seats.leave(Sender(1)) && !seats.leave(Sender(1)));
    assert_eq!(alone(&mut seats, 2, 7, 60, 3), 7);
}

#[test]
fn what_a_dead_process_held_is_free_when_its_last_request_must_have_ended() {
    let mut seats = Seats::default();
    assert_eq!(alone(&mut seats, 1, 1, 0, 0), 1);
    assert_eq!(alone(&mut seats, 2, 1, SHARE_MS + TAIL_MS - 1, 0), 0);
    assert_eq!(alone(&mut seats, 2, 1, SHARE_MS + TAIL_MS, 0), 1);
    assert_eq!(seats.line().len(), 1);
}

#[test]
fn one_seat_goes_round_and_one_that_waits_and_is_dead_has_no_turn() {
    let mut seats = Seats::default();
    assert_eq!(alone(&mut seats, 1, 1, 0, 0), 1);
    assert_eq!(alone(&mut seats, 2, 1, 0, 0), 0);
    assert_eq!(alone(&mut seats, 3, 1, TURN_MS - 500, 0), 0);
    assert_eq!(alone(&mut seats, 1, 1, TURN_MS - 1, 1), 1, "still its turn");
    assert_eq!(alone(&mut seats, 1, 1, TURN_MS, 0), 0, "the next one's");
    assert_eq!(alone(&mut seats, 3, 1, TURN_MS, 0), 1, "2 was not heard of");
    assert_eq!(alone(&mut seats, 1, 1, TURN_MS, 0), 0);
}

#[test]
fn a_renewal_alone_leaves_all_as_it_was() {
    let mut seats = Seats::default();
    alone(&mut seats, 1, 4, 0, 0);
    let before = seats.clone();
    alone(&mut seats, 1, 4, 1_000, 2);
    assert!(seats != before && seats.is_like(&before));
    alone(&mut seats, 2, 4, 1_000, 2);
    assert!(!seats.is_like(&before));
}
