//! The numbers of one suite: every level's value, its difference to the control, and both by group.

use super::pool::{pool, unlike};
use super::{LevelRuns, Settings, SuiteRuns};
use crate::compare::{Difference, Pairing, SEED};
use crate::config::Metric;
use crate::record::Outcomes;
use crate::report::table::Rank;
use crate::stats::cluster::{Cluster, mean_of_ratios};
use crate::stats::{holm, interval};
use serde::Serialize;
use std::path::PathBuf;

/// One suite of a study.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub suite: String,
    pub title: String,
    pub version: String,
    pub metric: Metric,
    /// Place of the control among the levels.
    pub control: usize,
    pub levels: Vec<LevelRow>,
    /// By tag, in the suite's order.
    pub groups: Vec<Grouped>,
    pub notes: Vec<String>,
}

/// One level.
#[derive(Debug, Clone, Serialize)]
pub struct LevelRow {
    pub title: String,
    /// Run folders.
    pub runs: Vec<PathBuf>,
    /// Runs that the study names and that are not there.
    pub missing: Vec<String>,
    /// Items.
    pub n: usize,
    /// Outputs.
    pub expected: usize,
    pub scored: usize,
    /// Over the outputs of all runs; with nothing missing this is the mean over runs.
    pub value: Option<f64>,
    /// 95 % interval over items.
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub rank: Rank,
    /// The value of each run.
    pub by_run: Vec<Option<f64>>,
    /// Standard deviation of the runs' values; None for fewer than two runs.
    pub deviation: Option<f64>,
    pub cost: Option<f64>,
    /// To the control; None for the control itself and where there is nothing to compare.
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
    pub by: String,
    pub keys: Vec<String>,
    /// `cells[level][key]`.
    pub cells: Vec<Vec<GroupCell>>,
}

/// A level's value in one group.
#[derive(Debug, Clone, Serialize)]
pub struct GroupCell {
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Items.
    pub n: usize,
    pub rank: Rank,
    /// To the control; p is corrected for all levels and groups of the tag.
    pub difference: Option<Difference>,
}

