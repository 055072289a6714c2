//! `unigauge check`: checks that everything exists, and shows the plan.

use super::checkpoint::{self, on_cards, print_missing, reads_checkpoint};
use super::cli::{CheckArgs, Layout, RunArgs};
use super::context::Context;
use super::failure::Failure;
use crate::config::{self, Kind};
use crate::exit::Exit;
use crate::generate::BuildError;
use crate::model::weights::{Checked, Files};
use crate::session::{
    CheckedDefinition, CheckedObserver, ConfiguredModel, ItemSelection, PreparedRun, RunRequest,
    RunTarget, SelectedSuite, Session, SessionError, TimedOutputs, free_space, is_reward,
    single_model,
};
use crate::text::count::counted;
use indicatif::{HumanBytes, HumanDuration};
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

impl CheckArgs {
    /// The runs that a target stands for.
    fn run_request(&self, target: &str) -> RunRequest {
        RunRequest {
            models: self.model.clone(),
            items: self.items.clone(),
            select: ItemSelection::from(&self.select),
            run_name: self.run_name.clone(),
            repeats: self.repeats,
            seed: self.seed,
            device: self.device,
            vram_budget: self.vram_budget.map(|size| size.as_u64()),
            ..RunRequest::new(target, &self.out)
        }
    }
}

/// Checks and prints the plan; runs nothing.
///
/// # Errors
/// Fails if a definition has a mistake.
pub(super) fn check(ctx: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let exit = if args.keys {
        // Only the keys are printed, so that they can be piped.
        Exit::Ok
    } else {
        environment(ctx, args)?
    };
    let Some(name) = &args.target else {
        let usable = definitions(ctx);
        return Ok(if usable { exit } else { Exit::Usage });
    };
    if !args.keys && is_reward(name, &args.model) {
        let checked = ctx.session.check_reward(name)?;
        println!("{} {name}: {}", Kind::Reward, describe(&checked));
        return Ok(exit);
    }
    let model = match single_model(name, &args.model) {
        Err(error) if args.keys => return Err(error.into()),
        model => model.unwrap_or_default(),
    };
    if let Some(model) = model {
        let found = checkpoint::check(ctx, model, args)?;
        return Ok(if exit == Exit::Ok { found } else { exit });
    }
    let complete = check_target(ctx, &args.run_request(name))?;
    Ok(if complete { exit } else { Exit::Environment })
}

/// Prints the device, the free space on the disk, and the state of the cache.
fn environment(ctx: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let mut exit = Exit::Ok;
    match args.device.resolve() {
        Ok(device) => println!("device: {device}"),
        Err(reason) => {
            println!("device: {reason}");
            exit = Exit::Environment;
        }
    }
    let out = args.out.display();
    match free_space(&args.out) {
        Ok(bytes) => println!("disk: {} free for {out}", HumanBytes(bytes)),
        Err(error) => println!("disk: unknown for {out}: {error}"),
    }
    let assets = ctx.session.cached_assets()?;
    println!("assets: {} of {} here", assets.present, assets.all);
    for (id, error) in &assets.damaged {
        println!("asset {id}: {error}");
        exit = Exit::Environment;
    }
    Ok(exit)
}

/// Checks every definition that a name can reach. False if one has a mistake.
fn definitions(ctx: &Context) -> bool {
    type Check = fn(&Session, &str) -> Result<CheckedDefinition, SessionError>;
    let checks: [(Kind, Check); 4] = [
        (Kind::Suite, Session::check_suite),
        (Kind::Model, Session::check_model),
        (Kind::Study, Session::check_study),
        (Kind::Reward, Session::check_reward),
    ];
    let mut usable = true;
    for (kind, check) in checks {
        for listed in config::list(kind) {
            match check(&ctx.session, &listed.name) {
                Ok(checked) => println!("{kind} {}: {}", listed.name, describe(&checked)),
                Err(error) => {
                    println!("{kind} {}: {:?}", listed.name, miette::Report::new(error));
                    usable = false;
                }
            }
        }
    }
    usable
}

/// What a definition can be used for, in words.
fn describe(checked: &CheckedDefinition) -> String {
    match checked {
        CheckedDefinition::Usable => "fine".into(),
        CheckedDefinition::GradesOnly { unknown } => {
            format!("can grade existing evidence; this version has no observer {unknown:?}")
        }
        CheckedDefinition::Study { parts } => {
            let parts = parts.iter().map(|(models, suites)| {
                let (models, suites) = (counted(*models, "model"), counted(*suites, "suite"));
                format!("{models} × {suites}")
            });
            format!("fine, {}", parts.collect::<Vec<_>>().join(", "))
        }
        CheckedDefinition::Reward {
            components,
            fingerprint,
        } => {
            let components = counted(*components, "component");
            let short = fingerprint.get(..12).unwrap_or(fingerprint);
            format!("fine, {components}, fingerprint {short}")
        }
    }
}

