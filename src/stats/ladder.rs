//! A share by level of difficulty: the curve that never rises and fits best, and the level at which half of
//! what can be lost is lost.
//!
//! The levels of one source are not independent, since they have the same noise and the same picture. So the
//! intervals resample whole sources.

use super::random::SplitMix64;
use rayon::prelude::*;

/// The number of times that the sources are drawn.
pub const DRAWS: usize = 2_000;

/// The level at which half is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Half {
    /// The curve begins at chance or below it, so that nothing can be lost.
    Undefined,
    /// This level.
    At(f64),
    /// More than half is left at the highest level.
    Beyond,
}

impl Half {
    /// The level as a number that sorts: infinity beyond the highest level. `None` if it is undefined.
    pub fn number(self) -> Option<f64> {
        match self {
            Self::Undefined => None,
            Self::At(level) => Some(level),
            Self::Beyond => Some(f64::INFINITY),
        }
    }
}

/// The non-increasing curve with the smallest weighted sum of squares (pool adjacent violators). Values
/// without weight must be left out by the caller.
pub fn falling(values: &[f64], weights: &[f64]) -> Vec<f64> {
    // Sum, weight and number of values of each block.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in values.iter().zip(weights) {
        blocks.push((value * weight, *weight, 1));
        while let [.., a, b] = blocks[..]
            && a.0 / a.1 < b.0 / b.1
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push((a.0 + b.0, a.1 + b.1, a.2 + b.2));
        }
    }
    let each = blocks.into_iter();
    each.flat_map(|(sum, weight, count)| std::iter::repeat_n(sum / weight, count))
        .collect()
}

/// The level at which a curve that never rises is halfway between its start and `chance`, with straight
/// lines between the levels.
pub fn half_level(levels: &[f64], curve: &[f64], chance: f64) -> Half {
    let Some(first) = curve.first().filter(|first| **first > chance) else {
        return Half::Undefined;
    };
    let target = f64::midpoint(*first, chance);
    crossing(levels, curve, target).map_or(Half::Beyond, Half::At)
}

/// The first level at which values are at or below `target`, with straight lines between the levels. `None`
/// if there is none.
pub fn crossing(levels: &[f64], values: &[f64], target: f64) -> Option<f64> {
    let place = values.iter().position(|value| *value <= target)?;
    let at = *levels.get(place)?;
    let Some(before) = place.checked_sub(1) else {
        return Some(at);
    };
    let (high, low) = (values[before], values[place]);
    Some(levels[before] + (at - levels[before]) * (high - target) / (high - low))
}

/// The outputs of one source at one level.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cell {
    /// The sum of their values.
    pub sum: f64,
    /// How many there are.
    pub count: f64,
}

/// The values of all sources at all levels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ladder {
    /// The levels, ascending.
    pub levels: Vec<f64>,
    /// A cell for each level of each source.
    pub sources: Vec<Vec<Cell>>,
}

impl Ladder {
    /// The levels that have a value, their means and the number of their outputs, over these sources.
    fn means(&self, chosen: impl Iterator<Item = usize>) -> [Vec<f64>; 3] {
        let mut totals = vec![Cell::default(); self.levels.len()];
        for cells in chosen.filter_map(|source| self.sources.get(source)) {
            for (total, cell) in totals.iter_mut().zip(cells) {
                total.sum += cell.sum;
                total.count += cell.count;
            }
        }
        let mut found = [Vec::new(), Vec::new(), Vec::new()];
        for (level, total) in self.levels.iter().zip(totals) {
            if total.count > 0.0 {
                let row = [*level, total.sum / total.count, total.count];
                for (column, value) in found.iter_mut().zip(row) {
                    column.push(value);
                }
            }
        }
        found
    }

    /// The level at which half is lost, over these sources.
    pub fn half_of(&self, chosen: impl Iterator<Item = usize>, chance: f64) -> Half {
        let [levels, means, counts] = self.means(chosen);
        half_level(&levels, &falling(&means, &counts), chance)
    }

    /// The first level at which the mean is 0 or less, over these sources. Infinity if there is none.
    pub fn zero_of(&self, chosen: impl Iterator<Item = usize>) -> Option<f64> {
        let [levels, means, _] = self.means(chosen);
        if levels.is_empty() {
            return None;
        }
        Some(crossing(&levels, &means, 0.0).unwrap_or(f64::INFINITY))
    }

