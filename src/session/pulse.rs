//! The signs of life of a run that is being made: how far it is, and whether it still owns its folder.

use super::Session;
use crate::files::Lock;
use crate::run::{Beat, BeatState, Event, Listener, Outcome, RunFolder, Shard};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often the state is written down.
const EVERY: Duration = Duration::from_secs(20);

/// Passes all events on, and counts outputs.
struct Counting<'a> {
    inner: &'a dyn Listener,
    /// `None` for a run that is not divided.
    beat: Mutex<Option<Beat>>,
}

impl Listener for Counting<'_> {
    fn on(&self, event: Event) {
        let mut beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(beat) = beat.as_mut() {
            match &event {
                Event::Planned { outputs, done, .. } => {
                    beat.planned = outputs + done;
                    beat.there_before = *done;
                }
                Event::Generated { failed: true } => beat.failed += 1,
                Event::Generated { failed: false } => beat.made += 1,
                _ => {}
            }
        }
        drop(beat);
        self.inner.on(event);
    }
}

impl Counting<'_> {
    /// Writes the state down.
    fn write(&self, folder: &RunFolder, state: BeatState) {
        let mut beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(beat) = beat.as_mut() {
            beat.state = state;
            // The run does not need it. A disk that refuses is met by the run itself.
            let _ = beat.write(folder);
        }
    }
}

/// Makes outputs with `work`, and writes down how far they are, if they are those of a shard. When another
/// process takes the lock over, the run ends as if a signal had come.
pub(super) fn with_pulse<E>(
    session: &Session,
    (folder, shard): (&RunFolder, Option<Shard>),
    lock: &Lock,
    listener: &dyn Listener,
    work: impl FnOnce(&dyn Listener) -> Result<Outcome, E>,
) -> Result<Outcome, E> {
    let counting = Counting {
        inner: listener,
        beat: Mutex::new(shard.map(|shard| Beat::begin(folder, shard))),
    };
    counting.write(folder, BeatState::Running);
    let outcome = std::thread::scope(|scope| {
        // Dropping it ends the thread, also when the work panics.
        let (_stop, stopped) = channel::<()>();
        let counting = &counting;
        scope.spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(EVERY) {
                if lock.is_lost() {
                    session.remark(
                        "another process took this folder over, since this one gave no sign of life: stopping",
                    );
                    session.cancel().raise();
                    return;
                }
                counting.write(folder, BeatState::Running);
            }
        });
        work(counting)
    });
    if !lock.is_lost() {
        let complete = matches!(&outcome, Ok(outcome) if !outcome.interrupted);
        counting.write(
            folder,
            if complete {
                BeatState::Complete
            } else {
                BeatState::Stopped
            },
        );
    }
    outcome
}
