//! What the engine tells while it works. Progress bars, plain lines and logs are consumers of these events.

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Work is about to start. Counts are outputs.
    Planned {
        /// Number of outputs to make.
        outputs: usize,
        /// Number of finished outputs.
        done: usize,
        /// Number of observations to make.
        observations: usize,
    },
    /// An output is on disk (or failed).
    Generated {
        /// Whether it failed.
        failed: bool,
    },
    /// One observer has looked at one output (or failed).
    Observed {
        /// Whether it failed.
        failed: bool,
    },
    /// A remark for the user: what was repaired, redone, left out.
    Note(String),
    /// The first failures are worth a line each.
    Failed {
        /// The id of the item.
        item: String,
        /// The repeat of the output.
        repeat: u32,
        /// Name of the stage.
        stage: &'static str,
        /// What happened, in words.
        message: String,
    },
    /// All work is over.
    Finished,
}

/// A consumer of events; called from several threads.
pub trait Listener: Sync {
    /// Receives an event.
    fn on(&self, event: Event);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Listener for Silent {
    fn on(&self, _event: Event) {}
}
