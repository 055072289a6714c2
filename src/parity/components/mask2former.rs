//! `mask2former`: from pixels to class and mask logits. The loader distinguishes the files of the hub from
//! those of mmdetection.

use crate::model::mask2former::{Mask2Former, Mask2FormerConfig};
use crate::model::read_config;
use crate::model::weights::Files;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::Device;
use std::sync::Arc;

/// The component `mask2former`.
pub(super) const MASK2FORMER: Component = Component {
    name: "mask2former",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let config: Mask2FormerConfig = read_config(&folder.join("config.json"))?;
    let files = Arc::new(Files::open(&folder)?);
    let network = Mask2Former::load(&config, &files, device)?;
    let masks = network.forward(&case.input("pixel_values")?.to_device(device)?)?;
    Ok([
        ("class_queries_logits".into(), masks.class_queries_logits),
        ("masks_queries_logits".into(), masks.masks_queries_logits),
        ("mask_features".into(), masks.mask_features),
    ]
    .into())
}
