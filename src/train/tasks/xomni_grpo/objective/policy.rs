//! The clipped objective, the divergence from a reference, the loss and its gradient.

use super::advantage::Advantages;
use candle_core::{D, Result, Tensor};
use serde::Deserialize;

/// Whose probability is compared with the one by the policy that drew a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ratio {
    /// The probability of each token.
    Token,
    /// The geometric mean of the tokens' ratios (GSPO).
    SequenceMean,
    /// The probability of the whole sequence (X-Omni's formula).
    Sequence,
}

/// Which mean is the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossMean {
    /// Over sequences of their means over tokens.
    SequenceMean,
    /// Over all tokens.
    TokenMean,
    /// The sum over tokens by sequences times the longest length (Dr. GRPO).
    Constant,
    /// Over sequences of their sums over tokens.
    SequenceSum,
}

/// Estimators of the divergence of the policy from a reference, of d = log p of the reference − log p.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Divergence {
    /// −d.
    K1,
    /// d² / 2.
    K2,
    /// exp(d) − d − 1.
    K3,
    /// The same of d within ±20, then within ±10 (verl's `low_var_kl`).
    K3Bounded,
    /// The value of k3 with the gradient of k2, which is that of the divergence from the reference.
    #[serde(rename = "k3+")]
    K3Plus,
}

/// How advantages and probabilities become a loss.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PolicySettings {
    /// Whose probability is compared with the one by the policy that drew a sequence.
    pub ratio: Ratio,
    /// How far the ratio counts below and above 1.
    pub clip: [f64; 2],
    /// Where the advantage is below 0, the objective is at least so many times it. `None` for no bound.
    pub dual_clip: Option<f64>,
    /// Which mean is the loss.
    pub loss: LossMean,
    /// The estimator of the divergence. `None` for no such part of the loss.
    pub kl: Option<Divergence>,
    /// The weight of the divergence.
    pub beta: f64,
    /// The weight of the entropy, which the loss falls with.
    pub entropy: f64,
}

/// The scores of drawn sequences: tensors [N, L] in f32.
pub struct LogProbs<'a> {
    /// log p of the drawn tokens under the policy, with its graph.
    pub own: &'a Tensor,
    /// log p under the policy that drew them. `None` if that is the same policy.
    pub old: Option<&'a Tensor>,
    /// log p under the reference. Needed only for a divergence.
    pub reference: Option<&'a Tensor>,
    /// The entropy of the policy at each token, with its graph. Needed only if it has a weight.
    pub entropy: Option<&'a Tensor>,
    /// 1 where a token counts, 0 elsewhere.
    pub mask: &'a Tensor,
}

/// The loss of a batch, and what it comes from. All but the loss have no graph, and are 0 at what does not
/// count.
pub struct Objective {
    /// The scalar that is minimised.
    pub loss: Tensor,
    /// How much likelier than before: [N, L] of tokens, [N, 1] of sequences.
    pub ratio: Tensor,
    /// The clipped objective, of the same shape.
    pub objective: Tensor,
    /// The divergence at each token, [N, L].
    pub kl: Tensor,
    /// The share of ratios that are cut off at the lower and at the upper bound.
    pub clipped: [f64; 2],
}

/// log p of `ids` [N, L] and the entropy of each position, [N, L] both, for scores [N, L, V] that are divided
/// by a temperature.
///
/// # Errors
/// Fails if shapes do not fit.
pub fn log_probs(logits: &Tensor, ids: &Tensor, temperature: f64) -> Result<(Tensor, Tensor)> {
    let scores = candle_nn::ops::log_softmax(&(logits / temperature)?, D::Minus1)?;
    let picked = scores.gather(&ids.unsqueeze(2)?.contiguous()?, 2)?;
    let entropy = (scores.exp()? * &scores)?.sum(D::Minus1)?.neg()?;
    Ok((picked.squeeze(2)?, entropy))
}

