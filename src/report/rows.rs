//! The rows of runs: a table for each suite, and the long format beside it.

use super::table::{Estimated, Row, Table, TableInput, TableSettings, Unit, cell, rank};
use super::{judged, remarks};
use crate::record::Summary;

impl Table {
    /// One table for each suite and version, in the order in which they first appear.
    pub fn of_runs(inputs: &[TableInput<'_>], settings: TableSettings) -> Vec<Table> {
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
}

/// `overall`, then the keys of the first grouping. The keys of later runs come after those of earlier ones.
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
