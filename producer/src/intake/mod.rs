//! Taking a file in: all of it is payable, or nothing is (S2).
//!
//! A batch is opened under a short lease, its references are reserved and its chunks written,
//! and only then it is sealed by compare-and-set. Whatever goes wrong before that rejects it.
//!
//! ```text
//! thread: file ─▶ records ─▶ rows        task: groups ─▶ reserve ─▶ place ─▶ chunks
//!   [source]        └── bounded channel ──▶ [desk]                     └─▶ task: pack, append
//!                                                                           [packing]
//! ```
//!
//! - [`options`]: what is asked for, and what comes out
//! - [`error`]: why a file is refused, told with what to do
//! - [`source`]: the file as a stream of good and bad rows
//! - [`places`]: which row lies where; [`desk`]: groups are reserved and placed; [`held`]: who
//!   holds a reference that is not free
//! - [`packing`]: chunks are compressed and written
//! - [`bad_rows`]: the judgement on the file; [`rejected`]: bad rows go to a file of their own
//! - [`ceilings`]: what a file, a row and a day may not exceed; [`size`]: how large a file is
//! - `telling`: what the audit is told (S20)
//! - [`rehearsal`]: what `--dry-run` does

pub mod bad_rows;
pub mod ceilings;
pub mod control;
pub mod desk;
pub mod error;
pub mod held;
pub mod options;
pub mod packing;
pub mod places;
pub mod rehearsal;
pub mod rejected;
pub mod size;
pub mod source;
mod telling;

pub use error::{IntakeError, Problems};
pub use options::{Progress, TakeOptions, Taken};

use crate::audit::Chain;
use crate::rules::{Rules, fetched};
use bad_rows::{BadRows, Left};
use control::Control;
use desk::Desk;
use domain::{Batch, BatchId, BatchState, Terms};
use ledger::suspicion::{self, Suspicion};
use ledger::{Ledger, LedgerError, NewBatch, Opened, Seal};
use rehearsal::Rehearsal;
use rejected::RejectedFile;
use source::{Item, Source};
use std::sync::Arc;
use ulid::Ulid;

/// How long an intake lease lasts without an append.
pub const INTAKE_LEASE_MS: u64 = 15_000;

/// Times that sealing is asked for again while the ledger is away: whether it was taken decides
/// whether money flows, so it must not stay open.
const SEAL_TRIES: u32 = 20;
const SEAL_PAUSE_MS: u64 = 500;

/// Takes a file in.
pub async fn take(
    ledger: Arc<dyn Ledger>,
    rules: Arc<Rules>,
    options: TakeOptions,
    progress: Arc<Progress>,
) -> Result<Taken, IntakeError> {
    let control = Control::new(&rules, &options)?;
    ceilings::are_set(&rules)?;
    let terms = options.terms(ledger.about().await?.now)?;
    if !options.dry_run {
        // Before anything is written: what cannot be told and signed is not begun.
        rules.clerk.key()?;
    }
    let lacking = fetched::follow(&*ledger, &rules).await?;
    let source = {
        let (rules, options, progress) = (rules.clone(), options.clone(), progress.clone());
        run_blocking(move || Source::open(&rules, lacking, &options, progress)).await??
    };
    let about = About {
        name: options.name(),
        sha256: source.survey.sha256.clone(),
        encoding: source.survey.encoding.name(),
        profile: source.profile().to_owned(),
        header: source.headers().to_vec(),
        reference: source.reference_column(),
        delimiter: source.delimiter(),
    };
    let intake = Intake { ledger, rules, options, about, control, terms };
    intake.run(source).await
}

/// What is known of the file before its rows.
struct About {
    name: String,
    sha256: String,
    encoding: &'static str,
    profile: String,
    header: Vec<String>,
    /// The file's name of the reference.
    reference: String,
    delimiter: u8,
}

struct Intake {
    ledger: Arc<dyn Ledger>,
    rules: Arc<Rules>,
    options: TakeOptions,
    about: About,
    control: Control,
    terms: Terms,
}

/// Where good rows go.
enum Sink {
    Desk(Desk),
    Rehearsal(Rehearsal),
}

