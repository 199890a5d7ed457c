//! Windows and what fits into them. Pure.
//!
//! Windows are fixed: the hour and the day of UTC, as the day of the ceilings at intake is. A window
//! that slides would need every amount of the last day with its time, and could never say when it
//! has room again but "a little, soon"; a fixed one is a sum, ends at a moment that everybody knows,
//! and gives the whole cap back at once. Its price: the last minutes of one window and the first of
//! the next may together spend two caps. A payout counts in the window in which its room was
//! reserved, a moment before it leaves.
//!
//! Rows keep their order: the first that does not fit closes the brake, and no smaller one behind it
//! slips through. When its window is over that payout goes first, and the others only after it: so a
//! large one is overtaken neither within a window nor, again and again, at the beginning of the next.
//! A hold is that payout's: where it waits no more (it was cancelled, or its batch paused), whoever
//! finds that ends the hold.

use domain::batch::Totals;
use domain::money::minor_to_text;
use domain::{ChunkId, Millis, Money, Place};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long others let the payout go first that a hold has waited for: whoever holds its chunk wakes up
/// as the window ends, and has a minute to find a slot. One that comes later has lost its turn.
pub const TURN_MS: u64 = 60_000;

/// A payout that asks for room.
pub type Asks<'a> = (Place, &'a Money);

/// What may be spent on a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpendCaps {
    /// By all that the lane pays.
    pub lane: Caps,
    /// By each batch on it.
    pub batch: Caps,
}

/// What may be spent: smallest units by currency code. What it does not name has no cap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// In an hour.
    pub hour: BTreeMap<String, i128>,
    /// In a day.
    pub day: BTreeMap<String, i128>,
}

impl Caps {
    /// Nothing has a cap.
    pub fn are_off(&self) -> bool {
        self.hour.is_empty() && self.day.is_empty()
    }

    /// What may be spent in each window of this length.
    pub fn of(&self, span: Span) -> &BTreeMap<String, i128> {
        match span {
            Span::Hour => &self.hour,
            Span::Day => &self.day,
        }
    }
}

/// How long a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// An hour of UTC.
    Hour,
    /// A day of UTC.
    Day,
}

impl Span {
    /// Both.
    pub const ALL: [Span; 2] = [Span::Hour, Span::Day];

    /// In milliseconds.
    pub const fn ms(self) -> u64 {
        match self {
            Span::Hour => 60 * 60 * 1_000,
            Span::Day => 24 * 60 * 60 * 1_000,
        }
    }

    /// `hour` or `day`.
    pub fn name(self) -> &'static str {
        match self {
            Span::Hour => "hour",
            Span::Day => "day",
        }
    }
}

/// One window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Which: so many lie before it, since 1970.
    pub number: u64,
    /// How often a person has opened it: what was reserved before is not given back to what came
    /// after.
    #[serde(default)]
    pub opened: u32,
    /// What was reserved in it, since it began or a person has last let it go on.
    pub used: Totals,
}

impl Window {
    /// Begins a new window where its time has come. Never goes back: a clock that does counts in the
    /// newest window that anybody has seen.
    fn roll(&mut self, span: Span, now: Millis) {
        let number = now.0 / span.ms();
        if number > self.number {
            *self = Window { number, ..Window::default() };
        }
    }

    fn allowance(&self) -> (u64, u32) {
        (self.number, self.opened)
    }

    fn end(&self, span: Span) -> Millis {
        Millis(self.number.saturating_add(1).saturating_mul(span.ms()))
    }

    fn used(&self, currency: &str) -> i128 {
        self.used.0.get(currency).map_or(0, |total| total.minor)
    }
}

/// A cap that has no room for the next payout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// Which window's.
    pub span: Span,
    /// Its currency.
    pub currency: String,
    /// Decimals of the currency.
    pub exponent: u8,
    /// The cap, in smallest units …
    pub cap: i128,
    /// … what of it was used …
    pub used: i128,
    /// … and the payout that did not fit.
    pub next: i128,
}

impl Over {
    /// In no window of this cap there will ever be room.
    pub fn is_for_ever(&self) -> bool {
        self.next > self.cap
    }

    /// `30.00 RUB`.
    pub fn text(&self, minor: i128) -> String {
        format!("{} {}", minor_to_text(minor, self.exponent), self.currency)
    }
}

/// Why nothing is sent, and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when.
    pub since: Millis,
    /// When it goes on by itself: the last of these windows ends.
    pub until: Millis,
    /// The caps that are used up: that of the hour, of the day, or both.
    pub over: Vec<Over>,
    /// The payout that did not fit; unknown in what older versions wrote.
    #[serde(default)]
    pub waits: Option<Place>,
}

impl Hold {
    /// It ends with its windows, and when every cap that made it is higher or gone. Whoever names no
    /// cap at all does not know those that the workers have.
    pub fn stands(&self, caps: &Caps, now: Millis) -> bool {
        now < self.until && self.is_of(caps)
    }

    fn is_of(&self, caps: &Caps) -> bool {
        let cap = |over: &Over| caps.of(over.span).get(&over.currency).copied();
        let still = |over: &Over| cap(over).is_some_and(|cap| cap <= over.cap);
        caps.are_off() || self.over.iter().any(still)
    }

    /// Until when it keeps this chunk back: that of the payout which it waits for until the windows are
    /// over, and any other until that one has had its turn.
    pub fn keeps_back(&self, chunk: ChunkId) -> Millis {
        match self.waits {
            Some(place) if place.chunk != chunk => self.until.plus(TURN_MS),
            _ => self.until,
        }
    }
}

