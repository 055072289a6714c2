//! The threads that write answers into the run folder, and the one that reads earlier outputs back.

use super::journals::Line;
use super::look::Look;
use super::shared::Shared;
use super::work::{Work, catch_panic};
use crate::record::Output;
use crate::run::error::RunError;
use crate::run::event::Event;
use crate::run::journal::Journals;
use crate::run::output::{Made, OutputWriter};
use crate::run::plan::Plan;
use crate::run::queue::Queue;
use crossbeam_channel::{Receiver, Sender};

impl Work<'_> {
    /// Writes answers, and hands them to the journals and to the observers.
    pub(super) fn store(
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
            let written = catch_panic(|| writer.write(made));
            let written = written.unwrap_or_else(|why| Err(RunError::Invalid(why)));
            let written = written.and_then(|(output, pixels)| {
                let line = Line::output(&output)?;
                Ok((output, pixels, line))
            });
            let (output, pixels, line) = match written {
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
            shared.outputs.add(failed);
            self.listener.on(Event::Generated { failed });
            if lines.send(line).is_err() {
                break;
            }
            if self.asked.after(slot).next().is_some() {
                writer.inputs.add_output(slot, &output, self.folder.root());
                queue.release(self.asked.after(slot));
            }
            if !failed && !self.observers.is_empty() && !self.stopped(shared) {
                let _ = looks.send(Look::new(slot, output, pixels));
            }
        }
    }

    /// Reads earlier outputs back for the observers that have not seen them.
    pub(super) fn reload(
        &self,
        plan: &Plan,
        before: &Journals,
        looks: &Sender<Look>,
        shared: &Shared,
    ) {
        for (slot, line) in &plan.observe {
            if self.stopped(shared) {
                return;
            }
            match before.parse_one::<Output>(*line) {
                Ok(output) => {
                    let _ = looks.send(Look::new(*slot, output, None));
                }
                Err(error) => return shared.fail(error),
            }
        }
    }
}
