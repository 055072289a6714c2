//! Makes one prepared run: generate and observe, then grade and report.

use super::context::Context;
use super::device::DeviceChoice;
use super::failure::Failure;
use super::prepare::Prepared;
use super::progress::{RunProgress, say};
use super::score::{Titled, grade_run, report_run};
use crate::observe::Observer;
use crate::record::Summary;
use crate::run::{Making, Manifest, Outcome, RunError, RunFolder, Shard, Work, read_json};

/// How the first stages are made.
#[derive(Debug, Clone)]
pub struct Way {
    pub shard: Option<Shard>,
    pub jobs: usize,
    pub device: DeviceChoice,
    /// Bytes of device memory for the weights of in-process networks.
    pub vram_budget: Option<u64>,
    /// False for `generate`.
    pub observe: bool,
}

/// A run after its stages.
#[derive(Debug)]
pub struct Done {
    pub folder: RunFolder,
    pub outcome: Outcome,
    /// Absent when only a part was made: a shard, or outputs alone.
    pub summary: Option<Titled>,
}

/// Makes what is left of a run.
///
/// # Errors
/// When another process holds the folder, the disk refuses, or the generator cannot go on. What is finished is kept.
pub fn execute(
    ctx: &Context,
    prepared: &Prepared<'_>,
    observers: &[Box<dyn Observer>],
    way: &Way,
) -> Result<Done, Failure> {
    let folder = &prepared.folder;
    let _lock = folder.lock(way.shard)?;
    let label = format!(
        "{}/{}",
        prepared.asking.suite.name, prepared.answering.model.name
    );
    let mut manifest = prepared.manifest(way.device.to_string(), way.shard, observers);
    let before = Manifest::read_before(folder, way.shard)?;
    let changed = before
        .as_ref()
        .map(|before| before.changes(&manifest, 6))
        .unwrap_or_default();
    for change in &changed {
        say(format!("{label}: changed since the last run: {change}"));
    }
    let other_items = folder.freeze_items(&prepared.asking.items)?;
    if other_items {
        say(format!(
            "{label}: the items differ from those of the last run"
        ));
    }
    match &before {
        Some(before) if changed.is_empty() && before.shard == way.shard => {
            manifest.started = before.started;
        }
        _ => manifest.write_own(folder)?,
    }
    let outcome = make(ctx, prepared, observers, way, &label)?;
    if !outcome.interrupted {
        folder.clear_scratch(way.shard);
    }
    if outcome.interrupted || way.shard.is_some() || !way.observe {
        if way.shard.is_some() && !outcome.interrupted {
            manifest.finished = Some(jiff::Timestamp::now());
        }
        manifest.write_own(folder)?;
        return Ok(Done {
            folder: folder.clone(),
            outcome,
            summary: None,
        });
    }
    let new =
        outcome.generated + outcome.generate_failed + outcome.observed + outcome.observe_failed > 0;
    let fresh = !new
        && !other_items
        && changed.is_empty()
        && before.as_ref().is_some_and(|b| b.finished.is_some());
    let summary = match (fresh, read_json::<Summary>(&folder.summary())) {
        (true, Ok(summary)) if folder.report().join("index.html").is_file() => {
            Titled::new(summary, &manifest)
        }
        _ => {
            let scored = grade_run(
                ctx,
                folder,
                &manifest,
                None,
                Some(prepared.asking.items.clone()),
            )?;
            report_run(folder, &manifest, scored)?
        }
    };
    if !fresh {
        manifest.finished = Some(jiff::Timestamp::now());
        manifest.write(folder)?;
    }
    Ok(Done {
        folder: folder.clone(),
        outcome,
        summary: Some(summary),
    })
}

fn make(
    ctx: &Context,
    prepared: &Prepared<'_>,
    observers: &[Box<dyn Observer>],
    way: &Way,
    label: &str,
) -> Result<Outcome, Failure> {
    let generator = &prepared.answering.model.generator;
    let settings = &prepared.answering.settings;
    let resources = prepared.resources(ctx)?;
    let place = prepared
        .place(way.device, way.vram_budget, way.shard)
        .map_err(|reason| Failure::environment(reason, "choose another `--device`"))?;
    let factory = || {
        crate::generate::build(generator, settings, &resources, &place).map_err(|error| {
            RunError::Generator {
                message: error.to_string(),
                help: miette::Diagnostic::help(&error)
                    .map(|help| help.to_string())
                    .unwrap_or_default(),
            }
        })
    };
    let listener = RunProgress::new(ctx.quiet, label.to_owned());
    let work = Work {
        folder: &prepared.folder,
        asked: prepared.asked(way.shard),
        making: Some(Making {
            factory: &factory,
            identity: prepared.identity(),
            workers: if crate::generate::in_process(generator) {
                1
            } else {
                way.jobs
            },
        }),
        layout: prepared.asking.suite.layout,
        observers: if way.observe { observers } else { &[] },
        observe_workers: way.jobs,
        cancel: &ctx.cancel,
        listener: &listener,
    };
    Ok(work.execute()?)
}
