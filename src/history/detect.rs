//! Steps and change points of comparable runs, from sums by item.
//!
//! Runs on the same items share the difficulty of the items. So the error of a run's number beside that of
//! another run is the error of the items' differences, and not that of its own interval. It is estimated from
//! the differences of consecutive runs, since a change is in only one of these. All runs have the same error,
//! apart from the effect of their repeats.

use crate::stats::Z_95;
use crate::stats::change::{self, Point};
use crate::stats::cluster::{Pair, Side, mean_of_ratios};
use crate::stats::jackknife::jackknife;
use crate::stats::permutation;
use rayon::prelude::*;

/// Number of exchanges in the permutation test of a change.
const DRAWS: usize = 4_999;
const SEED: u64 = 20_231_017;

/// Comparable runs, in the order of time.
pub(super) struct Stretch<S> {
    /// The sums by run, and then by item. `None` without a score.
    pub sides: Vec<Vec<Option<S>>>,
    /// The number of outputs for each item, by run.
    pub repeats: Vec<f64>,
    /// Groups of items. The number is the mean of the numbers of these groups.
    pub strata: Vec<Vec<usize>>,
}

/// The paired difference of two levels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Difference {
    /// The mean of the earlier values.
    pub before: f64,
    /// The mean of the later values.
    pub after: f64,
    /// The later mean minus the earlier one.
    pub value: f64,
    /// The standard error. `None` if all items differ by the same amount.
    pub error: Option<f64>,
}

impl Difference {
    /// The 95 % interval. `None` without a standard error.
    pub(super) fn bounds(&self) -> Option<(f64, f64)> {
        let half = Z_95 * self.error.filter(|error| *error > 1e-12)?;
        Some((self.value - half, self.value + half))
    }
}

/// A change point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The first run of the level before, the first run after the change, and the end of the level after it.
    pub span: [usize; 3],
    /// The difference of the levels on both sides.
    pub difference: Difference,
    /// The probability of such a difference if nothing had changed.
    pub p: f64,
}

/// The steps and change points of comparable runs.
pub(super) struct Found {
    /// The step from each run to the next one.
    pub steps: Vec<Option<Difference>>,
    /// The change points that the test confirms, in the order of time.
    pub cuts: Vec<Cut>,
    /// The standard error of the number of a run with one output for each item.
    pub noise: Option<f64>,
}

impl<S: Side> Stretch<S> {
    /// Finds the steps and change points. `level` is the probability of a change point where nothing changed.
    pub(super) fn detect(&self, level: f64) -> Found {
        let runs = self.sides.len();
        let steps: Vec<Option<Difference>> = (1..runs)
            .into_par_iter()
            .map(|at| self.difference(&self.pairs(at - 1..at, at..at + 1)))
            .collect();
        let noise = self.noise(&steps);
        let points: Option<Vec<Point>> = (0..runs).map(|at| self.point(at, noise?)).collect();
        let cuts = match points {
            Some(points) if runs > 1 => {
                change::change_points(&points, change::penalty(runs, level))
            }
            _ => Vec::new(),
        };
        Found {
            steps,
            cuts: self.confirmed(cuts, level),
            noise: noise.map(f64::sqrt),
        }
    }

    /// The variance of the number of a run with one output for each item.
    fn noise(&self, steps: &[Option<Difference>]) -> Option<f64> {
        let of = |(at, step): (usize, &Option<Difference>)| {
            let shares = 1.0 / self.repeats.get(at)? + 1.0 / self.repeats.get(at + 1)?;
            Some(step.as_ref()?.error?.powi(2) / shares)
        };
        let variances: Vec<f64> = steps.iter().enumerate().filter_map(of).collect();
        let count = variances.len() as f64;
        (count > 0.0).then(|| variances.iter().sum::<f64>() / count)
    }

    fn point(&self, at: usize, noise: f64) -> Option<Point> {
        let own = self.strata.iter().map(|stratum| {
            let items = stratum.iter();
            items.filter_map(|item| self.side(at, *item)).collect()
        });
        Some(Point {
            value: mean_of_ratios(&own.collect::<Vec<Vec<S>>>())?,
            // If runs never differ, any difference is a change.
            variance: (noise / self.repeats.get(at)?).max(1e-18),
        })
    }

    fn side(&self, run: usize, item: usize) -> Option<S> {
        *self.sides.get(run)?.get(item)?
    }

    /// The items with a score in both ranges of runs, with their means over the runs.
    fn pairs(
        &self,
        before: std::ops::Range<usize>,
        after: std::ops::Range<usize>,
    ) -> Vec<Vec<Pair<S>>> {
        let mean = |runs: std::ops::Range<usize>, item: usize| {
            let sides = runs.filter_map(|run| self.side(run, item));
            let (sum, count) = sides.fold((S::default(), 0), |(sum, count), side| {
                (sum.plus(side), count + 1)
            });
            (count > 0).then(|| sum.scaled(1.0 / f64::from(count)))
        };
        let of = |stratum: &Vec<usize>| {
            let pair = |item: &usize| {
                Some(Pair {
                    before: mean(before.clone(), *item)?,
                    after: mean(after.clone(), *item)?,
                })
            };
            stratum.iter().filter_map(pair).collect()
        };
        self.strata.iter().map(of).collect()
    }

