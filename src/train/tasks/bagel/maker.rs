//! Batches for BAGEL: what is read, and the latents that are drawn after it.

use crate::model::bagel::{Grid, pack_all};
use crate::model::tokenizer::Tokenizer;
use crate::train::TrainError;
use crate::train::answers::Answers;
use crate::train::autoencoder::{Autoencoder, Moments};
use crate::train::lessons::Lesson;
use crate::train::region::{self, RegionSettings, WeightFunction};
use crate::train::samples::{self, Captioned, Tasks};
use crate::train::vocabulary::{self, Kind};
use crate::world::edit::{self, Edit};
use crate::world::random::Random;
use crate::world::{SIDE, draw};
use candle_core::{Device, Tensor};
use image::RgbImage;

/// The vocabulary and the frozen autoencoder.
pub(super) struct Maker {
    pub vae: Autoencoder,
    pub tokens: Tokenizer,
    /// The token that opens an answer, and the one that ends it.
    ends: [u32; 2],
    device: Device,
}

/// The pictures that are edited.
pub(super) struct Source {
    /// Pixels [B, 3, H, W].
    pub pixels: Tensor,
    pub moments: Moments,
}

/// Pictures that are drawn.
pub(super) struct Drawing {
    /// How many there are.
    pub count: usize,
    /// The pictures that are edited. `None` for captions, and where they are left out.
    pub source: Option<Source>,
    /// Words of one length. `None` where they are left out.
    pub words: Option<Vec<Vec<u32>>>,
    /// The latents of the pictures. `None` where they are not known, in a check.
    pub target: Option<Moments>,
    /// Weights of the loss, [B, N, 4z].
    pub weights: Option<Tensor>,
}

/// Questions about pictures whose words have one length.
pub(super) struct Questions {
    /// Pixels [B, 3, H, W].
    pub pixels: Tensor,
    /// The tokens of the questions.
    pub words: Vec<Vec<u32>>,
    /// The answers, each behind the token that opens it.
    pub answers: Answers,
    pub lessons: Vec<Lesson>,
}

impl Maker {
    /// # Errors
    /// Fails if the vocabulary lacks a token.
    pub(super) fn new(vae: Autoencoder, device: &Device) -> Result<Self, TrainError> {
        let tokens = Tokenizer::from_json(&vocabulary::tokenizer(Kind::Qwen))?;
        Ok(Self {
            vae,
            ends: [tokens.token("<|im_start|>")?, tokens.token("<|im_end|>")?],
            tokens,
            device: device.clone(),
        })
    }

    /// The size of every picture in tokens of latents.
    pub(super) fn grid(&self) -> Grid {
        let side = SIDE as usize / self.vae.token();
        Grid { h: side, w: side }
    }

    /// Questions about pictures.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks a word.
    pub(super) fn questions(
        &self,
        batch: usize,
        random: &mut Random,
    ) -> Result<Questions, TrainError> {
        let (lessons, answers) = Lesson::of_pictures(batch, &self.tokens, random)?;
        let pictures: Vec<RgbImage> = lessons.iter().filter_map(Lesson::picture).collect();
        let words: Vec<&str> = lessons.iter().map(|lesson| lesson.words.as_str()).collect();
        let [start, end] = self.ends;
        let before = vec![vec![start]; lessons.len()];
        Ok(Questions {
            pixels: samples::batch(&pictures, &self.device)?,
            words: self.encoded(&words)?,
            answers: Answers::new(&before, answers, end, &self.device)?,
            lessons,
        })
    }

    /// Captions of one length with their pictures, and a share of signs.
    ///
    /// # Errors
    /// Fails if the autoencoder cannot be computed.
    pub(super) fn captions_drawn(
        &self,
        signs: f64,
        tasks: &Tasks,
        batch: usize,
        random: &mut Random,
    ) -> Result<Drawing, TrainError> {
        let drawn: Vec<Captioned> = samples::alike(batch, || {
            let sample = samples::captioned(signs, tasks, random);
            Ok((self.tokens.encode(&sample.caption)?.len(), sample))
        })?;
        let words: Vec<&str> = drawn.iter().map(|sample| sample.caption.as_str()).collect();
        let words = self.encoded(&words)?;
        let pictures: Vec<RgbImage> = drawn.into_iter().map(|sample| sample.picture).collect();
        Ok(Drawing {
            count: batch,
            source: None,
            words: Some(words),
            target: Some(self.vae.moments(&pictures)?),
            weights: None,
        })
    }

    /// Edits whose instructions have one length, with the pictures before and after them.
    ///
    /// # Errors
    /// Fails if the autoencoder cannot be computed.
    pub(super) fn edits_drawn(
        &self,
        settings: &RegionSettings,
        batch: usize,
        random: &mut Random,
    ) -> Result<Drawing, TrainError> {
        let edits = samples::alike(batch, || {
            let edit = Edit::sampled(random.pick(&edit::Kind::ALL), random);
            Ok((self.tokens.encode(&edit.instruction)?.len(), edit))
        })?;
        let edits: Vec<&Edit> = edits.iter().collect();
        let targets: Vec<RgbImage> = edits.iter().map(|edit| draw::scene(&edit.after)).collect();
        Ok(Drawing {
            weights: self.weights(settings, &edits, &targets)?,
            target: Some(self.vae.moments(&targets)?),
            ..self.edited(&edits)?
        })
    }

    /// Captions of one length, for a check.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks a word.
    pub(super) fn asked(&self, captions: &[String]) -> Result<Drawing, TrainError> {
        let words: Vec<&str> = captions.iter().map(String::as_str).collect();
        Ok(Drawing {
            count: captions.len(),
            source: None,
            words: Some(self.encoded(&words)?),
            target: None,
            weights: None,
        })
    }

    /// Edits whose instructions have one length, for a check.
    ///
    /// # Errors
    /// Fails if the autoencoder cannot be computed.
    pub(super) fn edited(&self, edits: &[&Edit]) -> Result<Drawing, TrainError> {
        let sources: Vec<RgbImage> = edits.iter().map(|edit| draw::scene(&edit.before)).collect();
        let words: Vec<&str> = edits.iter().map(|edit| edit.instruction.as_str()).collect();
        Ok(Drawing {
            count: edits.len(),
            source: Some(Source {
                pixels: samples::batch(&sources, &self.device)?,
                moments: self.vae.moments(&sources)?,
            }),
            words: Some(self.encoded(&words)?),
            target: None,
            weights: None,
        })
    }

    fn encoded(&self, words: &[&str]) -> Result<Vec<Vec<u32>>, TrainError> {
        let encoded = words.iter().map(|words| self.tokens.encode(words));
        Ok(encoded.collect::<Result<_, _>>()?)
    }

    /// The weights of the loss, where changed regions count more.
    fn weights(
        &self,
        settings: &RegionSettings,
        edits: &[&Edit],
        targets: &[RgbImage],
    ) -> Result<Option<Tensor>, TrainError> {
        if settings.function == WeightFunction::None {
            return Ok(None);
        }
        let side = SIDE / self.vae.scale_factor() as u32;
        let mut all = Vec::with_capacity(targets.len() * (side * side) as usize);
        for (edit, target) in edits.iter().zip(targets) {
            let sources = [draw::scene(&edit.before)];
            let weights = region::weights(target, &sources, [side, side], settings);
            all.extend(weights.map_err(TrainError::definition)?);
        }
        let side = side as usize;
        let cells = Tensor::from_vec(all, (targets.len(), 1, side, side), &self.device)?;
        let cells = cells.repeat((1, self.vae.channels(), 1, 1))?;
        Ok(Some(pack_all(&cells)?))
    }
}
