//! Child processes that can be stopped with all processes that they started.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines of a child's stderr that are kept for an error message.
const TAIL_LINES: usize = 20;
/// Longest piece of one of these lines, in bytes.
const TAIL_BYTES: u64 = 2000;

/// The leaders of the groups that are running.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn running() -> std::sync::MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stops all groups, for a program that ends without dropping them.
pub(crate) fn stop_all() {
    running().iter().for_each(|leader| stop(*leader));
}

/// Stops a leader and all its descendants that did not leave the group.
fn stop(leader: u32) {
    #[cfg(unix)]
    if let Ok(id) = i32::try_from(leader) {
        use nix::sys::signal::{Signal, killpg};
        // This fails only if no process of the group is left.
        let _ = killpg(nix::unistd::Pid::from_raw(id), Signal::SIGKILL);
    }
    #[cfg(not(unix))]
    let _ = leader;
}

/// A child in a process group of its own. Dropping it stops the whole group and leaves no zombie.
pub(crate) struct Group {
    child: Child,
}

impl Group {
    /// Starts `command` as the leader of a new group, so that a Ctrl-C in the terminal does not reach it.
    pub(crate) fn spawn(command: &mut Command) -> std::io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn()?;
        running().push(child.id());
        Ok(Self { child })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Stops the leader and all its descendants that did not leave the group, and reaps the leader.
    pub(crate) fn kill(&mut self) {
        stop(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
        running().retain(|leader| *leader != self.child.id());
    }

    /// Waits until the leader ends by itself, at most `limit`.
    pub(crate) fn ended_within(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        let end = Instant::now() + limit;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
                _ => return None,
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines that a child wrote, collected on a thread so that the child never blocks.
#[derive(Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<std::collections::VecDeque<String>>>);

impl Tail {
    pub(crate) fn follow(stream: impl Read + Send + 'static) -> Self {
        let tail = Self::default();
        let kept = tail.clone();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            loop {
                let mut line = Vec::new();
                match (&mut reader).take(TAIL_BYTES).read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => break,
                    Ok(_) => kept.push(String::from_utf8_lossy(&line).trim_end()),
                }
            }
        });
        tail
    }

    fn push(&self, line: &str) {
        if let Ok(mut lines) = self.0.lock() {
            if lines.len() == TAIL_LINES {
                lines.pop_front();
            }
            lines.push_back(line.to_owned());
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.lock().map_or_else(
            |_| String::new(),
            |lines| lines.iter().cloned().collect::<Vec<_>>().join("\n"),
        )
    }
}
