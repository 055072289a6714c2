//! A table as it is printed: words and numbers, best and second marked, in Markdown, LaTeX and HTML.

use crate::report::export;
use crate::report::export::{escape_html, escape_latex, escape_markdown, started_latex};
use crate::report::table::Rank;

/// A table of printed cells.
#[derive(Debug, Clone)]
pub struct Grid {
    pub caption: String,
    /// Of the first column, which holds names, then of the numbers.
    pub heads: Vec<String>,
    pub rows: Vec<Line>,
    pub notes: Vec<String>,
    /// The label of LaTeX.
    pub label: String,
}

/// One level.
#[derive(Debug, Clone)]
pub struct Line {
    pub name: String,
    /// Marks behind the name.
    pub mark: String,
    /// Stands apart from the others, as the control does.
    pub apart: bool,
    pub cells: Vec<Printed>,
}

/// A number with what stands small behind it.
#[derive(Debug, Clone)]
pub struct Printed {
    pub text: String,
    pub small: String,
    pub rank: Rank,
}

impl Printed {
    /// A number that competes with none.
    pub fn plain(text: String) -> Self {
        Self {
            text,
            small: String::new(),
            rank: Rank::Other,
        }
    }
}

impl Grid {
    pub fn markdown(&self) -> String {
        let heads: Vec<String> = self
            .heads
            .iter()
            .map(|head| escape_markdown(head))
            .collect();
        let mut text = format!(
            "**{}**\n\n| {} |\n|:---|{}\n",
            escape_markdown(&self.caption),
            heads.join(" | "),
            "---:|".repeat(self.heads.len() - 1)
        );
        for row in &self.rows {
            let name = escape_markdown(&row.name);
            let name = if row.apart { format!("*{name}*") } else { name };
            text += &format!("| {name}{} |", row.mark);
            for cell in &row.cells {
                let number = escape_markdown(&cell.text);
                let number = match cell.rank {
                    Rank::Best => format!("**{number}**"),
                    Rank::Second => format!("<u>{number}</u>"),
                    Rank::Other => number,
                };
                text += &format!(" {} |", format!("{number} {}", cell.small).trim());
            }
            text.push('\n');
        }
        text.push('\n');
        for note in &self.notes {
            text += &format!("{}  \n", escape_markdown(note));
        }
        text
    }

    pub fn latex(&self) -> String {
        let heads: Vec<String> = self.heads.iter().map(|head| escape_latex(head)).collect();
        let mut text = format!(
            "\\begin{{table}}[t]\n  \\centering\n  \\caption{{{}. Best in bold, second underlined.}}\n  \\label{{tab:{}}}\n  \
             \\begin{{tabular}}{{l{}}}\n    \\toprule\n    {} \\\\\n    \\midrule\n",
            escape_latex(&self.caption),
            self.label,
            "r".repeat(self.heads.len() - 1),
            started_latex(heads.join(" & "))
        );
        for row in &self.rows {
            let name = started_latex(escape_latex(&row.name));
            let name = if row.apart {
                format!("\\emph{{{name}}}")
            } else {
                name
            };
            text += &format!("    {name}{}", escape_latex(&row.mark));
            for cell in &row.cells {
                let number = escape_latex(&cell.text);
                text += &match cell.rank {
                    Rank::Best => format!(" & \\textbf{{{number}}}"),
                    Rank::Second => format!(" & \\underline{{{number}}}"),
                    Rank::Other => format!(" & {number}"),
                };
                if !cell.small.is_empty() {
                    text += &format!(" {{\\scriptsize {}}}", escape_latex(&cell.small));
                }
            }
            text += " \\\\\n";
        }
        text += "    \\bottomrule\n  \\end{tabular}\n";
        for note in &self.notes {
            text += &format!("  \\par\\smallskip\\footnotesize {}\n", escape_latex(note));
        }
        text + "\\end{table}\n"
    }

    /// For a window of this width.
    pub fn terminal(&self, width: Option<u16>) -> String {
        let heads: Vec<&str> = self.heads.iter().map(String::as_str).collect();
        let mut grid = export::grid(&heads, width);
        for row in &self.rows {
            let name = export::plain(&format!("{}{}", row.name, row.mark));
            let cells = row.cells.iter().map(|cell| {
                let mark = match cell.rank {
                    Rank::Best => "*",
                    Rank::Second => "'",
                    Rank::Other => "",
                };
                format!("{}{mark} {}", cell.text, cell.small)
                    .trim_end()
                    .to_owned()
            });
            grid.add_row(export::aligned(std::iter::once(name).chain(cells)));
        }
        let mut shown = format!("{}\n{}\n", export::plain(&self.caption), grid.trim_fmt());
        for note in &self.notes {
            shown += &format!("{}\n", export::plain(note));
        }
        shown
    }

    /// A `<table>` element.
    pub fn html(&self) -> String {
        let mut text = format!(
            "<table class=\"levels\">\n<caption>{}</caption>\n<thead><tr>",
            escape_html(&self.caption)
        );
        for (at, head) in self.heads.iter().enumerate() {
            let class = if at == 0 { "" } else { " class=\"number\"" };
            text += &format!("<th scope=\"col\"{class}>{}</th>", escape_html(head));
        }
        text += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            let class = if row.apart { " class=\"control\"" } else { "" };
            let (name, mark) = (escape_html(&row.name), escape_html(&row.mark));
            text += &format!("<tr{class}><th scope=\"row\">{name}{mark}</th>");
            for cell in &row.cells {
                let number = escape_html(&cell.text);
                let number = match cell.rank {
                    Rank::Best => format!("<b>{number}</b>"),
                    Rank::Second => format!("<u>{number}</u>"),
                    Rank::Other => number,
                };
                let small = if cell.small.is_empty() {
                    String::new()
                } else {
                    format!(" <small>{}</small>", escape_html(&cell.small))
                };
                text += &format!("<td class=\"number\">{number}{small}</td>");
            }
            text += "</tr>\n";
        }
        let notes: Vec<String> = self.notes.iter().map(|note| escape_html(note)).collect();
        text += &format!(
            "</tbody>\n<tfoot><tr><td colspan=\"{}\">{}</td></tr></tfoot>\n</table>\n",
            self.heads.len(),
            notes.join("<br>")
        );
        text
    }
}
