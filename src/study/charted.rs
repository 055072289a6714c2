//! The levels of a section as the rows of a results table, as charts take them.

use super::section::{Grouped, LevelRow, Section};
use crate::report::Unit;
use crate::report::table::{Cell, Row, Table};
use crate::table::Rank;

impl Section {
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
