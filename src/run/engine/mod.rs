//! The engine: generate, store and observe overlap through bounded channels.
//!
//! ```text
//! slots ─► generators ─► store (encode, hash, write) ─► observers
//!   ▲                         │                             │
//!   └── what starts from it ──┴────────► journals ◄─────────┘
//! ```
//!
//! Every arrow holds a few outputs only, so memory stays flat. A failure of one output is a record; a failure
//! of the disk, or of a generator that cannot continue, stops the run cleanly. Ctrl-C lets the outputs in
//! hand reach the journal.

mod generate;
mod journals;
mod look;
mod observe;
mod outcome;
mod shared;
mod store;
mod work;

pub use outcome::Outcome;
pub use work::{GeneratorFactory, Making, Work};

use super::error::RunError;
use super::event::Event;
use super::fingerprint::Fingerprints;
use super::folder::Stream;
use super::journal::{Journal, Journals as Before};
use super::output::{Made, OutputWriter};
use super::plan::{Plan, journals, plan};
use super::queue::Queue;
use crate::observe::Halt;
use crossbeam_channel::bounded;
use journals::{Journals, Line};
use look::Look;
use shared::Shared;

impl Work<'_> {
    /// Does what is left to do.
    ///
    /// # Errors
    /// Fails if a journal or a picture cannot be written, or the generator cannot continue. All finished
    /// outputs are kept.
    pub fn execute(&self) -> Result<Outcome, RunError> {
        let prints = (self.making.as_ref())
            .map(|making| Fingerprints::new(&self.asked, &making.identity))
            .transpose()?;
        let (outputs, repaired) =
            Journal::open(&self.folder.stream(Stream::Outputs, self.asked.shard))?;
        // Outputs that are only observed are those of this journal.
        let others = self.making.is_some();
        let before = journals(self.folder, Stream::Outputs, &self.asked, others)?;
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
        let mut journals = Journals { outputs, evidence };
        journals.adopt(&plan.adopted)?;
        if self.asked.shard.is_some() {
            journals.touch();
        }
        let shared = Shared::default();
        if !(plan.generate.is_empty() && plan.observe.is_empty()) {
            if plan.done > plan.observe.len() {
                (self.observers.iter()).for_each(|observer| observer.worked_before());
            }
            self.begin()?;
            self.flow(&plan, &before, prints.as_ref(), journals, &shared);
            self.end(&shared);
        }
        self.listener.on(Event::Finished);
        shared.into_outcome(plan.done, self.cancel.is_raised())
    }

    fn begin(&self) -> Result<(), RunError> {
        for observer in self.observers {
            let own = self.observer_path(observer.as_ref());
            match observer.begin(&own) {
                Err(error) if error.halt == Some(Halt::Interrupted) => return Ok(()),
                begun => begun.map_err(RunError::observer)?,
            }
        }
        Ok(())
    }

    fn end(&self, shared: &Shared) {
        for observer in self.observers {
            if let Err(error) = observer.end(&self.observer_path(observer.as_ref())) {
                shared.fail(RunError::observer(error));
            }
        }
    }

    fn announce(&self, plan: &Plan, repairs: impl Iterator<Item = String>) {
        for note in repairs.chain(plan.notes.iter().cloned()) {
            self.listener.on(Event::Note(note));
        }
        if plan.adopted_outputs > 0 {
            let count = plan.adopted_outputs;
            self.listener.on(Event::Note(format!(
                "outputs that are there already, since processes with other shards made them: {count}"
            )));
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
        before: &Before,
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
            // The channels close when their last worker ends, so this thread drops its own ends.
            drop((made_in, made, looks, line_in));
        });
    }
}
