//! The phase `draw`: the decoder reads the request, and answers in words or draws the latents of a picture.

use super::contexts::{Contexts, Reading, Words, check_lengths};
use super::look::seen_pictures;
use super::place::Checkpoint;
use super::settings::{BagelSettings, EditSize};
use super::system::SystemTexts;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::latents::{finite, latents_step};
use crate::generate::pipeline::{
    AnyNetwork, Key, Made, Named, Network, Phase, Stage, Step, fatal, running,
};
use crate::generate::spoken::Spoken;
use crate::model::bagel::{Bagel, Branches, Context, Grid, SpecialTokens, unpack};
use crate::model::flux_vae::VaeConfig;
use crate::model::noise::{Generator, randn};
use crate::model::tokenizer::Tokenizer;
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{DType, Tensor};
use serde_json::{Value, json};

/// The decoder with its settings.
struct Draw {
    network: Network<Bagel>,
    words: Words,
    settings: BagelSettings,
    vae: VaeConfig,
    /// Side of a token of latents, in pixels.
    token_pixels: u32,
    /// Everything in the settings and the checkpoint that determines the results.
    identity: Value,
}

/// The phase for a checkpoint.
pub(super) fn phase(settings: &BagelSettings, checkpoint: &Checkpoint) -> Phase {
    let network = checkpoint.bagel();
    let networks: Vec<Box<dyn AnyNetwork>> = vec![network.any()];
    let (settings, folder) = (settings.clone(), checkpoint.folder.clone());
    let (vae, token_pixels) = (checkpoint.vae.clone(), checkpoint.token_pixels());
    Phase::new("draw", networks, move |_| {
        check_settings(&settings, token_pixels)?;
        let tokenizer = Tokenizer::open(folder.path()).map_err(fatal)?;
        let think = settings.think.clone();
        let think = think.map(|think| {
            let texts = SystemTexts::read(&think, folder.path())?;
            Ok::<_, GenerateError>((think, texts))
        });
        let words = Words {
            special: SpecialTokens::of(&tokenizer).map_err(fatal)?,
            tokenizer,
            think: think.transpose()?,
        };
        Ok(Draw {
            identity: identity(&settings, &words, folder.dtype()),
            network,
            words,
            settings,
            vae,
            token_pixels,
        })
    })
}

fn check_settings(settings: &BagelSettings, token_pixels: u32) -> Result<(), GenerateError> {
    for task in [Task::TextToImage, Task::Edit] {
        settings.sampler(task).check().map_err(fatal)?;
    }
    check_lengths(settings).map_err(fatal)?;
    if settings.batch_size == 0 {
        return Err(GenerateError::fatal(
            "`batch_size` must be at least 1",
            "leave it out to draw one picture at a time",
        ));
    }
    let [width, height] = settings.size;
    if width < token_pixels || height < token_pixels {
        return Err(GenerateError::fatal(
            format!("`size` = [{width}, {height}]: both sides must be at least {token_pixels}"),
            "a token of the decoder covers that many pixels",
        ));
    }
    Ok(())
}

/// The settings without those that change nothing in the latents, and the texts that ask for thoughts.
fn identity(settings: &BagelSettings, words: &Words, dtype: DType) -> Value {
    let plain = BagelSettings {
        stored_size: None,
        batch_size: 1,
        ..settings.clone()
    };
    let texts = words.think.as_ref();
    let texts = texts.map(|(_, texts)| [texts.draw.as_str(), texts.answer.as_str()]);
    json!(["draw", dtype.as_str(), plain, texts])
}

/// A picture before it is drawn.
struct Planned {
    contexts: Contexts,
    /// Packed noise, [1, h · w, 4z].
    noise: Tensor,
    grid: Grid,
    task: Task,
    extra: Object,
}

impl Planned {
    /// Whether both can be drawn together.
    fn fits(&self, other: &Self) -> bool {
        let branches = |planned: &Self| planned.contexts.without_image.is_some();
        self.grid == other.grid && self.task == other.task && branches(self) == branches(other)
    }
}

/// A request after the model read it.
enum Ready {
    /// It is answered in words.
    Answer(Step),
    /// A picture is drawn.
    Picture(Box<Planned>),
}

impl Stage for Draw {
    fn batch(&self) -> usize {
        self.settings.batch_size
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let item = request.item;
        let shape = json!([self.identity, request.seed, item.task, item.prompt]);
        Ok(Key::after(before, &shape, &Spoken::file_bytes(request)?))
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let mut steps = self.run_together(&[(request, before)], cancel);
        steps.pop().unwrap_or(Err(GenerateError::Cancelled))
    }

