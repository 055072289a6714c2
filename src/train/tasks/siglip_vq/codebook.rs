//! The codebook that a training begins with: spherical k-means over directions (Dhillon and Modha, Machine
//! Learning 42, 2001). Its first centres are directions far from each other (Arthur and Vassilvitskii,
//! "k-means++", SODA 2007).

use crate::model::clip::normalise;
use crate::model::noise::Generator;
use crate::train::TrainError;
use candle_core::{D, Tensor};

const ROUNDS: usize = 8;
/// The weight of a centre beside the directions nearest to it. A centre without such directions stays where
/// it is.
const STAYS: f64 = 1e-6;

/// `count` directions [count, D] that represent the directions [M, D]. Some are the same if there are too
/// few.
///
/// # Errors
/// Fails if there are none, or the device has no room.
pub(super) fn centres(
    directions: &Tensor,
    count: usize,
    generator: &mut Generator,
) -> Result<Tensor, TrainError> {
    // Squared distances to the nearest centre so far, halved.
    let mut far = vec![1f32; directions.dim(0)?];
    let mut chosen = Vec::with_capacity(count);
    for _ in 0..count {
        let next = drawn(&far, generator);
        let own = directions.narrow(0, next, 1)?;
        let cosines: Vec<f32> = directions.matmul(&own.t()?)?.flatten_all()?.to_vec1()?;
        for (far, cosine) in far.iter_mut().zip(cosines) {
            *far = far.min((1.0 - cosine).max(0.0));
        }
        chosen.push(own);
    }
    let mut centres = Tensor::cat(&chosen, 0)?;
    for _ in 0..ROUNDS {
        let nearest = directions.matmul(&centres.t()?)?.argmax(D::Minus1)?;
        let sums = (&centres * STAYS)?.index_add(&nearest, directions, 0)?;
        centres = normalise(&sums)?;
    }
    Ok(centres)
}

/// A random place, whose probability is in proportion to its number. The first place if all numbers are zero.
fn drawn(shares: &[f32], generator: &mut Generator) -> usize {
    let total: f64 = shares.iter().map(|share| f64::from(*share)).sum();
    let mut left = generator.uniform() * total;
    let place = shares.iter().position(|share| {
        left -= f64::from(*share);
        left < 0.0
    });
    place.unwrap_or(0)
}
