//! A study's numbers in long format: a line a level and number, unrounded.

use super::Study;
use super::section::{LevelRow, Section};
use crate::compare::Difference;

const HEADER: [&str; 22] = [
    "study",
    "suite",
    "suite_version",
    "level",
    "control",
    "by",
    "key",
    "runs",
    "items",
    "value",
    "low",
    "high",
    "sd",
    "difference",
    "difference_low",
    "difference_high",
    "p",
    "p_holm",
    "effect",
    "cost",
    "expected",
    "scored",
];

/// RFC 4180, with CRLF as the other tables have it.
pub fn csv(study: &Study) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    let lines = std::iter::once(HEADER.map(str::to_owned).to_vec());
    let sections = study.sections.iter();
    for line in lines.chain(sections.flat_map(|section| section_lines(study, section))) {
        // Writing into memory fails only where the length of lines differs, and theirs does not.
        let _ = writer.write_record(&line);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn section_lines(study: &Study, section: &Section) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for (at, level) in section.levels.iter().enumerate() {
        let metric = section.metric.to_string();
        let bounds = [level.value, level.low, level.high, level.deviation];
        let difference = level.difference.as_ref();
        lines.push(line(
            study,
            section,
            at,
            ["", &metric],
            level.n,
            bounds,
            difference,
        ));
        for grouped in &section.groups {
            let cells = grouped.cells.get(at).into_iter().flatten();
            for (key, cell) in grouped.keys.iter().zip(cells) {
                let bounds = [cell.value, cell.low, cell.high, None];
                let difference = cell.difference.as_ref();
                lines.push(line(
                    study,
                    section,
                    at,
                    [&grouped.by, key],
                    cell.n,
                    bounds,
                    difference,
                ));
            }
        }
    }
    lines
}

fn line(
    study: &Study,
    section: &Section,
    at: usize,
    [by, key]: [&str; 2],
    items: usize,
    bounds: [Option<f64>; 4],
    difference: Option<&Difference>,
) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let level: Option<&LevelRow> = section.levels.get(at);
    let mut cells = vec![
        study.name.clone(),
        section.suite.clone(),
        section.version.clone(),
        level.map_or(String::new(), |level| level.title.clone()),
        (at == section.control).to_string(),
        by.to_owned(),
        key.to_owned(),
        level.map_or(0, |level| level.runs.len()).to_string(),
        items.to_string(),
    ];
    cells.extend(bounds.map(number));
    cells.extend(
        [
            difference.map(|d| d.difference),
            difference.and_then(|d| d.low),
            difference.and_then(|d| d.high),
            difference.map(|d| d.p),
            difference.and_then(|d| d.p_holm),
            difference.and_then(|d| d.effect),
            level.and_then(|level| level.cost),
        ]
        .map(number),
    );
    cells.push(level.map_or(0, |level| level.expected).to_string());
    cells.push(level.map_or(0, |level| level.scored).to_string());
    cells
}
