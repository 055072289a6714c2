//! Who hears what a session does.

use crate::run::{Listener, Silent};

/// A consumer of progress and remarks.
pub trait SessionListener: Send + Sync {
    /// Who hears the engine while it makes one run; `label` names the run, as `SUITE/MODEL`.
    fn run_listener(&self, label: &str) -> Box<dyn Listener>;

    /// Hears a remark about no single run: one sentence without a full stop.
    fn remark(&self, text: &str);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy)]
pub struct SilentSession;

impl SessionListener for SilentSession {
    fn run_listener(&self, _label: &str) -> Box<dyn Listener> {
        Box::new(Silent)
    }

    fn remark(&self, _text: &str) {}
}
