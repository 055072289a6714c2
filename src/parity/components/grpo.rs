//! `grpo`: rewards in groups and scores of tokens → advantages, the clipped objective, the loss and its
//! gradient, for every entry of `variants` in `case.json`.

use crate::model::ModelError;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use crate::train::objective::{
    AdvantageSettings, Advantages, LogProbs, PolicySettings, log_probs, objective,
};
use candle_core::{DType, Device, Tensor, Var};
use serde::Deserialize;

/// The component `grpo`.
pub(super) const GRPO: Component = Component { name: "grpo", run };

/// An entry of `variants`.
#[derive(Deserialize)]
struct Variant {
    #[serde(flatten)]
    advantage: AdvantageSettings,
    #[serde(flatten)]
    policy: PolicySettings,
    /// Whether the policy that drew is the policy itself.
    on_policy: bool,
    /// Scores are divided by it.
    temperature: f64,
}

/// What all variants are given.
struct Inputs {
    logits: Tensor,
    old: Tensor,
    reference: Tensor,
    ids: Tensor,
    mask: Tensor,
    groups: Vec<i64>,
    rewards: Vec<Vec<f64>>,
}

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let variants: Vec<Variant> = case.setting("variants")?;
    let inputs = Inputs::new(case, device)?;
    let mut tensors = Tensors::new();
    for (name, logits) in [
        ("log_probs", &inputs.logits),
        ("old_log_probs", &inputs.old),
        ("ref_log_probs", &inputs.reference),
    ] {
        let (picked, entropy) = log_probs(logits, &inputs.ids, 1.0)?;
        tensors.insert(name.into(), picked);
        if name == "log_probs" {
            tensors.insert("entropy".into(), entropy);
        }
    }
    for (k, variant) in variants.iter().enumerate() {
        let made = inputs.variant(variant)?;
        let numbered = made
            .into_iter()
            .map(|(name, tensor)| (format!("{name}.{k}"), tensor));
        tensors.extend(numbered);
    }
    Ok(tensors)
}

impl Inputs {
    fn new(case: &Case, device: &Device) -> Result<Self, CaseError> {
        let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
        let rewards = case.input("rewards")?.to_dtype(DType::F64)?.to_vec2()?;
        let inputs = Self {
            logits: input("logits")?,
            old: input("old_logits")?,
            reference: input("ref_logits")?,
            ids: input("ids")?.to_dtype(DType::U32)?,
            mask: input("mask")?.to_dtype(DType::F32)?,
            groups: case.integers("group")?,
            rewards,
        };
        let rows = inputs.ids.dim(0)?;
        if inputs.groups.len() != rows || inputs.rewards.len() != rows {
            let message = "`ids`, `group` and `rewards` have different numbers of rows";
            return Err(ModelError::Input(message.into()).into());
        }
        Ok(inputs)
    }

    /// The tensors of one variant, by their names without its number.
    fn variant(&self, variant: &Variant) -> Result<Vec<(&'static str, Tensor)>, CaseError> {
        let device = self.logits.device();
        let logits = Var::from_tensor(&self.logits)?;
        let scores = |logits: &Tensor| log_probs(logits, &self.ids, variant.temperature);
        let (own, entropy) = scores(&logits)?;
        let (old, _) = scores(&self.old)?;
        let (reference, _) = scores(&self.reference)?;
        let advantages = Advantages::new(&self.rewards, &self.groups, &variant.advantage);
        let scored = LogProbs {
            own: &own,
            old: (!variant.on_policy).then_some(&old),
            reference: Some(&reference),
            entropy: Some(&entropy),
            mask: &self.mask,
        };
        let made = objective(&scored, &advantages, &variant.policy)?;
        let grads = made.loss.backward()?;
        let gradient = match grads.get(&logits) {
            Some(gradient) => gradient.clone(),
            None => logits.zeros_like()?,
        };
        let values = advantages.values.iter().map(|value| *value as f32);
        let clipped = made.clipped.iter().sum::<f64>() as f32;
        Ok(vec![
            ("advantages", Tensor::from_iter(values, device)?),
            ("ratio", made.ratio),
            ("objective", made.objective),
            ("kl", made.kl),
            ("clip_fraction", Tensor::new(&[clipped], device)?),
            ("loss", made.loss.detach().reshape(1)?),
            ("gradient", gradient),
        ])
    }
}
