//! The phase `tokens`: the autoregressive model draws the image tokens of several pictures together, or it
//! answers in words.

use super::language::Language;
use super::layout::CODES;
use super::look::codes_left;
use super::settings::XOmniSettings;
use super::words::Words;
use crate::cancel::Cancel;
use crate::generate::diffusion::Canvas;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::generate::spoken::Spoken;
use crate::model::generation_config::GenerationConfig;
use crate::model::sampling::Sampling;
use crate::model::tokenizer::template::Said;
use crate::model::xomni::{Drawing, XOmniAr, XOmniConfig};
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::path::Path;

/// The default of the authors' library.
const TOP_K: usize = 50;

/// The autoregressive model with its settings.
struct Tokens {
    network: Network<XOmniAr>,
    words: Words,
    sampling: Sampling,
    cfg_scale: f32,
    batch_size: usize,
    canvas: Canvas,
    max_new_tokens: usize,
    /// Everything in the settings and the checkpoint that determines its results.
    identity: Value,
}

/// The phase for a model, with pictures of the size `canvas`.
pub(super) fn phase(
    settings: &XOmniSettings,
    language: Language,
    canvas: Result<Canvas, GenerateError>,
    dtype: DType,
) -> Phase {
    let settings = settings.clone();
    let Language { config, location } = language;
    let (shape, own) = (config.clone(), location.path.clone());
    let info = NetworkInfo::new("autoregressive model", location, dtype);
    let network = Network::new(info, move |weights| XOmniAr::new(&shape, weights));
    Phase::new("tokens", vec![network.any()], move |_| {
        let canvas = canvas?;
        check_length(&config, canvas)?;
        if settings.batch_size == 0 || settings.max_new_tokens == 0 {
            return Err(GenerateError::fatal(
                "`batch_size` and `max_new_tokens` must be at least 1",
                "leave them out to use the defaults",
            ));
        }
        let sampling = sampling(&settings, &own)?;
        Ok(Tokens {
            network,
            words: Words::open(&own, &config).map_err(fatal)?,
            sampling,
            cfg_scale: settings.cfg_scale as f32,
            batch_size: settings.batch_size,
            canvas,
            max_new_tokens: settings.max_new_tokens,
            identity: json!([
                "tokens",
                own.to_string_lossy(),
                dtype.as_str(),
                sampling,
                settings.cfg_scale,
                [canvas.h, canvas.w],
                settings.max_new_tokens,
            ]),
        })
    })
}

/// Checks that a picture is not longer than the sequences on which the model was trained.
fn check_length(config: &XOmniConfig, canvas: Canvas) -> Result<(), GenerateError> {
    let longest = config.max_position_embeddings;
    if canvas.h * canvas.w < longest {
        return Ok(());
    }
    Err(GenerateError::fatal(
        format!(
            "`size`: a picture of {} × {} tokens is longer than the {longest} that the model was trained on",
            canvas.w, canvas.h
        ),
        "use a smaller `size`",
    ))
}

/// How image tokens are drawn: by the settings, or else by the checkpoint, or else by the authors' library.
fn sampling(settings: &XOmniSettings, own: &Path) -> Result<Sampling, GenerateError> {
    let published = GenerationConfig::read(own).map_err(fatal)?;
    let sampling = Sampling {
        temperature: settings.temperature as f32,
        top_k: settings.top_k.or(published.top_k).unwrap_or(TOP_K),
        top_p: settings.top_p as f32,
        min_p: settings.min_p as f32,
    };
    sampling.check().map_err(fatal)?;
    Ok(sampling)
}

impl Stage for Tokens {
    fn batch(&self) -> usize {
        self.batch_size
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!([self.identity, request.seed, request.item.prompt]);
        Ok(Key::after(before, &shape, &[]))
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
        let (mut places, mut prompts) = (Vec::new(), Vec::new());
        for (index, (request, before)) in requests.iter().enumerate() {
            steps.push(match request.item.task {
                Task::Understand => Some(self.answer(request, before, cancel)),
                _ => match self
                    .words
                    .prompt(&request.item.prompt, self.canvas.h, self.canvas.w)
                {
                    Ok(ids) => {
                        places.push(index);
                        prompts.push((ids, request.seed));
                        None
                    }
                    Err(error) => Some(Err(error)),
                },
            });
        }
        if !places.is_empty() {
            let results = match self.draw(&prompts, cancel) {
                Ok(made) => made.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error); places.len()],
            };
            for (index, result) in places.into_iter().zip(results) {
                steps[index] = Some(result.and_then(codes_step));
            }
        }
        let missing = || Err(GenerateError::item("network", "the model gave no answer"));
        steps
            .into_iter()
            .map(|step| step.unwrap_or_else(missing))
            .collect()
    }
}

/// The codes as a result for later stages.
pub(super) fn codes_step(codes: Vec<u32>) -> Result<Step, GenerateError> {
    let length = codes.len();
    let tensor = Tensor::from_vec(codes, length, &Device::Cpu);
    let tensor = tensor.map_err(|error| running("tokens")(ModelError::from(error)))?;
    Ok(Step {
        made: Made::Tensors([(CODES.to_owned(), tensor)].into()),
        extra: Object::new(),
    })
}

impl Tokens {
    fn draw(
        &self,
        prompts: &[(Vec<u32>, u64)],
        cancel: &Cancel,
    ) -> Result<Vec<Vec<u32>>, GenerateError> {
        let Canvas { h, w } = self.canvas;
        let negative = self.words.prompt("", h, w)?;
        let drawings: Vec<Drawing<'_>> = prompts
            .iter()
            .map(|(prompt, seed)| Drawing {
                prompt,
                negative: &negative,
                seed: *seed,
            })
            .collect();
        let (sampling, scale) = (self.sampling, self.cfg_scale);
        let mut go_on = |_: usize| !cancel.is_raised();
        let network = self.network.get()?;
        let codes = network.draw(&drawings, h * w, &sampling, scale, &mut go_on);
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        codes.map_err(running("tokens"))
    }

    fn answer(
        &self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let wrong = running("tokens");
        let pictures = codes_left(before).map_err(&wrong)?;
        let spoken = Spoken::turns(request)?;
        let mut places = pictures.iter().map(|codes| self.words.picture_text(codes));
        let mut said = Vec::new();
        for turn in &spoken {
            self.words.refuse_picture_tokens(turn.text())?;
            let mut lines: Vec<String> = places.by_ref().take(turn.pictures.len()).collect();
            lines.push(turn.text().into());
            said.push(Said {
                role: turn.role(),
                content: lines.join("\n"),
            });
        }
        let ids = self.words.conversation(&said, &pictures).map_err(fatal)?;
        let most = self.max_new_tokens;
        let new = self
            .network
            .get()?
            .answer(&ids, most, &self.words.eos, &mut |_| !cancel.is_raised())
            .map_err(&wrong)?;
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        let mut extra = Object::new();
        extra.insert("input_tokens".into(), ids.len().into());
        extra.insert("output_tokens".into(), new.len().into());
        if new.len() == most {
            extra.insert("answer_truncated".into(), true.into());
        }
        Ok(Step {
            made: Made::Text(self.words.tokenizer.decode(&new).map_err(&wrong)?),
            extra,
        })
    }
}
