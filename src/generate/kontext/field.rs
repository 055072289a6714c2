//! The velocity field of FLUX.1-Kontext.

use super::reference::{REFERENCE, REFERENCE_GRID};
use crate::generate::diffusion::{Canvas, Field, Velocity, condition};
use crate::generate::error::GenerateError;
use crate::generate::pipeline::{Named, Network, running};
use crate::model::Result;
use crate::model::flux::kontext::Reference;
use crate::model::flux::{FluxTransformer, latents};
use candle_core::Device;

/// FLUX.1-Kontext with distilled guidance. Without a reference picture, it is FLUX.
pub(super) struct KontextField(pub Network<FluxTransformer>);

impl Field for KontextField {
    fn name(&self) -> &'static str {
        "flux-kontext"
    }

    fn velocity(
        &self,
        before: &Named,
        canvas: Canvas,
        guidance_scale: f32,
        device: &Device,
    ) -> Result<Box<Velocity>, GenerateError> {
        let wrong = running("denoise");
        let transformer = self.0.get()?;
        let grid = (canvas.h, canvas.w);
        let reference = stored(before).map_err(&wrong)?;
        let ids = match &reference {
            Some(reference) => reference.image_ids(grid, device),
            None => latents::image_ids(grid.0, grid.1, device),
        };
        let conditioning = ids
            .and_then(|ids| condition(&transformer, before, guidance_scale, &ids, device))
            .map_err(&wrong)?;
        Ok(Box::new(move |x, sigma| match &reference {
            Some(reference) => reference.velocity(&transformer, x, &conditioning, sigma),
            None => transformer.forward(x, &conditioning, sigma, None),
        }))
    }
}

/// The reference that an earlier phase stored. `None` if the item has no picture.
fn stored(before: &Named) -> Result<Option<Reference>> {
    let (Some(tokens), Some(grid)) = (before.get(REFERENCE), before.get(REFERENCE_GRID)) else {
        return Ok(None);
    };
    let grid: Vec<u32> = grid.to_vec1()?;
    Ok(match grid[..] {
        [h, w] => Some(Reference {
            tokens: tokens.clone(),
            grid: (h as usize, w as usize),
        }),
        _ => None,
    })
}
