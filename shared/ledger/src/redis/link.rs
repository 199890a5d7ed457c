//! The connection. Every call ends within [`ANSWER_MS_MAX`] and a connection attempt, with an
//! answer or with `Unavailable`; the next call connects again by itself.
//!
//! A connection that did not answer in time is given up together with what still waits on it: a
//! host that vanished without a word would otherwise keep us waiting until the kernel despairs.

use super::scripts;
use super::values::{server_error, unavailable};
use crate::api::LedgerError;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, Value};
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
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Counts connections: a call gives up the one that it used, never a newer one.
    number: u64,
    failed: Option<(Instant, LedgerError)>,
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
        Ok(Link { client: Client::open(url).map_err(not_one)?, state: Mutex::default() })
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

    /// Sends commands in one round trip, each with an answer of its own.
    pub async fn try_all(
        &self,
        commands: Vec<Cmd>,
    ) -> Result<Vec<Result<Value, LedgerError>>, LedgerError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let pipeline = pipeline(commands);
        let mut answers = self.send(&pipeline).await?;
        let unknown: Vec<usize> = (0..answers.len()).filter(|at| unknown(&answers[*at])).collect();
        if !unknown.is_empty() {
            // Redis was restarted. What it does not know it did not execute.
            self.send(&self::pipeline(scripts::all().map(scripts::Lua::load))).await?;
            let again: Vec<&Cmd> = pipeline.cmd_iter().collect();
            let again = self::pipeline(unknown.iter().map(|at| again[*at].clone()));
            for (at, answer) in unknown.into_iter().zip(self.send(&again).await?) {
                answers[at] = answer;
            }
        }
        let checked = |answer| match answer {
            Value::ServerError(error) => Err(server_error(&error)),
            answer => Ok(answer),
        };
        Ok(answers.into_iter().map(checked).collect())
    }

    async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>, LedgerError> {
        let (mut connection, number) = self.connection().await?;
        match connection.req_packed_commands(pipeline, 0, pipeline.len()).await {
            Ok(answers) if answers.len() == pipeline.len() => Ok(answers),
            Ok(_) => {
                self.give_up(number).await;
                Err(LedgerError::Unavailable("Redis answered in part".to_owned()))
            }
            Err(error) => {
                self.give_up(number).await;
                Err(unavailable(&error))
            }
        }
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), LedgerError> {
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection {
            return Ok((connection.clone(), state.number));
        }
        if let Some((at, error)) = &state.failed
            && at.elapsed() < Duration::from_millis(FAIL_FAST_MS)
        {
            return Err(error.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(CONNECT_MS_MAX)))
            .set_response_timeout(Some(Duration::from_millis(ANSWER_MS_MAX)));
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                state.number += 1;
                state.connection = Some(connection.clone());
                state.failed = None;
                Ok((connection, state.number))
            }
            Err(error) => {
                let error = unavailable(&error);
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn give_up(&self, number: u64) {
        let mut state = self.state.lock().await;
        if state.number == number {
            state.connection = None;
        }
    }
}

fn pipeline(commands: impl IntoIterator<Item = Cmd>) -> Pipeline {
    let mut pipeline = Pipeline::new();
    for command in commands {
        pipeline.add_command(command);
    }
    pipeline
}

fn unknown(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT")
}
