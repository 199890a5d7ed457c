//! Lane records, permits, fetched rules, strays.

use super::store::Store;
use crate::api::LedgerError;
use crate::rules::pace;
use crate::types::{LaneRecord, Pace, Permits, check_rules};
use domain::{LaneName, Millis};

/// Strays kept per lane; the oldest go first (S16).
const MAX_STRAYS: usize = 10_000;

impl Store {
    pub(super) fn lane_record(&self, name: LaneName) -> LaneRecord {
        let stored = self.lanes.get(&name).and_then(|lane| lane.record.clone());
        stored.unwrap_or_else(|| LaneRecord::new(name))
    }

    pub(super) fn put_lane(&mut self, mut record: LaneRecord) -> bool {
        let stands = self.lane_record(record.name.clone()).version;
        if stands != record.version {
            return false;
        }
        record.version += 1;
        let lane = self.lanes.entry(record.name.clone()).or_default();
        lane.record = Some(record);
        true
    }

    pub(super) fn permits(
        &mut self,
        name: LaneName,
        want: u32,
        pace: Pace,
        now: Millis,
    ) -> Permits {
        pace::draw(&mut self.lanes.entry(name).or_default().next_slot_us, want, pace, now)
    }

    pub(super) fn rules(&self, name: &LaneName) -> Option<(Millis, String)> {
        self.lanes.get(name)?.rules.clone()
    }

    pub(super) fn put_rules(
        &mut self,
        name: LaneName,
        text: String,
        now: Millis,
    ) -> Result<(), LedgerError> {
        check_rules(&text)?;
        self.lanes.entry(name).or_default().rules = Some((now, text));
        Ok(())
    }

    pub(super) fn keep_stray(&mut self, name: LaneName, text: String) {
        let strays = &mut self.lanes.entry(name).or_default().strays;
        strays.push_back(text);
        while strays.len() > MAX_STRAYS {
            strays.pop_front();
        }
    }

    pub(super) fn strays(&self, name: &LaneName) -> Vec<String> {
        self.lanes.get(name).map_or_else(Vec::new, |lane| lane.strays.iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_ten_thousand_strays_of_a_lane_are_kept() {
        let (mut store, lane) = (Store::default(), LaneName::new("a").unwrap());
        for n in 0..10_020 {
            store.keep_stray(lane.clone(), n.to_string());
        }
        let strays = store.strays(&lane);
        assert_eq!((strays.len(), strays[0].as_str()), (10_000, "20"));
    }
}
