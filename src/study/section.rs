//! The numbers of one suite: the value of each level and its difference to the control, overall and by group.

use super::estimate::{Estimate, known_numbers, value};
use super::pool::{Pooled, pool, unlike};
use super::{LevelRuns, StudySettings, SuiteRuns};
use crate::compare::{Difference, NoDifference, Pairing};
use crate::config::Metric;
use crate::stats::holm;
use crate::table::Rank;
use serde::Serialize;
use std::path::PathBuf;

/// One suite of a study.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// The name of the suite.
    pub suite: String,
    /// The title of the suite.
    pub title: String,
    /// The version of the suite.
    pub version: String,
    /// The number that levels are compared by.
    pub metric: Metric,
    /// The index of the control among the levels.
    pub control: usize,
    /// In the study's order.
    pub levels: Vec<LevelRow>,
    /// The groups of each tag, in the order of the suite.
    pub groups: Vec<Grouped>,
    /// What a reader of the numbers must know.
    pub notes: Vec<String>,
}

/// One level.
#[derive(Debug, Clone, Serialize)]
pub struct LevelRow {
    /// The title of the level.
    pub title: String,
    /// The run folders.
    pub runs: Vec<PathBuf>,
    /// Runs that the study names, but that do not exist or do not belong with the others.
    pub missing: Vec<String>,
    /// Number of items.
    pub n: usize,
    /// Number of outputs.
    pub expected: usize,
    /// Outputs with a score.
    pub scored: usize,
    /// The value over the outputs of all runs. If nothing is missing, this is the mean over runs, unless the
    /// rule computes its number by a formula.
    pub value: Option<f64>,
    /// Lower bound of the 95 % interval over items.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
    /// The place of the value among the levels.
    pub rank: Rank,
    /// The value of each run.
    pub by_run: Vec<Option<f64>>,
    /// Standard deviation of the runs' values. `None` for fewer than two runs.
    pub deviation: Option<f64>,
    /// The cost of the level, where there is one.
    pub cost: Option<f64>,
    /// The difference to the control. `None` for the control itself, and if there is nothing to compare.
    pub difference: Option<Difference>,
}

impl LevelRow {
    /// Whether runs or outputs are missing.
    pub fn partial(&self) -> bool {
        !self.missing.is_empty() || self.scored < self.expected
    }
}

/// The groups of one tag.
#[derive(Debug, Clone, Serialize)]
pub struct Grouped {
    /// The tag.
    pub by: String,
    /// The groups.
    pub keys: Vec<String>,
    /// Cells by level and key: `cells[level][key]`.
    pub cells: Vec<Vec<GroupCell>>,
}

/// The value of a level in one group.
#[derive(Debug, Clone, Serialize)]
pub struct GroupCell {
    /// The number. `None` if there is none.
    pub value: Option<f64>,
    /// The lower bound of the 95 % interval.
    pub low: Option<f64>,
    /// The upper bound of the 95 % interval.
    pub high: Option<f64>,
    /// Number of items.
    pub n: usize,
    /// The place of the value among the levels.
    pub rank: Rank,
    /// The difference to the control. Its p is corrected for all levels and groups of the tag.
    pub difference: Option<Difference>,
}

