//! One life of a lane's apalis worker, what it leaves behind, and who clears that up.

use super::{LOOK_AGAIN_MS, Pool, Storage, away, scripts};
use crate::gate::GateLayer;
use crate::queue::QueueError;
use crate::rebuild::{Life, Stop, hand_over, keep_alive};
use crate::taker::Taker;
use crate::wake::LookAgain;
use apalis::prelude::{BackendExt, WorkerBuilder};
use domain::LaneName;
use futures::{FutureExt, TryFutureExt};
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use std::time::Duration;

/// How often finished jobs are deleted: apalis keeps their data for ever, and its vacuum reads
/// all of it and leaves the list of finished jobs as it is.
const TIDY_EVERY: Duration = Duration::from_secs(2);

/// How long clearing up after a worker may take when Redis is away.
const BURY_WITHIN: Duration = Duration::from_secs(1);

impl Pool {
    /// Gives the hints of a lane to `taker` until told to stop.
    pub(crate) async fn listen(self: Arc<Self>, lane: LaneName, taker: Arc<dyn Taker>, stop: Stop) {
        let live = |name| self.clone().live(name, lane.clone(), taker.clone()).boxed();
        let bury = |name| self.clone().bury(lane.clone(), name).boxed();
        keep_alive(lane.clone(), stop, live, bury).await;
    }

    async fn live(
        self: Arc<Self>,
        name: String,
        lane: LaneName,
        taker: Arc<dyn Taker>,
    ) -> Result<(), String> {
        let connection = self.connect().await.map_err(|error| error.to_string())?;
        let life = self.life(connection, name.clone(), &lane, &taker);
        tokio::select! {
            ended = life => ended,
            never = self.tidy_on(&lane, &name) => match never {},
        }
    }

    fn life(
        &self,
        connection: MultiplexedConnection,
        name: String,
        lane: &LaneName,
        taker: &Arc<dyn Taker>,
    ) -> Life {
        let look_again = LookAgain::new(Duration::from_millis(LOOK_AGAIN_MS), self.waker(lane));
        let backend =
            Storage::new(connection).with_config(self.config(lane)).poll_with_strategy(look_again);
        let gate = GateLayer { taker: taker.clone(), lane: lane.clone() };
        let hand_over = hand_over(taker.clone(), self.taken.clone());
        let worker = WorkerBuilder::new(name).backend(backend).layer(gate).build(hand_over);
        worker.run().map_err(|error| error.to_string()).boxed()
    }

    /// Deletes what finished jobs leave behind, as long as the worker lives.
    async fn tidy_on(&self, lane: &LaneName, name: &str) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(TIDY_EVERY).await;
            if let Err(error) = self.tidy(lane, name).await {
                tracing::debug!(%lane, %error, "finished hints were not deleted");
            }
        }
    }

    async fn tidy(&self, lane: &LaneName, name: &str) -> Result<(), QueueError> {
        let mut link = self.linked().await?;
        let tidied = scripts::tidy(&mut link, &self.config(lane), name).await;
        self.checked(tidied.map_err(away)).await
    }

    async fn bury(self: Arc<Self>, lane: LaneName, name: String) {
        let bury = async {
            let mut link = self.linked().await?;
            let buried = scripts::bury(&mut link, &self.config(&lane), &name).await;
            self.checked(buried.map_err(away)).await
        };
        if !matches!(tokio::time::timeout(BURY_WITHIN, bury).await, Ok(Ok(()))) {
            tracing::debug!(%lane, name, "a dead worker's traces stay until others find them");
        }
    }
}
