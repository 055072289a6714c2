//! The running program: its process group, and the threads that read and write its three streams.

use super::settings::CommandSettings;
use crate::process::{Group, Tail};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

/// The longest line on stdout, in bytes, which is a picture of 48 MiB in base64.
pub(super) const MAX_LINE: u64 = 64 << 20;
/// How long a program may take to end after its stdin is closed.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long the last lines on stderr may take to arrive after the program's end.
const LAST_WORDS: Duration = Duration::from_millis(20);

/// What came from stdout.
pub(super) enum Said {
    Line(Vec<u8>),
    TooLong,
    /// There was no line within the time.
    Nothing,
    /// Stdout was closed, so the program has ended.
    End,
}

/// A program that was started.
pub(super) struct Running {
    group: Group,
    /// `None` after the program was asked to end.
    stdin: Option<Sender<Vec<u8>>>,
    stdout: Receiver<Said>,
    stderr: Tail,
    fresh: bool,
    ended: Option<ExitStatus>,
    /// Whether the program said that it ends, so that it is asked nothing more.
    pub(super) leaves: bool,
    /// The number of requests that the program wants in a line, at most. `None` if it names no number, or has
    /// not named it yet.
    pub(super) batch: Option<usize>,
}

impl Running {
    /// Starts the program, with threads that read and write its streams.
    ///
    /// # Errors
    /// Fails if it cannot be started.
    pub(super) fn start(settings: &CommandSettings) -> std::io::Result<Self> {
        let mut command = Command::new(&settings.program[0]);
        command
            .args(&settings.program[1..])
            .envs(&settings.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(cwd) = &settings.cwd {
            command.current_dir(cwd);
        }
        let mut group = Group::spawn(&mut command)?;
        let child = group.child();
        let (to_stdin, lines_in) = channel::<Vec<u8>>();
        if let Some(mut stdin) = child.stdin.take() {
            // This is a thread, since a program that does not read would block the writer for ever.
            std::thread::spawn(move || {
                for line in lines_in {
                    if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
                        break;
                    }
                }
            });
        }
        let (heard, stdout) = sync_channel(4);
        if let Some(stream) = child.stdout.take() {
            std::thread::spawn(move || listen(stream, &heard));
        }
        let stderr = child.stderr.take().map(Tail::follow).unwrap_or_default();
        Ok(Self {
            group,
            stdin: Some(to_stdin),
            stdout,
            stderr,
            fresh: true,
            ended: None,
            leaves: false,
            batch: None,
        })
    }

    /// Sends a line to the program. A failure shows later as [`Said::End`].
    pub(super) fn send_line(&self, line: Vec<u8>) {
        if let Some(stdin) = &self.stdin {
            let _ = stdin.send(line);
        }
    }

    /// The next line of the program's stdout. It waits for at most `limit`.
    pub(super) fn next_line(&self, limit: Duration) -> Said {
        match self.stdout.recv_timeout(limit) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => Said::Nothing,
            Err(RecvTimeoutError::Disconnected) => Said::End,
        }
    }

    /// Whether the program still runs.
    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.group.child().try_wait(), Ok(None))
    }

    /// True the first time only, when the program may still be loading.
    pub(super) fn take_fresh(&mut self) -> bool {
        std::mem::replace(&mut self.fresh, false)
    }

    /// Stops the program, and says how it ended or that it was still running.
    pub(super) fn stop(&mut self) -> String {
        self.stdin = None;
        // A program that has just closed its stdout is about to end. Its own status says more than that of
        // the signal.
        self.ended = self.group.ended_within(FAREWELL);
        self.group.kill();
        // The thread that reads stderr may end a moment after the program.
        std::thread::sleep(LAST_WORDS);
        match self.ended {
            Some(status) => status.to_string(),
            None => "stopped".to_owned(),
        }
    }

    /// The exit code of a program that was stopped or has ended, if it ended by itself.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.ended?.code()
    }

    /// The last lines of its stderr.
    pub(super) fn last_words(&self) -> String {
        self.stderr.text()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stdin.take().is_some() {
            self.group.ended_within(FAREWELL);
        }
        // Dropping the group stops the processes that are left.
    }
}

/// Cuts stdout into lines of bounded length.
fn listen(stream: impl Read, heard: &SyncSender<Said>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        match (&mut reader)
            .take(MAX_LINE + 1)
            .read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => return,
            Ok(n) if n as u64 > MAX_LINE => {
                let _ = heard.send(Said::TooLong);
                return;
            }
            Ok(_) => {
                if heard.send(Said::Line(line)).is_err() {
                    return;
                }
            }
        }
    }
}
