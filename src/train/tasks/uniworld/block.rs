//! What UniWorld's frozen networks make of a batch of captions or edits.

use crate::model::conversation::{Conversation, Reader};
use crate::model::dinov2::Dinov2;
use crate::model::flux::latents;
use crate::model::flux_vae;
use crate::model::processor::FixedProcessor;
use crate::model::qwen2_5_vl::Qwen2_5Vl;
use crate::model::siglip::SiglipVision;
use crate::prompts::{DrawnPair, ProbeLesson};
use crate::train::TrainError;
use crate::train::autoencoder::{Autoencoder, Moments};
use crate::train::prompt;
use crate::train::region::{self, RegionError, RegionSettings, WeightFunction};
use crate::train::samples::{self, Captioned, Tasks};
use crate::world::edit::{Edit, Kind};
use crate::world::random::Random;
use crate::world::{SIDE, draw};
use candle_core::{Device, Tensor};
use image::RgbImage;

/// The frozen networks before the projectors.
pub(super) struct Maker {
    /// The frozen language model.
    pub vlm: Qwen2_5Vl,
    /// Makes its inputs from words and pictures.
    pub reader: Reader,
    /// The reference encoder.
    pub eye: Option<Eye>,
    /// How the loss weighs what an edit changes.
    pub region: RegionSettings,
    /// Whether the language model sees the reference pictures.
    pub vlm_sees_images: bool,
    /// The device that computes them.
    pub device: Device,
}

/// The reference encoder, with its preparation of pictures and the width of its tokens.
pub(super) enum Eye {
    /// SigLIP's vision tower, its processor, and the width of its tokens.
    Siglip(SiglipVision, FixedProcessor, usize),
    /// DINOv2, its processor, the width of its tokens, and the number of tokens before the patches.
    Dinov2(Dinov2, FixedProcessor, usize, usize),
    /// The encoder of FLUX's VAE, its preparation of pictures, and the width of its tokens.
    Vae(Box<flux_vae::Encoder>, FixedProcessor, usize),
}

/// States of the language model [B, L, D] and tokens of the references [B, N, E].
pub(super) struct Prompt {
    /// States of the language model [B, L, D].
    pub states: Tensor,
    /// Tokens of the references [B, N, E].
    pub features: Option<Tensor>,
}

/// A batch.
pub(super) struct Block {
    /// The latents of the targets.
    pub moments: Moments,
    /// What the denoiser is conditioned on.
    pub prompt: Prompt,
    /// Weights of the loss, [B, N, C].
    pub weights: Option<Tensor>,
}

/// An edit with its pictures.
fn drawn(edit: &Edit) -> DrawnPair {
    DrawnPair {
        instruction: edit.instruction.clone(),
        before: draw::scene(&edit.before),
        after: draw::scene(&edit.after),
    }
}

impl Maker {
    /// Width of the reference's tokens.
    pub(super) fn reference_width(&self) -> Option<usize> {
        self.eye.as_ref().map(|eye| match eye {
            Eye::Siglip(_, _, width) | Eye::Dinov2(_, _, width, _) | Eye::Vae(_, _, width) => {
                *width
            }
        })
    }

    /// A batch of edits, or of lessons of one kind, whose instructions have one length. The first instruction
    /// sets it.
    ///
    /// # Errors
    /// Fails if a network cannot be computed.
    pub(super) fn edit_block(
        &self,
        vae: &Autoencoder,
        lesson: Option<ProbeLesson>,
        batch: usize,
        random: &mut Random,
    ) -> Result<Block, TrainError> {
        let pairs = samples::alike(batch, || {
            let pair = match lesson {
                Some(lesson) => lesson.sampled(random),
                None => drawn(&Edit::sampled(random.pick(&Kind::ALL), random)),
            };
            Ok((self.length(&pair.instruction)?, pair))
        })?;
        let targets: Vec<RgbImage> = pairs.iter().map(|pair| pair.after.clone()).collect();
        Ok(Block {
            weights: self.weights(vae, &pairs)?,
            moments: vae.moments(&targets)?,
            prompt: self.pairs(&pairs)?,
        })
    }

    /// A batch of captions of one length, with a share of signs.
    ///
    /// # Errors
    /// Fails if a network cannot be computed.
    pub(super) fn caption_block(
        &self,
        vae: &Autoencoder,
        signs: f64,
        tasks: &Tasks,
        batch: usize,
        random: &mut Random,
    ) -> Result<Block, TrainError> {
        let drawn: Vec<Captioned> = samples::alike(batch, || {
            let sample = samples::captioned(signs, tasks, random);
            Ok((self.length(&sample.caption)?, sample))
        })?;
        let captions: Vec<&str> = drawn.iter().map(|sample| sample.caption.as_str()).collect();
        let prompt = self.captions(&captions)?;
        let targets: Vec<RgbImage> = drawn.into_iter().map(|sample| sample.picture).collect();
        Ok(Block {
            moments: vae.moments(&targets)?,
            prompt,
            weights: None,
        })
    }

