//! Makes one prepared run: generate and observe, then grade and report.

use super::grading::grade_folder;
use super::pulse::with_pulse;
use super::sync::{SyncOptions, SyncedRun};
use super::view::report_graded;
use super::{DeviceChoice, PreparedRun, Session, SessionError, ShardChoice, TitledSummary};
use crate::files::Lock;
use crate::observe::Observer;
use crate::record::Summary;
use crate::run::{
    Event, Listener, Making, Manifest, Outcome, Purpose, RunError, RunFolder, Shard, Work,
    read_json,
};
use std::collections::HashSet;
use std::time::Duration;

/// How the first stages are made.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// The part of the items that is run.
    pub shard: ShardChoice,
    /// How long another process that writes into the folder is waited for.
    pub wait_lock: Duration,
    /// Where the run is copied to while it is made. `None` copies nothing.
    pub sync: Option<SyncOptions>,
    /// The number of outputs that are made and observed at the same time.
    pub jobs: usize,
    /// Where networks of this process run.
    pub device: DeviceChoice,
    /// Bytes of device memory for the weights of networks in this process. `None` keeps all of them in
    /// memory.
    pub vram_budget: Option<u64>,
    /// Whether outputs are observed and graded. Otherwise they are only made.
    pub observe: bool,
}

/// A run after its stages.
#[derive(Debug)]
pub struct MadeRun {
    /// Where its files are.
    pub folder: RunFolder,
    /// What the first stages did.
    pub outcome: Outcome,
    /// The summary. `None` if only a part was made: a shard, outputs alone, or what was finished before an
    /// interruption.
    pub summary: Option<TitledSummary>,
}

/// What this process makes of a run, and what keeps others away from it. The lease ends before the lock.
struct OwnPart {
    shard: Option<Shard>,
    /// `None` if the run is not copied to a store.
    synced: Option<SyncedRun>,
    lock: Lock,
}

