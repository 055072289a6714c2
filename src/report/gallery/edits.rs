//! What the gallery shows of an edit beside its pictures: where it changed, and what a judge said.

use crate::image::edit::Mask;
use crate::image::encode_mask;
use base64::Engine;
use serde::Serialize;
use serde_json::Value;

/// The change mask of the evidence, drawn.
#[derive(Debug, Serialize)]
pub struct ChangeMask {
    /// `data:` URI of a small PNG, a pixel for each cell.
    pub src: String,
    /// Parts of the picture's width and height that the cells cover: the rest at the right and the bottom is cut.
    #[serde(rename = "w")]
    pub width: f64,
    #[serde(rename = "h")]
    pub height: f64,
    /// Share of changed pixels.
    pub changed: f64,
}

/// One reply of a judge, word for word.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role: String,
    pub reply: String,
}

/// Longest side of a mask that is drawn, cells: that of the largest picture in cells of 8 pixels is below.
const LONGEST: usize = 16_384;

/// The mask of this evidence, if it has one that can be drawn.
pub fn change_mask(evidence: &Value) -> Option<ChangeMask> {
    let mask = evidence.get("mask")?;
    let number = |holder: &Value, key: &str| usize::try_from(holder.get(key)?.as_u64()?).ok();
    let (columns, rows) = (number(mask, "width")?, number(mask, "height")?);
    let cell = number(mask, "cell")?;
    let (width, height) = (number(evidence, "width")?, number(evidence, "height")?);
    let sides = 1..=LONGEST;
    if !sides.contains(&columns) || !sides.contains(&rows) || width == 0 || height == 0 {
        return None;
    }
    let runs = mask.get("runs")?.as_array()?.iter();
    let runs: Vec<u32> = runs
        .map(|run| u32::try_from(run.as_u64()?).ok())
        .collect::<Option<_>>()?;
    let png = encode_mask(&Mask::from_runs(columns, rows, &runs)?).ok()?;
    let text = base64::engine::general_purpose::STANDARD.encode(png);
    let covered = |cells: usize, side: usize| (cells * cell) as f64 / side as f64;
    Some(ChangeMask {
        src: format!("data:image/png;base64,{text}"),
        width: covered(columns, width),
        height: covered(rows, height),
        changed: evidence.get("edit_fraction").and_then(Value::as_f64)?,
    })
}

/// Who gave a reply; where nobody says, who was asked for it.
fn model(call: &Value, evidence: &Value) -> String {
    let named = |value: &Value, key: &str| {
        let name = value.get(key).and_then(Value::as_str);
        name.filter(|name| !name.is_empty()).map(str::to_owned)
    };
    let answered = named(call, "model").or_else(|| named(evidence, "model"));
    let asked = || Some(format!("{} (asked)", named(evidence, "judge")?));
    answered.or_else(asked).unwrap_or_default()
}

/// The replies of a judge's evidence, in the order of the calls.
pub fn replies(evidence: &Value) -> Vec<Reply> {
    let text = |value: &Value, key: &str| {
        let text = value.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let calls = evidence.get("calls").and_then(Value::as_array);
    calls
        .into_iter()
        .flatten()
        .filter_map(|call| {
            Some(Reply {
                model: model(call, evidence),
                role: text(call, "role"),
                reply: call.get("reply")?.as_str()?.to_owned(),
            })
        })
        .collect()
}
