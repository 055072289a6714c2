//! `mplug_vqa`: from a picture and questions to answers, with mPLUG's own beam search.

use crate::model::mplug::{Mplug, MplugConfig};
use crate::model::weights::Files;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::{Device, Tensor};
use std::sync::Arc;

/// The component `mplug_vqa`.
pub(super) const MPLUG_VQA: Component = Component {
    name: "mplug_vqa",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let config = MplugConfig::open(&folder)?;
    let files = Arc::new(Files::open(&folder)?);
    let network = Mplug::load(&config, &files, device)?;
    let seen = network.encode_picture(&case.input("pixel_values")?.to_device(device)?)?;
    let mut made = Tensors::new();
    for (number, ids) in case.numbered("input_ids") {
        let mask = case.input(&format!("attention_mask.{number}"))?;
        let best = network.answer(&seen, &ids.to_device(device)?, &mask.to_device(device)?)?;
        let ids: Vec<i64> = best.ids.iter().map(|id| i64::from(*id)).collect();
        let length = ids.len();
        made.insert(
            format!("answer_ids.{number}"),
            Tensor::from_vec(ids, (1, length), &Device::Cpu)?,
        );
        made.insert(
            format!("score.{number}"),
            Tensor::from_vec(vec![best.score], 1, &Device::Cpu)?,
        );
    }
    Ok(made)
}
