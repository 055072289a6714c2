//! The contexts of a request: what the model reads before it draws or answers, and the thoughts that it
//! writes.

use super::look::Seen;
use super::settings::{BagelSettings, Posterior, Think};
use super::system::SystemTexts;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::running;
use crate::generate::spoken::Spoken;
use crate::model::bagel::{
    Bagel, Context, Decoding, Grid, Mark, SpecialTokens, Written, latent_grid,
};
use crate::model::flux_vae::VaeConfig;
use crate::model::noise::{Generator, randn};
use crate::model::sampling::Sampling;
use crate::model::tokenizer::Tokenizer;
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{DType, Tensor};

/// The draws of sampled words come from a generator of their own, with this number in its seed.
const WORDS: u64 = 0x776f_7264;

/// What reads and writes words.
pub(super) struct Words {
    pub tokenizer: Tokenizer,
    pub special: SpecialTokens,
    /// The texts that ask for thoughts, with their settings.
    pub think: Option<(Think, SystemTexts)>,
}

/// The contexts of a picture.
pub(super) struct Contexts {
    /// With everything.
    pub full: Context,
    /// The end of the context without the latest text, which is the beginning of the full one.
    pub without_text: Mark,
    /// The context without pictures. `None` if it is the full one.
    pub without_image: Option<Context>,
    /// The sizes of the input pictures in tokens.
    pub grids: Vec<Grid>,
}

/// The reader of one request.
pub(super) struct Reading<'a> {
    pub model: &'a Bagel,
    pub words: &'a Words,
    pub settings: &'a BagelSettings,
    pub vae: &'a VaeConfig,
    pub request: &'a Request<'a>,
    pub cancel: &'a Cancel,
}

