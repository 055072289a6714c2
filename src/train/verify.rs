//! Whether a training repeats an earlier one: compares the curve of its first steps with a curve that was
//! kept.

use super::TrainError;
use super::curve;
use std::path::Path;

/// Into how many parts the compared steps are cut.
const PARTS: u64 = 10;
/// How far the mean loss of a part may lie from the earlier one. Another processor sums in another order: the
/// first steps agree to many digits and later ones drift apart.
const WITHIN: f64 = 0.1;

/// The mean losses of one part of the steps; the mean rewards of a training by reward.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// The last step of the part.
    pub step: u64,
    /// The mean loss of the earlier training.
    pub before: f64,
    /// The mean loss of this one.
    pub now: f64,
}

impl Compared {
    /// Whether both are the same training, as far as numbers of another machine can be.
    pub fn agrees(&self) -> bool {
        (self.now - self.before).abs() <= WITHIN * self.before.abs()
    }
}

/// Compares the curves of two folders up to a step.
///
/// # Errors
/// Fails if a curve cannot be read or they have too few steps in common.
pub fn compare(before: &Path, now: &Path, steps: u64) -> Result<Vec<Compared>, TrainError> {
    let read = |folder: &Path| curve::course(&folder.join(curve::FILE));
    let (old, new) = (read(before)?.values, read(now)?.values);
    let pairs: Vec<(u64, f64, f64)> = new
        .range(..=steps)
        .filter_map(|(step, now)| Some((*step, *old.get(step)?, *now)))
        .collect();
    let size = (pairs.len() as u64 / PARTS).max(1) as usize;
    if pairs.is_empty() {
        return Err(TrainError::Definition {
            message: format!(
                "{}: the two curves have no step in common",
                before.display()
            ),
        });
    }
    let part = |pairs: &[(u64, f64, f64)]| {
        let mean = |of: fn(&(u64, f64, f64)) -> f64| {
            pairs.iter().map(of).sum::<f64>() / pairs.len() as f64
        };
        Compared {
            step: pairs.last().map_or(0, |pair| pair.0),
            before: mean(|pair| pair.1),
            now: mean(|pair| pair.2),
        }
    };
    Ok(pairs.chunks(size).map(part).collect())
}
