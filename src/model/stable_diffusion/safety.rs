//! The safety checker of Stable Diffusion: CLIP's view of a picture beside a list of concepts, with the keys and
//! the rule of `StableDiffusionSafetyChecker` of diffusers.

use crate::model::clip::{ClipVision, ClipVisionConfig, normalise};
use crate::model::nn::{Linear, linear};
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Module, Tensor};
use serde::Deserialize;

/// The numbers of concepts and of special concepts in the released file. No configuration has them.
const CONCEPTS: [usize; 2] = [17, 3];

/// What a special concept adds to the scores of all others.
const SPECIAL_CARE: f64 = 0.01;

/// The fields of `safety_checker/config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct SafetyConfig {
    /// Width of the space of pictures and concepts.
    pub projection_dim: usize,
    /// The vision tower.
    pub vision_config: ClipVisionConfig,
}

/// Concepts with the cosines from which they are found.
#[derive(Debug, Clone)]
struct Concepts {
    /// [C, E]
    embeddings: Tensor,
    /// The cosine of each, `[C]`.
    thresholds: Tensor,
}

impl Concepts {
    /// From the keys `NAME_embeds` and `NAME_embeds_weights`. `count` stands for the number of rows where no
    /// file is open.
    fn new(name: &str, width: usize, count: usize, weights: &Weights) -> Result<Self> {
        let key = format!("{name}_embeds");
        let stored = weights.dims(&key);
        let count = match stored.as_deref() {
            Some(&[count, _]) => count,
            _ => count,
        };
        Ok(Self {
            embeddings: weights.get(&key, (count, width))?,
            thresholds: weights.get(&format!("{key}_weights"), count)?,
        })
    }

    /// For each concept the cosine with a picture's unit vector [1, E] in f32, and the threshold.
    fn pairs(&self, vector: &Tensor) -> Result<Vec<(f64, f64)>> {
        let concepts = normalise(&self.embeddings.to_dtype(DType::F32)?)?;
        let cosines: Vec<f32> = vector.matmul(&concepts.t()?)?.squeeze(0)?.to_vec1()?;
        let thresholds: Vec<f32> = self.thresholds.to_dtype(DType::F32)?.to_vec1()?;
        if !cosines.iter().all(|cosine| cosine.is_finite()) {
            return Err(ModelError::NotFinite {
                tensor: "the safety checker's cosines".into(),
            });
        }
        let pairs = cosines.into_iter().zip(thresholds);
        Ok(pairs
            .map(|(cosine, threshold)| (cosine.into(), threshold.into()))
            .collect())
    }
}

/// The network.
#[derive(Debug, Clone)]
pub struct SafetyChecker {
    vision_model: ClipVision,
    visual_projection: Linear,
    concepts: Concepts,
    special: Concepts,
    dtype: DType,
}

impl SafetyChecker {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if a size is wrong, and when [`Weights::get`] fails.
    pub fn new(config: &SafetyConfig, weights: &Weights) -> Result<Self> {
        let (vision, width) = (&config.vision_config, config.projection_dim);
        let [concepts, special] = CONCEPTS;
        let projection = weights.at("visual_projection");
        Ok(Self {
            vision_model: ClipVision::new(vision, &weights.at("vision_model.vision_model"))?,
            visual_projection: linear(&projection, vision.hidden_size, width, false)?,
            concepts: Concepts::new("concept", width, concepts, weights)?,
            special: Concepts::new("special_care", width, special, weights)?,
            dtype: weights.dtype(),
        })
    }

    /// Side of a picture, in pixels.
    pub fn image_size(&self) -> usize {
        self.vision_model.image_size()
    }

    /// Whether a picture shows one of the concepts. Pixels [1, 3, S, S].
    ///
    /// # Errors
    /// Fails if the picture is not of the network's size, or its vector is not finite.
    pub fn finds(&self, pixel_values: &Tensor) -> Result<bool> {
        let pooled = self
            .vision_model
            .pooled(&pixel_values.to_dtype(self.dtype)?)?;
        let vector = self.visual_projection.forward(&pooled)?;
        let vector = normalise(&vector.to_dtype(DType::F32)?)?;
        Ok(finds_concept(
            &self.special.pairs(&vector)?,
            &self.concepts.pairs(&vector)?,
        ))
    }
}

