//! A results table: rows are models × runs, columns the overall number and the groups of the suite's first
//! `by`.

use crate::record::{JudgedBy, Summary};
pub use crate::table::Rank;
use crate::table::marks::{IMPOSSIBLE, INCONSISTENT, JUDGED_APART, Mark, PARTIAL, PUBLISHED};
use serde::Serialize;
use std::collections::BTreeMap;

/// One run that goes into a table.
#[derive(Debug, Clone, Copy)]
pub struct TableInput<'a> {
    /// The numbers of the run.
    pub summary: &'a Summary,
    /// The title of the suite.
    pub suite_title: &'a str,
    /// The title of the model.
    pub model_title: &'a str,
}

/// How a value is printed. Files for machines (CSV, Parquet, JSON) always carry the unrounded number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// 0.8012 → `80.1`.
    Percent,
    /// 0.8012 → `0.8012`.
    Decimal4,
    /// As papers print the benchmark's numbers: each cell has its own text.
    Printed,
}

/// How tables are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableSettings {
    /// How values are printed. `None` prints percent where all values of a table are from 0 to 1, and four
    /// decimals otherwise.
    pub unit: Option<Unit>,
    /// Whether the 95 % interval is printed after each value.
    pub intervals: bool,
}

/// One number of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// The unrounded number. `None` if there is none.
    pub value: Option<f64>,
    /// The lower bound of the 95 % interval.
    pub low: Option<f64>,
    /// The upper bound of the 95 % interval.
    pub high: Option<f64>,
    /// How many items the number is of.
    pub n: usize,
    /// Its place in the column.
    pub rank: Rank,
    /// The number as papers print it, where the table is printed so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printed: Option<String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Name of the model.
    pub model: String,
    /// The name of the run; the source of a printed row.
    pub run: String,
    /// What is printed: the model's title, with the run's name where a model has several rows.
    pub label: String,
    /// Outputs.
    pub expected: usize,
    /// Outputs with a score.
    pub scored: usize,
    /// Outputs that the model did not make.
    pub failed: usize,
    /// Outputs that could not be graded.
    pub unscored: usize,
    /// How many outputs are unscored, by state.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unscored_by: BTreeMap<String, usize>,
    /// Whether outputs are missing, failed or unscored.
    pub partial: bool,
    /// The judges, where judges graded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<JudgedBy>,
    /// Whether other judges or other prompts graded it than the table's first judged row.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub judged_apart: bool,
    /// Whether a paper printed it, so that it was not measured here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub published: bool,
    /// Whether its printed overall number does not follow from its columns.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inconsistent: bool,
    /// Whether one of its printed numbers is one that no whole number of right answers gives.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub impossible: bool,
    /// In the order of [`Table::columns`].
    pub cells: Vec<Cell>,
}

/// One estimate in long format, unrounded, with every grouping of the summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimated {
    /// The name of the suite.
    pub suite: String,
    /// The version of the suite.
    pub suite_version: String,
    /// The name of the model.
    pub model: String,
    /// The name of the run.
    pub run: String,
    /// Whether the run is partial.
    pub partial: bool,
    /// The tag grouped by. `None` for the overall number.
    pub by: Option<String>,
    /// The group; `overall` for the overall number.
    pub key: String,
    /// The number. `None` if there is none.
    pub value: Option<f64>,
    /// The lower bound of the 95 % interval.
    pub low: Option<f64>,
    /// The upper bound of the 95 % interval.
    pub high: Option<f64>,
    /// Items.
    pub n: usize,
    /// Scored outputs.
    pub outputs: usize,
    /// What a reader must know of the run, at its overall number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

