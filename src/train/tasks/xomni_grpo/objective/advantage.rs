//! How much better a row is than the others of its group.

use serde::Deserialize;
use std::collections::BTreeMap;

/// A smaller advantage, or a smaller difference of rewards, is rounding and counts as 0.
pub const NOTHING: f64 = 1e-6;

/// How several rewards of a row become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// Their weighted sum.
    Sum,
    /// Each becomes its distance from the mean of its group in standard deviations. The weighted sum of these
    /// becomes the same over all rows (GDPO).
    Normalise,
}

/// The standard deviation that advantages are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// That of the row's group.
    Group,
    /// That of all rows.
    Batch,
    /// Advantages are not divided.
    None,
}

/// What happens to a row with a reward that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Unknown rewards are left out of the sum. A row without any has the advantage 0 and stays in every
    /// mean.
    ZeroAdvantage,
    /// The row does not count anywhere, nor does a group with fewer than two whole rows. A reward that no row
    /// of a group has does not apply to that group.
    Drop,
}

/// How rewards become advantages.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AdvantageSettings {
    /// The weight of each reward.
    pub weights: Vec<f64>,
    /// How several rewards become one number.
    pub combine: Combine,
    /// The standard deviation that advantages are divided by; [`Combine::Normalise`] has its own.
    pub scale: Scale,
    /// What is taken from the number of values in the divisor of a variance: 1 or 0.
    pub ddof: usize,
    /// What is added to a standard deviation before it divides.
    pub eps: f64,
    /// The largest advantage in size. `None` for no limit.
    pub limit: Option<f64>,
    /// What happens to a row with a reward that is not known.
    pub missing: Missing,
}

/// What the rows of a batch are worth beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Advantages {
    /// The advantage of each row.
    pub values: Vec<f64>,
    /// Which rows count.
    pub kept: Vec<bool>,
}

impl Advantages {
    /// Advantages of rows with these rewards, NaN where one is not known. Rows of one group have the same
    /// number in `groups` and stand in any order.
    pub fn new(rewards: &[Vec<f64>], groups: &[i64], settings: &AdvantageSettings) -> Self {
        let groups = Groups::new(groups);
        let (kept, rewards) = usable(rewards, &groups, settings.missing);
        let mut values = match settings.combine {
            Combine::Sum => centred(&totals(&rewards, settings), &groups, settings),
            Combine::Normalise => whitened(&rewards, &groups, settings),
        };
        for value in &mut values {
            if value.is_nan() || value.abs() < NOTHING {
                *value = 0.0;
            }
            if let Some(limit) = settings.limit {
                *value = value.clamp(-limit.abs(), limit.abs());
            }
        }
        Self { values, kept }
    }
}

/// The rows of each group, in their order.
struct Groups(Vec<Vec<usize>>);

impl Groups {
    fn new(numbers: &[i64]) -> Self {
        let mut rows: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (row, number) in numbers.iter().enumerate() {
            rows.entry(*number).or_default().push(row);
        }
        Self(rows.into_values().collect())
    }
}

/// Which rows count, and the rewards that are left.
fn usable(rewards: &[Vec<f64>], groups: &Groups, missing: Missing) -> (Vec<bool>, Vec<Vec<f64>>) {
    if missing == Missing::ZeroAdvantage {
        return (vec![true; rewards.len()], rewards.to_vec());
    }
    let kinds = rewards.first().map_or(0, Vec::len);
    let known = |row: usize, kind: usize| !rewards[row][kind].is_nan();
    let mut kept = vec![false; rewards.len()];
    for rows in &groups.0 {
        let applies: Vec<usize> = (0..kinds)
            .filter(|&kind| rows.iter().any(|&row| known(row, kind)))
            .collect();
        let whole = |row: &&usize| applies.iter().all(|&kind| known(**row, kind));
        let whole: Vec<usize> = rows.iter().filter(whole).copied().collect();
        if !applies.is_empty() && whole.len() >= 2 {
            whole.into_iter().for_each(|row| kept[row] = true);
        }
    }
    let left = rewards.iter().zip(&kept).map(|(row, kept)| {
        if *kept {
            row.clone()
        } else {
            vec![f64::NAN; row.len()]
        }
    });
    let left = left.collect();
    (kept, left)
}

/// The weighted sum of what is known of each row; NaN for a row of which nothing is.
fn totals(rewards: &[Vec<f64>], settings: &AdvantageSettings) -> Vec<f64> {
    let total = |row: &Vec<f64>| {
        if row.iter().all(|reward| reward.is_nan()) {
            f64::NAN
        } else {
            weighted(row, settings)
        }
    };
    rewards.iter().map(total).collect()
}

/// The weighted sum of the numbers that are there.
fn weighted(row: &[f64], settings: &AdvantageSettings) -> f64 {
    let known = row.iter().zip(&settings.weights);
    let known = known.filter(|(reward, _)| !reward.is_nan());
    known.map(|(reward, weight)| reward * weight).sum()
}

/// Totals less the mean of their group, divided as `scale` says.
fn centred(totals: &[f64], groups: &Groups, settings: &AdvantageSettings) -> Vec<f64> {
    let over_all = mean_and_spread(totals.iter().copied(), settings.ddof).1;
    let mut values = vec![f64::NAN; totals.len()];
    for rows in &groups.0 {
        let own = rows.iter().map(|&row| totals[row]);
        let (mean, spread) = mean_and_spread(own, settings.ddof);
        let divisor = match settings.scale {
            Scale::Group => spread + settings.eps,
            Scale::Batch => over_all + settings.eps,
            Scale::None => 1.0,
        };
        for &row in rows {
            values[row] = (totals[row] - mean) / divisor;
        }
    }
    values
}

/// Every reward in standard deviations of its group, their sums in standard deviations of all rows.
fn whitened(rewards: &[Vec<f64>], groups: &Groups, settings: &AdvantageSettings) -> Vec<f64> {
    let kinds = rewards.first().map_or(0, Vec::len);
    let mut parts: Vec<Vec<f64>> = rewards
        .iter()
        .map(|row| vec![f64::NAN; row.len()])
        .collect();
    for rows in &groups.0 {
        for kind in 0..kinds {
            let own = rows.iter().map(|&row| rewards[row][kind]);
            let (mean, spread) = mean_and_spread(own, settings.ddof);
            for &row in rows {
                parts[row][kind] = (rewards[row][kind] - mean) / (spread + settings.eps);
            }
        }
    }
    let sums = parts.iter().zip(rewards).map(|(parts, rewards)| {
        if rewards.iter().all(|reward| reward.is_nan()) {
            f64::NAN
        } else {
            weighted(parts, settings)
        }
    });
    let sums: Vec<f64> = sums.collect();
    let (mean, spread) = mean_and_spread(sums.iter().copied(), settings.ddof);
    let value = |sum: &f64| (sum - mean) / (spread + settings.eps);
    sums.iter().map(value).collect()
}

/// Mean and standard deviation of the numbers that are there. The deviation of `ddof` numbers or fewer is
/// NaN.
fn mean_and_spread(values: impl Iterator<Item = f64>, ddof: usize) -> (f64, f64) {
    let known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
    let count = known.len() as f64;
    let mean = known.iter().sum::<f64>() / count;
    let squares: f64 = known.iter().map(|value| (value - mean).powi(2)).sum();
    if known.len() <= ddof {
        return (mean, f64::NAN);
    }
    (mean, (squares / (count - ddof as f64)).sqrt())
}
