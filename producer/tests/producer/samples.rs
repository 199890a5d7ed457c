//! The samples of the repository are taken as they lie there, by the default config.

use config::{Config, Overrides};
use producer::intake::{self, Progress, TakeOptions};
use producer::rules::Rules;
use std::path::PathBuf;
use std::sync::Arc;

use crate::world::World;

async fn taken(sample: &str) -> (intake::Taken, World) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../config");
    let world = World::new();
    let mut config =
        Config::load(Some(&folder.join("default.toml")), &Overrides::default()).unwrap();
    config.audit.key_file = world.path("audit.key");
    let rules = Arc::new(Rules::from_config(&config).unwrap());
    let options = TakeOptions::of(folder.join("samples").join(sample));
    let progress = Arc::new(Progress::default());
    let taken = intake::take(world.ledger.clone(), rules, options, progress).await.unwrap();
    (taken, world)
}

#[tokio::test]
async fn the_payouts_sample_is_good() {
    let (taken, _) = taken("payouts.csv").await;
    assert_eq!((taken.rows, taken.profile.as_str(), taken.encoding), (40, "default", "UTF-8"));
    assert_eq!(taken.totals.0.keys().collect::<Vec<_>>(), ["EUR", "RUB"]);
}

#[tokio::test]
async fn the_accounting_export_is_taken_unchanged_by_the_profile_of_its_header() {
    let (taken, world) = taken("accounting-export.csv").await;
    assert_eq!(
        (taken.rows, taken.profile.as_str(), taken.encoding),
        (12, "accounting", "Windows-1252")
    );
    let rows = world.rows_of(taken.batch.unwrap()).await;
    let (_, first) = &rows[0];
    assert_eq!(first.field("full_name"), Some("Müller & Söhne GmbH"));
    assert_eq!(first.money.to_string(), "211.50 EUR");
    assert_eq!(rows[11].1.field("full_name"), Some("Elektro Krüger; Inh. Lüders"));
}