    fn run_together(
        &mut self,
        requests: &[(&Request<'_>, &Named)],
        cancel: &Cancel,
    ) -> Vec<Result<Step, GenerateError>> {
        let mut steps: Vec<Option<Result<Step, GenerateError>>> = Vec::new();
        let mut planned: Vec<(usize, Planned)> = Vec::new();
        for (index, (request, before)) in requests.iter().enumerate() {
            steps.push(match self.read(request, before, cancel) {
                Ok(Ready::Answer(step)) => Some(Ok(step)),
                Ok(Ready::Picture(picture)) => {
                    planned.push((index, *picture));
                    None
                }
                Err(error) => Some(Err(error)),
            });
        }
        while let Some((_, first)) = planned.first() {
            let marks: Vec<bool> = planned.iter().map(|(_, other)| first.fits(other)).collect();
            let mut marks = marks.into_iter();
            let (group, others): (Vec<_>, Vec<_>) = planned
                .into_iter()
                .partition(|_| marks.next().unwrap_or(true));
            planned = others;
            let (places, pictures): (Vec<usize>, Vec<Planned>) = group.into_iter().unzip();
            for (place, step) in places.into_iter().zip(self.draw(pictures, cancel)) {
                steps[place] = Some(step);
            }
        }
        let missing = || Err(GenerateError::item("network", "the model gave no answer"));
        steps
            .into_iter()
            .map(|step| step.unwrap_or_else(missing))
            .collect()
    }
}

impl Draw {
    /// Lets the model read a request, and write its answer or its thoughts.
    fn read(
        &self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Ready, GenerateError> {
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        let task = request.item.task;
        let pictures = seen_pictures(before);
        if task == Task::Edit && pictures.is_empty() {
            return Err(GenerateError::item(
                "image",
                "an edit needs a picture, but the item has no `images`",
            ));
        }
        let model = self.network.get()?;
        let reading = Reading {
            model: &model,
            words: &self.words,
            settings: &self.settings,
            vae: &self.vae,
            request,
            cancel,
        };
        let mut noise = Generator::new(request.seed);
        let mut contexts = reading.read(&pictures, &mut noise)?;
        if task == Task::Understand {
            return Ok(Ready::Answer(self.answer(&reading, &contexts.full)?));
        }
        let mut extra = Object::new();
        let tokens = contexts.full.mark().length;
        extra.insert("input_tokens".into(), tokens.into());
        reading.think(&mut contexts, &mut extra)?;
        let grid = self.grid(&contexts.grids);
        let device = model.device();
        let values = 4 * self.vae.latent_channels;
        let drawn = randn(&mut noise, grid.count() * values, DType::F32);
        let noise = Tensor::from_vec(drawn, (1, grid.count(), values), device);
        Ok(Ready::Picture(Box::new(Planned {
            contexts,
            noise: noise.map_err(ModelError::from).map_err(running("draw"))?,
            grid,
            task,
            extra,
        })))
    }

    /// The size of the picture in tokens, for the sizes of the input pictures.
    fn grid(&self, inputs: &[Grid]) -> Grid {
        let of = match self.settings.edit_size {
            EditSize::First => inputs.first(),
            EditSize::Last => inputs.last(),
        };
        let [width, height] = self.settings.size;
        of.copied().unwrap_or(Grid {
            h: (height / self.token_pixels) as usize,
            w: (width / self.token_pixels) as usize,
        })
    }

    fn answer(&self, reading: &Reading<'_>, context: &Context) -> Result<Step, GenerateError> {
        let think = self.settings.think.as_ref();
        let limit = think.map_or(self.settings.max_length, |think| think.max_length);
        let (text, written) = reading.write(context, limit)?;
        let mut extra = Object::new();
        extra.insert("input_tokens".into(), context.mark().length.into());
        extra.insert("output_tokens".into(), written.ids.len().into());
        if !written.ended {
            extra.insert("answer_truncated".into(), true.into());
        }
        Ok(Step {
            made: Made::Text(text),
            extra,
        })
    }

    /// Draws pictures of one size together.
    fn draw(&self, pictures: Vec<Planned>, cancel: &Cancel) -> Vec<Result<Step, GenerateError>> {
        match self.latents(&pictures, cancel) {
            Ok(latents) => pictures
                .into_iter()
                .zip(latents)
                .map(|(picture, latents)| {
                    finite(&latents)?;
                    Ok(latents_step(latents, picture.extra))
                })
                .collect(),
            Err(error) => pictures.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// The latents of pictures, each [1, z, 2h, 2w].
    fn latents(&self, pictures: &[Planned], cancel: &Cancel) -> Result<Vec<Tensor>, GenerateError> {
        let Some(first) = pictures.first() else {
            return Ok(Vec::new());
        };
        let model = self.network.get()?;
        let sampler = self.settings.sampler(first.task);
        let draw = || -> Result<Vec<Tensor>> {
            let branches = branches(&model, pictures, first.grid)?;
            let noise: Vec<&Tensor> = pictures.iter().map(|picture| &picture.noise).collect();
            let stacked = Tensor::cat(&noise, 0)?;
            let noise = (&stacked, first.grid);
            let special = self.words.special;
            let packed = sampler.draw(&model, noise, special, &branches, &mut |_| {
                !cancel.is_raised()
            })?;
            let latents = unpack(&packed, first.grid)?;
            let each = (0..pictures.len()).map(|row| latents.narrow(0, row, 1)?.contiguous());
            Ok(each.collect::<candle_core::Result<_>>()?)
        };
        let latents = draw();
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        latents.map_err(running("draw"))
    }
}

/// The branches of pictures that are drawn together.
fn branches(model: &Bagel, pictures: &[Planned], grid: Grid) -> Result<Branches> {
    let contexts = pictures.iter().map(|picture| &picture.contexts);
    let full: Vec<&Context> = contexts.clone().map(|contexts| &contexts.full).collect();
    let beginnings = contexts
        .clone()
        .map(|contexts| contexts.full.up_to(contexts.without_text))
        .collect::<Result<Vec<Context>>>()?;
    let beginnings: Vec<&Context> = beginnings.iter().collect();
    let without_image: Option<Vec<&Context>> = contexts
        .map(|contexts| contexts.without_image.as_ref())
        .collect();
    Ok(Branches {
        full: model.branch(&full, grid)?,
        without_text: model.branch(&beginnings, grid)?,
        without_image: without_image
            .map(|contexts| model.branch(&contexts, grid))
            .transpose()?,
    })
}
