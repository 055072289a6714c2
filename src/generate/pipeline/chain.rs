//! Runs the phases of a pipeline for a chunk of requests, within a budget of device memory.
//!
//! If all networks fit into memory together, each request runs through all phases before the next request.
//! Otherwise one phase runs for all requests of the chunk, and then the networks of the next phase replace
//! its own. The results of a phase are stored on the disk by content hash. So they survive when a network is
//! dropped or a run is killed, and equal prompts are encoded only once.

use super::checkpoint::CheckpointFolder;
use super::phase::{OpenPhase, Phase};
use super::plan::{PHASED_CHUNK, plan_lines};
use super::scratch::{Key, Named, Scratch};
use super::stage::{Made, Step};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::{Answer, Done, Generated, Generator, Request};
use crate::generate::place::Place;
use crate::model::weights::Checked;
use crate::record::{NOTES, Object, Task, add_note, notes};
use candle_core::{Device, Tensor};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Instant;

/// The name of the tensor with the additions of a stage to the record, as bytes of JSON.
const EXTRA: &str = "record.extra";

/// A pipeline.
pub(crate) struct Chain {
    phases: Vec<OpenPhase>,
    budget: Option<u64>,
    device: Device,
    scratch: Scratch,
    /// The keys of files on the disk, the oldest first.
    kept: VecDeque<Key>,
    /// Whether Ctrl-C was pressed. If so, the files stay for the next run.
    interrupted: bool,
    tasks: &'static [Task],
}

/// The state of a request between the first and the last phase.
struct Journey {
    key: Key,
    ended: bool,
    timings: BTreeMap<String, f64>,
    extra: Object,
    /// The keys of its files, as long as it needs them.
    files: Vec<Key>,
}

impl Journey {
    /// The answer to the request, or the reason why there is none.
    fn end(&mut self, index: usize, answer: Result<Answer, GenerateError>, done: &mut Done<'_>) {
        self.ended = true;
        if answer.is_ok() {
            self.files.clear();
        }
        let generated = answer.map(|answer| Generated {
            answer,
            timings: std::mem::take(&mut self.timings),
            extra: std::mem::take(&mut self.extra),
        });
        done(index, generated);
    }
}

impl Chain {
    /// Opens the phases of a pipeline for items of some tasks.
    ///
    /// # Errors
    /// Fails if a setting is wrong, a file is absent or damaged, or weights and configuration do not fit.
    pub(crate) fn open(
        tasks: &'static [Task],
        phases: Vec<Phase>,
        checkpoint: &CheckpointFolder,
        place: &Place,
    ) -> Result<Self, GenerateError> {
        let open = |phase: Phase| phase.open(checkpoint.shelf(), &place.device);
        Ok(Self {
            phases: phases.into_iter().map(open).collect::<Result<_, _>>()?,
            budget: place.vram_budget,
            device: place.device.clone(),
            scratch: Scratch::in_folder(&place.scratch),
            kept: VecDeque::new(),
            interrupted: false,
            tasks,
        })
    }

    /// Whether all networks fit into memory together.
    fn fits_in_memory(&self) -> bool {
        let all: u64 = self.phases.iter().map(OpenPhase::bytes).sum();
        self.budget.is_none_or(|budget| all <= budget)
    }

    /// Loads a phase, and first drops others if the budget requires it.
    fn make_room(&mut self, number: usize) -> Result<(), GenerateError> {
        if self.phases[number].is_loaded() {
            return Ok(());
        }
        let need = self.phases[number].bytes();
        for other in &self.phases {
            let loaded = self.phases.iter().filter(|phase| phase.is_loaded());
            let held: u64 = loaded.map(OpenPhase::bytes).sum();
            if self.budget.is_some_and(|budget| held + need > budget) {
                other.unload();
            }
        }
        self.phases[number].load(None)
    }

    /// Whether a stage must run for a request. If so, returns the results of the earlier stages.
    fn inputs_of_stage(
        &mut self,
        number: usize,
        request: &Request<'_>,
        journey: &mut Journey,
        cancel: &Cancel,
    ) -> Result<Option<Named>, GenerateError> {
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        let stage = &self.phases[number].stage;
        if !stage.wants(request) {
            return Ok(None);
        }
        let key = stage.key(request, &journey.key)?;
        if self.scratch.has(&key) {
            // A file of an earlier run is removed like those of this run.
            self.kept.push_back(key.clone());
            journey.key = key.clone();
            journey.files.push(key);
            return Ok(None);
        }
        let before = match self.collect(journey)? {
            Some(before) => before,
            None => self.make_again(number, request, journey, cancel)?,
        };
        journey.key = key;
        Ok(Some(before))
    }

