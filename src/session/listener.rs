//! The consumers of what a session reports.

use crate::run::{Listener, Silent};

/// A consumer of progress and remarks.
pub trait SessionListener: Send + Sync {
    /// The listener of one run. `label` is the name of the run, as `SUITE/MODEL`.
    fn run_listener(&self, label: &str) -> Box<dyn Listener>;

    /// Takes a remark that belongs to no single run: one sentence without a full stop.
    fn remark(&self, text: &str);
}

/// Ignores all progress and all remarks.
#[derive(Debug, Clone, Copy)]
pub struct SilentSession;

impl SessionListener for SilentSession {
    fn run_listener(&self, _label: &str) -> Box<dyn Listener> {
        Box::new(Silent)
    }

    fn remark(&self, _text: &str) {}
}
