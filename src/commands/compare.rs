//! `unigauge compare`.

use super::agreement;
use super::cli::{AllowArgs, CompareArgs, Format, Interval, PairArgs};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::summaries::{exit_of, tables};
use crate::compare::{self, Allowed, Comparison, IntervalKind, NotComparable, Options};
use crate::config::TestChoice;
use crate::exit::Exit;
use crate::record::{Object, Outcomes};
use crate::report::RunView;
use crate::report::export::{self, Export, Grid, Terminal};
use crate::session::{RecountedRun, TitledSummary, published_beside, read_outcomes, read_view};
use crate::stats::bootstrap::RESAMPLES;
use crate::stats::power::Plan;
use serde_json::json;
use std::path::Path;

/// Prints runs side by side, and each beside the first run of its suite, item by item.
///
/// # Errors
/// When a folder is not a graded run, or two runs should not be compared.
pub fn compare(ctx: &Context, args: &CompareArgs) -> Result<Exit, Failure> {
    let read = args.runs.iter().map(|run| TitledSummary::read(run));
    let mut summaries = read.collect::<Result<Vec<_>, _>>()?;
    agreement::note(&args.runs, &mut summaries)?;
    let papers = if args.published {
        published_beside(&summaries)?
    } else {
        Vec::new()
    };
    let asked = if ctx.json { Format::Json } else { args.format };
    let format: Box<dyn Export> = match asked {
        Format::Terminal => Box::new(Terminal::detect()),
        Format::Markdown => Box::new(export::Markdown),
        Format::Latex => Box::new(export::Latex),
        Format::Html => Box::new(export::Html),
        Format::Csv => Box::new(export::Csv),
        Format::Json => Box::new(export::Json),
    };
    let table = tables(format.as_ref(), &summaries, &papers);
    let paired = matches!(asked, Format::Terminal | Format::Json) || args.out.is_some();
    let paired = paired || args.pairs;
    if args.pairs && args.runs.len() < 2 {
        return Err(Failure::usage(
            "one run makes no pair",
            "name the run to compare with first",
        ));
    }
    if !paired || args.runs.len() < 2 {
        println!("{}", table.trim_end());
        return Ok(exit_of(&summaries));
    }
    let runs: Vec<Outcomes> = args
        .runs
        .iter()
        .map(|run| read_outcomes(run))
        .collect::<Result<_, _>>()?;
    let pairs = pairs(&runs, args.allow.allow_prompts);
    let rules = args.runs.iter().map(|run| RecountedRun::open(run));
    let rules: Vec<RecountedRun> = rules.collect::<Result<_, _>>()?;
    let (comparisons, refused) = all(&runs, &rules, &pairs, &args.allow, &args.pair);
    if args.pairs {
        print_pairs(asked, &comparisons, &args.pair);
    } else if asked == Format::Json {
        let tables: serde_json::Value = serde_json::from_str(&table).unwrap_or_default();
        println!(
            "{:#}",
            json!({"tables": tables, "comparisons": comparisons})
        );
    } else {
        println!("{}", table.trim_end());
    }
    if asked == Format::Terminal && !args.pairs {
        print(&comparisons, &args.pair);
    }
    if let Some(dir) = &args.out {
        page(dir, &args.runs, &comparisons, &args.pair)?;
    }
    match refused {
        Some(failure) => Err(failure),
        None => Ok(exit_of(&summaries)),
    }
}

/// A comparison with the places of its runs on the command line; None for a baseline's run.
pub struct Done {
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
    match of_suites.is_empty() && runs.len() == 2 {
        true => vec![(0, 1)],
        false => of_suites,
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
pub fn refusal(before: &Outcomes, after: &Outcomes, error: &NotComparable) -> Failure {
    let name = |run: &Outcomes| format!("{} ({})", run.facts.model, run.facts.run);
    let message = format!(
        "{} and {} are not compared: {error}",
        name(before),
        name(after)
    );
    let options = error.options();
    let help = match options.is_empty() {
        true => "compare runs that share scored items".to_owned(),
        false => format!("{} compares them and marks the result", options.join(" ")),
    };
    match error.only_partial() {
        true => Failure::incomplete(message, help),
        false => Failure::usage(message, help),
    }
}

/// What the command line lets pass.
pub fn allowed(args: &AllowArgs) -> Allowed {
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
pub fn usual() -> Options {
    Options {
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
pub fn options(args: &PairArgs) -> Options {
    Options {
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
pub fn print(comparisons: &[Done], pair: &PairArgs) {
    let width = Terminal::detect().width;
    for done in comparisons {
        let text = compare::text::render(&done.comparison, width, pair.power);
        println!("\n{}", text.trim_end());
    }
}

/// Prints comparisons alone, in a format of tables.
fn print_pairs(format: Format, comparisons: &[Done], pair: &PairArgs) {
    let width = Terminal::detect().width;
    let all = || comparisons.iter().map(|done| &done.comparison);
    let sheets = all().map(|comparison| compare::text::sheet(comparison, pair.power));
    let show = |of: fn(&Grid) -> String| -> String {
        let texts: Vec<String> = sheets.clone().map(|sheet| of(&sheet)).collect();
        texts.join("\n")
    };
    let text = match format {
        Format::Terminal => {
            let texts = all().map(|c| compare::text::render(c, width, pair.power));
            texts.collect::<Vec<String>>().join("\n")
        }
        Format::Markdown => show(Grid::markdown),
        Format::Latex => show(Grid::latex),
        Format::Html => show(Grid::html),
        Format::Csv => {
            let records: Vec<Object> = all().flat_map(compare::text::records).collect();
            export::records_csv(&records)
        }
        Format::Json => format!("{:#}\n", json!({"comparisons": comparisons})),
    };
    print!("{text}");
}

/// Writes the page of comparisons of run folders.
///
/// # Errors
/// When a run cannot be read or the page cannot be written.
pub fn page(
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
