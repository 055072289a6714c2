//! A measured row and the row that a paper printed of the same model, number by number.

use super::published::{judges, usual_decimals};
use super::table::TableInput;
use crate::config::{PublishedFile, PublishedRow};
use crate::record::Summary;
use crate::record::judged::{judge_names, judges_differ};
use crate::table::marks::{IMPOSSIBLE, INCONSISTENT};
use crate::table::{Column, Grid, Records, Row, Style};
use crate::text::count::counted;
use crate::text::decimal::signed;
use serde::Serialize;

/// A corrected p value below this one is a difference.
const SIGNIFICANT: f64 = 0.05;

/// One number, in print and measured, on the scale that papers print.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// `overall`, or a group.
    pub column: String,
    /// The printed number.
    pub printed: f64,
    /// The number as printed, with the zeros at its end.
    pub printed_text: String,
    /// The measured number.
    pub measured: f64,
    /// 95 % interval of the measured value.
    pub low: Option<f64>,
    /// The upper bound of the same interval.
    pub high: Option<f64>,
    /// Measured minus printed.
    pub difference: f64,
    /// Whether the printed value is inside the interval. The printed value is known to half a unit of its
    /// last digit only.
    pub inside: Option<bool>,
    /// How many items the measured value is of.
    pub n: usize,
    /// Half a unit of the last printed digit.
    #[serde(skip)]
    pub half_unit: f64,
    /// The p value of the difference, corrected for the number of compared numbers. `None` if nobody asked for
    /// it, or there is no interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_p: Option<f64>,
}

/// A run beside a paper's row of the same model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paired {
    /// The name of the suite.
    pub suite: String,
    /// The title of the suite.
    pub suite_title: String,
    /// The measured model, and the run.
    pub model: String,
    /// Title of the model.
    pub model_title: String,
    /// The name of the run.
    pub run: String,
    /// The paper's name for it, and its setting.
    pub printed_model: String,
    /// Where the paper prints the row.
    pub source: String,
    /// The overall number first, then metrics and groups.
    pub pairs: Vec<Pair>,
    /// Why the two numbers are not of the same thing.
    pub caveats: Vec<String>,
    /// What else a reader of the printed row must know.
    pub notes: Vec<String>,
    /// With how many digits a measured number is printed.
    #[serde(skip)]
    decimals: usize,
}

/// A run, and how it was made in another way than the suite's own.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// The run's numbers and titles.
    pub input: TableInput<'a>,
    /// What differs, one sentence each.
    pub deviations: &'a [String],
}

impl Paired {
    /// Every row of the file that is of the measured model. A row that was not checked against its source is
    /// left out.
    pub fn of_run(measured: Measured<'_>, file: &PublishedFile) -> Vec<Self> {
        if !file.covers(&measured.input.summary.suite) {
            return Vec::new();
        }
        let rows = file.rows.iter().filter(|row| !row.unverified);
        let rows = rows.filter(|row| is_of(row, &measured.input));
        rows.filter_map(|row| pair(measured, file, row)).collect()
    }

    /// The numbers side by side, for eyes.
    pub fn grid(&self) -> Grid {
        let places = self.decimals;
        let number = |value: f64| format!("{value:.places$}");
        let bounds = |pair: &Pair| match (pair.low, pair.high) {
            (Some(low), Some(high)) => format!("[{}, {}]", number(low), number(high)),
            _ => "–".to_owned(),
        };
        let mark = if self.caveats.is_empty() { "" } else { "!" };
        let line = |pair: &Pair| {
            Row::plain([
                pair.column.clone(),
                pair.n.to_string(),
                pair.printed_text.clone(),
                number(pair.measured),
                signed(pair.difference, places),
                bounds(pair),
                match pair.inside {
                    Some(true) => format!("inside{mark}"),
                    Some(false) => format!("outside{mark}"),
                    None => "–".to_owned(),
                },
            ])
        };
        let caveats = self.caveats.iter().map(|caveat| format!("! {caveat}."));
        let verdict = self.corrected_verdict().into_iter();
        let notes = self.notes.iter().map(|note| format!("{note}."));
        Grid {
            style: Style::PAIRS,
            caption: format!(
                "{}: {} ({}) beside {} in {}",
                self.suite_title, self.model_title, self.run, self.printed_model, self.source
            ),
            label: format!("{}-{}-in-print", self.suite, self.model),
            columns: Column::named([
                "",
                "n",
                "printed",
                "measured",
                "difference",
                "95 % interval",
                "printed lies",
            ]),
            rows: self.pairs.iter().map(line).collect(),
            notes: caveats.chain(verdict).chain(notes).collect(),
        }
    }

