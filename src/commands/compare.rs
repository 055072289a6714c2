//! `unigauge compare`.

use super::agreement;
use super::cli::{AllowArgs, CompareArgs, Interval, PairArgs};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::summaries::{exit_of, tables};
use crate::compare::{self, Allowed, Comparison, DifferenceOptions, IntervalKind, NotComparable};
use crate::config::TestChoice;
use crate::exit::Exit;
use crate::record::Outcomes;
use crate::report::{RunView, printed};
use crate::session::{RecountedRun, TitledSummary, published_beside, read_outcomes, read_view};
use crate::stats::bootstrap::RESAMPLES;
use crate::stats::power::Plan;
use crate::table::formats::{JSON, TERMINAL, terminal};
use crate::table::{Document, Format, FormatError, Window};
use serde_json::json;
use std::path::Path;

/// Prints runs side by side, and each beside the first run of its suite, item by item.
///
/// # Errors
/// Fails if a folder is not a graded run, or two runs should not be compared.
pub(super) fn compare(ctx: &Context, args: &CompareArgs) -> Result<Exit, Failure> {
    let read = args.runs.iter().map(|run| TitledSummary::read(run));
    let mut summaries = read.collect::<Result<Vec<_>, _>>()?;
    agreement::note(&args.runs, &mut summaries)?;
    let papers = if args.published {
        published_beside(&summaries)?
    } else {
        Vec::new()
    };
    let format = if ctx.json { &JSON } else { args.format };
    if args.pairs && args.runs.len() < 2 {
        return Err(Failure::usage(
            "a pair needs two runs",
            "put the run to compare with first",
        ));
    }
    let tables = tables(&summaries, &papers);
    // The other formats are of tables alone.
    let holds_both = [&TERMINAL, &JSON].contains(&format);
    let paired = holds_both || args.out.is_some() || args.pairs;
    if !paired || args.runs.len() < 2 {
        show(format, &printed::document(&tables)?)?;
        return Ok(exit_of(&summaries));
    }
    let (comparisons, refused) = comparisons(args)?;
    if args.pairs {
        let document = pairs_alone(format, &comparisons, &args.pair)?;
        print!("{}", format.text(&document, Window::detect().unstyled())?);
    } else {
        let both = json!({"tables": tables, "comparisons": comparisons});
        let (grids, records) = (printed::grids(&tables), printed::records(&tables));
        show(format, &Document::new(grids, records, &both)?)?;
        if format == &TERMINAL {
            print(&comparisons, &args.pair);
        }
    }
    if let Some(dir) = &args.out {
        page(dir, &args.runs, &comparisons, &args.pair)?;
    }
    match refused {
        Some(failure) => Err(failure),
        None => Ok(exit_of(&summaries)),
    }
}

/// Prints a document.
fn show(format: &Format, document: &Document<'_>) -> Result<(), Failure> {
    let text = format.text(document, Window::detect())?;
    println!("{}", text.trim_end());
    Ok(())
}

/// The comparisons that the command line asks for, and why one of them is refused.
fn comparisons(args: &CompareArgs) -> Result<(Vec<Done>, Option<Failure>), Failure> {
    let runs = args.runs.iter().map(|run| read_outcomes(run));
    let runs: Vec<Outcomes> = runs.collect::<Result<_, _>>()?;
    let pairs = pairs(&runs, args.allow.allow_prompts);
    let rules = args.runs.iter().map(|run| RecountedRun::open(run));
    let rules: Vec<RecountedRun> = rules.collect::<Result<_, _>>()?;
    Ok(all(&runs, &rules, &pairs, &args.allow, &args.pair))
}

/// A comparison with the places of its runs on the command line. `None` for a baseline's run.
pub(super) struct Done {
    pub before: Option<usize>,
    pub after: usize,
    pub comparison: Comparison,
}

impl serde::Serialize for Done {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.comparison.serialize(serializer)
    }
}

/// Each run beside the first one of its suite. Where no suite has two runs, the user means the first one.
fn pairs(runs: &[Outcomes], across: bool) -> Vec<(usize, usize)> {
    let first = |at: usize| {
        let same = |run: &Outcomes| across || run.facts.suite == runs[at].facts.suite;
        runs.iter().position(same).unwrap_or(at)
    };
    let of_suites: Vec<(usize, usize)> = (0..runs.len())
        .map(|at| (first(at), at))
        .filter(|(first, at)| first != at)
        .collect();
    if of_suites.is_empty() && runs.len() == 2 {
        vec![(0, 1)]
    } else {
        of_suites
    }
}

