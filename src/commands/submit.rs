//! `unigauge submit`.

use super::cli::{
    RunArgs, Stages, Submit, SubmitArgs, SubmitK8sArgs, SubmitLocalArgs, SubmitSlurmArgs,
};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::run::run_request;
use crate::exit::Exit;
use crate::run::RunFolder;
use crate::session::{RunStatus, RunTarget, ShardChoice};
use crate::submit::{
    LocalShards, Pods, Sent, ShardedWork, SlurmOptions, Templates, gpus_here, largest_array,
    manifest, scripts, send,
};
use crate::sync::Address;
use crate::text::count::counted;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Sends the shards of a run to a scheduler.
///
/// # Errors
/// Fails if the run has a mistake, or the scheduler refuses it.
pub(super) fn submit(ctx: &Context, submit: &Submit) -> Result<Exit, Failure> {
    match submit {
        Submit::Slurm(args) => slurm(ctx, args),
        Submit::K8s(args) => k8s(ctx, args),
        Submit::Local(args) => local(ctx, args),
    }
}

fn slurm(ctx: &Context, args: &SubmitSlurmArgs) -> Result<Exit, Failure> {
    let work = sharded(ctx, &args.work)?;
    if work.tasks.is_empty() {
        return Ok(nothing_to_start());
    }
    let folder = jobs_folder(&work, &args.work.run)?;
    let options = SlurmOptions {
        gpus: args.task.gpus,
        cpus: args.task.cpus,
        memory: args.task.memory.clone(),
        time: args.time.clone(),
        warning: args.warning,
        options: args.options.clone(),
        apart: args.stages == Stages::Apart,
        observe_options: args.observe_options.clone(),
        grade_options: args.grade_options.clone(),
        largest_array: largest_array(),
    };
    let logs = folder.join("logs");
    let scripts = scripts(&work, &options, &templates(&args.work), &logs)?;
    if args.work.run.dry_run {
        for script in &scripts {
            println!("# {}", folder.join(script.file).display());
            println!("{}", script.text);
        }
        return Ok(Exit::Ok);
    }
    scripts
        .iter()
        .try_for_each(|script| script.write(&folder))?;
    // A job whose log has no folder ends without a word.
    make_folder(&logs)?;
    let jobs = send(&folder, &scripts)?;
    let sent = Sent {
        jobs: jobs.clone(),
        shards: work.shards,
        command: std::env::args().collect(),
        at: jiff::Timestamp::now(),
    };
    for run in &work.runs {
        sent.write(&run.join("jobs"))?;
    }
    for (job, script) in jobs.iter().zip(&scripts) {
        println!("{job} {}", folder.join(script.file).display());
    }
    say(format!(
        "{} of {} sent; `unigauge status` says how far they are",
        counted(work.tasks.len(), "shard"),
        work.shards
    ));
    Ok(Exit::Ok)
}

/// Prints the manifest. The paths in it are those of the pods, so nothing is looked up here.
fn k8s(ctx: &Context, args: &SubmitK8sArgs) -> Result<Exit, Failure> {
    let run = &args.work.run;
    if args.work.again {
        return Err(Failure::usage(
            "an indexed job has all shards, so `--again` has no meaning for it",
            "send the same manifest again: shards that are complete end at once",
        ));
    }
    let [model] = &run.model[..] else {
        return Err(Failure::usage(
            "a manifest has one suite and one model",
            "give `--model MODEL`, and print a manifest for each",
        ));
    };
    let (Some(shards), Some(name)) = (run.shard.shards, run_name(run)) else {
        return Err(Failure::usage(
            "the number of shards and the name of the run must be known",
            "give `--shards N`, and `--run NAME` if `--only` or `--observer` selects",
        ));
    };
    crate::session::check_run_name(&name)?;
    let shards = shards as usize;
    let suite = plain_name(&run.target);
    let folder = run.out.join(suite).join(plain_name(model)).join(name);
    let at = run.sync.sync.as_ref();
    let place = at.map(|at| stored_run(at, &folder)).transpose()?;
    let work = ShardedWork {
        name: plain_name(&run.target),
        program: "unigauge".into(),
        directory: "/".into(),
        target: words(ctx, run),
        observing: Vec::new(),
        runs: vec![folder],
        places: place.into_iter().collect(),
        out: run.out.clone(),
        shards,
        tasks: (0..shards).collect(),
        parallel: args.work.parallel.map(|parallel| parallel as usize),
    };
    let pods = Pods {
        image: args.image.clone(),
        claim: at.is_none().then(|| args.claim.clone()),
        secret: args.secret.clone(),
        results: run.out.display().to_string(),
        gpus: args.task.gpus,
        cpus: args.task.cpus,
        memory: args.task.memory.clone(),
    };
    print!("{}", manifest(&work, &pods, &templates(&args.work))?);
    Ok(Exit::Ok)
}

