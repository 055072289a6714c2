//! Joins the shards of a run, and takes the locks of run folders.

use super::grading::grade_folder;
use super::view::report_graded;
use super::{Session, SessionError, TitledSummary};
use crate::files::Lock;
use crate::record::Item;
use crate::run::{Division, Manifest, Patience, Purpose, RunFolder, Shard, read_all};
use std::path::Path;
use std::time::Duration;

/// A run whose shards are joined.
#[derive(Debug)]
pub struct MergedRun {
    /// Where its files are.
    pub folder: RunFolder,
    /// The numbers of the whole.
    pub summary: TitledSummary,
}

impl Session {
    /// Joins the shards of a run, grades and reports it. All outputs of shards that never began are missing.
    ///
    /// # Errors
    /// Fails if there are no shards, or one is being made for longer than `wait_lock`.
    pub fn merge_shards(&self, run: &Path, wait_lock: Duration) -> Result<MergedRun, SessionError> {
        let folder = RunFolder::existing(run)?;
        let division = self.patient(wait_lock, |patience| Division::hold(&folder, patience))?;
        // The last shard may have written it while it was waited for.
        let mut manifest = Manifest::read(&folder)?;
        folder.clear_partial();
        let items: Vec<Item> = read_all(&folder.items())?;
        let merged = division.join(&items, &manifest)?;
        self.remark(&format!(
            "joined {} shards: {} outputs, {} observations",
            merged.shards, merged.outputs, merged.evidence
        ));
        (merged.remarks.iter()).for_each(|remark| self.remark(remark));
        manifest.join(&folder, division.shards())?;
        let graded = grade_folder(self, &folder, &manifest, None, None)?;
        let summary = report_graded(&folder, &manifest, graded)?;
        manifest.finished = Some(jiff::Timestamp::now());
        manifest.write(&folder)?;
        if !summary.summary.partial {
            let shards = division.shards().iter().copied().map(Some);
            shards
                .chain([None])
                .for_each(|shard| folder.clear_scratch(shard));
        }
        Ok(MergedRun { folder, summary })
    }

    /// Takes the lock of a shard or of the whole run. It waits so long for another process, and says for
    /// whom.
    pub(super) fn lock(
        &self,
        folder: &RunFolder,
        shard: Option<Shard>,
        purpose: Purpose,
        wait: Duration,
    ) -> Result<Lock, SessionError> {
        Ok(self.patient(wait, |patience| folder.lock(shard, purpose, patience))?)
    }

    /// Takes several locks: all of them or none.
    pub(super) fn lock_all(
        &self,
        folder: &RunFolder,
        shards: &[Option<Shard>],
        purpose: Purpose,
        wait: Duration,
    ) -> Result<Vec<Lock>, SessionError> {
        Ok(self.patient(wait, |patience| folder.lock_all(shards, purpose, patience))?)
    }

    fn patient<T>(&self, limit: Duration, take: impl FnOnce(&Patience<'_>) -> T) -> T {
        take(&Patience {
            limit,
            stopped: &|| self.cancel().is_raised(),
            waiting: &|holder: &str| {
                self.remark(&format!("waiting at most {limit:?} for the lock: {holder}"))
            },
        })
    }
}
