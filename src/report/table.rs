//! A results table: rows are models × runs, columns the overall number and the groups of the suite's first `by`.

use super::{judged, remarks};
use crate::record::{JudgedBy, Summary};
use serde::Serialize;
use std::collections::BTreeMap;

/// One run that goes into a table.
#[derive(Debug, Clone, Copy)]
pub struct TableInput<'a> {
    pub summary: &'a Summary,
    pub suite_title: &'a str,
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
    /// None: percent where all values of a table lie within 0 and 1, else four decimals.
    pub unit: Option<Unit>,
    /// Print the 95 % interval behind each value.
    pub intervals: bool,
}

/// A value's place in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    Best,
    Second,
    Other,
}

/// One number of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Items behind the number.
    pub n: usize,
    pub rank: Rank,
    /// The number as papers print it, where the table is printed so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printed: Option<String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub model: String,
    pub run: String,
    /// What is printed: the model's title, with the run's name where a model has several rows.
    pub label: String,
    /// Outputs.
    pub expected: usize,
    pub scored: usize,
    pub failed: usize,
    pub unscored: usize,
    /// The unscored by state.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unscored_by: BTreeMap<String, usize>,
    pub partial: bool,
    /// Who judged, where judges did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<JudgedBy>,
    /// By others, or in other words, than the table's first judged row.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub judged_apart: bool,
    /// Printed by a paper, not measured here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub published: bool,
    /// Printed with an overall number that does not follow from its columns.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub inconsistent: bool,
    /// Printed with a number that no whole number of right answers gives.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub impossible: bool,
    /// In the order of [`Table::columns`].
    pub cells: Vec<Cell>,
}

/// One estimate in long format, unrounded, with every grouping of the summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimated {
    pub suite: String,
    pub suite_version: String,
    pub model: String,
    pub run: String,
    pub partial: bool,
    /// The tag grouped by; None for the overall number.
    pub by: Option<String>,
    /// The group; `overall` for the overall number.
    pub key: String,
    pub value: Option<f64>,
    pub low: Option<f64>,
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
    pub suite: String,
    pub suite_title: String,
    pub suite_version: String,
    /// The tag whose groups are the columns after the first.
    pub by: Option<String>,
    /// `overall`, then the groups in the summary's order.
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
    pub unit: Unit,
    pub intervals: bool,
    /// What a reader of the numbers must know, the mark † explained first.
    pub notes: Vec<String>,
    pub estimates: Vec<Estimated>,
}

/// The mark of a partial run.
pub const PARTIAL: &str = "†";

/// The mark of a published row.
pub const PUBLISHED: &str = "‡";

/// The mark of a row with another judge or other prompts.
pub const JUDGED_APART: &str = "§";

/// The mark of a row whose overall number does not follow from its columns.
pub const INCONSISTENT: &str = "≠";

/// The mark of a row with a number that no whole number of right answers gives.
pub const IMPOSSIBLE: &str = "∤";

impl Row {
    /// How many items are behind the row; nothing where that is not known.
    pub fn items(&self) -> String {
        match (self.cells.first(), self.published) {
            (Some(cell), false) => cell.n.to_string(),
            _ => String::new(),
        }
    }
}

impl Table {
    /// One table per suite and version, in order of first appearance.
    pub fn of(inputs: &[TableInput<'_>], settings: TableSettings) -> Vec<Table> {
        let mut suites: Vec<Vec<TableInput<'_>>> = Vec::new();
        for input in inputs {
            let same = |rows: &&mut Vec<TableInput<'_>>| {
                rows[0].summary.suite == input.summary.suite
                    && rows[0].summary.suite_version == input.summary.suite_version
            };
            match suites.iter_mut().find(same) {
                Some(rows) => rows.push(*input),
                None => suites.push(vec![*input]),
            }
        }
        suites
            .iter()
            .map(|rows| Self::of_suite(rows, settings))
            .collect()
    }

