//! AdamW like PyTorch's `torch.optim.AdamW`, with a gradient that is clipped like `clip_grad_norm_` does it,
//! and a moving average of the weights like diffusers' `EMAModel` with its warm-up.

use super::TrainError;
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) with a warm-up, a clipped gradient and a moving average of
/// the weights.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerSection {
    /// The learning rate after the warm-up.
    pub learning_rate: f64,
    /// Steps over which the learning rate rises from 0.
    pub warmup: u64,
    /// Part of the learning rate that is left at the end of a half cosine; 1 keeps it.
    pub final_rate: f64,
    /// How much of the gradient's two moments each step keeps.
    pub betas: [f64; 2],
    /// What is added to the root of the second moment.
    pub eps: f64,
    /// The share of a weight, times the learning rate, that each step takes away.
    pub weight_decay: f64,
    /// Longest gradient, over all parameters.
    pub clip: f64,
    /// How much of the moving average each step keeps; it keeps less during the first steps, as in diffusers.
    pub ema: f64,
}

impl Default for OptimizerSection {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            warmup: 100,
            final_rate: 0.05,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.0,
            clip: 1.0,
            ema: 0.999,
        }
    }
}

/// One tensor that is trained, and what the optimizer remembers of it.
struct Parameter {
    name: String,
    var: Var,
    first: Vec<f32>,
    second: Vec<f32>,
    average: Vec<f32>,
}

/// The optimizer of all parameters, by name.
pub struct AdamW {
    settings: OptimizerSection,
    /// Steps of the whole training.
    steps: u64,
    parameters: Vec<Parameter>,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// Length of the gradient before it was clipped.
    pub gradient: f64,
}

const FIRST: &str = "adam_first";
const SECOND: &str = "adam_second";
const AVERAGE: &str = "ema";
const WEIGHT: &str = "weight";

impl AdamW {
    /// # Errors
    /// Fails if a parameter cannot be read.
    pub fn new(
        settings: &OptimizerSection,
        steps: u64,
        variables: BTreeMap<String, Var>,
    ) -> Result<Self, TrainError> {
        let parameters = variables.into_iter().map(|(name, var)| {
            let values = numbers(&var)?;
            Ok(Parameter {
                name,
                var,
                first: vec![0.0; values.len()],
                second: vec![0.0; values.len()],
                average: values,
            })
        });
        Ok(Self {
            settings: settings.clone(),
            steps,
            parameters: parameters.collect::<Result<_, TrainError>>()?,
        })
    }

    /// The learning rate of the step with this number, from 1: a straight rise, then half a cosine.
    pub fn learning_rate(&self, step: u64) -> f64 {
        let OptimizerSection {
            learning_rate,
            warmup,
            final_rate,
            ..
        } = self.settings;
        if step <= warmup {
            return learning_rate * step as f64 / warmup as f64;
        }
        let length = self.steps.saturating_sub(warmup).max(1) as f64;
        let way = ((step - warmup) as f64 / length).min(1.0);
        let half = 0.5 * (1.0 + (std::f64::consts::PI * way).cos());
        learning_rate * (final_rate + (1.0 - final_rate) * half)
    }

    /// Changes all parameters. `step` counts from 1.
    ///
    /// # Errors
    /// Fails if a gradient is not finite. Then no parameter has changed.
    pub fn step(&mut self, step: u64, grads: &GradStore) -> Result<Moved, TrainError> {
        let values: Vec<Option<Vec<f32>>> = self
            .parameters
            .iter()
            .map(|parameter| grads.get(&parameter.var).map(numbers).transpose())
            .collect::<Result<_, TrainError>>()?;
        let squares = values.iter().flatten().map(|grad| {
            grad.par_chunks(1 << 14)
                .map(|part| part.iter().map(|g| f64::from(*g) * f64::from(*g)).sum())
                .collect::<Vec<f64>>()
        });
        let gradient = squares.flatten().sum::<f64>().sqrt();
        if !gradient.is_finite() {
            return Err(TrainError::NotFinite {
                what: "gradient",
                step,
            });
        }
        let learning_rate = self.learning_rate(step);
        let update = Update::new(&self.settings, step, learning_rate, gradient);
        self.parameters.par_iter_mut().zip(values).try_for_each(
            |(parameter, grad)| match grad {
                Some(grad) => parameter.step(&update, &grad),
                None => Ok(()),
            },
        )?;
        Ok(Moved {
            learning_rate,
            gradient,
        })
    }

    /// Puts the averages in place of the weights while `work` runs.
    ///
    /// # Errors
    /// Fails when `work` fails.
    pub fn averaged<T>(
        &self,
        work: impl FnOnce() -> Result<T, TrainError>,
    ) -> Result<T, TrainError> {
        let kept: Vec<Tensor> = self
            .parameters
            .iter()
            .map(|parameter| Ok(parameter.var.as_detached_tensor().copy()?))
            .collect::<Result<_, TrainError>>()?;
        for parameter in &self.parameters {
            parameter.set(&parameter.average)?;
        }
        let result = work();
        for (parameter, kept) in self.parameters.iter().zip(kept) {
            parameter.var.set(&kept)?;
        }
        result
    }

