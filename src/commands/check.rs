//! `unigauge check`: checks that everything exists, and shows the plan.

use super::checkpoint;
use super::cli::{CheckArgs, Layout, RunArgs};
use super::context::Context;
use super::failure::Failure;
use crate::config::{self, Kind, ModelFile, Settings};
use crate::exit::Exit;
use crate::generate::{BuildError, Resources};
use crate::grade::reward::Reward;
use crate::hub::AssetState;
use crate::model::weights::{Checked, Files};
use crate::observe::{OBSERVERS, ObserverKind};
use crate::session::{
    ConfiguredModel, ItemSelection, PreparedRun, RunOptions, RunTarget, SelectedSuite,
    TimedOutputs, locate_checkpoints, run_seeds,
};
use indicatif::{HumanBytes, HumanDuration};
use std::path::Path;
use std::time::Duration;

impl From<&RunArgs> for CheckArgs {
    fn from(args: &RunArgs) -> Self {
        Self {
            target: Some(args.target.clone()),
            model: args.model.clone(),
            items: args.items.clone(),
            select: args.select.clone(),
            repeats: args.repeats,
            seed: args.seed,
            run_name: args.run_name.clone(),
            out: args.out.clone(),
            device: args.device,
            vram_budget: args.vram_budget,
            keys: false,
            layout: Layout::Diffusers,
            quick: false,
        }
    }
}

