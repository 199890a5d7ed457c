//! The benchmark: what a row costs, beside a raw `reqwest` client in the same run.
//!
//! `cargo run --release -p bench [-- ROWS]` (100,000 by default), or `-- pace`: how much of a
//! provider's limit a pool uses. Needs `redis-server`. Every figure is a whole process's: rows per second by the wall clock, CPU and
//! peak memory by the kernel's own accounting.

mod measure;
mod pace;
mod phases;
mod raw;
mod setup;

use phases::Phases;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        // The raw client runs in a process of its own, so that its cost is its own.
        Some("raw-client") => {
            let url = args.next().ok_or("raw-client URL ROWS")?;
            raw::client(&url, args.next().ok_or("raw-client URL ROWS")?.parse()?)
        }
        Some("pace") => {
            setup::build()?;
            pace::run()
        }
        Some(rows) => run(rows.replace('_', "").parse()?),
        None => run(100_000),
    }
}

fn run(rows: u32) -> Result<(), Box<dyn std::error::Error>> {
    setup::build()?;
    let phases = Phases::new(rows)?;
    println!("{rows} rows, one HTTP call a row, sandbox at zero latency, {}", setup::machine());
    println!();
    phases.raw()?;
    phases.embedded()?;
    phases.redis()?;
    phases.settled()?;
    phases.large_intake(1_000_000)?;
    Ok(())
}
