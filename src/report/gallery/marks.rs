//! What observers saw in a picture, drawn over it.

use crate::record::evidence::{self, Detection, Detections, Field, Line, ReadText, TextReading};
use serde::Serialize;
use serde_json::Value;

/// A shape to draw over the picture, in its pixels.
#[derive(Debug, PartialEq, Serialize)]
pub struct Mark {
    /// `x, y` of each corner, in turn.
    pub points: Vec<i32>,
    /// What it is.
    pub label: String,
    /// Confidence, 0 to 1.
    pub score: f64,
}

/// Detections with a lower score are noise to a reader. GenEval's rule does not look at them either.
const DETECTION_THRESHOLD: f64 = 0.3;
/// How many shapes a picture has at most: the detections with the highest scores, or the first lines of text.
const MOST_MARKS: usize = 60;

/// The numbers among the elements of a list.
type Numbers = Vec<Field<f64>>;

/// Lines with polygons of any form.
type LooseLine<'a> = Line<'a, Vec<Field<Numbers>>>;

/// The text that OCR read, if this is its evidence.
pub(super) fn text_read(evidence: &Value) -> Option<String> {
    let seen: ReadText<'_> = evidence::read(evidence);
    let text = seen.text.get().filter(|_| !seen.lines.is_absent())?;
    Some(text.to_string())
}

/// Boxes of detections and polygons of text lines.
pub(super) fn marks(evidence: &Value) -> Vec<Mark> {
    let seen: Detections<'_, Numbers> = evidence::read(evidence);
    let detections = seen.detections.get().into_iter().flatten();
    let mut marks: Vec<Mark> = detections.filter_map(|seen| boxed(seen.get()?)).collect();
    marks.sort_by(|a, b| b.score.total_cmp(&a.score));
    let seen: TextReading<'_, Vec<Field<LooseLine<'_>>>> = evidence::read(evidence);
    let lines = seen.lines.get().into_iter().flatten();
    marks.extend(lines.filter_map(|line| outlined(line.get()?)));
    marks.truncate(MOST_MARKS);
    marks
}

/// The box of a detection that is sure enough.
fn boxed(detection: &Detection<'_, Numbers>) -> Option<Mark> {
    let score = detection.score.get().copied().unwrap_or(0.0);
    if score < DETECTION_THRESHOLD {
        return None;
    }
    let [left, top, right, bottom] = pixels(detection.bbox.get()?)[..] else {
        return None;
    };
    let label = format!("{} {}", detection.color.text(), detection.class.text());
    Some(Mark {
        points: vec![left, top, right, top, right, bottom, left, bottom],
        label: label.trim().to_owned(),
        score,
    })
}

/// The polygon of a line.
fn outlined(line: &LooseLine<'_>) -> Option<Mark> {
    let corners = line.polygon.get()?.iter().filter_map(Field::get);
    let points: Vec<i32> = corners.flat_map(pixels).collect();
    (points.len() >= 6 && points.len().is_multiple_of(2)).then(|| Mark {
        points,
        label: line.text.text().to_owned(),
        score: line.score.get().copied().unwrap_or(0.0),
    })
}

fn pixels(numbers: &Numbers) -> Vec<i32> {
    let numbers = numbers.iter().filter_map(Field::get);
    numbers.map(|number| number.round() as i32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn detections_become_boxes_and_weak_ones_are_left_out() {
        let evidence = json!({"width": 64, "height": 64, "detections": [
            {"class": "cup", "score": 0.1, "box": [0, 0, 5, 5]},
            {"class": "dog", "score": 0.5, "box": [1.4, 2, 30, 40], "color": "red"},
            {"class": "cat", "score": 0.9, "box": [1, 2, 3]},
        ]});
        let dog = Mark {
            points: vec![1, 2, 30, 2, 30, 40, 1, 40],
            label: "red dog".to_owned(),
            score: 0.5,
        };
        assert_eq!(marks(&evidence), [dog]);
    }
}