    /// The level at which half is lost, and its 95 % interval. An end may be infinity, which is beyond the
    /// highest level.
    pub fn half(&self, chance: f64, seed: u64) -> (Half, Option<[f64; 2]>) {
        let all = self.sources.len();
        let interval = interval(all, seed, |drawn| {
            self.half_of(drawn.iter().copied(), chance).number()
        });
        (self.half_of(0..all, chance), interval)
    }
}

/// The 95 % percentile interval of a number that depends on which sources are drawn. Draws without a value
/// are left out. Infinity sorts last, and an end may be infinity.
pub fn interval(
    sources: usize,
    seed: u64,
    value: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> Option<[f64; 2]> {
    let mut values: Vec<f64> = (0..DRAWS)
        .into_par_iter()
        .filter_map(|index| {
            let mut random = SplitMix64::new(seed, index as u64);
            let drawn: Vec<usize> = (0..sources).map(|_| random.two_below(sources)[0]).collect();
            value(&drawn)
        })
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    (!values.is_empty()).then(|| [0.025, 0.975].map(|share| percentile(&values, share)))
}

/// A percentile of sorted values, with a straight line between two finite neighbours.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let (low, high) = (
        sorted[position.floor() as usize],
        sorted[position.ceil() as usize],
    );
    let weight = position.fract();
    if weight == 0.0 || low == high {
        low
    } else {
        low + weight * (high - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVELS: [f64; 10] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 5e-5
    }

    // tests/golden/probes/make.py: `ladder`.
    #[test]
    fn the_curve_and_the_level_are_those_of_the_specification() {
        let shares = [0.975, 0.975, 0.95, 0.975, 0.9, 0.725, 0.4, 0.25, 0.1, 0.125];
        let curve = falling(&shares, &[40.0; 10]);
        let expected = [
            0.975, 0.975, 0.9625, 0.9625, 0.9, 0.725, 0.4, 0.25, 0.1125, 0.1125,
        ];
        assert!(
            curve.iter().zip(expected).all(|(a, b)| close(*a, b)),
            "{curve:?}"
        );
        let Half::At(level) = half_level(&LEVELS, &curve, 0.1) else {
            panic!("half is lost");
        };
        assert!(close(level, 0.5577), "{level}");
    }

    #[test]
    fn what_is_never_lost_and_what_was_never_there() {
        let mut shares = [1.0; 10];
        (shares[8], shares[9]) = (0.9, 0.8);
        let curve = falling(&shares, &[40.0; 10]);
        assert_eq!(half_level(&LEVELS, &curve, 0.1), Half::Beyond);
        assert_eq!(half_level(&LEVELS, &[0.1; 10], 0.1), Half::Undefined);
        assert_eq!(half_level(&[], &[], 0.1), Half::Undefined);
    }

    #[test]
    fn weights_decide_the_mean_of_a_block() {
        assert_eq!(falling(&[0.0, 1.0], &[3.0, 1.0]), [0.25, 0.25]);
    }

    fn steps(reached: &[usize]) -> Ladder {
        let cell = |right: bool| Cell {
            sum: f64::from(u8::from(right)),
            count: 1.0,
        };
        Ladder {
            levels: LEVELS.to_vec(),
            sources: reached
                .iter()
                .map(|last| (0..10).map(|level| cell(level <= *last)).collect())
                .collect(),
        }
    }

    #[test]
    fn equal_sources_have_an_interval_without_width() {
        let ladder = steps(&[4; 12]);
        let (half, interval) = ladder.half(0.0, 7);
        assert!(half.number().is_some_and(|level| close(level, 0.45)));
        assert!(interval.unwrap().iter().all(|end| close(*end, 0.45)));
    }

    #[test]
    fn an_end_of_the_interval_may_be_beyond_the_highest_level() {
        // Half of the sources never lose anything.
        let ladder = steps(&[2, 2, 2, 2, 2, 2, 9, 9, 9, 9, 9, 9]);
        let (_, interval) = ladder.half(0.0, 7);
        let [low, high] = interval.unwrap();
        assert!(low < 0.3 && high == f64::INFINITY, "{low} {high}");
    }

    #[test]
    fn the_mean_crosses_zero() {
        let cell = |sum| Cell { sum, count: 1.0 };
        let ladder = Ladder {
            levels: vec![0.0, 0.1, 0.2],
            sources: vec![vec![cell(3.0), cell(1.0), cell(-1.0)]],
        };
        assert!(close(ladder.zero_of(0..1).unwrap(), 0.15));
    }
}
