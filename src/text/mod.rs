//! Normalisation, edit distances, multiset matching. Pure functions on strings.

pub mod bit_distance;
pub mod distance;
pub mod html;
pub mod multiset;
pub mod normalise;
pub mod python_int;
pub mod python_json;
pub mod python_literal;
pub mod python_value;
pub mod tree_distance;
pub mod whitespace;
