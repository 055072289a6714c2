//! What the options of shards mean.

use super::cli::{ShardArg, ShardArgs, WaitArgs};
use super::failure::Failure;
use crate::session::{ShardChoice, is_scheduled};
use std::time::Duration;

/// How long a job of a scheduler waits for a lock. A job that is started again may meet the one before.
const SCHEDULED: Duration = Duration::from_secs(600);

impl ShardArgs {
    /// The shard that is asked for.
    ///
    /// # Errors
    /// Fails if the options contradict each other.
    pub(super) fn choice(&self) -> Result<ShardChoice, Failure> {
        let shards = self.shards.map(|shards| shards as usize);
        match (self.shard, shards) {
            (None, None) => Ok(ShardChoice::Whole),
            (None, Some(shards)) => Err(Failure::usage(
                format!(
                    "`--shards {shards}` says how many parts there are, but not which one this is"
                ),
                "add `--shard auto`; if it comes from UNIGAUGE_SHARDS, unset that for a run without parts",
            )),
            (Some(ShardArg::Given(shard)), Some(shards)) if shard.count() != shards => {
                Err(Failure::usage(
                    format!(
                        "`--shard {shard}` and `--shards {shards}` name different numbers of parts"
                    ),
                    "leave out `--shards`",
                ))
            }
            (Some(ShardArg::Given(shard)), _) => Ok(ShardChoice::Given(shard)),
            (Some(ShardArg::Auto), shards) => Ok(ShardChoice::Auto {
                shards,
                base: usize::from(self.shard_base),
            }),
        }
    }
}

impl WaitArgs {
    /// How long a lock is waited for.
    pub(super) fn limit(&self) -> Duration {
        self.wait_lock.unwrap_or(if is_scheduled() {
            SCHEDULED
        } else {
            Duration::ZERO
        })
    }
}
