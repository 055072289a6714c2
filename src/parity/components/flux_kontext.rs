//! `flux_kontext`: a sampling with a reference picture, from the prompt's states to pixels.

use crate::model::ModelError;
use crate::model::flow_match::euler_step;
use crate::model::flux::kontext::Reference;
use crate::model::flux::{FluxTransformer, latents};
use crate::model::flux_vae::{Decoder, Encoder};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint, whole};
use candle_core::{Device, Tensor};

/// The component `flux_kontext`.
pub(super) const FLUX_KONTEXT: Component = Component {
    name: "flux_kontext",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let grid = whole("latent_grid", &case.integers("latent_grid")?)?;
    let &[h, w] = grid.as_slice() else {
        return Err(ModelError::Input("latent_grid does not have two numbers".into()).into());
    };
    let (h, w) = (h as usize, w as usize);
    let encoder = checkpoint(&folder.join("vae"), device, Encoder::new)?;
    let reference = Reference::encode(&encoder, &input("image")?)?;
    drop(encoder);
    let ids = reference.image_ids((h, w), device)?;
    let transformer = checkpoint(&folder.join("transformer"), device, FluxTransformer::new)?;
    let states = input("encoder_hidden_states")?;
    let conditioning = transformer.prepare(
        &states,
        &input("pooled_projections")?,
        Some(&input("guidance")?),
        &ids,
        &latents::text_ids(states.dim(1)?, device)?,
    )?;
    let sigmas: Vec<f32> = case.input("sigmas")?.to_vec1()?;
    let (mut x, mut first) = (input("noise")?, None);
    for pair in sigmas.windows(2) {
        let sigma = Tensor::new(&[pair[0]], device)?;
        let velocity = reference.velocity(&transformer, &x, &conditioning, &sigma)?;
        x = euler_step(&x, &velocity, pair[0], pair[1])?;
        first = first.or(Some(velocity));
    }
    let first = first.ok_or_else(|| ModelError::Input("there are no steps".into()))?;
    let decoder = checkpoint(&folder.join("vae"), device, Decoder::new)?;
    let image = decoder.decode(&latents::unpack(&x, h, w)?)?;
    Ok([
        ("reference".into(), reference.tokens),
        ("img_ids".into(), ids),
        ("velocity_first".into(), first),
        ("latents".into(), x),
        ("image".into(), image),
    ]
    .into())
}
