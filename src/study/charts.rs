//! The charts of a study.

use super::section::Section;
use super::tables::is_certain;
use super::{Series, Study};
use crate::report::ReportError;
use crate::report::chart::canvas::Label;
use crate::report::chart::{
    Bars, Curve, Drawn, Effect, Forest, Lines, Look, Matrix, Radar, Scatter, Spot,
};

/// The charts of one suite that its data allow.
///
/// # Errors
/// Fails if a chart cannot be drawn.
pub(super) fn of_section(study: &Study, section: &Section) -> Result<Vec<Drawn>, ReportError> {
    let labels: Vec<Label> = section
        .levels
        .iter()
        .map(|l| Label::plain(&l.title))
        .collect();
    let title = &section.title;
    let name = |kind: &str| format!("{}-{kind}", section.suite);
    let first = section.groups.first();
    let table = section.charted(first);
    let mut charts = Vec::new();
    let by = first.map_or(String::new(), |grouped| format!(" and by {}", grouped.by));
    let bars = Bars::from_table(&table, &labels, study.width);
    let caption = format!(
        "{title}: {}{by}. Whiskers are 95 % intervals.",
        section.metric
    );
    charts.push(Drawn::new(&name("bars"), caption, &bars)?);
    if let Some(forest) = forest(study, section) {
        let caption = format!(
            "{title}: differences to {} with 95 % intervals; a filled mark and * where p is at most 0.05 with Holm's correction.",
            section.control_title()
        );
        charts.push(Drawn::new(&name("forest"), caption, &forest)?);
    }
    if let Some(scatter) = scatter(study, section) {
        let caption = format!(
            "{title}: {} over {}; the dashed line joins the levels that none of the same or a lower cost beats.",
            section.metric, scatter.x
        );
        charts.push(Drawn::new(&name("cost"), caption, &scatter)?);
    }
    for grouped in &section.groups {
        let table = section.charted(Some(grouped));
        if let Some(radar) = Radar::from_table(&table, &labels) {
            let caption = format!("{title} by {}.", grouped.by);
            charts.push(Drawn::new(
                &name(&format!("radar-{}", grouped.by)),
                caption,
                &radar,
            )?);
        }
        let caption = format!(
            "{title}: level × {}. A crossed cell has no score.",
            grouped.by
        );
        let heat = heat(study, section, grouped, &labels);
        charts.push(Drawn::new(
            &name(&format!("heatmap-{}", grouped.by)),
            caption,
            &heat,
        )?);
    }
    Ok(charts)
}

fn forest(study: &Study, section: &Section) -> Option<Forest> {
    let numbers = section.numbers();
    let others = section.levels.iter().enumerate();
    let others = others.filter(|(at, _)| *at != section.control);
    let effects: Vec<Effect> = others
        .map(|(at, level)| Effect {
            label: Label::plain(&level.title),
            look: Look::new(at),
            value: level
                .difference
                .as_ref()
                .map(|d| numbers.scaled(d.difference)),
            interval: level
                .difference
                .as_ref()
                .and_then(|d| Some((numbers.scaled(d.low?), numbers.scaled(d.high?)))),
            sure: level.difference.as_ref().is_some_and(is_certain),
            text: match &level.difference {
                None => "not compared".to_owned(),
                Some(d) => {
                    let star = if is_certain(d) { "*" } else { "" };
                    let interval = match (d.low, d.high) {
                        (Some(_), Some(_)) => format!(" {}", numbers.interval(d)),
                        _ => String::new(),
                    };
                    format!("{}{interval}{star}", numbers.signed(d.difference))
                }
            },
        })
        .collect();
    let unit = if numbers.percent() { ", points" } else { "" };
    effects
        .iter()
        .any(|effect| effect.value.is_some())
        .then(|| Forest {
            effects,
            x: format!(
                "{}: difference to {}{unit}",
                section.metric,
                section.control_title()
            ),
            width: study.width,
        })
}

/// `None` for fewer than two levels with a cost and a score.
fn scatter(study: &Study, section: &Section) -> Option<Scatter> {
    let numbers = section.numbers();
    let spot = |(at, level): (usize, &super::LevelRow)| {
        Some(Spot {
            label: Label::plain(&level.title),
            look: Look::new(at),
            cost: level.cost?,
            score: numbers.scaled(level.value?),
            interval: level
                .low
                .zip(level.high)
                .map(|(low, high)| (numbers.scaled(low), numbers.scaled(high))),
        })
    };
    let spots: Vec<Spot> = section.levels.iter().enumerate().filter_map(spot).collect();
    (spots.len() > 1).then(|| Scatter {
        spots,
        x: study.cost.clone().unwrap_or_default(),
        y: format!("{}{}", section.metric, numbers.unit()),
        width: study.width,
    })
}

fn heat(study: &Study, section: &Section, grouped: &super::Grouped, labels: &[Label]) -> Matrix {
    let numbers = section.numbers();
    let value = |cell: &super::GroupCell| cell.value.map(|value| numbers.scaled(value));
    Matrix {
        rows: labels.to_vec(),
        columns: grouped.keys.iter().map(|key| Label::plain(key)).collect(),
        cells: grouped
            .cells
            .iter()
            .map(|row| row.iter().map(value).collect())
            .collect(),
        decimals: if numbers.percent() { 1 } else { 3 },
        width: study.width,
    }
}

/// One chart for each column of the series.
///
/// # Errors
/// Fails if a chart cannot be drawn.
pub(super) fn of_series(study: &Study, titles: &[String]) -> Result<Vec<Drawn>, ReportError> {
    let mut names: Vec<&str> = Vec::new();
    for series in &study.series {
        if !names.contains(&series.value.as_str()) {
            names.push(&series.value);
        }
    }
    let mut charts = Vec::new();
    for name in names {
        let all = study.series.iter().filter(|series| series.value == name);
        let own: Vec<&Series> = all.filter(|series| !series.points.is_empty()).collect();
        let Some(first) = own.first() else { continue };
        let curve = |series: &&Series| Curve {
            label: Label::plain(titles.get(series.level).map_or("", String::as_str)),
            look: Look::new(series.level),
            points: series.points.clone(),
        };
        let lines = Lines {
            curves: own.iter().map(curve).collect(),
            x: first.step.clone(),
            y: name.to_owned(),
            x_ticks: Vec::new(),
            marks: Vec::new(),
            width: study.width,
        };
        let several = own.iter().any(|series| series.files > 1);
        let band = if several {
            " Lines are means over seeds, bands reach from the lowest to the highest."
        } else {
            ""
        };
        let who = match (&own[..], titles) {
            ([only], _) => format!(" of {}", titles.get(only.level).map_or("", String::as_str)),
            _ => String::new(),
        };
        let caption = format!("{name}{who} over {}.{band}", first.step);
        charts.push(Drawn::new(&format!("curves-{name}"), caption, &lines)?);
    }
    Ok(charts)
}
