//! Who holds a lock: what its file says.

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// `process 1660 of job 12_3 on HOST since 2026-01-01 00:00:00 UTC`. Empty if nothing is known.
    text: String,
    /// The time since it last wrote into the file.
    silent: Option<Duration>,
}

impl Holder {
    /// This process.
    pub(crate) fn this() -> Self {
        let job = job().map(|job| format!(" of job {job}"));
        let text = format!(
            "process {}{} on {} since {}",
            std::process::id(),
            job.unwrap_or_default(),
            host_name(),
            jiff::Timestamp::now().strftime("%F %T UTC")
        );
        Self { text, silent: None }
    }

    /// Somebody who is described by these words elsewhere, and was seen so long ago.
    pub(crate) fn of(words: String, silent: Option<Duration>) -> Self {
        Self {
            text: words,
            silent,
        }
    }

    /// The process, its machine and since when, in words that stay the same.
    pub(crate) fn words(&self) -> &str {
        &self.text
    }

    /// What a file says. A file that cannot be read does not name the process.
    pub(super) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let modified = std::fs::metadata(path).and_then(|about| about.modified());
        let silent = modified.ok().map(|modified| {
            let now = SystemTime::now();
            // The clock of the file system may be a little ahead.
            now.duration_since(modified).unwrap_or_default()
        });
        Self {
            text: text.trim().to_owned(),
            silent,
        }
    }

    /// The line of the file.
    pub(super) fn to_line(&self) -> String {
        format!("{}\n", self.text)
    }

    /// Whether the file is this holder's own.
    pub(super) fn is_named_in(&self, line: &str) -> bool {
        self.text == line.trim()
    }

    /// The machine.
    pub fn host(&self) -> Option<&str> {
        let (before, _) = self.text.split_once(" since ")?;
        let (_, host) = before.rsplit_once(" on ")?;
        Some(host)
    }

    /// The number of the process.
    pub(super) fn process(&self) -> Option<i32> {
        let rest = self.text.strip_prefix("process ")?;
        rest.split_whitespace().next()?.parse().ok()
    }

    /// The time since its last sign of life.
    pub fn silent(&self) -> Option<Duration> {
        self.silent
    }

    /// Whether it is on another machine and gave no sign of life for so long. On this machine, the kernel
    /// knows which processes live.
    pub(super) fn is_dead(&self, silence: Duration) -> bool {
        self.host().is_some_and(|host| host != host_name())
            && self.silent.is_some_and(|silent| silent >= silence)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() {
            return f.write_str("an unknown process");
        }
        f.write_str(&self.text)?;
        let since = self.text.rsplit_once(" since ").map(|(_, since)| since);
        if let Some(age) = since.and_then(age) {
            write!(f, " ({} ago)", in_words(age))?;
        }
        if let Some(silent) = self.silent {
            write!(f, ", last seen {} ago", in_words(silent))?;
        }
        Ok(())
    }
}

/// The time since a moment as the file writes it.
fn age(since: &str) -> Option<Duration> {
    let moment = jiff::civil::DateTime::strptime("%F %T UTC", since).ok()?;
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    let seconds = jiff::Timestamp::now().as_second() - moment.as_second();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// A time in words, in the unit that fits: `12 min`.
pub fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The job of a scheduler that this process belongs to. `None` outside of a job.
pub fn job() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (
        variable("SLURM_ARRAY_JOB_ID"),
        variable("SLURM_ARRAY_TASK_ID"),
    ) {
        (Some(job), Some(task)) => Some(format!("{job}_{task}")),
        _ => variable("SLURM_JOB_ID").or_else(|| variable("PBS_JOBID")),
    }
}

/// The name of this machine.
pub fn host_name() -> String {
    #[cfg(unix)]
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok();
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "a machine without a name".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_process_are_read_from_the_words() {
        let holder = Holder {
            text: "process 12 of job 3_4 on node on fire since 2026-01-01 00:00:00 UTC".into(),
            silent: Some(Duration::from_secs(400)),
        };
        assert_eq!(holder.process(), Some(12));
        assert_eq!(holder.host(), Some("fire"));
        assert!(holder.is_dead(Duration::from_secs(300)));
        assert!(!holder.is_dead(Duration::from_secs(500)));
        let words = holder.to_string();
        assert!(words.ends_with("last seen 6 min ago"), "{words}");
        let this = Holder::this();
        assert_eq!(this.host(), Some(host_name().as_str()));
        assert_eq!(age("yesterday"), None);
    }
}
