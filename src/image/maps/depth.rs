//! Depth that a model draws: its errors in metres after alignment.

/// The errors of a depth map after alignment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DepthErrors {
    /// What the drawn depth is multiplied by to get inverse metres. Negative if near is dark.
    pub scale: f64,
    /// What is added to it.
    pub shift: f64,
    /// The mean of |z′ − z| / z.
    pub abs_rel: f64,
    /// The share of pixels for which the larger of z′ / z and z / z′ is below 1.25.
    pub delta1: f64,
    /// The standard deviation of ln z′ − ln z.
    pub si_rmse: f64,
    /// The smallest [`Self::abs_rel`] of a constant, beside which the alignment must be seen.
    pub null_abs_rel: f64,
}

/// Aligns a drawn depth, 0 to 1, with a true distance in metres: least squares of the inverse distance over
/// scale and shift. Distances are at most `z_max`. Pixels whose true distance is not above 0 and finite are
/// left out. `None` if none is left.
pub fn depth_errors(drawn: &[f64], truth: &[f64], z_max: f64) -> Option<DepthErrors> {
    let pairs: Vec<(f64, f64)> = drawn
        .iter()
        .copied()
        .zip(truth.iter().copied())
        .filter(|(_, z)| z.is_finite() && *z > 0.0)
        .collect();
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let (scale, shift) = line(&pairs);
    let (mut abs_rel, mut within) = (0.0, 0.0);
    let (mut sum, mut squares) = (0.0, 0.0);
    for (d, z) in &pairs {
        let aligned = 1.0 / (scale * d + shift).max(1.0 / z_max);
        abs_rel += (aligned - z).abs() / z;
        within += f64::from(u8::from((aligned / z).max(z / aligned) < 1.25));
        let difference = (aligned / z).ln();
        sum += difference;
        squares += difference * difference;
    }
    Some(DepthErrors {
        scale,
        shift,
        abs_rel: abs_rel / n,
        delta1: within / n,
        si_rmse: (squares / n - (sum / n).powi(2)).max(0.0).sqrt(),
        null_abs_rel: best_constant(&pairs),
    })
}

/// The line of least squares from the drawn depth to the inverse distance. Constant depth has slope 0.
fn line(pairs: &[(f64, f64)]) -> (f64, f64) {
    let n = pairs.len() as f64;
    let mean_d = pairs.iter().map(|(d, _)| d).sum::<f64>() / n;
    let mean_y = pairs.iter().map(|(_, z)| 1.0 / z).sum::<f64>() / n;
    let (mut product, mut square) = (0.0, 0.0);
    for (d, z) in pairs {
        product += (d - mean_d) * (1.0 / z - mean_y);
        square += (d - mean_d).powi(2);
    }
    let scale = if square > 0.0 { product / square } else { 0.0 };
    (scale, mean_y - scale * mean_d)
}

/// The smallest mean of |c − z| / z: that of the median with weights 1 / z.
fn best_constant(pairs: &[(f64, f64)]) -> f64 {
    let mut depths: Vec<f64> = pairs.iter().map(|(_, z)| *z).collect();
    depths.sort_unstable_by(f64::total_cmp);
    let half = depths.iter().map(|z| 1.0 / z).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let median = depths.iter().copied().find(|z| {
        below += 1.0 / z;
        below >= half
    });
    let constant = median.unwrap_or(1.0);
    let errors = depths.iter().map(|z| (constant - z).abs() / z);
    errors.sum::<f64>() / depths.len() as f64
}

/// Spearman's correlation of ranks, with mean ranks for equal values. `None` if one side is constant.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let n = a.len().min(b.len()) as f64;
    let mean = (n + 1.0) / 2.0;
    let (mut product, mut first, mut second) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(&b) {
        product += (a - mean) * (b - mean);
        first += (a - mean).powi(2);
        second += (b - mean).powi(2);
    }
    let size = (first * second).sqrt();
    (size > 0.0).then(|| product / size)
}

/// The rank of each value, from 1.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for group in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = first as f64 + (group.len() as f64 + 1.0) / 2.0;
        for place in group {
            ranks[*place] = rank;
        }
        first += group.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 5e-7
    }

    // numpy and scipy on the same values: tests/golden/probes/make.py, `depth`.
    #[test]
    fn the_errors_are_those_of_the_specification() {
        let z = [1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 5.0, 5.0];
        let d = [250.0, 240.0, 140.0, 130.0, 80.0, 60.0, 40.0, 52.0].map(|d| d / 255.0);
        let found = depth_errors(&d, &z, 10.0).unwrap();
        assert!(close(found.scale, 1.037_122), "{found:?}");
        assert!(close(found.shift, -0.016_826), "{found:?}");
        assert!(close(found.abs_rel, 0.106_193), "{found:?}");
        assert_eq!(found.delta1, 0.875);
        let near: Vec<f64> = z.iter().map(|z| -z).collect();
        assert!(close(spearman(&d, &near).unwrap(), SPEARMAN), "{found:?}");
        assert!(close(found.si_rmse, SI_RMSE), "{found:?}");
        assert!(close(found.null_abs_rel, NULL), "{found:?}");
    }

    const SPEARMAN: f64 = 0.975_900_073;
    const SI_RMSE: f64 = 0.142_918_763;
    const NULL: f64 = 0.5125;

    #[test]
    fn dark_for_near_has_a_negative_scale_and_the_same_errors() {
        let z = [1.0, 2.0, 4.0];
        let bright = depth_errors(&[0.9, 0.5, 0.3], &z, 10.0).unwrap();
        let dark = depth_errors(&[0.1, 0.5, 0.7], &z, 10.0).unwrap();
        assert!(bright.scale > 0.0 && dark.scale < 0.0);
        assert!(close(bright.abs_rel, dark.abs_rel));
    }

    #[test]
    fn a_constant_is_aligned_to_a_constant() {
        let found = depth_errors(&[0.5; 4], &[1.0, 2.0, 3.0, f64::NAN], 10.0).unwrap();
        assert_eq!(found.scale, 0.0);
        assert!(found.abs_rel >= found.null_abs_rel);
        assert_eq!(depth_errors(&[0.5], &[0.0], 10.0), None);
        assert_eq!(spearman(&[0.5; 3], &[1.0, 2.0, 3.0]), None);
    }
}
