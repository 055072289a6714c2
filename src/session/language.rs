//! Prompts in a language that a model is not made for.

use crate::config::ModelFile;
use crate::record::Item;

/// A warning about prompts in a language that the model's definition does not name. `None` if there are none.
pub(super) fn foreign_prompts(model: &ModelFile, items: &[Item]) -> Option<String> {
    if model.languages.is_empty() {
        return None;
    }
    let foreign = |item: &&Item| {
        !model
            .languages
            .iter()
            .any(|own| own == prompt_language(item))
    };
    let count = items.iter().filter(foreign).count();
    (count > 0).then(|| {
        format!(
            "warning: {} is for {}; {count} of {} prompts are in another language",
            model.title,
            model.languages.join(" and "),
            items.len()
        )
    })
}

/// The language of a prompt: the one that the suite names, or else the one of its letters.
fn prompt_language(item: &Item) -> &str {
    match item.expect.get("language").and_then(|value| value.as_str()) {
        Some(language) => language,
        None if item.prompt.chars().any(is_han) => "zh",
        None => "en",
    }
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}
