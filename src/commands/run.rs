//! `unigauge run` and `unigauge generate`.

use super::check;
use super::cli::{CheckArgs, RunArgs, SelectArgs};
use super::compare;
use super::context::Context;
use super::execute::{Done, Way, execute};
use super::failure::Failure;
use super::prepare::{Answering, Asking, Prepared, RunOptions, observers};
use super::progress::say;
use super::score::{Titled, read_view};
use super::study::Paging;
use crate::compare::Allowed;
use crate::config::{self, Kind, PublishedFile, StudyEngine, StudyFile};
use crate::exit::Exit;
use crate::record::Summary;
use crate::report::chart::Width;
use crate::report::{self, ReportOptions, Table, TableInput, TableSettings, printed};
use crate::study::{Part, StudyModel};
use crate::table::formats::{JSON, TERMINAL};
use crate::table::{Document, Records, Window};
use crate::text::count::counted;
use crate::train::RECORD;
use std::path::{Path, PathBuf};

/// What `run` was asked for: suites × models.
pub struct Target {
    /// In their order.
    pub parts: Vec<Part>,
    /// Folder that names in a study file start from.
    pub from: PathBuf,
    /// The study, when the target is one.
    pub study: Option<StudyFile>,
}

/// The seeds that models are run with: the one of the command line, else the study's, else 0.
///
/// # Errors
/// When several seeds would share the run name of the command line.
pub fn seeds(
    study: Option<&StudyFile>,
    asked: Option<u64>,
    run_name: Option<&str>,
) -> Result<Vec<u64>, Failure> {
    let study = study.map(StudyFile::run_seeds).unwrap_or_default();
    match (asked, run_name, &study[..]) {
        (Some(seed), ..) => Ok(vec![seed]),
        (None, _, []) => Ok(vec![0]),
        (None, Some(name), [_, _, ..]) => Err(Failure::usage(
            format!(
                "runs with {} seeds cannot all have the name `{name}`",
                study.len()
            ),
            "leave out `--run`, or give one seed with `--seed`",
        )),
        _ => Ok(study),
    }
}

impl Target {
    /// Every suite with the models that are run on it.
    pub fn suites(&self) -> impl Iterator<Item = (&String, &Vec<StudyModel>)> {
        let parts = self.parts.iter();
        parts.flat_map(|part| part.suites.iter().map(|suite| (suite, &part.models)))
    }

    /// Whether all that the study trains is there; `asked` is what the command line calls it.
    ///
    /// # Errors
    /// When something is not; says how to train it.
    pub fn trained(&self, asked: &str) -> Result<(), Failure> {
        let mut absent = Vec::new();
        for model in self.parts.iter().flat_map(|part| &part.models) {
            if let Some(folder) = model.checkpoint(&self.from)?
                && !folder.join(RECORD).is_file()
            {
                absent.push(folder.display().to_string());
            }
        }
        match &absent[..] {
            [] => Ok(()),
            [first, others @ ..] => Err(Failure::environment(
                match others.len() {
                    0 => format!("{first} is not trained yet"),
                    more => format!("{first} and {more} more are not trained yet"),
                },
                format!("train the networks of the study with `unigauge train {asked}`"),
            )),
        }
    }

    /// What is selected of each suite, once for each OCR engine of the study; a choice on the command line goes over them.
    pub fn selections(&self, asked: &SelectArgs) -> Vec<SelectArgs> {
        let study = self.study.as_ref();
        let own = [StudyEngine::default()];
        let engines = match study {
            Some(study) if !study.engines.is_empty() && asked.observers.is_empty() => {
                study.engines.as_slice()
            }
            _ => &own,
        };
        let of = |engine: &StudyEngine| SelectArgs {
            limit: asked.limit.or(study.and_then(|study| study.limit)),
            only: asked.only.clone(),
            observers: match &asked.observers[..] {
                [] => engine.observers.clone(),
                asked => asked.to_vec(),
            },
            set: engine.set.iter().chain(&asked.set).cloned().collect(),
        };
        engines.iter().map(of).collect()
    }

