//! Draws one of many tokens by their scores, with the limits of transformers' `generate` in the same order.

use super::{ModelError, Result};

/// Which tokens may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Sampling {
    /// Scores are divided by it.
    pub temperature: f32,
    /// Keeps this number of the best scores, and those equal to the last of them. 0 keeps all.
    pub top_k: usize,
    /// Keeps the best tokens that together reach this probability. 1 keeps all (Holtzman et al., arXiv
    /// 1904.09751).
    pub top_p: f32,
    /// Keeps tokens with at least this share of the best token's probability. 0 keeps all (Nguyen et al.,
    /// arXiv 2407.01082).
    pub min_p: f32,
}

impl Sampling {
    /// # Errors
    /// Fails if a limit is outside its range. The message names it.
    pub fn check(&self) -> Result<()> {
        let wrong = |field: &str, value: f32, range: &str| {
            Err(ModelError::Input(format!(
                "`{field}` is {value}; it must be {range}"
            )))
        };
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return wrong("temperature", self.temperature, "positive");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return wrong("top_p", self.top_p, "above 0 and at most 1");
        }
        if !(0.0..=1.0).contains(&self.min_p) {
            return wrong("min_p", self.min_p, "0 to 1");
        }
        Ok(())
    }

    /// The index in `scores` (logits) of the token that `uniform` in 0..1 selects.
    ///
    /// # Errors
    /// Fails if there are no scores, or one is not a number or plus infinity.
    pub fn draw(&self, scores: &[f32], uniform: f64) -> Result<usize> {
        let wrong = |score: &f32| score.is_nan() || *score == f32::INFINITY;
        if scores.iter().any(wrong) || scores.is_empty() {
            return Err(ModelError::Input(
                "the scores of the next token are not numbers: the weights overflow in this precision, or are damaged"
                    .into(),
            ));
        }
        let mut kept: Vec<(usize, f32)> = scores
            .iter()
            .map(|score| score / self.temperature)
            .enumerate()
            .collect();
        self.keep_top_k(&mut kept);
        self.keep_top_p(&mut kept);
        self.keep_min_p(&mut kept);
        let weights = weights(&kept);
        let mut left = uniform * weights.iter().sum::<f64>();
        for (&(index, _), weight) in kept.iter().zip(&weights) {
            left -= weight;
            if left < 0.0 {
                return Ok(index);
            }
        }
        // Because of rounding, this may be the last token that can be drawn.
        let last = kept
            .iter()
            .zip(&weights)
            .rfind(|(_, weight)| **weight > 0.0);
        Ok(last.map_or(0, |((index, _), _)| *index))
    }

    fn keep_top_k(&self, kept: &mut Vec<(usize, f32)>) {
        if self.top_k == 0 || self.top_k >= kept.len() {
            return;
        }
        let mut values: Vec<f32> = kept.iter().map(|(_, score)| *score).collect();
        let (_, last, _) = values.select_nth_unstable_by(self.top_k - 1, |a, b| b.total_cmp(a));
        let last = *last;
        kept.retain(|(_, score)| *score >= last);
    }

    fn keep_top_p(&self, kept: &mut Vec<(usize, f32)>) {
        if self.top_p >= 1.0 {
            return;
        }
        // From the worst token on, tokens are dropped while their sum stays within 1 − top_p. The best token
        // is never dropped.
        let mut order: Vec<usize> = (0..kept.len()).collect();
        order.sort_by(|&a, &b| kept[a].1.total_cmp(&kept[b].1));
        let weights = weights(kept);
        let total: f64 = weights.iter().sum();
        let (mut sum, mut goes) = (0.0, vec![false; kept.len()]);
        for &place in order.iter().take(kept.len().saturating_sub(1)) {
            sum += weights[place] / total;
            goes[place] = sum <= f64::from(1.0 - self.top_p);
        }
        let mut goes = goes.into_iter();
        kept.retain(|_| !goes.next().unwrap_or(false));
    }

    fn keep_min_p(&self, kept: &mut Vec<(usize, f32)>) {
        if self.min_p == 0.0 {
            return;
        }
        // The best has the weight 1.
        let mut weights = weights(kept).into_iter();
        kept.retain(|_| {
            weights
                .next()
                .is_some_and(|weight| weight >= f64::from(self.min_p))
        });
    }
}

