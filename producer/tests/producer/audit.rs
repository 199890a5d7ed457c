//! What was done is told once, in order, and whatever is changed afterwards is found.

use crate::world::{World, card, iban};
use domain::{BatchId, ChunkId, Event, LaneName, News, Place, Policy, State};
use ledger::apply::{Happening, apply};
use ledger::audit::{Chain, Entry, Finding, Kind, PublicKey, SigningKey};
use ledger::{Answer, Guard, Ledger, Note, NoteKind, Register};
use producer::audit::check::{Checked, Problem, check};
use producer::audit::told::{ChunkTold, IntakeTold, SettledTold, digest};
use producer::audit::trust::{Trust, Voucher};
use producer::intake::TakeOptions;
use producer::report;
use producer::steer;
use std::sync::Arc;

async fn entries(world: &World, chain: &Chain) -> Vec<Entry> {
    let stored = world.ledger.entries(chain.as_str().to_owned(), 0, 1_000).await.unwrap();
    stored.iter().map(|bytes| Entry::decode(bytes).unwrap().0).collect()
}

async fn kinds(world: &World, chain: &Chain) -> Vec<Kind> {
    entries(world, chain).await.into_iter().map(|entry| entry.kind).collect()
}

async fn checked(world: &World) -> Checked {
    checked_by(world, &Trust::Here(world.rules.clerk.public_key_here().unwrap())).await
}

async fn checked_by(world: &World, trust: &Trust) -> Checked {
    check(&*world.ledger, None, trust, &|_| {}).await.unwrap()
}

/// Writes what is due; how many results.
async fn report(world: &World) -> u64 {
    report::keep_up::once(&*world.ledger, &world.rules, world.folder.path(), true).await.unwrap()
}

async fn news(world: &World, place: Place, news: News, words: &str) {
    let chunk = world.ledger.chunk(place.chunk).await.unwrap().unwrap();
    let payout = chunk.payouts[usize::from(place.row)];
    let now = world.ledger.about().await.unwrap().now;
    let event = Event::News { attempt: 1, news };
    let notes = vec![Note::new(NoteKind::Reason, words)];
    let happening = Happening { row: place.row, payout, event, notes };
    let policy = Policy::default();
    let done = apply(&*world.ledger, place.chunk, Guard::Fact, now, &policy, vec![happening]).await;
    done.unwrap().unwrap();
}

/// A batch of one paid, one failed and one that a person must decide, with its result.
async fn settled(world: &World) -> BatchId {
    let rows = [card("A", "10.00"), card("B", "2.50"), card("C", "4.00")];
    let id = world.taken(&world.rows("a.csv", &rows)).await;
    let places: Vec<_> = world.rows_of(id).await.into_iter().map(|(place, _)| place).collect();
    for (place, state) in places.iter().zip([State::Paid, State::Failed, State::Review]) {
        world.settle(*place, state).await;
    }
    assert_eq!(report(world).await, 1);
    id
}

