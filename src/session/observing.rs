//! Observes the outputs of an existing run folder.

use super::grading::manifest_suite;
use super::prepared::suite_observers;
use super::run::jobs_or_cores;
use super::{DeviceChoice, Session, SessionError};
use crate::record::Item;
use crate::run::{Asked, Chains, Manifest, Outcome, RunFolder, Shard, Stream, Work, read_all};
use std::path::Path;

/// The result of observing a run folder.
#[derive(Debug)]
pub struct Observations {
    /// The run.
    pub folder: RunFolder,
    /// Counts over all shards of the folder.
    pub outcome: Outcome,
}

impl Session {
    /// Observes the outputs of a run folder that its observers have not seen yet. It makes no outputs, and
    /// grades nothing.
    ///
    /// # Errors
    /// Fails if the folder is not a run, its suite has no observers, or an observer cannot be made.
    pub fn observe_run(
        &self,
        run: &Path,
        device: DeviceChoice,
        jobs: Option<usize>,
    ) -> Result<Observations, SessionError> {
        let folder = RunFolder::existing(run)?;
        let manifest = Manifest::read(&folder)?;
        // Shards that are not merged yet are observed one after the other.
        let shards: Vec<Option<Shard>> = match manifest.shard {
            None => vec![None],
            Some(_) => {
                let shards = folder.shards(Stream::Outputs)?;
                shards.into_iter().map(Some).collect()
            }
        };
        let locks = shards.iter().map(|shard| folder.lock(*shard));
        let _locks = locks.collect::<Result<Vec<_>, _>>()?;
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
