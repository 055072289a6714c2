//! Signals that end a run: Ctrl-C, and what schedulers and container engines send.
//!
//! | signal | meaning | the outputs in hand |
//! |---|---|---|
//! | INT | somebody presses Ctrl-C | are finished; the second Ctrl-C ends the program at once |
//! | TERM, HUP | the end is here | have [`GRACE`]; further ones change nothing |
//! | USR1, USR2, XCPU | the end is near | are finished |
//!
//! After each of them the exit code is 130, and the same command continues.

use super::progress::say;
use crate::cancel::Cancel;
use crate::exit::Exit;
use std::time::Duration;

/// Time for the outputs in hand after SIGTERM: Slurm and Kubernetes send SIGKILL 30 seconds after it.
const GRACE: Duration = Duration::from_secs(20);

/// Lets the signals raise the flag from now on.
#[cfg(unix)]
pub(super) fn catch(cancel: &Cancel) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU};
    use signal_hook::iterator::Signals;

    let heard = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU];
    // Fails only where the system has no room for a pipe: then signals do what they always do.
    let Ok(mut signals) = Signals::new(heard) else {
        return;
    };
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        let mut ending = Ending::default();
        for signal in signals.forever() {
            match signal {
                SIGINT => ending.pressed(&cancel),
                SIGTERM | SIGHUP => ending.told(&cancel),
                _ => ending.warned(&cancel),
            }
        }
    });
}

/// Lets Ctrl-C raise the flag from now on.
#[cfg(not(unix))]
pub fn catch(cancel: &Cancel) {
    let cancel = cancel.clone();
    let ending = std::sync::Mutex::new(Ending::default());
    // Fails only when a handler is set already; then that one works.
    let _ = ctrlc::set_handler(move || {
        if let Ok(mut ending) = ending.lock() {
            ending.pressed(&cancel);
        }
    });
}

/// What has been heard so far.
#[derive(Default)]
struct Ending {
    pressed: bool,
    told: bool,
}

impl Ending {
    /// Ctrl-C.
    fn pressed(&mut self, cancel: &Cancel) {
        if std::mem::replace(&mut self.pressed, true) {
            crate::process::stop_all();
            std::process::exit(i32::from(Exit::Interrupted as u8));
        }
        cancel.raise_gently();
        say("interrupted: finishing the current outputs (press Ctrl-C again to stop at once)");
    }

    /// The end is here.
    #[cfg(unix)]
    fn told(&mut self, cancel: &Cancel) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        cancel.raise_within(GRACE);
        say(format!(
            "received a signal to end: finishing the current outputs within {GRACE:?}"
        ));
    }

    /// The end is near.
    #[cfg(unix)]
    fn warned(&mut self, cancel: &Cancel) {
        if !cancel.is_raised() {
            cancel.raise_gently();
            say(
                "received a signal that the end is near: finishing the current outputs, and starting no others",
            );
        }
    }
}