#[tokio::test]
async fn a_batch_is_told_from_its_intake_to_its_end_and_no_row_of_the_file_is_missing() {
    let world = World::new();
    let broken = "Z,12.34,RUB,card,4111111111111112";
    let unreadable = "Y,much,RUB,card,4111111111111111";
    let rows = [card("A", "10.00"), broken.to_owned(), iban("B", "5.00"), unreadable.to_owned()];
    let path = world.rows("a.csv", &rows);
    let options = TakeOptions {
        skip_invalid: true,
        rejected: Some(world.path("a.rejected.csv")),
        ..TakeOptions::of(&path)
    };
    let id = world.take(options).await.unwrap().batch.unwrap();
    for (place, _) in world.rows_of(id).await {
        world.settle(place, State::Paid).await;
    }
    assert_eq!(report(&world).await, 1);
    let told = entries(&world, &Chain::batch(id)).await;
    let told_kinds: Vec<_> = told.iter().map(|entry| entry.kind).collect();
    assert_eq!(told_kinds, [Kind::Intake, Kind::Settled]);
    let intake: IntakeTold = serde_json::from_value(told[0].text.clone()).unwrap();
    assert_eq!(intake.sha256, world.batch(id).await.file_sha256);
    assert_eq!(intake.totals["RUB"].amount(), "10.00");
    assert_eq!((intake.left_out.rows, intake.left_out.unreadable), (2, 1));
    assert_eq!(intake.left_out.amounts["RUB"].amount(), "12.34");
    let summary: report::Summary =
        serde_json::from_slice(&std::fs::read(world.path("a.summary.json")).unwrap()).unwrap();
    assert_eq!((summary.rows, summary.left_out.clone()), (4, intake.left_out));
    let head = summary.audit.unwrap();
    assert_eq!((head.chain, head.count), (format!("batch/{id}"), 2));
    let checked = checked(&world).await;
    assert_eq!(checked.problems, []);
    assert_eq!((checked.batches, checked.chunks, checked.signers.len()), (1, 2, 1));
    let file = std::fs::read_to_string(world.path("audit.key")).unwrap();
    for chain in [Chain::batch(id), Chain::installation()] {
        for entry in entries(&world, &chain).await {
            let text = entry.text.to_string();
            assert!(!text.contains("4111111111111") && !text.contains(file.trim()), "{text}");
        }
    }
}

#[tokio::test]
async fn what_needs_a_person_is_named_and_what_was_told_is_not_told_again() {
    let world = World::new();
    let id = settled(&world).await;
    let told = entries(&world, &Chain::batch(id)).await;
    let settled: SettledTold = serde_json::from_value(told[1].text.clone()).unwrap();
    let [chunk] = &settled.chunks[..] else { panic!("{settled:?}") };
    assert_eq!(chunk.payouts, [State::Paid, State::Failed, State::Review].map(|s| (s, 1)).into());
    let [review] = &chunk.review[..] else { panic!("{chunk:?}") };
    assert_eq!((review.line, review.reference.as_str()), (4, "C"));
    assert_eq!(
        (review.amount.as_str(), &*review.cause),
        ("4.00 RUB", "the provider's record differs from ours")
    );
    // As after a crash between the audit and the end of the report.
    let heads = kinds(&world, &Chain::installation()).await;
    let batch = world.batch(id).await;
    for _ in 0..2 {
        report::write(&*world.ledger, &world.rules, &batch, world.folder.path(), false)
            .await
            .unwrap();
    }
    assert_eq!(entries(&world, &Chain::batch(id)).await, told);
    assert_eq!(kinds(&world, &Chain::installation()).await, heads);
}

#[tokio::test]
async fn late_news_writes_the_result_anew_signs_it_anew_and_the_chain_says_why() {
    let world = World::new();
    let id = settled(&world).await;
    let before = std::fs::read(world.path("a.summary.sig")).unwrap();
    let places: Vec<_> = world.rows_of(id).await.into_iter().map(|(place, _)| place).collect();
    news(&world, places[0], News::Returned, "account closed").await;
    news(&world, places[1], News::Paid, "settled after all").await;
    assert_eq!(checked(&world).await.not_told_yet, 1, "it is no finding while nothing was told");
    assert_eq!(report(&world).await, 1);
    let mut lines = Vec::new();
    let mut file = csv::Reader::from_path(world.path("a.result.csv")).unwrap();
    for line in file.records() {
        let line = line.unwrap();
        lines.push([&line[1], &line[7], &line[9], &line[13]].map(str::to_owned));
    }
    assert_eq!(lines[0], ["A", "paid", "account closed", "returned"]);
    assert_eq!(lines[1], ["B", "review", "settled after all", "disputed"]);
    assert_ne!(std::fs::read(world.path("a.summary.sig")).unwrap(), before);
    let proof = report::proof::prove(&world.path("a.result.csv"), None).unwrap();
    let sums = &proof.summary.currencies["RUB"];
    assert_eq!((sums.returned.amount(), sums.disputed.amount()), ("10.00".into(), "2.50".into()));
    let told = entries(&world, &Chain::batch(id)).await;
    let last: SettledTold = serde_json::from_value(told.last().unwrap().text.clone()).unwrap();
    assert_eq!(last.chunks[0].returned[0].reference, "A");
    let causes: Vec<_> = last.chunks[0].review.iter().map(|row| row.cause.as_str()).collect();
    let disputed = "reported as paid after it had failed or been cancelled";
    assert_eq!(causes, [disputed, "the provider's record differs from ours"]);
    let checked = checked(&world).await;
    assert_eq!((checked.problems, checked.not_told_yet), (vec![], 0));
    let late = report::late::of_batch(&*world.ledger, &world.batch(id).await).await.unwrap();
    assert_eq!((late.returned, late.disputed), (1, 1));
}

