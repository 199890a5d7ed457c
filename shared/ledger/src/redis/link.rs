//! The connection. Every call ends within [`ANSWER_MS_MAX`] and a connection attempt, with an
//! answer or with `Unavailable`; the next call connects again by itself.
//!
//! A connection that did not answer in time is given up together with what still waits on it: a
//! host that vanished without a word would otherwise keep us waiting until the kernel despairs.
//!
//! A connection leads to one life of the ledger and never to another: which one it asks before
//! anything else goes over it, and so what must be written in that life or not at all (S18) is
//! held to the very connection that carries it. A primary that became a replica and was promoted
//! again is the same process with its connections open, and has forgotten what only it knew; so
//! whatever depends on the life asks for it again on the same connection ([`life`](super::life)).

use super::life::{Run, replicas_of, replication_of, run_of};
use super::scripts;
use super::values::{server_error, take, unavailable};
use crate::api::LedgerError;
use crate::types::Life;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, Value};
use std::sync::PoisonError;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Until a request counts as lost.
const ANSWER_MS_MAX: u64 = 3_000;

/// Until a connection attempt counts as failed.
const CONNECT_MS_MAX: u64 = 1_000;

/// After a failed attempt all calls fail at once for so long, so that those who waited for the
/// attempt do not make one of their own, each after the other.
const FAIL_FAST_MS: u64 = 100;

/// One connection for all calls, which share its round trips.
pub(super) struct Link {
    client: Client,
    state: Mutex<State>,
    seen: std::sync::Mutex<Seen>,
}

/// What was seen of the server at the other end, as of its newest answer about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Of which connection.
    line: u64,
    /// How many replicas follow it, if it tells.
    replicas: Option<u64>,
}

impl Seen {
    /// The same connection with this number of replicas.
    pub fn with_replicas(self, replicas: Option<u64>) -> Seen {
        Seen { replicas, ..self }
    }
}

#[derive(Default)]
struct State {
    line: Option<Line>,
    /// Of the newest line.
    number: u64,
    failed: Option<(Instant, LedgerError)>,
}

/// One connection.
#[derive(Clone)]
struct Line {
    connection: MultiplexedConnection,
    /// Counts connections: a call gives up the one that it used, never a newer one.
    number: u64,
    /// The server's process at its other end.
    run: Run,
    /// The ledger's life when it was made.
    life: Life,
}

impl std::fmt::Debug for Link {
    /// Without the address: it may carry a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

impl Link {
    /// Takes an address; connects with the first call.
    pub fn open(url: &str) -> Result<Link, LedgerError> {
        // The error may repeat the address, and with it the password.
        let not_one = |_| {
            let text = "not an address of Redis; expected redis://[user:password@]host:port[/db]";
            LedgerError::Broken(text.to_owned())
        };
        let (state, seen) = Default::default();
        Ok(Link { client: Client::open(url).map_err(not_one)?, state, seen })
    }

    /// Sends one command.
    pub async fn one(&self, command: Cmd) -> Result<Value, LedgerError> {
        let mut answers = self.all(vec![command]).await?;
        answers.pop().ok_or_else(|| LedgerError::Broken("Redis gave no answer".to_owned()))
    }

    /// Sends commands in one round trip. The first that Redis refuses is the error of all;
    /// those before and behind it were executed.
    pub async fn all(&self, commands: Vec<Cmd>) -> Result<Vec<Value>, LedgerError> {
        self.try_all(commands).await?.into_iter().collect()
    }

    /// The same, and the life of the ledger that answered.
    pub async fn all_and_life(
        &self,
        commands: Vec<Cmd>,
    ) -> Result<(Vec<Value>, Life), LedgerError> {
        let line = self.line().await?;
        Ok((self.in_life_of(&line, commands).await?, line.life))
    }

    /// Sends one command in that life of the ledger, or does not send it. Where the life ended in
    /// the same moment the answer is `Unavailable`, and the step may or may not have been taken.
    pub async fn one_in(&self, life: Option<Life>, command: Cmd) -> Result<Value, LedgerError> {
        let line = self.line().await?;
        if life != Some(line.life) {
            return Err(anew());
        }
        let answer = self.in_life_of(&line, vec![command]).await?.pop();
        answer.ok_or_else(|| LedgerError::Broken("Redis gave no answer".to_owned()))
    }

    /// The question for the life goes behind the commands: a life that stands then stood while
    /// they were executed, since none comes back. What Redis did not know and is sent again has
    /// the question behind it once more.
    async fn in_life_of(&self, line: &Line, commands: Vec<Cmd>) -> Result<Vec<Value>, LedgerError> {
        let asked = pipeline(commands.into_iter().chain([info("replication")]));
        let mut answers = self.send(line, &asked).await?;
        self.stands(line, answers.pop()).await?;
        let unknown = unknown(&answers);
        if !unknown.is_empty() {
            let again = self.teach(line, &asked, &unknown).await?;
            let again = pipeline(again.into_iter().chain([info("replication")]));
            let mut newer = self.send(line, &again).await?;
            self.stands(line, newer.pop()).await?;
            unknown.into_iter().zip(newer).for_each(|(at, answer)| answers[at] = answer);
        }
        answers.into_iter().map(checked).collect()
    }

