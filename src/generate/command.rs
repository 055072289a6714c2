//! The generator `command`: any program that reads and writes JSON lines on its stdin and stdout.
//!
//! Each request is one line:
//!
//! ```text
//! {"id": "…", "item": "…", "task": "text-to-image", "prompt": "…", "images": ["/absolute/path.png"],
//!  "repeat": 0, "seed": 123, "output_dir": "/a/folder"}
//! ```
//!
//! Each reply is one line, with the same `id` and one of these answers:
//!
//! ```text
//! {"id": "…", "image": "path, absolute or relative to output_dir"}
//! {"id": "…", "image_base64": "…"}
//! {"id": "…", "text": "…"}
//! {"id": "…", "error": "why this one cannot be made"}
//! ```
//!
//! A reply may also have `timings` (an object of seconds) and `extra` (an object that is kept in the record
//! of the output). `output_dir` is an empty and writable folder, which is removed after the reply has been
//! read. The program answers one request before it gets the next. It may print `{"ready": true}` when its
//! weights are loaded; the time limit of the first request then starts there. Other lines on stdout are
//! ignored, up to a limit. The program may write anything on stderr; the last lines are shown if it fails.
//! The program should end when its stdin is closed. If it does not end, it is stopped together with all
//! processes that it started. If unigauge itself receives a signal to end, it waits for the current reply as
//! long as the signal allows. A program that ends because of the same signal has not failed.
//!
//! A program that works on several requests at once prints `{"ready": true, "batch": 8}`. From then on, each
//! line has a list of at most so many requests:
//!
//! ```text
//! {"requests": [{"id": "…", …}, {"id": "…", …}]}
//! ```
//!
//! The program writes one reply for each of them, in any order. Its first request may be on its way before it
//! prints that line, and then comes as one request without a list. The time limit of a batch is that of one
//! reply times the number of requests, and each reply starts it again. If the program fails during a batch,
//! the replies that came are kept, and the other requests are sent again one by one, so only the request that
//! breaks the program fails.

mod asked;
mod child;
mod exchange;
mod reply;
mod settings;

pub use settings::CommandSettings;

use super::error::{BuildError, GenerateError};
use super::generator::{Done, Generated, Generator, Request};
use super::kind::{Resources, SimpleGenerator};
use crate::cancel::Cancel;
use crate::config::RUN_MODEL;
use asked::Asked;
use child::Running;
use exchange::{Broken, Exchange, Limits};
use serde_json::Value;
use std::time::Duration;

/// If this process receives a signal within this time after the program's end, the signal is the reason for
/// the end: a scheduler sends it to both.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// What Python says if the package `unigauge`, or the module in it that runs models, is not there.
const NO_PACKAGE: [&str; 2] = ["No module named 'unigauge'", "No module named unigauge"];

/// The exit code with which the package `unigauge` says that it cannot serve a model, such as for a file with
/// several functions.
const CANNOT_SERVE: i32 = 2;

/// Asks a child process, which is started at the first request.
pub struct CommandGenerator {
    settings: CommandSettings,
    limits: Limits,
    running: Option<Running>,
    /// The number of requests in a line, at most, as the program last named it and the settings allow it.
    batch: usize,
    /// Contains one folder for each request.
    outputs: tempfile::TempDir,
    /// The number of failures of the program since its last reply.
    failures: u32,
}

impl SimpleGenerator for CommandGenerator {
    const NAME: &'static str = "command";
    const ABOUT: &'static str = "asks any program that reads and writes JSON lines";
    type Settings = CommandSettings;

    fn open(settings: CommandSettings, _: &Resources) -> Result<Self, BuildError> {
        Ok(Self::new(settings)?)
    }

    fn weights(settings: &CommandSettings) -> Option<Value> {
        settings.source_hashes()
    }

    fn most_workers(settings: &CommandSettings) -> Option<usize> {
        settings.processes
    }
}

