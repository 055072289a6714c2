//! Why an output has no score: in words for a reader, and as a kind for programs.

use std::borrow::Cow;

/// What is at fault if an output has no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LackKind {
    /// The item or the output lacks what the rule needs, or has it in another form.
    Record,
    /// No observer wrote the evidence.
    Unseen,
    /// An observer failed or refused, or what it wrote cannot be read.
    #[default]
    Observer,
    /// The output's picture is absent or broken.
    Picture,
    /// An observer took too long.
    Timeout,
    /// There was no room for the work of an observer.
    Overload,
}

impl LackKind {
    /// The kind of an observation that failed, by the `kind` of its record.
    pub(super) fn of_failure(kind: &str) -> Self {
        match kind {
            "image" | "picture" => Self::Picture,
            "input" | "metadata" => Self::Record,
            "timeout" => Self::Timeout,
            "overload" => Self::Overload,
            _ => Self::Observer,
        }
    }
}

/// Why an output has no score. Words alone are about evidence that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lack {
    kind: LackKind,
    words: Cow<'static, str>,
}

impl Lack {
    /// The words for the grade's `unscored`, with the kind.
    pub(super) fn new(kind: LackKind, words: impl Into<Cow<'static, str>>) -> Self {
        let words = words.into();
        Self { kind, words }
    }

    /// The item or the output is at fault.
    pub(super) fn of_record(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(LackKind::Record, words)
    }

    /// What is at fault.
    pub(super) fn kind(&self) -> LackKind {
        self.kind
    }
}

impl From<String> for Lack {
    fn from(words: String) -> Self {
        Self::new(LackKind::default(), words)
    }
}

impl From<&'static str> for Lack {
    fn from(words: &'static str) -> Self {
        Self::new(LackKind::default(), words)
    }
}

impl From<Lack> for String {
    fn from(lack: Lack) -> Self {
        lack.words.into_owned()
    }
}
