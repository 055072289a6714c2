//! A chart that is drawn, with the names of its files.

use super::draw::{Chart, png, svg};
use super::error::ChartError;
use crate::report::error::ReportError;
use std::collections::HashSet;

/// A chart in both formats.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// File name without extension.
    pub name: String,
    /// What it shows, in a sentence or two.
    pub caption: String,
    /// The SVG document.
    pub svg: String,
    /// The bytes of the PNG.
    pub png: Vec<u8>,
}

impl Drawn {
    /// Draws a chart in both formats.
    ///
    /// # Errors
    /// Fails if a backend fails.
    pub fn new<C: Chart>(name: &str, caption: String, chart: &C) -> Result<Self, ReportError> {
        let name = file_name(name);
        let failed = |error: ChartError| ReportError::Chart {
            chart: name.clone(),
            message: error.0,
        };
        Ok(Self {
            caption,
            svg: svg(chart).map_err(failed)?,
            png: png(chart).map_err(failed)?,
            name,
        })
    }
}

/// Adds a number to the names of charts whose file name an earlier chart has, perhaps in other case. So each
/// chart has files of its own.
pub(crate) fn distinct<'a>(charts: impl Iterator<Item = &'a mut Drawn>) {
    let mut taken = HashSet::new();
    for chart in charts {
        let own = chart.name.clone();
        let mut number = 1;
        while !taken.insert(chart.name.to_ascii_lowercase()) {
            number += 1;
            chart.name = format!("{own}-{number}");
        }
    }
}

/// A name as part of a file name: anything but letters, digits, dots and hyphens becomes a hyphen.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => c,
            _ => '-',
        })
        .collect()
}