/// What stops a row, and those behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stops {
    /// There is no more room in this window.
    Held(Hold),
    /// The payout alone is above the cap: no window has room for it.
    TooLarge(Over),
}

/// What room was reserved in: an hour and a day, each as often opened as it was then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    hour: (u64, u32),
    day: (u64, u32),
}

/// How many rows may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// So many, from the first on.
    pub rows: usize,
    /// What stops the next one, if there is a next one.
    pub stops: Option<Stops>,
}

/// What was spent, and what holds: the text of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// The newest hour.
    pub hour: Window,
    /// The newest day.
    pub day: Window,
    /// Why nothing is sent, if so; until its moment has come.
    pub hold: Option<Hold>,
    /// Until when the hold lasts that was told last: one that comes back in its window is no news.
    #[serde(default)]
    pub told: Option<Millis>,
}

impl Spend {
    /// What keeps this chunk back, if anything does.
    pub fn held(&self, caps: &Caps, now: Millis, chunk: ChunkId) -> Option<&Hold> {
        self.hold.as_ref().filter(|hold| now < hold.keeps_back(chunk) && hold.is_of(caps))
    }

    /// Takes in the first of these payouts of one chunk, as many as fit, in their order. A hold stands
    /// until it ends, or the cap that made it was raised.
    pub fn admit(&mut self, caps: &Caps, now: Millis, rows: &[Asks<'_>]) -> Admitted {
        self.hour.roll(Span::Hour, now);
        self.day.roll(Span::Day, now);
        let Some((first, _)) = rows.first() else { return Admitted { rows: 0, stops: None } };
        if let Some(hold) = self.held(caps, now, first.chunk) {
            return Admitted { rows: 0, stops: Some(Stops::Held(hold.clone())) };
        }
        self.hold = None;
        for (admitted, (place, money)) in rows.iter().enumerate() {
            let over = self.over(caps, money);
            if over.is_empty() {
                self.hour.used.add(money);
                self.day.used.add(money);
                continue;
            }
            if let Some(never) = over.iter().find(|over| over.is_for_ever()) {
                return Admitted { rows: admitted, stops: Some(Stops::TooLarge(never.clone())) };
            }
            let ends = over.iter().map(|over| self.window(over.span).end(over.span));
            let until = ends.max().unwrap_or(now);
            let hold = Hold { since: now, until, over, waits: Some(*place) };
            self.hold = Some(hold.clone());
            return Admitted { rows: admitted, stops: Some(Stops::Held(hold)) };
        }
        Admitted { rows: rows.len(), stops: None }
    }

    /// What a reservation of this moment is made in.
    pub fn allowance(&self) -> Allowance {
        Allowance { hour: self.hour.allowance(), day: self.day.allowance() }
    }

    /// These payouts moved no money. Only what the reservation was made in has their room again: a
    /// window that is over needs none, and one that a person has opened since never counted them. A
    /// hold that has room for its next payout by that is over. False where nothing changed.
    pub fn give_back(&mut self, from: &Allowance, rows: &[&Money]) -> bool {
        let own = self.allowance();
        let windows =
            [(&mut self.hour, from.hour == own.hour), (&mut self.day, from.day == own.day)];
        let mut is_changed = false;
        for (window, _) in windows.into_iter().filter(|(_, is_same)| *is_same) {
            for money in rows {
                if let Some(total) = window.used.0.get_mut(money.currency().code()) {
                    total.rows = total.rows.saturating_sub(1);
                    total.minor = total.minor.saturating_sub(money.minor_units()).max(0);
                    is_changed = true;
                }
            }
        }
        let used = |over: &Over| self.window(over.span).used(&over.currency);
        let has_room = |over: &Over| used(over).saturating_add(over.next) <= over.cap;
        if self.hold.as_ref().is_some_and(|hold| hold.over.iter().all(has_room)) {
            self.hold = None;
        }
        is_changed
    }

    /// What this hold waits for waits no more. False where another one holds, or none.
    pub fn release(&mut self, seen: &Hold) -> bool {
        self.hold.take_if(|hold| hold == seen).is_some()
    }

    /// A person lets it go on: the caps that hold have all their room again, and no other. False
    /// where nothing holds.
    pub fn open(&mut self, seen: &Hold, now: Millis) -> bool {
        let Some(hold) = self.hold.take_if(|hold| hold == seen && hold.until > now) else {
            return false;
        };
        for over in hold.over {
            let window = match over.span {
                Span::Hour => &mut self.hour,
                Span::Day => &mut self.day,
            };
            window.used.0.remove(&over.currency);
            window.opened = window.opened.saturating_add(1);
        }
        self.told = None;
        true
    }

    fn window(&self, span: Span) -> &Window {
        match span {
            Span::Hour => &self.hour,
            Span::Day => &self.day,
        }
    }

    /// The caps that have no room for this payout.
    fn over(&self, caps: &Caps, money: &Money) -> Vec<Over> {
        let (currency, next) = (money.currency().code(), money.minor_units());
        let over = |span: Span| {
            let cap = caps.of(span).get(currency).copied()?;
            let used = self.window(span).used(currency);
            let exponent = money.currency().exponent();
            let currency = currency.to_owned();
            let over = Over { span, currency, exponent, cap, used, next };
            (used.saturating_add(next) > cap).then_some(over)
        };
        Span::ALL.into_iter().filter_map(over).collect()
    }
}
