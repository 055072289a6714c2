//! The content of the tables of a section.

use super::Study;
use super::section::{GroupCell, Grouped, LevelRow, Section};
use crate::compare::{Difference, Numbers, counts, or_dash, p};
use crate::config::Metric;
use crate::table::formats::terminal;
use crate::table::marks::PARTIAL;
use crate::table::{Cell, Column, Grid, Row, Style, Window};

/// Levels of a factor: the rows compete, and one of them is the control.
const LEVELS: Style = Style {
    class: "levels",
    ranked: true,
    legend: false,
    sortable: false,
};

/// The level at which a difference is marked, with Holm's correction.
pub(super) const LEVEL: f64 = 0.05;

/// Whether a difference is beyond chance.
pub(super) fn is_certain(difference: &Difference) -> bool {
    difference.p_holm.is_some_and(|p| p <= LEVEL)
}

impl Section {
    /// How scores are printed. It is the same in all tables and charts.
    pub(super) fn numbers(&self) -> Numbers {
        let groups = self.groups.iter().flat_map(|grouped| &grouped.cells);
        let in_groups = groups.flatten().filter_map(|cell| cell.value);
        let values = self.levels.iter().filter_map(|level| level.value);
        Numbers::spanning(values.chain(in_groups))
    }

    /// The control's name.
    pub(super) fn control_title(&self) -> &str {
        self.levels
            .get(self.control)
            .map_or("the control", |level| &level.title)
    }

    fn caption(&self, what: &str) -> String {
        let unit = self.numbers().unit();
        format!("{} (version {}), {what}{unit}", self.title, self.version)
    }

    /// Levels with value, spread over runs, difference, p, effect and cost.
    pub(super) fn main_grid(&self, study: &Study) -> Grid {
        let several = self.levels.iter().any(|level| level.runs.len() > 1);
        let costs = self.levels.iter().any(|level| level.cost.is_some());
        let mut heads = vec![study.factor.clone(), "runs".into(), "n".into()];
        heads.push(self.metric.to_string());
        heads.extend(several.then(|| "SD".to_owned()));
        heads.push(format!("Δ to {}", self.control_title()));
        heads.extend(["p", "Holm", "d", "won / tied / lost"].map(str::to_owned));
        heads.extend(study.cost.clone().filter(|_| costs));
        let rows = self.levels.iter().enumerate();
        let rows = rows.map(|(at, level)| self.main_line(level, at, several, costs));
        Grid {
            style: LEVELS,
            caption: self.caption("levels beside the control"),
            label: format!("{}-{}", study.name, self.suite),
            columns: Column::named(heads),
            rows: rows.collect(),
            notes: self.main_notes(several),
        }
    }

    fn main_line(&self, level: &LevelRow, at: usize, several: bool, costs: bool) -> Row {
        let numbers = self.numbers();
        let mut name = self.name(level);
        if at == self.control {
            name.text += " (control)";
        }
        let mut cells = vec![
            name,
            Cell::plain(level.runs.len().to_string()),
            Cell::plain(level.n.to_string()),
            Cell {
                small: bounds(numbers, level.low, level.high),
                rank: level.rank,
                ..Cell::plain(or_dash(level.value, |value| numbers.score(value)))
            },
        ];
        cells
            .extend(several.then(|| Cell::plain(or_dash(level.deviation, |sd| numbers.score(sd)))));
        match &level.difference {
            Some(found) => cells.extend(difference(found, numbers)),
            None => cells.extend((0..5).map(|_| Cell::plain("–"))),
        }
        cells.extend(costs.then(|| Cell::plain(or_dash(level.cost, amount))));
        Row {
            cells,
            apart: at == self.control,
        }
    }

    /// The name of a level, with a mark if something of it is missing.
    fn name(&self, level: &LevelRow) -> Cell {
        Cell {
            marks: level.partial().then_some(PARTIAL).into_iter().collect(),
            ..Cell::plain(&level.title)
        }
    }

    fn main_notes(&self, several: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if self.partial() {
            notes.push(format!("{PARTIAL} runs or outputs are missing."));
        }
        notes.extend(self.notes.iter().cloned());
        let mut how =
            "Values: all outputs of a level's runs, with 95 % intervals over items".to_owned();
        if several {
            how += ", the runs of an item together; SD: standard deviation of the runs' values";
        }
        notes.push(how + ".");
        let differences = self
            .levels
            .iter()
            .filter_map(|level| level.difference.as_ref());
        let mut tests: Vec<&str> = differences.map(|d| d.test.describe()).collect();
        tests.sort_unstable();
        tests.dedup();
        if !tests.is_empty() {
            notes.push(format!(
                "Δ: items paired, with 95 % intervals; p: {}; Holm: p corrected for all levels, * where at most {LEVEL}; d: mean \
                 over deviation of the items' differences.",
                tests.join(" or ")
            ));
        }
        notes
    }

