//! What a person may ask: the registered beneficiaries, and payouts as Capay has them. A number
//! that may be an account is masked in every cell but those of ids.

use super::line::Outgoing;
use super::pointer::{Pointer, Slot, whole};
use super::refusal::Refusal;
use super::wire::Record;
use super::{Capay, Line};
use crate::api::{Desk, Parameter, Question, Sheet};
use crate::http::{ProviderUrl, RawAnswer, StatusClass, class_of_status};
use crate::quote::quote;
use crate::told::Told;
use futures::future::BoxFuture;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Records in a page, unless asked otherwise, and at most.
const LIMIT: u16 = 100;
const LIMIT_MAX: u16 = 1_000;

const CLIENT: Parameter = Parameter {
    name: "client_id",
    about: "whose, for a program manager; the lane's client, else the manager itself",
    required: false,
};
const PAGE: [Parameter; 3] = [
    Parameter { name: "skip", about: "records to leave out before the first; 0", required: false },
    Parameter { name: "limit", about: "records to show, 1 to 1000; 100", required: false },
    CLIENT,
];

const QUESTIONS: &[Question] = &[
    Question {
        name: "businesses",
        about: "registered beneficiaries that are businesses",
        operation: "GET /beneficiaries/businesses",
        parameters: &PAGE,
        acts: false,
    },
    Question {
        name: "individuals",
        about: "registered beneficiaries that are persons",
        operation: "GET /beneficiaries/individuals",
        parameters: &PAGE,
        acts: false,
    },
    Question {
        name: "payouts",
        about: "payouts as Capay lists them",
        operation: "profile.list_path",
        parameters: &PAGE,
        acts: false,
    },
    Question {
        name: "payout",
        about: "one payout by Capay's id",
        operation: "profile.status_path",
        parameters: &[Parameter { name: "id", about: "Capay's id", required: true }, CLIENT],
        acts: false,
    },
    Question {
        name: "webhook",
        about: "the URL of this lane, to be registered at Capay for notices; asks nobody",
        operation: "create a Webhook for your OAuth application",
        parameters: &[],
        acts: false,
    },
];

/// Which part of which list is asked for.
struct Part<'a> {
    skip: usize,
    limit: u16,
    client_id: Option<&'a str>,
}

impl Desk for Capay {
    fn questions(&self) -> &'static [Question] {
        QUESTIONS
    }

    fn ask<'a>(
        &'a self,
        name: &'a str,
        given: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Sheet, String>> {
        Box::pin(async move {
            if name == "webhook" {
                return self.webhook();
            }
            let line = self.line.as_ref().ok_or_else(|| self.offline().to_owned())?;
            let profile = &self.settings.profile;
            match name {
                "businesses" => self.beneficiaries(line, &profile.businesses_path, given).await,
                "individuals" => self.beneficiaries(line, &profile.individuals_path, given).await,
                "payouts" => self.payouts(line, given).await,
                "payout" => {
                    let id = given.get("id").map(String::as_str).filter(|id| !id.is_empty());
                    let id = id.ok_or("id: missing; expected Capay's id")?;
                    self.payout(line, id, self.client_of(given)).await
                }
                other => Err(format!("the provider has no \"{other}\"")),
            }
        })
    }
}

impl Capay {
    fn webhook(&self) -> Result<Sheet, String> {
        let url = self.webhook_url.clone();
        let url = url.ok_or(
            "there is no URL to call: [http] callback_key_file is not here. Start a worker \
                          once, or copy the file from a machine that has one",
        )?;
        Ok(Sheet { columns: vec!["url"], rows: vec![vec![url]], more: None })
    }

