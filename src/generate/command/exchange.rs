//! One line of requests, and the replies to it.

use super::asked::{Asked, line};
use super::child::{MAX_LINE, Running, Said};
use super::reply::{self, Batch, Line, Reply};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Done;
use serde_json::Value;
use std::time::{Duration, Instant};

/// The number of lines without a reply, for each request, after which the program counts as broken.
const MAX_STRAY_LINES: usize = 1000;

/// How often the end of the run is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Why an exchange ended before all replies were there.
pub(super) enum Broken {
    /// The program failed: a short word for the record, and what happened.
    Failed(&'static str, String),
    /// The program cannot be used.
    Refused(GenerateError),
    /// The time after Ctrl-C is over.
    Interrupted,
}

/// The time limits of an exchange.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// For one reply.
    pub reply: Duration,
    /// In addition, for the first reply of a program that was just started.
    pub startup: Duration,
}

/// A line of requests that was sent.
pub(super) struct Exchange<'a, 'd> {
    running: &'a mut Running,
    /// The requests without a reply.
    asked: &'a mut Vec<Asked>,
    /// Receives the answers.
    done: &'a mut Done<'d>,
    /// The longest time until a reply.
    limit: Duration,
    /// Until the next reply. The first one may have more time.
    next_limit: Duration,
    deadline: Option<Instant>,
    /// The number of lines without a reply since the last reply.
    stray: usize,
    /// The beginning of the first of these lines.
    sample: String,
}

impl<'a, 'd> Exchange<'a, 'd> {
    /// Sends the requests in one line.
    pub(super) fn begin(
        running: &'a mut Running,
        asked: &'a mut Vec<Asked>,
        limits: Limits,
        done: &'a mut Done<'d>,
    ) -> Self {
        running.send_line(line(asked, running.batch.is_some()));
        let count = u32::try_from(asked.len()).unwrap_or(u32::MAX);
        let limit = limits.reply.saturating_mul(count);
        let next_limit = if running.take_fresh() {
            limit.saturating_add(limits.startup)
        } else {
            limit
        };
        Self {
            running,
            asked,
            done,
            limit,
            next_limit,
            deadline: Instant::now().checked_add(next_limit),
            stray: 0,
            sample: String::new(),
        }
    }

    /// Waits for all replies, and hands each over as it comes. After a failure, the requests without a reply
    /// stay in their list.
    ///
    /// # Errors
    /// Fails if the program does, or the time after Ctrl-C is over.
    pub(super) fn finish(mut self, cancel: &Cancel) -> Result<(), Broken> {
        while !self.asked.is_empty() {
            if cancel.is_over() {
                return Err(Broken::Interrupted);
            }
            self.step()?;
        }
        Ok(())
    }

    /// Waits for the next line, for a moment.
    fn step(&mut self) -> Result<(), Broken> {
        let line = match self.running.next_line(LOOK) {
            Said::Line(line) => line,
            // Processes that it started may keep stdout open after its end.
            Said::Nothing if self.running.is_running() => return self.check_time(),
            Said::Nothing | Said::End => {
                let what = format!("ended before it replied{}", self.stray_note());
                return Err(Broken::Failed("crashed", what));
            }
            Said::TooLong => {
                let what = format!("wrote a line of more than {} MiB", MAX_LINE >> 20);
                return Err(Broken::Failed("protocol", what));
            }
        };
        match reply::read(&line) {
            Line::Reply(id, reply) => match self.take_asked(&id) {
                Some(asked) => self.hand_over(&asked, reply),
                None => {
                    tracing::warn!("a reply to {id}, which was not asked, is ignored");
                    return self.count_stray(&line);
                }
            },
            Line::Ready(batch) => {
                self.restart_time();
                match batch {
                    Batch::Unnamed => {}
                    Batch::AtMost(most) => self.running.batch = Some(most),
                    Batch::Wrong(value) => return Err(Broken::Refused(wrong_batch(&value))),
                }
            }
            Line::Stray => return self.count_stray(&line),
        }
        Ok(())
    }

    /// The request with this id, if it has no reply yet.
    fn take_asked(&mut self, id: &Value) -> Option<Asked> {
        let id = id.as_str()?;
        let place = self.asked.iter().position(|asked| asked.id == id)?;
        Some(self.asked.remove(place))
    }

    fn hand_over(&mut self, asked: &Asked, reply: Reply) {
        self.running.leaves |= reply.is_last();
        (self.done)(asked.index, reply.into_generated(asked.folder.path()));
        self.restart_time();
        self.stray = 0;
        self.sample.clear();
    }

    fn restart_time(&mut self) {
        self.next_limit = self.limit;
        self.deadline = Instant::now().checked_add(self.limit);
    }

    fn check_time(&self) -> Result<(), Broken> {
        if self.deadline.is_none_or(|end| Instant::now() < end) {
            return Ok(());
        }
        let limit = self.next_limit.as_secs_f64();
        let what = format!("did not reply within {limit} s{}", self.stray_note());
        Err(Broken::Failed("timeout", what))
    }

    fn count_stray(&mut self, line: &[u8]) -> Result<(), Broken> {
        self.stray += 1;
        if self.sample.is_empty() {
            self.sample = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        }
        if self.stray <= MAX_STRAY_LINES {
            return Ok(());
        }
        let (stray, sample) = (self.stray, &self.sample);
        let what = format!("wrote {stray} lines that are not replies, such as {sample:?}");
        Err(Broken::Failed("protocol", what))
    }

    fn stray_note(&self) -> String {
        let sample = &self.sample;
        match self.stray {
            0 => String::new(),
            1 => format!(" (after one line that is not a reply, {sample:?})"),
            n => format!(" (after {n} lines that are not replies, such as {sample:?})"),
        }
    }
}

fn wrong_batch(value: &Value) -> GenerateError {
    GenerateError::fatal(
        format!("the program says `batch`: {value} in its line `ready`"),
        "it must be a whole number, 1 or more, or be left out",
    )
}