    /// The results of the stages before this one, which are made again because a file was removed or is
    /// damaged.
    fn make_again(
        &mut self,
        number: usize,
        request: &Request<'_>,
        journey: &mut Journey,
        cancel: &Cancel,
    ) -> Result<Named, GenerateError> {
        journey.key = Key::start();
        journey.files.clear();
        for earlier in 0..number {
            let Some(before) = self.inputs_of_stage(earlier, request, journey, cancel)? else {
                continue;
            };
            self.make_room(earlier)?;
            let stage = &mut self.phases[earlier].stage;
            let steps = stage.run_together(&[(request, &before)], cancel);
            let step = steps.into_iter().next();
            self.store_step(step.unwrap_or(Err(GenerateError::Cancelled))?, journey)?;
        }
        self.collect(journey)?.ok_or_else(|| {
            GenerateError::item(
                "scratch",
                "the files of an earlier phase are removed repeatedly; keep other programs out of the run folder",
            )
        })
    }

    /// Stores the result of a stage. Returns the answer if the stage gives it.
    fn store_step(
        &mut self,
        step: Step,
        journey: &mut Journey,
    ) -> Result<Option<Answer>, GenerateError> {
        let Step { made, extra } = step;
        let answer = match made {
            Made::Tensors(mut tensors) => {
                if !extra.is_empty() {
                    let bytes = serde_json::to_vec(&extra)
                        .map_err(|error| GenerateError::item("scratch", error.to_string()))?;
                    let length = bytes.len();
                    let tensor = Tensor::from_vec(bytes, length, &Device::Cpu);
                    tensors.insert(EXTRA.into(), wrong(tensor)?);
                }
                let key = journey.key.clone();
                self.scratch.store_tensors(&key, &tensors)?;
                self.kept.push_back(key.clone());
                journey.files.push(key);
                return Ok(None);
            }
            Made::Pixels(pixels) => Answer::Pixels(pixels),
            Made::Text(text) => Answer::Text(text),
        };
        add_remarks(&mut journey.extra, extra);
        Ok(Some(answer))
    }

    /// The results of the earlier stages, and their additions to the record. `None` if a file is missing or
    /// damaged.
    fn collect(&self, journey: &mut Journey) -> Result<Option<Named>, GenerateError> {
        let mut all = Some(Named::new());
        let mut extra = Object::new();
        for key in &journey.files {
            let Some(mut tensors) = self.scratch.get(key, &self.device) else {
                self.scratch.remove(key);
                all = None;
                continue;
            };
            if let Some(remarks) = tensors.remove(EXTRA) {
                let bytes: Vec<u8> = wrong(remarks.to_vec1())?;
                match serde_json::from_slice(&bytes) {
                    Ok(remarks) => add_remarks(&mut extra, remarks),
                    Err(_) => {
                        self.scratch.remove(key);
                        all = None;
                    }
                }
            }
            if let Some(all) = &mut all {
                all.extend(tensors);
            }
        }
        journey.extra = extra;
        Ok(all)
    }

