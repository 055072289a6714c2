//! What the engine tells while it works. Progress bars, plain lines and logs are consumers of these events.

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Work is about to start. Counts are outputs.
    Planned {
        outputs: usize,
        done: usize,
        observations: usize,
    },
    /// An output is on disk (or failed).
    Generated { failed: bool },
    /// One observer has looked at one output (or failed).
    Observed { failed: bool },
    /// A remark for the user: what was repaired, redone, left out.
    Note(String),
    /// The first failures are worth a line each.
    Failed {
        item: String,
        repeat: u32,
        stage: &'static str,
        message: String,
    },
    /// All work is over.
    Finished,
}

/// A consumer of events; called from several threads.
pub trait Listener: Sync {
    fn on(&self, event: Event);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Listener for Silent {
    fn on(&self, _event: Event) {}
}