impl Reading<'_> {
    /// Reads the turns of the request: the text that asks for thoughts, and of each turn first the pictures
    /// and then the words. `noise` draws the latents of input pictures.
    ///
    /// # Errors
    /// Fails if the history has a mistake, a picture is too large for the checkpoint, or memory runs out.
    pub(super) fn read(
        &self,
        pictures: &[Seen],
        noise: &mut Generator,
    ) -> Result<Contexts, GenerateError> {
        let spoken = Spoken::turns(self.request)?;
        let read = self.read_turns(&spoken, pictures, noise);
        read.map_err(running("draw"))
    }

    fn read_turns(
        &self,
        spoken: &[Spoken],
        pictures: &[Seen],
        noise: &mut Generator,
    ) -> Result<Contexts> {
        let for_words = self.request.item.task == Task::Understand;
        // Without pictures, the context without them is the full one.
        let two = !for_words && !pictures.is_empty();
        let (mut full, mut without_image) = (Context::default(), Context::default());
        let (mut without_text, mut grids) = (Mark::default(), Vec::new());
        if let Some((think, texts)) = &self.words.think {
            let text = if for_words {
                &texts.answer
            } else {
                &texts.draw
            };
            self.read_text(text, &mut full)?;
            if two {
                without_image = full.clone();
            }
            if two || think.system_in_text_context {
                without_text = full.mark();
            }
        }
        let mut pictures = pictures.iter();
        for (number, turn) in spoken.iter().enumerate() {
            for seen in pictures.by_ref().take(turn.pictures.len()) {
                if let Some(moments) = &seen.moments {
                    grids.push(self.read_latents(moments, noise, &mut full)?);
                }
                let special = self.words.special;
                self.model.read_picture(&seen.embeds, special, &mut full)?;
                without_text = full.mark();
            }
            let is_last = number + 1 == spoken.len();
            if turn.text().is_empty() && !is_last {
                continue;
            }
            if number > 0 {
                without_text = full.mark();
            }
            self.read_text(turn.text(), &mut full)?;
            if two {
                self.read_text(turn.text(), &mut without_image)?;
            }
        }
        Ok(Contexts {
            without_image: two.then_some(without_image),
            full,
            without_text,
            grids,
        })
    }

    fn read_text(&self, text: &str, context: &mut Context) -> Result<()> {
        let ids = self.words.tokenizer.encode(text)?;
        self.model.read_text(&ids, self.words.special, context)?;
        Ok(())
    }

    /// Reads the latents of a picture, and returns its size in tokens.
    fn read_latents(
        &self,
        moments: &Tensor,
        noise: &mut Generator,
        context: &mut Context,
    ) -> Result<Grid> {
        let (_, channels, height, width) = moments.dims4()?;
        let shape = (1, channels / 2, height, width);
        let drawn = match self.settings.vae_posterior {
            Posterior::Mean => None,
            Posterior::Sample => {
                let values = randn(noise, channels / 2 * height * width, DType::F32);
                Some(Tensor::from_vec(values, shape, moments.device())?)
            }
        };
        let latents = self.vae.sample(moments, drawn.as_ref())?.squeeze(0)?;
        self.model
            .read_latents(&latents, self.words.special, context)?;
        latent_grid(&latents)
    }

    /// Writes thoughts after the contexts of a picture, and reads them again as words.
    ///
    /// # Errors
    /// Fails if memory runs out, or Ctrl-C was pressed.
    pub(super) fn think(
        &self,
        contexts: &mut Contexts,
        extra: &mut Object,
    ) -> Result<(), GenerateError> {
        let Some((think, _)) = &self.words.think else {
            return Ok(());
        };
        let (thoughts, written) = self.write(&contexts.full, think.max_length)?;
        extra.insert("thoughts_tokens".into(), written.ids.len().into());
        if !written.ended {
            extra.insert("thoughts_truncated".into(), true.into());
        }
        let wrong = running("draw");
        if contexts.without_image.is_none() && !think.thoughts_in_image_context {
            contexts.without_image = Some(contexts.full.clone());
        }
        self.read_text(&thoughts, &mut contexts.full)
            .map_err(&wrong)?;
        if think.thoughts_in_image_context
            && let Some(context) = &mut contexts.without_image
        {
            self.read_text(&thoughts, context).map_err(&wrong)?;
        }
        extra.insert("thoughts".into(), thoughts.into());
        Ok(())
    }

    /// Writes words after a context, of at most `limit − 1` tokens. Returns their text, too.
    ///
    /// # Errors
    /// Fails if memory runs out, or Ctrl-C was pressed.
    pub(super) fn write(
        &self,
        context: &Context,
        limit: usize,
    ) -> Result<(String, Written), GenerateError> {
        let special = self.words.special;
        let mut decoding = self.decoding();
        let mut go_on = || !self.cancel.is_raised();
        let written = self
            .model
            .write(context, special, limit, &mut decoding, &mut go_on);
        if self.cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        let wrong = running("draw");
        let written = written.map_err(&wrong)?;
        let text = special.said(&self.words.tokenizer, &written.ids);
        Ok((text.map_err(&wrong)?, written))
    }

    fn decoding(&self) -> Decoding {
        let temperature = self.words.think.as_ref();
        match temperature.and_then(|(think, _)| think.temperature) {
            None => Decoding::Greedy,
            Some(temperature) => Decoding::Sampled {
                sampling: plain_sampling(temperature),
                generator: Generator::new(self.request.seed ^ WORDS),
            },
        }
    }
}

/// All tokens may be drawn.
pub(super) fn plain_sampling(temperature: f64) -> Sampling {
    Sampling {
        temperature: temperature as f32,
        top_k: 0,
        top_p: 1.0,
        min_p: 0.0,
    }
}

/// A message about settings of words.
pub(super) fn check_lengths(settings: &BagelSettings) -> Result<(), ModelError> {
    let think = settings.think.as_ref();
    let lengths = [
        ("max_length", Some(settings.max_length)),
        ("think.max_length", think.map(|think| think.max_length)),
    ];
    for (name, length) in lengths {
        if length.is_some_and(|length| length < 2) {
            return Err(ModelError::Input(format!(
                "`{name}` must be 2 or more, since it counts the token that opens words"
            )));
        }
    }
    match think.and_then(|think| think.temperature) {
        Some(temperature) => plain_sampling(temperature).check(),
        None => Ok(()),
    }
}