    /// The verdict on all numbers together, if they were corrected.
    fn corrected_verdict(&self) -> Option<String> {
        let judged = self.pairs.iter().filter_map(|pair| {
            let p = pair.corrected_p?;
            Some((pair.column.as_str(), p))
        });
        let judged: Vec<(&str, f64)> = judged.collect();
        let differs = judged.iter().filter(|(_, p)| *p < SIGNIFICANT);
        let differs: Vec<String> = differs
            .map(|(column, p)| format!("{column} (p = {p:.3})"))
            .collect();
        let what = if differs.is_empty() {
            "no printed number differs from the run".to_owned()
        } else {
            format!("these differ from the run: {}", differs.join(", "))
        };
        let count = judged.len();
        (count > 0).then(|| format!("Corrected for {} (Holm), {what}.", counted(count, "number")))
    }

    /// One record for each number, unrounded.
    pub fn records(all: &[Self]) -> Records<'_> {
        let mut rows: Vec<(&Self, &Pair)> = Vec::new();
        for run in all {
            rows.extend(run.pairs.iter().map(|pair| (run, pair)));
        }
        let corrected = rows.iter().any(|(_, pair)| pair.corrected_p.is_some());
        let records = Records::rows(&rows)
            .filled("suite", |(run, _)| run.suite.as_str())
            .filled("model", |(run, _)| run.model.as_str())
            .filled("run", |(run, _)| run.run.as_str())
            .filled("printed_model", |(run, _)| run.printed_model.as_str())
            .filled("source", |(run, _)| run.source.as_str())
            .filled("column", |(_, pair)| pair.column.as_str())
            .count("n", |(_, pair)| Some(pair.n))
            .finite("printed", |(_, pair)| Some(pair.printed))
            .finite("measured", |(_, pair)| Some(pair.measured))
            .finite("difference", |(_, pair)| Some(pair.difference))
            .finite("low", |(_, pair)| pair.low)
            .finite("high", |(_, pair)| pair.high)
            .truth("inside", |(_, pair)| pair.inside)
            .filled("caveats", |(run, _)| run.caveats.join("; "));
        if corrected {
            return records
                .finite("corrected_p", |(_, pair)| pair.corrected_p)
                .build();
        }
        records.build()
    }
}

/// Whether a row is of the measured model: by the definition's name, or, where the row has none, by what the
/// paper calls the model.
fn is_of(row: &PublishedRow, input: &TableInput<'_>) -> bool {
    let names = [input.summary.model.as_str(), input.model_title];
    let mut definitions = row.definition.iter().chain(&row.more_definitions);
    let known = definitions.any(|name| name == names[0]);
    known
        || names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&row.model))
}

