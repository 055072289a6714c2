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

mod child;
mod reply;
mod settings;

pub use settings::CommandSettings;

use super::error::{BuildError, GenerateError};
use super::generator::{Generated, Generator, Request};
use super::kind::{Resources, SimpleGenerator};
use super::picture;
use crate::cancel::Cancel;
use child::{Running, Said};
use reply::Line;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The number of lines without a reply, for each request, after which the program counts as broken.
const MAX_STRAY_LINES: usize = 1000;

/// If this process receives a signal within this time after the program's end, the signal is the reason for
/// the end: a scheduler sends it to both.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// Asks a child process, which is started at the first request.
pub struct CommandGenerator {
    settings: CommandSettings,
    timeout: Duration,
    startup: Duration,
    running: Option<Running>,
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
}

impl CommandGenerator {
    /// Checks the settings. It does not start the program yet.
    ///
    /// # Errors
    /// Fails with [`GenerateError::Fatal`] if `program` is empty, a time is not positive, or no temporary
    /// folder can be made.
    pub fn new(settings: CommandSettings) -> Result<Self, GenerateError> {
        if settings.program.first().is_none_or(String::is_empty) {
            return Err(GenerateError::fatal(
                "settings of the command generator: `program` is empty",
                "write it as a list, such as program = [\"python3\", \"model.py\"]",
            ));
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
            timeout: time("timeout_seconds", settings.timeout_seconds)?,
            startup: time("startup_timeout_seconds", settings.startup_timeout_seconds)?,
            outputs: tempfile::tempdir().map_err(|error| {
                GenerateError::fatal(
                    format!("cannot make a folder for temporary files: {error}"),
                    "set TMPDIR to a writable folder",
                )
            })?,
            settings,
            running: None,
            failures: 0,
        })
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

    /// Waits for the reply to `id`. `Err` holds the kind and the description of a failure, or `None` after
    /// Ctrl-C.
    fn wait_for_reply(
        &self,
        running: &mut Running,
        id: &str,
        cancel: &Cancel,
    ) -> Result<reply::Reply, Option<(&'static str, String)>> {
        let startup = if running.take_fresh() {
            self.startup
        } else {
            Duration::ZERO
        };
        let mut deadline = Instant::now() + self.timeout + startup;
        let mut stray = 0;
        let mut sample = String::new();
        loop {
            if cancel.is_over() {
                return Err(None);
            }
            let note = || match stray {
                0 => String::new(),
                1 => format!(" (after one line that is not a reply, {sample:?})"),
                n => format!(" (after {n} lines that are not replies, such as {sample:?})"),
            };
            let line = match running.next_line(Duration::from_millis(50)) {
                Said::Line(line) => line,
                // Processes that it started may keep stdout open after its end.
                Said::Nothing if !running.is_running() => {
                    let what = format!("ended before it replied{}", note());
                    return Err(Some(("crashed", what)));
                }
                Said::Nothing if Instant::now() < deadline => continue,
                Said::Nothing => {
                    let limit = (self.timeout + startup).as_secs_f64();
                    let what = format!("did not reply within {limit} s{}", note());
                    return Err(Some(("timeout", what)));
                }
                Said::End => {
                    let what = format!("ended before it replied{}", note());
                    return Err(Some(("crashed", what)));
                }
                Said::TooLong => {
                    let what = format!("wrote a line of more than {} MiB", child::MAX_LINE >> 20);
                    return Err(Some(("protocol", what)));
                }
            };
            match reply::read(&line, id) {
                Line::Reply(reply) => return Ok(reply),
                Line::Ready => deadline = Instant::now() + self.timeout,
                Line::OtherId(other) => {
                    tracing::warn!("a reply to {other:?} while waiting for {id:?} is ignored");
                    stray += 1;
                }
                Line::Stray => stray += 1,
            }
            if sample.is_empty() && stray > 0 {
                sample = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
            }
            if stray > MAX_STRAY_LINES {
                let what = format!("wrote {stray} lines that are not replies, such as {sample:?}");
                return Err(Some(("protocol", what)));
            }
        }
    }
}

impl Generator for CommandGenerator {
    fn generate(
        &mut self,
        request: &Request<'_>,
        cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        let here = |path: PathBuf| {
            std::path::absolute(&path)
                .unwrap_or(path)
                .to_string_lossy()
                .into_owned()
        };
        let folder = tempfile::tempdir_in(self.outputs.path()).map_err(|error| {
            GenerateError::item(
                "io",
                format!("cannot make a folder for the output: {error}"),
            )
        })?;
        let item = request.item;
        let id = format!("{}#{}", item.item, request.repeat);
        let mut images = Vec::with_capacity(item.images.len());
        for image in &item.images {
            let path = request.base.join(image);
            picture::refuse_damage(&path).map_err(|what| GenerateError::item("input", what))?;
            images.push(here(path));
        }
        let line = json!({
            "id": id, "item": item.item, "task": item.task, "prompt": item.prompt, "images": images,
            "repeat": request.repeat, "seed": request.seed, "output_dir": here(folder.path().to_owned()),
        });
        let mut running = self.start()?;
        running.send_line(format!("{line}\n").into_bytes());
        match self.wait_for_reply(&mut running, &id, cancel) {
            Ok(reply) => {
                self.failures = 0;
                self.running = Some(running);
                reply.into_generated(folder.path())
            }
            Err(Some(("crashed", _))) if cancel.is_raised_within(SAME_SIGNAL) => {
                Err(GenerateError::Cancelled)
            }
            Err(Some((kind, what))) => Err(self.count_failure(kind, &what, &mut running)),
            Err(None) => Err(GenerateError::Cancelled),
        }
    }
}
