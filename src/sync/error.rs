//! What can go wrong between a run folder and an object store.

use super::address::{Address, Service};
use crate::files::FileError;
use crate::run::RunError;
use miette::Diagnostic;

/// An error of an object store, or of the files that are copied.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SyncError {
    /// A text is not an address.
    #[error("`{text}` is no address of an object store")]
    #[diagnostic(help(
        "write `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`"
    ))]
    Address {
        /// The text.
        text: String,
    },
    /// A file or an object has a name that the other side cannot have.
    #[error("`{name}` cannot be copied: {reason}")]
    #[diagnostic(help("give the file another name"))]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A store refuses a request, or cannot be reached.
    #[error("cannot {action} {at}: {reason}")]
    Store {
        /// What was tried: `read`, `write` or `list`.
        action: &'static str,
        /// The object or the place.
        at: String,
        /// What the store, or the network, said.
        reason: String,
        /// What to look at.
        #[help]
        help: String,
    },
    /// Another process writes into the same place.
    #[error("{at}: {holder}")]
    #[diagnostic(help(
        "wait for it with `--wait-lock SECONDS`; a holder that was killed is replaced 5 minutes after its last sign of \
         life"
    ))]
    Busy {
        /// The place.
        at: String,
        /// Who it is, in words.
        holder: String,
    },
    /// There are lines in the store that the local journal does not have.
    #[error("{at} has lines that `{file}` does not have")]
    #[diagnostic(help("`unigauge pull` joins them; then push again"))]
    Behind {
        /// The object.
        at: String,
        /// The local file.
        file: String,
    },
    /// There is no run at a place.
    #[error("there is no run at {at}")]
    #[diagnostic(help("give the prefix that `--sync` had, or that of one run below it"))]
    NoRun {
        /// The place.
        at: String,
    },
    /// A local file cannot be read or written.
    #[error(transparent)]
    #[diagnostic(help("check the disk and its permissions"))]
    File(#[from] FileError),
    /// A local run folder cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
}

impl SyncError {
    pub(super) fn name(name: &str, reason: impl std::fmt::Display) -> Self {
        Self::Name {
            name: name.into(),
            reason: reason.to_string(),
        }
    }

    /// An error of a request, for `map_err`.
    pub(super) fn of_request(
        action: &'static str,
        at: &Address,
    ) -> impl Fn(object_store::Error) -> Self {
        let (at, service) = (at.to_string(), at.service);
        move |error| Self::Store {
            action,
            at: at.clone(),
            reason: reason(&error),
            help: help(&error, service),
        }
    }
}

/// The innermost words of an error: those around it repeat the address.
fn reason(error: &object_store::Error) -> String {
    use object_store::Error;
    match error {
        Error::NotFound { .. } => "there is no such bucket or object".into(),
        Error::PermissionDenied { .. } => "permission denied".into(),
        Error::Unauthenticated { .. } => "the credentials are not valid".into(),
        other => {
            let mut inner: &dyn std::error::Error = other;
            while let Some(source) = inner.source() {
                inner = source;
            }
            said(&inner.to_string())
        }
    }
}

/// What an answer says: its message, if it has one, or else its first line.
fn said(answer: &str) -> String {
    let message = answer.split_once("<Message>");
    let message = message.and_then(|(_, rest)| rest.split_once("</Message>"));
    let line = answer.lines().next().unwrap_or_default();
    message.map_or(line, |(message, _)| message).to_owned()
}

fn help(error: &object_store::Error, service: Service) -> String {
    let variables = service.variables();
    match error {
        object_store::Error::NotFound { .. } => "check the name of the bucket".into(),
        _ => format!("check the network and the credentials; they come from {variables}"),
    }
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn of_an_answer_in_xml_the_message_is_shown() {
        let answer = "404: <?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code><Message>no such bucket</Message></Error>";
        assert_eq!(said(answer), "no such bucket");
        assert_eq!(said("connection refused\nby all"), "connection refused");
    }
}
