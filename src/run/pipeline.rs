//! The engine: generate, store and observe overlap through bounded channels.
//!
//! ```text
//! slots ─► generators ─► store (encode, hash, write) ─► observers
//!   ▲                         │                             │
//!   └── what starts from it ──┴────────► journals ◄─────────┘
//! ```
//!
//! Every arrow holds a few outputs only, so memory stays flat. A failure of one output is a record; a failure of the
//! disk, or of a generator that cannot go on, stops the run cleanly. Ctrl-C lets the outputs in hand reach the journal.

use super::chain::Inputs;
use super::error::RunError;
use super::event::{Event, Listener};
use super::folder::{RunFolder, Stream};
use super::journal::{Journal, Lines};
use super::output::{Made, OUTPUT_PICTURE, OutputWriter};
use super::plan::{Asked, Fingerprints, Plan, Slot, content_hash, evidence_fingerprint, plan};
use super::queue::Queue;
use crate::cancel::Cancel;
use crate::generate::{GenerateError, Generated, Generator, Request};
use crate::layout::Layout;
use crate::observe::{Halt, Noted, ObserveError, Observer, Subject};
use crate::record::{Evidence, Failure, Item, Object, Output, add_note, notes};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::collections::BTreeSet;
use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

/// Makes one generator per worker.
pub type GeneratorFactory<'a> = dyn Fn() -> Result<Box<dyn Generator>, RunError> + Sync + 'a;

/// Who makes outputs, and all that shapes them beside item and seed.
pub struct Making<'a> {
    /// Makes the generators.
    pub factory: &'a GeneratorFactory<'a>,
    /// Part of every output's fingerprint.
    pub identity: serde_json::Value,
    /// Generators that work at the same time.
    pub workers: usize,
}

/// One execution of the first stages.
pub struct Work<'a> {
    /// The run folder.
    pub folder: &'a RunFolder,
    /// The outputs that are asked for.
    pub asked: Asked<'a>,
    /// None observes what is there.
    pub making: Option<Making<'a>>,
    /// How output images are named.
    pub layout: Layout,
    /// The observers.
    pub observers: &'a [Box<dyn Observer>],
    /// Threads that look at outputs.
    pub observe_workers: usize,
    /// The flag that ends the run.
    pub cancel: &'a Cancel,
    /// Receives the events.
    pub listener: &'a dyn Listener,
}

/// How an execution ended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Outputs that were already good.
    pub done_before: usize,
    /// Number of generated outputs.
    pub generated: usize,
    /// Number of outputs that failed.
    pub generate_failed: usize,
    /// Number of observations.
    pub observed: usize,
    /// Number of observations that failed.
    pub observe_failed: usize,
    /// Whether the run was interrupted.
    pub interrupted: bool,
}

impl AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.done_before += other.done_before;
        self.generated += other.generated;
        self.generate_failed += other.generate_failed;
        self.observed += other.observed;
        self.observe_failed += other.observe_failed;
        self.interrupted |= other.interrupted;
    }
}

