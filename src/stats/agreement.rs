//! The agreement of two judges of the same outputs.
//!
//! The measures are Krippendorff's alpha (*Content Analysis*, chapter 12) for two raters without gaps,
//! Spearman's rho and Kendall's tau-b. Each is 1 for equal scores, and about 0 for scores that are not
//! related. Each is `None` if it is not defined, such as for a judge that always gives the same score.

/// The scores of two judges, one pair for each output.
pub type Pair = (f64, f64);

/// The measures of agreement over the same pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Number of outputs that both judges scored.
    pub n: usize,
    /// Krippendorff's alpha with squared differences of scores.
    pub alpha_interval: Option<f64>,
    /// Krippendorff's alpha with squared differences of ranks.
    pub alpha_ordinal: Option<f64>,
    /// Spearman's rho.
    pub spearman: Option<f64>,
    /// Kendall's tau-b.
    pub kendall: Option<f64>,
}

impl Agreement {
    /// The agreement over pairs of finite scores. Other pairs are left out.
    pub fn from_pairs(pairs: &[Pair]) -> Self {
        let finite = |pair: &&Pair| pair.0.is_finite() && pair.1.is_finite();
        let pairs: Vec<Pair> = pairs.iter().filter(finite).copied().collect();
        Self {
            n: pairs.len(),
            alpha_interval: alpha_interval(&pairs),
            alpha_ordinal: alpha_ordinal(&pairs),
            spearman: spearman(&pairs),
            kendall: kendall(&pairs),
        }
    }
}

/// 1 − observed / expected disagreement. The disagreement is the squared difference, within pairs and between
/// any two of all scores.
pub fn alpha_interval(pairs: &[Pair]) -> Option<f64> {
    let pooled: Vec<f64> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let n = pooled.len() as f64;
    let mean = pooled.iter().sum::<f64>() / n;
    let spread: f64 = pooled.iter().map(|value| (value - mean).powi(2)).sum();
    // The sum of squared differences over all ordered pairs is 2 N Σ(v − mean)².
    let expected = 2.0 * spread / (n - 1.0);
    let observed = pairs
        .iter()
        .map(|(a, b)| 2.0 * (a - b).powi(2))
        .sum::<f64>()
        / n;
    (pairs.len() > 1 && expected > 0.0).then(|| 1.0 - observed / expected)
}

/// The ordinal difference of two values is the number of scores between their middles, so this is the alpha
/// of the ranks.
pub fn alpha_ordinal(pairs: &[Pair]) -> Option<f64> {
    let pooled: Vec<f64> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let ranks = ranks(&pooled);
    let pairs: Vec<Pair> = ranks
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    alpha_interval(&pairs)
}

/// The correlation of the ranks. Equal scores share their mean rank.
pub fn spearman(pairs: &[Pair]) -> Option<f64> {
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (a, b) = (ranks(&a), ranks(&b));
    // Ranks always have this mean.
    let mean = (pairs.len() as f64 + 1.0) / 2.0;
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(&b) {
        ab += (a - mean) * (b - mean);
        aa += (a - mean).powi(2);
        bb += (b - mean).powi(2);
    }
    (aa > 0.0 && bb > 0.0).then(|| ab / (aa * bb).sqrt())
}

/// Ranks, counted from 1. Equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for run in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let shared = first as f64 + (run.len() as f64 + 1.0) / 2.0;
        for at in run {
            ranks[*at] = shared;
        }
        first += run.len();
    }
    ranks
}

/// (concordant − discordant) / √(pairs untied in one · pairs untied in the other), by Knight's method: the
/// number of discordant pairs is the number of exchanges that a sort by the second score needs after a sort
/// by the first.
pub fn kendall(pairs: &[Pair]) -> Option<f64> {
    let mut pairs = pairs.to_vec();
    pairs.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)));
    let two = |count: usize| count as f64 * (count as f64 - 1.0) / 2.0;
    let all = two(pairs.len());
    let tied_first: f64 = pairs
        .chunk_by(|x, y| x.0 == y.0)
        .map(|run| two(run.len()))
        .sum();
    let tied_both: f64 = pairs
        .chunk_by(|x, y| x == y)
        .map(|run| two(run.len()))
        .sum();
    let mut second: Vec<f64> = pairs.iter().map(|pair| pair.1).collect();
    let discordant = sort_counting(&mut second) as f64;
    let tied_second: f64 = second
        .chunk_by(|x, y| x == y)
        .map(|run| two(run.len()))
        .sum();
    let concordant = all - tied_first - tied_second + tied_both - discordant;
    let untied = ((all - tied_first) * (all - tied_second)).sqrt();
    (untied > 0.0).then(|| (concordant - discordant) / untied)
}

/// Sorts by merging, and returns the number of pairs that were in the wrong order.
fn sort_counting(values: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let middle = values.len() / 2;
    let (left, right) = values.split_at_mut(middle);
    let mut exchanges = sort_counting(left) + sort_counting(right);
    let (left, right) = (left.to_vec(), right.to_vec());
    let (mut l, mut r) = (0, 0);
    for place in values.iter_mut() {
        let take_right = match (left.get(l), right.get(r)) {
            (Some(a), Some(b)) => b < a,
            (left, _) => left.is_none(),
        };
        if take_right {
            exchanges += (left.len() - l) as u64;
            *place = right[r];
            r += 1;
        } else {
            *place = left[l];
            l += 1;
        }
    }
    exchanges
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// tests/golden/edit/agreement.py computes the expectations with krippendorff and scipy.
    #[test]
    fn measures_are_those_of_krippendorff_and_scipy() {
        let cases = include_str!("../../tests/golden/edit/agreement.json");
        let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
        assert!(cases.len() > 70);
        for case in cases {
            let pairs: Vec<Pair> = serde_json::from_value(case["pairs"].clone()).unwrap();
            let ours = Agreement::from_pairs(&pairs);
            let measures = [
                ("alpha_interval", ours.alpha_interval),
                ("alpha_ordinal", ours.alpha_ordinal),
                ("spearman", ours.spearman),
                ("kendall", ours.kendall),
            ];
            for (name, value) in measures {
                let close = match (value, case[name].as_f64()) {
                    (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-9,
                    (ours, theirs) => ours == theirs,
                };
                assert!(
                    close,
                    "{name}: {value:?} is not {} for {pairs:?}",
                    case[name]
                );
            }
        }
    }

    #[test]
    fn nothing_is_claimed_of_too_little() {
        for pairs in [
            vec![],
            vec![(1.0, 2.0)],
            vec![(3.0, 3.0); 5],
            vec![(f64::NAN, 1.0); 4],
        ] {
            let ours = Agreement::from_pairs(&pairs);
            let all = [
                ours.alpha_interval,
                ours.alpha_ordinal,
                ours.spearman,
                ours.kendall,
            ];
            assert_eq!(all, [None; 4], "{pairs:?}");
        }
    }
}
