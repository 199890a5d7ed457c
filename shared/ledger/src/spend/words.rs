//! Why something holds, and what lets it go on: one wording for logs, the audit and screens.

use super::{Hold, Holder, Over, Span};

impl Holder {
    /// Why nothing more is sent, and what lets it go on.
    pub fn reason(&self, hold: &Hold) -> String {
        let why: Vec<String> = hold.over.iter().map(Over::why).collect();
        let is_long = hold.over.iter().any(|over| over.span == Span::Day);
        let end = if is_long { "midnight" } else { "the next full hour" };
        format!(
            "{}; it goes on by itself at {end} (UTC), or at once, with all of that cap, by `{}`",
            why.join(", and "),
            self.command()
        )
    }

    /// Why a payout is never sent, and what to do.
    pub fn never(&self, over: &Over) -> String {
        let (Holder::Lane(lane) | Holder::Batch(_, lane)) = self;
        let whose = match self {
            Holder::Lane(_) => format!("lane {lane} may spend"),
            Holder::Batch(..) => format!("one batch may spend on lane {lane}"),
        };
        format!(
            "its next payout is {}, more than all that {whose} in one {}, {}, so it would never be \
             sent; raise the cap in [lanes.{lane}.brakes] and resume the batch, or cancel it",
            over.text(over.next),
            over.span.name(),
            over.text(over.cap)
        )
    }

    fn command(&self) -> String {
        match self {
            Holder::Lane(lane) => format!("producer lane start {lane}"),
            Holder::Batch(batch, _) => format!("producer resume {batch}"),
        }
    }
}

impl Over {
    /// What is used up.
    fn why(&self) -> String {
        format!(
            "of the cap of {} for one {}, {} are used, and the next payout is {}",
            self.text(self.cap),
            self.span.name(),
            self.text(self.used),
            self.text(self.next)
        )
    }
}
