//! Why a chart could not be drawn.

/// A backend could not draw; the text is what it says.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ChartError(pub String);