/// The loss of drawn sequences with their advantages.
///
/// # Errors
/// Fails if shapes do not fit, or a tensor that the settings need is not given.
pub fn objective(
    scored: &LogProbs<'_>,
    advantages: &Advantages,
    settings: &PolicySettings,
) -> Result<Objective> {
    let (rows, length) = scored.own.dims2()?;
    if advantages.values.len() != rows || advantages.kept.len() != rows {
        candle_core::bail!("there are {rows} sequences and other numbers of advantages");
    }
    let batch = Batch::new(scored, advantages, length)?;
    let ratio = batch.ratio(scored, settings.ratio)?;
    let bounds = [1.0 - settings.clip[0], 1.0 + settings.clip[1]];
    let worth = batch.clipped(&ratio, advantages, bounds, settings.dual_clip)?;
    let kl = match settings.kl {
        Some(kind) => divergence(kind, scored.own, given(scored.reference, "reference")?)?,
        None => scored.own.zeros_like()?,
    };
    let mut loss = batch.loss(&worth, &(&kl * settings.beta)?, settings)?;
    if settings.entropy != 0.0 {
        let entropy = given(scored.entropy, "entropy")?;
        let mean = ((entropy * &batch.mask)?.sum_all()? / batch.tokens)?;
        loss = (loss - (mean * settings.entropy)?)?;
    }
    let shown = if settings.ratio == Ratio::Token {
        &batch.mask
    } else {
        &batch.kept
    };
    Ok(Objective {
        loss,
        clipped: cut_off(&ratio, shown, advantages, bounds)?,
        ratio: (ratio.detach() * shown)?,
        objective: (worth.detach() * shown)?,
        kl: (kl.detach() * &batch.mask)?,
    })
}

fn given<'a>(tensor: Option<&'a Tensor>, name: &str) -> Result<&'a Tensor> {
    tensor.ok_or_else(|| candle_core::Error::Msg(format!("the objective needs the {name}")))
}

/// What counts of a batch.
struct Batch {
    /// 1 at tokens that count in rows that count, [N, L].
    mask: Tensor,
    /// 1 at rows that count, [N, 1].
    kept: Tensor,
    /// Tokens of each row that count, [N, 1]; at least 1, for divisions.
    lengths: Tensor,
    /// Advantages [N, 1].
    weight: Tensor,
    /// How many tokens and how many rows count; at least 1, for divisions.
    tokens: f64,
    rows: f64,
    length: f64,
}

impl Batch {
    fn new(scored: &LogProbs<'_>, advantages: &Advantages, length: usize) -> Result<Self> {
        let device = scored.own.device();
        let column = |values: Vec<f32>| {
            let rows = values.len();
            Tensor::from_vec(values, (rows, 1), device)
        };
        let kept = column(
            advantages
                .kept
                .iter()
                .map(|&kept| f32::from(u8::from(kept)))
                .collect(),
        )?;
        let mask = scored.mask.broadcast_mul(&kept)?;
        let lengths = mask.sum_keepdim(1)?;
        let rows = advantages.kept.iter().filter(|kept| **kept).count();
        let tokens = lengths.sum_all()?.to_scalar::<f32>()?;
        Ok(Self {
            lengths: lengths.maximum(1f32)?,
            weight: column(
                advantages
                    .values
                    .iter()
                    .map(|&value| value as f32)
                    .collect(),
            )?,
            tokens: f64::from(tokens).max(1.0),
            rows: rows.max(1) as f64,
            length: length as f64,
            mask,
            kept,
        })
    }

    /// How much likelier each token or sequence is than when it was drawn.
    fn ratio(&self, scored: &LogProbs<'_>, kind: Ratio) -> Result<Tensor> {
        let drawn = match scored.old {
            Some(old) => old.detach(),
            None => scored.own.detach(),
        };
        let moved = ((scored.own - drawn)? * &self.mask)?;
        match kind {
            Ratio::Token => moved.exp(),
            Ratio::SequenceMean => (moved.sum_keepdim(1)? / &self.lengths)?.exp(),
            Ratio::Sequence => moved.sum_keepdim(1)?.exp(),
        }
    }

