//! A study's numbers in long format: one record for each level and number, unrounded.

use super::Study;
use super::section::{LevelRow, Section};
use crate::compare::Difference;
use crate::table::Records;

/// One number of a level.
struct Line<'a> {
    section: &'a Section,
    level: &'a LevelRow,
    is_control: bool,
    /// The tag of the group. Empty for the primary number.
    by: &'a str,
    /// The group, or the name of the primary number.
    key: String,
    items: usize,
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    deviation: Option<f64>,
    difference: Option<&'a Difference>,
}

/// The records of all sections.
pub(super) fn records(study: &Study) -> Records<'_> {
    let lines: Vec<Line<'_>> = study.sections.iter().flat_map(lines).collect();
    // Numbers are written as text: this table has always had them without an exponent, and whole numbers
    // without a point.
    let digits = |number: Option<f64>| number.map(|number| number.to_string());
    let of_difference = |line: &Line<'_>, get: fn(&Difference) -> Option<f64>| {
        digits(line.difference.and_then(get))
    };
    Records::rows(&lines)
        .filled("study", |_| study.name.as_str())
        .filled("suite", |line| line.section.suite.as_str())
        .filled("suite_version", |line| line.section.version.as_str())
        .filled("level", |line| line.level.title.as_str())
        .truth("control", |line| Some(line.is_control))
        .filled("by", |line| line.by)
        .filled("key", |line| line.key.clone())
        .count("runs", |line| Some(line.level.runs.len()))
        .count("items", |line| Some(line.items))
        .text("value", |line| digits(line.value))
        .text("low", |line| digits(line.low))
        .text("high", |line| digits(line.high))
        .text("sd", |line| digits(line.deviation))
        .text("difference", |line| {
            of_difference(line, |found| Some(found.difference))
        })
        .text("difference_low", |line| {
            of_difference(line, |found| found.low)
        })
        .text("difference_high", |line| {
            of_difference(line, |found| found.high)
        })
        .text("p", |line| of_difference(line, |found| Some(found.p)))
        .text("p_holm", |line| of_difference(line, |found| found.p_holm))
        .text("effect", |line| of_difference(line, |found| found.effect))
        .text("cost", |line| digits(line.level.cost))
        .count("expected", |line| Some(line.level.expected))
        .count("scored", |line| Some(line.level.scored))
        .build()
}

fn lines(section: &Section) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for (at, level) in section.levels.iter().enumerate() {
        let is_control = at == section.control;
        lines.push(Line {
            section,
            level,
            is_control,
            by: "",
            key: section.metric.to_string(),
            items: level.n,
            value: level.value,
            low: level.low,
            high: level.high,
            deviation: level.deviation,
            difference: level.difference.as_ref(),
        });
        for grouped in &section.groups {
            let cells = grouped.cells.get(at).into_iter().flatten();
            let cells = grouped.keys.iter().zip(cells);
            lines.extend(cells.map(|(key, cell)| Line {
                section,
                level,
                is_control,
                by: &grouped.by,
                key: key.clone(),
                items: cell.n,
                value: cell.value,
                low: cell.low,
                high: cell.high,
                deviation: None,
                difference: cell.difference.as_ref(),
            }));
        }
    }
    lines
}
