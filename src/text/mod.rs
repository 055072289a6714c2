//! Normalisation, edit distances, multiset matching. Pure functions on strings.

pub mod distance;
pub mod multiset;
pub mod normalise;
pub mod python_json;
pub mod python_list;
pub mod recall;
pub mod whitespace;
