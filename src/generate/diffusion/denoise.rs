//! The phase `denoise`: Euler steps of a FLUX transformer, from noise to latents.

use super::networks::{Network, running};
use super::scratch::{Key, Named};
use super::size::{Canvas, Sizing};
use super::stage::{Made, Stage, Step};
use super::{POOLED, PROMPT, T5};
use crate::cancel::Cancel;
use crate::generate::{GenerateError, Request};
use crate::model::flow_match::{FlowMatchConfig, euler_step};
use crate::model::flux::{FluxTransformer, latents};
use crate::model::noise;
use crate::model::{ModelError, Result};
use crate::record::Object;
use candle_core::{DType, Device, Tensor};

/// The packed latents that a chain's denoising leaves to its decoding.
pub const LATENTS: &str = "latents";

/// What the pipelines decide.
pub struct Sampling {
    pub num_inference_steps: usize,
    pub guidance_scale: f32,
    pub scheduler: FlowMatchConfig,
}

/// The denoiser.
pub struct Denoise {
    pub transformer: Network<FluxTransformer>,
    pub sampling: Sampling,
    /// Width of a packed token: four times the latent channels.
    pub token_width: usize,
    pub sizing: Sizing,
    pub device: Device,
    pub dtype: DType,
}

impl Stage for Denoise {
    fn name(&self) -> &'static str {
        "denoise"
    }

    fn bytes(&self) -> u64 {
        self.transformer.bytes()
    }

    fn loaded(&self) -> bool {
        self.transformer.is_loaded()
    }

    fn load(&mut self) -> Result<(), GenerateError> {
        self.transformer.load()
    }

    fn unload(&mut self) {
        self.transformer.unload();
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let Canvas { h, w } = self.sizing.canvas(request)?;
        let how = format!(
            "denoise {} {} {h} {w} {}",
            self.sampling.num_inference_steps, self.sampling.guidance_scale, request.seed
        );
        Ok(Key::of(&[how.as_bytes(), before.as_bytes()]))
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let canvas = self.sizing.canvas(request)?;
        let x = self
            .start(canvas, request.seed)
            .map_err(running("denoise"))?;
        let x = self.steps(x, canvas, before, cancel)?;
        Ok(Step {
            made: Made::Tensors([(LATENTS.to_owned(), x)].into()),
            extra: Object::new(),
        })
    }
}

impl Denoise {
    /// `torch.randn` of (1, c, 2h, 2w) on a CPU generator in f32, packed and cast.
    fn start(&self, Canvas { h, w }: Canvas, seed: u64) -> Result<Tensor> {
        let channels = self.token_width / 4;
        let count = channels * 4 * h * w;
        let values = noise::randn(&mut noise::Generator::new(seed), count, DType::F32);
        let latents_shape = (1, channels, 2 * h, 2 * w);
        let cells = Tensor::from_vec(values, latents_shape, &Device::Cpu)?;
        let tokens = latents::pack(&cells)?;
        Ok(tokens.to_device(&self.device)?.to_dtype(self.dtype)?)
    }

    fn steps(
        &mut self,
        mut x: Tensor,
        Canvas { h, w }: Canvas,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Tensor, GenerateError> {
        let wrong = running("denoise");
        let sampling = &self.sampling;
        let sigmas = sampling
            .scheduler
            .sigmas(sampling.num_inference_steps, h * w)
            .map_err(&wrong)?;
        let transformer = self.transformer.get()?;
        let conditioning = condition(
            transformer,
            before,
            sampling.guidance_scale,
            (h, w),
            &self.device,
        )
        .map_err(&wrong)?;
        for (number, pair) in sigmas.windows(2).enumerate() {
            if cancel.is_raised() {
                return Err(GenerateError::Cancelled);
            }
            let step = || -> Result<Tensor> {
                let sigma = Tensor::new(&[pair[0]], &self.device)?;
                let velocity = transformer.forward(&x, &conditioning, &sigma, None)?;
                euler_step(&x, &velocity, pair[0], pair[1])
            };
            x = step().map_err(&wrong)?;
            if number == 0 {
                finite(&x)?;
            }
        }
        finite(&x)?;
        Ok(x)
    }
}

/// The prompt's states, T5's where they join, and CLIP's pooled vector, as the transformer takes them.
fn condition(
    transformer: &FluxTransformer,
    before: &Named,
    guidance_scale: f32,
    (h, w): (usize, usize),
    device: &Device,
) -> Result<crate::model::flux::Conditioning> {
    let states: Vec<&Tensor> = [PROMPT, T5]
        .iter()
        .filter_map(|name| before.get(*name))
        .collect();
    let pooled = before.get(POOLED);
    let (Some(pooled), false) = (pooled, states.is_empty()) else {
        return Err(ModelError::Input("the prompt was not encoded".into()));
    };
    let states = Tensor::cat(&states, 1)?;
    transformer.prepare(
        &states,
        pooled,
        Some(&Tensor::new(&[guidance_scale], device)?),
        &latents::image_ids(h, w, device)?,
        &latents::text_ids(states.dim(1)?, device)?,
    )
}

/// A latent that is not finite makes every later number so: better told at once.
fn finite(x: &Tensor) -> Result<(), GenerateError> {
    let sum = x
        .to_dtype(DType::F32)
        .and_then(|x| x.abs()?.sum_all()?.to_scalar::<f32>());
    match sum {
        Ok(sum) if sum.is_finite() => Ok(()),
        Ok(_) => Err(GenerateError::item(
            "not-finite",
            "the latents are not finite: the weights overflow in this precision, or are damaged; try `precision = \
             \"f32\"`",
        )),
        Err(error) => Err(GenerateError::item("network", error.to_string())),
    }
}