impl Section {
    /// None where no level has a run.
    pub fn of(runs: &SuiteRuns, settings: &Settings) -> Option<Self> {
        let mut notes = Vec::new();
        let pooled: Vec<Option<Outcomes>> = runs
            .levels
            .iter()
            .map(|level| {
                let (pooled, told) = pool(&level.title, &level.runs, settings.allowed);
                notes.extend(told);
                pooled
            })
            .collect();
        let first = pooled.iter().flatten().next()?.facts.clone();
        let control = pooled.get(settings.control).and_then(Option::as_ref);
        let compared: Vec<bool> = comparable(&pooled, control, settings, &mut notes);
        let metric = &settings.primary;
        let mut levels: Vec<LevelRow> = runs
            .levels
            .iter()
            .zip(&pooled)
            .map(|(level, pooled)| row(level, pooled.as_ref(), settings))
            .collect();
        for (at, level) in levels.iter_mut().enumerate() {
            let pair = control.zip(pooled[at].as_ref()).filter(|_| compared[at]);
            level.difference = pair.and_then(|pair| difference(pair, metric, settings));
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
            // A single group is the overall number once more.
            .filter(|grouped| grouped.keys.len() > 1);
        let groups = groups.collect();
        notes.extend(levels.iter().flat_map(missing));
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
    pub fn incomplete(&self) -> bool {
        self.levels.iter().any(LevelRow::partial)
    }
}

/// Which levels can be compared with the control; notes say why others cannot.
fn comparable(
    pooled: &[Option<Outcomes>],
    control: Option<&Outcomes>,
    settings: &Settings,
    notes: &mut Vec<String>,
) -> Vec<bool> {
    if control.is_none() {
        notes.push("The control has no run here, so nothing is compared.".to_owned());
    }
    let level = |(at, level): (usize, &Option<Outcomes>)| {
        let (Some(control), Some(level)) = (control, level) else {
            return false;
        };
        match unlike(control, level, settings.allowed) {
            _ if at == settings.control => false,
            None => true,
            Some(why) => {
                let title = &level.facts.model_title;
                notes.push(format!("{title} is not compared with the control: {why}."));
                false
            }
        }
    };
    pooled.iter().enumerate().map(level).collect()
}

fn row(level: &LevelRuns, pooled: Option<&Outcomes>, settings: &Settings) -> LevelRow {
    let metric = &settings.primary;
    let found = pooled.map(|pooled| estimate(pooled, metric));
    let (value, bounds, n) = found.unwrap_or((None, None, 0));
    let by_run: Vec<Option<f64>> = level
        .runs
        .iter()
        .map(|run| mean_of_ratios(&strata(&run.outcomes, metric)))
        .collect();
    let seconds: Vec<f64> = level.runs.iter().filter_map(|run| run.seconds).collect();
    LevelRow {
        title: level.title.clone(),
        runs: level.runs.iter().map(|run| run.dir.clone()).collect(),
        missing: level.missing.clone(),
        n,
        expected: pooled.map_or(0, |pooled| pooled.facts.expected),
        scored: pooled.map_or(0, |pooled| pooled.facts.scored),
        value,
        low: bounds.map(|(low, _)| low),
        high: bounds.map(|(_, high)| high),
        rank: Rank::Other,
        deviation: deviation(&by_run),
        by_run,
        cost: match settings.measured_cost {
            true => mean(&seconds),
            false => level.cost,
        },
        difference: None,
    }
}

/// Value, interval and items of a number.
fn estimate(outcomes: &Outcomes, metric: &Metric) -> (Option<f64>, Option<(f64, f64)>, usize) {
    let strata = strata(outcomes, metric);
    let right_or_wrong = |c: &Cluster| c.numerator == 0.0 || c.numerator == c.denominator;
    let proportion = strata
        .iter()
        .flatten()
        .all(|c| c.denominator == 1.0 && right_or_wrong(c));
    (
        mean_of_ratios(&strata),
        interval::estimate(&strata, proportion, SEED).bounds,
        strata.iter().map(Vec::len).sum(),
    )
}

/// What a number of a single set of outcomes is computed from: its pairing with itself.
fn strata(outcomes: &Outcomes, metric: &Metric) -> Vec<Vec<Cluster>> {
    let strata = Pairing::of(outcomes, outcomes, None).strata(metric);
    let before = |stratum: Vec<_>| stratum.into_iter().map(|(pair, _)| first(pair)).collect();
    strata.into_iter().map(before).collect()
}

fn first(pair: crate::stats::cluster::Pair) -> Cluster {
    pair.before
}

fn difference(
    (control, level): (&Outcomes, &Outcomes),
    metric: &Metric,
    settings: &Settings,
) -> Option<Difference> {
    Difference::of(
        &Pairing::of(control, level, None),
        metric,
        &settings.options,
    )
    .ok()
}

fn grouped(
    by: &str,
    pooled: &[Option<Outcomes>],
    control: Option<&Outcomes>,
    compared: &[bool],
    settings: &Settings,
) -> Grouped {
    let mut keys: Vec<String> = Vec::new();
    for outcomes in pooled.iter().flatten() {
        for key in Pairing::of(outcomes, outcomes, None).keys(by) {
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
        let (value, bounds, n) = level.map_or((None, None, 0), |l| estimate(l, &metric));
        let pair = control.zip(level).filter(|_| compared[at]);
        GroupCell {
            value,
            low: bounds.map(|(low, _)| low),
            high: bounds.map(|(_, high)| high),
            n,
            rank: Rank::Other,
            difference: pair.and_then(|pair| difference(pair, &metric, settings)),
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

/// Holm's correction over all that there are.
fn correct<'a>(differences: impl Iterator<Item = &'a mut Option<Difference>>) {
    let mut found: Vec<&mut Difference> = differences.filter_map(Option::as_mut).collect();
    let p: Vec<f64> = found.iter().map(|difference| difference.p).collect();
    for (difference, p) in found.iter_mut().zip(holm::adjust(&p)) {
        difference.p_holm = Some(p);
    }
}

/// Best and second of a column, on unrounded values; a single value has nothing to be better than.
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
fn missing(level: &LevelRow) -> Vec<String> {
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