impl Intake {
    async fn run(self, source: Source) -> Result<Taken, IntakeError> {
        let mut stream = source.start();
        let Some(mut items) = stream.next().await else {
            stream.finish().await?;
            return Err(IntakeError::NoRows);
        };
        let mut sink = match self.options.dry_run {
            true => Sink::Rehearsal(Rehearsal::new(self.ledger.clone())),
            false => match self.open().await? {
                Ok(batch) => Sink::Desk(Desk::new(self.ledger.clone(), self.rules.clone(), batch)),
                Err(first) => return self.same_file(first).await,
            },
        };
        let path = self.options.rejected.as_ref();
        let list = |path| RejectedFile::new(path, &self.about.header, self.about.delimiter);
        let mut bad = BadRows::new(path.map(|path| list(path)));
        let fed = async {
            loop {
                let refused = sink.take(&mut items, &self).await?;
                bad.keep(refused)?;
                match stream.next().await {
                    Some(more) => items.extend(more),
                    None => break,
                }
            }
            bad.keep(sink.flush(&mut items, &self).await?)?;
            let end = stream.finish().await?;
            if end.sha256 != self.about.sha256 {
                return Err(IntakeError::Changed);
            }
            Ok(end.rows)
        }
        .await;
        match sink {
            Sink::Rehearsal(rehearsal) => {
                let rows = fed?;
                let mut taken = self.rehearsed(rows, rehearsal.finish(&self.rules), bad)?;
                taken.compared = size::compare(&*self.ledger, &taken.totals).await?;
                Ok(taken)
            }
            Sink::Desk(desk) => {
                let batch = desk.batch();
                let sealed = self.close(desk, fed, bad).await;
                if let Err(error) = &sealed
                    && error.is_certain()
                {
                    // Best effort: a batch that is left `receiving` is rejected when its lease ends.
                    let rejected = self.ledger.reject(batch, error.brief(), false).await;
                    rejected.map_or_else(|e| tracing::warn!(%batch, "not rejected yet: {e}"), drop);
                    self.tell_rejected(batch, &error.brief()).await;
                }
                sealed
            }
        }
    }

    /// Opens the batch, or gives the one that took the same bytes before.
    async fn open(&self) -> Result<Result<BatchId, BatchId>, IntakeError> {
        self.refuse_if_suspect().await?;
        let now = self.ledger.about().await?.now;
        let batch = BatchId(Ulid::from_parts(now.0, rand::random()));
        let new = NewBatch {
            id: batch,
            name: self.about.name.clone(),
            file_sha256: self.about.sha256.clone(),
            lease_ms: INTAKE_LEASE_MS,
            terms: self.terms,
        };
        Ok(match self.ledger.open_batch(new).await? {
            Opened::Fresh => Ok(batch),
            Opened::SameFile(first) => Err(first),
        })
    }

    /// A ledger that went back in time may have forgotten that a reference was paid (S18).
    async fn refuse_if_suspect(&self) -> Result<(), IntakeError> {
        match suspicion::current(&*self.ledger).await? {
            Some(Suspicion { what, .. }) => Err(IntakeError::Suspect { what }),
            None => Ok(()),
        }
    }

    /// The bytes were taken before. After a crash between seal and rename this is our own file,
    /// and it has been taken; otherwise it is refused.
    async fn same_file(&self, first: BatchId) -> Result<Taken, IntakeError> {
        let batch = self.ledger.batch(first).await?;
        let Some(batch) = batch else {
            let text = format!("the file's hash is held by unknown batch {first}");
            return Err(LedgerError::Broken(text).into());
        };
        if batch.state == BatchState::Receiving {
            return Err(IntakeError::Busy { batch: first });
        }
        if self.options.recovered && batch.state.was_sealed() && batch.name == self.about.name {
            return Ok(self.taken_before(&batch));
        }
        Err(IntakeError::SameFile { batch: first, name: batch.name, state: batch.state })
    }

    fn taken_before(&self, batch: &Batch) -> Taken {
        Taken {
            batch: Some(batch.id),
            rows: batch.totals.rows(),
            totals: batch.totals.clone(),
            terms: batch.terms,
            was_taken_before: true,
            ..self.nothing_taken()
        }
    }

    fn nothing_taken(&self) -> Taken {
        Taken {
            name: self.about.name.clone(),
            encoding: self.about.encoding,
            profile: self.about.profile.clone(),
            terms: self.terms,
            ..Taken::default()
        }
    }