    /// A suite when models are given, else a study.
    ///
    /// # Errors
    /// When there is no study of that name; says so when a suite of that name lacks its models.
    pub fn of(name: &str, models: &[String]) -> Result<Self, Failure> {
        if !models.is_empty() {
            return Ok(Self {
                parts: vec![Part {
                    suites: vec![name.into()],
                    models: StudyModel::plain(models),
                }],
                from: PathBuf::new(),
                study: None,
            });
        }
        match config::study(name, Path::new("")) {
            Ok(study) => Ok(Self {
                parts: study.definition.parts(),
                from: study.base().to_path_buf(),
                study: Some(study.definition),
            }),
            Err(_)
                if config::list(Kind::Suite)
                    .iter()
                    .any(|suite| suite.name == name) =>
            {
                Err(Failure::usage(
                    format!("`{name}` is a suite, which needs a model"),
                    format!(
                        "give one: `unigauge run {name} --model MODEL`; `unigauge list models` shows the models"
                    ),
                ))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Runs a study or a suite.
///
/// # Errors
/// As its stages; what is finished is kept.
pub fn run(ctx: &Context, args: &RunArgs, observe: bool) -> Result<Exit, Failure> {
    if args.dry_run {
        return check::check(ctx, &CheckArgs::from(args));
    }
    ctx.catch_interrupts();
    let target = Target::of(&args.target, &args.model)?;
    target.trained(&args.target)?;
    let device = args.device.resolve().map_err(|reason| {
        Failure::environment(
            reason,
            "choose another `--device`, or build with `--features cuda` (or `metal`)",
        )
    })?;
    let way = Way {
        shard: args.shard,
        jobs: jobs(args.jobs),
        device,
        vram_budget: args.vram_budget.map(|size| size.as_u64()),
        observe,
    };
    let done = all(ctx, args, &target, &way)?;
    conclude(ctx, args, &target, &done)
}

/// Makes every run of the target; stops after the one that was interrupted.
fn all(ctx: &Context, args: &RunArgs, target: &Target, way: &Way) -> Result<Vec<Done>, Failure> {
    let study = target.study.as_ref();
    let seeds = seeds(study, args.seed, args.run_name.as_deref())?;
    let repeats = study.and_then(|s| s.repeats);
    let options: Vec<RunOptions> = seeds
        .into_iter()
        .map(|seed| RunOptions::of(args, seed, repeats))
        .collect();
    let selections = target.selections(&args.select);
    let each = |part| selections.iter().map(move |select| (part, select));
    let mut done = Vec::new();
    for ((suite, models), select) in target.suites().flat_map(each) {
        let asking = Asking::load(ctx, suite, &target.from, args.items.as_deref(), select)?;
        asking.notes.iter().chain(&asking.left_out).for_each(say);
        // A million items take a while to free, and the process ends soon.
        std::mem::forget(asking.items.clone());
        let answering: Vec<Answering> = models
            .iter()
            .map(|model| Answering::load(ctx, model, &target.from, &asking.suite.name))
            .collect::<Result<_, _>>()?;
        let observers = if way.observe {
            observers(ctx, &asking.suite, way.device)?
        } else {
            Vec::new()
        };
        for answering in answering {
            super::languages::warn(&answering.model, &asking.items);
            for options in &options {
                let prepared = Prepared::new(&asking, answering.clone(), options)?;
                done.push(execute(ctx, &prepared, &observers, way)?);
                if ctx.cancel.is_raised() {
                    return Ok(done);
                }
            }
        }
    }
    Ok(done)
}

/// Prints the table and where the pages are; decides the exit code.
fn conclude(
    ctx: &Context,
    args: &RunArgs,
    target: &Target,
    done: &[Done],
) -> Result<Exit, Failure> {
    if let Some(last) = done.last().filter(|last| last.outcome.interrupted) {
        say(format!(
            "everything finished is in {}",
            last.folder.root().display()
        ));
        say("run the same command again to continue");
        return Ok(Exit::Interrupted);
    }
    let summaries: Vec<Titled> = done.iter().filter_map(|run| run.summary.clone()).collect();
    if let Some(study) = target.study.as_ref().filter(|study| study.factor.is_some())
        && (done.is_empty() || !summaries.is_empty())
    {
        return levels(ctx, args, target, study, done);
    }
    if summaries.is_empty() {
        return Ok(conclude_parts(ctx, done));
    }
    let shown = target.study.as_ref().is_some_and(|study| study.published);
    let published = published(&summaries, shown)?;
    let page = match (&target.study, &done) {
        (Some(study), _) => {
            let folder = args.out.join("studies").join(&study.name);
            let views = done
                .iter()
                .map(|run| read_view(run.folder.root()))
                .collect::<Result<Vec<_>, _>>()?;
            report::write(
                &folder,
                &views,
                &ReportOptions {
                    title: Some(study.title.clone()),
                    published: published.clone(),
                    ..Default::default()
                },
            )?;
            folder.join("index.html")
        }
        (None, [one]) => one.folder.report().join("index.html"),
        (None, _) => {
            let suite = &summaries[0].summary.suite;
            let folder = args.out.join(suite).join("comparison");
            let views = done
                .iter()
                .map(|run| read_view(run.folder.root()))
                .collect::<Result<Vec<_>, _>>()?;
            report::write(&folder, &views, &ReportOptions::default())?;
            folder.join("index.html")
        }
    };
    print_summaries(ctx, &summaries, &published)?;
    say(format!("report: {}", page.display()));
    Ok(exit_of(&summaries))
}

/// Makes the page of a study with a factor.
fn levels(
    ctx: &Context,
    args: &RunArgs,
    target: &Target,
    study: &StudyFile,
    done: &[Done],
) -> Result<Exit, Failure> {
    let mut runs: Vec<String> = Vec::new();
    for name in done.iter().filter_map(|run| run.folder.root().file_name()) {
        let name = name.to_string_lossy().into_owned();
        if !runs.contains(&name) {
            runs.push(name);
        }
    }
    let paging = Paging {
        study,
        from: &target.from,
        results: &args.out,
        runs: &runs,
        out: None,
        width: Width::default(),
        allowed: Allowed::default(),
        options: compare::usual(),
    };
    super::study::page(ctx, &paging)
}

fn conclude_parts(ctx: &Context, done: &[Done]) -> Exit {
    let mut failed = 0;
    for run in done {
        let outcome = &run.outcome;
        failed += outcome.generate_failed + outcome.observe_failed;
        if ctx.json {
            println!(
                "{}",
                serde_json::json!({
                    "run": run.folder.root(), "there_before": outcome.done_before,
                    "generated": outcome.generated, "failed": outcome.generate_failed,
                    "observed": outcome.observed, "observe_failed": outcome.observe_failed,
                })
            );
        } else {
            println!(
                "{}: {} made, {} failed, {} made before",
                run.folder.root().display(),
                counted(outcome.generated, "output"),
                outcome.generate_failed,
                outcome.done_before
            );
        }
    }
    if failed > 0 {
        Exit::Incomplete
    } else {
        Exit::Ok
    }
}

/// Prints results on stdout: one table a suite, or JSON.
///
/// # Errors
/// When the results have no such form.
pub fn print_summaries(
    ctx: &Context,
    summaries: &[Titled],
    published: &[PublishedFile],
) -> Result<(), Failure> {
    let text = if ctx.json {
        let plain: Vec<&Summary> = summaries.iter().map(|titled| &titled.summary).collect();
        let document = Document::new(Vec::new(), Records::default(), &plain)?;
        JSON.text(&document, Window::default())?
    } else {
        let tables = tables(summaries, published);
        TERMINAL.text(&printed::document(&tables)?, Window::detect())?
    };
    print!("{text}");
    Ok(())
}

/// The tables of some runs.
pub fn tables(summaries: &[Titled], published: &[PublishedFile]) -> Vec<Table> {
    let inputs: Vec<TableInput<'_>> = summaries.iter().map(Titled::input).collect();
    Table::of_runs(&inputs, TableSettings::default())
        .into_iter()
        .map(|table| table.beside(published))
        .collect()
}

/// What papers printed on the suites of these runs, where it is asked for.
///
/// # Errors
/// When a file has a mistake.
pub fn published(summaries: &[Titled], asked: bool) -> Result<Vec<PublishedFile>, Failure> {
    let mut suites: Vec<&str> = summaries
        .iter()
        .map(|run| run.summary.suite.as_str())
        .collect();
    suites.dedup();
    let files = suites.iter().filter(|_| asked);
    let files = files.map(|suite| config::published(suite).map_err(Failure::from));
    Ok(files
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// Incomplete as soon as one output is missing, failed or unscored.
pub fn exit_of(summaries: &[Titled]) -> Exit {
    if summaries.iter().any(|titled| titled.summary.partial) {
        Exit::Incomplete
    } else {
        Exit::Ok
    }
}

/// `--jobs`, or the cores of the machine.
pub fn jobs(asked: Option<u16>) -> usize {
    asked.map_or_else(
        || std::thread::available_parallelism().map_or(1, usize::from),
        usize::from,
    )
}