    /// Runs one phase for all unfinished requests of a chunk, in batches of the size that its stage asks for.
    fn run_phase(
        &mut self,
        number: usize,
        requests: &[Request<'_>],
        journeys: &mut [Journey],
        cancel: &Cancel,
        done: &mut Done<'_>,
    ) {
        let batch = self.phases[number].stage.batch().max(1);
        let mut group: Vec<(usize, Named)> = Vec::new();
        for (index, request) in requests.iter().enumerate() {
            if journeys[index].ended {
                continue;
            }
            match self.inputs_of_stage(number, request, &mut journeys[index], cancel) {
                Ok(Some(before)) => group.push((index, before)),
                Ok(None) => {}
                Err(error) => journeys[index].end(index, Err(error), done),
            }
            if group.len() == batch {
                self.run_group(number, requests, journeys, &group, cancel, done);
                group.clear();
            }
        }
        if !group.is_empty() {
            self.run_group(number, requests, journeys, &group, cancel, done);
        }
    }

    fn run_group(
        &mut self,
        number: usize,
        requests: &[Request<'_>],
        journeys: &mut [Journey],
        group: &[(usize, Named)],
        cancel: &Cancel,
        done: &mut Done<'_>,
    ) {
        let start = Instant::now();
        let asked: Vec<(&Request<'_>, &Named)> = group
            .iter()
            .map(|(index, before)| (&requests[*index], before))
            .collect();
        let steps = match self.make_room(number) {
            Ok(()) => self.phases[number].stage.run_together(&asked, cancel),
            Err(error) => group.iter().map(|_| Err(error.clone())).collect(),
        };
        let seconds = start.elapsed().as_secs_f64() / group.len() as f64;
        let phase = self.phases[number].name;
        for ((index, _), step) in group.iter().zip(steps) {
            let journey = &mut journeys[*index];
            journey.timings.insert(phase.into(), seconds);
            match step.and_then(|step| self.store_step(step, journey)) {
                Ok(None) => {}
                Ok(Some(answer)) => journey.end(*index, Ok(answer), done),
                Err(error) => journey.end(*index, Err(error), done),
            }
        }
    }

    /// Removes all files except those that the next run can use.
    fn keep_only(&mut self, journeys: &[Journey]) {
        let unfinished = journeys.iter().flat_map(|journey| &journey.files);
        let unfinished: HashSet<&Key> = unfinished.collect();
        for key in std::mem::take(&mut self.kept) {
            if !unfinished.contains(&key) {
                self.scratch.remove(&key);
            }
        }
        self.scratch.remove_if_empty();
    }

    /// Removes the oldest files. Those of the current chunk are needed until its last phase, and the repeats
    /// of an item follow each other closely.
    fn remove_oldest(&mut self, keep: usize) {
        while self.kept.len() > keep {
            if let Some(key) = self.kept.pop_front() {
                self.scratch.remove(&key);
            }
        }
    }
}

/// Adds the additions of a stage to those of the earlier stages. The notes of all stages are kept.
fn add_remarks(all: &mut Object, mut more: Object) {
    for note in notes(&more) {
        add_note(all, note);
    }
    more.remove(NOTES);
    all.extend(more);
}

fn wrong<T>(result: candle_core::Result<T>) -> Result<T, GenerateError> {
    result.map_err(|error| GenerateError::item("network", error.to_string()))
}

impl Generator for Chain {
    fn check(&mut self, how: Checked) -> Result<(), GenerateError> {
        let mut phases = self.phases.iter();
        phases.try_for_each(|phase| phase.load(Some(how)))
    }

    fn generate(
        &mut self,
        request: &Request<'_>,
        cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        let mut made = None;
        self.generate_chunk(std::slice::from_ref(request), cancel, &mut |_, result| {
            made = Some(result);
        });
        made.unwrap_or(Err(GenerateError::Cancelled))
    }

    fn chunk(&self) -> usize {
        if self.fits_in_memory() {
            let batches = self.phases.iter().map(|phase| phase.stage.batch());
            batches.max().unwrap_or(1)
        } else {
            PHASED_CHUNK
        }
    }

    fn plan(&self) -> Vec<String> {
        let phases: Vec<(&str, u64)> = self
            .phases
            .iter()
            .map(|phase| (phase.name, phase.bytes()))
            .collect();
        plan_lines(&phases, self.budget)
    }

    fn generate_chunk(&mut self, requests: &[Request<'_>], cancel: &Cancel, done: &mut Done<'_>) {
        let start = || Journey {
            key: Key::start(),
            ended: false,
            timings: BTreeMap::new(),
            extra: Object::new(),
            files: Vec::new(),
        };
        let mut journeys: Vec<Journey> = requests.iter().map(|_| start()).collect();
        for (index, request) in requests.iter().enumerate() {
            let task = request.item.task;
            if !self.tasks.contains(&task) {
                journeys[index].ended = true;
                let message = format!("this model does not do the task {task:?}");
                done(index, Err(GenerateError::item("task", message)));
            }
        }
        for number in 0..self.phases.len() {
            self.run_phase(number, requests, &mut journeys, cancel, done);
        }
        if cancel.is_raised() {
            self.interrupted = true;
            self.keep_only(&journeys);
        } else {
            self.remove_oldest(4 * PHASED_CHUNK);
        }
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        if !self.interrupted && !self.kept.is_empty() {
            self.remove_oldest(0);
            self.scratch.remove_if_empty();
        }
    }
}

#[cfg(test)]
mod tests;
