//! A storm: everything dies again and again while files are paid, and the provider lies. What it
//! shows is judged by the provider's own ledger: nobody is paid twice, nobody is forgotten, the
//! totals agree to the cent, no forged callback is believed.
//!
//! ```text
//!  until half is paid, every 300 ms          to the end, at the sandbox
//!   kill -9 of a random worker;               a tenth of the creates paid and not answered,
//!   a new one in its place at once            some not paid and not answered either;
//!   kill -9 of Redis, three times, each       callbacks twice, out of order, forged
//!   away until the next worker dies
//! ```
//!
//! - [`profile`]: what the installation is told, and why
//! - [`pool`]: the workers and who restarts them
//! - [`toll`]: what it cost, and the judgement

pub mod pool;
pub mod profile;
pub mod toll;

use crate::batch::Batch;
use crate::config_file::Engine;
use crate::results::ResultRow;
use crate::wait::wait_with;
use crate::world::World;
use pool::Pool;
use profile::Profile;
use std::time::{Duration, Instant};
use toll::Toll;

/// Between two looks at the batches: each starts a program.
const LOOK: Duration = Duration::from_secs(1);
/// Between two lines about the progress.
const TELL: Duration = Duration::from_secs(10);

/// What is let loose on what.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// The ledger. On SQLite there is no server to kill.
    pub engine: Engine,
    /// Rows in all.
    pub rows: u32,
    /// Rows of a file. What a dead worker held is a thousand of them at most, until its lease ends.
    pub rows_per_file: u32,
    /// Worker processes, [`crate::world::WORKERS`] at most.
    pub workers: usize,
    /// Between two deaths of workers. With one worker it is all the life that it has.
    pub turn: Duration,
    /// How often Redis dies.
    pub redis_deaths: u32,
    /// What the installation is told.
    pub profile: Profile,
    /// From the first worker until everything is complete, at most.
    pub within: Duration,
}

impl Storm {
    /// Lets it loose; gives what it cost. Fails unless everything that must hold holds.
    #[track_caller]
    pub fn rage(&self) -> Toll {
        let mut world = World::alone(&self.profile.settings(self.engine));
        world.sandbox.dial(&profile::dial());
        let batch = Batch::new("chaos", self.rows);
        let files = batch.rows.chunks(usize::try_from(self.rows_per_file).expect("a few"));
        let ids: Vec<String> = files
            .zip(1..)
            .map(|(rows, no)| Batch { name: format!("chaos{no}"), rows: rows.to_vec() })
            .map(|file| world.enqueue(&file))
            .collect();
        let begun = Instant::now();
        let mut pool = Pool::start(&world, self.workers);
        let redis_deaths = self.kill_until_half_is_paid(&mut world, &mut pool, begun);
        let calm_after = begun.elapsed();
        self.wait_for_the_end(&world, &mut pool, begun);
        let took = begun.elapsed();
        let results: Vec<ResultRow> = ids.iter().flat_map(|id| world.report(id)).collect();
        let (entries, counters) = (world.sandbox.ledger(), world.sandbox.counters());
        let toll = Toll::judge(&batch, &results, &entries, &counters);
        Toll { kills: pool.kills, own_ends: pool.own_ends, redis_deaths, calm_after, took, ..toll }
    }

    fn kill_until_half_is_paid(&self, world: &mut World, pool: &mut Pool, begun: Instant) -> u32 {
        let half = u64::from(self.rows / 2);
        let (mut redis_deaths, mut is_away) = (0, false);
        let mut told = Instant::now();
        loop {
            std::thread::sleep(self.turn);
            // It was away for a turn: a worker has died and begun without it.
            if let Some(redis) = world.redis.as_mut()
                && std::mem::take(&mut is_away)
            {
                redis.restart();
            }
            let paid = world.sandbox.counters().paid;
            if told.elapsed() >= TELL {
                told = Instant::now();
                self.tell(pool, begun, paid);
            }
            if paid >= half && redis_deaths == self.redis_deaths {
                return redis_deaths;
            }
            assert!(begun.elapsed() < self.within, "{paid} paid, after {:?}", begun.elapsed());
            let share = half * u64::from(redis_deaths + 1) / u64::from(self.redis_deaths + 1);
            if paid >= share
                && redis_deaths < self.redis_deaths
                && let Some(redis) = &mut world.redis
            {
                redis.kill();
                redis_deaths += 1;
                is_away = true;
            }
            pool.kill_one(world);
        }
    }

    fn wait_for_the_end(&self, world: &World, pool: &mut Pool, begun: Instant) {
        let mut told = Instant::now();
        let rest = self.within.saturating_sub(begun.elapsed());
        wait_with("everything is complete", rest, LOOK, || {
            pool.keep_up(world);
            if told.elapsed() >= TELL {
                told = Instant::now();
                self.tell(pool, begun, world.sandbox.counters().paid);
            }
            world.batches().iter().all(|(_, state)| state == "complete").then_some(())
        });
    }

    fn tell(&self, pool: &Pool, begun: Instant, paid: u64) {
        let (rows, kills) = (self.rows, pool.kills);
        let seconds = begun.elapsed().as_secs();
        println!("{seconds:>5} s: {paid} of {rows} paid, {kills} workers killed");
    }
}
