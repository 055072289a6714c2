//! Generators, observers and rules: what each does, and its options.

use super::markdown::{cell, head, paragraphs};
use super::schema::{Form, tables};
use serde_json::Value;
use std::fmt::Write as _;
use unigauge::config::Settings;
use unigauge::generate::{GENERATORS, GeneratorKind};
use unigauge::grade::{RULES, Reads, RuleDescription};
use unigauge::observe::{OBSERVERS, ObserverKind};

/// One generator, observer or rule.
struct Section {
    name: &'static str,
    /// What it does, in a sentence.
    about: String,
    /// Further facts, a line each.
    facts: Vec<String>,
    /// The JSON schema of its options.
    options: Value,
}

/// The page of generators.
pub(super) fn generators() -> String {
    let sections: Vec<Section> = GENERATORS.iter().map(generator).collect();
    let introduction = "Who answers. A model file names one with `generator`, and its options are the table `[settings]` of that file \
                        ([run a model](../guides/run-a-model.md)).";
    page("Generators", introduction, &sections)
}

fn generator(kind: &GeneratorKind) -> Section {
    Section {
        name: kind.name,
        about: sentence(kind.about),
        facts: Vec::new(),
        options: (kind.schema)().to_value(),
    }
}

/// The page of observers.
pub(super) fn observers() -> String {
    let sections: Vec<Section> = OBSERVERS.iter().map(observer).collect();
    let introduction = "What looks at the outputs and writes evidence. A suite names them in `observers`, and the options of one are \
                        the table `[observe.NAME]` of that file. On the command line: `--set observe.NAME.KEY=VALUE`.";
    page("Observers", introduction, &sections)
}

fn observer(kind: &ObserverKind) -> Section {
    let mut facts = Vec::new();
    let assets = (kind.assets)(&Settings::default()).unwrap_or_default();
    if !assets.is_empty() {
        facts.push(format!(
            "Assets, as long as its options name no others: {}.",
            code(&assets)
        ));
    }
    if kind.on_device {
        facts.push("Its networks run on the device that `--device` names.".to_owned());
    }
    Section {
        name: kind.name,
        about: sentence(kind.about),
        facts,
        options: (kind.schema)().to_value(),
    }
}

/// The page of rules.
pub(super) fn rules() -> String {
    let sections: Vec<Section> = RULES.iter().map(|rule| section(rule)).collect();
    let introduction = "What grades. A suite names one with `rule` in its table `[grade]`, and its options are the table \
                        `[grade.options]`. On the command line: `--set grade.KEY=VALUE`, or `--set KEY=VALUE` of \
                        `unigauge grade`.";
    page("Rules", introduction, &sections)
}

fn section(rule: &RuleDescription) -> Section {
    let reads: Vec<String> = rule.reads.iter().map(read).collect();
    let mut facts = vec![format!("It reads {}.", reads.join(" or "))];
    if !rule.official_files.is_empty() {
        facts.push(format!(
            "Files in `official/`: {}.",
            code(rule.official_files)
        ));
    }
    if let Some(official) = rule.official_results {
        facts.push(format!(
            "`--evidence` takes the results of the benchmark's own script, too: {}.",
            official.format
        ));
    }
    for taken in rule.assets {
        facts.push(format!(
            "The option `{}` takes the asset `{}` once that was fetched.",
            taken.option, taken.asset
        ));
    }
    Section {
        name: rule.name,
        about: rule.about.to_owned(),
        facts,
        options: rule.options_schema().to_value(),
    }
}

fn read(reads: &Reads) -> String {
    match reads {
        Reads::Answer => "the text of the output".to_owned(),
        Reads::Evidence(key) => format!("the evidence `{key}`"),
        Reads::EvidenceOfOption(option) => format!("the evidence that the option `{option}` names"),
    }
}

/// Words with a capital letter and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn code(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// A page with a list, and a section for each.
fn page(title: &str, introduction: &str, sections: &[Section]) -> String {
    let mut page = head(title, "the program's own list");
    page += &paragraphs(introduction);
    page += "| name | what it does |\n|---|---|\n";
    for section in sections {
        let _ = writeln!(
            page,
            "| [`{0}`](#{0}) | {1} |",
            section.name,
            cell(&section.about)
        );
    }
    page += "\n";
    for section in sections {
        let _ = write!(page, "## `{}`\n\n{}\n\n", section.name, section.about);
        for fact in &section.facts {
            let _ = writeln!(page, "- {fact}");
        }
        if !section.facts.is_empty() {
            page += "\n";
        }
        page += &tables(&section.options, Form::Toml, 3);
    }
    page
}
