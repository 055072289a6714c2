//! The places where a series of numbers with known errors changes its level.
//!
//! The series is cut into segments so that the weighted squared deviations from their means, plus a penalty
//! for each cut, are as small as possible. This is optimal partitioning (Jackson et al. 2005). It gives the
//! exact minimum, which PELT (Killick, Fearnhead and Eckley 2012) finds too.

use super::normal;

/// One number of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The number.
    pub value: f64,
    /// The variance of its error, which is assumed to be normal and independent of the others.
    pub variance: f64,
}

/// The penalty with which a series of `points` numbers without a change is cut with a probability of at most
/// `level`.
/// A cut into k + 1 segments gains at most k times the largest squared contrast between a stretch and all
/// other numbers. The gain is a sum of Z² (1 − W/ΣW) over segments, whose factors add up to k. There are n(n
/// − 1)/2 such contrasts, and each is standard normal without a change. So Bonferroni's correction over them
/// bounds the probability of any cut. For two numbers this is the z test.
pub fn penalty(points: usize, level: f64) -> f64 {
    let contrasts = (points * points.saturating_sub(1) / 2).max(1) as f64;
    normal::quantile(1.0 - level / (2.0 * contrasts)).powi(2)
}

/// The indices of the first number after each change, ascending.
pub fn change_points(series: &[Point], penalty: f64) -> Vec<usize> {
    let cost = Cost::new(series);
    // The least cost of the first `end` numbers, and the index where their last segment begins.
    let mut best = vec![(-penalty, 0)];
    for end in 1..=series.len() {
        let candidates = best.iter().enumerate();
        let least = candidates
            .map(|(start, (before, _))| (before + penalty + cost.segment(start, end), start))
            .fold((f64::INFINITY, 0), |least, next| {
                if next.0 < least.0 { next } else { least }
            });
        best.push(least);
    }
    let mut changes = Vec::new();
    let mut end = series.len();
    while let Some(&(_, start)) = best.get(end).filter(|(_, start)| *start > 0) {
        changes.push(start);
        end = start;
    }
    changes.reverse();
    changes
}

/// Weighted squared deviations from the mean of any stretch, computed from running sums.
struct Cost {
    /// Sums of the weights, of the weighted values and of the weighted squares over the first numbers.
    sums: Vec<[f64; 3]>,
}

impl Cost {
    fn new(series: &[Point]) -> Self {
        // Numbers near their mean keep their digits when they are squared.
        let centre = series.iter().map(|point| point.value).sum::<f64>() / series.len() as f64;
        let mut sums = vec![[0.0; 3]];
        let mut sum = [0.0; 3];
        for point in series {
            let (weight, value) = (1.0 / point.variance, point.value - centre);
            let added = [weight, weight * value, weight * value * value];
            sum = std::array::from_fn(|at| sum[at] + added[at]);
            sums.push(sum);
        }
        Self { sums }
    }

    fn segment(&self, start: usize, end: usize) -> f64 {
        let [weight, value, square]: [f64; 3] =
            std::array::from_fn(|at| self.sums[end][at] - self.sums[start][at]);
        (square - value * value / weight).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// tests/golden/stats/change.py finds the cuts with ruptures's PELT where all errors are equal, and by
    /// trying every way to cut a short series where they are not.
    #[test]
    fn cuts_are_those_of_ruptures_and_of_all_ways_to_cut() {
        let cases = include_str!("../../tests/golden/stats/change.json");
        let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
        assert!(cases.len() >= 100);
        let numbers =
            |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
        for case in cases {
            let series: Vec<Point> = numbers(&case["values"])
                .into_iter()
                .zip(numbers(&case["variances"]))
                .map(|(value, variance)| Point { value, variance })
                .collect();
            let expected: Vec<usize> = serde_json::from_value(case["cuts"].clone()).unwrap();
            let bound = penalty(series.len(), case["level"].as_f64().unwrap());
            assert!(
                (bound - case["penalty"].as_f64().unwrap()).abs() < 1e-6,
                "{case}"
            );
            assert_eq!(change_points(&series, bound), expected, "{case}");
        }
    }

    #[test]
    fn too_short_a_series_has_no_change() {
        assert_eq!(change_points(&[], 1.0), [0_usize; 0]);
        let one = Point {
            value: 3.0,
            variance: 1.0,
        };
        assert_eq!(change_points(&[one], 0.0), [0_usize; 0]);
    }
}