/// The place of a run in an object store, by its folder `OUT/SUITE/MODEL/RUN`.
fn stored_run(at: &Address, folder: &Path) -> Result<String, Failure> {
    let parts: Vec<String> = folder
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let name = parts[parts.len().saturating_sub(3)..].join("/");
    Ok(at.below(&name)?.to_string())
}

/// The name of a suite or model that may be given as a file, which is mostly that of the file.
fn plain_name(word: &str) -> String {
    let is_file = word.contains('/') || word.ends_with(".toml");
    let stem = Path::new(word).file_stem().filter(|_| is_file);
    stem.map_or_else(
        || word.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// The name of the run, where it follows from the options alone.
fn run_name(run: &RunArgs) -> Option<String> {
    let plain = run.select.only.is_empty() && run.select.observers.is_empty();
    let named =
        plain.then(|| crate::session::plain_run_name(run.seed.unwrap_or(0), run.select.limit));
    run.run_name.clone().or(named)
}

fn local(ctx: &Context, args: &SubmitLocalArgs) -> Result<Exit, Failure> {
    let work = sharded(ctx, &args.work)?;
    let shards = LocalShards {
        logs: jobs_folder(&work, &args.work.run)?.join("logs"),
        work: &work,
        gpus: args.gpus.unwrap_or_else(gpus_here),
    };
    if args.work.run.dry_run {
        shards.commands().iter().for_each(|line| println!("{line}"));
        return Ok(Exit::Ok);
    }
    ctx.catch_interrupts();
    let ended = shards.make(&|| ctx.cancel.is_raised(), &|ended| {
        let how = match ended.code {
            Some(0) => "is complete".to_owned(),
            Some(code) => format!("ended with exit code {code}"),
            None => "was killed".to_owned(),
        };
        say(format!("shard {}/{} {how}", ended.shard + 1, work.shards));
    })?;
    if ctx.cancel.is_raised() {
        say("run the same command again to continue");
        return Ok(Exit::Interrupted);
    }
    if ended.iter().any(|ended| ended.code != Some(0)) {
        say(format!("the logs are in {}", shards.logs.display()));
    }
    let runs = if work.places.is_empty() {
        work.runs
    } else {
        work.places.iter().map(PathBuf::from).collect()
    };
    super::merge::join(ctx, &runs, &work.out, args.work.run.shard.wait.limit())
}

fn nothing_to_start() -> Exit {
    say("every shard is complete, or is being made");
    Exit::Ok
}

fn templates(args: &SubmitArgs) -> Templates {
    Templates {
        folder: args.templates.clone(),
    }
}

/// What the jobs shall do.
fn sharded(ctx: &Context, args: &SubmitArgs) -> Result<ShardedWork, Failure> {
    let run = &args.run;
    if run.shard.shard.is_some() {
        return Err(Failure::usage(
            "`submit` starts all shards, so `--shard` has no meaning for it",
            "give the number of shards: `--shards N`",
        ));
    }
    let target = RunTarget::load(&run.target, &run.model)?;
    let folders = ctx
        .session
        .run_folders(&target, &run_request(run, ShardChoice::Whole, true))?;
    let noted = folders.iter().find_map(RunFolder::noted_division);
    let given = run.shard.shards.map(|shards| shards as usize);
    let Some(shards) = given.or(noted) else {
        return Err(Failure::usage(
            "into how many shards shall the run be divided?",
            "give `--shards N`",
        ));
    };
    let tasks: BTreeSet<usize> = if args.again {
        to_start(&folders, shards)?
    } else {
        (0..shards).collect()
    };
    let directory = std::env::current_dir().map_err(Failure::io)?;
    let places = run.sync.sync.iter().flat_map(|at| {
        let folders = folders.iter();
        folders.map(move |folder| stored_run(at, folder.root()))
    });
    let places = places.collect::<Result<Vec<String>, Failure>>()?;
    let absolute = |folder: &RunFolder| std::path::absolute(folder.root());
    let runs = folders
        .iter()
        .map(absolute)
        .collect::<Result<Vec<PathBuf>, _>>();
    Ok(ShardedWork {
        name: plain_name(&run.target),
        program: std::env::current_exe().map_err(Failure::io)?,
        directory,
        target: words(ctx, run),
        observing: vec!["--device".into(), run.device.to_string()],
        runs: runs.map_err(Failure::io)?,
        places,
        out: std::path::absolute(&run.out).map_err(Failure::io)?,
        shards,
        tasks: tasks.into_iter().collect(),
        parallel: args.parallel.map(|parallel| parallel as usize),
    })
}

/// The shards of which a run needs a new start.
fn to_start(folders: &[RunFolder], shards: usize) -> Result<BTreeSet<usize>, Failure> {
    let mut tasks = BTreeSet::new();
    for folder in folders {
        let began = RunFolder::existing(folder.root()).is_ok();
        if began && folder.division().map_err(Failure::from)? == Some(shards) {
            tasks.extend(RunStatus::read(folder)?.to_start());
        } else {
            tasks.extend(0..shards);
        }
    }
    Ok(tasks)
}

/// The folder of scripts and logs: that of the run, or one beside the runs if there are several.
fn jobs_folder(work: &ShardedWork, run: &RunArgs) -> Result<PathBuf, Failure> {
    let folder = match &work.runs[..] {
        [one] => one.join("jobs"),
        _ => {
            let name = Path::new(&run.target).file_stem().unwrap_or_default();
            let out = std::path::absolute(&run.out).map_err(Failure::io)?;
            out.join("jobs").join(name)
        }
    };
    Ok(folder)
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    let failed = crate::files::FileError::of_action("cannot make the folder", folder);
    std::fs::create_dir_all(folder).map_err(|error| failed(error).into())
}

/// The target and its options as the command line of `unigauge run` takes them, without a shard.
fn words(ctx: &Context, run: &RunArgs) -> Vec<String> {
    let mut words = vec![run.target.clone()];
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([name.to_owned(), value]);
        }
    };
    let lists = [
        ("--model", &run.model),
        ("--only", &run.select.only),
        ("--observer", &run.select.observers),
        ("--set", &run.select.set),
    ];
    for (name, values) in lists {
        values
            .iter()
            .for_each(|value| option(name, Some(value.clone())));
    }
    let path = |path: &PathBuf| path.display().to_string();
    option("--items", run.items.as_ref().map(path));
    option("--limit", run.select.limit.map(|limit| limit.to_string()));
    option("--repeats", run.repeats.map(|repeats| repeats.to_string()));
    option("--seed", run.seed.map(|seed| seed.to_string()));
    option("--run", run.run_name.clone());
    option("--out", Some(path(&run.out)));
    option("--cache", ctx.cache_option.as_ref().map(path));
    option("--jobs", run.jobs.map(|jobs| jobs.to_string()));
    option("--device", Some(run.device.to_string()));
    let budget = run.vram_budget.map(|size| size.as_u64().to_string());
    option("--vram-budget", budget);
    option("--grace", Some(run.grace.as_secs_f64().to_string()));
    let wait = run.shard.wait.wait_lock;
    option(
        "--wait-lock",
        wait.map(|wait| wait.as_secs_f64().to_string()),
    );
    option("--sync", run.sync.sync.as_ref().map(ToString::to_string));
    let every = run.sync.sync.is_some().then_some(run.sync.sync_every);
    option(
        "--sync-every",
        every.map(|every| every.as_secs_f64().to_string()),
    );
    if ctx.offline() {
        words.push("--offline".into());
    }
    words
}
