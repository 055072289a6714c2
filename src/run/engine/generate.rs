//! The threads with a generator each: from slots to answers.

use super::shared::Shared;
use super::work::{Work, catch_panic};
use crate::generate::{GenerateError, Generated, Request};
use crate::record::Failure;
use crate::run::chain::Slot;
use crate::run::error::RunError;
use crate::run::output::Made;
use crate::run::plan::Plan;
use crate::run::queue::Queue;
use crossbeam_channel::Sender;
use std::collections::BTreeSet;
use std::time::Instant;

impl Work<'_> {
    /// Makes outputs with one generator until none is left.
    pub(super) fn generate(
        &self,
        queue: &Queue,
        plan: &Plan,
        made: &Sender<Made>,
        shared: &Shared,
    ) {
        let Some(making) = &self.making else { return };
        let mut generator = match (making.factory)() {
            Ok(generator) => generator,
            Err(error) => return shared.fail(error),
        };
        if plan.done > 0 {
            generator.worked_before();
        }
        loop {
            // A program of the user's names the size of its batches only after it was started.
            let chunk = generator.chunk().max(1);
            let slots = queue.take_ready(chunk, || self.stopped(shared));
            if slots.is_empty() {
                return;
            }
            let mut items = Vec::new();
            for slot in slots {
                match self.asked.item(slot, &plan.inputs) {
                    Ok(item) => items.push((slot, item)),
                    Err(why) => {
                        self.send_answer(
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
                    repeat: self.asked.item_and_repeat(*slot).1,
                    seed: self.asked.seed(*slot),
                })
                .collect();
            let mut left: BTreeSet<usize> = (0..items.len()).collect();
            let mut start = Instant::now();
            let mut done = |index: usize, result: Result<Generated, GenerateError>| {
                if left.remove(&index) {
                    let mut seconds = start.elapsed().as_secs_f64();
                    start = Instant::now();
                    // The first answer of a chunk waits for the phases of all its outputs, so only the phases
                    // of an output itself count.
                    if let Ok(Generated { timings, .. }) = &result
                        && requests.len() > 1
                        && !timings.is_empty()
                    {
                        seconds = timings.values().sum();
                    }
                    self.send_answer(items[index].0, result, seconds, made, shared);
                }
            };
            let ended = catch_panic(|| generator.generate_chunk(&requests, self.cancel, &mut done));
            let message = match ended {
                Ok(()) => "internal error: the generator gave no answer".to_owned(),
                Err(message) => message,
            };
            for index in left {
                let result = Err(GenerateError::item("panic", &message));
                self.send_answer(items[index].0, result, 0.0, made, shared);
            }
        }
    }

    /// Sends an answer to the store.
    fn send_answer(
        &self,
        slot: Slot,
        result: Result<Generated, GenerateError>,
        seconds: f64,
        made: &Sender<Made>,
        shared: &Shared,
    ) {
        let result = match result {
            Ok(generated) => Ok(generated),
            // The signal that ends this run also reaches the processes that it works with. The next run finds
            // out whether this output can be made.
            Err(_) if self.cancel.is_raised() => return shared.stop(),
            Err(GenerateError::Item { kind, message }) => Err(Failure {
                stage: "generate".into(),
                kind: kind.into(),
                message,
            }),
            Err(GenerateError::Fatal { message, help }) => {
                return shared.fail(RunError::Generator { message, help });
            }
            // The outputs that wait for this one need not wait any longer.
            Err(GenerateError::Cancelled) => return shared.stop(),
        };
        // The store ends early only when the run stops.
        let _ = made.send(Made {
            slot,
            result,
            seconds,
        });
    }
}
