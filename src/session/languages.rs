//! A model for one language that is asked in another.

use crate::commands::progress::say;
use crate::config::ModelFile;
use crate::record::Item;

/// Says how many prompts are in a language that the model's definition does not name.
pub fn warn(model: &ModelFile, items: &[Item]) {
    if model.languages.is_empty() {
        return;
    }
    let foreign = |item: &&Item| !model.languages.iter().any(|own| own == language(item));
    let count = items.iter().filter(foreign).count();
    if count > 0 {
        say(format!(
            "warning: {} is for {}; {count} of {} prompts are in another language",
            model.title,
            model.languages.join(" and "),
            items.len()
        ));
    }
}

/// What the suite says of an item, else by its letters.
fn language(item: &Item) -> &str {
    match item.expect.get("language").and_then(|value| value.as_str()) {
        Some(language) => language,
        None if item.prompt.chars().any(is_han) => "zh",
        None => "en",
    }
}

fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}
