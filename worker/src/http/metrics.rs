//! `GET /metrics`, for Prometheus. Labels name lanes and results, never a payout or a number.

use super::rim::{Answer, Rim, text};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use std::fmt::Write;
use std::sync::atomic::Ordering;

const FORMAT: &str = "text/plain; version=0.0.4";

pub(super) fn answer(rim: &Rim) -> Answer {
    let mut answer = text(StatusCode::OK, render(rim));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(FORMAT));
    answer
}

fn render(rim: &Rim) -> String {
    let mut page = Page(String::with_capacity(4_096));
    for (name, value) in rim.hears.counters() {
        page.metric(&format!("payout_{name}"), "counter", &[(String::new(), value)]);
    }
    let results = rim.tallies.read().map(|(result, n)| (format!("{{result=\"{result}\"}}"), n));
    page.metric("payout_callbacks_total", "counter", &results);
    let strays = [
        ("{kept=\"yes\"}".to_owned(), rim.strays.kept.load(Ordering::Relaxed)),
        ("{kept=\"no\"}".to_owned(), rim.strays.dropped.load(Ordering::Relaxed)),
    ];
    page.metric("payout_strays_total", "counter", &strays);
    let room: Vec<(String, u64)> = rim
        .lanes
        .iter()
        .map(|lane| (format!("{{lane=\"{lane}\"}}"), u64::from(rim.hears.room(lane))))
        .collect();
    page.metric("payout_free_chunk_slots", "gauge", &room);
    if let Some(bytes) = resident_bytes() {
        page.metric("process_resident_memory_bytes", "gauge", &[(String::new(), bytes)]);
    }
    page.0
}

struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, values: &[(String, u64)]) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

/// What the process holds in memory, as Linux tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_knows_its_memory() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 100_000));
    }
}
