//! The tables that OneIG-Bench's `text_score.py` writes: one of the model, one of the prompts.

use super::{OneIgText, official_numbers, read_expect};
use crate::grade::pooled::{Pooled as _, add_terms};
use crate::grade::rule::{Board, OfficialFile};
use crate::python::csv::cell;
use crate::record::{Grade, Item};
use crate::stats::formula::Terms;
use crate::text::normalise::Language;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// The code of the language in the names of metrics.
pub(super) const fn code(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Zh => "zh",
    }
}

/// Sums over the pictures of each language.
pub(super) fn by_language(rule: &OneIgText, board: &Board<'_>) -> BTreeMap<Language, Terms> {
    let languages: HashMap<&str, Language> = board
        .items
        .iter()
        .filter_map(|item| Some((item.item.as_str(), read_expect(&item.expect).ok()?.language)))
        .collect();
    let mut sums = BTreeMap::new();
    for grade in board.grades {
        if let (Some(&language), Some(terms)) =
            (languages.get(grade.item.as_str()), rule.terms(grade))
        {
            add_terms(sums.entry(language).or_default(), &terms);
        }
    }
    sums
}

/// `text_score_EN.csv` and `text_prompt_score_EN.csv`, and the same with `ZH`, for languages with a picture.
pub(super) fn files(rule: &OneIgText, board: &Board<'_>) -> Vec<OfficialFile> {
    let mut files = Vec::new();
    for (language, sums) in by_language(rule, board) {
        let Some(numbers) = official_numbers(&sums) else {
            continue;
        };
        let mode = code(language).to_uppercase();
        let model = cell(board.model);
        files.push(OfficialFile {
            name: format!("text_score_{mode}.csv"),
            text: format!(
                ",ED,CR,WAC,text score\n{model},{:?},{:?},{:?},{:?}\n",
                numbers.ed, numbers.cr, numbers.wac, numbers.score
            ),
        });
        files.push(OfficialFile {
            name: format!("text_prompt_score_{mode}.csv"),
            text: prompts(board, language, &model),
        });
    }
    files
}

/// A row for each prompt: the means of the distance, of exactness and of the pictures' own ratios. Empty if
/// no picture counts.
fn prompts(board: &Board<'_>, language: Language, model: &str) -> String {
    let mut grades: HashMap<&str, Vec<&Grade>> = HashMap::new();
    for grade in board.grades.iter().filter(|grade| grade.score.is_some()) {
        grades.entry(grade.item.as_str()).or_default().push(grade);
    }
    let mut text = format!(",{model}\n");
    for item in board.items {
        if read_expect(&item.expect).is_ok_and(|expect| expect.language == language) {
            let of_item = grades.get(item.item.as_str());
            let means = of_item.and_then(|grades| {
                Some([
                    mean(grades, "ed")?,
                    mean(grades, "cr")?,
                    mean(grades, "wac")?,
                ])
            });
            let _ = match means {
                Some([ed, cr, wac]) => {
                    writeln!(text, "{},\"[{ed:?}, {cr:?}, {wac:?}]\"", cell(&id(item)))
                }
                None => writeln!(text, "{},", cell(&id(item))),
            };
        }
    }
    text
}

fn mean(grades: &[&Grade], part: &str) -> Option<f64> {
    let parts = grades.iter().filter_map(|grade| grade.parts.get(part));
    crate::text::recall::mean(parts.copied())
}

fn id(item: &Item) -> String {
    match item.expect.get("prompt_id") {
        Some(serde_json::Value::String(id)) => id.clone(),
        Some(serde_json::Value::Number(id)) => id.to_string(),
        _ => item.item.clone(),
    }
}