    fn of_suite(inputs: &[TableInput<'_>], settings: TableSettings) -> Table {
        let first = inputs[0];
        let by = inputs
            .iter()
            .find_map(|input| input.summary.groups.first())
            .map(|group| group.by.clone());
        let columns = columns(inputs, by.as_deref());
        let mut rows: Vec<Row> = inputs
            .iter()
            .map(|input| row(input, inputs, by.as_deref(), &columns))
            .collect();
        rank(&mut rows.iter_mut().collect::<Vec<_>>());
        let estimates: Vec<Estimated> = inputs.iter().flat_map(|i| estimates(i.summary)).collect();
        let within_one = estimates
            .iter()
            .filter_map(|estimate| estimate.value)
            .all(|value| (0.0..=1.0).contains(&value));
        let automatic = if within_one {
            Unit::Percent
        } else {
            Unit::Decimal4
        };
        let mut table = Table {
            suite: first.summary.suite.clone(),
            suite_title: first.suite_title.to_owned(),
            suite_version: first.summary.suite_version.clone(),
            by,
            columns,
            notes: remarks::of_table(inputs, &rows),
            rows,
            unit: settings.unit.unwrap_or(automatic),
            intervals: settings.intervals,
            estimates,
        };
        judged::mark(&mut table);
        table
    }

    /// A value as printed; `–` when there is none.
    pub fn number(&self, value: Option<f64>) -> String {
        match (value, self.unit) {
            (None, _) => "–".to_owned(),
            (Some(value), Unit::Percent) => format!("{:.1}", value * 100.0),
            (Some(value), Unit::Decimal4 | Unit::Printed) => format!("{value:.4}"),
        }
    }

    /// Whether runs stand behind some rows. Where papers stand behind all of them, nobody counted items and no row needs the
    /// mark of a paper.
    pub fn measured(&self) -> bool {
        self.rows.iter().any(|row| !row.published)
    }

    /// The marks behind a row's label, each with what it means.
    pub fn marks(&self, row: &Row) -> Vec<(&'static str, &'static str)> {
        let marks = [
            (row.partial, PARTIAL, "partial run"),
            (
                row.published && self.measured(),
                PUBLISHED,
                "printed by a paper, not measured here",
            ),
            (
                row.judged_apart,
                JUDGED_APART,
                "other judge or other prompts",
            ),
            (
                row.inconsistent,
                INCONSISTENT,
                "the overall number does not follow from its columns",
            ),
            (
                row.impossible,
                IMPOSSIBLE,
                "no whole number of right answers gives one of the numbers",
            ),
        ];
        let marks = marks.into_iter().filter(|(there, ..)| *there);
        marks.map(|(_, mark, meaning)| (mark, meaning)).collect()
    }

    /// The marks behind a row's label.
    pub fn mark(&self, row: &Row) -> String {
        self.marks(row).into_iter().map(|(mark, _)| mark).collect()
    }

    /// A cell's number as printed; `–` when there is none.
    pub fn text(&self, cell: &Cell) -> String {
        match (self.unit, &cell.printed) {
            (Unit::Printed, Some(printed)) => printed.clone(),
            _ => self.number(cell.value),
        }
    }

    /// `[low, high]` as printed; None unless asked for and known.
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

/// `overall`, then the keys of the first grouping, those of later runs behind those of earlier ones.
fn columns(inputs: &[TableInput<'_>], by: Option<&str>) -> Vec<String> {
    let mut columns = vec!["overall".to_owned()];
    for group in inputs.iter().flat_map(|input| &input.summary.groups) {
        if Some(group.by.as_str()) == by && !columns[1..].contains(&group.key) {
            columns.push(group.key.clone());
        }
    }
    columns
}

fn row(
    input: &TableInput<'_>,
    all: &[TableInput<'_>],
    by: Option<&str>,
    columns: &[String],
) -> Row {
    let summary = input.summary;
    let same_title = all
        .iter()
        .filter(|other| other.model_title == input.model_title)
        .count();
    let label = if same_title > 1 {
        format!("{} ({})", input.model_title, summary.run)
    } else {
        input.model_title.to_owned()
    };
    let overall = &summary.overall;
    let mut cells = vec![cell(overall.value, overall.low, overall.high, overall.n)];
    for key in &columns[1..] {
        let group = summary
            .groups
            .iter()
            .find(|group| Some(group.by.as_str()) == by && &group.key == key);
        cells.push(group.map_or(cell(None, None, None, 0), |group| {
            cell(group.value, group.low, group.high, group.n)
        }));
    }
    Row {
        model: summary.model.clone(),
        run: summary.run.clone(),
        label,
        expected: summary.expected,
        scored: summary.scored,
        failed: summary.failed,
        unscored: summary.unscored,
        unscored_by: summary.unscored_by.clone(),
        partial: summary.partial,
        judges: summary.judges.clone(),
        judged_apart: false,
        published: false,
        inconsistent: false,
        impossible: false,
        cells,
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

/// Marks the best and the second value of each column, on unrounded numbers: equal values share a mark, and the
/// second is the largest value below the best. A single row has nothing to be better than.
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

fn estimates(summary: &Summary) -> Vec<Estimated> {
    let estimated = |by: Option<&str>, key: &str| Estimated {
        suite: summary.suite.clone(),
        suite_version: summary.suite_version.clone(),
        model: summary.model.clone(),
        run: summary.run.clone(),
        partial: summary.partial,
        by: by.map(str::to_owned),
        key: key.to_owned(),
        value: None,
        low: None,
        high: None,
        n: 0,
        outputs: 0,
        notes: String::new(),
    };
    let overall = Estimated {
        value: summary.overall.value,
        low: summary.overall.low,
        high: summary.overall.high,
        n: summary.overall.n,
        outputs: summary.scored,
        notes: summary.notes.join("; "),
        ..estimated(None, "overall")
    };
    let groups = summary.groups.iter().map(|group| Estimated {
        value: group.value,
        low: group.low,
        high: group.high,
        n: group.n,
        outputs: group.outputs,
        ..estimated(Some(&group.by), &group.key)
    });
    std::iter::once(overall).chain(groups).collect()
}
