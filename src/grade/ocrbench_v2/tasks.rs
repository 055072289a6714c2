//! The tasks of OCRBench v2: by which metric each is graded, and which capability it counts for.

/// A task type of the official file.
#[derive(Debug)]
pub(super) struct Task {
    /// `type` in the official file; its last word is the language.
    pub(super) name: &'static str,
    /// As the official aggregation calls it.
    pub(super) capability: &'static str,
    pub(super) family: Family,
}

/// Tasks that are graded alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Questions with short answers or a choice of letters.
    Vqa,
    VqaCn,
    /// Letters, or a text where the question asks for a short answer in words.
    Handwriting,
    Formula,
    FormulaCn,
    Counting,
    /// HTML or Markdown, as the question asks.
    Table,
    TableCn,
    Chart,
    Document,
    KeyInformation,
    KeyInformationCn,
    Position,
    Text,
    Translation,
    Grounding,
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
    task("key information extraction en", RELATIONS, Family::KeyInformation),
    task("key information mapping en", RELATIONS, Family::KeyInformation),
    task("math QA en", CALCULATION, Family::Vqa),
    task("full-page OCR en", RECOGNITION, Family::Text),
    task("reasoning VQA en", REASONING, Family::Vqa),
    task("fine-grained text recognition en", RECOGNITION, Family::Text),
    task("science QA en", REASONING, Family::Vqa),
    task("table parsing en", PARSING, Family::Table),
    task("text counting en", CALCULATION, Family::Counting),
    task("text grounding en", "text_detection", Family::Grounding),
    task("text recognition en", RECOGNITION, Family::Vqa),
    task("text spotting en", "text_spotting", Family::Spotting),
    task("document classification en", UNDERSTANDING, Family::Vqa),
    task("cognition VQA en", UNDERSTANDING, Family::Vqa),
    task("VQA with position en", "text_detection", Family::Position),
    task("chart parsing en", PARSING, Family::Chart),
    task("document parsing en", PARSING, Family::Document),
    task("formula recognition en", PARSING, Family::Formula),
    task("diagram QA en", UNDERSTANDING, Family::Vqa),
    task("cognition VQA cn", UNDERSTANDING, Family::VqaCn),
    task("key information extraction cn", RELATIONS, Family::KeyInformationCn),
    task("formula recognition cn", PARSING, Family::FormulaCn),
    task("full-page OCR cn", RECOGNITION, Family::Text),
    task("reasoning VQA cn", REASONING, Family::VqaCn),
    task("text translation cn", REASONING, Family::Translation),
    task("table parsing cn", PARSING, Family::TableCn),
    task("handwritten answer extraction cn", RELATIONS, Family::Handwriting),
    task("document parsing cn", PARSING, Family::Document),
];

const CALCULATION: &str = "mathematical_calculation";
const PARSING: &str = "element_parsing";
const REASONING: &str = "knowledge_reasoning";
const RECOGNITION: &str = "text_recognition";
const RELATIONS: &str = "relationship_extraction";
const UNDERSTANDING: &str = "visual_text_understanding";

impl Task {
    /// By its name in the official file.
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        TASKS.iter().find(|task| task.name == name)
    }

    /// `en` or `cn`.
    pub(super) fn language(&self) -> &'static str {
        if self.name.ends_with("cn") { "cn" } else { "en" }
    }
}
