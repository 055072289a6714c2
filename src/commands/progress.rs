//! Progress on stderr: bars on a terminal, plain lines elsewhere.

use super::screen::screen;
use crate::files::in_words;
use crate::hub::Progress;
use crate::run::{Event, Listener, RunFolder};
use crate::session::SessionListener;
use crate::text::count::counted;
use crate::train::Event as TrainEvent;
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

/// Number of failures that are printed. The others are only in the journals.
const FAILURES_SHOWN: usize = 5;
/// The time between two lines where there are no bars.
const LINE_EVERY: Duration = Duration::from_secs(10);

static BARS: LazyLock<MultiProgress> = LazyLock::new(|| {
    MultiProgress::with_draw_target(if std::io::stderr().is_terminal() {
        screen()
    } else {
        ProgressDrawTarget::hidden()
    })
});

/// Prints a line on stderr, above the bars.
pub(super) fn say(line: impl AsRef<str>) {
    BARS.suspend(|| eprintln!("{}", line.as_ref()));
}

/// Prints where the report of a run is.
pub(super) fn say_report(run: &RunFolder) {
    let page = run.report().join("index.html");
    say(format!("report: {}", page.display()));
}

fn bar(length: u64, label: &str) -> ProgressBar {
    let template = "{prefix:>9} {bar:28} {pos}/{len}  {elapsed} elapsed, {eta} left  {msg}";
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = BARS.add(
        ProgressBar::new(length)
            .with_style(style)
            .with_prefix(label.to_owned()),
    );
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows the progress of downloads.
pub(super) struct AssetProgress {
    quiet: bool,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl AssetProgress {
    /// With `quiet`, it shows nothing.
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            quiet,
            bars: Mutex::new(HashMap::new()),
        }
    }
}

impl Progress for AssetProgress {
    fn begin(&self, id: &str, total: Option<u64>) {
        if self.quiet {
            return;
        }
        if BARS.is_hidden() {
            say(format!(
                "fetching {id}{}",
                total
                    .map(|total| format!(" ({})", HumanBytes(total)))
                    .unwrap_or_default()
            ));
        }
        let template = "{prefix:>24} {bar:28} {bytes}/{total_bytes}  {bytes_per_sec}, {eta} left";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = BARS.add(
            ProgressBar::new(total.unwrap_or(0))
                .with_style(style)
                .with_prefix(id.to_owned()),
        );
        if let Ok(mut bars) = self.bars.lock() {
            bars.insert(id.to_owned(), bar);
        }
    }

    fn advance(&self, id: &str, done: u64) {
        if let Some(bar) = self.bars.lock().ok().as_ref().and_then(|bars| bars.get(id)) {
            bar.set_position(done);
        }
    }

    fn note(&self, id: &str, message: &str) {
        if !self.quiet {
            say(format!("{id}: {message}"));
        }
    }

    fn end(&self, id: &str) {
        if let Some(bar) = self.bars.lock().ok().and_then(|mut bars| bars.remove(id)) {
            bar.finish_and_clear();
        }
    }
}

/// Shows the progress of the runs of a session.
pub(super) struct RunLines {
    quiet: bool,
}

impl RunLines {
    /// With `quiet`, it shows only failures and remarks.
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet }
    }
}

impl SessionListener for RunLines {
    fn run_listener(&self, label: &str) -> Box<dyn Listener> {
        Box::new(RunProgress::new(self.quiet, label.to_owned()))
    }

    fn remark(&self, text: &str) {
        say(text);
    }
}

/// Shows the progress of one run.
struct RunProgress {
    quiet: bool,
    label: String,
    bars: Mutex<Option<Bars>>,
    failures: AtomicUsize,
}

struct Bars {
    outputs: ProgressBar,
    observations: Option<ProgressBar>,
    planned: u64,
    said: Instant,
}

impl RunProgress {
    /// `label` names the run in plain lines.
    fn new(quiet: bool, label: String) -> Self {
        Self {
            quiet,
            label,
            bars: Mutex::new(None),
            failures: AtomicUsize::new(0),
        }
    }

    fn show_plan(&self, outputs: usize, done: usize, observations: usize) {
        if done > 0 && outputs > 0 {
            say(format!(
                "{}: continuing after {}",
                self.label,
                counted(done, "finished output")
            ));
        }
        if outputs + observations == 0 {
            return;
        }
        let planned = if outputs > 0 { outputs } else { observations } as u64;
        let bars = Bars {
            outputs: bar(outputs as u64, "outputs"),
            observations: (observations > 0).then(|| bar(observations as u64, "observed")),
            planned,
            said: Instant::now(),
        };
        if let Ok(mut slot) = self.bars.lock() {
            *slot = Some(bars);
        }
    }

