//! An engine under test, with its time.

use domain::Millis;
use ledger::Ledger;
use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// What a test gets.
#[derive(Clone)]
pub struct World {
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// The same ledger as another process has it.
    pub second: Arc<dyn Ledger>,
    /// The clock, where a test can move it.
    pub virtual_time: Option<Arc<AtomicU64>>,
    /// What must live as long as the ledger: a directory, a server.
    pub _keep: Arc<dyn Any + Send + Sync>,
}

impl World {
    /// Lets ledger time pass.
    pub async fn pass(&self, ms: u64) {
        let until = self.now().await.plus(ms);
        if let Some(time) = &self.virtual_time {
            time.fetch_add(ms, Ordering::SeqCst);
        }
        while self.now().await < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The ledger's time.
    pub async fn now(&self) -> Millis {
        self.ledger.about().await.unwrap().now
    }
}

/// Longer than any test on any machine.
const TEST_MAX: Duration = Duration::from_secs(300);

/// Runs a test on an engine.
pub fn run<Open, Test, Opening, Running>(open: Open, test: Test)
where
    Open: FnOnce() -> Opening,
    Opening: Future<Output = World>,
    Test: FnOnce(World) -> Running,
    Running: Future<Output = ()>,
{
    runtime().block_on(async {
        let whole = async { test(open().await).await };
        tokio::time::timeout(TEST_MAX, whole).await.expect("the test to end in time");
    });
}

/// Two threads, so that tasks do meet.
pub fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Makes a test of each named function for each engine.
macro_rules! on_every_engine {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $name() { $crate::world::run($crate::engines::memory, super::$name); })+
        }
        #[cfg(feature = "sealed")]
        mod sealed {
            $(#[test] fn $name() { $crate::world::run($crate::engines::sealed, super::$name); })+
        }
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[test] fn $name() { $crate::world::run($crate::engines::sqlite, super::$name); })+
        }
        #[cfg(feature = "redis")]
        mod redis {
            $(#[test] fn $name() { $crate::world::run($crate::engines::redis, super::$name); })+
        }
    };
}
pub(crate) use on_every_engine;
