//! How far the judges of several runs agree on the same outputs.

use super::{SessionError, TitledSummary};
use crate::record::{Grade, Output};
use crate::run::{Records, RunFolder, read_all};
use crate::stats::agreement::{Agreement, Pair};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Scores of a run by item and repeat, with the checksum of what was judged.
type Scores = HashMap<(String, u32), (String, f64)>;

/// Adds a note on the agreement of the judges to each two runs of one suite that share outputs, byte for
/// byte. `runs` are the folders of the summaries.
///
/// # Errors
/// Fails if a run's records are damaged.
pub fn note_agreement(
    runs: &[PathBuf],
    summaries: &mut [TitledSummary],
) -> Result<(), SessionError> {
    let judged = |titled: &&TitledSummary| !titled.summary.judges.is_empty();
    if summaries.iter().filter(judged).count() < 2 {
        return Ok(());
    }
    let mut scores = Vec::new();
    for (run, titled) in runs.iter().zip(&*summaries) {
        scores.push(if judged(&titled) {
            run_scores(run)?
        } else {
            Scores::new()
        });
    }
    let suite =
        |run: &TitledSummary| (run.summary.suite.clone(), run.summary.suite_version.clone());
    let runs: Vec<(&TitledSummary, &Scores)> = summaries.iter().zip(&scores).collect();
    let mut notes = Vec::new();
    for (second, (b, scores_b)) in runs.iter().enumerate() {
        let before = runs.iter().enumerate().take(second);
        for (first, (a, scores_a)) in before.filter(|(_, (a, _))| suite(a) == suite(b)) {
            let note = sentence(
                a,
                b,
                Agreement::from_pairs(&shared_scores(scores_a, scores_b)),
            );
            notes.extend(note.map(|note| ([first, second], note)));
        }
    }
    for (both, note) in notes {
        for run in both {
            summaries[run].summary.notes.push(note.clone());
        }
    }
    Ok(())
}

/// The scores of a run whose outputs have a checksum.
fn run_scores(run: &Path) -> Result<Scores, SessionError> {
    let folder = RunFolder::existing(run)?;
    let outputs = Records::of_run(&folder, None)?.outputs.unwrap_or_default();
    let key = |output: &Output| (output.item.clone(), output.repeat);
    let outputs = outputs
        .iter()
        .filter_map(|output| Some((key(output), output.sha256.clone()?)));
    let mut made: HashMap<(String, u32), String> = outputs.collect();
    let grades: Vec<Grade> = read_all(&folder.grades())?;
    let scored = grades.into_iter().filter_map(|grade| {
        let key = (grade.item, grade.repeat);
        let sha256 = made.remove(&key)?;
        Some((key, (sha256, grade.score?)))
    });
    Ok(scored.collect())
}

/// The scores of the outputs that two runs share.
fn shared_scores(a: &Scores, b: &Scores) -> Vec<Pair> {
    let same = |(key, (sha256, score)): (&(String, u32), &(String, f64))| {
        let (other, second) = b.get(key)?;
        (sha256 == other).then_some((*score, *second))
    };
    let mut pairs: Vec<Pair> = a.iter().filter_map(same).collect();
    // No measure depends on the order, but the last digits of sums do.
    pairs.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.total_cmp(&y.1)));
    pairs
}

/// The agreement in a sentence. `None` if the runs share fewer than two scored outputs.
fn sentence(a: &TitledSummary, b: &TitledSummary, agreement: Agreement) -> Option<String> {
    let name = |titled: &TitledSummary| format!("{} ({})", titled.model_title, titled.summary.run);
    let number =
        |value: Option<f64>| value.map_or("undefined".to_owned(), |value| format!("{value:.3}"));
    (agreement.n > 1).then(|| {
        format!(
            "Agreement of the judges of {} and {} on {} outputs that both have scored: Krippendorff's alpha {} (interval) \
             and {} (ordinal), Spearman's rho {}, Kendall's tau-b {}.",
            name(a),
            name(b),
            agreement.n,
            number(agreement.alpha_interval),
            number(agreement.alpha_ordinal),
            number(agreement.spearman),
            number(agreement.kendall)
        )
    })
}
