//! The comparison on a terminal, under the table of the runs.

use super::numbers::{Numbers, counts, maybe, names, p, power};
use super::{Comparison, Difference};
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, presets};

/// Most items that are listed.
const LISTED: usize = 8;

/// The comparison in plain text. `width` is that of the window, `wished` the power that sizes are given for.
pub fn render(comparison: &Comparison, width: Option<u16>, wished: f64) -> String {
    let all = comparison.rows();
    let numbers = Numbers::of(all.iter().copied());
    let [before, after] = names(&comparison.before, &comparison.after);
    let mut text = format!(
        "{} (version {}){}: {after} (B) against {before} (A), {} items in both\n",
        comparison.after.suite_title,
        comparison.after.suite_version,
        numbers.unit(),
        comparison.overall.n
    );
    text += &differences(&all, numbers, width);
    for line in comparison.notes(numbers, wished) {
        text += &format!("{line}\n");
    }
    if !comparison.changes.is_empty() {
        text += "Changed most, A → B:\n";
    }
    for change in comparison.changes.iter().take(LISTED) {
        let flip = if change.flipped { ", flipped" } else { "" };
        text += &format!(
            "  {} → {}  {}{flip}\n",
            numbers.score(change.before),
            numbers.score(change.after),
            plain(&change.item)
        );
    }
    if comparison.changes.len() > LISTED {
        text += &format!("  and {} more\n", comparison.changes.len() - LISTED);
    }
    text
}

fn differences(rows: &[&Difference], numbers: Numbers, width: Option<u16>) -> String {
    let corrected = rows.iter().any(|row| row.p_holm.is_some());
    let mut heads = vec!["", "n", "A", "B", "B − A", "95 % interval", "p"];
    heads.extend(corrected.then_some("Holm"));
    heads.extend(["d", "won / tied / lost"]);
    let mut grid = grid(&heads, width);
    for row in rows {
        let mut cells = vec![
            plain(&row.metric.to_string()),
            row.n.to_string(),
            numbers.score(row.before),
            numbers.score(row.after),
            numbers.signed(row.difference),
            numbers.interval(row),
            p(row.p),
        ];
        cells.extend(corrected.then(|| maybe(row.p_holm, p)));
        cells.push(maybe(row.effect, |d| format!("{d:+.2}").replace('-', "−")));
        cells.push(counts(row));
        grid.add_row(aligned(cells));
    }
    format!("{}\n", grid.trim_fmt())
}

/// An empty table in the house's style: the first column to the left, the others to the right.
pub fn grid(heads: &[&str], width: Option<u16>) -> Table {
    let mut grid = Table::new();
    grid.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Dynamic);
    match width {
        Some(width) => grid.set_width(width),
        None => grid.force_no_tty(),
    };
    grid.set_header(aligned(heads.iter().map(|head| (*head).to_owned())));
    grid
}

/// A row's cells.
pub fn aligned(cells: impl IntoIterator<Item = String>) -> Vec<Cell> {
    let side = |at| match at {
        0 => CellAlignment::Left,
        _ => CellAlignment::Right,
    };
    let cells = cells.into_iter().enumerate();
    cells
        .map(|(at, text)| Cell::new(text).set_alignment(side(at)))
        .collect()
}

/// Text without control characters, so that an item's name cannot steer the terminal.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

impl Comparison {
    /// All numbers, the overall one first.
    pub fn rows(&self) -> Vec<&Difference> {
        std::iter::once(&self.overall)
            .chain(&self.correct)
            .chain(&self.groups)
            .collect()
    }

    /// What a reader of the numbers must know.
    pub(super) fn notes(&self, numbers: Numbers, wished: f64) -> Vec<String> {
        let mut notes: Vec<String> = self
            .allowed
            .iter()
            .map(|mismatch| format!("! compared nevertheless: {}", mismatch.text))
            .collect();
        notes.extend(self.remarks.iter().map(|remark| format!("! {remark}")));
        let mut line = format!("p: {}", self.overall.test.describe());
        if self.overall.p_holm.is_some() {
            line += ", Holm over the runs";
        }
        if !self.groups.is_empty() {
            line += &format!("; groups: Holm over all {} of them", self.groups.len());
        }
        notes.push(line + "; d: mean over deviation of the items' differences.");
        if let Some(flips) = self.overall.flips {
            let mut line = format!("{} items gained, {} lost", flips.gained, flips.lost);
            if let Some((ratio, low, high)) = self.overall.odds_ratio.filter(|o| o.0.is_finite()) {
                line += &format!(": odds {ratio:.2} [{low:.2}, {high:.2}]");
            }
            notes.push(line + ".");
        }
        notes.extend(power(&self.overall, numbers, wished));
        notes
    }
}
