//! What an item of OCRBench v2 accepts.

/// One text or several, with numbers made strings already. Official metrics treat a bare text and a list of one
/// differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    One(String),
    List(Vec<String>),
}

impl Answers {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(answer) => std::slice::from_ref(answer),
            Self::List(answers) => answers,
        }
    }
}
