//! Pure functions on strings: normalisation, edit distances, multiset matching, and sentence metrics.

pub mod bit_distance;
pub mod bleu;
pub mod count;
pub mod decimal;
pub mod distance;
pub mod json;
pub mod json_fault;
pub mod meteor;
pub mod multiset;
pub mod nearest;
pub mod normalise;
pub mod porter;
pub mod recall;
pub mod segment;
pub mod thinking;
pub mod tree_distance;
pub mod vqa;
pub mod wordnet;