/// Probabilities relative to the largest.
fn weights(kept: &[(usize, f32)]) -> Vec<f64> {
    let best = kept
        .iter()
        .map(|(_, score)| *score)
        .fold(f32::NEG_INFINITY, f32::max);
    kept.iter()
        .map(|(_, score)| f64::from(score - best).exp())
        .collect()
}

/// log softmax(scores), in f64.
fn log_softmax(scores: &[f32]) -> Vec<f64> {
    let best = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = scores
        .iter()
        .map(|score| f64::from(score - best).exp())
        .sum();
    let shift = f64::from(best) + total.ln();
    scores
        .iter()
        .map(|score| f64::from(*score) - shift)
        .collect()
}

/// Classifier-free guidance on tokens: log p(without) + scale · (log p(with) − log p(without)), as in
/// transformers.
pub fn guided(with: &[f32], without: &[f32], scale: f32) -> Vec<f32> {
    let pairs = log_softmax(with).into_iter().zip(log_softmax(without));
    pairs
        .map(|(with, without)| (without + f64::from(scale) * (with - without)) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::path::Path;

    fn numbers(value: &Value) -> Vec<f32> {
        serde_json::from_value(value.clone()).unwrap()
    }

    // tests/golden/xomni/make.py shows how they were made with transformers' processors.
    #[test]
    fn what_may_be_drawn_equals_transformers() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/xomni/sampling.json");
        let cases: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = cases.as_array().unwrap();
        assert!(cases.len() >= 40);
        for case in cases {
            let scores = match case["without"].as_array() {
                Some(_) => guided(
                    &numbers(&case["scores"]),
                    &numbers(&case["without"]),
                    case["scale"].as_f64().unwrap() as f32,
                ),
                None => numbers(&case["scores"]),
            };
            let sampling = Sampling {
                temperature: case["temperature"].as_f64().unwrap() as f32,
                top_k: case["top_k"].as_u64().unwrap() as usize,
                top_p: case["top_p"].as_f64().unwrap() as f32,
                min_p: case["min_p"].as_f64().unwrap() as f32,
            };
            sampling.check().unwrap();
            // A fine comb finds every token as often as its probability says.
            let want = numbers(&case["probabilities"]);
            let mut found = vec![0f32; want.len()];
            for tooth in 0..4000 {
                let drawn = sampling
                    .draw(&scores, (f64::from(tooth) + 0.5) / 4000.0)
                    .unwrap();
                found[drawn] += 1.0 / 4000.0;
            }
            for (found, want) in found.iter().zip(&want) {
                assert!((found - want).abs() <= 5e-4, "{found} {want} in {case}");
                assert!(*found == 0.0 || *want > 0.0, "{case}");
            }
        }
    }

    #[test]
    fn limits_and_scores_that_cannot_be_are_refused() {
        let plain = Sampling {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
        };
        for wrong in [
            Sampling {
                temperature: 0.0,
                ..plain
            },
            Sampling {
                top_p: 0.0,
                ..plain
            },
            Sampling {
                min_p: 1.5,
                ..plain
            },
        ] {
            assert!(wrong.check().is_err());
        }
        assert!(plain.draw(&[0.0, f32::NAN], 0.5).is_err());
        assert!(plain.draw(&[0.0, f32::INFINITY], 0.5).is_err());
        assert!(plain.draw(&[], 0.5).is_err());
        let barred = [f32::NEG_INFINITY, 0.0, f32::NEG_INFINITY];
        assert_eq!(plain.draw(&barred, 1.0 - 1e-17).unwrap(), 1);
    }
}
