//! Observes the outputs of an existing run folder.

use super::grading::manifest_suite;
use super::prepared::suite_observers;
use super::run::jobs_or_cores;
use super::{DeviceChoice, Session, SessionError, ShardChoice};
use crate::record::Item;
use crate::run::{
    Asked, Chains, Manifest, Outcome, Purpose, RunFolder, Shard, Stream, Work, read_all,
};
use std::path::Path;
use std::time::Duration;

/// The result of observing a run folder.
#[derive(Debug)]
pub struct Observations {
    /// The run.
    pub folder: RunFolder,
    /// Counts over all shards of the folder.
    pub outcome: Outcome,
}

impl Session {
    /// Observes the outputs of a run folder that its observers have not seen yet: those of one shard, or all.
    /// It makes no outputs, and grades nothing.
    ///
    /// # Errors
    /// Fails if the folder is not a run, its suite has no observers, an observer cannot be made, or another
    /// process writes there.
    pub fn observe_run(
        &self,
        run: &Path,
        (shard, wait_lock): (ShardChoice, Duration),
        device: DeviceChoice,
        jobs: Option<usize>,
    ) -> Result<Observations, SessionError> {
        let folder = RunFolder::existing(run)?;
        let manifest = Manifest::read(&folder)?;
        let chosen = shard.resolve(&folder)?;
        if let (Some(shard), Some(from)) = (chosen.shard, &chosen.from) {
            self.remark(&format!("shard {shard} ({from})"));
        }
        // Shards that are not merged yet are observed one after the other.
        let shards: Vec<Option<Shard>> = match (chosen.shard, &manifest.shard) {
            (Some(shard), _) => vec![Some(shard)],
            (None, None) => vec![None],
            (None, Some(_)) => unmerged(&folder)?,
        };
        let _locks = self.lock_all(&folder, &shards, Purpose::Read, wait_lock)?;
        let suite = manifest_suite(&manifest)?;
        let items: Vec<Item> = read_all(&folder.items())?;
        let observers = suite_observers(self, suite, device)?;
        if observers.is_empty() {
            return Err(SessionError::NoObservers {
                suite: suite.name.clone(),
            });
        }
        let listener = self.options.listener.run_listener(&suite.name);
        let mut all = Outcome::default();
        for shard in shards {
            let outcome = Work {
                folder: &folder,
                asked: Asked {
                    items: &items,
                    base: manifest.items_base.as_deref().unwrap_or(folder.root()),
                    repeats: manifest.repeats,
                    seed: manifest.seed,
                    shard,
                    chains: Chains::of_items(&items),
                },
                making: None,
                layout: suite.layout,
                observers: &observers,
                observe_workers: jobs_or_cores(jobs),
                cancel: self.cancel(),
                listener: listener.as_ref(),
            }
            .execute()?;
            all += outcome;
            if all.interrupted {
                break;
            }
        }
        Ok(Observations {
            folder,
            outcome: all,
        })
    }
}

/// The shards of the last division that have a journal.
fn unmerged(folder: &RunFolder) -> Result<Vec<Option<Shard>>, SessionError> {
    let count = folder.division()?;
    let shards = folder.shards(Stream::Outputs)?.into_iter();
    let last = shards.filter(|shard| count.is_none_or(|count| count == shard.count()));
    Ok(last.map(Some).collect())
}
