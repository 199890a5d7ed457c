//! The command `reconcile`: exit code 0 only if nothing differs.

use super::commands::{Office, print_json};
use super::{Failure, Reconcile};
use crate::provider::Line;
use crate::reconcile::{Reconciled, period, run, show};

impl Office {
    pub(super) async fn reconcile(&self, args: Reconcile) -> Result<(), Failure> {
        let now = self.ledger.about().await?.now;
        let period = period::of(args.from.as_deref(), args.to.as_deref(), now)?;
        let line = Line::open(&self.config, &args.lane)?;
        let found = run(&*self.ledger, &line, period, args.look_only).await?;
        match args.json {
            true => print_json(&show::json(&args.lane, period, &found)),
            false => print!("{}", show::text(&args.lane, period, &found)),
        }
        let Reconciled::Compared { outcome, stopped } = found else { return Ok(()) };
        match outcome.differences() {
            0 => Ok(()),
            count => Err(Failure::NotDone(told(&args, count, stopped))),
        }
    }
}

fn told(args: &Reconcile, count: u64, stopped: bool) -> String {
    let lane = &args.lane;
    let then = match (args.look_only, stopped) {
        (true, _) => "the lane was left as it is".to_owned(),
        (false, true) => {
            format!("lane {lane} is stopped; when it is explained: producer lane start {lane}")
        }
        (false, false) => format!("lane {lane} has stopped for that before and was left as it is"),
    };
    format!("the provider's list and the ledger differ in {count} places; {then}")
}
