//! The grading rules: one file each, with its description, and one list of them.
//!
//! A new rule is a file here and its two lines below.

mod accuracy;
mod anls;
mod contains;
mod dpg;
mod edit_distance;
mod edit_measures;
mod exact_match;
mod gedit;
mod genai;
mod geneval;
mod geneval2;
mod imgedit;
mod longtext;
mod maps;
mod measure;
mod measures;
mod mini_world;
mod mmmu;
mod multiple_choice;
pub(super) mod noise;
mod numeric;
mod object_edit;
mod ocrbench;
mod ocrbench_v2;
mod oneig_text;
mod page_ocr;
mod relaxed_accuracy;
mod reward;
mod text_distance;
mod text_drift;
mod text_recall;
mod unified_reward;
mod vqa_accuracy;
mod wise;
mod yes_no;

use super::description::RuleDescription;

/// All rules, by name.
pub const RULES: &[&RuleDescription] = &[
    &accuracy::RULE,
    &anls::RULE,
    &contains::RULE,
    &dpg::RULE,
    &edit_distance::RULE,
    &edit_measures::RULE,
    &exact_match::RULE,
    &gedit::RULE,
    &genai::RULE,
    &geneval::RULE,
    &geneval::SOFT,
    &geneval2::RULE,
    &imgedit::RULE,
    &longtext::RULE,
    &maps::RULE,
    &measure::RULE,
    &measures::RULE,
    &mini_world::RULE,
    &mmmu::RULE,
    &multiple_choice::RULE,
    &noise::RULE,
    &numeric::RULE,
    &object_edit::RULE,
    &ocrbench::RULE,
    &ocrbench_v2::RULE,
    &oneig_text::RULE,
    &page_ocr::RULE,
    &relaxed_accuracy::RULE,
    &reward::RULE,
    &text_distance::RULE,
    &text_drift::RULE,
    &text_recall::RULE,
    &unified_reward::RULE,
    &vqa_accuracy::RULE,
    &wise::RULE,
    &yes_no::RULE,
];
