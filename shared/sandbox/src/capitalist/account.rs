//! What is asked of the account, not of a payment: balances, fees, rates, who is verified.

use rust_decimal::Decimal;
use serde::Serialize;

use super::answer::{No, Numeral, Refusal, Told};
use super::batch::fee;
use super::code::Code;
use super::config::CapitalistConfig;
use super::currency::Currency;
use super::form::Form;
use super::formats::{Format, is_wallet};
use super::office::Office;
use crate::clock::lock;

#[derive(Serialize)]
struct AccountsData {
    accounts: Vec<Account>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    name: String,
    number: &'static str,
    currency: &'static str,
    balance: Numeral,
    blocked_amount: Numeral,
}

#[derive(Serialize)]
struct FeeData {
    amount: Numeral,
    fee: Numeral,
    total: Numeral,
    currency: &'static str,
}

#[derive(Serialize)]
struct VerifiedData {
    verified: bool,
}

#[derive(Serialize)]
struct SystemsData {
    systems: Vec<System>,
}

#[derive(Serialize)]
struct System {
    name: &'static str,
    currency: &'static str,
    requisites: &'static str,
}

#[derive(Serialize)]
struct RatesData {
    rates: Rates,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rates {
    buy: Vec<Rate>,
    sell: Vec<Rate>,
    uah_sell: Vec<Rate>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rate {
    target: &'static str,
    amount: Numeral,
    amount_cur: &'static str,
}

/// Roubles (or, last, hryvnias) for one unit, in hundredths: bought, sold, sold for hryvnias.
const RATES: [(Currency, [i64; 3]); 2] =
    [(Currency::Usd, [8_900, 9_100, 4_120]), (Currency::Eur, [9_600, 9_850, 4_460])];

impl Office {
    pub(super) fn accounts(&self) -> Result<Told, No> {
        let book = lock(&self.book);
        let mut lines = vec![Vec::new()];
        let accounts = Currency::ALL.map(|currency| {
            let (money, word) = (book.picture().money(currency), currency.word());
            let (name, number) = (format!("Main {word}"), CapitalistConfig::account(currency));
            let texts = [money.balance, money.hold].map(|amount| currency.show(amount));
            let line = [&name, number, word, &texts[0], &texts[1]].map(str::to_owned);
            lines.push(line.to_vec());
            Account {
                name,
                number,
                currency: word,
                balance: self.config.amount(currency, money.balance),
                blocked_amount: self.config.amount(currency, money.hold),
            }
        });
        Told::new(&AccountsData { accounts: accounts.into() }, lines)
    }

    pub(super) fn fee_of(&self, form: &Form) -> Result<Told, No> {
        if Format::of(form.get("document_type")).is_none() {
            return Err(Refusal::of(Code::DOCUMENT_TYPE));
        }
        let source = form.get("source_account");
        let is_source = |currency: &Currency| CapitalistConfig::account(*currency) == source;
        let currency = Currency::ALL.into_iter().find(is_source);
        let currency = currency.ok_or_else(|| Refusal::of(Code::NOT_OURS))?;
        if form.get("dest_account").is_empty() {
            return Err(Refusal::of(Code::NO_RECIPIENT));
        }
        let amount = currency.amount(form.get("amount")).filter(|amount| !amount.is_zero());
        let amount = amount.ok_or_else(|| Refusal::of(Code::NOT_POSITIVE))?;
        let fee = fee(amount, currency, self.config.fee_per_mille);
        let data = FeeData {
            amount: self.config.amount(currency, amount),
            fee: self.config.amount(currency, fee),
            total: self.config.amount(currency, amount + fee),
            currency: currency.word(),
        };
        let show = |amount| currency.show(amount);
        let line = vec![show(amount), show(fee), show(amount + fee), data.currency.to_owned()];
        Told::new(&data, vec![line])
    }

    /// Every wallet's holder is verified, but for those whose number ends in 99.
    pub(super) fn is_verified(&self, form: &Form) -> Result<Told, No> {
        let account = form.get("account");
        if !is_wallet(account) {
            return Err(Refusal::of(Code::NO_ACCOUNT));
        }
        let verified = !account.ends_with("99");
        let line = vec![u8::from(verified).to_string()];
        Told::new(&VerifiedData { verified }, vec![line])
    }

    /// How money comes in; the sandbox takes none.
    pub(super) fn cashin_requisites(&self) -> Result<Told, No> {
        let system = |(name, currency, requisites)| System { name, currency, requisites };
        let systems = [("Bank transfer", "EUR", "SANDBOX"), ("Bitcoin", "BTC", "sandbox")];
        let mut lines = vec![Vec::new()];
        lines.extend(
            systems.map(|(name, currency, to)| [name, currency, to].map(str::to_owned).to_vec()),
        );
        Told::new(&SystemsData { systems: systems.map(system).into() }, lines)
    }

    pub(super) fn rates(&self) -> Result<Told, No> {
        let mut lines = vec![Vec::new()];
        let mut list = |name: &str, column: usize, paid_in: &'static str| -> Vec<Rate> {
            let rate = |(target, prices): &(Currency, [i64; 3])| {
                let amount = Decimal::new(prices.get(column).copied().unwrap_or_default(), 2);
                let line = [name, target.word(), &amount.to_string(), paid_in].map(str::to_owned);
                lines.push(line.to_vec());
                let amount = self.config.amount(Currency::Rur, amount);
                Rate { target: target.word(), amount, amount_cur: paid_in }
            };
            RATES.iter().map(rate).collect()
        };
        let rates = Rates {
            buy: list("buy", 0, "RUR"),
            sell: list("sell", 1, "RUR"),
            uah_sell: list("uahSell", 2, "UAH"),
        };
        Told::new(&RatesData { rates }, lines)
    }
}
