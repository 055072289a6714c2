//! The threads that show outputs to the observers.

use super::journals::Line;
use super::look::Look;
use super::shared::Shared;
use super::work::{Work, catch_panic};
use crate::observe::{Halt, Noted, ObserveError, Observer, Subject};
use crate::record::{Evidence, Failure, Object, add_note};
use crate::run::chain::Inputs;
use crate::run::error::RunError;
use crate::run::event::Event;
use crate::run::fingerprint::{content_hash, evidence_fingerprint};
use crossbeam_channel::{Receiver, Sender};
use serde_json::Value;
use std::time::Instant;

impl Work<'_> {
    /// How many outputs the observers like to see together.
    pub(super) fn batch(&self) -> usize {
        let batches = self.observers.iter().map(|observer| observer.batch());
        batches.max().unwrap_or(1)
    }

    /// Shows outputs to all observers, some at a time, until no more come.
    pub(super) fn observe(
        &self,
        looks: &Receiver<Look>,
        inputs: &Inputs,
        lines: &Sender<Line>,
        shared: &Shared,
    ) {
        // All workers together keep at most two batches of pictures in memory.
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
                for record in self.look(observer.as_ref(), &group, &unreadable, shared) {
                    if !self.keep_evidence(&record, lines, shared) {
                        return;
                    }
                }
            }
        }
    }

    /// Counts a record, tells of its failure, and sends it to its journal. Returns false when the run stops.
    fn keep_evidence(&self, record: &Evidence, lines: &Sender<Line>, shared: &Shared) -> bool {
        let line = match Line::evidence(record) {
            Ok(line) => line,
            Err(error) => {
                shared.fail(error);
                return false;
            }
        };
        if let Some(failure) = &record.error {
            self.tell_failure(&record.item, record.repeat, "observe", &failure.message);
        }
        let failed = record.error.is_some();
        shared.observations.add(failed);
        self.listener.on(Event::Observed { failed });
        lines.send(line).is_ok()
    }

    /// Shows a group of outputs to one observer. Pictures that cannot be read become failures, and the
    /// observer does not get them.
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
        let mut seen = catch_panic(|| observer.observe(&subjects))
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
        let mut records = Vec::with_capacity(group.len());
        for ((look, noted), error) in group.iter().zip(noted).zip(unreadable) {
            let result = match error {
                Some(error) => Err(error.clone()),
                None => seen.next().unwrap_or_else(short),
            };
            let Some((evidence, error)) = self.evidence_or_failure(result, shared) else {
                continue;
            };
            let mut extra = Object::new();
            for note in look.notes.iter().cloned().chain(noted.into_notes()) {
                add_note(&mut extra, &note);
            }
            records.push(Evidence {
                item: look.output.item.clone(),
                repeat: look.output.repeat,
                observer: observer.name().into(),
                fingerprint: evidence_fingerprint(
                    observer,
                    (
                        self.asked.item_and_repeat(look.slot).0,
                        look.item(&self.asked),
                    ),
                    self.asked.base,
                    &content_hash(&look.output),
                ),
                seconds,
                evidence,
                error,
                extra,
            });
        }
        records
    }

    /// What a record says of an observer's answer. `None` if nothing is recorded.
    fn evidence_or_failure(
        &self,
        result: Result<Value, ObserveError>,
        shared: &Shared,
    ) -> Option<(Option<Value>, Option<Failure>)> {
        match result {
            Ok(evidence) => Some((Some(evidence), None)),
            // The end of the run came before this output.
            Err(error) if error.halt.is_some() => {
                if error.halt != Some(Halt::Interrupted) {
                    shared.fail(RunError::observer(error));
                }
                None
            }
            // As with outputs, an observation that failed after the end was asked for is tried again.
            Err(_) if self.cancel.is_raised() => None,
            Err(ObserveError { kind, message, .. }) => {
                let failure = Failure {
                    stage: "observe".into(),
                    kind: kind.into(),
                    message,
                };
                Some((None, Some(failure)))
            }
        }
    }
}