    /// Levels by the groups of a tag.
    pub(super) fn group_grid(&self, study: &Study, grouped: &Grouped) -> Grid {
        let numbers = self.numbers();
        let line = |(at, level): (usize, &LevelRow)| {
            let cells = grouped.cells.get(at).into_iter().flatten();
            let cells = cells.map(|cell| group(cell, numbers));
            Row {
                cells: std::iter::once(self.name(level)).chain(cells).collect(),
                apart: at == self.control,
            }
        };
        let counted = |(at, key): (usize, &String)| {
            let cells = grouped.cells.iter().filter_map(|row| row.get(at));
            format!("{key} ({})", cells.map(|cell| cell.n).max().unwrap_or(0))
        };
        let heads = grouped.keys.iter().enumerate().map(counted);
        Grid {
            style: LEVELS,
            caption: self.caption(&format!("by {} (items)", grouped.by)),
            label: format!("{}-{}-{}", study.name, self.suite, grouped.by),
            columns: Column::named(std::iter::once(study.factor.clone()).chain(heads)),
            rows: self.levels.iter().enumerate().map(line).collect(),
            notes: vec![format!(
                "In brackets: difference to {}; * where p is at most {LEVEL} with Holm's correction over all levels and groups of \
                 {}.",
                self.control_title(),
                grouped.by
            )],
        }
    }

    /// All grids of the section.
    pub(super) fn grids(&self, study: &Study) -> Vec<Grid> {
        let groups = self
            .groups
            .iter()
            .map(|grouped| self.group_grid(study, grouped));
        std::iter::once(self.main_grid(study))
            .chain(groups)
            .collect()
    }
}

/// A cost with three digits.
pub(super) fn amount(cost: f64) -> String {
    match cost {
        0.0 => "0".to_owned(),
        100.0.. => format!("{cost:.0}"),
        10.0.. => format!("{cost:.1}"),
        0.01.. => format!("{cost:.2}"),
        _ => format!("{cost:.1e}"),
    }
}

fn bounds(numbers: Numbers, low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("[{}, {}]", numbers.score(low), numbers.score(high)),
        _ => String::new(),
    }
}

/// Difference, p, p with Holm's correction, effect, and items won, tied and lost.
fn difference(found: &Difference, numbers: Numbers) -> [Cell; 5] {
    let sign = if is_certain(found) { "*" } else { "" };
    let bounded = found.low.is_some() && found.high.is_some();
    [
        Cell {
            small: if bounded {
                numbers.interval(found)
            } else {
                String::new()
            },
            ..Cell::plain(numbers.signed(found.difference))
        },
        Cell::plain(p(found.p)),
        Cell::plain(or_dash(found.p_holm, |holm| format!("{}{sign}", p(holm)))),
        Cell::plain(or_dash(found.effect, |d| {
            format!("{d:+.2}").replace('-', "−")
        })),
        Cell::plain(counts(found)),
    ]
}

/// A level's number in one group, with its difference to the control.
fn group(cell: &GroupCell, numbers: Numbers) -> Cell {
    let found = cell.difference.as_ref();
    let sign = if found.is_some_and(is_certain) {
        "*"
    } else {
        ""
    };
    Cell {
        small: found.map_or(String::new(), |found| {
            format!("({})", numbers.signed(found.difference))
        }),
        rank: cell.rank,
        ..Cell::plain(or_dash(cell.value, |value| {
            format!("{}{sign}", numbers.score(value))
        }))
    }
}

impl Study {
    /// The tables of all sections, for eyes.
    pub(super) fn grids(&self) -> Vec<Grid> {
        let sections = self.sections.iter();
        sections.flat_map(|section| section.grids(self)).collect()
    }

    /// The levels of every suite and the notes of the whole study, for a terminal.
    pub fn terminal(&self, window: Window) -> String {
        let sections = self.sections.iter();
        let shown =
            sections.map(|section| terminal::table(&section.main_grid(self), window.unstyled()));
        let tables = shown.collect::<Vec<String>>().join("\n");
        let notes = self.notes.iter().map(|note| format!("{note}\n"));
        std::iter::once(tables).chain(notes).collect()
    }

    /// What the primary number is, for headings.
    pub(super) fn metric(&self) -> Metric {
        let first = self.sections.first();
        first.map_or(Metric::Overall, |section| section.metric.clone())
    }
}
