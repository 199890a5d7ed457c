//! What a process cost, by the kernel's accounting (`/proc`).

use std::fs;
use std::time::Duration;

/// CPU time and peak memory of a process so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// User and system time.
    pub cpu: Duration,
    /// Peak resident set, in KiB.
    pub peak_kib: u64,
}

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux that this runs on.
const TICKS: u64 = 100;

/// Reads a live process's usage; zero once it is gone.
pub fn usage(pid: u32) -> Usage {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces; what follows it does not.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = |n: usize| -> u64 {
        after_name.split_whitespace().nth(n).and_then(|f| f.parse().ok()).unwrap_or(0)
    };
    let cpu = Duration::from_millis((field(11) + field(12)) * 1000 / TICKS);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak_kib = peak.and_then(|p| p.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
    Usage { cpu, peak_kib }
}

/// One line of the table.
pub fn line(what: &str, rows: u32, took: Duration, of: &[(&str, Usage)]) {
    let took_us = took.as_micros().max(1);
    let per_second = u128::from(rows) * 1_000_000 / took_us;
    let mut text = format!("{what:<44} {per_second:>9} rows/s");
    for (name, usage) in of {
        let tenths_us = usage.cpu.as_micros() * 10 / u128::from(rows.max(1));
        let mib = usage.peak_kib.div_ceil(1024);
        text += &format!("   {name} {}.{} µs/row, {mib} MiB", tenths_us / 10, tenths_us % 10);
    }
    println!("{text}");
}