    fn rehearsed(
        &self,
        rows: u64,
        taken: Result<Taken, IntakeError>,
        bad: BadRows,
    ) -> Result<Taken, IntakeError> {
        let good = taken.as_ref().map_or(1, |taken| taken.rows);
        // Nothing is taken, so nothing is left out: no file is kept.
        let Left { problems, .. } = bad.judge(&self.options, rows, good)?;
        let mut taken = taken?;
        self.control.check(rows, &taken.totals)?;
        taken.rejected = problems.rows;
        taken.problems = problems;
        let nothing = self.nothing_taken();
        Ok(Taken {
            name: nothing.name,
            encoding: nothing.encoding,
            profile: nothing.profile,
            terms: nothing.terms,
            ..taken
        })
    }

    /// Everything has been read: check, and seal.
    async fn close(
        &self,
        desk: Desk,
        fed: Result<u64, IntakeError>,
        bad: BadRows,
    ) -> Result<Taken, IntakeError> {
        let batch = desk.batch();
        // The writing task's own error says more than the broken channel to it.
        let written = desk.finish().await;
        let (rows, written) = match (fed, written) {
            (Err(IntakeError::WriterGone), Err(error)) => return Err(error),
            (fed, written) => (fed?, written?),
        };
        let Left { problems, out, file } = bad.judge(&self.options, rows, written.totals.rows())?;
        self.control.check(rows, &written.totals)?;
        self.refuse_if_suspect().await?;
        ceilings::check_batch(&self.rules, &written.by_lane)?;
        let compared = size::compare(&*self.ledger, &written.totals).await?;
        // Before the seal: what is not paid is on disk before anything is payable.
        let rejected_file = file.map(RejectedFile::keep).transpose()?;
        let seal = Seal {
            id: batch,
            totals: written.totals.clone(),
            chunks: written.chunks,
            state: BatchState::Active,
        };
        let sealed = self.within_day(&written, async {
            self.tell_intake(&written, batch, out).await?;
            self.seal(seal).await
        });
        let sealed = sealed.await;
        if let (Err(error), Some(path)) = (&sealed, &rejected_file)
            && error.is_certain()
        {
            let _ = std::fs::remove_file(path);
        }
        sealed?;
        // Whoever writes the result signs it, if this is not done now.
        let signed = self.rules.clerk.sign(&*self.ledger, &Chain::batch(batch)).await;
        signed.map_or_else(|e| tracing::warn!(%batch, "the intake is not signed yet: {e}"), drop);
        Ok(Taken {
            batch: Some(batch),
            rows: written.totals.rows(),
            totals: written.totals,
            lanes: written.lanes,
            largest: written.largest,
            compared,
            rejected: problems.rows,
            rejected_file,
            problems,
            ..self.nothing_taken()
        })
    }

    async fn seal(&self, seal: Seal) -> Result<(), IntakeError> {
        let batch = seal.id;
        let mut tries = 0;
        loop {
            match self.ledger.seal(seal.clone()).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(IntakeError::Overtaken { batch }),
                Err(LedgerError::Unavailable(_)) if tries < SEAL_TRIES => {
                    tries += 1;
                    tokio::time::sleep(std::time::Duration::from_millis(SEAL_PAUSE_MS)).await;
                }
                Err(LedgerError::Unavailable(problem)) => {
                    return Err(IntakeError::SealUnknown { batch, problem });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Sink {
    /// Takes what there is, if it is enough for a group.
    async fn take(
        &mut self,
        items: &mut Vec<Item>,
        intake: &Intake,
    ) -> Result<Vec<source::BadRow>, IntakeError> {
        if desk::is_group(items) { self.flush(items, intake).await } else { Ok(Vec::new()) }
    }

    /// Takes what there is.
    async fn flush(
        &mut self,
        items: &mut Vec<Item>,
        intake: &Intake,
    ) -> Result<Vec<source::BadRow>, IntakeError> {
        let group = std::mem::take(items);
        match self {
            Sink::Desk(desk) => desk.take(group, &intake.about.reference).await,
            Sink::Rehearsal(rehearsal) => rehearsal.take(group, &intake.about.reference).await,
        }
    }
}

/// Runs work that blocks, off the runtime's own threads.
async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, IntakeError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| IntakeError::WriterGone)
}
