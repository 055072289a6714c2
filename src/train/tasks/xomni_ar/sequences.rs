//! Sequences of words and image tokens, in the forms that the generator `xomni` writes.

use crate::model::tokenizer::Tokenizer;
use crate::model::tokenizer::chat::{Form, Item, Role, Turn, encode};
use crate::train::TrainError;
use crate::train::answers::Answers;
use crate::train::codes::ImageTokenizer;
use crate::train::description::describe;
use crate::train::lessons::Lesson;
use crate::train::samples::{self, Captioned, Content, Tasks};
use crate::train::vocabulary::{self, AROUND, Kind};
use crate::world::random::Random;
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde_json::Value;

/// The vocabulary and the frozen tokenizer.
pub(super) struct Maker {
    images: ImageTokenizer,
    tokens: Tokenizer,
    /// The id of the first image token.
    first: u32,
    /// What precedes a picture's tokens.
    image: u32,
    /// The token that ends an answer.
    pub end: u32,
    device: Device,
}

/// How often prompts of pictures say what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares<'a> {
    /// The share of prompts that describe everything in a picture. The others are captions.
    pub dense: f64,
    /// The share of batches whose prompts are empty.
    pub drop: f64,
    /// The share of signs among the captions.
    pub signs: f64,
    /// The shares of GenEval's tasks among the other captions.
    pub tasks: &'a Tasks,
}

/// Prompts of one length with their pictures.
pub(super) struct PictureBatch {
    /// Prompts and image tokens, without the last token, which nothing follows.
    pub rows: Vec<Vec<u32>>,
    /// Tokens of a prompt.
    pub prompt: usize,
    /// Codes [B, N], u32.
    pub codes: Tensor,
}

/// Lessons about pictures whose prompts have one form.
pub(super) struct LessonBatch {
    /// The questions and the tokens of their answers.
    pub answers: Answers,
    /// What is asked.
    pub lessons: Vec<Lesson>,
}

impl Maker {
    /// # Errors
    /// Fails if the vocabulary lacks a token.
    pub(super) fn new(images: ImageTokenizer, device: &Device) -> Result<Self, TrainError> {
        let json = vocabulary::tokenizer(Kind::XOmni(images.encoder.codebook_size));
        let tokens = Tokenizer::from_json(&json)?;
        Ok(Self {
            first: tokens.token("<MM-Token-0>")?,
            image: tokens.token(AROUND[2])?,
            end: tokens.token("<|im_end|>")?,
            images,
            tokens,
            device: device.clone(),
        })
    }

    /// The vocabulary's `tokenizer.json`.
    pub(super) fn vocabulary(&self) -> Value {
        vocabulary::tokenizer(Kind::XOmni(self.images.encoder.codebook_size))
    }

    /// The words before a picture's tokens: they say that a picture begins, and how many rows and columns it
    /// has.
    fn before(&self) -> String {
        let ([open, _, image], side) = (AROUND, self.images.side);
        format!("{open}{side} {side}{image}")
    }

    /// Pictures with their prompts. All prompts of a batch have one length, so all or none are empty.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot be computed.
    pub(super) fn drawn(
        &self,
        batch: usize,
        shares: Shares<'_>,
        random: &mut Random,
    ) -> Result<PictureBatch, TrainError> {
        // Without empty prompts, nothing is drawn for them.
        let empty = shares.drop > 0.0 && random.chance(shares.drop);
        let samples = samples::alike(batch, || {
            let Captioned { caption, picture } = if random.chance(shares.dense) {
                described(random)
            } else {
                samples::captioned(shares.signs, shares.tasks, random)
            };
            let words = if empty { "" } else { caption.as_str() };
            let ids = self.tokens.encode(&format!("{words}{}", self.before()))?;
            Ok((ids.len(), (ids, picture)))
        })?;
        let (prompts, pictures): (Vec<Vec<u32>>, Vec<RgbImage>) = samples.into_iter().unzip();
        let codes = self.images.codes(&pictures)?;
        let rows = prompts.iter().zip(&codes).map(|(prompt, codes)| {
            let seen = &codes[..codes.len().saturating_sub(1)];
            let seen = seen.iter().map(|code| self.first + code);
            prompt.iter().copied().chain(seen).collect()
        });
        Ok(PictureBatch {
            rows: rows.collect(),
            prompt: prompts.first().map_or(0, Vec::len),
            codes: Tensor::new(codes, &self.device)?,
        })
    }

    /// Lessons about pictures.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot be computed.
    pub(super) fn lessons(
        &self,
        batch: usize,
        random: &mut Random,
    ) -> Result<LessonBatch, TrainError> {
        let (lessons, answers) = Lesson::of_pictures(batch, &self.tokens, random)?;
        let pictures: Vec<RgbImage> = lessons.iter().filter_map(Lesson::picture).collect();
        let codes = self.images.codes(&pictures)?;
        let prompts = lessons.iter().zip(&codes);
        let prompts = prompts.map(|(lesson, codes)| self.prompt_tokens(&lesson.words, codes));
        let prompts: Vec<Vec<u32>> = prompts.collect::<Result<_, _>>()?;
        Ok(LessonBatch {
            answers: Answers::new(&prompts, answers, self.end, &self.device)?,
            lessons,
        })
    }

    /// The tokens of a conversation about one picture, up to where the answer begins.
    fn prompt_tokens(&self, words: &str, codes: &[u32]) -> Result<Vec<u32>, TrainError> {
        let text = format!("{}{}\n{words}", self.before(), AROUND[1]);
        let turn = Turn {
            role: Role::User,
            items: vec![Item::Text(text)],
        };
        let mut ids = Vec::new();
        for id in encode(&self.tokens, &[turn], Form::UniWorld)? {
            ids.push(id);
            if id == self.image {
                ids.extend(codes.iter().map(|code| self.first + code));
            }
        }
        Ok(ids)
    }
}

/// A picture with a description of everything that it shows as its caption.
fn described(random: &mut Random) -> Captioned {
    let content = Content::sampled(random);
    Captioned {
        caption: describe(&content),
        picture: content.draw(random),
    }
}
