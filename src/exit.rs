//! Exit codes of the program: a documented, stable public type.

/// Why the program ended. The numbers are part of the interface, and the comments here become
/// docs/reference/exit-codes.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Fine, or already complete.
    Ok = 0,
    /// An unexpected error: a bug or an input/output failure in the middle of work.
    Unexpected = 1,
    /// Wrong usage or configuration, such as a name that no suite, model or observer has.
    Usage = 2,
    /// A gate was breached or a check failed.
    CheckFailed = 3,
    /// Nothing was selected: no item, or no observer for the evidence that is asked for.
    NothingSelected = 4,
    /// Incomplete evidence: missing, failed or unscored items, a partial run, a spent budget, or an
    /// inconclusive gate.
    Incomplete = 5,
    /// The environment lacks something: weights of a model or an observer, data, server, judge, device or
    /// disk space, or a file has a wrong checksum.
    Environment = 6,
    /// Busy: another process writes into the folder. The same command works when that one has ended.
    Busy = 7,
    /// Interrupted; the same command continues.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
