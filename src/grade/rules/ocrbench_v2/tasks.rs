//! The tasks of OCRBench v2: the metric that grades each of them, and the capability for which it counts.

use crate::record::Item;
use serde_json::Value;

/// A task type of the official file.
#[derive(Debug)]
pub(super) struct Task {
    /// `type` in the official file; its last word is the language.
    pub(super) name: &'static str,
    /// The language and what the official aggregation calls the capability.
    pub(super) capability: &'static str,
    /// How it is graded.
    pub(super) family: Family,
}

/// Tasks that are graded in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Questions with short answers or a choice of letters.
    Vqa,
    /// The same in Chinese.
    VqaCn,
    /// Letters, or a text where the question asks for a short answer in words.
    Handwriting,
    /// Formulas in LaTeX.
    Formula,
    /// The same in Chinese.
    FormulaCn,
    /// Numbers of things.
    Counting,
    /// HTML or Markdown, as the question asks.
    Table,
    /// The same in Chinese.
    TableCn,
    /// Charts as dictionaries.
    Chart,
    /// Pages as Markdown trees.
    Document,
    /// Keys and values.
    KeyInformation,
    /// The same in Chinese.
    KeyInformationCn,
    /// The text and its box.
    Position,
    /// Whole texts.
    Text,
    /// Translations of texts.
    Translation,
    /// The box of a text.
    Grounding,
    /// All words with their boxes.
    Spotting,
}

const fn task(name: &'static str, capability: &'static str, family: Family) -> Task {
    Task {
        name,
        capability,
        family,
    }
}

/// In the order of the official script.
pub(super) const TASKS: [Task; 30] = [
    task("APP agent en", REASONING, Family::Vqa),
    task("ASCII art classification en", REASONING, Family::Vqa),
    task(
        "key information extraction en",
        RELATIONS,
        Family::KeyInformation,
    ),
    task(
        "key information mapping en",
        RELATIONS,
        Family::KeyInformation,
    ),
    task("math QA en", CALCULATION, Family::Vqa),
    task("full-page OCR en", RECOGNITION, Family::Text),
    task("reasoning VQA en", REASONING, Family::Vqa),
    task(
        "fine-grained text recognition en",
        RECOGNITION,
        Family::Text,
    ),
    task("science QA en", REASONING, Family::Vqa),
    task("table parsing en", PARSING, Family::Table),
    task("text counting en", CALCULATION, Family::Counting),
    task("text grounding en", DETECTION, Family::Grounding),
    task("text recognition en", RECOGNITION, Family::Vqa),
    task("text spotting en", SPOTTING, Family::Spotting),
    task("document classification en", UNDERSTANDING, Family::Vqa),
    task("cognition VQA en", UNDERSTANDING, Family::Vqa),
    task("VQA with position en", DETECTION, Family::Position),
    task("chart parsing en", PARSING, Family::Chart),
    task("document parsing en", PARSING, Family::Document),
    task("formula recognition en", PARSING, Family::Formula),
    task("diagram QA en", UNDERSTANDING, Family::Vqa),
    task("cognition VQA cn", UNDERSTANDING_CN, Family::VqaCn),
    task(
        "key information extraction cn",
        RELATIONS_CN,
        Family::KeyInformationCn,
    ),
    task("formula recognition cn", PARSING_CN, Family::FormulaCn),
    task("full-page OCR cn", RECOGNITION_CN, Family::Text),
    task("reasoning VQA cn", REASONING_CN, Family::VqaCn),
    task("text translation cn", REASONING_CN, Family::Translation),
    task("table parsing cn", PARSING_CN, Family::TableCn),
    task(
        "handwritten answer extraction cn",
        RELATIONS_CN,
        Family::Handwriting,
    ),
    task("document parsing cn", PARSING_CN, Family::Document),
];

const CALCULATION: &str = "en mathematical_calculation";
const DETECTION: &str = "en text_detection";
const PARSING: &str = "en element_parsing";
const PARSING_CN: &str = "cn element_parsing";
const REASONING: &str = "en knowledge_reasoning";
const REASONING_CN: &str = "cn knowledge_reasoning";
const RECOGNITION: &str = "en text_recognition";
const RECOGNITION_CN: &str = "cn text_recognition";
const RELATIONS: &str = "en relationship_extraction";
const RELATIONS_CN: &str = "cn relationship_extraction";
const SPOTTING: &str = "en text_spotting";
const UNDERSTANDING: &str = "en visual_text_understanding";
const UNDERSTANDING_CN: &str = "cn visual_text_understanding";

impl Task {
    /// The task with this name in the official file.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        TASKS.iter().find(|task| task.name == name)
    }

    /// The task of an item.
    pub(super) fn of_item(item: &Item) -> Option<&'static Self> {
        Self::named(item.expect.get("type").and_then(Value::as_str)?)
    }

    /// `en` or `cn`.
    pub(super) fn language(&self) -> &'static str {
        if self.name.ends_with("cn") {
            "cn"
        } else {
            "en"
        }
    }
}
