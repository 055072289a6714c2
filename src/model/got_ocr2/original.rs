//! The names of the authors' checkpoint (stepfun-ai/GOT-OCR2_0).

use crate::model::weights::{Files, Held};

const TOWER: &str = "model.vision_tower_high";

/// Whether files use these names.
pub(super) fn is(files: &Files) -> bool {
    let position = format!("{TOWER}.pos_embed");
    files.holds(&[&position])
}

/// The place of a tensor of the converted checkpoint.
pub(super) fn stored_place(name: &str) -> Option<Held> {
    let whole = |name: String| Some(Held::whole(name));
    if let Some(rest) = name.strip_prefix("language_model.") {
        return whole(rest.to_owned());
    }
    if let Some(rest) = name.strip_prefix("multi_modal_projector.") {
        let (module, leaf) = rest.split_once('.')?;
        return match module {
            "conv_upsampler1" => whole(format!("{TOWER}.net_2.{leaf}")),
            "conv_upsampler2" => whole(format!("{TOWER}.net_3.{leaf}")),
            _ => whole(format!("model.mm_projector_vary.{leaf}")),
        };
    }
    let rest = name.strip_prefix("vision_tower.")?;
    if let Some(rest) = rest.strip_prefix("layers.") {
        let (number, rest) = rest.split_once('.')?;
        let rest = rest.replace("layer_norm", "norm");
        return whole(format!("{TOWER}.blocks.{number}.{rest}"));
    }
    if let Some(rest) = rest.strip_prefix("neck.") {
        let (module, leaf) = rest.split_once('.')?;
        let place = ["conv1", "layer_norm1", "conv2", "layer_norm2"]
            .iter()
            .position(|known| *known == module)?;
        return whole(format!("{TOWER}.neck.{place}.{leaf}"));
    }
    whole(format!("{TOWER}.{}", rest.replace("projection", "proj")))
}
