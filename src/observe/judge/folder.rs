//! The folder of the judge's own files in a run folder.

use crate::observe::{Halt, ObserveError};

/// The name of the folder, which is also the name of the observer.
pub(super) const NAME: &str = "judge";

/// The error of a file that cannot be written or read. It ends the run.
pub(super) fn disk_error(message: String) -> ObserveError {
    ObserveError::new("disk", message).halting(Halt::Environment {
        help: "check the disk and its permissions; everything written so far is kept".into(),
    })
}
