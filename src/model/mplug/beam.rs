//! The beam search of mPLUG's own generator (`predictor.py` of modelscope 1.9.5), including its
//! peculiarities.

use super::config::BeamConfig;
use crate::model::Result;

/// Begins every answer: `[CLS]`.
pub(super) const START: u32 = 101;
/// Ends an answer: `[SEP]`.
pub(super) const END: u32 = 102;

/// Exponent of the length penalty.
const ALPHA: f64 = 0.6;

/// An answer with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// The ids from the start token on. Ids after an end token are kept.
    pub ids: Vec<u32>,
    /// The score of the answer.
    pub score: f32,
}

/// Searches for the best answer. `next` gives the logits of the next token for every beam.
///
/// The search ends when the best beam ends, and then all beams count in their current state. A beam that has
/// ended is extended further.
///
/// # Errors
/// Fails when `next` fails.
pub(super) fn search(
    config: BeamConfig,
    mut next: impl FnMut(&[Vec<u32>]) -> Result<Vec<Vec<f32>>>,
) -> Result<Hypothesis> {
    let mut beams = vec![vec![START]; config.size];
    let mut running = vec![f32::NEG_INFINITY; config.size];
    running[0] = 0.0;
    let mut found: Vec<Hypothesis> = Vec::new();
    for step in 0..config.max_length {
        let logits = next(&beams)?;
        let penalty = ((5.0 + (step + 1) as f64) / 6.0).powf(ALPHA) as f32;
        let mut candidates: Vec<(f32, usize, u32)> = Vec::new();
        for (beam, (logits, before)) in logits.iter().zip(&running).enumerate() {
            let words = log_probabilities(logits).into_iter().enumerate();
            candidates.extend(words.map(|(word, probability)| {
                let early = step < config.min_length && word as u32 == END;
                let probability = if early { -1e20 } else { probability };
                ((probability + before) / penalty, beam, word as u32)
            }));
        }
        // The sort is stable: of equal candidates, the first counts.
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        candidates.truncate(config.size);
        running = candidates
            .iter()
            .map(|(score, ..)| score * penalty)
            .collect();
        beams = candidates
            .iter()
            .map(|(_, beam, word)| [&beams[*beam][..], &[*word]].concat())
            .collect();
        let last = step + 1 == config.max_length;
        let ended = |beam: usize| last || candidates[beam].2 == END;
        let over = ended(0);
        for (beam, (score, ..)) in candidates.iter().enumerate() {
            if over || ended(beam) {
                found.push(Hypothesis {
                    ids: beams[beam].clone(),
                    score: *score,
                });
            }
        }
        if over {
            break;
        }
    }
    // This sort is stable too.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let none = Hypothesis {
        ids: vec![START],
        score: f32::NEG_INFINITY,
    };
    Ok(found.into_iter().next().unwrap_or(none))
}

/// The logarithm of the softmax, computed from the softmax.
fn log_probabilities(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let total: f32 = powers.iter().sum();
    powers
        .into_iter()
        .map(|power| (power / total).ln())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAM: BeamConfig = BeamConfig {
        size: 2,
        min_length: 1,
        max_length: 4,
    };

    /// Logits of 104 words where all but the given ones are hopeless; the probabilities of the given ones add
    /// up to 1.
    fn row(words: &[(u32, f32)]) -> Vec<f32> {
        let mut row = vec![-60.0; 104];
        for (word, probability) in words {
            row[*word as usize] = probability.ln();
        }
        row
    }

    /// Computed by hand. Step 1 (penalty 1): word 7 with 0.6, word 8 with 0.4. Step 2 (penalty (7/6)^0.6 =
    /// 1.0969): beam 7 ends with 0.9 (ln 0.54 / 1.0969 = -0.5618) before beam 8 ends with 1 (ln 0.4 / 1.0969
    /// = -0.8354): the best beam ends, and both count.
    #[test]
    fn the_search_ends_with_its_best_beam() {
        let mut asked = Vec::new();
        let best = search(BEAM, |beams| {
            asked.push(beams.to_vec());
            let of = |beam: &Vec<u32>| match beam.last() {
                Some(7) => row(&[(END, 0.9), (9, 0.1)]),
                Some(8) => row(&[(END, 1.0)]),
                _ => row(&[(7, 0.6), (8, 0.4)]),
            };
            Ok(beams.iter().map(of).collect())
        })
        .unwrap();
        assert_eq!(best.ids, [START, 7, END]);
        assert!((best.score - -0.5618).abs() < 1e-3, "{}", best.score);
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[1], [vec![START, 7], vec![START, 8]]);
    }

    /// The second beam ends first and is kept; the first never ends and is cut at the last step, where the
    /// length penalty makes it the better one or not: ln 0.45 / 1.0969 = -0.7280 against ln 0.55 / (9/6)^0.6
    /// = -0.4687.
    #[test]
    fn an_unfinished_beam_wins_at_the_last_step() {
        let best = search(BEAM, |beams| {
            let of = |beam: &Vec<u32>| match beam[..] {
                [_] => row(&[(7, 0.55), (8, 0.45)]),
                [_, 8, ..] => row(&[(END, 1.0)]),
                _ => row(&[(7, 1.0)]),
            };
            Ok(beams.iter().map(of).collect())
        })
        .unwrap();
        assert_eq!(best.ids, [START, 7, 7, 7, 7]);
        assert!((best.score - -0.4687).abs() < 1e-3, "{}", best.score);
    }

    #[test]
    fn no_answer_ends_before_its_first_word() {
        let best = search(BEAM, |beams| {
            Ok(vec![row(&[(END, 0.99), (5, 0.01)]); beams.len()])
        })
        .unwrap();
        assert_eq!(best.ids[..2], [START, 5]);
    }
}
