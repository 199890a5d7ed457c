//! Orders that people fund: what is said of several at once is asked for, and what is said is noted.

use crate::scene::Scene;
use crate::world::{self, HEADER, card};
use config::{Config, Overrides};
use domain::{BatchId, ChunkId, Event, LaneName, Millis, Place, Policy, State};
use ledger::apply::{Happening, apply};
use ledger::sqlite::SqliteLedger;
use ledger::{Claim, Guard, LaneRecord, Ledger};
use producer::confirm::said;
use producer::provider::Line;
use providers::{SecondStep, StepAnswer};
use std::io::Write;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Where the payouts are taken in: any provider does.
const BEFORE: &str = r#"
[lanes.main]
provider = "merchant"
sandbox = true
settings = { base_url = "http://127.0.0.1:1", merchant = "m", sign_key = { env = "K" }, api_key = { env = "K" } }
[[routes]]
lane = "main"
"#;

/// The site whose orders people fund. Nobody is there: what leaves does not arrive.
const SITE: &str = r#"
[lanes.main]
provider = "exchanger"
sandbox = true
[lanes.main.settings]
base_url = "http://127.0.0.1:1"
login = { file = "key" }
key = { file = "key" }
partner_id = 3
[[lanes.main.settings.directions]]
id = 17
currency = "RUB"
method = "card"
[[routes]]
lane = "main"
"#;

fn lane() -> LaneName {
    LaneName::new("main").unwrap()
}

/// A ledger in a file with two orders that wait to be funded, and the program beside it.
struct Site {
    folder: TempDir,
    batch: BatchId,
    ledger: SqliteLedger,
}

impl Site {
    async fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/ledger.db");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        let key = folder.path().join("key");
        let with_ledger = |text: &str| {
            let text = text.replace("\"key\"", &format!("{key:?}"));
            format!("[ledger]\npath = {path:?}\n{text}")
        };
        write("key", "a-key");
        write("before.toml", &with_ledger(BEFORE));
        write("site.toml", &with_ledger(SITE));
        write("a.csv", &format!("{HEADER}\n{}\n{}\n", card("A", "1.50"), card("B", "2")));
        let taken = run(&folder, &["--config", "before.toml", "enqueue", "a.csv", "--json"], "").1;
        let taken: serde_json::Value = serde_json::from_str(&taken).unwrap();
        let batch: BatchId = taken["batch"].as_str().unwrap().parse().unwrap();
        let ledger = SqliteLedger::open(&path).unwrap();
        for row in 0..2 {
            let place = Place { chunk: ChunkId { batch, no: 0 }, row };
            world::settle(&ledger, place, State::Waiting).await;
        }
        let config = folder.path().join("site.toml");
        let config = Config::load(Some(&config), &Overrides::default()).unwrap();
        let line = Line::open(&config, &lane()).unwrap();
        let fingerprint = line.provider.fingerprint().to_owned();
        assert!(
            ledger.put_lane(LaneRecord { fingerprint, ..LaneRecord::new(lane()) }).await.unwrap()
        );
        Site { folder, batch, ledger }
    }

    /// `producer confirm BATCH …`, with what is typed.
    fn confirm(&self, args: &[&str], typed: &str) -> (Option<i32>, String) {
        let batch = self.batch.to_string();
        let all = [&["--config", "site.toml", "confirm", &batch], args].concat();
        let (code, _, errors) = run(&self.folder, &all, typed);
        (code, errors)
    }

    /// Something happens to the first payout, under the lease of its chunk.
    async fn happens(&self, event: Event) {
        let id = ChunkId { batch: self.batch, no: 0 };
        let claim = self.ledger.claim(id, 60_000).await.unwrap();
        let Claim::Held { token, chunk, now, .. } = claim else { panic!("{claim:?}") };
        let payout = chunk.payouts[0];
        let guard = match event {
            Event::StepIntent => Guard::Intent(token),
            _ => Guard::Fact,
        };
        let happening = Happening { row: 0, payout, event, notes: Vec::new() };
        let policy = Policy::DEFAULT;
        let done = apply(&self.ledger, id, guard, now, &policy, vec![happening]).await.unwrap();
        assert!(done.unwrap()[0].1.is_changed());
        self.ledger.release(id, token, Millis::NEVER).await.unwrap();
    }

    async fn notes(&self) -> Vec<String> {
        let notes = self.ledger.strays(lane()).await.unwrap();
        let bare = |note: String| note.replace(&self.batch.to_string(), "BATCH");
        notes.into_iter().map(bare).collect()
    }
}

