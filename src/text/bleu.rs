//! BLEU of one sentence against one reference (Papineni et al., ACL 2002), as NLTK's `sentence_bleu` computes
//! it by default: n-grams up to four with equal weights, no smoothing.

use std::collections::HashMap;

/// Length of the longest n-grams.
const ORDERS: usize = 4;

/// BLEU in 0..=1.
///
/// Without a common word, it is 0. A longer n-gram without a match has the smallest normal number as its
/// precision, so that the product is not 0 but about 1e-77.
pub fn bleu(reference: &[&str], hypothesis: &[&str]) -> f64 {
    let mut logarithms = 0.0;
    for order in 1..=ORDERS {
        let (matched, all) = precision(reference, hypothesis, order);
        if matched == 0 && order == 1 {
            return 0.0;
        }
        let precision = match matched {
            0 => f64::MIN_POSITIVE,
            _ => matched as f64 / all as f64,
        };
        logarithms += precision.ln() / ORDERS as f64;
    }
    brevity(reference.len(), hypothesis.len()) * logarithms.exp()
}

/// The number of n-grams of the hypothesis that the reference has, each at most as often as in the reference,
/// and the number of all of them (at least 1).
fn precision(reference: &[&str], hypothesis: &[&str], order: usize) -> (usize, usize) {
    let mut unused: HashMap<&[&str], usize> = HashMap::new();
    for gram in reference.windows(order) {
        *unused.entry(gram).or_default() += 1;
    }
    let mut matched = 0;
    for gram in hypothesis.windows(order) {
        if let Some(count) = unused.get_mut(gram).filter(|count| **count > 0) {
            *count -= 1;
            matched += 1;
        }
    }
    (matched, hypothesis.windows(order).len().max(1))
}

/// The brevity penalty, from the numbers of words.
fn brevity(reference: usize, hypothesis: usize) -> f64 {
    if hypothesis > reference {
        1.0
    } else if hypothesis == 0 {
        0.0
    } else {
        (1.0 - reference as f64 / hypothesis as f64).exp()
    }
}
