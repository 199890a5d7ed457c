//! `test` and `get_direction`: the rules for rows, fetched from the site.
//!
//! A key of the "System" user sees everybody's orders, so that a look-up by it could find a
//! stranger's: such a key is refused before anything is paid with it.

use super::Exchanger;
use super::ask::Trouble;
use super::line::Line;
use super::rules::{Rule, Rules};
use super::wire::Form;
use crate::api::Prepare;
use crate::settings::OFFLINE;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// The `user_id` of the "System" user.
const SYSTEM: &str = "0";

impl Prepare for Exchanger {
    fn fetch(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            let line = self.line.as_ref().ok_or(OFFLINE)?;
            self.refuse_system(line).await.map_err(Trouble::text)?;
            let mut rules = BTreeMap::new();
            for direction in &self.settings.directions {
                rules.insert(direction.id, self.fetch_rule(line, direction.id).await?);
            }
            Rules::new(rules).write()
        })
    }

    fn install(&self, rules: &str) -> Result<(), String> {
        let rules = Arc::new(Rules::read(rules)?);
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Some(rules);
        Ok(())
    }
}

impl Exchanger {
    /// `test`, until it was answered once: whose key is it? A key never changes hands.
    pub(super) async fn refuse_system(&self, line: &Line) -> Result<(), Trouble> {
        if self.own_key.load(Ordering::Relaxed) {
            return Ok(());
        }
        let test = self.ask_site(line, "test", Form::new(), &[]).await?;
        match test.text_of("user_id") {
            None => {
                let text = "test: the answer does not tell whose key this is";
                Err(Trouble::Unclear(text.to_owned()))
            }
            Some(SYSTEM) => Err(Trouble::Stop(
                "the key belongs to the \"System\" user and sees everybody's orders; have one \
                 made for a user of its own"
                    .to_owned(),
            )),
            Some(_) => {
                self.own_key.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    async fn fetch_rule(&self, line: &Line, id: u64) -> Result<Rule, String> {
        let form = Form::new().with("direction_id", &id.to_string());
        match self.ask_site(line, "get_direction", form, &[]).await {
            Ok(data) if data.text_of("id").is_some_and(|told| told == id.to_string()) => {
                Ok(Rule::of_site(&data))
            }
            Ok(_) => Err(format!("get_direction: the answer is not about direction {id}")),
            Err(Trouble::Missing(text)) => Ok(Rule::closed(text)),
            Err(trouble) => Err(trouble.text()),
        }
    }
}
