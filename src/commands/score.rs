//! The last two stages of one run: grade and report.

use super::context::Context;
use super::failure::Failure;
use crate::config::{Settings, SuiteFile};
use crate::grade::{self, Rule};
use crate::hub::HubError;
use crate::record::{Grade, Item, JudgedBy, Summary};
use crate::report::{self, ReportOptions, RunView, TableInput};
use crate::run::{Manifest, Records, RunError, RunFolder, Scored, Scoring, Source, score};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// The suite as the run was made with.
///
/// # Errors
/// When the manifest's definition cannot be read by this version.
pub fn suite_of(manifest: &Manifest) -> Result<SuiteFile, Failure> {
    serde_json::from_value(manifest.suite.clone()).map_err(|error| {
        Failure::usage(
            format!("the suite in the run's manifest cannot be read: {error}"),
            "give the suite: `unigauge grade RUN --suite NAME`",
        )
    })
}

/// A summary with the names that tables print.
#[derive(Debug, Clone)]
pub struct Titled {
    pub summary: Summary,
    pub suite_title: String,
    pub model_title: String,
}

impl Titled {
    /// Takes the titles from the run's manifest.
    pub fn new(summary: Summary, manifest: &Manifest) -> Self {
        Self {
            suite_title: text(&manifest.suite, "title"),
            model_title: model_title(manifest, &summary.judges),
            summary,
        }
    }

    /// Reads a graded run folder's summary.
    ///
    /// # Errors
    /// When it is not a run folder, or is not graded yet.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let (folder, manifest) = graded(path)?;
        Ok(Self::new(
            crate::run::read_json(&folder.summary())?,
            &manifest,
        ))
    }

    pub fn input(&self) -> TableInput<'_> {
        TableInput {
            summary: &self.summary,
            suite_title: &self.suite_title,
            model_title: &self.model_title,
        }
    }
}

/// The model's title. Where it names the judge that was asked for, and one model answered under another name, it names that one.
pub fn model_title(manifest: &Manifest, judges: &[JudgedBy]) -> String {
    let title = text(&manifest.model, "title");
    let [judge] = judges else {
        return title;
    };
    match &judge.answers {
        Some(answers) if answers.asked != judge.judge => {
            let named = |name: &str| format!("judge {name}, ");
            title.replacen(&named(&answers.asked), &named(&judge.judge), 1)
        }
        _ => title,
    }
}

fn text(object: &serde_json::Value, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}

