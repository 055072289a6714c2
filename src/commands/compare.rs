//! `unigauge compare`.

use super::cli::{AllowArgs, CompareArgs, Interval, PairArgs};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::summaries::{exit_of, tables};
use crate::compare::page::Heading;
use crate::compare::{
    self, Allowed, DifferenceOptions, IntervalKind, PlacedComparison, RefusedPair,
};
use crate::exit::Exit;
use crate::report::printed;
use crate::session::{
    ComparedFolders, ComparedRuns, TitledSummary, note_agreement, note_noise_pairs,
    published_beside, write_comparison,
};
use crate::stats::power::Plan;
use crate::table::formats::{JSON, TERMINAL, terminal};
use crate::table::{Document, Format, Window};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Prints runs side by side, and each beside the first run of its suite, item by item.
///
/// # Errors
/// Fails if a folder is not a graded run, or two runs should not be compared.
pub(super) fn compare(ctx: &Context, args: &CompareArgs) -> Result<Exit, Failure> {
    let read = args.runs.iter().map(|run| TitledSummary::read(run));
    let mut summaries = read.collect::<Result<Vec<_>, _>>()?;
    note_agreement(&args.runs, &mut summaries)?;
    note_noise_pairs(&args.runs, &mut summaries)?;
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
        print_document(format, &printed::document(&tables)?)?;
        return Ok(exit_of(&summaries));
    }
    let compared = ComparedRuns::read(&args.runs)?;
    let (comparisons, refused) =
        compared.compare_with_first(allowed(&args.allow), &difference_options(&args.pair));
    if args.pairs {
        let document = compare::printed::document(format, &comparisons, args.pair.power)?;
        print!("{}", format.text(&document, Window::detect().unstyled())?);
    } else {
        let both = json!({"tables": tables, "comparisons": comparisons});
        let (grids, records) = (printed::grids(&tables), printed::records(&tables));
        print_document(format, &Document::new(grids, records, &both)?)?;
        if format == &TERMINAL {
            print_comparisons(&comparisons, &args.pair);
        }
    }
    if let Some(dir) = &args.out {
        write_page(dir, &args.runs, &comparisons, &args.pair)?;
    }
    match refused {
        Some(refused) => Err(refused.into()),
        None => Ok(exit_of(&summaries)),
    }
}

/// Prints a document in a format.
fn print_document(format: &Format, document: &Document<'_>) -> Result<(), Failure> {
    let text = format.text(document, Window::detect())?;
    println!("{}", text.trim_end());
    Ok(())
}

/// Prints comparisons for people.
pub(super) fn print_comparisons(comparisons: &[PlacedComparison], pair: &PairArgs) {
    let window = Window::detect().unstyled();
    for placed in comparisons {
        let grid = compare::printed::screen(&placed.comparison, pair.power);
        println!("\n{}", terminal::table(&grid, window).trim_end());
    }
}

/// Writes the page of comparisons of run folders.
///
/// # Errors
/// Fails if a run cannot be read, or the page cannot be written.
pub(super) fn write_page(
    dir: &Path,
    runs: &[PathBuf],
    comparisons: &[PlacedComparison],
    pair: &PairArgs,
) -> Result<(), Failure> {
    let compared = comparisons.iter().map(|placed| ComparedFolders {
        comparison: &placed.comparison,
        before: placed.before.map(|index| runs[index].as_path()),
        after: &runs[placed.after],
    });
    let compared: Vec<ComparedFolders<'_>> = compared.collect();
    let heading = Heading {
        title: match comparisons {
            [placed] => &placed.comparison.after.suite_title,
            _ => "Runs side by side",
        },
        kicker: "unigauge comparison",
        banner: None,
    };
    let page = write_comparison(dir, &heading, &compared, pair.power)?;
    say(format!("page: {}", page.display()));
    Ok(())
}

impl From<RefusedPair> for Failure {
    fn from(refused: RefusedPair) -> Self {
        let exit = if refused.reason.only_partial() {
            Exit::Incomplete
        } else {
            Exit::Usage
        };
        Self::new(exit, refused)
    }
}

/// What the command line allows to differ.
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

/// How the command line wants differences to be computed.
pub(super) fn difference_options(args: &PairArgs) -> DifferenceOptions {
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
        ..DifferenceOptions::default()
    }
}
