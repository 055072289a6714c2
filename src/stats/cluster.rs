//! Clusters and strata: what an interval is computed from.

/// Sums over the outputs of one item. Repeats of an item are not independent, so items are what is resampled.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cluster {
    pub numerator: f64,
    pub denominator: f64,
}

/// Σ numerators / Σ denominators; None without a denominator.
pub fn ratio(clusters: &[Cluster]) -> Option<f64> {
    let (numerator, denominator) = clusters
        .iter()
        .fold((0.0, 0.0), |(n, d), c| (n + c.numerator, d + c.denominator));
    (denominator > 0.0).then(|| numerator / denominator)
}

/// Unweighted mean of the strata's ratios, over strata that have one. With one stratum this is its ratio.
pub fn mean_of_ratios(strata: &[Vec<Cluster>]) -> Option<f64> {
    let ratios: Vec<f64> = strata.iter().filter_map(|s| ratio(s)).collect();
    (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
}
