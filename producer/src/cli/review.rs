//! The review desk: `review list`, `show` and `resolve`.

use super::args::{Decide, ReviewCommand};
use super::commands::{Office, print_json};
use super::{Failure, ask};
use crate::provider::Line;
use crate::review::list::{Pages, Wanted};
use crate::review::resolve::check;
use crate::review::{
    Asked, Consent, Decision, ReviewError, Story, Typed, Wish, asked, judge, resolve,
};
use crate::show;
use domain::{BatchState, State};

impl Office {
    pub(super) async fn review(&self, command: ReviewCommand) -> Result<(), Failure> {
        match command {
            ReviewCommand::List { batch, lane, json } => {
                self.list_reviews(Wanted { batch, lane }, json).await
            }
            ReviewCommand::Show { reference, offline, json } => {
                self.show_review(&reference, offline, json).await
            }
            ReviewCommand::Resolve(args) => self.resolve_review(args).await,
        }
    }

    async fn list_reviews(&self, wanted: Wanted, json: bool) -> Result<(), Failure> {
        if let Some(id) = wanted.batch {
            let batch = self.ledger.batch(id).await?;
            batch.ok_or_else(|| Failure::NoBatch(id.to_string()))?;
        }
        let mut pages = Pages::new(&*self.ledger, wanted);
        // Page by page: neither form is ever held as a whole.
        let mut comma = "";
        if json {
            println!("{{\"payouts\": [");
        }
        while let Some(page) = pages.next().await? {
            if !json {
                print!("{}", show::review::page(&page));
                continue;
            }
            for payout in show::review::page_json(&page) {
                println!("{comma}{payout}");
                comma = ",";
            }
        }
        match (json, pages.sums().is_empty()) {
            (true, _) => println!("], \"sums\": {}}}", show::review::sums_json(pages.sums())),
            (false, true) => print!("{}", show::review::NOTHING),
            (false, false) => print!("{}", show::review::sums(pages.sums())),
        }
        Ok(())
    }

    async fn show_review(&self, reference: &str, offline: bool, json: bool) -> Result<(), Failure> {
        let story = self.story(reference).await?;
        let asked = match offline {
            true => asked::nobody(&story, "left out with --offline; resolve asks in any case"),
            false => self.ask_about(&story).await?,
        };
        match json {
            true => print_json(&show::review::story_json(&story, &asked)),
            false => print!(
                "{}{}",
                show::review::story(&story, &asked),
                show::review::decisions(&story, &asked)
            ),
        }
        Ok(())
    }

    async fn resolve_review(&self, args: Decide) -> Result<(), Failure> {
        let story = self.story(&args.reference).await?;
        let decision = args.what.decision();
        let wish = Wish { decision, seen: args.version, reason: args.reason.clone() };
        check(&story, &wish)?;
        let asked = self.ask_about(&story).await?;
        eprint!("{}", show::review::story(&story, &asked));
        let consent = judge(decision, &story, &asked);
        let consent = consent.map_err(|why| ReviewError::refused(&story, decision, why))?;
        let typed = typed(&args, consent).await;
        let (ledger, clerk) = (&*self.ledger, &self.rules.clerk);
        let lease_ms = self.config.worker.lease_ms;
        let done = resolve(ledger, &story, &asked, &wish, typed.as_ref(), clerk, lease_ms).await?;
        for note in &done.meanwhile {
            println!("arrived while it was written: {}", show::table::plain(&note.text));
        }
        // What the ledger says now, read again.
        let story = self.story(&args.reference).await?;
        let (reference, payout) = (story.reference(), &story.known.payout);
        println!(
            "payout {reference} is {} (version {})",
            show::review::stands(payout),
            story.seen()
        );
        if done.is_taken_back {
            return Err(Failure::NotDone(format!(
                "the new attempt of {reference} was stopped before it was sent, because something \
                 arrived: look at it again with `producer review show {reference}`"
            )));
        }
        if decision == Decision::Again {
            // A worker may have begun already.
            let hold = match payout.state {
                State::Accepted => self.hold(&story).await?,
                _ => String::new(),
            };
            let attempt = done.payout.attempt;
            match done.payout.past_lost {
                true => println!(
                    "attempt {attempt} is looked up first, since the ledger may have forgotten it; it \
                     is sent when neither it nor a later one is found"
                ),
                false => println!("it is sent as attempt {attempt}{hold}"),
            }
        }
        Ok(())
    }

    async fn story(&self, reference: &str) -> Result<Story, ReviewError> {
        Ok(Story::read(&*self.ledger, &self.rules, reference).await?)
    }

    async fn ask_about(&self, story: &Story) -> Result<Vec<Asked>, ReviewError> {
        let line = Line::open(&self.config, &story.known.lane);
        Ok(asked::ask(&*self.ledger, line.as_ref(), story).await?)
    }

    /// Why a payable payout is not sent at once.
    async fn hold(&self, story: &Story) -> Result<String, Failure> {
        let lane = &story.known.lane;
        if story.batch.state == BatchState::Paused {
            return Ok(", but not while its batch is paused".to_owned());
        }
        let stop = self.ledger.lane(lane.clone()).await?.stopped;
        Ok(stop.map_or_else(String::new, |stop| {
            format!(", but not while lane {lane} is stopped: {}", stop.reason)
        }))
    }
}

/// What was given with the command, or else typed at the terminal, where it is needed.
async fn typed(args: &Decide, consent: Consent) -> Option<Typed> {
    match (&args.amount, &args.confirm_reference, consent) {
        (None, None, Consent::Given) => None,
        (amount, reference, _) => {
            let line = |prompt: &str| ask::line(prompt.to_owned());
            let amount = match amount {
                Some(amount) => amount.clone(),
                None => line("type its amount and currency, such as 1500.00 EUR: ").await?,
            };
            let reference = match reference {
                Some(reference) => reference.clone(),
                None => line("type its reference: ").await?,
            };
            Some(Typed { amount, reference })
        }
    }
}
