//! Signals that end a run: Ctrl-C, and the signals of schedulers and container engines.
//!
//! | signal | meaning | the current outputs |
//! |---|---|---|
//! | INT | somebody presses Ctrl-C | are finished; a second Ctrl-C ends the program at once |
//! | TERM, HUP | the run must end | have a time of grace to finish; further signals change nothing |
//! | USR1, USR2, XCPU | the run must end soon | are finished |
//!
//! After each of them the exit code is 130, and the same command continues the run.

use super::progress::say;
use crate::cancel::Cancel;
use crate::exit::Exit;
use std::time::Duration;

/// The usual time for the current outputs after SIGTERM. Slurm and Kubernetes send SIGKILL 30 seconds after
/// it.
pub(super) const GRACE: Duration = Duration::from_secs(20);

/// Lets the signals raise the flag from now on.
#[cfg(unix)]
pub(super) fn catch(cancel: &Cancel, grace: Duration) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU};
    use signal_hook::iterator::Signals;

    let heard = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU];
    // This fails only if the system has no room for a pipe. Then the signals have their usual effect.
    let Ok(mut signals) = Signals::new(heard) else {
        return;
    };
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        let mut ending = Ending::default();
        for signal in signals.forever() {
            match signal {
                SIGINT => ending.press_ctrl_c(&cancel),
                SIGTERM | SIGHUP => ending.order_end(&cancel, grace),
                _ => ending.warn_of_end(&cancel),
            }
        }
    });
}

/// Lets Ctrl-C raise the flag from now on.
#[cfg(not(unix))]
pub(super) fn catch(cancel: &Cancel, _grace: Duration) {
    let cancel = cancel.clone();
    let ending = std::sync::Mutex::new(Ending::default());
    // This fails only if there is a handler already. Then that one works.
    let _ = ctrlc::set_handler(move || {
        if let Ok(mut ending) = ending.lock() {
            ending.press_ctrl_c(&cancel);
        }
    });
}

/// The signals that came so far.
#[derive(Default)]
struct Ending {
    is_pressed: bool,
    is_ordered: bool,
}

impl Ending {
    /// Somebody presses Ctrl-C.
    fn press_ctrl_c(&mut self, cancel: &Cancel) {
        if std::mem::replace(&mut self.is_pressed, true) {
            crate::process::stop_all();
            std::process::exit(i32::from(Exit::Interrupted as u8));
        }
        cancel.raise_gently();
        say("interrupted: finishing the current outputs (press Ctrl-C again to stop at once)");
    }

    /// The run must end.
    #[cfg(unix)]
    fn order_end(&mut self, cancel: &Cancel, grace: Duration) {
        if std::mem::replace(&mut self.is_ordered, true) {
            return;
        }
        cancel.raise_within(grace);
        say(format!(
            "received a signal to end: finishing the current outputs within {grace:?}"
        ));
    }

    /// The run must end soon.
    #[cfg(unix)]
    fn warn_of_end(&mut self, cancel: &Cancel) {
        if !cancel.is_raised() {
            cancel.raise_gently();
            say(
                "received a signal that the end is near: finishing the current outputs, and starting no others",
            );
        }
    }
}