/// The rule, on pairs of a cosine and its threshold. A special concept that is found makes all later ones easier
/// to find, but blackens nothing by itself.
fn finds_concept(special: &[(f64, f64)], concepts: &[(f64, f64)]) -> bool {
    let any = |pairs: &[(f64, f64)], adjustment| {
        let mut pairs = pairs.iter();
        pairs.any(|pair| is_above(*pair, adjustment))
    };
    let adjustment = if any(special, 0.0) { SPECIAL_CARE } else { 0.0 };
    any(concepts, adjustment)
}

/// Whether the score is above 0 after it is rounded to three places.
fn is_above((cosine, threshold): (f64, f64), adjustment: f64) -> bool {
    ((cosine - threshold + adjustment) * 1000.0).round_ties_even() > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::random;
    use candle_core::{Device, IndexOp};

    #[test]
    fn a_special_concept_lowers_the_thresholds_of_the_others() {
        let near = [(0.195, 0.2)];
        assert!(!finds_concept(&[(0.1, 0.2)], &near));
        assert!(finds_concept(&[(0.21, 0.2)], &near));
        assert!(finds_concept(&[(0.1, 0.2), (0.21, 0.2)], &near));
        assert!(!finds_concept(&[(0.21, 0.2)], &[]));
        assert!(finds_concept(&[], &[(0.1, 0.2), (0.3, 0.2)]));
    }

    #[test]
    fn scores_are_rounded_to_three_places() {
        assert!(!finds_concept(&[], &[(0.2004, 0.2)]));
        assert!(finds_concept(&[], &[(0.2006, 0.2)]));
        assert!(!finds_concept(&[], &[(0.2, 0.2)]));
    }

    /// The cosines of random weights, beside the same in plain numbers.
    #[test]
    fn cosines_are_those_of_the_projected_class_token() {
        let config: SafetyConfig = serde_json::from_str(
            r#"{"projection_dim": 6, "vision_config": {"hidden_size": 8, "intermediate_size": 12,
                "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}}"#,
        )
        .unwrap();
        let device = Device::Cpu;
        let made = random(DType::F32, &device, |weights| {
            SafetyChecker::new(&config, weights)
        });
        let (mut network, count) = made.unwrap();
        // The tower, its projection, 17 and 3 concepts with their thresholds.
        assert_eq!(network.concepts.thresholds.dims(), [17]);
        assert!(count > (17 + 3) * 7 + 6 * 8);
        let pixels = Tensor::rand(-1f32, 1.0, (1, 3, 28, 28), &device).unwrap();
        let pooled = network.vision_model.pooled(&pixels).unwrap();
        let vector = network.visual_projection.forward(&pooled).unwrap();
        let vector: Vec<f32> = vector.i(0).unwrap().to_vec1().unwrap();
        let concepts: Vec<Vec<f32>> = network.concepts.embeddings.to_vec2().unwrap();
        let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
        let by_hand = concepts.iter().map(|concept| {
            let dot: f32 = concept.iter().zip(&vector).map(|(a, b)| a * b).sum();
            f64::from(dot / length(concept) / length(&vector))
        });
        let by_hand: Vec<f64> = by_hand.collect();
        let unit = Tensor::from_vec(vector.clone(), (1, 6), &device).unwrap();
        let pairs = network.concepts.pairs(&normalise(&unit).unwrap());
        for ((got, _), want) in pairs.unwrap().iter().zip(&by_hand) {
            assert!((got - want).abs() < 1e-5, "{got} {want}");
        }
        // Thresholds a hundredth above and below the nearest concept decide.
        let thresholds =
            |value: f64, count: usize| Tensor::full(value as f32, count, &device).unwrap();
        network.special.thresholds = thresholds(2.0, 3);
        let most = by_hand.into_iter().fold(f64::MIN, f64::max);
        for (threshold, finds) in [(most + 0.01, false), (most - 0.01, true)] {
            network.concepts.thresholds = thresholds(threshold, 17);
            assert_eq!(network.finds(&pixels).unwrap(), finds, "{threshold}");
        }
        // A special concept brings what is 0.008 away within reach, but not what is 0.02 away.
        network.special.thresholds = thresholds(-2.0, 3);
        for (above, finds) in [(0.02, false), (0.008, true)] {
            network.concepts.thresholds = thresholds(most + above, 17);
            assert_eq!(network.finds(&pixels).unwrap(), finds, "{above}");
        }
    }
}