impl CommandGenerator {
    /// Checks the settings. It does not start the program yet.
    ///
    /// # Errors
    /// Fails with [`GenerateError::Fatal`] if `program` is empty, a time is not positive, a count is 0, or
    /// no temporary folder can be made.
    pub fn new(settings: CommandSettings) -> Result<Self, GenerateError> {
        if settings.program.first().is_none_or(String::is_empty) {
            return Err(GenerateError::fatal(
                "settings of the command generator: `program` is empty",
                "write it as a list, such as program = [\"python3\", \"model.py\"]",
            ));
        }
        for (key, count) in [("batch", settings.batch), ("processes", settings.processes)] {
            if count == Some(0) {
                return Err(GenerateError::fatal(
                    format!("settings of the command generator: `{key}` = 0"),
                    "give a whole number, 1 or more, or leave it out",
                ));
            }
        }
        let time = |key: &str, seconds: f64| {
            Duration::try_from_secs_f64(seconds)
                .ok()
                .filter(|time| key != "timeout_seconds" || !time.is_zero())
                .ok_or_else(|| {
                    GenerateError::fatal(
                        format!("settings of the command generator: `{key}` = {seconds} is not a time limit"),
                        "give a positive number of seconds",
                    )
                })
        };
        Ok(Self {
            limits: Limits {
                reply: time("timeout_seconds", settings.timeout_seconds)?,
                startup: time("startup_timeout_seconds", settings.startup_timeout_seconds)?,
            },
            outputs: tempfile::tempdir().map_err(|error| {
                GenerateError::fatal(
                    format!("cannot make a folder for temporary files: {error}"),
                    "set TMPDIR to a writable folder",
                )
            })?,
            settings,
            running: None,
            batch: 1,
            failures: 0,
        })
    }

    /// The Python that the package `unigauge` needs, if it runs the model.
    fn python(&self) -> Option<&str> {
        match &self.settings.program[..] {
            [python, module @ ..] if module.starts_with(&RUN_MODEL.map(str::to_owned)) => {
                Some(python)
            }
            _ => None,
        }
    }

    fn start(&mut self) -> Result<Running, GenerateError> {
        // A program that ended between two requests is simply started again.
        if let Some(mut running) = self.running.take()
            && running.is_running()
        {
            return Ok(running);
        }
        Running::start(&self.settings).map_err(|error| {
            GenerateError::fatal(
                format!("cannot start {:?}: {error}", self.settings.program[0]),
                match &self.settings.cwd {
                    _ if self.python().is_some() => {
                        "install Python 3, or set UNIGAUGE_PYTHON to a Python that is there"
                            .to_owned()
                    }
                    Some(cwd) => format!(
                        "check `program` and that the folder `cwd` = {} exists",
                        cwd.display()
                    ),
                    None => {
                        "check that `program` is installed, on the PATH and executable".to_owned()
                    }
                },
            )
        })
    }

    /// Counts a failure of the program, as opposed to a failure of one item, and describes it. Too many
    /// failures in a row are fatal.
    fn count_failure(
        &mut self,
        kind: &'static str,
        what: &str,
        running: &mut Running,
    ) -> GenerateError {
        let status = running.stop();
        self.failures += 1;
        let mut message = format!("{:?} {what}", self.settings.program.join(" "));
        if kind == "crashed" {
            message = format!("{message} ({status})");
        }
        let words = running.last_words();
        if let Some(python) = self.python()
            && NO_PACKAGE.iter().any(|said| words.contains(said))
        {
            return missing_package(python);
        }
        if self.python().is_some() && running.exit_code() == Some(CANNOT_SERVE) {
            return GenerateError::fatal(
                format!("Python cannot serve the model: {words}"),
                "correct the model's file, or the name that `--model` gives",
            );
        }
        if !words.is_empty() {
            message = format!("{message}; its last lines on stderr:\n{words}");
        }
        if self.failures > self.settings.restarts {
            return GenerateError::fatal(
                format!("failed {} times in a row: {message}", self.failures),
                "run the program by hand on one request line; `restarts` in its settings allows more failures in a row",
            );
        }
        GenerateError::item(kind, message)
    }