fn pair(measured: Measured<'_>, file: &PublishedFile, row: &PublishedRow) -> Option<Paired> {
    let (input, summary) = (measured.input, measured.input.summary);
    let overall = &summary.overall;
    let scale = |key: Option<&str>, value: Option<f64>| Some(file.to_printed_scale(key, value?));
    let number = |key: Option<&str>, value: Option<f64>, bounds: [Option<f64>; 2], n| {
        let printed = match key {
            None => row.overall,
            Some(key) => *row.groups.get(key)?,
        };
        let [low, high] = bounds;
        let half = 0.5 / 10_f64.powi(file.decimals(row) as i32);
        let holds = |(low, high): (f64, f64)| low - half <= printed && printed <= high + half;
        let measured = value?;
        Some(Pair {
            column: key.unwrap_or("overall").to_owned(),
            printed,
            printed_text: file.text(row, printed),
            measured,
            low,
            high,
            difference: measured - printed,
            inside: low.zip(high).map(holds),
            n,
            half_unit: half,
            corrected_p: None,
        })
    };
    let bounds = [overall.low, overall.high].map(|bound| scale(None, bound));
    let first = number(None, scale(None, overall.value), bounds, overall.n);
    let of_metric = |(column, name): (&String, &String)| {
        let value = summary.metrics.get(name).copied();
        number(Some(column), value, [None, None], overall.n)
    };
    let metrics = file.metrics.iter().filter_map(of_metric);
    let by = file.by.as_ref();
    let groups = summary.groups.iter().filter(|group| Some(&group.by) == by);
    let groups = groups.filter_map(|group| {
        let key = Some(group.key.as_str());
        let bounds = [group.low, group.high].map(|bound| scale(key, bound));
        number(key, scale(key, group.value), bounds, group.n)
    });
    let pairs: Vec<Pair> = first.into_iter().chain(metrics).chain(groups).collect();
    (!pairs.is_empty()).then(|| Paired {
        suite: summary.suite.clone(),
        suite_title: input.suite_title.to_owned(),
        model: summary.model.clone(),
        model_title: input.model_title.to_owned(),
        run: summary.run.clone(),
        printed_model: row.label(),
        source: row.source.clone(),
        pairs,
        caveats: caveats(measured, file, row),
        notes: notes(file, row),
        decimals: usual_decimals(file) + 1,
    })
}

/// Why the two numbers do not measure the same thing.
fn caveats(measured: Measured<'_>, file: &PublishedFile, row: &PublishedRow) -> Vec<String> {
    let summary = measured.input.summary;
    let mut caveats = Vec::new();
    if !row.setting.is_empty() && file.setting.as_ref() != Some(&row.setting) {
        caveats.push(format!(
            "the printed row is of another setting: {}",
            row.setting
        ));
    }
    if summary.partial {
        let (scored, expected) = (summary.scored, counted(summary.expected, "output"));
        caveats.push(format!("the run is partial: {scored} of {expected} scored"));
    }
    caveats.extend(measured.deviations.iter().cloned());
    let printed = judges(file, row);
    if !printed.is_empty() && summary.judges.is_empty() {
        let by = judge_names(&printed);
        caveats.push(format!("judged by {by} in print, by nobody here"));
    }
    if !printed.is_empty() && judges_differ(&printed, &summary.judges) {
        caveats.push(format!(
            "judged by {} here, by {} in print",
            judge_names(&summary.judges),
            judge_names(&printed)
        ));
    }
    if let Some(reader) = &file.reader {
        let here = readers(summary);
        let same = |name: &str| {
            let (name, reader) = (name.to_lowercase(), reader.to_lowercase());
            reader.starts_with(&name) || name.starts_with(&reader)
        };
        if !matches!(&here[..], [only] if same(only)) {
            let here = if here.is_empty() {
                "somebody unknown".to_owned()
            } else {
                here.join(" and ")
            };
            caveats.push(format!(
                "the texts were read by {here} here, by {reader} in print"
            ));
        }
    }
    caveats
}

fn readers(summary: &Summary) -> Vec<&str> {
    let engines = summary.extra.get(Summary::READ_BY);
    let names = engines
        .and_then(|names| names.as_array())
        .into_iter()
        .flatten();
    names.filter_map(|name| name.as_str()).collect()
}

fn notes(file: &PublishedFile, row: &PublishedRow) -> Vec<String> {
    let found = file.mismatch(row).map(|found| {
        format!(
            "{INCONSISTENT} the printed overall number is {}, but {} is {}",
            found.printed, found.how, found.recomputed
        )
    });
    let impossible = file.impossible(row).into_iter();
    let impossible = impossible.map(|found| format!("{IMPOSSIBLE} in print: {}", found.describe()));
    let own = row.notes.iter().map(|note| format!("in print: {note}"));
    found.into_iter().chain(impossible).chain(own).collect()
}