impl Section {
    /// `None` if no level has a run.
    pub fn from_runs(runs: &SuiteRuns, settings: &StudySettings) -> Option<Self> {
        let mut notes = Vec::new();
        let repeats = runs.repeats();
        let pools = runs.levels.iter();
        let (pooled, missing): (Vec<Option<Pooled<'_>>>, Vec<Vec<String>>) = pools
            .map(|level| pool(level, repeats, settings.allowed))
            .unzip();
        let first = pooled.iter().flatten().next()?.outcomes.facts.clone();
        let control = pooled.get(settings.control).and_then(Option::as_ref);
        let compared: Vec<bool> = comparable(&pooled, control, settings, &mut notes);
        let metric = &settings.primary;
        let mut levels: Vec<LevelRow> = runs
            .levels
            .iter()
            .zip(pooled.iter().zip(missing))
            .map(|(level, (pooled, missing))| row(level, pooled.as_ref(), missing, settings))
            .collect();
        let of_control = levels.get(settings.control).and_then(|level| level.value);
        for (at, level) in levels.iter_mut().enumerate() {
            let pair = control.zip(pooled[at].as_ref()).filter(|_| compared[at]);
            let Some(found) = pair.map(|pair| difference(pair, metric, settings)) else {
                continue;
            };
            let values = of_control.zip(level.value);
            notes.extend(values.and_then(|values| remark(&level.title, values, &found)));
            level.difference = found.ok();
        }
        correct(levels.iter_mut().map(|level| &mut level.difference));
        rank(
            levels
                .iter_mut()
                .map(|level| (level.value, &mut level.rank)),
        );
        let groups = first
            .group_by
            .iter()
            .map(|by| grouped(by, &pooled, control, &compared, settings))
            // A single group would repeat the overall number.
            .filter(|grouped| grouped.keys.len() > 1);
        let groups = groups.collect();
        notes.extend(levels.iter().flat_map(lacking));
        if levels.iter().all(|level| level.value.is_none()) {
            notes.push(no_value(metric, &pooled));
        }
        Some(Self {
            suite: first.suite,
            title: first.suite_title,
            version: first.suite_version,
            metric: metric.clone(),
            control: settings.control,
            groups,
            levels,
            notes,
        })
    }

    /// Whether runs or outputs are missing.
    pub fn partial(&self) -> bool {
        self.levels.iter().any(LevelRow::partial)
    }

    /// Whether no level has the number that the study asks for.
    pub fn valueless(&self) -> bool {
        self.levels.iter().all(|level| level.value.is_none())
    }

    /// Whether runs, outputs or all values are missing.
    pub fn incomplete(&self) -> bool {
        self.partial() || self.valueless()
    }
}

/// A sentence that no level has the number, with the numbers that exist.
fn no_value(metric: &Metric, pooled: &[Option<Pooled<'_>>]) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in pooled.iter().flatten().flat_map(known_numbers) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        format!("No level has a value for `{metric}`, since no output has a score.")
    } else {
        format!(
            "No level has a value for `{metric}`; the metrics here are: {}.",
            names.join(", ")
        )
    }
}

/// A note on the difference of a level to the control, if there is none, or if it is not the difference of
/// the two values. The latter happens since only outputs that both levels have are compared.
fn remark(
    title: &str,
    (control, level): (f64, f64),
    found: &Result<Difference, NoDifference>,
) -> Option<String> {
    match found {
        Ok(d) if (d.difference - (level - control)).abs() <= 1e-9 * level.abs().max(1.0) => None,
        Ok(_) => Some(format!(
            "{title}: Δ is over the outputs that it and the control both have."
        )),
        Err(NoDifference::NoPairs) => Some(format!(
            "{title} is not compared with the control: no output of the same item and run has a score in both."
        )),
        Err(error) => Some(format!(
            "{title} is not compared with the control: {error}."
        )),
    }
}

/// Whether each level can be compared with the control. Notes say why a level cannot.
fn comparable(
    pooled: &[Option<Pooled<'_>>],
    control: Option<&Pooled<'_>>,
    settings: &StudySettings,
    notes: &mut Vec<String>,
) -> Vec<bool> {
    if control.is_none() {
        notes.push("The control has no run here, so nothing is compared.".to_owned());
    }
    let level = |(at, level): (usize, &Option<Pooled<'_>>)| {
        let (Some(control), Some(level)) = (control, level) else {
            return false;
        };
        match unlike(&control.outcomes, &level.outcomes, settings.allowed) {
            _ if at == settings.control => false,
            None => true,
            Some(why) => {
                let title = &level.outcomes.facts.model_title;
                notes.push(format!("{title} is not compared with the control: {why}."));
                false
            }
        }
    };
    pooled.iter().enumerate().map(level).collect()
}

fn row(
    level: &LevelRuns,
    pooled: Option<&Pooled<'_>>,
    missing: Vec<String>,
    settings: &StudySettings,
) -> LevelRow {
    let metric = &settings.primary;
    let found = Estimate::compute(pooled, metric);
    let runs = pooled.map_or(&[][..], |pooled| &pooled.runs);
    let by_run: Vec<Option<f64>> = runs
        .iter()
        .map(|run| value(&run.outcomes, metric, run.rule.as_ref()))
        .collect();
    let seconds: Vec<f64> = runs.iter().filter_map(|run| run.seconds).collect();
    LevelRow {
        title: level.title.clone(),
        runs: runs.iter().map(|run| run.dir.clone()).collect(),
        missing,
        n: found.n,
        expected: pooled.map_or(0, |pooled| pooled.outcomes.facts.expected),
        scored: pooled.map_or(0, |pooled| pooled.outcomes.facts.scored),
        value: found.value,
        low: found.low,
        high: found.high,
        rank: Rank::Other,
        deviation: deviation(&by_run),
        by_run,
        cost: if settings.measured_cost {
            mean(&seconds)
        } else {
            level.cost
        },
        difference: None,
    }
}

fn difference(
    (control, level): (&Pooled<'_>, &Pooled<'_>),
    metric: &Metric,
    settings: &StudySettings,
) -> Result<Difference, NoDifference> {
    let pairing = Pairing::new(&control.outcomes, &level.outcomes, Some(level.rule));
    Difference::compute(&pairing, metric, &settings.options)
}

fn grouped(
    by: &str,
    pooled: &[Option<Pooled<'_>>],
    control: Option<&Pooled<'_>>,
    compared: &[bool],
    settings: &StudySettings,
) -> Grouped {
    let mut keys: Vec<String> = Vec::new();
    for Pooled { outcomes, .. } in pooled.iter().flatten() {
        for key in Pairing::new(outcomes, outcomes, None).keys(by) {
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        }
    }
    let cell = |at: usize, key: &String| {
        let metric = Metric::Group {
            by: by.to_owned(),
            key: key.clone(),
        };
        let level = pooled[at].as_ref();
        let found = Estimate::compute(level, &metric);
        let pair = control.zip(level).filter(|_| compared[at]);
        GroupCell {
            value: found.value,
            low: found.low,
            high: found.high,
            n: found.n,
            rank: Rank::Other,
            difference: pair.and_then(|pair| difference(pair, &metric, settings).ok()),
        }
    };
    let mut cells: Vec<Vec<GroupCell>> = (0..pooled.len())
        .map(|at| keys.iter().map(|key| cell(at, key)).collect())
        .collect();
    correct(cells.iter_mut().flatten().map(|cell| &mut cell.difference));
    for key in 0..keys.len() {
        let column = cells.iter_mut().filter_map(|row| row.get_mut(key));
        rank(column.map(|cell| (cell.value, &mut cell.rank)));
    }
    Grouped {
        by: by.to_owned(),
        keys,
        cells,
    }
}

/// Holm's correction over all differences that exist.
fn correct<'a>(differences: impl Iterator<Item = &'a mut Option<Difference>>) {
    let mut found: Vec<&mut Difference> = differences.filter_map(Option::as_mut).collect();
    let p: Vec<f64> = found.iter().map(|difference| difference.p).collect();
    for (difference, p) in found.iter_mut().zip(holm::adjust(&p)) {
        difference.p_holm = Some(p);
    }
}

/// Marks the best and the second value of a column, by unrounded values. A single value has no rank.
fn rank<'a>(cells: impl Iterator<Item = (Option<f64>, &'a mut Rank)>) {
    let cells: Vec<(f64, &mut Rank)> = cells
        .filter_map(|(value, rank)| Some((value?, rank)))
        .collect();
    let mut values: Vec<f64> = cells.iter().map(|(value, _)| *value).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values.dedup();
    if cells.len() < 2 {
        return;
    }
    for (value, rank) in cells {
        *rank = match values.iter().position(|known| *known == value) {
            Some(0) => Rank::Best,
            Some(1) => Rank::Second,
            _ => Rank::Other,
        };
    }
}

/// What is missing of a level, in sentences.
fn lacking(level: &LevelRow) -> Vec<String> {
    let title = &level.title;
    let mut notes: Vec<String> = level
        .missing
        .iter()
        .map(|why| format!("{title} lacks a run: {why}."))
        .collect();
    if level.scored < level.expected {
        let (scored, expected) = (level.scored, level.expected);
        notes.push(format!(
            "{title} is partial: {scored} of {expected} outputs scored."
        ));
    }
    notes
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn deviation(values: &[Option<f64>]) -> Option<f64> {
    let values: Vec<f64> = values.iter().copied().flatten().collect();
    let mean = mean(&values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}
