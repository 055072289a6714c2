//! The phase `tokens`: the autoregressive model draws the image tokens of several pictures together, or answers in words.

use super::CODES;
use super::look::left;
use super::words::Words;
use crate::cancel::Cancel;
use crate::generate::diffusion::{Canvas, Key, Made, Named, Network, Stage, Step, fatal, running};
use crate::generate::spoken::Spoken;
use crate::generate::{GenerateError, Request};
use crate::model::sampling::Sampling;
use crate::model::tokenizer::template::Said;
use crate::model::weights::Checked;
use crate::model::xomni::{Drawing, XOmniAr};
use crate::model::{ModelError, Result};
use crate::record::{Object, Task};
use candle_core::{Device, Tensor};

/// The autoregressive model with what the settings say of it.
pub struct Tokens {
    pub network: Network<XOmniAr>,
    pub words: Words,
    pub sampling: Sampling,
    pub cfg_scale: f32,
    pub batch_size: usize,
    pub canvas: Canvas,
    pub max_new_tokens: usize,
    /// Checkpoint and number format.
    pub identity: String,
}

impl Stage for Tokens {
    fn name(&self) -> &'static str {
        "tokens"
    }

    fn bytes(&self) -> u64 {
        self.network.bytes()
    }

    fn loaded(&self) -> bool {
        self.network.is_loaded()
    }

    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        self.network.load(check)
    }

    fn unload(&mut self) {
        self.network.unload();
    }

    fn batch(&self) -> usize {
        self.batch_size
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let how = format!(
            "tokens {} {:?} {} {:?} {} {}",
            self.identity,
            self.sampling,
            self.cfg_scale,
            self.canvas,
            self.max_new_tokens,
            request.seed
        );
        let prompt = request.item.prompt.as_bytes();
        Ok(Key::of(&[how.as_bytes(), prompt, before.as_bytes()]))
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
                steps[index] = Some(result.and_then(drawn));
            }
        }
        let missing = || Err(GenerateError::item("network", "the model gave no answer"));
        steps
            .into_iter()
            .map(|step| step.unwrap_or_else(missing))
            .collect()
    }
}

/// Codes as what later stages take.
pub fn drawn(codes: Vec<u32>) -> Result<Step, GenerateError> {
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
        &mut self,
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
            Err(GenerateError::Cancelled)
        } else {
            codes.map_err(running("tokens"))
        }
    }

    fn answer(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let wrong = running("tokens");
        let pictures = left(before).map_err(&wrong)?;
        let spoken = Spoken::of(request)?;
        let mut places = pictures.iter().map(|codes| self.words.place(codes));
        let mut said = Vec::new();
        for turn in &spoken {
            self.words.plain(turn.text())?;
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
