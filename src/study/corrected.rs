//! Whether a run agrees with a printed row as a whole: the verdicts on its numbers, corrected for how many
//! there are.

use crate::report::{Pair, Paired};
use crate::stats::{holm, p_from_interval};

/// Gives every number that has an interval its p value, corrected for all of them by Holm's method. A p value
/// below 0.05 says that the printed number is not that of the run.
///
/// The p values are those of a normal distribution whose 95 % interval is the one of the run. The printed
/// number is known to half a unit of its last digit only, and the nearest of these values counts.
pub fn correct(paired: &mut Paired) {
    let p: Vec<Option<f64>> = paired.pairs.iter().map(p_value).collect();
    let known: Vec<f64> = p.iter().flatten().copied().collect();
    let mut adjusted = holm::adjust(&known).into_iter();
    for (pair, p) in paired.pairs.iter_mut().zip(p) {
        pair.corrected_p = p.and_then(|_| adjusted.next());
    }
}

fn p_value(pair: &Pair) -> Option<f64> {
    let distance = (pair.difference.abs() - pair.half_unit).max(0.0);
    let printed = pair.measured - distance.copysign(pair.difference);
    p_from_interval(pair.measured, (pair.low?, pair.high?), printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(column: &str, printed: f64, measured: f64, half_width: f64) -> Pair {
        Pair {
            column: column.into(),
            printed,
            printed_text: format!("{printed:.2}"),
            measured,
            low: Some(measured - half_width),
            high: Some(measured + half_width),
            difference: measured - printed,
            inside: Some((measured - printed).abs() - 0.005 <= half_width),
            n: 100,
            half_unit: 0.005,
            corrected_p: None,
        }
    }

    #[test]
    fn what_is_just_outside_alone_is_no_difference_among_seven() {
        let just = |column: &str| pair(column, 0.50, 0.526, 0.02);
        assert_eq!(just("a").inside, Some(false));
        let alone = p_value(&just("a")).unwrap();
        // 0.021 at a standard error of 0.02 / 1.96: z = 2.058.
        assert!((alone - 0.0396).abs() < 5e-4, "{alone}");
        let far = p_value(&pair("b", 0.50, 0.60, 0.02)).unwrap();
        assert!(far < 1e-15, "{far}");
        // The rounding of the printed number is no difference.
        assert_eq!(p_value(&pair("c", 0.50, 0.504, 0.02)), Some(1.0));
        // A number without an interval is not judged.
        let mut bare = just("d");
        bare.low = None;
        assert_eq!(p_value(&bare), None);
    }
}
