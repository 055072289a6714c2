//! How near a long text comes to its reference (`page_ocr_metric.py` of OCRBench v2): the mean of BLEU,
//! METEOR, F-measure and edit similarity.

use crate::python::whitespace::words;
use crate::text::bleu::bleu;
use crate::text::distance;
use crate::text::meteor::meteor;
use crate::text::segment::segment;
use crate::text::wordnet::WordNet;
use std::collections::HashSet;
use std::fmt;

/// The four measures, each in 0..=1, and their mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Text4 {
    /// BLEU with its usual four orders, 0 to 1.
    pub bleu: f64,
    /// METEOR. Without WordNet, it is a lower bound.
    pub meteor: f64,
    /// The F-measure of the sets of words. `None` if a set is empty. It then counts as 0 in the mean.
    pub f_measure: Option<f64>,
    /// Levenshtein distance of characters / length of the longer text; 0 for two empty texts.
    pub edit_distance: f64,
    /// (BLEU + METEOR + F + 1 − edit distance) / 4.
    pub score: f64,
}

/// The four measures in words.
impl fmt::Display for Text4 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "BLEU {:.4}, METEOR {:.4}, ",
            self.bleu, self.meteor
        )?;
        match self.f_measure {
            Some(f_measure) => write!(formatter, "F-measure {f_measure:.4}, ")?,
            None => formatter.write_str("no F-measure (no words), ")?,
        }
        write!(formatter, "edit distance {:.4}", self.edit_distance)
    }
}

/// What a summary must say about METEOR.
pub(crate) fn meteor_note(synonyms: Option<&WordNet>) -> String {
    match synonyms {
        Some(_) => "METEOR's synonyms are WordNet's".to_owned(),
        None => "without WordNet: METEOR has no synonym stage and is a lower bound (`unigauge fetch wordnet`)".to_owned(),
    }
}

/// Compares a prediction with its reference. Words are those of Python's jieba when one of the texts has a
/// Chinese character, else what blanks separate.
pub(crate) fn text4(prediction: &str, reference: &str, synonyms: Option<&WordNet>) -> Text4 {
    let chinese = is_chinese(prediction) || is_chinese(reference);
    let split = |text| {
        if chinese {
            segment(text)
        } else {
            words(text).collect()
        }
    };
    let (hypothesis, expected) = (split(prediction), split(reference));
    let bleu = bleu(&expected, &hypothesis);
    let meteor = meteor(&expected, &hypothesis, synonyms);
    let f_measure = f_measure(&expected, &hypothesis);
    let edit_distance = distance::normalised(prediction, reference);
    Text4 {
        bleu,
        meteor,
        f_measure,
        edit_distance,
        score: (bleu + meteor + f_measure.unwrap_or(0.0) + (1.0 - edit_distance)) / 4.0,
    }
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{4e00}'..='\u{9fa5}'))
}

/// The harmonic mean of precision and recall of the sets of words.
fn f_measure(reference: &[&str], hypothesis: &[&str]) -> Option<f64> {
    let reference: HashSet<&str> = reference.iter().copied().collect();
    let hypothesis: HashSet<&str> = hypothesis.iter().copied().collect();
    if reference.is_empty() || hypothesis.is_empty() {
        return None;
    }
    let common = reference.intersection(&hypothesis).count() as f64;
    if common == 0.0 {
        return Some(0.0);
    }
    let (precision, recall) = (
        common / hypothesis.len() as f64,
        common / reference.len() as f64,
    );
    Some(1.0 / (0.5 / precision + 0.5 / recall))
}
