//! Rows that were graded by other judges or with other prompts: their numbers cannot be compared.

use super::table::{Row, Table};
use crate::record::judged::{
    are_several_judges, is_marked, judge_names, judges_differ, unasked_judges,
};
use crate::table::marks::JUDGED_APART;

/// Marks the rows that are not judged as the table's first judged row is, and says so in a note.
pub(super) fn mark(table: &mut Table) {
    table
        .notes
        .retain(|note| !note.starts_with(JUDGED_APART.sign));
    let Some(first) = table.rows.iter().position(|row| !row.judges.is_empty()) else {
        return;
    };
    let (label, judges) = (
        table.rows[first].label.clone(),
        table.rows[first].judges.clone(),
    );
    let mut others: Vec<(String, Vec<String>)> = Vec::new();
    for row in &mut table.rows {
        row.judged_apart = judges_differ(&judges, &row.judges);
        if row.judged_apart {
            let who = judge_names(&row.judges);
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
            "{JUDGED_APART} not judged as {label} is ({}), so the numbers cannot be compared: {}.",
            judge_names(&judges),
            others.join("; ")
        ));
    }
    let mixed = table
        .rows
        .iter()
        .filter(|row| are_several_judges(&row.judges));
    let mixed: Vec<String> = mixed.map(mixture).collect();
    table.notes.extend(mixed);
    for row in &mut table.rows {
        if is_marked(&row.judges) {
            row.judged_apart = true;
            for why in unasked_judges(&row.judges) {
                table
                    .notes
                    .push(format!("{JUDGED_APART} {}: {why}.", row.label));
            }
        }
    }
}

fn mixture(row: &Row) -> String {
    format!(
        "{JUDGED_APART} {} mixes the scores of several judges: {}.",
        row.label,
        judge_names(&row.judges)
    )
}
