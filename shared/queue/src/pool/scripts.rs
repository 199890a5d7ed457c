//! All Lua of ours for apalis's keys: it deletes what apalis leaves lying.

use apalis_redis::Config;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};
use std::sync::LazyLock;

/// Jobs deleted by one call, so that no call holds Redis up for long.
const JOBS_A_CALL: u64 = 500;

/// How long a worker's description outlives its last tidying.
const DESCRIPTION_LASTS_S: u64 = 600;

static TIDY: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local ended = redis.call('SPOP', KEYS[1], ARGV[1])
        for _, job in ipairs(redis.call('SPOP', KEYS[2], ARGV[1])) do
            ended[#ended + 1] = job
        end
        for _, job in ipairs(ended) do
            redis.call('HDEL', KEYS[3], job)
            redis.call('DEL', KEYS[4] .. ':' .. job)
        end
        redis.call('EXPIRE', KEYS[5], ARGV[2])
        return #ended
        ",
    )
});

static BURY: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        for _, job in ipairs(redis.call('SMEMBERS', KEYS[1])) do
            redis.call('HDEL', KEYS[2], job)
            redis.call('DEL', KEYS[3] .. ':' .. job)
        end
        redis.call('DEL', KEYS[1], KEYS[4])
        redis.call('ZREM', KEYS[5], ARGV[1])
        ",
    )
});

/// Deletes the data of all jobs that ended. *Crash before or after a call*: the rest is deleted
/// by the next one, of any process.
pub(super) async fn tidy(
    link: &mut MultiplexedConnection,
    config: &Config,
    worker: &str,
) -> RedisResult<()> {
    loop {
        let deleted: u64 = TIDY
            .key(config.done_jobs_set())
            .key(config.dead_jobs_set())
            .key(config.job_data_hash())
            .key(config.job_meta_hash())
            .key(description(config, worker))
            .arg(JOBS_A_CALL)
            .arg(DESCRIPTION_LASTS_S)
            .invoke_async(link)
            .await?;
        if deleted < JOBS_A_CALL {
            return Ok(());
        }
    }
}

/// Removes a worker that ended, with the jobs that it had fetched and not acknowledged: the
/// taker has them, or they come back by themselves. *Crash before*: after some missed
/// heartbeats another worker takes those jobs, and the description expires.
pub(super) async fn bury(
    link: &mut MultiplexedConnection,
    config: &Config,
    worker: &str,
) -> RedisResult<()> {
    BURY.key(format!("{}:{worker}", config.inflight_jobs_set()))
        .key(config.job_data_hash())
        .key(config.job_meta_hash())
        .key(description(config, worker))
        .key(config.workers_set())
        .arg(worker)
        .invoke_async(link)
        .await
}

/// apalis's `worker_metadata_key`, which wants a context that only a worker has.
fn description(config: &Config, worker: &str) -> String {
    format!("{}:metadata:{worker}", config.workers_set())
}
