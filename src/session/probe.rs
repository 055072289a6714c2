//! Probes that need two runs: a restorer and a reader on the same ladder of noise.

use super::{SessionError, open_graded};
use crate::grade::{NoisePair, noise_pairs};
use crate::record::{Grade, Item};
use crate::run::read_all;
use std::collections::BTreeMap;
use std::path::Path;

/// Compares a graded run of a suite that restores with one of a suite that reads, by kind of noise. Both suites
/// have the same ladder, such as `mini-noise-restore` and `mini-noise-read`. Outputs without a counterpart are
/// left out.
///
/// # Errors
/// Fails if one of them is not a run folder, or is not graded yet.
pub fn read_noise_pairs(
    restored: &Path,
    read: &Path,
) -> Result<BTreeMap<String, NoisePair>, SessionError> {
    let (first, _) = open_graded(restored)?;
    let (second, _) = open_graded(read)?;
    let items: Vec<Item> = read_all(&first.items())?;
    let restored: Vec<Grade> = read_all(&first.grades())?;
    let read: Vec<Grade> = read_all(&second.grades())?;
    Ok(noise_pairs(&items, &restored, &read))
}
