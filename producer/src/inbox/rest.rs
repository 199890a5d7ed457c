//! A file is whole when its size and time of change stood still for a while, by our own clock.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, Instant, SystemTime};

/// A file that waits in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub name: OsString,
    /// Its size.
    pub bytes: u64,
    /// When it was last written to, by the file system's clock.
    pub changed: SystemTime,
}

/// Remembers how long each file stood still.
#[derive(Debug)]
pub struct Rest {
    needed: Duration,
    seen: BTreeMap<OsString, (Waiting, Instant)>,
}

impl Rest {
    /// Files must stand still for `needed`.
    pub fn new(needed: Duration) -> Rest {
        Rest { needed, seen: BTreeMap::new() }
    }

    /// Those of the files waiting now that are at rest, by name.
    pub fn at_rest(&mut self, waiting: Vec<Waiting>) -> Vec<OsString> {
        self.at_rest_at(waiting, Instant::now())
    }

    fn at_rest_at(&mut self, waiting: Vec<Waiting>, now: Instant) -> Vec<OsString> {
        let before = std::mem::take(&mut self.seen);
        let mut resting = Vec::new();
        for file in waiting {
            let since = match before.get(&file.name) {
                Some((same, since)) if *same == file => *since,
                _ => now,
            };
            if now.duration_since(since) >= self.needed {
                resting.push(file.name.clone());
            }
            self.seen.insert(file.name.clone(), (file, since));
        }
        resting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_grows_is_left_alone_until_it_rests() {
        let mut rest = Rest::new(Duration::from_millis(300));
        let start = Instant::now();
        let mut look = |at_ms: u64, bytes: u64| {
            let file = Waiting { name: "a".into(), bytes, changed: SystemTime::UNIX_EPOCH };
            !rest.at_rest_at(vec![file], start + Duration::from_millis(at_ms)).is_empty()
        };
        let seen = [look(0, 10), look(200, 20), look(400, 20), look(499, 20), look(500, 20)];
        assert_eq!(seen, [false, false, false, false, true]);
    }
}