impl Work<'_> {
    /// What is left to do; writes nothing.
    ///
    /// # Errors
    /// When the journals of the folder cannot be read.
    pub fn plan(&self) -> Result<Plan, RunError> {
        let outputs = Lines::read(&self.folder.stream(Stream::Outputs, self.asked.shard))?;
        plan(
            self.folder,
            &self.asked,
            self.fingerprints().as_ref(),
            self.observers,
            &outputs,
        )
    }

    fn fingerprints(&self) -> Option<Fingerprints> {
        self.making
            .as_ref()
            .map(|making| Fingerprints::new(&self.asked, &making.identity))
    }

    /// Does what is left to do.
    ///
    /// # Errors
    /// When a journal or picture cannot be written, or the generator cannot go on. All finished outputs are kept.
    pub fn execute(&self) -> Result<Outcome, RunError> {
        let prints = self.fingerprints();
        let (outputs, repaired) =
            Journal::open(&self.folder.stream(Stream::Outputs, self.asked.shard))?;
        let before = Lines::read(&self.folder.stream(Stream::Outputs, self.asked.shard))?;
        let (evidence, torn) =
            Journal::open(&self.folder.stream(Stream::Evidence, self.asked.shard))?;
        let plan = plan(
            self.folder,
            &self.asked,
            prints.as_ref(),
            self.observers,
            &before,
        )?;
        self.announce(&plan, repaired.into_iter().chain(torn));
        let shared = Shared::default();
        if !(plan.generate.is_empty() && plan.observe.is_empty()) {
            if plan.done > plan.observe.len() {
                (self.observers.iter()).for_each(|observer| observer.worked_before());
            }
            self.begin()?;
            self.flow(
                &plan,
                &before,
                prints.as_ref(),
                Journals { outputs, evidence },
                &shared,
            );
            self.end(&shared);
        }
        self.listener.on(Event::Finished);
        shared.into_outcome(plan.done, self.cancel.is_raised())
    }

    /// Where an observer keeps files of its own.
    fn own(&self, observer: &dyn Observer) -> std::path::PathBuf {
        let name = super::shard::name(observer.name(), self.asked.shard, "");
        self.folder.root().join(name)
    }

    fn begin(&self) -> Result<(), RunError> {
        for observer in self.observers {
            let own = self.own(observer.as_ref());
            match observer.begin(&own) {
                Err(error) if error.halt == Some(Halt::Interrupted) => return Ok(()),
                begun => begun.map_err(RunError::observer)?,
            }
        }
        Ok(())
    }

    fn end(&self, shared: &Shared) {
        for observer in self.observers {
            if let Err(error) = observer.end(&self.own(observer.as_ref())) {
                shared.fail(RunError::observer(error));
            }
        }
    }

    fn announce(&self, plan: &Plan, repairs: impl Iterator<Item = String>) {
        for note in repairs.chain(plan.notes.iter().cloned()) {
            self.listener.on(Event::Note(note));
        }
        for (count, why) in [
            (
                plan.stale,
                "outputs to make again, since their settings or their item changed",
            ),
            (
                plan.retried,
                "outputs to try again, since they failed before",
            ),
            (
                plan.lost,
                "outputs to make again, since their file is missing",
            ),
        ] {
            if count > 0 && self.making.is_some() {
                self.listener.on(Event::Note(format!("{why}: {count}")));
            }
        }
        self.listener.on(Event::Planned {
            outputs: plan.generate.len(),
            done: plan.done,
            observations: (plan.observe.len() + plan.generate.len()) * self.observers.len(),
        });
    }

    fn flow(
        &self,
        plan: &Plan,
        before: &Lines,
        prints: Option<&Fingerprints>,
        journals: Journals,
        shared: &Shared,
    ) {
        let writer = OutputWriter {
            folder: self.folder,
            layout: self.layout,
            asked: &self.asked,
            prints,
            inputs: &plan.inputs,
        };
        let queue = &Queue::new(&self.asked, &plan.generate);
        let generators = self
            .making
            .as_ref()
            .map_or(1, |making| making.workers.max(1));
        let (made_in, made) = bounded::<Made>(generators * 2);
        let (look_in, looks) = bounded::<Look>((self.observe_workers * 2 + 2).max(self.batch()));
        let (line_in, lines) = bounded::<Line>(1024);
        std::thread::scope(|scope| {
            scope.spawn(move || journals.write(&lines, shared));
            for _ in 0..generators.min(plan.generate.len()) {
                let made_in = made_in.clone();
                scope.spawn(move || self.generate(queue, plan, &made_in, shared));
            }
            for _ in 0..2.min(plan.generate.len()) {
                let (made, line_in, look_in, writer) =
                    (made.clone(), line_in.clone(), look_in.clone(), &writer);
                scope.spawn(move || self.store(writer, queue, &made, &line_in, &look_in, shared));
            }
            for _ in 0..self.observe_workers.max(1) {
                let (looks, line_in) = (looks.clone(), line_in.clone());
                scope.spawn(move || self.observe(&looks, &plan.inputs, &line_in, shared));
            }
            scope.spawn(move || self.reload(plan, before, &look_in, shared));
            // The channels close when their last worker ends: this thread's own ends must go.
            drop((made_in, made, looks, line_in));
        });
    }

    fn stopped(&self, shared: &Shared) -> bool {
        self.cancel.is_raised() || shared.stop.load(Ordering::SeqCst)
    }

    fn generate(&self, queue: &Queue, plan: &Plan, made: &Sender<Made>, shared: &Shared) {
        let Some(making) = &self.making else { return };
        let mut generator = match (making.factory)() {
            Ok(generator) => generator,
            Err(error) => return shared.fail(error),
        };
        if plan.done > 0 {
            generator.worked_before();
        }
        let chunk = generator.chunk().max(1);
        loop {
            let slots = queue.take(chunk, || self.stopped(shared));
            if slots.is_empty() {
                return;
            }
            let mut items = Vec::new();
            for slot in slots {
                match self.asked.item(slot, &plan.inputs) {
                    Ok(item) => items.push((slot, item)),
                    Err(why) => {
                        self.pass_on(
                            slot,
                            Err(GenerateError::item("input", why)),
                            0.0,
                            made,
                            shared,
                        );
                    }
                }
            }
            let requests: Vec<Request<'_>> = items
                .iter()
                .map(|(slot, item)| Request {
                    item,
                    base: self.asked.base,
                    repeat: self.asked.of(*slot).1,
                    seed: self.asked.seed(*slot),
                })
                .collect();
            let mut left: BTreeSet<usize> = (0..items.len()).collect();
            let mut start = Instant::now();
            let mut done = |index: usize, result: Result<Generated, GenerateError>| {
                if left.remove(&index) {
                    let mut seconds = start.elapsed().as_secs_f64();
                    start = Instant::now();
                    // In a chunk the first answer waits for the phases of all: each one's own phases count.
                    if let Ok(Generated { timings, .. }) = &result
                        && requests.len() > 1
                        && !timings.is_empty()
                    {
                        seconds = timings.values().sum();
                    }
                    self.pass_on(items[index].0, result, seconds, made, shared);
                }
            };
            let ended = guarded(|| generator.generate_chunk(&requests, self.cancel, &mut done));
            let message = match ended {
                Ok(()) => "internal error: the generator gave no answer".to_owned(),
                Err(message) => message,
            };
            for index in left {
                let result = Err(GenerateError::item("panic", &message));
                self.pass_on(items[index].0, result, 0.0, made, shared);
            }
        }
    }

    /// Sends an answer to the store.
    fn pass_on(
        &self,
        slot: Slot,
        result: Result<Generated, GenerateError>,
        seconds: f64,
        made: &Sender<Made>,
        shared: &Shared,
    ) {
        let result = match result {
            Ok(generated) => Ok(generated),
            // The signal that ends this run reaches what it works with, too: the next run tells whether this can be made.
            Err(_) if self.cancel.is_raised() => return shared.stop.store(true, Ordering::SeqCst),
            Err(GenerateError::Item { kind, message }) => Err(Failure {
                stage: "generate".into(),
                kind: kind.into(),
                message,
            }),
            Err(GenerateError::Fatal { message, help }) => {
                return shared.fail(RunError::Generator { message, help });
            }
            // What waits for this output waits no longer.
            Err(GenerateError::Cancelled) => return shared.stop.store(true, Ordering::SeqCst),
        };
        // The store ends early only when the run stops.
        let _ = made.send(Made {
            slot,
            result,
            seconds,
        });
    }

    fn store(
        &self,
        writer: &OutputWriter<'_>,
        queue: &Queue,
        made: &Receiver<Made>,
        lines: &Sender<Line>,
        looks: &Sender<Look>,
        shared: &Shared,
    ) {
        for made in made {
            let slot = made.slot;
            let written = guarded(|| writer.write(made));
            let (output, pixels) = match written.unwrap_or_else(|why| Err(RunError::Invalid(why))) {
                Ok(written) => written,
                Err(error) => {
                    shared.fail(error);
                    continue;
                }
            };
            let failed = output.error.is_some();
            if let Some(failure) = &output.error {
                self.tell_failure(&output.item, output.repeat, "generate", &failure.message);
            }
            shared.count(&shared.generated, &shared.generate_failed, failed);
            self.listener.on(Event::Generated { failed });
            if lines.send(Line::output(&output)).is_err() {
                break;
            }
            if self.asked.after(slot).next().is_some() {
                writer.inputs.put(slot, &output, self.folder.root());
                queue.release(self.asked.after(slot));
            }
            if !failed && !self.observers.is_empty() && !self.stopped(shared) {
                let _ = looks.send(Look {
                    pixels,
                    ..Look::new(slot, output)
                });
            }
        }
    }

    fn reload(&self, plan: &Plan, before: &Lines, looks: &Sender<Look>, shared: &Shared) {
        for (slot, line) in &plan.observe {
            if self.stopped(shared) {
                return;
            }
            match before.parse_one::<Output>(*line) {
                Ok(output) => {
                    let _ = looks.send(Look::new(*slot, output));
                }
                Err(error) => return shared.fail(error),
            }
        }
    }

    /// How many outputs the observers like to see together.
    fn batch(&self) -> usize {
        let batches = self.observers.iter().map(|observer| observer.batch());
        batches.max().unwrap_or(1)
    }

    fn observe(
        &self,
        looks: &Receiver<Look>,
        inputs: &Inputs,
        lines: &Sender<Line>,
        shared: &Shared,
    ) {
        // Of pictures in memory, all workers together hold two batches at most.
        let batch = self.batch();
        let batch = batch.min((batch * 2).div_ceil(self.observe_workers.max(1)));
        while let Ok(first) = looks.recv() {
            let mut group = vec![first];
            while group.len() < batch {
                match looks.try_recv() {
                    Ok(look) => group.push(look),
                    Err(_) => break,
                }
            }
            if self.stopped(shared) {
                continue;
            }
            let unreadable: Vec<Option<ObserveError>> = group
                .iter_mut()
                .map(|look| look.load(self.folder, &self.asked, inputs).err())
                .collect();
            for observer in self.observers {
                let records = self.look(observer.as_ref(), &group, &unreadable, shared);
                for record in records {
                    let failed = record.error.is_some();
                    if let Some(failure) = &record.error {
                        self.tell_failure(&record.item, record.repeat, "observe", &failure.message);
                    }
                    shared.count(&shared.observed, &shared.observe_failed, failed);
                    self.listener.on(Event::Observed { failed });
                    if lines.send(Line::evidence(&record)).is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// One observer looks at a group; pictures that cannot be read become failures without bothering it.
    fn look(
        &self,
        observer: &dyn Observer,
        group: &[Look],
        unreadable: &[Option<ObserveError>],
        shared: &Shared,
    ) -> Vec<Evidence> {
        let start = Instant::now();
        let file = |look: &Look| Some(self.folder.root().join(look.output.file.as_ref()?));
        let files: Vec<Option<std::path::PathBuf>> = group.iter().map(file).collect();
        let noted: Vec<Noted> = group.iter().map(|_| Noted::default()).collect();
        let subjects: Vec<Subject<'_>> = group
            .iter()
            .zip(&files)
            .zip(&noted)
            .zip(unreadable)
            .filter(|(_, error)| error.is_none())
            .map(|(((look, file), noted), _)| Subject {
                item: look.item(&self.asked),
                base: self.asked.base,
                output: &look.output,
                image: look.pixels.as_ref(),
                file: file.as_deref(),
                noted,
            })
            .collect();
        let mut seen = guarded(|| observer.observe(&subjects))
            .unwrap_or_else(|message| {
                subjects
                    .iter()
                    .map(|_| Err(ObserveError::new("panic", &message)))
                    .collect()
            })
            .into_iter();
        let seconds = start.elapsed().as_secs_f64() / group.len().max(1) as f64;
        let short = || {
            Err(ObserveError::new(
                "short",
                "the observer answered for fewer outputs than it was given",
            ))
        };
        group
            .iter()
            .zip(noted)
            .zip(unreadable)
            .filter_map(|((look, noted), error)| {
                let result = match error {
                    Some(error) => Err(error.clone()),
                    None => seen.next().unwrap_or_else(short),
                };
                let (evidence, error) = match result {
                    Ok(evidence) => (Some(evidence), None),
                    // Nothing is recorded of an output that the end of the run came before.
                    Err(error) if error.halt.is_some() => {
                        if error.halt != Some(Halt::Interrupted) {
                            shared.fail(RunError::observer(error));
                        }
                        return None;
                    }
                    // As with outputs: what failed since the end was asked for is tried again.
                    Err(_) if self.cancel.is_raised() => return None,
                    Err(ObserveError { kind, message, .. }) => (
                        None,
                        Some(Failure {
                            stage: "observe".into(),
                            kind: kind.into(),
                            message,
                        }),
                    ),
                };
                let mut extra = Object::new();
                for note in look.notes.iter().cloned().chain(noted.taken()) {
                    add_note(&mut extra, &note);
                }
                Some(Evidence {
                    item: look.output.item.clone(),
                    repeat: look.output.repeat,
                    observer: observer.name().into(),
                    fingerprint: evidence_fingerprint(
                        observer,
                        (self.asked.of(look.slot).0, look.item(&self.asked)),
                        self.asked.base,
                        &content_hash(&look.output),
                    ),
                    seconds,
                    evidence,
                    error,
                    extra,
                })
            })
            .collect()
    }

    fn tell_failure(&self, item: &str, repeat: u32, stage: &'static str, message: &str) {
        self.listener.on(Event::Failed {
            item: item.into(),
            repeat,
            stage,
            message: message.into(),
        });
    }
}

/// An output on its way to the observers.
struct Look {
    slot: Slot,
    output: Output,
    pixels: Option<image::RgbImage>,
    /// The item with the picture that it starts from, where that is another's output.
    item: Option<Item>,
    /// What decoding changed of the output's picture, where its record does not say so.
    notes: Vec<String>,
}

impl Look {
    fn new(slot: Slot, output: Output) -> Self {
        Self {
            slot,
            output,
            pixels: None,
            item: None,
            notes: Vec::new(),
        }
    }

    fn item<'a>(&'a self, asked: &Asked<'a>) -> &'a Item {
        self.item.as_ref().unwrap_or(asked.of(self.slot).0)
    }

    /// Finds the picture that the output starts from, and reads the output back when it was made earlier.
    fn load(
        &mut self,
        folder: &RunFolder,
        asked: &Asked<'_>,
        inputs: &Inputs,
    ) -> Result<(), ObserveError> {
        if asked.before(self.slot).is_some() {
            let item = asked.item(self.slot, inputs);
            let item = item.map_err(|why| ObserveError::new("input", why))?;
            self.item = Some(item.into_owned());
        }
        if let (None, Some(file)) = (&self.pixels, &self.output.file) {
            let decoded = crate::image::decode_file(&folder.root().join(file))
                .map_err(|error| ObserveError::new("image", error.to_string()))?;
            let known: Vec<&str> = notes(&self.output.extra).collect();
            let changes = decoded.changes.iter();
            let found = changes.map(|change| change.note(OUTPUT_PICTURE));
            self.notes = found
                .filter(|note| !known.contains(&note.as_str()))
                .collect();
            self.pixels = Some(decoded.rgb);
        }
        Ok(())
    }
}

/// Runs foreign code so that a panic in it is a failure of one output.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        format!(
            "internal error: {}",
            text.unwrap_or_else(|| "unknown".into())
        )
    })
}

