//! Normalisation, edit distances, multiset matching, sentence metrics. Pure functions on strings.

pub mod bleu;
pub mod distance;
pub mod meteor;
pub mod multiset;
pub mod normalise;
pub mod porter;
pub mod python_float;
pub mod python_json;
pub mod python_list;
pub mod python_number;
pub mod recall;
pub mod segment;
pub mod vqa;
pub mod whitespace;
pub mod wordnet;
