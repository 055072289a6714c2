//! What the gallery shows of an edit beside its pictures: where it changed, and what a judge said.

use crate::image::edit::Mask;
use crate::image::encode_mask;
use crate::record::evidence::{self, Call, EditedPicture, Field, Judgement, Text};
use base64::Engine;
use serde::Serialize;
use serde_json::Value;

/// The change mask of the evidence, drawn.
#[derive(Debug, Serialize)]
pub struct ChangeMask {
    /// `data:` URI of a small PNG, a pixel for each cell.
    pub src: String,
    /// The part of the picture's width that the cells cover: the rest at the right is cut.
    #[serde(rename = "w")]
    pub width: f64,
    /// The part of the picture's height, likewise.
    #[serde(rename = "h")]
    pub height: f64,
    /// Share of changed pixels.
    pub changed: f64,
}

/// One reply of a judge, word for word.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// Who gave it. Empty if that is unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// What it is about. Empty if that is unknown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// The words.
    pub reply: String,
}

/// The longest side of a mask that is drawn, in cells. The largest picture has fewer cells of 8 pixels.
const LONGEST: usize = 16_384;

/// The mask of this evidence, if it has one that can be drawn.
pub(super) fn change_mask(evidence: &Value) -> Option<ChangeMask> {
    let seen: EditedPicture = evidence::read(evidence);
    let mask = seen.mask.get()?;
    let (width, height) = (*seen.width.get()?, *seen.height.get()?);
    let sides = 1..=LONGEST;
    let drawn = sides.contains(&mask.width) && sides.contains(&mask.height);
    if !drawn || width == 0 || height == 0 {
        return None;
    }
    let cells = Mask::from_runs(mask.width, mask.height, &mask.runs)?;
    let png = encode_mask(&cells).ok()?;
    let text = base64::engine::general_purpose::STANDARD.encode(png);
    let covered = |cells: usize, side: usize| (cells * mask.cell) as f64 / side as f64;
    Some(ChangeMask {
        src: format!("data:image/png;base64,{text}"),
        width: covered(mask.width, width),
        height: covered(mask.height, height),
        changed: *seen.edit_fraction.get()?,
    })
}

/// Who gave a reply. If that is unknown, who was asked for it.
fn model(call: &Call<'_>, judgement: &Judgement<'_>) -> String {
    let named = |name: &Field<Text<'_>>| {
        let name = name.text();
        (!name.is_empty()).then(|| name.to_owned())
    };
    let answered = named(&call.model).or_else(|| named(&judgement.model));
    let asked = || Some(format!("{} (asked)", named(&judgement.judge)?));
    answered.or_else(asked).unwrap_or_default()
}

/// The replies of a judge's evidence, in the order of the calls.
pub(super) fn replies(evidence: &Value) -> Vec<Reply> {
    let judgement: Judgement<'_> = evidence::read(evidence);
    let calls = judgement.calls.get().into_iter().flatten();
    calls
        .filter_map(Field::get)
        .filter_map(|call| {
            Some(Reply {
                model: model(call, &judgement),
                role: call.role.text().to_owned(),
                reply: call.reply.get()?.to_string(),
            })
        })
        .collect()
}
