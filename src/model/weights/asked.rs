//! What a network requires of its weights.

/// A tensor that a network requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The full name.
    pub name: String,
    /// The required shape.
    pub shape: Vec<usize>,
}
