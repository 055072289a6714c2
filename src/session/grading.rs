//! Grades a run folder by the rule of its suite, or of another suite.

use super::view::report_graded;
use super::{Session, SessionError, TitledSummary};
use crate::config::{self, GradeSection, Settings, SuiteFile};
use crate::grade::{self, Rule};
use crate::hub::HubError;
use crate::record::Item;
use crate::run::{Manifest, Purpose, Records, RunFolder, Scored, Scoring, Source, score};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What replaces the suite that a run was made with.
#[derive(Debug, Clone, Default)]
pub struct GradeOverride {
    /// Another suite, by name or path. `None` uses the suite of the run.
    pub suite: Option<String>,
    /// Another rule, by name. `None` uses the suite's own. Another rule takes none of the suite's options.
    pub rule: Option<String>,
    /// Options of the rule that replace the suite's own. The summary records them.
    pub options: Settings,
}

/// A suite with the rule that replaces its own; another rule takes none of the suite's options.
pub(super) fn with_rule(mut suite: SuiteFile, rule: Option<&str>) -> SuiteFile {
    if let Some(rule) = rule.filter(|rule| *rule != suite.grade.rule) {
        suite.grade = GradeSection {
            rule: rule.to_owned(),
            options: Settings::default(),
        };
    }
    suite
}

impl Session {
    /// Grades a run folder again and writes its report.
    ///
    /// # Errors
    /// Fails if it is not a run folder, another process holds it, a file is damaged, or the rule's options
    /// have mistakes.
    pub fn grade_run(
        &self,
        run: &Path,
        over: &GradeOverride,
    ) -> Result<(RunFolder, TitledSummary), SessionError> {
        let folder = RunFolder::existing(run)?;
        let _lock = self.lock(&folder, None, Purpose::Read, Duration::ZERO)?;
        let manifest = Manifest::read(&folder)?;
        let suite = match &over.suite {
            Some(name) => config::suite(name, Path::new(""))?.definition,
            None => manifest_suite(&manifest)?.clone(),
        };
        let suite = with_rule(suite, over.rule.as_deref());
        let over = Some((&suite, &over.options));
        let graded = grade_folder(self, &folder, &manifest, over, None)?;
        let summary = report_graded(&folder, &manifest, graded)?;
        Ok((folder, summary))
    }
}

/// The suite that the run was made with.
///
/// # Errors
/// [`SessionError::ManifestSuite`]
pub(super) fn manifest_suite(manifest: &Manifest) -> Result<&SuiteFile, SessionError> {
    let unreadable = |reason: &str| SessionError::ManifestSuite {
        reason: reason.to_owned(),
    };
    manifest.suite.typed().map_err(unreadable)
}

/// Makes a rule. An option that takes the file of an asset, and is not set, gets the file where it was
/// fetched.
///
/// # Errors
/// Fails if the rule or its options have mistakes, or such a file is damaged.
pub(super) fn build_rule(
    session: &Session,
    name: &str,
    options: &Settings,
) -> Result<Box<dyn Rule>, SessionError> {
    let mut table = toml::Table::new();
    let rule = grade::rule_description(name)?;
    for asset in rule.assets {
        match session.hub()?.path(asset.asset) {
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

/// Grades a run folder; `items` are its items when the caller has them. `over` replaces the suite, and its
/// options override the suite's own options of the rule, which the summary then notes.
///
/// # Errors
/// Fails if the rule or its options have mistakes, or a file is damaged.
pub(super) fn grade_folder(
    session: &Session,
    folder: &RunFolder,
    manifest: &Manifest,
    over: Option<(&SuiteFile, &Settings)>,
    items: Option<Arc<Vec<Item>>>,
) -> Result<Scored, SessionError> {
    let plain = Settings::default();
    let (suite, over) = match over {
        Some((suite, options)) => (suite, options),
        None => (manifest_suite(manifest)?, &plain),
    };
    let options = suite.grade.options.merged(over);
    let rule = build_rule(session, &suite.grade.rule, &options)?;
    let scoring = Scoring {
        suite,
        rule: rule.as_ref(),
        over,
        source: Source::Run(manifest),
    };
    Ok(score(folder, Records::of_run(folder, items)?, &scoring)?)
}
