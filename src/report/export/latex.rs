//! LaTeX with booktabs: best bold, second underlined.

use super::Export;
use crate::report::table::{IMPOSSIBLE, INCONSISTENT, JUDGED_APART, PARTIAL, PUBLISHED, Rank};
use crate::report::{ReportError, Table};

/// `table` environments; needs `\usepackage{booktabs}` and nothing else.
pub struct Latex;

impl Export for Latex {
    fn extension(&self) -> &'static str {
        "tex"
    }

    fn export(&self, tables: &[Table]) -> Result<Vec<u8>, ReportError> {
        let mut text = "% needs \\usepackage{booktabs}\n".to_owned();
        for table in tables {
            text.push_str(&environment(table));
        }
        Ok(text.into_bytes())
    }
}

fn environment(table: &Table) -> String {
    let mut text = format!(
        "\\begin{{table}}[t]\n  \\centering\n  \\caption{{{}. Best in bold, second underlined.}}\n  \\label{{tab:{}}}\n  \\begin{{tabular}}{{l{}}}\n    \\toprule\n    Model",
        escape(&table.caption()),
        label(&table.suite),
        "r".repeat(table.columns.len() + usize::from(table.measured()))
    );
    if table.measured() {
        text.push_str(" & $n$");
    }
    for column in &table.columns {
        text.push_str(&format!(" & {}", escape(column)));
    }
    text.push_str(" \\\\\n    \\midrule\n");
    for row in &table.rows {
        let mark = escape(&table.mark(row));
        text.push_str(&format!("    {}{mark}", started(escape(&row.label))));
        if table.measured() {
            text.push_str(&format!(" & {}", row.items()));
        }
        for cell in &row.cells {
            let number = table.text(cell).replace('–', "--");
            text.push_str(&match cell.rank {
                Rank::Best => format!(" & \\textbf{{{number}}}"),
                Rank::Second => format!(" & \\underline{{{number}}}"),
                Rank::Other => format!(" & {number}"),
            });
            if let Some(interval) = table.interval(cell) {
                text.push_str(&format!(" {{\\scriptsize {interval}}}"));
            }
        }
        text.push_str(" \\\\\n");
    }
    text.push_str("    \\bottomrule\n  \\end{tabular}\n");
    for note in &table.notes {
        text.push_str(&format!(
            "  \\par\\smallskip\\footnotesize {}\n",
            escape(note)
        ));
    }
    text.push_str("\\end{table}\n");
    text
}

/// Text in which no character means anything to TeX.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '_' | '%' | '&' | '#' | '$' | '{' | '}' => escaped.extend(['\\', character]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '\n' | '\r' => escaped.push(' '),
            other if PARTIAL.contains(other) => escaped.push_str("$^\\dagger$"),
            other if PUBLISHED.contains(other) => escaped.push_str("$^\\ddagger$"),
            other if JUDGED_APART.contains(other) => escaped.push_str("$^{\\S}$"),
            other if INCONSISTENT.contains(other) => escaped.push_str("$^{\\neq}$"),
            // `\nmid` is not in plain LaTeX.
            other if IMPOSSIBLE.contains(other) => escaped.push_str("$^{\\not\\mid}$"),
            '±' => escaped.push_str("$\\pm$"),
            '−' => escaped.push_str("$-$"),
            '–' => escaped.push_str("--"),
            'Δ' => escaped.push_str("$\\Delta$"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The start of a row, which the command before it does not take for its own: `\\` reads a `[` or `*` behind it, `\toprule` and
/// `\midrule` a `[`.
pub fn started(row: String) -> String {
    match row.trim_start().starts_with(['[', '*']) {
        true => format!("{{}}{row}"),
        false => row,
    }
}

/// A label that is safe in `\ref`: letters, digits and hyphens.
pub fn label(suite: &str) -> String {
    suite
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}