    /// min(ratio · A, ratio within the bounds · A), and where A is below 0 at least `dual` · A.
    fn clipped(
        &self,
        ratio: &Tensor,
        advantages: &Advantages,
        [low, high]: [f64; 2],
        dual: Option<f64>,
    ) -> Result<Tensor> {
        let within = ratio.clamp(low, high)?;
        let free = ratio.broadcast_mul(&self.weight)?;
        let worth = free.minimum(&within.broadcast_mul(&self.weight)?)?;
        let Some(dual) = dual else {
            return Ok(worth);
        };
        let floors = advantages.values.iter().map(|&value| {
            if value < 0.0 {
                (dual * value) as f32
            } else {
                f32::MIN
            }
        });
        let floors = Tensor::from_vec(
            floors.collect::<Vec<f32>>(),
            self.weight.shape(),
            ratio.device(),
        )?;
        worth.maximum(&floors.broadcast_as(worth.shape())?.contiguous()?)
    }

    /// The mean of −objective + `kl`, which has its weight already.
    fn loss(&self, worth: &Tensor, kl: &Tensor, settings: &PolicySettings) -> Result<Tensor> {
        if settings.loss == LossMean::SequenceSum {
            let own = if settings.ratio == Ratio::Token {
                (worth * &self.mask)?.sum_keepdim(1)?
            } else {
                (worth * &self.kept)?
            };
            let away = (kl * &self.mask)?.sum_keepdim(1)?;
            return (away - own)?.sum_all()? / self.rows;
        }
        let each = (kl.broadcast_sub(worth)? * &self.mask)?;
        match settings.loss {
            LossMean::SequenceMean => {
                (each.sum_keepdim(1)? / &self.lengths)?.sum_all()? / self.rows
            }
            LossMean::TokenMean => each.sum_all()? / self.tokens,
            LossMean::Constant | LossMean::SequenceSum => {
                each.sum_all()? / (self.rows * self.length)
            }
        }
    }
}

/// The estimate of the divergence at each token.
fn divergence(kind: Divergence, own: &Tensor, reference: &Tensor) -> Result<Tensor> {
    let away = (reference.detach() - own)?;
    let third = |away: &Tensor| (away.exp()? - away)? - 1.0;
    match kind {
        Divergence::K1 => away.neg(),
        Divergence::K2 => away.sqr()? / 2.0,
        Divergence::K3 => third(&away),
        Divergence::K3Bounded => third(&away.clamp(-20f32, 20f32)?)?.clamp(-10f32, 10f32),
        Divergence::K3Plus => {
            let slope = (away.sqr()? / 2.0)?;
            let constant = (third(&away.detach())? - slope.detach())?;
            slope + constant
        }
    }
}

/// The shares of the ratios that count which are below the bounds with a bad outcome, or above them with a
/// good one: their gradient is cut off.
fn cut_off(
    ratio: &Tensor,
    counts: &Tensor,
    advantages: &Advantages,
    [low, high]: [f64; 2],
) -> Result<[f64; 2]> {
    let (ratio, counts) = (ratio.to_vec2::<f32>()?, counts.to_vec2::<f32>()?);
    let (mut cut, mut all) = ([0_u64; 2], 0_u64);
    for ((ratio, counts), advantage) in ratio.iter().zip(&counts).zip(&advantages.values) {
        for (ratio, counts) in ratio.iter().zip(counts) {
            if *counts == 0.0 {
                continue;
            }
            let ratio = f64::from(*ratio);
            all += 1;
            cut[0] += u64::from(ratio < low && *advantage < 0.0);
            cut[1] += u64::from(ratio > high && *advantage > 0.0);
        }
    }
    Ok(cut.map(|cut| cut as f64 / all.max(1) as f64))
}
