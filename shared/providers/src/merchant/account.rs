//! The account call: what is there, what is on hold, what may be spent. In USDT, as written.

use super::Merchant;
use super::wire::{Account, Told, text};
use crate::api::{Accounts, Balance};
use crate::http::RawAnswer;
use futures::future::BoxFuture;

const CURRENCY: &str = "USDT";

impl Accounts for Merchant {
    fn balance(&self) -> BoxFuture<'_, Result<Vec<Balance>, String>> {
        Box::pin(async move {
            let line = self.line.as_ref().ok_or_else(|| self.offline().to_owned())?;
            let answer = line.http.send(line.get(&line.account_url), None).await;
            self.read_account(&answer.map_err(|error| error.to_string())?)
        })
    }
}

impl Merchant {
    /// What the answer to the account call tells. Pure.
    pub(super) fn read_account(&self, raw: &RawAnswer) -> Result<Vec<Balance>, String> {
        let unreadable = || format!("HTTP {} with a body that cannot be read", raw.status);
        let account: Account<'_> = serde_json::from_slice(&raw.body).map_err(|_| unreadable())?;
        let ok = account.ok.and_then(Told::yes).ok_or_else(unreadable)?;
        if !ok || !(200..300).contains(&raw.status) {
            let words = text(account.error).unwrap_or_default();
            return Err(format!("HTTP {} {}", raw.status, self.quote(&words, "")));
        }
        let lines = [
            ("balance", account.balance),
            ("hold", account.hold),
            ("available", account.available),
        ];
        let balances: Vec<_> = lines
            .into_iter()
            .filter_map(|(name, told)| {
                // A balance may be below zero, so this is no amount; it is shown, not counted.
                let amount = self.quote(&text(told)?, "");
                Some(Balance { name: name.to_owned(), amount, currency: CURRENCY.to_owned() })
            })
            .collect();
        if balances.is_empty() { Err(unreadable()) } else { Ok(balances) }
    }
}
