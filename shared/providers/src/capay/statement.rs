//! The profile's list as a statement: payouts of the lane's client by their time of making.
//!
//! All of it is assumed, as the list is. A server that ignores the times shows other payouts as
//! well: those that tell a time outside the period are left out here. An item without a reference
//! is kept as it is: it is nobody's, and the list is no less whole.

use super::desk::items;
use super::line::Outgoing;
use super::wire::Record;
use super::{Capay, Line};
use crate::api::Turns;
use crate::statement::{Entry, Period, Standing, Statement, StatementPage};
use crate::told::Told;
use domain::{Destination, Millis};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::value::RawValue;

impl Statement for Capay {
    fn page<'a>(
        &'a self,
        period: Period,
        cursor: Option<&'a str>,
        turns: &'a dyn Turns,
    ) -> BoxFuture<'a, Result<StatementPage, String>> {
        Box::pin(async move {
            let line = self.line.as_ref().ok_or_else(|| self.offline().to_owned())?;
            let skip = cursor.unwrap_or("0").parse();
            let skip: usize = skip.map_err(|_| "no cursor of this list".to_owned())?;
            self.list_page(line, period, skip, turns).await
        })
    }
}

impl Capay {
    async fn list_page(
        &self,
        line: &Line,
        period: Period,
        skip: usize,
        turns: &dyn Turns,
    ) -> Result<StatementPage, String> {
        let profile = &self.settings.profile;
        let from = written(period.from).ok_or("a time that cannot be written")?;
        let until = written(period.until).ok_or("a time that cannot be written")?;
        let (start, limit) = (skip.to_string(), profile.page_size.to_string());
        let query = [
            (profile.from_parameter.as_str(), from.as_str()),
            (&profile.until_parameter, &until),
            (&profile.skip_parameter, &start),
            (&profile.limit_parameter, &limit),
        ];
        let mut query: Vec<_> = query.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        query.extend(self.client_query(self.settings.client_id.as_deref()));
        let url = profile.list_path.url(&line.base).with_query(&query);
        let raw = self.told(line, Outgoing { turns: Some(turns), ..Outgoing::get(url) }).await?;
        let items = items(&raw, &profile.list_items)?;
        let whole = super::pointer::whole(&raw.body).ok_or("the answer cannot be read")?;
        if profile.list_skip.text(whole).is_some_and(|told| told.trim() != start) {
            return Err("the list: another page than was asked for".to_owned());
        }
        let total = profile.list_total.find(whole).and_then(Told::count);
        let next = skip.saturating_add(items.len());
        if items.is_empty() && total.is_some_and(|total| total > next) {
            return Err("the list ends before its own total".to_owned());
        }
        let entries = items.iter().filter_map(|item| self.entry(item.raw(), period));
        Ok(StatementPage {
            entries: entries.collect(),
            // A page that is short may be one of a server that gives fewer than asked for.
            next: (!items.is_empty()).then(|| next.to_string()),
            total: total.and_then(|total| u64::try_from(total).ok()),
        })
    }

    fn entry(&self, item: &RawValue, period: Period) -> Option<Entry> {
        let profile = &self.settings.profile;
        let record = Record::of(item, &profile.item)?;
        let at = profile.list_created_at.text(item).and_then(|text| moment(&text));
        if at.is_some_and(|at| !period.has(at)) {
            return None;
        }
        let trimmed = |text: std::borrow::Cow<'_, str>| text.trim().to_owned();
        let status = record.status().unwrap_or_default();
        let meaning = profile.statuses.meaning(&status).map(|(_, news)| news);
        Some(Entry {
            reference: record.reference().map(trimmed).unwrap_or_default(),
            provider_id: record.id(),
            amount: record.amount().and_then(Told::amount),
            currency: record.currency().map(trimmed),
            destination: record.any_destination().map(Destination::new),
            standing: Standing::of(meaning),
            at,
        })
    }
}

/// RFC 3339 in UTC, whole seconds.
fn written(at: Millis) -> Option<String> {
    let seconds = i64::try_from(at.0 / 1000).ok()?;
    Some(Timestamp::from_second(seconds).ok()?.to_string())
}

fn moment(text: &str) -> Option<Millis> {
    let ms = text.trim().parse::<Timestamp>().ok()?.as_millisecond();
    u64::try_from(ms).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_it_is_read() {
        assert_eq!(written(Millis(1_734_338_987_005)).unwrap(), "2024-12-16T08:49:47Z");
        assert_eq!(moment("2024-12-16T08:49:47.005Z"), Some(Millis(1_734_338_987_005)));
        assert_eq!(moment("2024-12-16T11:49:47+03:00"), Some(Millis(1_734_338_987_000)));
        assert_eq!(moment("16.12.2024"), None);
    }
}