    /// The averages by name: the weights that are published.
    ///
    /// # Errors
    /// Fails if a tensor cannot be made.
    pub fn averages(&self) -> Result<BTreeMap<String, Tensor>, TrainError> {
        let each = self.parameters.iter().map(|parameter| {
            let tensor = parameter.tensor(parameter.average.clone())?;
            Ok((parameter.name.clone(), tensor))
        });
        each.collect()
    }

    /// The tensors that a later step depends on.
    ///
    /// # Errors
    /// Fails if a tensor cannot be made.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>, TrainError> {
        let mut state = BTreeMap::new();
        for parameter in &self.parameters {
            let parts = [
                (WEIGHT, parameter.var.as_detached_tensor().copy()?),
                (FIRST, parameter.tensor(parameter.first.clone())?),
                (SECOND, parameter.tensor(parameter.second.clone())?),
                (AVERAGE, parameter.tensor(parameter.average.clone())?),
            ];
            for (part, tensor) in parts {
                state.insert(format!("{part}/{}", parameter.name), tensor);
            }
        }
        Ok(state)
    }

    /// Goes back to a state.
    ///
    /// # Errors
    /// Fails with the name of a tensor that is missing or has another shape.
    pub fn restore(&mut self, state: &BTreeMap<String, Tensor>) -> Result<(), String> {
        for parameter in &mut self.parameters {
            let part = |part: &str| -> Result<Vec<f32>, String> {
                let name = format!("{part}/{}", parameter.name);
                let tensor = state
                    .get(&name)
                    .ok_or_else(|| format!("{name} is missing"))?;
                if tensor.shape() != parameter.var.shape() {
                    let (is, wanted) = (tensor.shape(), parameter.var.shape());
                    return Err(format!("{name} has the shape {is:?}, not {wanted:?}"));
                }
                numbers(tensor).map_err(|error| format!("{name}: {error}"))
            };
            let weight = part(WEIGHT)?;
            let (first, second, average) = (part(FIRST)?, part(SECOND)?, part(AVERAGE)?);
            parameter.set(&weight).map_err(|error| error.to_string())?;
            (parameter.first, parameter.second, parameter.average) = (first, second, average);
        }
        Ok(())
    }
}

/// The numbers of one step that all parameters share.
struct Update {
    /// What the gradient is multiplied with, so that it is not too long.
    shorten: f32,
    betas: [f32; 2],
    /// The share that a weight keeps of itself.
    keep: f32,
    /// The learning rate over the correction of the first moment.
    rate: f32,
    /// The root of the correction of the second moment.
    second: f32,
    eps: f32,
    average: f32,
}

impl Update {
    fn new(settings: &OptimizerSection, step: u64, learning_rate: f64, gradient: f64) -> Self {
        let [first, second] = settings.betas;
        let power = |beta: f64| beta.powf(step as f64);
        let grown = (1.0 + step as f64) / (10.0 + step as f64);
        Self {
            shorten: (settings.clip / (gradient + 1e-6)).min(1.0) as f32,
            betas: [first as f32, second as f32],
            keep: (1.0 - learning_rate * settings.weight_decay) as f32,
            rate: (learning_rate / (1.0 - power(first))) as f32,
            second: (1.0 - power(second)).sqrt() as f32,
            eps: settings.eps as f32,
            average: settings.ema.min(grown) as f32,
        }
    }
}

impl Parameter {
    fn step(&mut self, update: &Update, grad: &[f32]) -> Result<(), TrainError> {
        let mut weights = numbers(&self.var)?;
        let [beta1, beta2] = update.betas;
        let moments = self.first.iter_mut().zip(&mut self.second);
        let each = weights.iter_mut().zip(&mut self.average).zip(moments);
        for (((weight, average), (first, second)), grad) in each.zip(grad) {
            let grad = grad * update.shorten;
            *first = beta1 * *first + (1.0 - beta1) * grad;
            *second = beta2 * *second + (1.0 - beta2) * grad * grad;
            let spread = second.sqrt() / update.second + update.eps;
            *weight = *weight * update.keep - update.rate * *first / spread;
            *average = update.average * *average + (1.0 - update.average) * *weight;
        }
        self.set(&weights)
    }

    fn set(&self, values: &[f32]) -> Result<(), TrainError> {
        Ok(self.var.set(&self.tensor(values.to_vec())?)?)
    }

    fn tensor(&self, values: Vec<f32>) -> Result<Tensor, TrainError> {
        Ok(Tensor::from_vec(
            values,
            self.var.shape(),
            self.var.device(),
        )?)
    }
}

fn numbers(x: &Tensor) -> Result<Vec<f32>, TrainError> {
    Ok(x.flatten_all()?.to_vec1()?)
}