    fn difference(&self, pairs: &[Vec<Pair<S>>]) -> Option<Difference> {
        let side = |of: fn(&Pair<S>) -> S| -> Option<f64> {
            let sides = pairs.iter().map(|s| s.iter().map(of).collect());
            mean_of_ratios(&sides.collect::<Vec<Vec<S>>>())
        };
        Some(Difference {
            before: side(|pair| pair.before)?,
            after: side(|pair| pair.after)?,
            value: mean_of_ratios(pairs)?,
            error: jackknife(pairs).map(|found| found.standard_error),
        })
    }

    /// The cuts that a paired permutation test of the items' means confirms. This test does not assume a
    /// normal distribution. The least certain cut is left out until all cuts are confirmed.
    fn confirmed(&self, mut cuts: Vec<usize>, level: f64) -> Vec<Cut> {
        loop {
            let tested: Vec<Option<Cut>> = self.spans(&cuts).map(|span| self.cut(span)).collect();
            let p = |cut: &Option<Cut>| cut.map_or(1.0, |cut| cut.p);
            let least = tested
                .iter()
                .enumerate()
                .max_by(|a, b| p(a.1).total_cmp(&p(b.1)));
            match least {
                Some((at, cut)) if p(cut) > level => {
                    cuts.remove(at);
                }
                _ => return tested.into_iter().flatten().collect(),
            }
        }
    }

    /// Each cut, with the beginning and the end of the levels on both sides.
    fn spans(&self, cuts: &[usize]) -> impl Iterator<Item = [usize; 3]> {
        let edges = [&[0], cuts, &[self.sides.len()]].concat();
        let spans: Vec<[usize; 3]> = edges
            .windows(3)
            .map(|edges| [edges[0], edges[1], edges[2]])
            .collect();
        spans.into_iter()
    }

    fn cut(&self, span: [usize; 3]) -> Option<Cut> {
        let [start, at, end] = span;
        let pairs = self.pairs(start..at, at..end);
        Some(Cut {
            span,
            difference: self.difference(&pairs)?,
            p: permutation::test(&pairs, DRAWS, SEED)?.both,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::cluster::Cluster;
    use crate::stats::random::SplitMix64;

    const RUNS: usize = 12;
    const ITEMS: usize = 80;

    /// Right and wrong answers to items that are more or less hard; from the run `from` on they are right
    /// less often.
    fn series(study: u64, from: usize, drop: f64) -> Stretch<Cluster> {
        let mut random = SplitMix64::new(study, 7);
        let mut share = || (random.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        let hard: Vec<f64> = (0..ITEMS).map(|_| 0.2 + 0.8 * share()).collect();
        let mut run = |at: usize| -> Vec<Option<Cluster>> {
            let less = if at >= from { drop } else { 0.0 };
            let answers = hard.iter().map(|chance| share() < chance - less);
            let answers = answers.map(|right| Cluster {
                numerator: f64::from(u8::from(right)),
                denominator: 1.0,
            });
            answers.map(Some).collect()
        };
        Stretch {
            sides: (0..RUNS).map(&mut run).collect(),
            repeats: vec![1.0; RUNS],
            strata: vec![(0..ITEMS).collect()],
        }
    }

    /// 2000 series that do not change: cuts are found in no more of them than the level says. That the
    /// penalty is a bound makes them fewer.
    #[test]
    fn series_that_do_not_change_are_seldom_cut() {
        let cut = |study: &u64| !series(*study, RUNS, 0.0).detect(0.05).cuts.is_empty();
        let found = (0..2000_u64).into_par_iter().filter(cut).count();
        println!("false alarms: {found} of 2000");
        assert!((2..=100).contains(&found), "{found} of 2000");
    }

    /// Twelve points less from the eighth run on: 2.5 standard errors of one run's number, 4 of the means.
    #[test]
    fn a_change_is_found_where_it_is() {
        let near = |study: &u64| {
            let cuts = series(*study, 8, 0.12).detect(0.05).cuts;
            matches!(&cuts[..], [cut] if (7..=9).contains(&cut.span[1]) && cut.difference.value < 0.0)
        };
        let found = (0..300_u64).into_par_iter().filter(near).count();
        println!("found: {found} of 300");
        assert!(found > 180, "{found} of 300");
    }

    /// A model that always answers the same: its noise is none, so one item that changed would be a change;
    /// the permutation test says that one item is not evidence, and that twelve are.
    #[test]
    fn one_item_is_no_evidence() {
        let stretch = |changed: usize| {
            let run = |at: usize| {
                let right = |item: usize| f64::from(u8::from(at < 3 || item >= changed));
                let answer = |item| {
                    Some(Cluster {
                        numerator: right(item),
                        denominator: 1.0,
                    })
                };
                (0..ITEMS).map(answer).collect()
            };
            Stretch {
                sides: (0..6).map(run).collect(),
                repeats: vec![1.0; 6],
                strata: vec![(0..ITEMS).collect()],
            }
        };
        assert!(stretch(1).detect(0.05).cuts.is_empty());
        let cuts = stretch(12).detect(0.05).cuts;
        assert_eq!(cuts.len(), 1);
        assert_eq!(cuts[0].span, [0, 3, 6]);
        assert!((cuts[0].difference.value + 12.0 / 80.0).abs() < 1e-12);
    }
}
