//! Normalisation, edit distances, multiset matching, sentence metrics; Python's values and HTML. Pure functions on
//! strings.

pub mod bit_distance;
pub mod bleu;
pub mod decimal;
pub mod distance;
pub mod html;
pub mod json;
pub mod json_fault;
pub mod meteor;
pub mod multiset;
pub mod normalise;
pub mod porter;
pub mod python_float;
pub mod python_json;
pub mod python_literal;
pub mod python_number;
pub mod python_str;
pub mod python_value;
pub mod recall;
pub mod segment;
pub mod thinking;
pub mod tree_distance;
pub mod vqa;
pub mod whitespace;
pub mod wordnet;