#[tokio::test]
async fn what_people_do_to_lanes_and_batches_is_told_and_signed() {
    let world = World::new();
    let lane = LaneName::new("main").unwrap();
    let id = world.taken(&world.rows("a.csv", &[card("A", "1")])).await;
    assert!(steer::stop_lane(&*world.ledger, &world.rules, &lane, "balance").await.unwrap());
    steer::stop_lane(&*world.ledger, &world.rules, &lane, "again").await.unwrap();
    steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap();
    steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap();
    ledger::audit::note_brake(&*world.ledger, &lane, "worker", "three refusals").await;
    steer::cancel(&*world.ledger, &world.rules, id).await.unwrap();
    let told = entries(&world, &Chain::lane(&lane)).await;
    let told_kinds: Vec<_> = told.iter().map(|entry| entry.kind).collect();
    assert_eq!(told_kinds, [Kind::LaneStopped, Kind::LaneStarted, Kind::Brake]);
    assert_eq!(told[0].text["reason"], "balance");
    assert_eq!(told[1].text["was_stopped_for"], "balance");
    assert_eq!(kinds(&world, &Chain::batch(id)).await, [Kind::Intake, Kind::Cancelled]);
    // The brake was told by a process without a key; whoever writes a result next signs it.
    report(&world).await;
    let installation = entries(&world, &Chain::installation()).await;
    let heads: Vec<_> =
        installation.iter().filter(|entry| entry.text["chain"] == "lane/main").collect();
    assert_eq!(heads.last().unwrap().text["count"], 3);
    assert_eq!(checked(&world).await.problems, []);
}

#[tokio::test]
async fn a_rejected_file_is_told_with_its_reason() {
    let world = World::new();
    world.refusal("reference,amount,currency,method,destination\nA,x,RUB,card,1\n").await;
    let batch = world.ledger.batches(None, 1).await.unwrap().remove(0);
    let told = entries(&world, &Chain::batch(batch.id)).await;
    assert_eq!(told[0].kind, Kind::Rejected);
    assert_eq!(told[0].text["sha256"], batch.file_sha256);
    assert!(told[0].text["reason"].as_str().unwrap().contains("cannot be paid"));
    assert_eq!(checked(&world).await.problems, []);
}

