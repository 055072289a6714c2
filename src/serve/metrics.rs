//! Numbers for Prometheus, in its text format 0.0.4. Values of labels come from the configuration alone.

use super::app::App;
use crate::grade::reward::Scored;
use crate::reward::OpenReward;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const SECONDS: &[f64] = &[
    0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
const REWARDS: &[f64] = &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// The name of rewards that requests define.
const INLINE: &str = "inline";

/// What happened since the start.
#[derive(Default)]
pub(super) struct Metrics(Mutex<Numbers>);

#[derive(Default)]
struct Numbers {
    /// By name, then by labels as they are written.
    counters: BTreeMap<&'static str, BTreeMap<String, u64>>,
    histograms: BTreeMap<&'static str, BTreeMap<String, Histogram>>,
}

struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    all: u64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len()],
            sum: 0.0,
            all: 0,
        }
    }

    fn add(&mut self, value: f64) {
        let above = self.bounds.iter().zip(&mut self.counts);
        for (_, count) in above.filter(|(bound, _)| value <= **bound) {
            *count += 1;
        }
        self.sum += value;
        self.all += 1;
    }
}

impl Numbers {
    fn count(&mut self, name: &'static str, labels: String) {
        *self
            .counters
            .entry(name)
            .or_default()
            .entry(labels)
            .or_default() += 1;
    }

    fn measure(&mut self, name: &'static str, bounds: &'static [f64], labels: String, value: f64) {
        let series = self.histograms.entry(name).or_default();
        let histogram = series
            .entry(labels)
            .or_insert_with(|| Histogram::new(bounds));
        histogram.add(value);
    }
}

impl Metrics {
    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request was answered with a status, or its client hung up.
    pub(super) fn answered(&self, route: &str, status: &str, took: Duration) {
        let mut numbers = self.lock();
        let labels = format!("{{route=\"{route}\",status=\"{status}\"}}");
        numbers.count("unigauge_requests_total", labels);
        let labels = format!("{{route=\"{route}\"}}");
        numbers.measure(
            "unigauge_request_seconds",
            SECONDS,
            labels,
            took.as_secs_f64(),
        );
    }

    /// An observer looked at some outputs together.
    pub(super) fn looked(&self, observer: &str, outputs: usize, took: Duration) {
        let mut numbers = self.lock();
        let labels = format!("{{observer=\"{}\"}}", escaped(observer));
        let seconds = took.as_secs_f64();
        numbers.measure("unigauge_look_seconds", SECONDS, labels.clone(), seconds);
        numbers.measure("unigauge_batch_size", SIZES, labels, outputs as f64);
    }

    /// An output was scored; `known` says whether the reward is the server's own.
    pub(super) fn scored(&self, reward: &OpenReward, known: bool, scored: &Scored) {
        let name = if known {
            escaped(reward.name())
        } else {
            INLINE.to_owned()
        };
        let mut numbers = self.lock();
        let outcome = if scored.reward.is_some() {
            "ok"
        } else {
            "missing"
        };
        let mut count = |outcome: &str| {
            let labels = format!("{{reward=\"{name}\",outcome=\"{outcome}\"}}");
            numbers.count("unigauge_rewards_total", labels);
        };
        count(outcome);
        for _ in &scored.not_applicable {
            count("not_applicable");
        }
        if let Some(value) = scored.reward {
            let labels = format!("{{reward=\"{name}\"}}");
            numbers.measure("unigauge_reward", REWARDS, labels, value);
        }
        for (component, fault) in &scored.errors {
            let component = if known {
                escaped(component)
            } else {
                INLINE.to_owned()
            };
            let kind = fault.kind.name();
            let labels = format!("{{reward=\"{name}\",component=\"{component}\",kind=\"{kind}\"}}");
            numbers.count("unigauge_errors_total", labels);
        }
    }

    /// Everything, as Prometheus reads it.
    pub(super) fn text(&self, app: &App) -> String {
        let mut text = String::new();
        // Writing into a string never fails.
        let _ = self.write(&mut text, app);
        text
    }

    fn write(&self, text: &mut String, app: &App) -> std::fmt::Result {
        let numbers = self.lock();
        for (name, series) in &numbers.counters {
            writeln!(text, "# TYPE {name} counter")?;
            for (labels, count) in series {
                writeln!(text, "{name}{labels} {count}")?;
            }
        }
        for (name, series) in &numbers.histograms {
            writeln!(text, "# TYPE {name} histogram")?;
            for (labels, histogram) in series {
                write_histogram(text, name, labels, histogram)?;
            }
        }
        drop(numbers);
        writeln!(text, "# TYPE unigauge_queue gauge")?;
        let waiting = app
            .opened()
            .into_iter()
            .flat_map(|ready| ready.looks.waiting());
        let mut queues: BTreeMap<&str, usize> = BTreeMap::new();
        for (observer, looks) in waiting {
            *queues.entry(observer).or_default() += looks;
        }
        for (observer, looks) in queues {
            writeln!(
                text,
                "unigauge_queue{{observer=\"{}\"}} {looks}",
                escaped(observer)
            )?;
        }
        let bytes = app.room.decoded_bytes();
        writeln!(
            text,
            "# TYPE unigauge_decoded_bytes gauge\nunigauge_decoded_bytes {bytes}"
        )?;
        let (version, commit) = (env!("CARGO_PKG_VERSION"), env!("UNIGAUGE_COMMIT"));
        writeln!(text, "# TYPE unigauge_build_info gauge")?;
        writeln!(
            text,
            "unigauge_build_info{{version=\"{version}\",commit=\"{commit}\"}} 1"
        )
    }
}

fn write_histogram(
    text: &mut String,
    name: &str,
    labels: &str,
    of: &Histogram,
) -> std::fmt::Result {
    let inner = labels.trim_end_matches('}');
    for (bound, count) in of.bounds.iter().zip(&of.counts) {
        writeln!(text, "{name}_bucket{inner},le=\"{bound}\"}} {count}")?;
    }
    writeln!(text, "{name}_bucket{inner},le=\"+Inf\"}} {}", of.all)?;
    writeln!(text, "{name}_sum{labels} {}", of.sum)?;
    writeln!(text, "{name}_count{labels} {}", of.all)
}

/// A label's value between quotes.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_what_is_not_above_each_bound() {
        let mut histogram = Histogram::new(&[0.5, 1.0]);
        for value in [0.25, 0.5, 1.0, 2.0] {
            histogram.add(value);
        }
        let mut text = String::new();
        write_histogram(&mut text, "h", "{a=\"b\"}", &histogram).unwrap();
        let expected = "h_bucket{a=\"b\",le=\"0.5\"} 2\nh_bucket{a=\"b\",le=\"1\"} 3\n\
                        h_bucket{a=\"b\",le=\"+Inf\"} 4\nh_sum{a=\"b\"} 3.75\nh_count{a=\"b\"} 4\n";
        assert_eq!(text, expected);
    }
}
