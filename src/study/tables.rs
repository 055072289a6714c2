//! What a section's tables say, and the same numbers as charts take them.

use super::grid::{Grid, Line, Printed};
use super::section::{Grouped, LevelRow, Section};
use super::{Study, long};
use crate::compare::{Difference, Numbers, counts, p};
use crate::config::Metric;
use crate::report::export::latex_label;
use crate::report::table::{Cell, PARTIAL, Rank, Row, Table, Unit};

/// The level at which a difference is marked, Holm's correction applied.
pub const LEVEL: f64 = 0.05;

/// Whether a difference is beyond chance.
pub fn sure(difference: &Difference) -> bool {
    difference.p_holm.is_some_and(|p| p <= LEVEL)
}

impl Section {
    /// How scores are printed: the same way in all tables and charts.
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
            caption: self.caption("levels beside the control"),
            heads,
            rows: rows.collect(),
            notes: self.main_notes(several),
            label: latex_label(&format!("{}-{}", study.name, self.suite)),
        }
    }

    fn main_line(&self, level: &LevelRow, at: usize, several: bool, costs: bool) -> Line {
        let numbers = self.numbers();
        let none = || "–".to_owned();
        let mut cells = vec![
            Printed::plain(level.runs.len().to_string()),
            Printed::plain(level.n.to_string()),
            Printed {
                text: level.value.map_or(none(), |value| numbers.score(value)),
                small: bounds(numbers, level.low, level.high),
                rank: level.rank,
            },
        ];
        if several {
            let spread = level.deviation.map_or(none(), |sd| numbers.score(sd));
            cells.push(Printed::plain(spread));
        }
        match &level.difference {
            Some(d) => cells.extend([
                Printed {
                    text: numbers.signed(d.difference),
                    small: match (d.low, d.high) {
                        (Some(_), Some(_)) => numbers.interval(d),
                        _ => String::new(),
                    },
                    rank: Rank::Other,
                },
                Printed::plain(p(d.p)),
                Printed::plain(d.p_holm.map_or(none(), |holm| {
                    format!("{}{}", p(holm), if sure(d) { "*" } else { "" })
                })),
                Printed::plain(
                    d.effect
                        .map_or(none(), |d| format!("{d:+.2}").replace('-', "−")),
                ),
                Printed::plain(counts(d)),
            ]),
            None => cells.extend((0..5).map(|_| Printed::plain(none()))),
        }
        if costs {
            cells.push(Printed::plain(level.cost.map_or(none(), amount)));
        }
        Line {
            name: if at == self.control {
                format!("{} (control)", level.title)
            } else {
                level.title.clone()
            },
            mark: if level.partial() {
                PARTIAL.to_owned()
            } else {
                String::new()
            },
            apart: at == self.control,
            cells,
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
        let cell = |cell: &super::GroupCell| Printed {
            text: match (cell.value, &cell.difference) {
                (None, _) => "–".to_owned(),
                (Some(value), Some(d)) if sure(d) => format!("{}*", numbers.score(value)),
                (Some(value), _) => numbers.score(value),
            },
            small: match &cell.difference {
                Some(d) => format!("({})", numbers.signed(d.difference)),
                None => String::new(),
            },
            rank: cell.rank,
        };
        let line = |(at, level): (usize, &LevelRow)| Line {
            name: level.title.clone(),
            mark: if level.partial() {
                PARTIAL.to_owned()
            } else {
                String::new()
            },
            apart: at == self.control,
            cells: grouped
                .cells
                .get(at)
                .into_iter()
                .flatten()
                .map(cell)
                .collect(),
        };
        let counted = |(at, key): (usize, &String)| {
            let cells = grouped.cells.iter().filter_map(|row| row.get(at));
            format!("{key} ({})", cells.map(|cell| cell.n).max().unwrap_or(0))
        };
        let heads = grouped.keys.iter().enumerate().map(counted);
        Grid {
            caption: self.caption(&format!("by {} (items)", grouped.by)),
            heads: std::iter::once(study.factor.clone()).chain(heads).collect(),
            rows: self.levels.iter().enumerate().map(line).collect(),
            notes: vec![format!(
                "In brackets: difference to {}; * where p is at most {LEVEL} with Holm's correction over all levels and groups of \
                 {}.",
                self.control_title(),
                grouped.by
            )],
            label: latex_label(&format!("{}-{}-{}", study.name, self.suite, grouped.by)),
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

    /// Levels as rows, the primary number and the groups of a tag as columns, as bars and radar take them.
    pub(super) fn charted(&self, grouped: Option<&Grouped>) -> Table {
        let cell = |value, low, high, n| Cell {
            value,
            low,
            high,
            n,
            rank: Rank::Other,
            printed: None,
        };
        let row = |(at, level): (usize, &LevelRow)| {
            let cells = grouped.and_then(|grouped| grouped.cells.get(at));
            let groups = cells.into_iter().flatten();
            let groups = groups.map(|group| cell(group.value, group.low, group.high, group.n));
            let own = cell(level.value, level.low, level.high, level.n);
            Row {
                model: level.title.clone(),
                run: String::new(),
                label: level.title.clone(),
                expected: level.expected,
                scored: level.scored,
                failed: 0,
                unscored: 0,
                unscored_by: Default::default(),
                partial: level.partial(),
                judges: Vec::new(),
                judged_apart: false,
                published: false,
                inconsistent: false,
                impossible: false,
                cells: std::iter::once(own).chain(groups).collect(),
            }
        };
        let keys = grouped
            .into_iter()
            .flat_map(|grouped| grouped.keys.iter().cloned());
        Table {
            suite: self.suite.clone(),
            suite_title: self.title.clone(),
            suite_version: self.version.clone(),
            by: grouped.map(|grouped| grouped.by.clone()),
            columns: std::iter::once(self.metric.to_string())
                .chain(keys)
                .collect(),
            rows: self.levels.iter().enumerate().map(row).collect(),
            unit: if self.numbers().percent() {
                Unit::Percent
            } else {
                Unit::Decimal4
            },
            intervals: true,
            notes: Vec::new(),
            estimates: Vec::new(),
        }
    }
}

/// A cost with three digits.
pub fn amount(cost: f64) -> String {
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

impl Study {
    /// The tables of all sections in one file of a kind.
    pub(super) fn tables(&self) -> [(&'static str, String); 3] {
        let grids: Vec<Grid> = self.sections.iter().flat_map(|s| s.grids(self)).collect();
        let markdown: Vec<String> = grids.iter().map(Grid::markdown).collect();
        let latex: Vec<String> = grids.iter().map(Grid::latex).collect();
        [
            ("md", markdown.join("\n")),
            (
                "tex",
                format!("% needs \\usepackage{{booktabs}}\n{}", latex.concat()),
            ),
            ("csv", long::csv(self)),
        ]
    }

    /// The levels of every suite, for a window of this width.
    pub fn terminal(&self, width: Option<u16>) -> String {
        let sections = self.sections.iter();
        let grids = sections.map(|section| section.main_grid(self).terminal(width));
        grids.collect::<Vec<String>>().join("\n")
    }

    /// What the primary number is, for headings.
    pub(super) fn metric(&self) -> Metric {
        let first = self.sections.first();
        first.map_or(Metric::Overall, |section| section.metric.clone())
    }
}