    /// Sends the first of these requests in one line, and hands their answers over: one request, or as many as
    /// the program takes. Answered requests leave the list. A request that was sent alone and broke the
    /// program leaves it, too. After the failure of a batch, what has no answer stays, and the result is true.
    ///
    /// # Errors
    /// Fails if no further request can be sent.
    fn ask_first(
        &mut self,
        left: &mut Vec<Asked>,
        singly: bool,
        cancel: &Cancel,
        done: &mut Done<'_>,
    ) -> Result<bool, GenerateError> {
        let mut running = self.start()?;
        let batch = self.allowed_batch(&running).filter(|_| !singly);
        let count = batch.unwrap_or(1).min(left.len());
        let mut asked: Vec<Asked> = left.drain(..count).collect();
        let exchange = Exchange::begin(&mut running, &mut asked, self.limits, done);
        let result = exchange.finish(cancel);
        if asked.len() < count {
            self.failures = 0;
        }
        asked.append(left);
        *left = asked;
        self.batch = self.allowed_batch(&running).unwrap_or(self.batch);
        let (kind, what) = match result {
            Ok(()) => {
                self.running = Some(running).filter(|running| !running.leaves);
                return Ok(false);
            }
            Err(Broken::Failed("crashed", _)) if cancel.is_raised_within(SAME_SIGNAL) => {
                return Err(GenerateError::Cancelled);
            }
            Err(Broken::Failed(kind, what)) => (kind, what),
            Err(Broken::Refused(error)) => return Err(error),
            Err(Broken::Interrupted) => return Err(GenerateError::Cancelled),
        };
        let error = self.count_failure(kind, &what, &mut running);
        if matches!(error, GenerateError::Fatal { .. }) {
            return Err(error);
        }
        if count > 1 {
            tracing::warn!("the rest of a batch is sent again one by one: {error}");
            return Ok(true);
        }
        done(left.remove(0).index, Err(error));
        Ok(false)
    }

    /// The largest batch of a program, within that of the settings. `None` if the program has named none.
    fn allowed_batch(&self, running: &Running) -> Option<usize> {
        let named = running.batch?;
        Some(self.settings.batch.map_or(named, |most| named.min(most)))
    }
}

impl Generator for CommandGenerator {
    fn generate(
        &mut self,
        request: &Request<'_>,
        cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        let mut answer = Err(GenerateError::Cancelled);
        self.generate_chunk(&[*request], cancel, &mut |_, result| answer = result);
        answer
    }

    fn chunk(&self) -> usize {
        self.batch
    }

    fn generate_chunk(&mut self, requests: &[Request<'_>], cancel: &Cancel, done: &mut Done<'_>) {
        let mut left = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            match Asked::new(index, request, self.outputs.path()) {
                Ok(asked) => left.push(asked),
                Err(error) => done(index, Err(error)),
            }
        }
        let mut singly = false;
        while !left.is_empty() {
            let result = if cancel.is_raised() {
                Err(GenerateError::Cancelled)
            } else {
                self.ask_first(&mut left, singly, cancel, done)
            };
            match result {
                Ok(batch_failed) => singly |= batch_failed,
                Err(error) => {
                    let rest = left.drain(..);
                    rest.for_each(|one| done(one.index, Err(error.clone())));
                }
            }
        }
    }
}

/// The error that says how to get the Python package.
fn missing_package(python: &str) -> GenerateError {
    GenerateError::fatal(
        format!("the Python `{python}` does not have the package `unigauge`, which runs the model"),
        format!(
            "install the wheel of unigauge with that Python (`{python} -m pip install unigauge-….whl`), or set \
             UNIGAUGE_PYTHON to a Python that has it"
        ),
    )
}