#[tokio::test]
async fn a_file_is_not_taken_where_the_key_cannot_be_read() {
    let world = World::new();
    std::fs::write(world.path("audit.key"), "half a key").unwrap();
    let path = world.rows("a.csv", &[card("A", "1")]);
    let error = world.take(TakeOptions::of(&path)).await.unwrap_err();
    assert!(error.to_string().contains("holds no audit key"), "{error}");
    assert!(!error.is_final(), "the file is taken once the key is back");
    assert!(world.ledger.batches(None, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_payout_that_no_entry_explains_is_found_and_so_is_a_chain_that_was_never_begun() {
    let world = World::new();
    let id = settled(&world).await;
    let whole = checked(&world).await;
    assert_eq!(whole.problems, []);
    let key: PublicKey = whole.signers.values().next().unwrap().key.unwrap();
    assert_eq!(world.rules.clerk.public_key().unwrap(), key);
    // A ledger that never heard of the digest: the change is written, and its result is said to be.
    let places: Vec<_> = world.rows_of(id).await.into_iter().map(|(place, _)| place).collect();
    news(&world, places[0], News::Returned, "x").await;
    let batch = world.batch(id).await;
    assert!(world.ledger.claim_report(id, 1_000).await.unwrap().is_some());
    world.ledger.reported(id, batch.changes).await.unwrap();
    let found = checked(&world).await.problems;
    assert_eq!(found, [Problem::Payouts(ChunkId { batch: id, no: 0 })]);
    assert!(found[0].to_string().contains("no entry explains"), "{}", found[0]);
    // Somebody else's entry in a chain: its signed head no longer fits.
    let chain = Chain::batch(id).as_str().to_owned();
    let count = world.ledger.entry_count(chain.clone()).await.unwrap();
    assert!(world.ledger.append_entry(chain.clone(), count, b"made up".to_vec()).await.unwrap());
    let changed = Problem::Chain(Finding::Changed { chain, seq: count });
    assert!(checked(&world).await.problems.contains(&changed));
}

#[tokio::test]
async fn a_damaged_chain_of_a_lane_is_found_and_keeps_no_batch_from_its_result() {
    let world = World::new();
    let chain = Chain::lane(&LaneName::new("main").unwrap()).as_str().to_owned();
    assert!(world.ledger.append_entry(chain.clone(), 0, b"made up".to_vec()).await.unwrap());
    let id = settled(&world).await;
    let head = ledger::audit::newest_head(&*world.ledger, &Chain::batch(id)).await.unwrap();
    assert_eq!(head.unwrap().count, 2, "its own chain is signed");
}

#[tokio::test]
async fn what_a_result_shows_and_no_head_covers_is_found_and_so_is_an_installation_without_one() {
    let world = World::new();
    let id = settled(&world).await;
    // Whoever has no key tells that the batch settled otherwise, and can sign nothing.
    let (settled, who) = (Kind::Settled, "nobody");
    let what = ledger::audit::What { kind: settled, who, text: serde_json::json!({"chunks": []}) };
    ledger::audit::append(&*world.ledger, &Chain::batch(id), &what).await.unwrap();
    let found = checked(&world).await.problems;
    assert_eq!(found, [Problem::NotSigned(format!("batch/{id}"))]);
    // The same chain of the installation, and its head nowhere.
    let bare = World::new();
    let what = ledger::audit::What { kind: Kind::Key, who, text: serde_json::json!({}) };
    ledger::audit::append(&*bare.ledger, &Chain::installation(), &what).await.unwrap();
    let found = checked(&bare).await.problems;
    assert_eq!(found, [Problem::NotSigned("installation".to_owned())]);
    assert!(found[0].to_string().contains("no signed head"), "{}", found[0]);
}

/// Somebody who can write to the ledger tells of a batch whatever he likes, registers a key of his
/// own there, and signs with it.
async fn forge(world: &World, id: BatchId) -> PublicKey {
    let key = SigningKey::from_seed(&[66; 32]).unwrap();
    let (chain, who) = (Chain::batch(id), "nobody");
    let text = serde_json::json!({ "chunks": [] });
    let what = ledger::audit::What { kind: Kind::Settled, who, text };
    ledger::audit::append(&*world.ledger, &chain, &what).await.unwrap();
    ledger::audit::sign_head(&*world.ledger, &chain, &key, who).await.unwrap();
    key.public()
}

#[tokio::test]
async fn a_key_that_only_the_ledger_vouches_for_is_told_and_where_keys_were_named_it_is_a_finding()
{
    let world = World::new();
    let id = settled(&world).await;
    let ours = world.rules.clerk.public_key().unwrap();
    let named = Trust::Named(vec![ours]);
    let whole = checked_by(&world, &named).await;
    assert_eq!(whole.problems, []);
    let vouchers = |checked: &Checked| -> Vec<_> {
        checked.signers.values().map(|signer| (signer.key, signer.voucher)).collect()
    };
    assert_eq!(vouchers(&whole), [(Some(ours), Voucher::Named)]);

    let theirs = forge(&world, id).await;
    let here = checked(&world).await;
    assert_eq!(here.problems, [], "it may be a machine of the pool: told, and no finding");
    let mut told = vouchers(&here);
    told.sort_by_key(|(_, voucher)| *voucher == Voucher::OnlyTheLedger);
    let strange = (Some(theirs), Voucher::OnlyTheLedger);
    assert_eq!(told, [(Some(ours), Voucher::Here), strange]);
    let shown = producer::show::audit::checked(&here);
    let words = format!("signed by a key that only this ledger vouches for: {theirs}");
    assert!(shown.contains(&words) && shown.contains("if all of these keys are yours"), "{shown}");

    let found = checked_by(&world, &named).await;
    assert_eq!(found.problems, [Problem::StrangeKey(theirs)]);
    let shown = producer::show::audit::checked(&found);
    assert!(shown.contains(&words) && shown.contains("keep a copy of the ledger"), "{shown}");
    let both = checked_by(&world, &Trust::Named(vec![ours, theirs])).await;
    assert_eq!(both.problems, [], "whoever names it stands for it");
    let one = check(&*world.ledger, Some(id), &named, &|_| {}).await.unwrap();
    assert_eq!(one.problems, [Problem::StrangeKey(theirs)], "of the one batch, too");
}

#[tokio::test]
async fn a_machine_without_a_key_stands_for_none_and_makes_none_to_check_with() {
    let world = World::new();
    settled(&world).await;
    std::fs::rename(world.path("audit.key"), world.path("elsewhere.key")).unwrap();
    let config = config::AuditConfig { key_file: world.path("audit.key") };
    let stranger = producer::audit::clerk::Clerk::new(&config);
    assert_eq!(stranger.public_key_here().unwrap(), None);
    assert!(!world.path("audit.key").exists());
    let checked = checked_by(&world, &Trust::Here(None)).await;
    assert_eq!(checked.problems, []);
    assert!(checked.signers.values().all(|signer| signer.strange().is_some()), "{checked:?}");
}

#[tokio::test]
async fn a_key_that_is_named_needs_no_register_to_be_checked_with() {
    let world = World::new();
    let id = settled(&world).await;
    let ours = world.rules.clerk.public_key().unwrap();
    // Not even the register's word for it: another key stands in its place.
    let name = format!("audit/key/{}", ours.fingerprint());
    let mut register = world.ledger.register(name).await.unwrap().unwrap();
    register.text = SigningKey::from_seed(&[66; 32]).unwrap().public().to_string();
    assert!(world.ledger.put_register(register).await.unwrap());
    let bad = checked_by(&world, &Trust::Here(None)).await.problems;
    let is_bad =
        |problem: &Problem| matches!(problem, Problem::Chain(Finding::BadSignature { .. }));
    assert!(!bad.is_empty() && bad.iter().all(is_bad), "{id}: {bad:?}");
    assert_eq!(checked_by(&world, &Trust::Named(vec![ours])).await.problems, []);
}

/// A batch that is over, with a chain that fits it in every hash, and no signature over its end:
/// what somebody leaves behind who can write to the ledger and has no key.
async fn unsigned(world: &World, name: &str, reference: &str) -> BatchId {
    let id = world.taken(&world.rows(name, &[card(reference, "10.00")])).await;
    for (place, _) in world.rows_of(id).await {
        world.settle(place, State::Paid).await;
    }
    let payouts = world.ledger.chunk(ChunkId { batch: id, no: 0 }).await.unwrap().unwrap().payouts;
    let chunk = ChunkTold {
        no: 0,
        sha256: digest(&payouts),
        payouts: [(State::Paid, 1)].into(),
        review: Vec::new(),
        returned: Vec::new(),
    };
    let text = serde_json::to_value(SettledTold { chunks: vec![chunk] }).unwrap();
    let what = ledger::audit::What { kind: Kind::Settled, who: "nobody", text };
    ledger::audit::append(&*world.ledger, &Chain::batch(id), &what).await.unwrap();
    id
}

/// The ledger after somebody took every signature away: the installation's chain and all heads.
struct Stripped(Arc<dyn Ledger>);

impl Ledger for Stripped {
    ledger::forward! { self.0 =>
        about, trust, open_batch, reserve, take_over, find, append, seal, reject, batch, batches,
        chunk, blocks, notes, take_ready, claim, renew, release, write, set_batch_state,
        claim_report, reported, lane, put_lane, permits, rules, put_rules, keep_stray, registers,
        put_register, append_entry
    }

    fn register(&self, name: String) -> Answer<'_, Option<Register>> {
        match name.starts_with("audit/head/") {
            true => Box::pin(async { Ok(None) }),
            false => self.0.register(name),
        }
    }

    fn entries(&self, chain: String, from: u64, limit: u32) -> Answer<'_, Vec<Vec<u8>>> {
        match chain == "installation" {
            true => Box::pin(async { Ok(Vec::new()) }),
            false => self.0.entries(chain, from, limit),
        }
    }

    fn entry_count(&self, chain: String) -> Answer<'_, u64> {
        match chain == "installation" {
            true => Box::pin(async { Ok(0) }),
            false => self.0.entry_count(chain),
        }
    }
}

