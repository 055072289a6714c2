//! What observers saw in a picture, drawn over it.

use serde::Serialize;
use serde_json::Value;

/// A shape to draw over the picture, in its pixels.
#[derive(Debug, PartialEq, Serialize)]
pub struct Mark {
    /// `x, y` of each corner, in turn.
    pub points: Vec<i32>,
    pub label: String,
    /// Confidence, 0 to 1.
    pub score: f64,
}

/// Detections below this are noise to a reader; GenEval's rule does not look at them either.
const DETECTION_THRESHOLD: f64 = 0.3;
/// Shapes a picture, highest score first for detections, reading order for text.
const MOST_MARKS: usize = 60;

/// The text that OCR read, if this is its evidence.
pub fn text_read(evidence: &Value) -> Option<String> {
    evidence.get("lines")?;
    Some(evidence.get("text")?.as_str()?.to_owned())
}

/// Boxes of detections and polygons of text lines.
pub fn marks(evidence: &Value) -> Vec<Mark> {
    let list = |key: &str| {
        evidence
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let score = |value: &Value| value.get("score").and_then(Value::as_f64).unwrap_or(0.0);
    let label = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let mut marks: Vec<Mark> = list("detections")
        .iter()
        .filter(|detection| score(detection) >= DETECTION_THRESHOLD)
        .filter_map(|detection| {
            let [left, top, right, bottom] = numbers(detection.get("box")?)[..] else {
                return None;
            };
            let color = label(detection, "color");
            Some(Mark {
                points: vec![left, top, right, top, right, bottom, left, bottom],
                label: format!("{color} {}", label(detection, "class"))
                    .trim()
                    .to_owned(),
                score: score(detection),
            })
        })
        .collect();
    marks.sort_by(|a, b| b.score.total_cmp(&a.score));
    marks.extend(list("lines").iter().filter_map(|line| {
        let points: Vec<i32> = line
            .get("polygon")?
            .as_array()?
            .iter()
            .flat_map(numbers)
            .collect();
        (points.len() >= 6 && points.len().is_multiple_of(2)).then(|| Mark {
            points,
            label: label(line, "text"),
            score: score(line),
        })
    }));
    marks.truncate(MOST_MARKS);
    marks
}

fn numbers(value: &Value) -> Vec<i32> {
    let values = value.as_array().map_or(&[][..], Vec::as_slice);
    values
        .iter()
        .filter_map(Value::as_f64)
        .map(|number| number.round() as i32)
        .collect()
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
