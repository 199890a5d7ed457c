//! The layers, and what is said when one of them is wrong.

// All of this is test code, helpers too: for clippy's rules about `unwrap`.
#![cfg(test)]

use config::{Config, Engine, Overrides, Rate};
use domain::LaneName;
use std::path::PathBuf;
use toml::{Table, Value};

fn repository_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config").join(name)
}

fn load(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), &Overrides::default())
        .map_err(|e| e.to_string().replace(&path.display().to_string(), "test.toml"))
}

fn with(env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, String> {
    let own = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let overrides = Overrides { env: own(env), flags: own(flags) };
    Config::load(Some(&repository_file("default.toml")), &overrides).map_err(|e| e.to_string())
}

fn keys(table: &Table, prefix: &str, into: &mut Vec<String>) {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => keys(inner, &format!("{path}."), into),
            _ => into.push(path),
        }
    }
}

#[test]
fn the_default_file_equals_the_defaults_in_code_and_names_every_key() {
    let text = std::fs::read_to_string(repository_file("default.toml")).unwrap();
    let alone: Config = toml::from_str(&text).unwrap();
    assert_eq!(alone, Config::default());

    let (mut in_code, mut in_file) = (Vec::new(), Vec::new());
    keys(&Table::try_from(Config::default()).unwrap(), "", &mut in_code);
    keys(&toml::from_str(&text).unwrap(), "", &mut in_file);
    in_code.sort();
    in_file.sort();
    assert_eq!(in_file, in_code);
}

#[test]
fn every_config_in_the_repository_loads() {
    let pool = Config::load(Some(&repository_file("pool.toml")), &Overrides::default()).unwrap();
    assert_eq!(pool.ledger.engine, Engine::Redis);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
    let error = load("[worker]\nchunks_at_once = 2\nleas_ms = 5\n").unwrap_err();
    assert_eq!(
        error,
        "test.toml, line 3: unknown key \"leas_ms\"; did you mean \"lease_ms\"? accepted here: \
         chunks_at_once, lease_ms, stop_within_ms, state, journal_days"
    );
}

#[test]
fn a_file_with_lanes_of_its_own_does_not_keep_the_sandbox_lane() {
    let config = load(
        "[lanes.shop]\nprovider = \"merchant\"\nrate_per_second = \"unlimited\"\n[[routes]]\nlane = \"shop\"\n",
    )
    .unwrap();
    let names: Vec<_> = config.lanes.keys().map(LaneName::as_str).collect();
    assert_eq!(names, ["shop"]);
    assert_eq!(config.lanes.values().next().unwrap().rate_per_second, Rate::Unlimited);
    assert_eq!(config.routes.len(), 1);
}

#[test]
fn flags_go_over_the_environment_and_the_environment_over_the_file() {
    let env = [("PAYOUT__WORKER__LEASE_MS", "70000"), ("PAYOUT__LEDGER__PREFIX", "42")];
    let config = with(&env, &[]).unwrap();
    assert_eq!(config.worker.lease_ms, 70_000);
    assert_eq!(config.ledger.prefix, "42");
    let config = with(&env, &[("worker.lease_ms", "80000")]).unwrap();
    assert_eq!(config.worker.lease_ms, 80_000);
    let config = with(&[("PAYOUT__LANES__MAIN__RATE_PER_SECOND", "7")], &[]).unwrap();
    assert_eq!(config.lanes.values().next().unwrap().rate_per_second, Rate::PerSecond(7));
}

#[test]
fn a_wrong_variable_is_named() {
    let error = with(&[("PAYOUT__WORKER__LEASE", "1")], &[]).unwrap_err();
    assert!(
        error.starts_with("environment variable PAYOUT__WORKER__LEASE: unknown key \"lease\""),
        "{error}"
    );
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    for (text, words) in [
        ("[[routes]]\nlane = \"mian\"\n", "did you mean \"main\"?"),
        ("[[routes]]\nlane = \"main\"\nfailover = \"mian\"\n", "leads to lane \"mian\""),
        ("[[routes]]\nlane = \"main\"\nfailover = \"main\"\n", "its own failover"),
        ("[[routes]]\nlane = \"main\"\ncurrency = \"EUX\"\n", "unknown currency \"EUX\""),
        ("[worker]\nlease_ms = 46500\n", "needs more than 46500"),
        ("[lanes.x]\nsandbox = true\n", "names no provider"),
        ("[profiles.p.defaults]\nreference = \"x\"\n", "the reference has no default"),
        ("[profiles.p.columns]\namount = [\"a\", \"b\"]\n", "only the reference may be joined"),
        ("[currencies.aliases]\nRUR = \"RUX\"\n", "[currencies]: unknown currency"),
        ("[http]\nlisten = \"here\"\n", "\"here\" is not an address to listen on"),
        ("[lanes.main]\nprovider = \"merchant\"\nrate_per_second = -1\n", "is not a rate"),
        ("[lanes.main.brakes]\nfailed_percent = 100\n", "lanes.main.brakes: failed_percent is 100"),
        ("[lanes.main.brakes]\nfailed_after = 0\n", "the first failure would close the brake"),
        ("[lanes.main.brakes]\nbatch_canary = 1001\n", "write at most 1000"),
        (
            "[lanes.main.brakes]\nspend_day = { EUR = \"1.005\" }\n",
            "lanes.main.brakes: spend_day: EUR = \"1.005\": EUR has 2 decimals, found 3",
        ),
        (
            "[lanes.main.brakes]\nbatch_spend_hour = { EUR = \"9\" }\n\
             [lanes.main.ceilings]\npayout = { EUR = \"10\" }\n",
            "9.00 EUR is less than one payout may be, 10.00 EUR by ceilings.payout",
        ),
        ("[lanes.\"Main Lane\"]\nprovider = \"merchant\"\n", "cannot name a lane"),
    ] {
        let error = load(text).unwrap_err();
        assert!(error.contains(words), "{text:?} gave: {error}");
    }
}

#[test]
fn a_redis_password_is_not_printed() {
    let config = with(&[("PAYOUT__LEDGER__URL", "redis://:secret@host:6379")], &[]).unwrap();
    assert_eq!(config.ledger.url.0, "redis://:secret@host:6379");
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn a_state_directory_that_a_copy_of_the_ledger_would_carry_along_is_refused() {
    let inside = with(&[], &[("worker.state", "./data/worker")]).unwrap_err();
    assert!(inside.contains("worker.state") && inside.contains("./data/ledger.sqlite"), "{inside}");
    let alone = with(&[], &[("ledger.path", "./ledger.sqlite")]).unwrap_err();
    assert!(alone.contains("a folder of its own"), "{alone}");
    let far = [("worker.state", "./data/worker"), ("ledger.engine", "redis")];
    assert!(with(&[], &far).is_ok(), "a server's data lies elsewhere");
}
