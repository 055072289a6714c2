//! Normalisation, edit distances, multiset matching. Pure functions on strings.

pub mod distance;
pub mod multiset;
pub mod normalise;
pub mod python_json;
pub mod python_str;
pub mod thinking;
pub mod whitespace;
