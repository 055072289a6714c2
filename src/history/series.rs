//! One number of one model over its runs.

use super::detect::{Found, Stretch};
use super::read::{Column, Run, pooled};
use super::standing::Standing;
use super::{Change, Point, Series, Step, Wanted};
use crate::config::Metric;
use crate::grade::Rule;
use crate::record::Overall;
use crate::stats::cluster::{Cluster, Side, Sums};
use crate::stats::formula::{Formula, Pool};
use crate::stats::interval::estimate;

/// The series of a model, one for each metric, with the runs in the order of time.
pub(super) fn of_model(runs: &[Run], wanted: &Wanted) -> Vec<Series> {
    let changed: Vec<_> = (0..runs.len())
        .map(
            |at| match at.checked_sub(1).and_then(|before| runs.get(before)) {
                Some(before) => before.manifest.differences(&runs[at].manifest),
                None => Vec::new(),
            },
        )
        .collect();
    let metrics = wanted.metrics.iter().enumerate();
    let series = metrics.map(|(column, metric)| {
        let points = runs.iter().zip(&changed).map(|(run, changed)| Point {
            changed: changed.clone(),
            ..point(run, metric, column)
        });
        let mut series = Series {
            model: runs
                .first()
                .map(|run| run.model.clone())
                .unwrap_or_default(),
            model_title: runs
                .last()
                .map(|run| run.model_title.clone())
                .unwrap_or_default(),
            metric: metric.clone(),
            points: points.collect(),
            changes: Vec::new(),
            noise: None,
            notes: Vec::new(),
        };
        series.detect(runs, column, wanted.level);
        series
    });
    series
        .filter(|series| series.points.iter().any(|p| p.value.is_some()))
        .collect()
}

/// The number of a run, without a comparison.
fn point(run: &Run, metric: &Metric, column: usize) -> Point {
    let summary = &run.summary;
    let (value, low, high, n) = match metric {
        Metric::Overall => {
            let overall = &summary.overall;
            (overall.value, overall.low, overall.high, overall.n)
        }
        Metric::Group { by, key } => {
            let group = summary.groups.iter().find(|g| (&g.by, &g.key) == (by, key));
            group.map_or((None, None, None, 0), |g| (g.value, g.low, g.high, g.n))
        }
        Metric::Named(name) => (
            summary.metrics.get(name).copied(),
            None,
            None,
            summary.overall.n,
        ),
        Metric::Correct | Metric::Part(_) | Metric::Groups(_) => {
            let clusters = run.columns.get(column).map(|column| column.clusters.iter());
            let scored = clusters
                .into_iter()
                .flatten()
                .filter(|c| c.denominator > 0.0);
            let scored: Vec<Cluster> = scored.copied().collect();
            let n = scored.len();
            let strata = [scored];
            let interval = estimate(&strata, *metric == Metric::Correct, 0).bounds;
            let (low, high) = (interval.map(|b| b.0), interval.map(|b| b.1));
            (crate::stats::cluster::mean_of_ratios(&strata), low, high, n)
        }
    };
    let program = &run.manifest.program;
    Point {
        run: run.name.clone(),
        started: run.manifest.started,
        program: format!("{} ({})", program.version, short(&program.commit)),
        value,
        low,
        high,
        n,
        marks: Vec::new(),
        segment: None,
        step: None,
        changed: Vec::new(),
    }
}

/// The first digits of a commit.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

impl Series {
    /// Marks what cannot be compared, and looks for change points among the runs that can.
    fn detect(&mut self, runs: &[Run], column: usize, level: f64) {
        let mut stretches: Vec<(Standing, Vec<usize>)> = Vec::new();
        let mut last: Option<Standing> = None;
        for (at, run) in runs.iter().enumerate() {
            let Some(point) = self.points.get_mut(at) else {
                continue;
            };
            if run.summary.partial || point.value.is_none() {
                let (scored, expected) = (run.summary.scored, run.summary.expected);
                point.marks.push(if run.summary.partial {
                    format!("partial: {scored} of {expected} outputs scored")
                } else {
                    format!("it has no {}", self.metric)
                });
                continue;
            }
            let standing = Standing::assess(run);
            if let Some(last) = &last {
                point.marks.extend(standing.marks(last));
            }
            match stretches.iter_mut().find(|(own, _)| *own == standing) {
                Some((_, places)) => places.push(at),
                None => stretches.push((standing.clone(), vec![at])),
            }
            last = Some(standing);
        }
        if matches!(self.metric, Metric::Named(_)) {
            self.notes.push(format!(
                "{} has no scores by item here, so its changes are not tested",
                self.metric
            ));
            return;
        }
        let mut segments = 0;
        for (_, places) in &stretches {
            let own: Vec<&Run> = places.iter().filter_map(|at| runs.get(*at)).collect();
            let found = findings(&own, &self.metric, column, level);
            self.add_findings(runs, places, &found, &mut segments);
        }
        self.changes.sort_by_key(|change| change.at);
    }

