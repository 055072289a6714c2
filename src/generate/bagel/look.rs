//! The phase `look`: the input pictures as the eyes see them and, for a picture as the answer, the
//! distribution of their latents.

use super::place::Checkpoint;
use super::settings::{BagelSettings, VitInput};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    AnyNetwork, Key, Made, Named, Network, Phase, Stage, Step, running,
};
use crate::generate::spoken::Spoken;
use crate::model::Result;
use crate::model::bagel::Eye;
use crate::model::flux_vae::Encoder;
use crate::model::processor::{StridedProcessor, normalised};
use crate::record::{Object, Task};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde_json::{Value, json};

/// The networks that see pictures.
struct Look {
    eye: Network<Eye>,
    encoder: Network<Encoder>,
    vae: StridedProcessor,
    vit: StridedProcessor,
    vit_input: VitInput,
    /// The number format of the decoder, which reads the tokens.
    dtype: DType,
    device: Device,
    /// Everything in the settings and the checkpoint that determines the results.
    identity: Value,
}

/// A picture as earlier phases leave it.
pub(super) struct Seen {
    /// Its tokens from the eyes, [P, D].
    pub embeds: Tensor,
    /// Means and logarithms of the variances of its latents, [1, 2z, 2h, 2w]. `None` for a question.
    pub moments: Option<Tensor>,
}

fn embeds_name(number: usize) -> String {
    format!("embeds.{number}")
}

fn moments_name(number: usize) -> String {
    format!("moments.{number}")
}

/// The input pictures of a request, in their order.
pub(super) fn seen_pictures(before: &Named) -> Vec<Seen> {
    let pictures = (0..).map_while(|number| {
        Some(Seen {
            embeds: before.get(&embeds_name(number))?.clone(),
            moments: before.get(&moments_name(number)).cloned(),
        })
    });
    pictures.collect()
}

/// The phase for a checkpoint.
pub(super) fn phase(settings: &BagelSettings, checkpoint: &Checkpoint) -> Phase {
    let (eye, encoder) = (checkpoint.eye(), checkpoint.encoder());
    let networks: Vec<Box<dyn AnyNetwork>> = vec![eye.any(), encoder.any()];
    let vit = StridedProcessor {
        max_side: settings.vit_max_side,
        min_side: settings.vit_min_side,
        stride: checkpoint.config.vit.patch_size as u32,
        max_pixels: settings.vit_max_pixels,
    };
    let vae = StridedProcessor {
        max_side: settings.vae_max_side,
        min_side: settings.vae_min_side,
        stride: checkpoint.token_pixels(),
        max_pixels: VAE_PIXELS,
    };
    let dtype = checkpoint.folder.dtype();
    let sides = [vae, vit].map(|p| (p.max_side, p.min_side, p.stride, p.max_pixels));
    let identity = json!([
        "look",
        checkpoint.folder.path().to_string_lossy(),
        dtype.as_str(),
        sides,
        settings.vit_input,
    ]);
    let vit_input = settings.vit_input;
    Phase::new("look", networks, move |device| {
        check_sides("vae", &vae)?;
        check_sides("vit", &vit)?;
        Ok(Look {
            eye,
            encoder,
            vae,
            vit,
            vit_input,
            dtype,
            device: device.clone(),
            identity,
        })
    })
}

/// The area of a picture for the autoencoder above which it is shrunk, in pixels. Only very long pictures
/// have more after they were resized.
const VAE_PIXELS: u64 = 14 * 14 * 9 * 1024;

fn check_sides(name: &str, processor: &StridedProcessor) -> Result<(), GenerateError> {
    let StridedProcessor {
        max_side,
        min_side,
        stride,
        ..
    } = *processor;
    if processor.max_pixels == 0 {
        return Err(GenerateError::fatal(
            format!("`{name}_max_pixels` is 0; it must be positive"),
            "leave it out to use that of the authors",
        ));
    }
    if stride <= max_side && min_side <= max_side {
        return Ok(());
    }
    Err(GenerateError::fatal(
        format!(
            "`{name}_min_side` = {min_side} and `{name}_max_side` = {max_side}: the longest side must be at least {stride} \
             and at least the shortest side"
        ),
        "leave them out to use those of the authors",
    ))
}

impl Look {
    /// A picture for the decoder. Without an encoder, it is for a question.
    fn see(&self, picture: &RgbImage, eye: &Eye, encoder: Option<&Encoder>) -> Result<Seen> {
        let needs_resized = encoder.is_some() || self.vit_input == VitInput::Resized;
        let resized = needs_resized
            .then(|| self.vae.resized(picture))
            .transpose()?;
        let moments = match (&resized, encoder) {
            (Some(resized), Some(encoder)) => Some(self.moments(resized, encoder)?),
            _ => None,
        };
        let for_eyes = match (&resized, self.vit_input) {
            (Some(resized), VitInput::Resized) => resized,
            _ => picture,
        };
        let pixels = self.vit.prepare(for_eyes)?.to_device(&self.device)?;
        let embeds = eye.embeds(&eye.features(&pixels)?, eye.grid(&pixels)?)?;
        Ok(Seen {
            embeds: embeds.to_dtype(self.dtype)?,
            moments,
        })
    }

    /// The distribution of the latents of a picture that is resized already.
    fn moments(&self, resized: &RgbImage, encoder: &Encoder) -> Result<Tensor> {
        let pixels = normalised(resized)?.to_device(&self.device)?;
        encoder.moments(&pixels.unsqueeze(0)?)
    }
}

impl Stage for Look {
    fn wants(&self, request: &Request<'_>) -> bool {
        request.item.all_images().next().is_some()
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let for_words = request.item.task == Task::Understand;
        let shape = json!([self.identity, for_words]);
        Ok(Key::after(before, &shape, &Spoken::file_bytes(request)?))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let for_words = request.item.task == Task::Understand;
        let spoken = Spoken::turns(request)?;
        let mut extra = Object::new();
        Spoken::note_changes(&spoken, &mut extra);
        let mut tensors = Named::new();
        let (eye, encoder) = (self.eye.get()?, self.encoder.get()?);
        let encoder = (!for_words).then_some(&*encoder);
        let pictures = spoken.iter().flat_map(|turn| &turn.pictures);
        for (number, picture) in pictures.enumerate() {
            let seen = self.see(picture, &eye, encoder).map_err(running("look"))?;
            tensors.insert(embeds_name(number), seen.embeds);
            if let Some(moments) = seen.moments {
                tensors.insert(moments_name(number), moments);
            }
        }
        Ok(Step {
            made: Made::Tensors(tensors),
            extra,
        })
    }
}