    /// Whether the life that the connection leads to stands, by what the server tells of itself.
    async fn stands(&self, line: &Line, told: Option<Value>) -> Result<(), LedgerError> {
        let none = || LedgerError::Unavailable("Redis gave no answer".to_owned());
        let told: String = take(checked(told.ok_or_else(none)?)?, "its role")?;
        let stands = line.run.life(replication_of(&told)?);
        if stands != line.life {
            self.give_up(line.number).await;
            return Err(anew());
        }
        self.see(Seen { line: line.number, replicas: replicas_of(&told) });
        Ok(())
    }

    /// What was seen of the server last.
    pub fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an older connection tells late does not count.
    pub(super) fn see(&self, newer: Seen) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.line <= newer.line {
            *seen = newer;
        }
    }

    /// Sends commands in one round trip, each with an answer of its own.
    pub async fn try_all(
        &self,
        commands: Vec<Cmd>,
    ) -> Result<Vec<Result<Value, LedgerError>>, LedgerError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        self.try_on(&self.line().await?, commands).await
    }

    async fn try_on(
        &self,
        line: &Line,
        commands: Vec<Cmd>,
    ) -> Result<Vec<Result<Value, LedgerError>>, LedgerError> {
        let asked = pipeline(commands);
        let mut answers = self.send(line, &asked).await?;
        let unknown = unknown(&answers);
        if !unknown.is_empty() {
            let again = self.teach(line, &asked, &unknown).await?;
            let newer = self.send(line, &pipeline(again)).await?;
            unknown.into_iter().zip(newer).for_each(|(at, answer)| answers[at] = answer);
        }
        Ok(answers.into_iter().map(checked).collect())
    }

    /// Makes all scripts known to a Redis that is new to us, or lost them. Gives what is to be sent
    /// again: what it does not know it did not execute.
    async fn teach(
        &self,
        line: &Line,
        asked: &Pipeline,
        unknown: &[usize],
    ) -> Result<Vec<Cmd>, LedgerError> {
        self.send(line, &pipeline(scripts::all().map(scripts::Lua::load))).await?;
        let asked: Vec<&Cmd> = asked.cmd_iter().collect();
        Ok(unknown.iter().map(|at| asked[*at].clone()).collect())
    }

    async fn send(&self, line: &Line, pipeline: &Pipeline) -> Result<Vec<Value>, LedgerError> {
        let mut connection = line.connection.clone();
        match connection.req_packed_commands(pipeline, 0, pipeline.len()).await {
            Ok(answers) if answers.len() == pipeline.len() => Ok(answers),
            Ok(_) => {
                self.give_up(line.number).await;
                Err(LedgerError::Unavailable("Redis answered in part".to_owned()))
            }
            Err(error) => {
                self.give_up(line.number).await;
                Err(unavailable(&error))
            }
        }
    }

    async fn line(&self) -> Result<Line, LedgerError> {
        let mut state = self.state.lock().await;
        if let Some(line) = &state.line {
            return Ok(line.clone());
        }
        if let Some((at, error)) = &state.failed
            && at.elapsed() < Duration::from_millis(FAIL_FAST_MS)
        {
            return Err(error.clone());
        }
        match self.connect().await {
            Ok((connection, run, life, replicas)) => {
                state.number += 1;
                self.see(Seen { line: state.number, replicas });
                let line = Line { connection, number: state.number, run, life };
                state.line = Some(line.clone());
                state.failed = None;
                Ok(line)
            }
            Err(error) => {
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn connect(
        &self,
    ) -> Result<(MultiplexedConnection, Run, Life, Option<u64>), LedgerError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(CONNECT_MS_MAX)))
            .set_response_timeout(Some(Duration::from_millis(ANSWER_MS_MAX)));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting.await.map_err(|e| unavailable(&e))?;
        let asked = pipeline([info("server"), info("replication")]);
        let mut answers = connection
            .req_packed_commands(&asked, 0, asked.len())
            .await
            .map_err(|e| unavailable(&e))?
            .into_iter()
            .map(|answer| match answer {
                Value::ServerError(error) => Err(server_error(&error)),
                answer => take::<String>(answer, "its own state"),
            });
        let mut next = || {
            let none = || LedgerError::Unavailable("Redis gave no answer".to_owned());
            answers.next().unwrap_or_else(|| Err(none()))
        };
        let run = run_of(&next()?)?;
        let replication = next()?;
        let life = run.life(replication_of(&replication)?);
        Ok((connection, run, life, replicas_of(&replication)))
    }

    async fn give_up(&self, number: u64) {
        let mut state = self.state.lock().await;
        if state.number == number {
            state.line = None;
        }
    }
}

fn anew() -> LedgerError {
    let text = "the ledger was started anew; journals are being compared";
    LedgerError::Unavailable(text.to_owned())
}

/// Asks the server for a part of what it knows of itself.
pub(super) fn info(section: &str) -> Cmd {
    let mut info = redis::cmd("INFO");
    info.arg(section);
    info
}

fn pipeline(commands: impl IntoIterator<Item = Cmd>) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for command in commands {
        pipeline.add_command(command);
    }
    pipeline
}

/// Which of the commands were calls of scripts that Redis does not know.
fn unknown(answers: &[Value]) -> Vec<usize> {
    let is_unknown =
        |answer: &Value| matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT");
    (0..answers.len()).filter(|at| is_unknown(&answers[*at])).collect()
}

fn checked(answer: Value) -> Result<Value, LedgerError> {
    match answer {
        Value::ServerError(error) => Err(server_error(&error)),
        answer => Ok(answer),
    }
}
