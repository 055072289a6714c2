//! `bagel_understand`: words after pictures and a question; and the ids that the other cases share.

use super::network::{Networks, ids, networks};
use crate::model::ModelError;
use crate::model::bagel::{Bagel, Context, Decoding, Eye, SpecialTokens, Written};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::whole;
use candle_core::{Device, Tensor};

/// The ids in the inputs of a case.
pub(super) struct Inputs<'a> {
    case: &'a Case,
    pub(super) special: SpecialTokens,
}

impl<'a> Inputs<'a> {
    /// The inputs of a case with special tokens.
    pub(super) fn new(case: &'a Case) -> Result<Self, CaseError> {
        let special = whole("special_ids", &case.integers("special_ids")?)?;
        let [im_start, im_end, vision_start, vision_end] = special[..] else {
            return Err(ModelError::Input("special_ids are not four".into()).into());
        };
        Ok(Self {
            case,
            special: SpecialTokens {
                im_start,
                im_end,
                vision_start,
                vision_end,
            },
        })
    }

    /// The ids with this name.
    pub(super) fn ids(&self, name: &str) -> Result<Vec<u32>, CaseError> {
        Ok(whole(name, &self.case.integers(name)?)?)
    }

    /// The ids with this name. `None` if the case has none.
    pub(super) fn ids_if_any(&self, name: &str) -> Result<Option<Vec<u32>>, CaseError> {
        let present = self.case.inputs.contains_key(name);
        present.then(|| self.ids(name)).transpose()
    }

    /// The tensors of up to two pictures of a run.
    pub(super) fn pictures(
        &self,
        name: &str,
        run: usize,
        device: &Device,
    ) -> Result<Vec<Tensor>, CaseError> {
        let names = ["", "_2"].map(|number| format!("{name}{number}.{run}"));
        let tensors = names.iter().filter_map(|name| self.case.inputs.get(name));
        let tensors = tensors.map(|tensor| tensor.to_device(device));
        Ok(tensors.collect::<candle_core::Result<_>>()?)
    }
}

/// A picture as the eyes see it, in a context.
pub(super) fn look(
    bagel: &Bagel,
    eye: &Eye,
    pixels: &Tensor,
    special: SpecialTokens,
    context: &mut Context,
) -> Result<(), ModelError> {
    let embeds = eye.embeds(&eye.features(pixels)?, eye.grid(pixels)?)?;
    bagel.read_picture(&embeds, special, context)?;
    Ok(())
}

/// The most likely words after a context.
pub(super) fn write(
    bagel: &Bagel,
    context: &Context,
    special: SpecialTokens,
    limit: usize,
) -> Result<Written, ModelError> {
    bagel.write(context, special, limit, &mut Decoding::Greedy, &mut || true)
}

/// The scores of the first written token.
pub(super) fn first_logits(written: &Written) -> Result<Tensor, ModelError> {
    let none = || ModelError::Input("the limit leaves no room for words".into());
    written.first_logits.clone().ok_or_else(none)
}

/// Runs the component.
pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let Networks { bagel, eye } = networks(case, device)?;
    let inputs = Inputs::new(case)?;
    let special = inputs.special;
    let limit = inputs.ids("limit")?.first().copied().unwrap_or(0) as usize;
    let mut made = Tensors::new();
    for (k, _) in case.numbered("prompt_ids") {
        let mut context = Context::default();
        if let Some(system) = inputs.ids_if_any(&format!("system_ids.{k}"))? {
            bagel.read_text(&system, special, &mut context)?;
        }
        for pixels in inputs.pictures("vit_pixels", k, device)? {
            look(&bagel, &eye, &pixels, special, &mut context)?;
        }
        let prompt = inputs.ids(&format!("prompt_ids.{k}"))?;
        bagel.read_text(&prompt, special, &mut context)?;
        let written = write(&bagel, &context, special, limit)?;
        made.insert(format!("logits.{k}"), first_logits(&written)?);
        made.insert(format!("greedy_ids.{k}"), ids(&written.ids)?);
    }
    Ok(made)
}
