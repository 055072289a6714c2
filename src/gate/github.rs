//! What GitHub Actions shows of a verdict: the summary of the step, and annotations.

use super::verdict::{Ruled, Status, Verdict};
use crate::config::Tier;
use std::io::Write;
use std::path::{Path, PathBuf};

/// GitHub drops the summary of a step if its file is larger, in bytes.
const SUMMARY_LIMIT: usize = 1 << 20;
/// GitHub shows at most this number of annotations of one kind in a step.
const ANNOTATIONS: usize = 10;

/// Whether GitHub Actions runs this process.
pub fn is_running() -> bool {
    std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true")
}

/// The file that takes the summary of the step. `None` outside of GitHub Actions.
pub fn summary_file() -> Option<PathBuf> {
    let path = std::env::var_os("GITHUB_STEP_SUMMARY")?;
    (!path.is_empty()).then(|| PathBuf::from(path))
}

/// Appends to the summary of the step. If the file has no room for the whole text, the text is cut after a
/// line, and a sentence names the file with the rest.
///
/// # Errors
/// Fails if the file cannot be read or written.
pub fn append_summary(path: &Path, markdown: &str) -> std::io::Result<()> {
    let there = std::fs::metadata(path).map_or(0, |data| data.len() as usize);
    let text = fitted(markdown, SUMMARY_LIMIT.saturating_sub(there));
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// The text, or its first lines with a pointer to the rest, in at most `room` bytes.
fn fitted(text: &str, room: usize) -> String {
    const POINTER: &str = "\n… cut, since the summary of the step is full. The file summary.md of the gate has the whole text.\n";
    if text.len() <= room {
        return text.to_owned();
    }
    let Some(left) = room.checked_sub(POINTER.len()) else {
        return String::new();
    };
    let end = text[..text.floor_char_boundary(left)]
        .rfind('\n')
        .map_or(0, |at| at + 1);
    format!("{}{POINTER}", &text[..end])
}

/// Workflow commands, one on each line: an error for each breach, a warning for each inconclusive rule, and a
/// notice for each advisory rule.
pub fn annotations(verdict: &Verdict) -> Vec<String> {
    let mut counts = [0; 3];
    let mut lines = Vec::new();
    for rule in verdict
        .rules
        .iter()
        .filter(|rule| rule.status != Status::Pass)
    {
        let (kind, place) = match (rule.tier, rule.status) {
            (Tier::Advisory, _) => ("notice", 0),
            (_, Status::Breach) => ("error", 1),
            _ => ("warning", 2),
        };
        counts[place] += 1;
        if counts[place] <= ANNOTATIONS {
            lines.push(annotation(kind, rule));
        }
    }
    lines
}

fn annotation(kind: &str, rule: &Ruled) -> String {
    let title = format!("{}: {} of {}", rule.status.word(), rule.metric, rule.suite);
    let [n, before, now, drop, allowed, p, _] = super::grid::numbers(rule);
    let message = format!(
        "{} ({}): {before} → {now} on {n} items, drop {drop}, allowed {allowed}, p {p}. {}",
        rule.model, rule.run, rule.reason
    );
    format!("::{kind} title={}::{}", property(&title), data(&message))
}

/// Escapes the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_cut_at_a_line_and_says_so() {
        let text = "first line\n".repeat(100);
        assert_eq!(fitted(&text, 2000), text);
        let cut = fitted(&text, 500);
        assert!(cut.len() <= 500 && cut.starts_with("first line\n"));
        assert!(
            cut.contains("line\n\n… cut") && cut.ends_with("whole text.\n"),
            "{cut}"
        );
        assert_eq!(fitted(&text, 20), "");
    }
}