/// A serialised record for a journal.
struct Line {
    stream: Stream,
    bytes: Vec<u8>,
}

impl Line {
    fn output(output: &Output) -> Self {
        Self {
            stream: Stream::Outputs,
            bytes: serde_json::to_vec(output).unwrap_or_default(),
        }
    }

    fn evidence(evidence: &Evidence) -> Self {
        Self {
            stream: Stream::Evidence,
            bytes: serde_json::to_vec(evidence).unwrap_or_default(),
        }
    }
}

struct Journals {
    outputs: Journal,
    evidence: Journal,
}

impl Journals {
    /// Appends what arrives; hands it to the kernel whenever nothing waits.
    fn write(mut self, lines: &Receiver<Line>, shared: &Shared) {
        let result = (|| {
            while let Ok(line) = lines.recv() {
                self.append(&line)?;
                while let Ok(line) = lines.try_recv() {
                    self.append(&line)?;
                }
                self.outputs.flush()?;
                self.evidence.flush()?;
            }
            self.outputs.sync()?;
            self.evidence.sync()
        })();
        if let Err(error) = result {
            shared.fail(error);
            // Let the workers run dry instead of blocking on a full channel.
            lines.iter().for_each(drop);
        }
    }

    fn append(&mut self, line: &Line) -> Result<(), RunError> {
        match line.stream {
            Stream::Outputs => self.outputs.append(&line.bytes),
            Stream::Evidence => self.evidence.append(&line.bytes),
        }
    }
}

/// What the workers share.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    error: Mutex<Option<RunError>>,
    generated: AtomicUsize,
    generate_failed: AtomicUsize,
    observed: AtomicUsize,
    observe_failed: AtomicUsize,
}

impl Shared {
    /// Keeps the first error and stops the flow.
    fn fail(&self, error: RunError) {
        self.stop.store(true, Ordering::SeqCst);
        if let Ok(mut first) = self.error.lock() {
            first.get_or_insert(error);
        }
    }

    fn count(&self, good: &AtomicUsize, bad: &AtomicUsize, failed: bool) {
        if failed { bad } else { good }.fetch_add(1, Ordering::Relaxed);
    }

    fn into_outcome(self, done_before: usize, interrupted: bool) -> Result<Outcome, RunError> {
        if let Some(error) = self.error.into_inner().ok().flatten() {
            return Err(error);
        }
        Ok(Outcome {
            done_before,
            generated: self.generated.into_inner(),
            generate_failed: self.generate_failed.into_inner(),
            observed: self.observed.into_inner(),
            observe_failed: self.observe_failed.into_inner(),
            interrupted,
        })
    }
}
