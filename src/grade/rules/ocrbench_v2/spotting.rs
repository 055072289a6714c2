//! Spotting: words with their boxes, by ICDAR's end-to-end rule.

use super::boxes::{Box4, LARGEST};
use super::patterns::{SPACE, pattern};
use crate::python;
use crate::python::number::int;
use crate::python::value::Value;
use crate::python::whitespace::strip;
use regex::Regex;
use serde_json::Value as Json;
use std::collections::HashSet;
use std::sync::LazyLock;

/// The innermost brackets of a text, of any kind.
static GROUP: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"[\[\(][{SPACE}]*([^\[\]\(\)]*?)[{SPACE}]*[\]\)]")));

/// A transcription in quotation marks, after a line was read back.
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r#"^[{SPACE}]*"(.*)"[{SPACE}]*$"#)));

/// Characters that may be missing at the ends of a right transcription.
const SPECIAL: &str = "!?.:,*\"()·[]/'";

/// An answer that does not have to be found. It is not wrong to find it either.
const ANY: &str = "###";

/// A word and its box.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Word {
    pub(super) corners: Box4,
    pub(super) text: String,
}

impl Word {
    /// The answers: `bbox` is a list of polygons `[x1, y1, x2, y2, …]`, of which the upright hull counts, and
    /// `content` has their texts.
    ///
    /// # Errors
    /// Fails if another value is among them. The official script would stop here.
    pub(super) fn read_answers(bbox: &Json, content: &Json) -> Result<Vec<Self>, String> {
        let list = |value: &Json, name: &str| match value {
            Json::Array(all) => Ok(all.clone()),
            other => Err(format!("`{name}` is {other}, where a list was expected")),
        };
        let polygons = list(bbox, "bbox")?;
        let texts = list(content, "content")?;
        let words = polygons.iter().zip(&texts).map(|(polygon, text)| {
            let wrong = || {
                format!("`bbox` has {polygon}, where whole numbers x1, y1, x2, y2, … were expected")
            };
            let numbers = polygon.as_array().ok_or_else(wrong)?;
            let numbers = numbers.iter().map(|n| n.as_i64().map(i128::from));
            let numbers: Vec<i128> = numbers.collect::<Option<_>>().ok_or_else(wrong)?;
            let text = text.as_str().filter(|text| !text.contains('\n'));
            let text = text.ok_or("`content` has an element that is not a text of one line")?;
            let (xs, ys) = (numbers.iter().step_by(2), numbers.iter().skip(1).step_by(2));
            match (xs.clone().min(), ys.clone().min(), xs.max(), ys.max()) {
                (Some(&x1), Some(&y1), Some(&x2), Some(&y2)) => Ok(Self {
                    corners: [x1, y1, x2, y2],
                    text: text.to_owned(),
                }),
                _ => Err(wrong()),
            }
        });
        words.collect()
    }
}

/// The words of a prediction: a Python list of `[x1, y1, x2, y2, text]`, or else every bracket with five
/// parts. Repeated words are dropped, and so are boxes outside 0 to 1000 or with coordinates that are not
/// whole numbers.
pub(super) fn parse(prediction: &str) -> Vec<Word> {
    let parts: Vec<Option<Word>> = match python::literal::parse(prediction) {
        Some(Value::List(all) | Value::Tuple(all)) => all.iter().map(of_value).collect(),
        None | Some(Value::None) => {
            let groups = GROUP
                .captures_iter(prediction)
                .filter_map(|group| group.get(1));
            groups.map(|group| of_text(group.as_str())).collect()
        }
        Some(_) => Vec::new(),
    };
    let mut seen = HashSet::new();
    let words = parts.into_iter().flatten();
    words.filter(|word| seen.insert(word.clone())).collect()
}

fn of_value(value: &Value) -> Option<Word> {
    let (Value::List(parts) | Value::Tuple(parts)) = value else {
        return None;
    };
    let [x1, y1, x2, y2, text, ..] = parts.as_slice() else {
        return None;
    };
    let corners = [x1, y1, x2, y2].map(Value::to_str);
    read_word(corners.each_ref().map(String::as_str), &text.to_str())
}

fn of_text(group: &str) -> Option<Word> {
    let parts: Vec<&str> = group.splitn(5, ',').collect();
    let &[x1, y1, x2, y2, text] = parts.as_slice() else {
        return None;
    };
    read_word([x1, y1, x2, y2], text)
}

