//! Who calls: the login, then a token with the encrypted password, or the plain password.
//!
//! Wrong passwords in a row lock the login for a while; a right one forgets them. Tokens live in
//! memory: after a restart every client needs a new one.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::answer::{No, Refusal, Told};
use super::code::Code;
use super::form::Form;
use super::keys::PublicKey;
use super::office::Office;
use crate::clock::lock;

/// Tokens that live at once; a client that asks for more has lost its old ones.
const TOKENS_MAX: usize = 1_024;

#[derive(Default)]
pub(super) struct Access(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Each living token's end.
    tokens: HashMap<String, Instant>,
    wrong_in_a_row: u32,
    locked_until: Option<Instant>,
}

impl Access {
    fn new_token(&self, life: Duration) -> String {
        let token = hex::encode(rand::random::<[u8; 16]>());
        let mut inner = lock(&self.0);
        let now = Instant::now();
        inner.tokens.retain(|_, end| *end > now);
        if inner.tokens.len() >= TOKENS_MAX {
            inner.tokens.clear();
        }
        inner.tokens.insert(token.clone(), now + life);
        token
    }

    fn knows(&self, token: &str) -> bool {
        lock(&self.0).tokens.get(token).is_some_and(|end| *end > Instant::now())
    }

    fn is_locked(&self) -> bool {
        lock(&self.0).locked_until.is_some_and(|until| until > Instant::now())
    }

    /// Counts a password; the one that is a wrong one too many locks the login.
    fn tried(&self, is_right: bool, most: u32, locked_for: Duration) -> Result<(), Code> {
        let mut inner = lock(&self.0);
        if is_right {
            inner.wrong_in_a_row = 0;
            return Ok(());
        }
        inner.wrong_in_a_row += 1;
        if inner.wrong_in_a_row < most {
            return Err(Code::PASSWORD);
        }
        inner.wrong_in_a_row = 0;
        inner.locked_until = Some(Instant::now() + locked_for);
        Err(Code::LOCKED)
    }
}

#[derive(Serialize)]
struct TokenData {
    token: String,
    #[serde(flatten)]
    key: PublicKey,
}

impl Office {
    /// `get_token`: a token, and the key to encrypt the password under.
    pub(super) async fn get_token(&self, form: &Form) -> Result<Told, No> {
        self.check_login(form)?;
        let key = self.keys.public().await.map_err(|error| self.own_fault(&error))?;
        let life = Duration::from_millis(self.config.token_life_ms);
        let data = TokenData { token: self.access.new_token(life), key };
        let line = [&data.token, &data.key.modulus, &data.key.exponent].map(String::clone);
        Told::new(&data, vec![line.to_vec()])
    }

    /// What stands before every call but `get_token`.
    pub(super) async fn check_access(&self, form: &Form) -> Result<(), No> {
        self.check_login(form)?;
        if self.access.is_locked() {
            return Err(Refusal::of(Code::LOCKED));
        }
        let password = match form.get("plain_password") {
            "" => self.hidden_password(form).await?,
            plain => plain.as_bytes().to_vec(),
        };
        let is_right = password == self.config.password.as_bytes();
        let locked_for = Duration::from_millis(self.config.lock_ms);
        let tried = self.access.tried(is_right, self.config.wrong_passwords_max, locked_for);
        tried.map_err(Refusal::of)
    }

    fn check_login(&self, form: &Form) -> Result<(), No> {
        if form.get("login") == self.config.login {
            return Ok(());
        }
        Err(Refusal::of(Code::USER))
    }

    async fn hidden_password(&self, form: &Form) -> Result<Vec<u8>, No> {
        if !self.access.knows(form.get("token")) {
            return Err(Refusal::of(Code::TOKEN));
        }
        let hidden = self.keys.decrypt(form.get("encrypted_password")).await;
        let password = hidden.map_err(|error| self.own_fault(&error))?;
        password.ok_or_else(|| Refusal::of(Code::UNDECRYPTABLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn a_token_lives_as_long_as_it_was_given() {
        let access = Access::default();
        let token = access.new_token(HOUR);
        assert!(access.knows(&token) && !access.knows(""));
        tokio::time::advance(HOUR).await;
        assert!(!access.knows(&token));
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_passwords_in_a_row_lock_and_time_unlocks() {
        let access = Access::default();
        let tries = [false, false, true, false, false, false];
        let codes = tries.map(|is_right| access.tried(is_right, 3, HOUR).err().map(|code| code.0));
        assert_eq!(codes, [Some(15), Some(15), None, Some(15), Some(15), Some(16)]);
        assert!(access.is_locked());
        tokio::time::advance(HOUR).await;
        assert!(!access.is_locked());
    }
}