    async fn beneficiaries(
        &self,
        line: &Line,
        path: &super::path::Path,
        given: &BTreeMap<String, String>,
    ) -> Result<Sheet, String> {
        let part = Part::of(given, self.client_of(given))?;
        let fields = &self.settings.profile.beneficiary;
        let raw = self.ask(line, self.page_url(path.url(&line.base), &part)).await?;
        let items = items(&raw, &fields.items)?;
        let row = |item: &Told<'_>| {
            let text = |slot: &Slot| slot.text(item.raw());
            vec![id_cell(text(&fields.id)), cell(text(&fields.name)), cell(text(&fields.status))]
        };
        let rows: Vec<_> = items.iter().map(row).collect();
        Ok(Sheet { columns: vec!["id", "name", "status"], more: part.more(rows.len()), rows })
    }

    async fn payouts(
        &self,
        line: &Line,
        given: &BTreeMap<String, String>,
    ) -> Result<Sheet, String> {
        let part = Part::of(given, self.client_of(given))?;
        let profile = &self.settings.profile;
        let raw = self.ask(line, self.page_url(profile.list_path.url(&line.base), &part)).await?;
        let items = items(&raw, &profile.list_items)?;
        let records = items.iter().filter_map(|item| Record::of(item.raw(), &profile.item));
        let rows = records.map(|record| payout_row(&record)).collect();
        Ok(Sheet { columns: PAYOUT.to_vec(), rows, more: part.more(items.len()) })
    }

    async fn payout(
        &self,
        line: &Line,
        id: &str,
        client_id: Option<&str>,
    ) -> Result<Sheet, String> {
        if super::path::is_dots(id) {
            return Err("id: dots alone are no id".to_owned());
        }
        let profile = &self.settings.profile;
        let query: Vec<_> = self.client_query(client_id).into_iter().collect();
        let url = profile.status_path.url_of(&line.base, id).with_query(&query);
        let raw = self.ask(line, url).await?;
        let record = Record::of_body(&raw.body, &profile.payout).ok_or_else(|| unreadable(&raw))?;
        Ok(Sheet { columns: PAYOUT.to_vec(), rows: vec![payout_row(&record)], more: None })
    }

    fn page_url(&self, url: ProviderUrl, part: &Part<'_>) -> ProviderUrl {
        let profile = &self.settings.profile;
        let (skip, limit) = (part.skip.to_string(), part.limit.to_string());
        let mut query =
            vec![(&*profile.skip_parameter, &*skip), (&*profile.limit_parameter, &*limit)];
        query.extend(self.client_query(part.client_id));
        url.with_query(&query)
    }

    fn client_of<'a>(&'a self, given: &'a BTreeMap<String, String>) -> Option<&'a str> {
        let told = given.get("client_id").map(String::as_str).filter(|id| !id.is_empty());
        told.or(self.settings.client_id.as_deref())
    }

    async fn ask(&self, line: &Line, url: ProviderUrl) -> Result<RawAnswer, String> {
        self.told(line, Outgoing::get(url)).await
    }

    /// An answer whose body speaks of what was asked, or Capay's words instead.
    pub(super) async fn told(
        &self,
        line: &Line,
        outgoing: Outgoing<'_>,
    ) -> Result<RawAnswer, String> {
        let raw = line.call(&outgoing).await.map_err(|error| error.text())?;
        match class_of_status(raw.status) {
            StatusClass::Told => Ok(raw),
            _ => {
                let refusal = Refusal::read(&raw.body, &self.settings.profile.error);
                Err(self.words(raw.status, &refusal, ""))
            }
        }
    }
}

impl<'a> Part<'a> {
    fn of(
        given: &BTreeMap<String, String>,
        client_id: Option<&'a str>,
    ) -> Result<Part<'a>, String> {
        let skip = given.get("skip").map_or(Ok(0), |text| text.parse());
        let limit = given.get("limit").map_or(Ok(LIMIT), |text| text.parse());
        let limit = limit.ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        Ok(Part {
            skip: skip.map_err(|_| "skip: expected a whole number")?,
            limit: limit.ok_or_else(|| format!("limit: expected 1 to {LIMIT_MAX}"))?,
            client_id,
        })
    }

    /// How to see the next page, unless this one is short.
    fn more(&self, shown: usize) -> Option<String> {
        let next = self.skip.saturating_add(shown);
        (shown >= usize::from(self.limit)).then(|| format!("skip={next} shows the next ones"))
    }
}

const PAYOUT: [&str; 6] = ["id", "ticket", "reference", "status", "amount", "currency"];

fn payout_row(record: &Record<'_>) -> Vec<String> {
    vec![
        record.id().unwrap_or_default(),
        id_cell(record.ticket_id()),
        id_cell(record.reference()),
        cell(record.status()),
        cell(record.amount().and_then(Told::text)),
        cell(record.currency()),
    ]
}

pub(super) fn items<'a>(raw: &'a RawAnswer, at: &Pointer) -> Result<Vec<Told<'a>>, String> {
    let items = whole(&raw.body).and_then(|whole| at.find(whole)?.items());
    items.ok_or_else(|| unreadable(raw))
}

fn cell(told: Option<Cow<'_, str>>) -> String {
    quote(&told.unwrap_or_default(), [])
}

/// Ids are long numbers too, and no secret; on one line all the same.
fn id_cell(told: Option<Cow<'_, str>>) -> String {
    told.unwrap_or_default().trim().replace(char::is_control, " ")
}

fn unreadable(raw: &RawAnswer) -> String {
    format!("HTTP {} with a body that cannot be read", raw.status)
}
