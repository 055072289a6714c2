//! Why a request of the blocking client failed.

/// Why a request failed.
#[derive(Debug, Clone, thiserror::Error, miette::Diagnostic)]
pub enum RemoteError {
    /// This request fails, but others may succeed. `kind` is a short fixed word for the record.
    #[error("{message}")]
    Item {
        /// A short fixed word for the record.
        kind: &'static str,
        /// What happened, in words.
        message: String,
    },
    /// No further request can succeed: the server refuses the key, or cannot be reached.
    #[error("{message}")]
    Fatal {
        /// What happened, in words.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// Ctrl-C was pressed while waiting.
    #[error("interrupted")]
    Cancelled,
}

impl RemoteError {
    /// An error of one request.
    pub fn item(kind: &'static str, message: impl Into<String>) -> Self {
        Self::Item {
            kind,
            message: message.into(),
        }
    }

    /// An error of all requests.
    pub fn fatal(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Fatal {
            message: message.into(),
            help: help.into(),
        }
    }
}
