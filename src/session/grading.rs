//! Grades a run folder by the rule of its suite, or of another.

use super::view::{GradedRun, report_graded};
use super::{Session, SessionError, TitledSummary};
use crate::config::{self, Settings, SuiteFile};
use crate::grade::{self, Rule, SuiteFacts};
use crate::hub::HubError;
use crate::observe::OBSERVERS;
use crate::record::Item;
use crate::run::{GRADING, Manifest, Records, RunFolder, Scoring, grading_note, score};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What replaces the suite that a run was made with.
#[derive(Debug, Clone, Default)]
pub struct GradeOverride {
    /// Another suite, by name or path; None takes the run's own.
    pub suite: Option<String>,
    /// Options of the rule that override the suite's own; the summary notes them.
    pub options: Settings,
}

impl Session {
    /// Grades a run folder again and writes its report.
    ///
    /// # Errors
    /// When it is no run folder, another process holds it, a file is damaged, or the rule's options have
    /// mistakes.
    pub fn grade_run(
        &self,
        run: &Path,
        over: &GradeOverride,
    ) -> Result<(RunFolder, TitledSummary), SessionError> {
        let folder = RunFolder::existing(run)?;
        let _lock = folder.lock(None)?;
        let manifest = Manifest::read(&folder)?;
        let suite = match &over.suite {
            Some(name) => config::suite(name, Path::new(""))?.definition,
            None => manifest_suite(&manifest)?.clone(),
        };
        let over = Some((&suite, &over.options));
        let graded = grade_folder(self, &folder, &manifest, over, None)?;
        let summary = report_graded(&folder, &manifest, graded)?;
        Ok((folder, summary))
    }
}

/// The suite as the run was made with.
///
/// # Errors
/// [`SessionError::ManifestSuite`]
pub(super) fn manifest_suite(manifest: &Manifest) -> Result<&SuiteFile, SessionError> {
    let unreadable = |reason: &str| SessionError::ManifestSuite {
        reason: reason.to_owned(),
    };
    manifest.suite.typed().map_err(unreadable)
}

/// What the aggregation needs to know about a suite.
pub(super) fn suite_facts(suite: &SuiteFile) -> SuiteFacts {
    SuiteFacts {
        name: suite.name.clone(),
        version: suite.version.clone(),
        group_by: suite.report.group_by.clone(),
    }
}

/// Makes a rule. An option that takes the file of an asset, and is not set, gets the file where it was
/// fetched.
///
/// # Errors
/// When the rule or its options have mistakes, or such a file is damaged.
pub(super) fn build_rule(
    session: &Session,
    name: &str,
    options: &Settings,
) -> Result<Box<dyn Rule>, SessionError> {
    let mut table = toml::Table::new();
    for (option, asset) in grade::assets(name) {
        let found: Result<PathBuf, HubError> = session.hub()?.path(asset);
        match found {
            Ok(path) => {
                table.insert((*option).to_owned(), path.display().to_string().into());
            }
            Err(HubError::Absent { .. } | HubError::NoCacheFolder) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let options = Settings::from_table(&table)?.merged(options);
    Ok(grade::build(name, &options)?)
}

/// Grades a run folder; `items` are its items when the caller has them. `over` replaces the suite, and its
/// options override the suite's own options of the rule, which the summary then notes.
///
/// # Errors
/// When the rule or its options have mistakes, or a file is damaged.
pub(super) fn grade_folder(
    session: &Session,
    folder: &RunFolder,
    manifest: &Manifest,
    over: Option<(&SuiteFile, &Settings)>,
    items: Option<Arc<Vec<Item>>>,
) -> Result<GradedRun, SessionError> {
    let (suite, options) = match over {
        Some((suite, options)) => (suite, suite.grade.options.merged(options)),
        None => {
            let suite = manifest_suite(manifest)?;
            (suite, suite.grade.options.clone())
        }
    };
    let rule = build_rule(session, &suite.grade.rule, &options)?;
    let records = Records::of_run(folder, items)?;
    let model = match manifest.model.name() {
        "" => "model",
        name => name,
    };
    let mut notes = suite.notes.clone();
    notes.extend(manifest.model.notes().map(str::to_owned));
    notes.extend(manifest.left_out.iter().cloned());
    notes.extend(records.notes.iter().cloned());
    notes.extend(
        OBSERVERS
            .iter()
            .flat_map(|kind| (kind.notes)(folder.root())),
    );
    notes.extend(over.and_then(|(_, options)| options_note(options)));
    let used = grading_note(&suite.grade.rule, &options);
    let scoring = Scoring {
        rule: rule.as_ref(),
        facts: &suite_facts(suite),
        model,
        run: &manifest.run,
        repeats: Some(manifest.repeats),
        notes,
        extra: [(GRADING.to_owned(), used)].into_iter().collect(),
    };
    let (grades, summary) = score(folder, &records, &scoring)?;
    Ok(GradedRun {
        records,
        grades,
        summary,
    })
}

/// Says that other options than the suite's own were set for the rule; None where none were.
pub(super) fn options_note(options: &Settings) -> Option<String> {
    (!options.is_empty()).then(|| {
        format!(
            "graded with other options than the suite's own: {}",
            options.to_json()
        )
    })
}
