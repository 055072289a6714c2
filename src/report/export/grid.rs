//! A small table of texts, such as a comparison, in the formats that results tables have.

use super::terminal::plain;
use super::{escape_html, escape_markdown, latex};
use crate::record::Object;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, presets};
use serde_json::Value;

/// Texts in rows and columns, the first column to the left and the others to the right.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    pub caption: String,
    /// What LaTeX refers to it by.
    pub label: String,
    pub heads: Vec<String>,
    pub rows: Vec<Vec<String>>,
    pub notes: Vec<String>,
}

impl Grid {
    /// For a terminal; `width` is that of the window.
    pub fn terminal(&self, width: Option<u16>) -> String {
        let mut text = format!("{}\n{}\n", plain(&self.caption), self.body(width));
        for note in &self.notes {
            text += &format!("{}\n", plain(note));
        }
        text
    }

    /// The rows under their heads, for a terminal.
    pub fn body(&self, width: Option<u16>) -> String {
        let heads: Vec<&str> = self.heads.iter().map(String::as_str).collect();
        let mut grid = grid(&heads, width);
        for row in &self.rows {
            grid.add_row(aligned(row.iter().map(|cell| plain(cell))));
        }
        grid.trim_fmt()
    }

    /// A GitHub-flavoured pipe table.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| {
            let cells = cells
                .iter()
                .map(|cell| format!(" {} |", escape_markdown(cell)));
            format!("|{}\n", cells.collect::<String>())
        };
        let mut text = format!(
            "**{}**\n\n{}",
            escape_markdown(&self.caption),
            line(&self.heads)
        );
        text += &format!(
            "|:---|{}\n",
            "---:|".repeat(self.heads.len().saturating_sub(1))
        );
        text.extend(self.rows.iter().map(|row| line(row)));
        if !self.notes.is_empty() {
            text.push('\n');
        }
        let notes = self.notes.iter();
        text.extend(notes.map(|note| format!("{}  \n", escape_markdown(note))));
        text
    }

    /// A `table` environment; needs `\usepackage{booktabs}` and nothing else.
    pub fn latex(&self) -> String {
        let line = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| latex::escape(cell)).collect();
            format!("    {} \\\\\n", latex::started(cells.join(" & ")))
        };
        let mut text = format!(
            "\\begin{{table}}[t]\n  \\centering\n  \\caption{{{}}}\n  \\label{{tab:{}}}\n  \\begin{{tabular}}{{l{}}}\n    \\toprule\n",
            latex::escape(&self.caption),
            latex::label(&self.label),
            "r".repeat(self.heads.len().saturating_sub(1))
        );
        text += &line(&self.heads);
        text += "    \\midrule\n";
        text.extend(self.rows.iter().map(|row| line(row)));
        text += "    \\bottomrule\n  \\end{tabular}\n";
        let notes = self.notes.iter().map(|note| latex::escape(note));
        text.extend(notes.map(|note| format!("  \\par\\smallskip\\footnotesize {note}\n")));
        text + "\\end{table}\n"
    }

    /// A `<table>` element without style.
    pub fn html(&self) -> String {
        let mut text = format!(
            "<table class=\"pairs\">\n<caption>{}</caption>\n<thead><tr>",
            escape_html(&self.caption)
        );
        let heads = self.heads.iter().map(|head| escape_html(head));
        text.extend(heads.map(|head| format!("<th scope=\"col\">{head}</th>")));
        text += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            let cells = row.iter().enumerate().map(|(at, cell)| match at {
                0 => format!("<th scope=\"row\">{}</th>", escape_html(cell)),
                _ => format!("<td class=\"number\">{}</td>", escape_html(cell)),
            });
            text += &format!("<tr>{}</tr>\n", cells.collect::<String>());
        }
        text += "</tbody>\n";
        if !self.notes.is_empty() {
            let notes: Vec<String> = self.notes.iter().map(|note| escape_html(note)).collect();
            let (width, notes) = (self.heads.len(), notes.join("<br>"));
            text += &format!("<tfoot><tr><td colspan=\"{width}\">{notes}</td></tr></tfoot>\n");
        }
        text + "</table>\n"
    }
}

/// An empty table in the house's style.
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

/// Objects with the same keys as CSV (RFC 4180): a header, CRLF, quotes doubled; null is an empty field.
pub fn records_csv(records: &[Object]) -> String {
    let Some(first) = records.first() else {
        return String::new();
    };
    let line = |fields: Vec<String>| fields.join(",") + "\r\n";
    let mut text = line(first.keys().map(|key| field(key)).collect());
    for record in records {
        let fields = record.values().map(|value| match value {
            Value::Null => String::new(),
            Value::String(text) => field(text),
            other => field(&other.to_string()),
        });
        text += &line(fields.collect());
    }
    text
}

fn field(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
