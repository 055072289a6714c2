//! Rows that other judges, or other prompts, stand behind: their numbers do not compare.

use super::Table;
use super::table::{JUDGED_APART, Row};
use crate::record::JudgedBy;

/// Marks the rows that are not judged as the table's first judged row is, and says so in a note.
pub fn mark(table: &mut Table) {
    table.notes.retain(|note| !note.starts_with(JUDGED_APART));
    let Some(first) = table.rows.iter().position(|row| !row.judges.is_empty()) else {
        return;
    };
    let (label, judges) = (
        table.rows[first].label.clone(),
        table.rows[first].judges.clone(),
    );
    let mut others: Vec<(String, Vec<String>)> = Vec::new();
    for row in &mut table.rows {
        row.judged_apart = apart(&judges, &row.judges);
        if row.judged_apart {
            let who = told(&row.judges);
            match others.iter_mut().find(|(known, _)| *known == who) {
                Some((_, labels)) => labels.push(row.label.clone()),
                None => others.push((who, vec![row.label.clone()])),
            }
        }
    }
    if !others.is_empty() {
        let others: Vec<String> = others
            .into_iter()
            .map(|(who, labels)| format!("{who} judged {}", labels.join(", ")))
            .collect();
        table.notes.push(format!(
            "{JUDGED_APART} not judged as {label} is ({}), so the numbers do not compare: {}.",
            told(&judges),
            others.join("; ")
        ));
    }
    let mixed = table.rows.iter().filter(|row| row.judges.len() > 1);
    let mixed: Vec<String> = mixed.map(mixture).collect();
    table.notes.extend(mixed);
}

fn mixture(row: &Row) -> String {
    let who: Vec<String> = row.judges.iter().map(one).collect();
    format!(
        "{JUDGED_APART} {} mixes the scores of several judges: {}.",
        row.label,
        who.join(", ")
    )
}

/// True when a row has judges and they are not the same. Prompts differ only where both sides say which they were.
pub(super) fn apart(judges: &[JudgedBy], others: &[JudgedBy]) -> bool {
    let differ = |a: &String, b: &String| !a.is_empty() && !b.is_empty() && a != b;
    let same = |a: &JudgedBy, b: &JudgedBy| {
        a.judge.eq_ignore_ascii_case(&b.judge)
            && !differ(&a.prompts, &b.prompts)
            && !differ(&a.sha256, &b.sha256)
    };
    let all_same =
        judges.len() == others.len() && judges.iter().zip(others).all(|(a, b)| same(a, b));
    !others.is_empty() && !all_same
}

pub(super) fn told(judges: &[JudgedBy]) -> String {
    let judges: Vec<String> = judges.iter().map(one).collect();
    judges.join(", ")
}

fn one(judge: &JudgedBy) -> String {
    let name = match judge.judge.as_str() {
        "" => "a judge without a name",
        name => name,
    };
    let short = judge.sha256.get(..8).unwrap_or_default();
    let prompts = format!("{} {short}", judge.prompts);
    match prompts.trim() {
        "" => name.to_owned(),
        prompts => format!("{name} with prompts {prompts}"),
    }
}