    /// The weights of the loss, where changed regions count more.
    fn weights(
        &self,
        vae: &Autoencoder,
        pairs: &[DrawnPair],
    ) -> Result<Option<Tensor>, TrainError> {
        if self.region.function == WeightFunction::None {
            return Ok(None);
        }
        let side = SIDE / vae.scale_factor() as u32;
        let mut all = Vec::with_capacity(pairs.len() * (side * side) as usize);
        for DrawnPair { before, after, .. } in pairs {
            let sources = std::slice::from_ref(before);
            let weights = region::weights(after, sources, [side, side], &self.region);
            all.extend(match weights {
                // Weak noise changes too little to be a region.
                Err(RegionError::TooSmall { .. } | RegionError::Nothing) => {
                    vec![1.0; (side * side) as usize]
                }
                weights => weights.map_err(TrainError::definition)?,
            });
        }
        let side = side as usize;
        let cells = Tensor::from_vec(all, (pairs.len(), 1, side, side), &self.device)?;
        let cells = cells.repeat((1, vae.channels(), 1, 1))?;
        Ok(Some(latents::pack(&cells)?))
    }

    fn length(&self, words: &str) -> Result<usize, TrainError> {
        Ok(self.reader.tokenizer.encode(words)?.len())
    }

    /// Prompts of captions of one length.
    ///
    /// # Errors
    /// Fails if they differ in length.
    pub(super) fn captions(&self, captions: &[&str]) -> Result<Prompt, TrainError> {
        let read = captions
            .iter()
            .map(|caption| prompt::read(&self.reader, caption, None, &self.device));
        Ok(Prompt {
            states: self.states(&read.collect::<Result<Vec<_>, _>>()?)?,
            features: None,
        })
    }

    /// Prompts of edits whose instructions have one length.
    ///
    /// # Errors
    /// Fails if they differ in length.
    pub(super) fn edits(&self, edits: &[&Edit]) -> Result<Prompt, TrainError> {
        let pairs: Vec<DrawnPair> = edits.iter().map(|edit| drawn(edit)).collect();
        self.pairs(&pairs)
    }

    /// Prompts of instructions of one length.
    fn pairs(&self, pairs: &[DrawnPair]) -> Result<Prompt, TrainError> {
        let sources: Vec<RgbImage> = pairs.iter().map(|pair| pair.before.clone()).collect();
        let read = pairs.iter().map(|pair| {
            let seen = self.vlm_sees_images.then_some(&pair.before);
            prompt::read(&self.reader, &pair.instruction, seen, &self.device)
        });
        Ok(Prompt {
            states: self.states(&read.collect::<Result<Vec<_>, _>>()?)?,
            features: self
                .eye
                .as_ref()
                .map(|eye| self.look(eye, &sources))
                .transpose()?,
        })
    }

    fn states(&self, read: &[Conversation]) -> Result<Tensor, TrainError> {
        let patches: Vec<&Tensor> = read
            .iter()
            .filter_map(|read| read.pixel_values.as_ref())
            .collect();
        let grids: Vec<[usize; 3]> = read.iter().flat_map(|read| read.grids.clone()).collect();
        let images = if patches.is_empty() {
            None
        } else {
            Some(self.vlm.image_embeds(&Tensor::cat(&patches, 0)?, &grids)?)
        };
        let rows: Vec<Vec<u32>> = read.iter().map(|read| read.ids.clone()).collect();
        let grids = read
            .first()
            .map(|read| read.grids.clone())
            .unwrap_or_default();
        let states = self.vlm.batch_states(&rows, images.as_ref(), &grids)?;
        Ok(states.detach())
    }

    fn look(&self, eye: &Eye, pictures: &[RgbImage]) -> Result<Tensor, TrainError> {
        let processor = match eye {
            Eye::Siglip(_, processor, _)
            | Eye::Dinov2(_, processor, _, _)
            | Eye::Vae(_, processor, _) => processor,
        };
        let pixels = pictures.iter().map(|picture| processor.prepare(picture));
        let pixels = Tensor::stack(&pixels.collect::<Result<Vec<_>, _>>()?, 0)?;
        let pixels = pixels.to_device(&self.device)?;
        let seen = match eye {
            Eye::Siglip(tower, _, _) => tower.forward(&pixels)?,
            Eye::Vae(encoder, _, _) => flux_vae::placed_tokens(encoder, &pixels)?,
            Eye::Dinov2(network, _, _, before) => {
                let states = network.forward(&pixels)?;
                states
                    .narrow(1, *before, states.dim(1)? - before)?
                    .contiguous()?
            }
        };
        Ok(seen.detach())
    }
}