/// Checks and prints the plan; runs nothing.
///
/// # Errors
/// Fails if a definition has a mistake.
pub(super) fn check(ctx: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let mut exit = if args.keys {
        // Only the keys are printed, so that they can be piped.
        Exit::Ok
    } else {
        environment(ctx, args)?
    };
    match &args.target {
        Some(name) => {
            if is_reward(name, args) {
                println!("reward {name}: {}", check_reward(ctx, name)?);
                return Ok(exit);
            }
            if let Some(model) = model_of(name, args)? {
                let found = checkpoint::check(ctx, model, args)?;
                return Ok(if exit == Exit::Ok { found } else { exit });
            }
            if !target(ctx, args, name, &RunTarget::load(name, &args.model)?)? {
                exit = Exit::Environment;
            }
        }
        None => {
            if !definitions(ctx) {
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}

/// The model that the target names, when it is neither a study nor a suite with models.
fn model_of(name: &str, args: &CheckArgs) -> Result<Option<ModelFile>, Failure> {
    let taken = !args.model.is_empty() || config::study(name, Path::new("")).is_ok();
    match config::model(name, Path::new("")) {
        Ok(model) if !taken => Ok(Some(model.definition)),
        Err(error) if args.keys => Err(error.into()),
        _ => Ok(None),
    }
}

/// Whether the target is a reward: a file with components, or a name that nothing else has.
fn is_reward(name: &str, args: &CheckArgs) -> bool {
    let from = Path::new("");
    if !args.model.is_empty() || args.keys {
        return false;
    }
    if name.ends_with(".toml") {
        let document = config::Document::read(Path::new(name));
        return document.is_ok_and(|document| document.content().contains("[[components]]"));
    }
    let listed = |kind| config::list(kind).iter().any(|listed| listed.name == name);
    listed(Kind::Reward)
        && !listed(Kind::Suite)
        && config::study(name, from).is_err()
        && config::model(name, from).is_err()
}

/// Device, disk, cache.
fn environment(ctx: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let mut exit = Exit::Ok;
    match args.device.resolve() {
        Ok(device) => println!("device: {device}"),
        Err(reason) => {
            println!("device: {reason}");
            exit = Exit::Environment;
        }
    }
    let existing = args
        .out
        .ancestors()
        .find(|path| path.is_dir())
        .unwrap_or(Path::new("."));
    let existing = if existing.as_os_str().is_empty() {
        Path::new(".")
    } else {
        existing
    };
    match fs4::available_space(existing) {
        Ok(bytes) => println!(
            "disk: {} free for {}",
            HumanBytes(bytes),
            args.out.display()
        ),
        Err(error) => println!("disk: unknown for {}: {error}", args.out.display()),
    }
    let hub = ctx.hub()?;
    let entries = hub.list();
    let present = entries
        .iter()
        .filter(|entry| matches!(entry.state, AssetState::Present(_)))
        .count();
    println!("assets: {present} of {} here", entries.len());
    for entry in &entries {
        if let AssetState::Corrupt(error) = &entry.state {
            println!("asset {}: {error}", entry.asset.id);
            exit = Exit::Environment;
        }
    }
    Ok(exit)
}

/// Every definition that a name can reach.
fn definitions(ctx: &Context) -> bool {
    let mut good = true;
    for (kind, check) in [
        (
            Kind::Suite,
            check_suite as fn(&Context, &str) -> Result<String, Failure>,
        ),
        (Kind::Model, check_model),
        (Kind::Study, check_study),
        (Kind::Reward, check_reward),
    ] {
        for listed in config::list(kind) {
            match check(ctx, &listed.name) {
                Ok(said) => println!("{kind} {}: {said}", listed.name),
                Err(failure) => {
                    println!("{kind} {}: {:?}", listed.name, failure.report);
                    good = false;
                }
            }
        }
    }
    good
}

fn check_suite(_: &Context, name: &str) -> Result<String, Failure> {
    let suite = config::suite(name, Path::new(""))?.definition;
    crate::grade::build(&suite.grade.rule, &suite.grade.options)?;
    let unknown: Vec<&String> = suite
        .observers
        .iter()
        .filter(|name| crate::observe::find(name).is_none())
        .collect();
    match &unknown[..] {
        [] => Ok("fine".into()),
        // Grading works on evidence that others made; looking at pictures does not.
        names => Ok(format!(
            "can grade existing evidence; this version has no observer {names:?}"
        )),
    }
}

fn check_reward(_: &Context, name: &str) -> Result<String, Failure> {
    let loaded = config::reward(name, Path::new(""))?;
    let reward = Reward::open(&loaded.definition)?;
    for (index, observer) in loaded.definition.observers.iter().enumerate() {
        if crate::observe::find(observer).is_none() {
            let index = index.to_string();
            let known: Vec<&str> = OBSERVERS.iter().map(|kind| kind.name).collect();
            let near = config::nearest(observer, known.iter().copied());
            let near = near.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
            let help = format!("{near}the observers are {}", known.join(", "));
            let message = format!("there is no observer named `{observer}` in this version");
            let mistake = (loaded.document).mistake(&["observers", &index], message, Some(help));
            return Err(mistake.into());
        }
    }
    let components = loaded.definition.components.len();
    Ok(format!(
        "fine, {components} components, fingerprint {}",
        &reward.fingerprint()[..12]
    ))
}

fn check_model(ctx: &Context, name: &str) -> Result<String, Failure> {
    let model = config::model(name, Path::new(""))?.definition;
    for suite in model.presets.keys() {
        ConfiguredModel::new(&ctx.session, model.clone(), suite)?;
    }
    ConfiguredModel::new(&ctx.session, model, "")?;
    Ok("fine".into())
}

fn check_study(ctx: &Context, name: &str) -> Result<String, Failure> {
    let target = RunTarget::load(name, &[])?;
    for (suite, models) in target.suites() {
        config::suite(suite, &target.from)?;
        for model in models {
            ConfiguredModel::load(&ctx.session, model, &target.from, suite)?;
        }
    }
    let parts = target.parts.iter().map(|part| {
        let (models, suites) = (part.models.len(), part.suites.len());
        format!("{models} models × {suites} suites")
    });
    Ok(format!("fine, {}", parts.collect::<Vec<_>>().join(", ")))
}

/// The plan of a target, which the command line calls `asked`. False when something it needs is absent.
fn target(
    ctx: &Context,
    args: &CheckArgs,
    asked: &str,
    target: &RunTarget,
) -> Result<bool, Failure> {
    let mut good = true;
    let study = target.study.as_ref();
    let selections = target.selections(&ItemSelection::from(&args.select));
    let each = |part| selections.iter().map(move |select| (part, select));
    let options = |seed| RunOptions {
        out: args.out.clone(),
        run_name: args.run_name.clone(),
        repeats: args.repeats.or(study.and_then(|study| study.repeats)),
        seed,
        device: args.device,
    };
    let seeds = run_seeds(study, args.seed, args.run_name.as_deref())?;
    if let Err(error) = target.check_trained(asked) {
        println!("{error}");
        good = false;
    }
    for ((name, models), select) in target.suites().flat_map(each) {
        let items = args.items.as_deref();
        let selected = SelectedSuite::load(&ctx.session, name, &target.from, items, select)?;
        for observer in &selected.suite.observers {
            // Outputs can be made without it, and graded on evidence that others made.
            let settings = selected.suite.observe.get(observer).cloned();
            let settings = locate_checkpoints(&ctx.session, &settings.unwrap_or_default())?;
            let kind = match crate::observe::kind(observer) {
                Ok(kind) => kind,
                Err(error) => {
                    println!("{error}");
                    good = false;
                    continue;
                }
            };
            good &= observer_is_ready(ctx, kind, &settings)?;
        }
        for model in models {
            let configured =
                ConfiguredModel::load(&ctx.session, model, &target.from, &selected.suite.name)?;
            for (at, seed) in seeds.iter().enumerate() {
                let prepared = PreparedRun::new(&selected, configured.clone(), &options(*seed))?;
                plan(&prepared)?;
                // The device is shared alike with every seed.
                good &= at > 0 || memory(&prepared, args)?;
            }
        }
    }
    Ok(good)
}

/// Says what an observer lacks, and what its server tells. False if something that it needs is absent or its
/// settings have a mistake.
fn observer_is_ready(
    ctx: &Context,
    kind: &ObserverKind,
    settings: &Settings,
) -> Result<bool, Failure> {
    let mut good = readable(kind, settings);
    let assets = (kind.assets)(settings).unwrap_or_else(|error| {
        println!("{error}");
        good = false;
        Vec::new()
    });
    if !ctx.offline() {
        good &= look(ctx, kind, settings);
    }
    for asset in assets {
        if let Err(error) = ctx.hub()?.path(asset) {
            println!("{}: {error}", kind.name);
            good &= !ctx.offline();
        }
    }
    Ok(good)
}

/// Whether the checkpoints that an observer's options name can be read, as far as they are here.
fn readable(kind: &ObserverKind, settings: &Settings) -> bool {
    let named = (kind.checkpoints)(settings).unwrap_or_default();
    let mut good = true;
    for path in named.iter().filter(|path| path.exists()) {
        if let Err(error) = Files::open(path) {
            println!("{}: {:?}", kind.name, miette::Report::new(error));
            good = false;
        }
    }
    good
}

/// Says what an observer's server tells of its model. False if the settings have a mistake. A server that is
/// not there is no mistake: outputs can be made without it.
fn look(ctx: &Context, kind: &ObserverKind, settings: &Settings) -> bool {
    match (kind.look)(settings, &ctx.cancel) {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            true
        }
        Err(error) => {
            println!("{:?}", miette::Report::new(error));
            false
        }
    }
}

/// Prints what a run would make.
fn plan(prepared: &PreparedRun<'_>) -> Result<(), Failure> {
    let plan = prepared.plan()?;
    let names: Vec<&str> = prepared
        .selected
        .suite
        .observers
        .iter()
        .map(String::as_str)
        .collect();
    println!(
        "{}: {} items × {} repeats, {} outputs to make, {} finished; observers: {}; rule: {}",
        prepared.folder.root().display(),
        prepared.selected.items.len(),
        prepared.repeats,
        plan.generate.len(),
        plan.done,
        if names.is_empty() {
            "none".into()
        } else {
            names.join(", ")
        },
        prepared.selected.suite.grade.rule,
    );
    if !plan.generate.is_empty() {
        let estimate = estimate(prepared.timed_outputs()?, plan.generate.len());
        println!("  estimate: {estimate}");
    }
    Ok(())
}

/// How networks that run in this process share the device. False if they cannot be opened.
fn memory(prepared: &PreparedRun<'_>, args: &CheckArgs) -> Result<bool, Failure> {
    let ConfiguredModel {
        model, settings, ..
    } = &prepared.configured;
    if !crate::generate::in_process(&model.generator) {
        return Ok(true);
    }
    // Why a device does not open was said above.
    let budget = args.vram_budget.map(|size| size.as_u64());
    let Ok(place) = prepared.place(args.device, budget, None) else {
        return Ok(false);
    };
    match crate::generate::build(&model.generator, settings, &Resources::default(), &place) {
        Ok(mut generator) => {
            for line in generator.plan() {
                println!("  {line}");
            }
            let looked = generator.check(Checked::Headers).map_err(BuildError::from);
            Ok(checkpoint::told(looked))
        }
        Err(error) => Ok(checkpoint::told(Err(error))),
    }
}

/// From what earlier outputs of the run took; nothing is guessed.
fn estimate(timed: Option<TimedOutputs>, left: usize) -> String {
    let Some(TimedOutputs { mean, count }) = timed else {
        return "unknown, since no output of this run was timed yet; a run with `--limit 4` gives an estimate"
            .into();
    };
    let total = Duration::from_secs_f64(mean * left as f64);
    format!(
        "{} for one worker ({mean:.2} s an output, over {count} timed)",
        HumanDuration(total)
    )
}
