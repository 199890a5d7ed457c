//! The workers of a storm: one dies by our hand, and whoever died is replaced at once.

use crate::process::Process;
use crate::world::World;

/// The first state of the dice. Any but 0 will do; which worker dies when also depends on time.
const SEED: u64 = 0x5eed_0f5a_1e77;

/// Worker processes, each at an address of its own.
#[derive(Debug)]
pub struct Pool {
    workers: Vec<Process>,
    dice: u64,
    /// Workers that were killed.
    pub kills: u32,
    /// Workers that ended by themselves, such as one that began while its ledger was away.
    pub own_ends: u32,
}

impl Pool {
    /// Starts them, and waits for none.
    pub fn start(world: &World, workers: usize) -> Pool {
        let workers = (0..workers).map(|no| world.start_worker(no)).collect();
        Pool { workers, dice: SEED, kills: 0, own_ends: 0 }
    }

    /// Kills a random one. All that are gone are started again.
    pub fn kill_one(&mut self, world: &World) {
        self.keep_up(world);
        let count = u64::try_from(self.workers.len()).expect("a few");
        let no = usize::try_from(self.roll() % count).expect("one of them");
        self.workers[no].kill();
        self.kills += 1;
        self.workers[no] = world.start_worker(no);
    }

    /// Starts again who has ended by itself.
    pub fn keep_up(&mut self, world: &World) {
        for (no, worker) in self.workers.iter_mut().enumerate() {
            if worker.has_ended() {
                self.own_ends += 1;
                *worker = world.start_worker(no);
            }
        }
    }

    /// xorshift64*
    fn roll(&mut self) -> u64 {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }
}