fn run(folder: &TempDir, args: &[&str], typed: &str) -> (Option<i32>, String, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_producer"));
    let program = program.args(args).current_dir(folder.path()).env("K", "a-key");
    let program = program.env_remove("RUST_LOG").stdin(Stdio::piped());
    let mut program = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // What ends without reading closes the pipe.
    let _ = program.stdin.take().unwrap().write_all(typed.as_bytes());
    let ended = program.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

#[tokio::test]
async fn several_orders_are_said_to_be_funded_only_by_somebody_who_saw_how_much_that_is() {
    let site = Site::new().await;
    for typed in ["", "no\n"] {
        let (code, errors) = site.confirm(&[], typed);
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains("2 orders of batch"), "{errors}");
        assert!(errors.contains("lane main: 2 payouts, 3.50 RUB\ntype yes"), "{errors}");
        assert!(errors.contains("nothing was done: nobody said yes"), "{errors}");
    }
    assert!(site.notes().await.is_empty());
    let begun = "by hand: confirm BATCH: said to be funded: 2 payouts, 3.50 RUB: begun";
    let ended = "by hand: confirm BATCH: said to be funded: 2 payouts, 3.50 RUB: taken for 0 of 2";
    let (code, errors) = site.confirm(&[], "yes\n");
    assert!(code == Some(1) && errors.contains("not sent"), "it went on: {errors}");
    assert_eq!(site.notes().await, [begun, ended]);
    let (code, errors) = site.confirm(&["--yes"], "");
    assert!(code == Some(1) && errors.contains("not sent"), "it went on: {errors}");
    assert!(!errors.contains("type yes"), "{errors}");
    assert_eq!(site.notes().await.len(), 4);
}

#[tokio::test]
async fn one_order_that_is_named_needs_no_yes_and_is_noted() {
    let site = Site::new().await;
    let (code, errors) = site.confirm(&["--reference", "B"], "");
    assert!(code == Some(1) && errors.contains("not sent"), "it went on: {errors}");
    assert!(!errors.contains("type yes"), "{errors}");
    assert_eq!(
        site.notes().await,
        [
            "by hand: confirm BATCH: payout B said to be funded, 2.00 RUB: begun",
            "by hand: confirm BATCH: payout B said to be funded, 2.00 RUB: taken for 0 of 1",
        ]
    );
}

#[tokio::test]
async fn the_question_tells_of_how_many_it_was_said_before() {
    let scene = Scene::new(SecondStep::Funding).await;
    scene.fake.answers(StepAnswer::Refused { text: "switched off".to_owned() });
    scene.take(&scene.first().await).await.unwrap();
    let calls = scene.calls().await;
    let all: Vec<_> = calls.iter().collect();
    assert_eq!(
        said::question(scene.batch, &all),
        format!(
            "this tells the provider that 2 orders of batch {} are funded, and lets it pay them:\n  \
             lane main: 3 payouts, 7.50 RUB; of 2 of them somebody has said so before",
            scene.batch
        )
    );
}

#[tokio::test]
async fn who_cancels_what_was_said_to_be_funded_is_told_so_first() {
    let site = Site::new().await;
    let cancel = |reference: &str, more: &[&str]| {
        let all = [&["--config", "site.toml", "provider", "main", "cancel", reference], more];
        let (_, _, errors) = run(&site.folder, &all.concat(), "no\n");
        errors
    };
    assert!(!cancel("A", &[]).contains("beware"));
    site.happens(Event::StepIntent).await;
    for more in [&[][..], &["--yes"]] {
        let errors = cancel("A", more);
        assert!(errors.contains("beware of A: it was said to be funded; cancelled,"), "{errors}");
        assert!(errors.contains("; what became of that is not known before 20"), "{errors}");
    }
    let intent = site.ledger.chunk(ChunkId { batch: site.batch, no: 0 }).await.unwrap().unwrap();
    site.happens(Event::StepOutcome { intent: intent.payouts[0].intents }).await;
    let errors = cancel("A", &[]);
    assert!(errors.contains("find out where that is first\n"), "{errors}");
    assert!(!cancel("B", &[]).contains("beware"));
}