/// The results of one version of one suite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// The name of the suite.
    pub suite: String,
    /// The title of the suite.
    pub suite_title: String,
    /// The version of the suite; empty for a table of papers alone.
    pub suite_version: String,
    /// The tag whose groups are the columns after the first.
    pub by: Option<String>,
    /// `overall`, then the groups in the summary's order.
    pub columns: Vec<String>,
    /// The rows, from top to bottom.
    pub rows: Vec<Row>,
    /// How the numbers are printed.
    pub unit: Unit,
    /// Whether the 95 % intervals are printed.
    pub intervals: bool,
    /// What a reader of the numbers must know, the mark † explained first.
    pub notes: Vec<String>,
    /// The same numbers, and those of further groupings, in long format.
    pub estimates: Vec<Estimated>,
}

impl Row {
    /// How many items the row has. `None` if that is not known.
    pub fn items(&self) -> Option<usize> {
        let cell = self.cells.first().filter(|_| !self.published)?;
        Some(cell.n)
    }
}

impl Table {
    /// A value as printed; `–` when there is none.
    pub fn number(&self, value: Option<f64>) -> String {
        match (value, self.unit) {
            (None, _) => "–".to_owned(),
            (Some(value), Unit::Percent) => format!("{:.1}", value * 100.0),
            (Some(value), Unit::Decimal4 | Unit::Printed) => format!("{value:.4}"),
        }
    }

    /// Whether some rows are of runs. Where all rows are of papers, nobody counted items, and no row needs
    /// the mark of a paper.
    pub fn measured(&self) -> bool {
        self.rows.iter().any(|row| !row.published)
    }

    /// The marks after a row's label.
    pub fn marks(&self, row: &Row) -> Vec<Mark> {
        let marks = [
            (row.partial, PARTIAL),
            (row.published && self.measured(), PUBLISHED),
            (row.judged_apart, JUDGED_APART),
            (row.inconsistent, INCONSISTENT),
            (row.impossible, IMPOSSIBLE),
        ];
        let marks = marks.into_iter().filter(|(is_true, _)| *is_true);
        marks.map(|(_, mark)| mark).collect()
    }

    /// A cell's number as printed; `–` when there is none.
    pub fn text(&self, cell: &Cell) -> String {
        match (self.unit, &cell.printed) {
            (Unit::Printed, Some(printed)) => printed.clone(),
            _ => self.number(cell.value),
        }
    }

    /// `[low, high]` as printed. `None` unless intervals are asked for and known.
    pub fn interval(&self, cell: &Cell) -> Option<String> {
        match (self.intervals, cell.low, cell.high) {
            (true, Some(low), Some(high)) => Some(format!(
                "[{}, {}]",
                self.number(Some(low)),
                self.number(Some(high))
            )),
            _ => None,
        }
    }

    /// The caption: title, version and unit.
    pub fn caption(&self) -> String {
        let unit = match self.unit {
            Unit::Percent => ", %",
            Unit::Decimal4 | Unit::Printed => "",
        };
        match self.suite_version.as_str() {
            "" => format!("{}, as printed", self.suite_title),
            version => format!("{} (version {version}){unit}", self.suite_title),
        }
    }
}

pub(super) fn cell(value: Option<f64>, low: Option<f64>, high: Option<f64>, n: usize) -> Cell {
    Cell {
        value,
        low,
        high,
        n,
        rank: Rank::Other,
        printed: None,
    }
}

/// Marks the best and the second value of each column, on unrounded numbers: equal values share a mark, and
/// the second is the largest value below the best. A single row is not marked, since there is no other.
pub(super) fn rank(rows: &mut [&mut Row]) {
    if rows.len() < 2 {
        return;
    }
    for column in 0..rows[0].cells.len() {
        let mut values: Vec<f64> = rows
            .iter()
            .filter_map(|row| row.cells[column].value)
            .collect();
        values.sort_by(|a, b| b.total_cmp(a));
        values.dedup();
        for row in rows.iter_mut() {
            let cell = &mut row.cells[column];
            cell.rank = match cell.value {
                Some(value) if values.first() == Some(&value) => Rank::Best,
                Some(value) if values.get(1) == Some(&value) => Rank::Second,
                _ => Rank::Other,
            };
        }
    }
}