/// Prints the plan of a study, or of a suite with models. False if something that it needs is absent.
fn check_target(ctx: &Context, request: &RunRequest) -> Result<bool, Failure> {
    let target = RunTarget::load(&request.target, &request.models)?;
    let options = request.run_options(&target)?;
    let mut complete = true;
    if let Err(error) = target.check_trained(&request.target) {
        println!("{error}");
        complete = false;
    }
    let selections = target.selections(&request.select);
    let with_selections = |part| selections.iter().map(move |select| (part, select));
    for ((name, models), select) in target.suites().flat_map(with_selections) {
        let items = request.items.as_deref();
        let selected = SelectedSuite::load(&ctx.session, name, &target.from, items, select)?;
        for observer in &selected.suite.observers {
            match ctx.session.check_observer(&selected, observer) {
                Ok(checked) => complete &= is_ready(ctx, checked),
                // Outputs can be made without the observer, and graded on evidence that others made.
                Err(SessionError::Observer(error)) => {
                    println!("{error}");
                    complete = false;
                }
                Err(error) => return Err(error.into()),
            }
        }
        for model in models {
            let suite = &selected.suite.name;
            let configured = ConfiguredModel::load(&ctx.session, model, &target.from, suite)?;
            for (index, options) in options.iter().enumerate() {
                let prepared = PreparedRun::new(&selected, configured.clone(), options)?;
                print_plan(&prepared)?;
                // The networks take the same memory with every seed.
                if index == 0 {
                    let gpu = request.device.is_gpu();
                    print_missing(ctx, &prepared.configured.model, gpu)?;
                    complete &= print_memory(&prepared, request);
                }
            }
        }
    }
    Ok(complete)
}

/// Prints what an observer lacks, and what its server tells. False if something that it needs is absent, or
/// its settings have a mistake. Without the network, an absent asset is a fault; otherwise it is fetched
/// later.
fn is_ready(ctx: &Context, observer: CheckedObserver) -> bool {
    let name = observer.name;
    let mut ready = true;
    for path in &observer.checkpoints {
        if let Err(error) = Files::open(path) {
            println!("{name}: {:?}", miette::Report::new(error));
            ready = false;
        }
    }
    if let Some(error) = &observer.settings_fault {
        println!("{error}");
        ready = false;
    }
    match observer.server {
        Ok(lines) => lines.iter().for_each(|line| println!("{line}")),
        Err(error) => {
            println!("{:?}", miette::Report::new(error));
            ready = false;
        }
    }
    for error in &observer.absent {
        println!("{name}: {error}");
        ready &= !ctx.offline();
    }
    ready
}

/// Prints what a run would make.
fn print_plan(prepared: &PreparedRun<'_>) -> Result<(), Failure> {
    let plan = prepared.plan()?;
    let suite = &prepared.selected.suite;
    let observers = if suite.observers.is_empty() {
        "none".to_owned()
    } else {
        suite.observers.join(", ")
    };
    let left = plan.generate.len();
    println!(
        "{}: {} × {}, {} to make, {} finished; observers: {observers}; rule: {}",
        prepared.folder.root().display(),
        counted(prepared.selected.items.len(), "item"),
        counted(prepared.repeats as usize, "repeat"),
        counted(left, "output"),
        plan.done,
        suite.grade.rule,
    );
    if left > 0 {
        println!("  estimate: {}", estimate(prepared.timed_outputs()?, left));
        if let Some(tflop) = prepared.configured.tflop_per_output()? {
            println!("  {}", on_cards(tflop, left));
        }
    }
    if let Some(asked) = prepared.server_requests(None)? {
        println!("  {asked}");
    }
    Ok(())
}

/// Prints how networks that run in this process share the device. False if they cannot be opened.
fn print_memory(prepared: &PreparedRun<'_>, request: &RunRequest) -> bool {
    if !prepared.runs_networks() {
        return true;
    }
    // The reason why a device does not open was printed with the environment.
    let Ok(place) = prepared.network_place(request.device, request.vram_budget, None) else {
        return false;
    };
    let mut generator = match prepared.open_networks(&place) {
        Ok(generator) => generator,
        Err(error) => return reads_checkpoint(Err(error)),
    };
    for line in generator.plan() {
        println!("  {line}");
    }
    let looked = generator.check(Checked::Headers);
    reads_checkpoint(looked.map_err(BuildError::from))
}

/// An estimate from the time that earlier outputs of the run took; nothing is guessed.
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
