//! The running program: its process group and the threads at its three streams.

use super::settings::CommandSettings;
use crate::process::{Group, Tail};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

/// Longest line on stdout, in bytes (a picture of 48 MiB in base64).
pub(super) const MAX_LINE: u64 = 64 << 20;
/// How long a program may take to end once its stdin is closed.
const FAREWELL: Duration = Duration::from_millis(500);

/// What was heard on stdout.
pub(super) enum Said {
    Line(Vec<u8>),
    TooLong,
    /// Nothing within the time.
    Nothing,
    /// Stdout was closed: the program ended.
    End,
}

/// A started program.
pub(super) struct Running {
    group: Group,
    /// None once the program was asked to end.
    stdin: Option<Sender<Vec<u8>>>,
    stdout: Receiver<Said>,
    stderr: Tail,
    fresh: bool,
    ended: Option<ExitStatus>,
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
            // A thread, since a program that does not read would block the writer for ever.
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
        })
    }

    /// Hands a line to the program; a failure shows as [`Said::End`].
    pub(super) fn say(&self, line: Vec<u8>) {
        if let Some(stdin) = &self.stdin {
            let _ = stdin.send(line);
        }
    }

    /// The next line of the program's stdout, waited for at most `limit`.
    pub(super) fn hear(&self, limit: Duration) -> Said {
        match self.stdout.recv_timeout(limit) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => Said::Nothing,
            Err(RecvTimeoutError::Disconnected) => Said::End,
        }
    }

    /// Whether the program still runs.
    pub(super) fn alive(&mut self) -> bool {
        matches!(self.group.child().try_wait(), Ok(None))
    }

    /// True the first time: the program may still be loading.
    pub(super) fn take_fresh(&mut self) -> bool {
        std::mem::replace(&mut self.fresh, false)
    }

    /// Stops the program and says how it had ended, or that it was still running.
    pub(super) fn stop(&mut self) -> String {
        self.stdin = None;
        // A program that just closed its stdout is about to end: its own status says more than the signal's.
        self.ended = self.group.ended_within(FAREWELL);
        self.group.kill();
        match self.ended {
            Some(status) => status.to_string(),
            None => "stopped".to_owned(),
        }
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
        // Dropping the group stops what is left of it.
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
