//! Markdown pipe tables: best bold, second underlined.

use super::Export;
use crate::report::table::Rank;
use crate::report::{ReportError, Table};

/// GitHub-flavoured pipe tables.
pub struct Markdown;

impl Export for Markdown {
    fn extension(&self) -> &'static str {
        "md"
    }

    fn export(&self, tables: &[Table]) -> Result<Vec<u8>, ReportError> {
        let text: Vec<String> = tables.iter().map(table).collect();
        Ok(text.join("\n").into_bytes())
    }
}

fn table(table: &Table) -> String {
    let mut text = format!("**{}**\n\n| model |", escape(&table.caption()));
    let counted = if table.measured() { " n |" } else { "" };
    text.push_str(counted);
    for column in &table.columns {
        text.push_str(&format!(" {} |", escape(column)));
    }
    text.push_str("\n|:---|");
    if table.measured() {
        text.push_str("---:|");
    }
    text.push_str(&"---:|".repeat(table.columns.len()));
    text.push('\n');
    for row in &table.rows {
        let mark = table.mark(row);
        text.push_str(&format!("| {}{mark} |", escape(&row.label)));
        if table.measured() {
            text.push_str(&format!(" {} |", row.items()));
        }
        for cell in &row.cells {
            let number = table.text(cell);
            let number = match cell.rank {
                Rank::Best => format!("**{number}**"),
                Rank::Second => format!("<u>{number}</u>"),
                Rank::Other => number,
            };
            let interval = table.interval(cell).unwrap_or_default();
            text.push_str(&format!(" {} |", format!("{number} {interval}").trim_end()));
        }
        text.push('\n');
    }
    if !table.notes.is_empty() {
        text.push('\n');
    }
    for note in &table.notes {
        text.push_str(&format!("{}  \n", escape(note)));
    }
    text
}

/// Makes text inert: characters that Markdown or HTML would read as markup are escaped, line breaks become spaces.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' => escaped.extend(['\\', character]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
