//! HTML: `<table>` elements to paste anywhere; the report page sorts them by their `data-value`.

use super::Export;
use crate::report::table::{Rank, Row};
use crate::report::{ReportError, Table};

/// A fragment without style: `class="results"` on the table, `best` and `second` on cells.
pub struct Html;

impl Export for Html {
    fn extension(&self) -> &'static str {
        "html"
    }

    fn export(&self, tables: &[Table]) -> Result<Vec<u8>, ReportError> {
        let text: Vec<String> = tables.iter().map(element).collect();
        Ok(text.join("").into_bytes())
    }
}

/// One table as an element.
pub fn element(table: &Table) -> String {
    let mut text = format!(
        "<table class=\"results\" data-suite=\"{}\">\n<caption>{}</caption>\n<thead><tr><th scope=\"col\" data-key=\"model\">model</th>",
        escape(&table.suite),
        escape(&table.caption())
    );
    if table.measured() {
        text.push_str("<th scope=\"col\" data-key=\"n\" class=\"number\">n</th>");
    }
    for column in &table.columns {
        text.push_str(&format!(
            "<th scope=\"col\" data-key=\"{0}\" class=\"number\">{0}</th>",
            escape(column)
        ));
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        text.push_str(&line(table, row));
    }
    text.push_str("</tbody>\n");
    if !table.notes.is_empty() {
        let notes: Vec<String> = table.notes.iter().map(|note| escape(note)).collect();
        text.push_str(&format!(
            "<tfoot><tr><td colspan=\"{}\">{}</td></tr></tfoot>\n",
            table.columns.len() + 1 + usize::from(table.measured()),
            notes.join("<br>")
        ));
    }
    text.push_str("</table>\n");
    text
}

fn line(table: &Table, row: &Row) -> String {
    let marks = table.marks(row).into_iter();
    let mark: String = marks
        .map(|(mark, meaning)| format!("<abbr title=\"{meaning}\">{mark}</abbr>"))
        .collect();
    let mut text = format!(
        "<tr><th scope=\"row\" data-value=\"{0}\">{0}{mark}</th>",
        escape(&row.label)
    );
    if table.measured() {
        let items = row.items();
        text.push_str(&format!(
            "<td class=\"number\" data-value=\"{items}\">{items}</td>"
        ));
    }
    for cell in &row.cells {
        let class = match cell.rank {
            Rank::Best => "number best",
            Rank::Second => "number second",
            Rank::Other => "number",
        };
        let value = cell.value.map_or(String::new(), |value| value.to_string());
        let number = table.text(cell);
        let number = match cell.rank {
            Rank::Best => format!("<b>{number}</b>"),
            Rank::Second => format!("<u>{number}</u>"),
            Rank::Other => number,
        };
        let interval = table
            .interval(cell)
            .map_or(String::new(), |text| format!(" <small>{text}</small>"));
        text.push_str(&format!(
            "<td class=\"{class}\" data-value=\"{value}\">{number}{interval}</td>"
        ));
    }
    text.push_str("</tr>\n");
    text
}

/// Text that is inert in HTML content and in double-quoted attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
