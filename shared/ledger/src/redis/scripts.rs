//! All Lua, one file a step in `lua/`, each documented by what a crash before and after means.
//!
//! A script touches the keys of one family only: those in `KEYS`, and those whose names begin
//! with one of them where only stored data knows the rest (a chunk's lane).

use domain::{Millis, State};
use redis::{Cmd, Script, ToRedisArgs};
use std::sync::LazyLock;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])*
        pub(super) static $name: LazyLock<Lua> =
            LazyLock::new(|| Lua::new(include_str!(concat!("lua/", $file))));)*

        /// All of them, for a Redis that has forgotten them.
        pub(super) fn all() -> impl Iterator<Item = &'static Lua> {
            [$(&*$name),*].into_iter()
        }
    };
}

scripts! {
    OPEN = "open.lua";
    DISCARD = "discard.lua";
    FILE = "file.lua";
    APPEND = "append.lua";
    SEAL = "seal.lua";
    REJECT = "reject.lua";
    RESERVE = "reserve.lua";
    TAKE_OVER = "take_over.lua";
    PEEK = "peek.lua";
    TAKE = "take.lua";
    CLAIM = "claim.lua";
    RENEW = "renew.lua";
    RELEASE = "release.lua";
    WRITE = "write.lua";
    SET_STATE = "set_state.lua";
    CLAIM_REPORT = "claim_report.lua";
    REPORTED = "reported.lua";
    PUT_LANE = "put_lane.lua";
    PERMITS = "permits.lua";
    PUT_RULES = "put_rules.lua";
    MAKE = "make.lua";
    PUT_REGISTER = "put_register.lua";
    REGISTERS = "registers.lua";
    APPEND_ENTRY = "append_entry.lua";
}

/// A script and its hash.
pub(super) struct Lua {
    code: String,
    hash: String,
}

impl Lua {
    fn new(body: &str) -> Lua {
        let open = State::ALL.into_iter().filter(|state| state.is_open());
        let open: Vec<String> = open.map(|state| state.index().to_string()).collect();
        let code = format!(
            "local NEVER = {}\nlocal OPEN_STATES = {{ {} }}\n{}\n{body}",
            Millis::NEVER.0,
            open.join(", "),
            include_str!("lua/prelude.lua"),
        );
        let hash = Script::new(&code).get_hash().to_owned();
        Lua { code, hash }
    }

    /// A call with `keys`; arguments are added behind.
    pub fn call(&self, keys: &[impl ToRedisArgs]) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.hash).arg(keys.len());
        for key in keys {
            command.arg(key);
        }
        command
    }

    /// Makes it known to Redis.
    pub fn load(&self) -> Cmd {
        let mut command = redis::cmd("SCRIPT");
        command.arg("LOAD").arg(&self.code);
        command
    }
}
