//! An apalis worker ends with the first error of its backend; here it is made anew.
//!
//! Each life has a name of its own, because Redis refuses a worker that comes back under a name
//! whose heartbeat is still fresh. Nothing is lost by a death: the taker has what it took, and a
//! hint that was fetched but not taken comes back by itself.

use crate::hint::Hint;
use crate::taker::Taker;
use domain::LaneName;
use futures::future::BoxFuture;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use ulid::Ulid;

/// The pause after the first death; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause, so that work goes on soon after Redis is back.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A worker that lived this long was well: the pauses start anew.
const WELL_AFTER: Duration = Duration::from_secs(5);

/// Says when to stop; dropping the sender also stops.
pub(crate) type Stop = watch::Receiver<bool>;

/// One life of a worker; ends with what killed it.
pub(crate) type Life = BoxFuture<'static, Result<(), String>>;

/// What a worker does with a hint: hands it over and returns at once, so that the worker's death
/// touches nothing that is under way.
pub(crate) fn hand_over(
    taker: Arc<dyn Taker>,
    taken: Arc<Notify>,
) -> impl Fn(Hint) -> Ready<()> + Clone + Send + Sync + 'static {
    move |hint| {
        taker.offer(hint);
        taken.notify_one();
        ready(())
    }
}

/// Runs lives of a worker, one after the other, until told to stop. `live` runs one life under
/// the name it is given; `bury` clears up after it.
pub(crate) async fn keep_alive(
    lane: LaneName,
    mut stop: Stop,
    mut live: impl FnMut(String) -> Life + Send,
    mut bury: impl FnMut(String) -> BoxFuture<'static, ()> + Send,
) {
    let mut pause = FIRST_PAUSE;
    let mut in_trouble = false;
    loop {
        let name = format!("{lane}-{}", Ulid::generate());
        let born = Instant::now();
        let death = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => None,
            death = live(name.clone()) => Some(death),
        };
        bury(name).await;
        let Some(death) = death else { return };
        let reason = death.err().unwrap_or_else(|| "it ended by itself".to_owned());
        if born.elapsed() >= WELL_AFTER {
            pause = FIRST_PAUSE;
            in_trouble = false;
        }
        if in_trouble {
            tracing::debug!(%lane, reason, "the queue's worker died again");
        } else {
            tracing::warn!(%lane, reason, "the queue's worker died and is made anew");
            in_trouble = true;
        }
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
