//! `import_batch_advanced`: the rows of a shipment as one batch, sent once.
//!
//! Rows that are not in the batch are certainly not sent, and none of those that are is ever sent
//! by this call a second time, but for code 20, which is given before a batch is read.

use super::Capitalist;
use super::data;
use super::imported::{Next, Read};
use super::line::{Line, Way};
use super::rest::{Failure, Trouble};
use crate::answer::Answer;
use crate::api::{Payment, Shipment, Shipped};
use crate::http::SendError;
use crate::settings::OFFLINE;

/// How long the lane waits where no connection comes about or a 429 names no time.
pub(super) const PAUSE_MS: u64 = 1_000;

impl Capitalist {
    pub(super) async fn import(&self, shipment: &Shipment) -> Shipped {
        let Some(line) = &self.line else {
            let text = OFFLINE.to_owned();
            let answer = Answer::StopLane { text, retry_after_ms: None };
            return vec![answer; shipment.payments.len()].into();
        };
        let (mut answers, sent, batch) = self.batch(&shipment.payments);
        if sent.is_empty() {
            return answers.into();
        }
        let records: Vec<&Payment> = sent.iter().map(|at| &shipment.payments[*at]).collect();
        let mut read = self.send_batch(line, shipment, &records, &batch).await;
        if let Next::AskAccounts(text) = read.next {
            let missing = self.missing_accounts(line).await;
            (read.answers, read.next) = account_not_found(text, missing, records.len());
        }
        let mut stop = None;
        match read.next {
            Next::Nothing | Next::AskAccounts(_) => {}
            Next::Widen => self.hold.widen(),
            Next::Narrow => self.hold.narrow(records.len()),
            Next::Stop(text, pause) => stop = Some((text, pause)),
        }
        for (at, answer) in sent.into_iter().zip(read.answers) {
            answers[at] = answer;
        }
        Shipped { answers, handle: read.handle, rows_max: read.rows_max, stop }
    }

    /// The batch, which payments it carries, and the answers of those that it does not.
    fn batch(&self, payments: &[Payment]) -> (Vec<Answer>, Vec<usize>, String) {
        let room = self.hold.room(payments.len());
        let mut answers = Vec::with_capacity(payments.len());
        let (mut sent, mut lines) = (Vec::with_capacity(room), Vec::with_capacity(room));
        for (at, payment) in payments.iter().enumerate() {
            if lines.len() < room {
                match self.records.line(&payment.row, payment.reference.as_str()) {
                    Ok(line) => {
                        sent.push(at);
                        lines.push(line);
                    }
                    // Intake refuses such rows; the lane's settings may have changed since.
                    Err(problems) => {
                        let texts: Vec<_> =
                            problems.iter().map(|p| format!("{}: {}", p.column, p.text)).collect();
                        let text = format!("not sent: {}", texts.join("; "));
                        answers.push(Answer::Unlisted { text });
                        continue;
                    }
                }
            }
            answers.push(Answer::NotSent);
        }
        (answers, sent, lines.join("\n"))
    }

    async fn send_batch(
        &self,
        line: &Line,
        shipment: &Shipment,
        records: &[&Payment],
        batch: &str,
    ) -> Read {
        let all = |answer: Answer| Read::all(answer, records.len(), Next::Nothing);
        let proof = match line.verification.data(batch.as_bytes()) {
            Ok(proof) => proof,
            Err(text) => return all(Answer::StopLane { text, retry_after_ms: None }),
        };
        let accounts =
            self.accounts.iter().map(|(code, account)| (format!("account_{code}"), account));
        let accounts: Vec<_> = accounts.collect();
        let mut fields = vec![("batch", batch)];
        fields.extend(accounts.iter().map(|(field, account)| (field.as_str(), account.as_str())));
        fields.push(("verification_type", line.verification.kind()));
        if let Some(proof) = &proof {
            fields.push(("verification_data", proof));
        }
        let way = Way::Gated(&shipment.gate);
        match line.ask("import_batch_advanced", &data::IMPORT, &fields, way).await {
            Ok(reply) => self.read_import(line, &reply, records),
            Err(Failure::NoToken(trouble)) => not_asked(trouble, records.len()),
            Err(Failure::Send(SendError::GateClosed)) => all(Answer::NotSent),
            Err(Failure::Send(error @ SendError::NotSent(_))) => {
                all(Answer::Later { text: error.to_string(), retry_after_ms: Some(PAUSE_MS) })
            }
            Err(Failure::Send(error @ SendError::Unknown(_))) => {
                all(Answer::Unknown { text: error.to_string() })
            }
        }
    }
}

/// Code 130: one of our accounts is not there, and the lane stops; else it is a beneficiary's, to
/// be looked for among the rows, and a row that is alone is the one.
fn account_not_found(text: String, missing: Option<String>, rows: usize) -> (Vec<Answer>, Next) {
    let unknown = Answer::Unknown { text: text.clone() };
    match missing {
        Some(missing) => (vec![unknown; rows], Next::Stop(format!("{text}; {missing}"), None)),
        None if rows == 1 => (vec![Answer::Unlisted { text }], Next::Widen),
        None => (vec![unknown; rows], Next::Narrow),
    }
}

/// There was no token, so the batch was not sent, or was refused unread.
fn not_asked(trouble: Trouble, rows: usize) -> Read {
    let Trouble { text, stop, retry_after_ms } = trouble;
    match stop {
        Some(until) => {
            let answer = Answer::StopLane { text: text.clone(), retry_after_ms: until };
            Read::all(answer, rows, Next::Stop(text, until))
        }
        None => {
            let retry_after_ms = Some(retry_after_ms.unwrap_or(PAUSE_MS));
            Read::all(Answer::Later { text, retry_after_ms }, rows, Next::Nothing)
        }
    }
}