fn read_word(corners: [&str; 4], text: &str) -> Option<Word> {
    let mut numbers = [0; 4];
    for (number, corner) in numbers.iter_mut().zip(corners) {
        *number = int(corner).filter(|c| (0..=LARGEST).contains(c))?;
    }
    let text = text.replace('\n', "");
    let text = strip(&text).trim_matches('"').trim_matches('\'');
    Some(Word {
        corners: numbers,
        text: text.to_owned(),
    })
}

/// The number of words that were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Found {
    pub(super) right: usize,
    /// The words of the prediction and of the answer that count.
    pub(super) predicted: usize,
    pub(super) golden: usize,
}

impl Found {
    /// The harmonic mean of precision and recall.
    pub(super) fn score(self) -> f64 {
        let ratio = |whole: usize| {
            if whole == 0 {
                0.0
            } else {
                self.right as f64 / whole as f64
            }
        };
        let (recall, precision) = (ratio(self.golden), ratio(self.predicted));
        if recall + precision == 0.0 {
            return 0.0;
        }
        2.0 * recall * precision / (recall + precision)
    }
}

/// Compares. Each answer, in order, takes the first free detection whose intersection is more than half of
/// their union. The detection is right if its transcription is.
pub(super) fn compare(predicted: &[Word], gold: &[Word]) -> Found {
    let predicted: Vec<Word> = (predicted.iter())
        .filter(|word| word.corners[0] < word.corners[2] && word.corners[1] < word.corners[3])
        .map(read_back)
        .collect();
    let gold: Vec<Word> = gold.iter().map(read_back).collect();
    if predicted.is_empty() || gold.is_empty() {
        return Found::default();
    }
    let (any, gold): (Vec<_>, Vec<_>) = gold.into_iter().partition(|word| word.text == ANY);
    let counts = |word: &Word| {
        let mostly_in =
            |any: &Word| 2 * common_area(any.corners, word.corners) > area(word.corners);
        !any.iter().any(mostly_in)
    };
    let mut free: Vec<Option<&Word>> = predicted.iter().filter(|w| counts(w)).map(Some).collect();
    let mut found = Found {
        right: 0,
        predicted: free.len(),
        golden: gold.len(),
    };
    for answer in &gold {
        let paired = free.iter_mut().find(|word| {
            word.is_some_and(|word| {
                let common = common_area(answer.corners, word.corners);
                2 * common > area(answer.corners) + area(word.corners) - common
            })
        });
        if let Some(word) = paired.and_then(Option::take) {
            found.right += usize::from(is_same_text(&answer.text, &word.text));
        }
    }
    found
}

/// The word as the official script reads it back from the file that it wrote: without one pair of quotation
/// marks, and with `\"` and `\\` unescaped inside them.
fn read_back(word: &Word) -> Word {
    let text = word.text.replace('\r', "");
    let inner = QUOTED.captures(&text).and_then(|found| found.get(1));
    let text = match inner {
        Some(inner) => inner.as_str().replace("\\\\", "\\").replace("\\\"", "\""),
        None => text,
    };
    Word {
        corners: word.corners,
        text,
    }
}

fn area([x1, y1, x2, y2]: Box4) -> i128 {
    (x2 - x1) * (y2 - y1)
}

fn common_area(a: Box4, b: Box4) -> i128 {
    let side = |from: usize, to: usize| (a[to].min(b[to]) - a[from].max(b[from])).max(0);
    side(0, 2) * side(1, 3)
}

/// Equal in upper case. The answer may lose a special character at its ends.
fn is_same_text(gold: &str, said: &str) -> bool {
    let (gold, said) = (gold.to_uppercase(), said.to_uppercase());
    let without_first = gold.strip_prefix(|c| SPECIAL.contains(c));
    let without_last = gold.strip_suffix(|c| SPECIAL.contains(c));
    let without_both = without_first.and_then(|rest| rest.strip_suffix(|c| SPECIAL.contains(c)));
    // A single special character is both the first and the last. Without both, nothing is left of it.
    [
        Some(gold.as_str()),
        without_first,
        without_last,
        without_both,
    ]
    .into_iter()
    .flatten()
    .any(|accepted| accepted == said)
}
