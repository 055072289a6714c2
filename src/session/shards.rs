//! Joins the shards of a run.

use super::grading::grade_folder;
use super::view::report_graded;
use super::{Session, SessionError, TitledSummary};
use crate::record::Item;
use crate::run::{Division, Manifest, RunFolder, read_all};
use std::path::Path;

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
    /// Fails if there are no shards, they overlap, or one is being made.
    pub fn merge_shards(&self, run: &Path) -> Result<MergedRun, SessionError> {
        let folder = RunFolder::existing(run)?;
        let _lock = folder.lock(None)?;
        let mut manifest = Manifest::read(&folder)?;
        let division = Division::hold(&folder)?;
        folder.clear_partial();
        let items: Vec<Item> = read_all(&folder.items())?;
        let merged = division.join(&items)?;
        self.remark(&format!(
            "joined {} shards: {} outputs, {} observations",
            merged.shards, merged.outputs, merged.evidence
        ));
        for shard in division.absent() {
            self.remark(&format!(
                "shard {shard} has not started, so its outputs are missing; run it with `--shard {shard}`, and then merge again"
            ));
        }
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
}
