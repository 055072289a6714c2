//! Boxes `x1, y1, x2, y2`, and how much of them overlaps.

use super::patterns::{SPACE, pattern};
use crate::python::number::int;
use crate::python::value::Value;
use regex::Regex;
use std::sync::LazyLock;

/// Coordinates are thousandths of the picture's sides.
pub(super) const LARGEST: i128 = 1000;

/// Four numbers in brackets, which need not be of one kind.
static GROUP: LazyLock<Regex> = LazyLock::new(|| {
    let number = format!(r"[{SPACE}]*(\d+)[{SPACE}]*");
    let numbers = [number.as_str(); 4].join(",");
    pattern(&format!(r"[\(\[]{numbers}[\)\]]"))
});

pub(super) type Box4 = [i128; 4];

/// The last group of four whole numbers from 0 to 1000, in round or square brackets.
pub(super) fn last_in(text: &str) -> Option<Box4> {
    let groups = GROUP.captures_iter(text).filter_map(|group| {
        let mut corners = [0; 4];
        for (index, corner) in corners.iter_mut().enumerate() {
            *corner = int(group.get(index + 1)?.as_str())?;
        }
        corners.iter().all(|&c| c <= LARGEST).then_some(corners)
    });
    groups.last()
}

/// The first four parts of a value, as `int` converts them: floats lose their fraction, and texts are read.
///
/// # Errors
/// Fails if the value has no parts, one of them is not a number, or there are fewer than four.
pub(super) fn of_value(value: &Value) -> Result<Box4, String> {
    let parts: Vec<Value> = match value {
        Value::List(all) | Value::Tuple(all) | Value::Set(all) => all.clone(),
        Value::Dict(dict) => dict.iter().map(|(key, _)| key.clone()).collect(),
        Value::Str(text) => text.chars().map(|c| Value::Str(c.to_string())).collect(),
        Value::Bytes(bytes) => bytes.iter().map(|b| Value::Int(b.to_string())).collect(),
        other => return Err(format!("{} has no coordinates", other.repr())),
    };
    let wrong = |part: &Value| format!("{} is not a coordinate", part.repr());
    let numbers = parts.iter().map(|part| {
        let number = match part {
            Value::Int(digits) => int(digits),
            Value::Bool(value) => Some(i128::from(*value)),
            // A cast takes the nearest value that fits.
            Value::Float(value) if value.is_finite() => Some(*value as i128),
            Value::Str(text) => int(text),
            Value::Bytes(bytes) => std::str::from_utf8(bytes).ok().and_then(int),
            _ => None,
        };
        number.ok_or_else(|| wrong(part))
    });
    let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
    let first = numbers.first_chunk().copied();
    first.ok_or_else(|| format!("{} has fewer than four coordinates", value.repr()))
}

/// Intersection over union of plain areas. It is 0 when the union is 0. For corners in the wrong order, the
/// result is that of the formula.
pub(super) fn iou(a: Box4, b: Box4) -> f64 {
    let width = overlap((a[0], a[2]), (b[0], b[2]));
    let height = overlap((a[1], a[3]), (b[1], b[3]));
    let common = width.saturating_mul(height);
    let area = |[x1, y1, x2, y2]: Box4| x2.saturating_sub(x1).saturating_mul(y2.saturating_sub(y1));
    let union = area(a).saturating_add(area(b)).saturating_sub(common);
    if union == 0 {
        return 0.0;
    }
    common as f64 / union as f64
}

fn overlap(a: (i128, i128), b: (i128, i128)) -> i128 {
    a.1.min(b.1).saturating_sub(a.0.max(b.0)).max(0)
}