    /// Adds the steps, the segments and the change points of comparable runs. `places` are the indices of the
    /// runs.
    fn add_findings(
        &mut self,
        runs: &[Run],
        places: &[usize],
        found: &Found,
        segments: &mut usize,
    ) {
        for (step, ends) in found.steps.iter().zip(places.windows(2)) {
            let [from, to] = [ends[0], ends[1]];
            let bounds = step.and_then(|step| step.bounds());
            if let (Some(step), Some(point)) = (step, self.points.get_mut(to)) {
                point.step = Some(Step {
                    from: runs[from].name.clone(),
                    difference: step.value,
                    low: bounds.map(|(low, _)| low),
                    high: bounds.map(|(_, high)| high),
                });
            }
        }
        for (order, at) in places.iter().enumerate() {
            let passed = found.cuts.iter().filter(|cut| cut.span[1] <= order).count();
            self.points[*at].segment = Some(*segments + passed);
        }
        *segments += found.cuts.len() + 1;
        if found.cuts.is_empty() && self.noise.is_none() || places.len() * 2 > self.points.len() {
            self.noise = found.noise.or(self.noise);
        }
        for cut in &found.cuts {
            let [start, first, end] = cut.span;
            let (from, at) = (places[first - 1], places[first]);
            let bounds = cut.difference.bounds();
            self.changes.push(Change {
                at,
                run: runs[at].name.clone(),
                from: runs[from].name.clone(),
                before: cut.difference.before,
                after: cut.difference.after,
                difference: cut.difference.value,
                low: bounds.map(|(low, _)| low),
                high: bounds.map(|(_, high)| high),
                p: cut.p,
                runs_before: first - start,
                runs_after: end - first,
                changed: runs[from].manifest.differences(&runs[at].manifest),
            });
        }
    }
}

/// The steps and the change points of comparable runs.
fn findings(runs: &[&Run], metric: &Metric, column: usize, level: f64) -> Found {
    let Some(first) = runs.first() else {
        return Found {
            steps: Vec::new(),
            cuts: Vec::new(),
            noise: None,
        };
    };
    let rule = first.rule.as_ref();
    let columns: Vec<&Column> = runs
        .iter()
        .filter_map(|run| run.columns.get(column))
        .collect();
    let repeats: Vec<f64> = runs
        .iter()
        .map(|run| f64::from(run.manifest.repeats))
        .collect();
    let strata = strata(first, rule, metric);
    let by_item = *metric == Metric::Overall && rule.overall() == Overall::Items;
    match pooled(rule, metric) {
        Some(pooled) => {
            let formula: &dyn Formula = pooled;
            let side = |column: &Column, at: usize| {
                column
                    .terms
                    .get(at)
                    .filter(|_| column.scored.get(at) == Some(&true))
                    .map(|terms| Pool::new(*terms, formula))
            };
            stretch(&columns, repeats, strata, side).detect(level)
        }
        None => {
            let side = |column: &Column, at: usize| {
                let cluster = column.clusters.get(at).copied()?;
                if by_item {
                    cluster.value().map(|value| Cluster {
                        numerator: value,
                        denominator: 1.0,
                    })
                } else {
                    // An item that adds nothing to a ratio still counts: it may add something in another run.
                    (column.scored.get(at) == Some(&true)).then_some(cluster)
                }
            };
            stretch(&columns, repeats, strata, side).detect(level)
        }
    }
}

fn stretch<S: Side>(
    columns: &[&Column],
    repeats: Vec<f64>,
    strata: Vec<Vec<usize>>,
    side: impl Fn(&Column, usize) -> Option<S>,
) -> Stretch<S> {
    let of = |column: &&Column| {
        let items = 0..column.clusters.len();
        items.map(|at| side(column, at)).collect()
    };
    Stretch {
        sides: columns.iter().map(of).collect(),
        repeats,
        strata,
    }
}

/// The items of a metric, in strata whose values are averaged.
fn strata(run: &Run, rule: &dyn Rule, metric: &Metric) -> Vec<Vec<usize>> {
    let overall = rule.overall();
    let pooled = rule.pooled().is_some();
    let mut strata: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, item) in run.asked.items.iter().enumerate() {
        let key = match (metric, &overall) {
            (Metric::Overall, Overall::MacroBy(tag)) if !pooled => rule.tag(item, tag),
            (Metric::Group { by, key }, _) => rule.tag(item, by).filter(|found| found == key),
            _ => Some(""),
        };
        let Some(key) = key else { continue };
        match strata.iter_mut().find(|(known, _)| *known == key) {
            Some((_, stratum)) => stratum.push(at),
            None => strata.push((key, vec![at])),
        }
    }
    strata.into_iter().map(|(_, stratum)| stratum).collect()
}
