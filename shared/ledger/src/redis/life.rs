//! A ledger's life (S18) is one process of the server in one history of its data.
//!
//! The process alone is not enough. A primary that the others cannot reach goes on answering those
//! who can; meanwhile a replica is promoted, the old primary becomes its replica, forgets what only
//! it knew, and is promoted again later: the same process, with a hole. Redis names the history by
//! `master_replid`, which it draws anew with each promotion, so the two together never come back.
//! It also draws it anew when the first replica comes and an hour after the last one went: then
//! journals are compared once more than needed, which costs a moment.

use crate::api::LedgerError;
use crate::audit::Hash;
use crate::types::Life;

/// One process of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run(String);

impl Run {
    /// The life that is this process in that history. The same on every machine of the pool.
    pub fn life(&self, history: &str) -> Life {
        let Hash(hash) = Hash::of(format!("{}\n{history}", self.0).as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = hash;
        Life(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// The process, by `INFO server`.
pub(super) fn run_of(info: &str) -> Result<Run, LedgerError> {
    let run = field(info, "run_id").filter(|id| is_id(id));
    run.map(|id| Run(id.to_owned())).ok_or_else(|| not_told("run_id (INFO server)"))
}

/// The history, by `INFO replication`.
pub(super) fn replication_of(info: &str) -> Result<&str, LedgerError> {
    let history = field(info, "master_replid").filter(|id| is_id(id));
    history.ok_or_else(|| not_told("master_replid (INFO replication)"))
}

/// How many replicas follow it, by `INFO replication`.
pub(super) fn replicas_of(info: &str) -> Option<u64> {
    field(info, "connected_slaves")?.parse().ok()
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    info.lines().find_map(value).map(str::trim)
}

/// 40 hex digits at random.
fn is_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn not_told(what: &str) -> LedgerError {
    LedgerError::Broken(format!(
        "Redis does not tell its {what}, without which nobody sees that it was started anew or \
         promoted and may have lost payouts; use a server that does"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn another_process_and_another_history_are_each_another_life() {
        let run = |id: &str| run_of(&format!("# Server\r\nrun_id:{id}\r\nx:1\r\n")).unwrap();
        assert_eq!(run(A).life(A), run(A).life(A));
        assert_ne!(run(A).life(A), run(B).life(A));
        assert_ne!(run(A).life(A), run(A).life(B));
    }

    #[test]
    fn a_server_that_hides_its_process_or_its_history_is_refused() {
        for info in ["", "run_id:\r\n", "run_id:12\r\nmaster_replid:x\r\n"] {
            let text = run_of(info).unwrap_err().to_string();
            assert!(text.contains("run_id"), "{text}");
            let text = replication_of(info).unwrap_err().to_string();
            assert!(text.contains("master_replid"), "{text}");
        }
    }

    #[test]
    fn the_second_id_of_a_history_is_not_taken_for_the_first() {
        let info = format!("connected_slaves:2\r\nmaster_replid2:{B}\r\nmaster_replid:{A}\r\n");
        assert_eq!(replication_of(&info).unwrap(), A);
        assert_eq!(replicas_of(&info), Some(2));
    }
}
