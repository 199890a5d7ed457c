//! How each engine is opened: fresh, and twice.

use crate::world::World;
use domain::{LedgerId, Millis};
use ledger::memory::MemoryLedger;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// In memory, on a clock that the test moves.
pub async fn memory() -> World {
    let time = Arc::new(AtomicU64::new(1_700_000_000_000));
    let clock = {
        let time = time.clone();
        Arc::new(move || Millis(time.load(Ordering::SeqCst)))
    };
    let ledger = MemoryLedger::new(LedgerId::from_random(7), clock);
    World {
        second: Arc::new(ledger.clone()),
        ledger: Arc::new(ledger),
        virtual_time: Some(time),
        _keep: Arc::new(()),
    }
}

/// The same with its rows encrypted: whatever lies beneath, nothing else changes.
#[cfg(feature = "sealed")]
pub async fn sealed() -> World {
    use ledger::sealed::{MasterKey, Sealed};
    let plain = memory().await;
    let seal = async |ledger| {
        let key = MasterKey::new(&[7; 32], "a test").unwrap();
        Arc::new(Sealed::open(ledger, key).await.unwrap())
    };
    World { ledger: seal(plain.ledger).await, second: seal(plain.second).await, ..plain }
}

/// In a file of its own, opened as two processes do.
#[cfg(feature = "sqlite")]
pub async fn sqlite() -> World {
    use ledger::sqlite::SqliteLedger;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    World {
        ledger: Arc::new(SqliteLedger::open(&path).unwrap()),
        second: Arc::new(SqliteLedger::open(&path).unwrap()),
        virtual_time: None,
        _keep: Arc::new(dir),
    }
}

/// On a real server that all tests of this process share, under a prefix of its own.
#[cfg(feature = "redis")]
pub async fn redis() -> World {
    use ledger::Ledger;
    use ledger::redis::RedisLedger;
    use std::sync::atomic::AtomicU32;
    static TESTS: AtomicU32 = AtomicU32::new(0);
    let server = server();
    let prefix = format!("t{}:", TESTS.fetch_add(1, Ordering::SeqCst));
    let open = async || {
        let ledger = RedisLedger::connect(&server.url(), &prefix).await.unwrap();
        // Nobody sent anything yet that this server could have forgotten.
        ledger.trust(ledger.about().await.unwrap().life);
        Arc::new(ledger)
    };
    World { ledger: open().await, second: open().await, virtual_time: None, _keep: server }
}

/// Shared while a test runs and gone with the last one: a static would never be dropped, and
/// its process would outlive us.
#[cfg(feature = "redis")]
fn server() -> Arc<system_tests::redis_server::RedisServer> {
    use std::sync::{Mutex, Weak};
    use system_tests::redis_server::RedisServer;
    static SERVER: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
    let mut shared = SERVER.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(RedisServer::start());
        *shared = Arc::downgrade(&server);
        server
    })
}