#[tokio::test]
async fn where_every_signature_was_taken_away_keys_that_are_named_are_missed() {
    let world = World::new();
    let id = unsigned(&world, "a.csv", "A").await;
    let stripped = Stripped(world.ledger.clone());
    let ours = world.rules.clerk.public_key().unwrap();
    let named = Trust::Named(vec![ours]);
    for only in [None, Some(id)] {
        let found = check(&stripped, only, &named, &|_| {}).await.unwrap();
        assert_eq!(found.problems, [Problem::NothingSigned]);
        assert!(found.problems[0].to_string().contains("no key that you named signed"));
    }
    let here = check(&stripped, None, &Trust::Here(Some(ours)), &|_| {}).await.unwrap();
    assert_eq!((here.problems.len(), here.not_signed_yet), (0, 1));
    let shown = producer::show::audit::checked(&here);
    assert!(shown.contains("not signed yet, or not to their end: 1."), "{shown}");
    assert!(!shown.contains("nothing was changed"), "{shown}");
}

#[tokio::test]
async fn a_batch_that_is_over_may_wait_for_its_signature_and_not_for_ever() {
    let world = World::new();
    settled(&world).await;
    let named = Trust::Named(vec![world.rules.clerk.public_key().unwrap()]);
    let whole = checked_by(&world, &named).await;
    assert_eq!((whole.problems.len(), whole.not_signed_yet), (0, 0));
    assert!(producer::show::audit::checked(&whole).contains("nothing was changed"));

    let id = unsigned(&world, "b.csv", "D").await;
    let soon = checked_by(&world, &named).await;
    assert_eq!((soon.problems.len(), soon.not_signed_yet), (0, 1), "its result is being written");
    assert!(!producer::show::audit::checked(&soon).contains("nothing was changed"));
    world.pass(25 * 3_600 * 1_000);
    let late = checked_by(&world, &named).await.problems;
    assert_eq!(late, [Problem::NeverSigned(id)]);
    assert!(late[0].to_string().contains("no signed head covers what became of it"));
    assert_eq!(checked(&world).await.problems, [], "where no key was named it is only told");
    assert_eq!(report(&world).await, 1);
    let signed = checked_by(&world, &named).await;
    assert_eq!((signed.problems.len(), signed.not_signed_yet), (0, 0));
}
