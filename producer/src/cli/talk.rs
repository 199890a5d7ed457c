//! The commands that speak to a provider: `provider` and `confirm`.

use super::commands::{Office, print_json};
use super::{Confirm, Failure, Provider as Args, ask};
use crate::audit::{Chain, Kind};
use crate::confirm::{self, Call, ConfirmError, Confirmed, calls, said};
use crate::provider::{Line, account, chat, desk, fetch, line};
use crate::report::cells::time;
use crate::rules::problem::shown;
use crate::show;
use domain::{BatchState, LaneName};
use ledger::senders;
use providers::{CancelAnswer, Provider, Question, SecondStep};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Office {
    pub(super) async fn provider(&self, args: Args) -> Result<(), Failure> {
        let named = args.question.as_deref();
        match (named, args.given.as_slice()) {
            (None, _) => self.list_questions(&args),
            (Some("look-up"), [reference]) => self.look_up(&args, reference).await,
            (Some("cancel"), [reference]) => self.cancel_payout(&args, reference).await,
            (Some(word @ ("look-up" | "cancel")), _) => Err(Failure::NotDone(format!(
                "{word} takes one reference: `producer provider {} {word} REFERENCE`",
                args.lane
            ))),
            (Some("rules"), []) => self.fetch_rules(&args.lane).await,
            (Some("rules"), _) => Err(Failure::NotDone("rules takes nothing more".to_owned())),
            (Some(name), given) => self.ask_question(&args, name, given).await,
        }
    }

    /// An adapter that can say what it can be asked: without keys, where that is enough.
    fn asked(&self, lane: &LaneName) -> Result<Arc<dyn Provider>, Failure> {
        let at = self.rules.lane(lane.as_str());
        let at = at.ok_or_else(|| line::no_lane(lane, self.config.lanes.keys()))?;
        let keyless = &self.rules.lanes[at].provider;
        match keyless.desk() {
            Some(_) => Ok(Arc::clone(keyless)),
            None => Ok(Line::open(&self.config, lane)?.provider),
        }
    }

    fn list_questions(&self, args: &Args) -> Result<(), Failure> {
        let provider = self.asked(&args.lane)?;
        match args.json {
            true => print_json(&show::provider::questions_json(&args.lane, &*provider)),
            false => print!("{}", show::provider::questions(&args.lane, &*provider)),
        }
        Ok(())
    }

    async fn ask_question(&self, args: &Args, name: &str, given: &[String]) -> Result<(), Failure> {
        // What was typed is judged before any key is read.
        let question = desk::question(&args.lane, &*self.asked(&args.lane)?, name)?;
        let given = desk::parameters(&question, given)?;
        let line = Line::open(&self.config, &args.lane)?;
        if question.acts {
            ask::yes(&announced(&args.lane, &question, &given), args.yes).await?;
        }
        let sheet = desk::ask(&*self.ledger, &line, &question, &given).await?;
        match args.json {
            true => print_json(&show::provider::sheet_json(&sheet)),
            false => print!("{}", show::provider::sheet(&sheet)),
        }
        Ok(())
    }

    async fn look_up(&self, args: &Args, reference: &str) -> Result<(), Failure> {
        let line = Line::open(&self.config, &args.lane)?;
        let (known, found) = chat::look_up(&*self.ledger, &line, reference).await?;
        match args.json {
            true => print_json(&show::provider::look_up_json(&known, &found)),
            false => print!("{}", show::provider::look_up(&known, &found)),
        }
        Ok(())
    }

    async fn cancel_payout(&self, args: &Args, reference: &str) -> Result<(), Failure> {
        let line = Line::open(&self.config, &args.lane)?;
        let known = chat::cancellable(&*self.ledger, &line, reference).await?;
        let money = format!("{} {}", known.row.money.amount(), known.row.money.currency());
        let (reference, lane) = (known.row.reference.as_str(), &args.lane);
        let what = format!("this asks the provider of lane {lane} to cancel {reference} ({money})");
        if let Some(warning) = chat::warning(&line, &known) {
            eprintln!("beware of {reference}: {warning}");
        }
        ask::yes(&what, args.yes).await?;
        match chat::cancel(&*self.ledger, &line, &known).await? {
            CancelAnswer::Taken => {
                println!("the provider took the cancellation; a look-up tells what became of it");
                Ok(())
            }
            CancelAnswer::Refused { text } => {
                Err(Failure::NotDone(format!("the provider refused the cancellation: {text}")))
            }
            CancelAnswer::Unknown { text } => Err(Failure::NotDone(format!(
                "no readable answer to the cancellation ({text}); a look-up tells what became of it"
            ))),
        }
    }

    async fn fetch_rules(&self, lane: &LaneName) -> Result<(), Failure> {
        let line = Line::open(&self.config, lane)?;
        let bytes = fetch::rules(&*self.ledger, &line).await?;
        println!(
            "lane {lane}: the provider's rules are fetched ({bytes} bytes); intake follows them"
        );
        Ok(())
    }

    pub(super) async fn confirm(&self, args: Confirm) -> Result<(), Failure> {
        let id = args.batch;
        // A ledger that may have forgotten a step, or is started anew while the person looks for the
        // code, takes none (S18).
        if let Some(why) = senders::vouch(&*self.ledger).await? {
            return Err(Failure::NotDone(format!("nothing was sent: {why}")));
        }
        let batch = self.ledger.batch(id).await?.ok_or(ConfirmError::NoBatch(id))?;
        if batch.state != BatchState::Active {
            return Err(ConfirmError::NotActive { batch: id, state: batch.state }.into());
        }
        let all = calls::of_batch(&*self.ledger, &self.rules, id).await?;
        let calls = calls::choose(all, id, args.reference.as_deref())?;
        let calls = calls::ready(calls, |error| eprintln!("left out: {error}"))?;
        self.check_code(&calls, &args)?;
        let funded: Vec<&Call> =
            calls.iter().filter(|call| self.step_of(call) == SecondStep::Funding).collect();
        if funded.len() > 1 {
            ask::yes(&said::question(id, &funded), args.yes).await?;
        }
        let notes = said::begin(&*self.ledger, id, &funded).await?;
        let mut taken = Vec::new();
        let done = self.confirm_calls(&calls, args.code, &mut taken).await;
        for note in notes {
            note.end(&taken).await;
        }
        done
    }

    fn step_of(&self, call: &Call) -> SecondStep {
        let lane = self.rules.lane(call.lane.as_str()).map(|at| &self.rules.lanes[at]);
        lane.map_or(SecondStep::None, |lane| lane.provider.limits().second_step)
    }

    fn takes_code(&self, call: &Call) -> bool {
        self.step_of(call) == SecondStep::Code
    }

    /// One after the other, up to the first that is not taken; tells the lane of each that is.
    async fn confirm_calls(
        &self,
        calls: &[Call],
        code: Option<String>,
        taken: &mut Vec<LaneName>,
    ) -> Result<(), Failure> {
        for call in calls {
            self.confirm_call(call, code.clone()).await?;
            taken.push(call.lane.clone());
        }
        Ok(())
    }

    /// A code that was given fits: there is one call that takes one.
    fn check_code(&self, calls: &[Call], args: &Confirm) -> Result<(), ConfirmError> {
        if args.code.is_none() {
            return Ok(());
        }
        match calls {
            [only] if self.takes_code(only) => Ok(()),
            [only] => Err(ConfirmError::NeedlessCode(only.lane.clone())),
            several => Err(ConfirmError::which(args.batch, several)),
        }
    }

    async fn confirm_call(&self, call: &Call, code: Option<String>) -> Result<(), Failure> {
        let line = Line::open(&self.config, &call.lane)?;
        account::check(&*self.ledger, &line).await.map_err(ConfirmError::from)?;
        let name = described(call);
        eprintln!("{name}");
        let code = match (self.takes_code(call), code) {
            (false, _) => None,
            (true, Some(code)) => Some(code),
            (true, None) => {
                let typed = ask::hidden_line("the code for it: ".to_owned()).await;
                Some(typed.ok_or_else(|| ConfirmError::NoCode(call.lane.clone()))?)
            }
        };
        let lease_ms = self.config.worker.lease_ms;
        // Before it moves money; the code is not told.
        let told = serde_json::json!({ "what": name });
        let chain = Chain::batch(call.chunk.batch);
        self.rules.clerk.tell_signed(&*self.ledger, &chain, Kind::Confirmed, told).await?;
        match confirm::take(&*self.ledger, &line, call, code, lease_ms).await? {
            Confirmed::Taken => {
                println!("{name}: confirmed; look-ups tell when it is paid");
                Ok(())
            }
            Confirmed::Refused { text } => Err(Failure::NotDone(format!(
                "{name}: the provider refused the step, and nothing happened: {text}"
            ))),
            Confirmed::NotSent { text } => {
                Err(Failure::NotDone(format!("{name}: not sent ({text}); try again")))
            }
            Confirmed::Unknown { text, until } => Err(Failure::NotDone(format!(
                "{name}: no readable answer ({text}); a look-up after {} tells whether it was \
                 taken, and until then nothing of it is confirmed again",
                time(&until)
            ))),
        }
    }
}

fn announced(lane: &LaneName, question: &Question, given: &BTreeMap<String, String>) -> String {
    let with = given.iter().map(|(key, value)| format!("\n  {key} = {}", shown(value)));
    format!(
        "this changes something at the provider of lane {lane}: {} ({}){}",
        question.about,
        question.operation,
        with.collect::<String>()
    )
}

/// `lane main, call 77: 3 payouts, 30.00 EUR`.
fn described(call: &Call) -> String {
    let what = match (&call.handle, call.rows.len()) {
        (Some(handle), 1) => format!("call {handle}: 1 payout ({})", call.first()),
        (Some(handle), n) => format!("call {handle}: {n} payouts from {}", call.first()),
        (None, _) => format!("payout {}", call.first()),
    };
    format!("lane {}, {what}, {}", call.lane, said::totals(&[call]))
}
