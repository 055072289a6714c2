//! What the engine says while it works. Progress bars, plain lines and logs are consumers of these events.

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Work is about to start.
    Planned {
        /// Outputs to make.
        outputs: usize,
        /// Outputs that are there already.
        done: usize,
        /// Looks of one observer at one output each.
        observations: usize,
    },
    /// An output is on disk, or could not be made.
    Generated {
        /// Whether it could not be made.
        failed: bool,
    },
    /// One observer has looked at one output.
    Observed {
        /// Whether it saw nothing because of an error.
        failed: bool,
    },
    /// A remark for the user, such as what was repaired, made again or left out.
    Note(String),
    /// Why an output or an observation failed.
    Failed {
        /// The item.
        item: String,
        /// Which of the item's outputs, from 0.
        repeat: u32,
        /// `generate` or `observe`.
        stage: &'static str,
        /// The reason.
        message: String,
    },
    /// All work is over.
    Finished,
}

/// A consumer of events; called from several threads.
pub trait Listener: Sync {
    /// Hears an event.
    fn on(&self, event: Event);
}

/// Ignores all events.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Listener for Silent {
    fn on(&self, _event: Event) {}
}