    fn step(&self, observed: bool) {
        let Ok(mut slot) = self.bars.lock() else {
            return;
        };
        let Some(bars) = slot.as_mut() else { return };
        match (&bars.observations, observed) {
            (Some(bar), true) => bar.inc(1),
            _ => bars.outputs.inc(1),
        }
        if BARS.is_hidden() && bars.said.elapsed() > LINE_EVERY {
            bars.said = Instant::now();
            let seen = bars.observations.as_ref().map_or(0, ProgressBar::position);
            let observed = if bars.observations.is_some() {
                format!(", {seen} observed")
            } else {
                String::new()
            };
            let made = bars.outputs.position();
            eprintln!(
                "{}: {made} of {} outputs{observed}, {} left",
                self.label,
                bars.planned,
                in_words(bars.outputs.eta())
            );
        }
    }
}

impl Listener for RunProgress {
    fn on(&self, event: Event) {
        match event {
            Event::Failed {
                item,
                repeat,
                stage,
                message,
            } => {
                let count = self.failures.fetch_add(1, Ordering::Relaxed);
                if count < FAILURES_SHOWN {
                    say(format!(
                        "{}: {stage} failed for item {item}, repeat {repeat}: {message}",
                        self.label
                    ));
                } else if count == FAILURES_SHOWN {
                    say(format!(
                        "{}: the other failures are only in the journals",
                        self.label
                    ));
                }
            }
            Event::Note(note) => say(format!("{}: {note}", self.label)),
            _ if self.quiet => {}
            Event::Planned {
                outputs,
                done,
                observations,
            } => self.show_plan(outputs, done, observations),
            Event::Generated { .. } => self.step(false),
            Event::Observed { .. } => self.step(true),
            Event::Finished => {
                if let Some(bars) = self.bars.lock().ok().and_then(|mut slot| slot.take()) {
                    bars.outputs.finish_and_clear();
                    if let Some(bar) = bars.observations {
                        bar.finish_and_clear();
                    }
                }
            }
        }
    }
}

/// Shows the progress of a training.
pub(super) struct TrainProgress {
    quiet: bool,
    label: String,
    steps: u64,
    bar: ProgressBar,
    said: Mutex<Instant>,
    /// The time at which this process began, and the step after which it began.
    began: Mutex<(Instant, u64)>,
}

impl TrainProgress {
    /// `label` is the name of the training, and `steps` the number of all its steps.
    pub(super) fn new(quiet: bool, label: &str, steps: u64) -> Self {
        Self {
            quiet,
            label: label.to_owned(),
            steps,
            bar: if quiet {
                ProgressBar::hidden()
            } else {
                bar(steps, label)
            },
            said: Mutex::new(Instant::now()),
            began: Mutex::new((Instant::now(), 0)),
        }
    }

    /// An estimate of the time for the other steps, from the speed of this process.
    fn left(&self, step: u64) -> Duration {
        let (since, first) = self
            .began
            .lock()
            .map_or((Instant::now(), 0), |began| *began);
        let done = step.saturating_sub(first).max(1) as f64;
        since
            .elapsed()
            .mul_f64(self.steps.saturating_sub(step) as f64 / done)
    }

    /// Shows an event.
    pub(super) fn on(&self, event: &TrainEvent<'_>) {
        match event {
            TrainEvent::Resumed { step } => {
                self.bar.set_position(*step);
                self.bar.reset_eta();
                if let Ok(mut began) = self.began.lock() {
                    *began = (Instant::now(), *step);
                }
                self.say_line(format!("continuing after step {step}"));
            }
            TrainEvent::Step { step, numbers } => {
                self.bar.set_position(*step);
                self.bar.set_message(numbers_line(numbers));
                let Ok(mut said) = self.said.lock() else {
                    return;
                };
                if BARS.is_hidden() && said.elapsed() > LINE_EVERY {
                    *said = Instant::now();
                    let left = self.left(*step);
                    let shown = numbers_line(numbers);
                    self.say_line(format!(
                        "step {step} of {}, {shown}, {} left",
                        self.steps,
                        in_words(left)
                    ));
                }
            }
            TrainEvent::Checked { step, numbers } => {
                self.say_line(format!(
                    "checked after step {step}: {}",
                    numbers_line(numbers)
                ));
            }
        }
    }

    fn say_line(&self, line: String) {
        if !self.quiet {
            say(format!("{}: {line}", self.label));
        }
    }

    /// Removes the bar.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn numbers_line(numbers: &[(String, f64)]) -> String {
    let each = numbers.iter().take(4);
    let each = each.map(|(name, value)| format!("{name} {value:.4}"));
    each.collect::<Vec<_>>().join(", ")
}
