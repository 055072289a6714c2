//! The losses of DINOv2 (Oquab et al., arXiv 2304.07193): a student's choice among prototypes is drawn to the
//! teacher's, whose choices over a batch are balanced.

use crate::model::clip::normalise;
use crate::model::nn::{Activation, Linear, linear};
use crate::model::{Result, Weights};
use candle_core::{D, Module, Tensor};
use candle_nn::ops::log_softmax;

/// How many rounds balance the teacher's choices.
const ROUNDS: usize = 3;

/// A projection head of DINO: three layers to a vector of unit length, then cosines with prototypes.
pub(super) struct Head {
    layers: [Linear; 3],
    prototypes: Tensor,
}

impl Head {
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub(super) fn new(
        weights: &Weights,
        width: usize,
        [hidden, bottleneck, prototypes]: [usize; 3],
    ) -> Result<Self> {
        let sizes = [(width, hidden), (hidden, hidden), (hidden, bottleneck)];
        let layer = |number: usize| {
            let (from, to) = sizes[number];
            linear(&weights.at("mlp").at(2 * number), from, to, true)
        };
        Ok(Self {
            layers: [layer(0)?, layer(1)?, layer(2)?],
            prototypes: weights.get("last_layer.weight", (prototypes, bottleneck))?,
        })
    }

    /// [N, D] → cosines [N, K].
    ///
    /// # Errors
    /// Fails if the width is another.
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let [first, second, third] = &self.layers;
        let x = Activation::GeluTanh.apply(&first.forward(x)?)?;
        let x = Activation::GeluTanh.apply(&second.forward(&x)?)?;
        let x = normalise(&third.forward(&x)?)?;
        Ok(x.matmul(&normalise(&self.prototypes)?.t()?)?)
    }
}

/// A teacher's choices [N, K] of cosines, sharpened by a low temperature and balanced by Sinkhorn and Knopp's
/// iterations, so that all prototypes are chosen equally often (Caron et al., arXiv 2006.09882). Each row
/// sums to 1.
///
/// # Errors
/// Fails if it is not a matrix.
pub(super) fn balanced(cosines: &Tensor, temperature: f64) -> Result<Tensor> {
    let (rows, prototypes) = cosines.dims2()?;
    let cosines = cosines.detach();
    let highest = cosines.max_keepdim(D::Minus1)?;
    let mut q = (cosines.broadcast_sub(&highest)? / temperature)?.exp()?;
    for _ in 0..ROUNDS {
        let columns = (q.sum_keepdim(0)? * (prototypes as f64 / rows as f64))?;
        q = q.broadcast_div(&(columns + f64::from(f32::MIN_POSITIVE))?)?;
        q = q.broadcast_div(&q.sum_keepdim(1)?)?;
    }
    Ok(q)
}

/// The mean cross-entropy of the student's choices under the teacher's.
///
/// # Errors
/// Fails if the shapes differ.
pub(super) fn cross_entropy(
    teacher: &Tensor,
    student: &Tensor,
    temperature: f64,
) -> Result<Tensor> {
    let chosen = log_softmax(&(student / temperature)?, D::Minus1)?;
    Ok((teacher * chosen)?.sum(D::Minus1)?.mean_all()?.neg()?)
}

/// KoLeo (Sablayrolles et al., arXiv 1806.03198): minus the mean logarithm of the distance of each vector [N,
/// D] from its nearest neighbour, at unit length.
///
/// # Errors
/// Fails if it is not a matrix of two rows or more.
pub(super) fn koleo(vectors: &Tensor) -> Result<Tensor> {
    const EPS: f64 = 1e-8;
    let vectors = normalise(vectors)?;
    let own = vectors.detach();
    let itself = Tensor::eye(own.dim(0)?, own.dtype(), own.device())?;
    let nearest = (own.matmul(&own.t()?)? - (itself * 4.0)?)?.argmax(D::Minus1)?;
    let squares = (&vectors - vectors.index_select(&nearest, 0)?)?.sqr()?;
    let distances = (squares.sum(D::Minus1)? + EPS)?.sqrt()?;
    Ok((distances + EPS)?.log()?.mean_all()?.neg()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn values(x: &Tensor) -> Vec<f32> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn a_balanced_teacher_chooses_all_prototypes_equally_often() {
        // All rows prefer the first prototype; the last one the least.
        let cosines = [[0.9_f32, 0.1, 0.0], [0.8, 0.2, 0.1], [0.7, 0.0, 0.3]];
        let cosines = Tensor::new(&cosines, &Device::Cpu).unwrap();
        let q = balanced(&cosines, 0.3).unwrap();
        for sum in values(&q.sum(1).unwrap()) {
            assert!((sum - 1.0).abs() < 1e-6);
        }
        for sum in values(&q.sum(0).unwrap()) {
            assert!((sum - 1.0).abs() < 0.05, "{sum}");
        }
        let best: Vec<u32> = q.argmax(1).unwrap().to_vec1().unwrap();
        assert_eq!(best, [0, 1, 2]);
        // Extreme cosines and a low temperature stay finite.
        let far = Tensor::new(&[[1.0_f32, -1.0], [1.0, -1.0]], &Device::Cpu).unwrap();
        let q = values(&balanced(&far, 0.02).unwrap());
        assert!(q.iter().all(|q| q.is_finite()), "{q:?}");
    }

    #[test]
    fn losses_are_those_of_their_formulas() {
        let teacher = Tensor::new(&[[1.0_f32, 0.0], [0.5, 0.5]], &Device::Cpu).unwrap();
        let student = Tensor::new(&[[0.1_f32, 0.0], [0.0, 0.1]], &Device::Cpu).unwrap();
        let loss: f32 = cross_entropy(&teacher, &student, 0.1)
            .unwrap()
            .to_scalar()
            .unwrap();
        // Rows: −log σ(1), and −(log σ(1) + log σ(−1)) / 2.
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let (yes, no) = (-sigmoid(1.0).ln(), -sigmoid(-1.0).ln());
        let expected = (yes + (yes + no) / 2.0) / 2.0;
        assert!(
            (f64::from(loss) - expected).abs() < 1e-6,
            "{loss} {expected}"
        );
        // Unit vectors at 0°, 60° and 180°: nearest neighbours are 1, 1 and √3 away.
        let half = 3_f32.sqrt() / 2.0;
        let vectors = [[2.0_f32, 0.0], [0.5, half], [-3.0, 0.0]];
        let vectors = Tensor::new(&vectors, &Device::Cpu).unwrap();
        let loss: f32 = koleo(&vectors).unwrap().to_scalar().unwrap();
        assert!(
            (f64::from(loss) + 3_f64.sqrt().ln() / 3.0).abs() < 1e-5,
            "{loss}"
        );
    }
}
