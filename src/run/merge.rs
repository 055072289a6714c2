//! All shards of a run, and how they are joined.

use super::error::RunError;
use super::folder::{RunFolder, Stream};
use super::locks::{Patience, Purpose};
use super::manifest::Manifest;
use super::shard::Shard;
use super::sources::{Choice, LeftOut, LineKey, Sources};
use super::tally::Tally;
use crate::files::{Lock, write_durable};
use crate::record::Item;
use std::collections::{BTreeSet, HashMap};

/// What a merge found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Merged {
    /// How many shards were joined.
    pub shards: usize,
    /// Records of outputs.
    pub outputs: usize,
    /// Records of observations.
    pub evidence: usize,
    /// What a reader of the numbers must know.
    pub remarks: Vec<String>,
}

/// All shards of a run, locked so that none of them writes.
#[derive(Debug)]
pub struct Division {
    folder: RunFolder,
    /// The number of shards. `None` if there are journals of several numbers, and none was noted.
    count: Option<usize>,
    /// The shards that have a journal, and those that should have one, in their order.
    shards: Vec<Shard>,
    present: BTreeSet<Shard>,
    _locks: Vec<Lock>,
}

impl Division {
    /// Finds the shards of a run and takes their locks, and that of the whole run.
    ///
    /// # Errors
    /// Fails if there are none, or one is being made.
    pub fn hold(folder: &RunFolder, patience: &Patience<'_>) -> Result<Self, RunError> {
        let present: BTreeSet<Shard> = folder.shards(Stream::Outputs)?.into_iter().collect();
        if present.is_empty() {
            return Err(RunError::Shards {
                folder: folder.root().to_path_buf(),
                reason: "there is no outputs.i-of-n.jsonl".into(),
                help: "make the shards with `--shard i/n`".into(),
            });
        }
        let count = folder.division()?;
        let planned = count.into_iter().flat_map(Shard::all_parts);
        let shards: BTreeSet<Shard> = present.iter().copied().chain(planned).collect();
        let shards: Vec<Shard> = shards.into_iter().collect();
        let all: Vec<Option<Shard>> = [None]
            .into_iter()
            .chain(shards.iter().copied().map(Some))
            .collect();
        Ok(Self {
            _locks: folder.lock_all(&all, Purpose::Read, patience)?,
            folder: folder.clone(),
            count,
            shards,
            present,
        })
    }

    /// All shards, in their order.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// Joins the journals of the shards, and that of a process without a shard, into `outputs.jsonl` and
    /// `evidence.jsonl`, in the order of the items. Each output has one line there.
    ///
    /// # Errors
    /// Fails if a journal is damaged.
    pub fn join(&self, items: &[Item], run: &Manifest) -> Result<Merged, RunError> {
        let ids = items.iter().enumerate();
        let places: HashMap<&str, usize> = ids
            .map(|(place, item)| (item.item.as_str(), place))
            .collect();
        let (outputs, left_out) = self.join_stream(Stream::Outputs, &places, run)?;
        let (evidence, _) = self.join_stream(Stream::Evidence, &places, run)?;
        let mut remarks: Vec<String> = left_out.iter().map(LeftOut::sentence).collect();
        let states = outputs.iter();
        let states =
            states.map(|((item, repeat, _), choice)| (item.as_str(), *repeat, choice.failed));
        let tallies = Tally::count(run.repeats, items, self.count, states);
        remarks.extend(tallies.iter().filter_map(|tally| self.lack(tally)));
        Ok(Merged {
            shards: self.present.len(),
            outputs: outputs.len(),
            evidence: evidence.len(),
            remarks,
        })
    }

    /// Says that outputs of a shard are missing. `None` if all were tried.
    fn lack(&self, tally: &Tally) -> Option<String> {
        let missing = tally.missing();
        if missing == 0 {
            return None;
        }
        let Some(shard) = tally.shard else {
            return Some(format!(
                "{missing} of {} outputs are missing",
                tally.planned
            ));
        };
        Some(if self.present.contains(&shard) {
            format!(
                "shard {shard} is not complete: {missing} of {} outputs are missing; run it again with \
                 `--shard {shard}`, and then merge again",
                tally.planned
            )
        } else {
            format!(
                "shard {shard} has not started, so {missing} of {} outputs are missing; run it with \
                 `--shard {shard}`, and then merge again",
                tally.planned
            )
        })
    }

    fn join_stream(
        &self,
        stream: Stream,
        places: &HashMap<&str, usize>,
        run: &Manifest,
    ) -> Result<(HashMap<LineKey, Choice>, Vec<LeftOut>), RunError> {
        let (sources, left_out) = Sources::read(&self.folder, stream, run)?;
        let chosen = sources.choose(run)?;
        let mut order: Vec<(usize, u32, (usize, usize), Choice)> = chosen
            .iter()
            .map(|((item, repeat, _), choice)| {
                let place = places.get(item.as_str()).copied();
                let place = place.unwrap_or(usize::MAX);
                (place, *repeat, sources.order(*choice), *choice)
            })
            .collect();
        order.sort_unstable_by_key(|(place, repeat, order, _)| (*place, *repeat, *order));
        let mut bytes = Vec::new();
        for (.., choice) in order {
            bytes.extend_from_slice(sources.raw(choice));
            bytes.push(b'\n');
        }
        write_durable(&self.folder.stream(stream, None), &bytes)?;
        Ok((chosen, left_out))
    }
}

impl LeftOut {
    fn sentence(&self) -> String {
        let Self { shard, change } = self;
        match shard {
            Some(shard) => format!(
                "shard {shard} was made with other settings, so its outputs do not count ({change}); run it again \
                 with `--shard {shard}`, and then merge again"
            ),
            None => format!(
                "what a run without shards made before does not count, since it had other settings ({change})"
            ),
        }
    }
}
