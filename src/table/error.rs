//! Why a table cannot be written in a format.

/// A table cannot be written in a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("the table cannot be exported as {format}: {message}")]
pub struct FormatError {
    /// The format's name in messages.
    pub format: &'static str,
    /// The reason.
    pub message: String,
}
