//! The benchmark's gateway answers like the real one and checks nothing.

mod support;

use sandbox::{Sandbox, SandboxConfig};
use support::*;

#[tokio::test]
async fn fast_mode_accepts_unsigned_creates_with_unique_ids_and_leaves_no_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let config = SandboxConfig { fast: true, ..SandboxConfig::new(dir.path()) };
    let sandbox = Sandbox::start(config).await.unwrap();
    let url = create_url(&sandbox.merchant_base_url());
    let mut body = create_body("o", "12.34", &receiver);
    body["sign"] = "nothing".into();
    let first = post_json(&url, &body).await.unwrap().json();
    let second = post_json(&url, &body).await.unwrap().json();
    assert_eq!(first["ok"], true);
    assert_eq!(first["fiat_amount"], "12.34");
    assert_eq!(first["merchant_spent_usdt"], "12.3400");
    assert_eq!(first["fiat_currency"], "rub");
    assert_ne!(first["internal_transaction_id"], second["internal_transaction_id"]);
    let counters = sandbox.counters();
    assert_eq!((counters.create, counters.accepted, counters.duplicates), (2, 2, 1));
    assert!(sandbox.tls().is_none() && sandbox.capay_base_url().is_none());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the id");
}