impl PreparedRun<'_> {
    /// Makes what is left of a run, grades it and writes its report.
    ///
    /// # Errors
    /// Fails if another process uses the folder, the disk cannot be written, or the generator cannot
    /// continue. What is finished is kept.
    pub fn execute(
        &self,
        session: &Session,
        observers: &[Box<dyn Observer>],
        options: &StageOptions,
    ) -> Result<MadeRun, SessionError> {
        let part = self.take_part(session, options)?;
        let make = || self.make(session, observers, options, &part);
        let Some(synced) = &part.synced else {
            return make();
        };
        let made = synced.during(session, make);
        // What is made goes to the store, also when the rest cannot be made.
        let sent = synced.send_rest();
        let made = made?;
        sent?;
        Ok(made)
    }

    /// Makes what this process shall make.
    fn make(
        &self,
        session: &Session,
        observers: &[Box<dyn Observer>],
        options: &StageOptions,
        part: &OwnPart,
    ) -> Result<MadeRun, SessionError> {
        let folder = &self.folder;
        let shard = part.shard;
        let listener = session.options.listener.run_listener(&self.label());
        let mut manifest = self.manifest(options.device.to_string(), shard, observers)?;
        let before = Manifest::read_before(folder, shard)?;
        let unchanged = self.begin(&mut manifest, before.as_ref(), listener.as_ref())?;
        if let Some(asked) = self.server_requests(shard)? {
            listener.on(Event::Note(asked.to_string()));
        }
        let outcome = with_pulse(
            session,
            (folder, shard),
            &part.lock,
            listener.as_ref(),
            |counting| self.make_outputs(session, observers, (options, shard), counting),
        )?;
        if !outcome.interrupted {
            folder.clear_scratch(shard);
        }
        if outcome.interrupted || shard.is_some() || !options.observe {
            if shard.is_some() && !outcome.interrupted {
                manifest.finished = Some(jiff::Timestamp::now());
            }
            manifest.write_own(folder)?;
            return Ok(MadeRun {
                folder: folder.clone(),
                outcome,
                summary: None,
            });
        }
        let finished_before = before.is_some_and(|before| before.finished.is_some());
        let complete = unchanged && finished_before && outcome.is_idle();
        let summary = self.score(session, &manifest, complete)?;
        if !complete {
            manifest.finished = Some(jiff::Timestamp::now());
            manifest.write(folder)?;
        }
        Ok(MadeRun {
            folder: folder.clone(),
            outcome,
            summary: Some(summary),
        })
    }

    /// Finds out which shard this process makes, and takes its lock and its lease in the object store. The
    /// number of shards is noted in the folder.
    fn take_part(
        &self,
        session: &Session,
        options: &StageOptions,
    ) -> Result<OwnPart, SessionError> {
        let folder = &self.folder;
        if let Some(sync) = &options.sync {
            sync.fetch_division(folder)?;
        }
        let chosen = options.shard.resolve(folder)?;
        if let (Some(shard), Some(from)) = (chosen.shard, &chosen.from) {
            session.remark(&format!("shard {shard} ({from})"));
        }
        let lock = session.lock(folder, chosen.shard, Purpose::Make, options.wait_lock)?;
        let begin = |sync: &SyncOptions| {
            let items = self.own_items(chosen.shard);
            let holds = |item: &str| items.contains(item);
            sync.begin(session, (folder, chosen.shard), options.wait_lock, &holds)
        };
        let synced = options.sync.as_ref().map(begin).transpose()?;
        if let Some(shard) = chosen.shard {
            // Another process may have noted another number in the meantime.
            options.shard.resolve(folder)?;
            folder.note_division(shard.count())?;
        }
        Ok(OwnPart {
            shard: chosen.shard,
            synced,
            lock,
        })
    }

    /// The items of a shard, or all.
    fn own_items(&self, shard: Option<Shard>) -> HashSet<&str> {
        let asked = self.asked_outputs(shard);
        let slots = asked.slots();
        slots
            .map(|slot| asked.item_and_repeat(slot).0.item.as_str())
            .collect()
    }

    /// Writes the items and the manifest, and reports what changed since the last execution. True if nothing
    /// changed.
    fn begin(
        &self,
        manifest: &mut Manifest,
        before: Option<&Manifest>,
        listener: &dyn Listener,
    ) -> Result<bool, SessionError> {
        let changed = before.map_or_else(Vec::new, |before| before.changes(manifest, 6));
        for change in &changed {
            listener.on(Event::Note(format!("changed since the last run: {change}")));
        }
        let other_items = self.folder.freeze_items(&self.selected.items)?;
        if other_items {
            let note = "the items differ from those of the last run";
            listener.on(Event::Note(note.into()));
        }
        match before {
            Some(before) if changed.is_empty() && before.shard == manifest.shard => {
                manifest.started = before.started;
            }
            _ => manifest.write_own(&self.folder)?,
        }
        Ok(changed.is_empty() && !other_items)
    }

    /// Grades the run and writes its report. If it is `complete`, an existing summary and report are used.
    fn score(
        &self,
        session: &Session,
        manifest: &Manifest,
        complete: bool,
    ) -> Result<TitledSummary, SessionError> {
        let folder = &self.folder;
        if complete
            && folder.report().join("index.html").is_file()
            && let Ok(summary) = read_json::<Summary>(&folder.summary())
        {
            return Ok(TitledSummary::new(summary, manifest));
        }
        let items = Some(self.selected.items.clone());
        let graded = grade_folder(session, folder, manifest, None, items)?;
        report_graded(folder, manifest, graded)
    }

    fn make_outputs(
        &self,
        session: &Session,
        observers: &[Box<dyn Observer>],
        (options, shard): (&StageOptions, Option<Shard>),
        listener: &dyn Listener,
    ) -> Result<Outcome, SessionError> {
        let generator = self.configured.generator;
        let settings = &self.configured.settings;
        let resources = self.resources(session)?;
        let place = self
            .network_place(options.device, options.vram_budget, shard)
            .map_err(|reason| SessionError::Device {
                reason,
                help: "choose another `--device`",
            })?;
        let factory = || {
            let opened = generator.open(settings, &resources, &place);
            opened.map_err(|error| RunError::Generator {
                message: error.to_string(),
                help: miette::Diagnostic::help(&error)
                    .map(|help| help.to_string())
                    .unwrap_or_default(),
            })
        };
        let work = Work {
            folder: &self.folder,
            asked: self.asked_outputs(shard),
            making: Some(Making {
                factory: &factory,
                identity: self.identity(),
                workers: generator.workers(settings, options.jobs)?,
            }),
            layout: self.selected.suite.layout,
            observers: if options.observe { observers } else { &[] },
            observe_workers: options.jobs,
            cancel: session.cancel(),
            listener,
        };
        Ok(work.execute()?)
    }
}