/// Builds a rule; an option that takes an asset's file and is not set gets the file where it was fetched.
///
/// # Errors
/// When the rule or its options have mistakes, or such a file is damaged.
pub fn rule(ctx: &Context, name: &str, options: &Settings) -> Result<Box<dyn Rule>, Failure> {
    let mut table = toml::Table::new();
    let rule = grade::described(name)?;
    for asset in rule.assets {
        match ctx.hub()?.path(asset.asset) {
            Ok(path) => {
                table.insert(asset.option.to_owned(), path.display().to_string().into());
            }
            Err(HubError::Absent { .. } | HubError::NoCacheFolder) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let options = Settings::from_table(&table)?.merged(options);
    Ok(rule.build(&options)?)
}

/// Grades a run folder; `items` are its items when the caller has them. `over` replaces the suite's own options of the rule, and is then noted in the summary.
///
/// # Errors
/// When the rule or its options have mistakes, or a file is damaged.
pub fn grade_run(
    ctx: &Context,
    folder: &RunFolder,
    manifest: &Manifest,
    over: Option<(&SuiteFile, &Settings)>,
    items: Option<Arc<Vec<Item>>>,
) -> Result<Scored, Failure> {
    let (suite, over) = match over {
        Some((suite, options)) => (suite.clone(), options.clone()),
        None => (suite_of(manifest)?, Settings::default()),
    };
    let options = suite.grade.options.merged(&over);
    let rule = rule(ctx, &suite.grade.rule, &options)?;
    let scoring = Scoring {
        suite: &suite,
        rule: rule.as_ref(),
        over: &over,
        source: Source::Run(manifest),
    };
    Ok(score(folder, Records::of_run(folder, items)?, &scoring)?)
}

/// Renders the report of one run into its folder; gives the summary back.
///
/// # Errors
/// When the report cannot be written.
pub fn report_run(
    folder: &RunFolder,
    manifest: &Manifest,
    scored: Scored,
) -> Result<Titled, Failure> {
    let summary = Titled::new(scored.summary.clone(), manifest);
    let view = view(folder, manifest, scored)?;
    report::write(
        &folder.report(),
        std::slice::from_ref(&view),
        &ReportOptions::default(),
    )?;
    Ok(summary)
}

/// Beyond so many outputs the report gets a part of them for its gallery: more than it shows.
const GALLERY_POOL: usize = 60_000;

/// Leaves the gallery a part of a huge run: items with something wrong first, the others at even steps.
fn thin(scored: &mut Scored) {
    if scored.grades.len() <= GALLERY_POOL {
        return;
    }
    let wrong = |grade: &Grade| grade.score.is_none() || grade.correct == Some(false);
    let (bad, good): (Vec<&Grade>, Vec<&Grade>) =
        scored.grades.iter().partition(|grade| wrong(grade));
    let step = (good.len() / (GALLERY_POOL / 2)).max(1);
    let kept: HashSet<&str> = bad
        .into_iter()
        .take(GALLERY_POOL / 2)
        .chain(good.into_iter().step_by(step))
        .map(|grade| grade.item.as_str())
        .collect();
    let records = &mut scored.records;
    let items = records
        .items
        .iter()
        .filter(|item| kept.contains(item.item.as_str()));
    records.items = Arc::new(items.cloned().collect());
    records
        .evidence
        .retain(|evidence| kept.contains(evidence.item.as_str()));
    records.evidence.shrink_to_fit();
    if let Some(outputs) = &mut records.outputs {
        outputs.retain(|output| kept.contains(output.item.as_str()));
        outputs.shrink_to_fit();
    }
}

/// A run as the report sees it.
///
/// # Errors
/// When the manifest's suite cannot be read.
pub fn view(
    folder: &RunFolder,
    manifest: &Manifest,
    mut scored: Scored,
) -> Result<RunView, Failure> {
    thin(&mut scored);
    Ok(RunView {
        dir: folder.root().to_path_buf(),
        suite: text(&manifest.suite, "name"),
        suite_title: text(&manifest.suite, "title"),
        suite_version: text(&manifest.suite, "version"),
        model: text(&manifest.model, "name"),
        model_title: model_title(manifest, &scored.summary.judges),
        run: manifest.run.clone(),
        variant_notes: scored.summary.notes.clone(),
        manifest: serde_json::to_value(manifest)
            .map_err(|error| RunError::Invalid(error.to_string()))?,
        summary: scored.summary,
        items: scored.records.items,
        outputs: scored.records.outputs.unwrap_or_default(),
        evidence: scored.records.evidence,
        grades: scored.grades,
    })
}

/// Reads a graded run folder for a comparison.
///
/// # Errors
/// When it is not a run folder, or is not graded yet.
pub fn read_view(path: &Path) -> Result<RunView, Failure> {
    let (folder, manifest) = graded(path)?;
    let scored = Scored {
        records: Records::of_run(&folder, None)?,
        grades: crate::run::read_all(&folder.grades())?,
        summary: crate::run::read_json(&folder.summary())?,
    };
    view(&folder, &manifest, scored)
}

/// The folder and manifest of a graded run.
///
/// # Errors
/// When it is not a run folder, or is not graded yet.
pub fn graded(path: &Path) -> Result<(RunFolder, Manifest), Failure> {
    let folder = RunFolder::existing(path)?;
    let manifest = Manifest::read(&folder)?;
    if !folder.summary().is_file() {
        return Err(Failure::incomplete(
            format!("`{}` is not graded yet", path.display()),
            format!(
                "finish it with the command that started it, or grade it: `unigauge grade {}`",
                path.display()
            ),
        ));
    }
    Ok((folder, manifest))
}