fn all(
    runs: &[Outcomes],
    rules: &[RecountedRun],
    pairs: &[(usize, usize)],
    allow: &AllowArgs,
    pair: &PairArgs,
) -> (Vec<Done>, Option<Failure>) {
    let options = options(pair);
    let mut refused = None;
    let mut comparisons = Vec::new();
    let mut places = Vec::new();
    for &(before, after) in pairs {
        let rule = Some(&rules[after] as &dyn compare::Recount);
        let [one, other] = [&runs[before], &runs[after]];
        match compare::compare(one, other, allowed(allow), &options, rule) {
            Ok(comparison) => {
                comparisons.push(comparison);
                places.push((before, after));
            }
            Err(error) => {
                let failure = refusal(&runs[before], &runs[after], &error);
                refused.get_or_insert(failure);
            }
        }
    }
    compare::correct_overall(&mut comparisons);
    let done = places.into_iter().zip(comparisons);
    let done = done.map(|((before, after), comparison)| Done {
        before: Some(before),
        after,
        comparison,
    });
    (done.collect(), refused)
}

/// Why two runs are not compared, and what to do.
pub(super) fn refusal(before: &Outcomes, after: &Outcomes, error: &NotComparable) -> Failure {
    let name = |run: &Outcomes| format!("{} ({})", run.facts.model, run.facts.run);
    let message = format!(
        "{} and {} are not compared: {error}",
        name(before),
        name(after)
    );
    let options = error.options();
    let help = if options.is_empty() {
        "compare runs that share scored items".to_owned()
    } else {
        format!("{} compares them and marks the result", options.join(" "))
    };
    if error.only_partial() {
        Failure::incomplete(message, help)
    } else {
        Failure::usage(message, help)
    }
}

/// What the command line lets pass.
pub(super) fn allowed(args: &AllowArgs) -> Allowed {
    Allowed {
        version: args.allow_version,
        prompts: args.allow_prompts,
        observers: args.allow_observers,
        judges: args.allow_judges,
        grading: args.allow_grading,
        partial: args.allow_partial,
    }
}

/// How differences are computed where the command line does not say.
pub(super) fn usual() -> DifferenceOptions {
    DifferenceOptions {
        plan: Plan {
            level: 0.05,
            power: 0.8,
            one_sided: false,
        },
        test: TestChoice::Auto,
        interval: IntervalKind::Bca,
        resamples: RESAMPLES,
        seed: compare::SEED,
    }
}

/// How differences are computed.
pub(super) fn options(args: &PairArgs) -> DifferenceOptions {
    DifferenceOptions {
        plan: Plan {
            level: args.level,
            power: args.power,
            one_sided: false,
        },
        interval: match args.interval {
            Interval::Bca => IntervalKind::Bca,
            Interval::Percentile => IntervalKind::Percentile,
        },
        resamples: args.resamples,
        ..usual()
    }
}

/// Prints comparisons for eyes.
pub(super) fn print(comparisons: &[Done], pair: &PairArgs) {
    let window = Window::detect().unstyled();
    for done in comparisons {
        let grid = compare::printed::screen(&done.comparison, pair.power);
        println!("\n{}", terminal::table(&grid, window).trim_end());
    }
}

/// The comparisons without the tables of their runs.
fn pairs_alone<'a>(
    format: &Format,
    comparisons: &'a [Done],
    pair: &PairArgs,
) -> Result<Document<'a>, FormatError> {
    let all = comparisons.iter().map(|done| &done.comparison);
    let grids = all.clone().map(|comparison| {
        if format == &TERMINAL {
            compare::printed::screen(comparison, pair.power)
        } else {
            compare::printed::sheet(comparison, pair.power)
        }
    });
    Document::new(
        grids.collect(),
        compare::printed::records(all),
        &json!({"comparisons": comparisons}),
    )
}

/// Writes the page of comparisons of run folders.
///
/// # Errors
/// Fails if a run cannot be read or the page cannot be written.
pub(super) fn page(
    dir: &Path,
    runs: &[std::path::PathBuf],
    comparisons: &[Done],
    pair: &PairArgs,
) -> Result<(), Failure> {
    let views: Vec<RunView> = runs
        .iter()
        .map(|run| read_view(run))
        .collect::<Result<_, _>>()?;
    let sheets: Vec<_> = comparisons
        .iter()
        .map(|done| compare::page::Sheet {
            comparison: &done.comparison,
            before: done.before.and_then(|at| views.get(at)),
            after: views.get(done.after),
        })
        .collect();
    let title = match comparisons {
        [one] => one.comparison.after.suite_title.clone(),
        _ => "Runs side by side".to_owned(),
    };
    let kicker = "unigauge comparison";
    let written = compare::page::write(dir, &title, kicker, None, &sheets, pair.power)?;
    say(format!("page: {}", written.display()));
    Ok(())
}
