//! The loss of a step: log p of the drawings that count, under the policy and the reference.

use super::XOmniGrpoTask;
use super::objective::{Advantages, LogProbs, Objective, log_probs, objective};
use super::rollout::Group;
use super::settings::{GrpoSettings, Method};
use super::weigh::{Weighed, reasons, weigh};
use crate::model::xomni::XOmniAr;
use crate::train::TrainError;
use crate::train::scores::Scored;
use crate::train::task::{Loss, Numbers};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;

/// The drawings that several updates in turn learn from.
pub(super) struct Round {
    /// The step that they were drawn in.
    first: u64,
    /// `None` if nothing can be learnt from them.
    chosen: Option<Chosen>,
    /// Their numbers for the curve.
    numbers: Numbers,
}

/// The drawings that count.
struct Chosen {
    /// Drawings whose prompts have one length, together.
    alike: Vec<Alike>,
    /// Advantages in the order of `alike`.
    advantages: Advantages,
    /// log p under the reference, [n, N].
    reference: Tensor,
    /// log p under the policy that drew them, from the first update on.
    old: Option<Tensor>,
}

/// Drawings whose prompts have one length.
struct Alike {
    /// Prompts with their image tokens; the last is left out, as nothing follows it.
    rows: Vec<Vec<u32>>,
    /// Tokens of a prompt.
    prompt: usize,
    /// Codes [n, N], u32.
    codes: Tensor,
}

/// The networks of an update, and how the policy learns.
struct Update<'a> {
    settings: &'a GrpoSettings,
    /// The policy.
    model: &'a XOmniAr,
    /// What the policy began as, frozen.
    reference: &'a XOmniAr,
    device: &'a Device,
}

impl XOmniGrpoTask {
    /// The loss of a step, from 1.
    ///
    /// # Errors
    /// Fails if too many drawings have no reward, or a network cannot be computed.
    pub(super) fn step_loss(&self, step: u64) -> Result<Loss, TrainError> {
        let mut kept = self.round.borrow_mut();
        self.update()
            .loss(step, &mut kept, |first| self.round(first))
    }

    fn update(&self) -> Update<'_> {
        Update {
            settings: &self.settings,
            model: &self.model,
            reference: &self.reference,
            device: &self.device,
        }
    }

    /// Draws, scores and weighs the pictures of a step.
    fn round(&self, first: u64) -> Result<Round, TrainError> {
        let (rollouts, update) = (self.rollouts(first)?, self.update());
        let weighed = update.weighed(first, &rollouts.scored, self.scores.is_relative())?;
        let numbers = self.numbers(&rollouts, &weighed)?;
        let GrpoSettings {
            inner,
            pictures_every,
            ..
        } = self.settings;
        if let Some(step) = shown_in(first, inner, pictures_every) {
            self.show(step, &rollouts)?;
        }
        Ok(Round {
            first,
            chosen: update.choose(&rollouts.groups, &weighed)?,
            numbers,
        })
    }
}

impl Update<'_> {
    /// The loss of a step, from 1. `draw` makes the drawings of the first of several updates.
    fn loss(
        &self,
        step: u64,
        kept: &mut Option<Round>,
        draw: impl FnOnce(u64) -> Result<Round, TrainError>,
    ) -> Result<Loss, TrainError> {
        let first = step - step.saturating_sub(1) % self.settings.inner;
        // The first of several updates draws anew, even if it is asked for twice.
        let known = kept.take().filter(|round| round.first == first);
        let round = match known {
            _ if step == first => draw(first)?,
            Some(round) => round,
            None => {
                return Err(TrainError::Definition {
                    message: format!("step {step} needs the drawings of step {first}"),
                });
            }
        };
        let round = kept.insert(round);
        let mut numbers = Numbers::new();
        if step == first {
            numbers.append(&mut round.numbers);
        }
        let Some(chosen) = &mut round.chosen else {
            let nothing = Tensor::zeros((), DType::F32, self.device)?;
            return Ok(Loss::new(nothing, &[]).with(numbers));
        };
        let total = self.chosen_loss(chosen, &mut numbers)?;
        Ok(Loss::new(total, &[]).with(numbers))
    }

    /// What the rewards of the drawings of a step say.
    ///
    /// # Errors
    /// Fails if too many drawings have no reward.
    fn weighed(
        &self,
        first: u64,
        scored: &[Vec<Scored>],
        is_relative: bool,
    ) -> Result<Weighed, TrainError> {
        let most = self.settings.max_missing;
        let weighed = weigh(
            scored,
            self.settings.method,
            &self.settings.advantage(is_relative),
        );
        if weighed.missing > most {
            return Err(TrainError::Reward {
                message: format!(
                    "step {first}: {:.0} % of the pictures have no reward, and `settings.max_missing` allows {:.0} %: {}",
                    100.0 * weighed.missing,
                    100.0 * most,
                    reasons(scored)
                ),
            });
        }
        Ok(weighed)
    }

    /// The drawings that count, by the lengths of their prompts.
    fn choose(&self, groups: &[Group], weighed: &Weighed) -> Result<Option<Chosen>, TrainError> {
        type Member = (Vec<u32>, Vec<u32>, f64);
        let mut lengths: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
        let image = self.model.config().vocab_size as u32;
        for &(number, member, advantage) in &weighed.chosen {
            let group = &groups[number];
            let codes = &group.codes[member];
            let seen = &codes[..codes.len().saturating_sub(1)];
            let seen = seen.iter().map(|code| image + code);
            let row = group.prompt.iter().copied().chain(seen).collect();
            let members = lengths.entry(group.prompt.len()).or_default();
            members.push((row, codes.clone(), advantage));
        }
        if lengths.is_empty() {
            return Ok(None);
        }
        let (mut alike, mut values) = (Vec::new(), Vec::new());
        for (prompt, members) in lengths {
            let (mut rows, mut codes) = (Vec::new(), Vec::new());
            for (row, own, advantage) in members {
                rows.push(row);
                codes.push(own);
                values.push(advantage);
            }
            alike.push(Alike {
                rows,
                prompt,
                codes: Tensor::new(codes, self.device)?,
            });
        }
        let reference = self.log_p(self.reference, &alike)?.0.detach();
        Ok(Some(Chosen {
            alike,
            advantages: Advantages {
                kept: vec![true; values.len()],
                values,
            },
            reference,
            old: None,
        }))
    }

    /// log p of each token and the entropy at it, [n, N] both; one pass for each length of prompts.
    fn log_p(&self, model: &XOmniAr, alike: &[Alike]) -> Result<(Tensor, Tensor), TrainError> {
        let (mut likely, mut entropies) = (Vec::new(), Vec::new());
        for alike in alike {
            let states = model.batch_states(&alike.rows)?;
            let count = alike.codes.dim(1)?;
            let before = states.narrow(1, alike.prompt - 1, count)?.contiguous()?;
            let scores = model.image_logits(&before)?;
            let temperature = self.settings.sampling.temperature;
            let (own, entropy) = log_probs(&scores, &alike.codes, temperature)?;
            likely.push(own);
            entropies.push(entropy);
        }
        Ok((Tensor::cat(&likely, 0)?, Tensor::cat(&entropies, 0)?))
    }

    /// The loss of the drawings that count, and the numbers of this update.
    fn chosen_loss(
        &self,
        chosen: &mut Chosen,
        numbers: &mut Numbers,
    ) -> Result<Tensor, TrainError> {
        let (own, entropy) = self.log_p(self.model, &chosen.alike)?;
        push(numbers, "kl", divergence(&own, &chosen.reference)?);
        let mean = entropy.detach().mean_all()?.to_scalar::<f32>()?;
        push(numbers, "entropy", f64::from(mean));
        if self.settings.method == Method::BestOfN {
            return Ok(own.mean_all()?.neg()?);
        }
        let scored = LogProbs {
            own: &own,
            old: chosen.old.as_ref(),
            reference: Some(&chosen.reference),
            entropy: Some(&entropy),
            mask: &own.ones_like()?.detach(),
        };
        let made = objective(&scored, &chosen.advantages, &self.settings.policy())?;
        ratios(&made, numbers)?;
        chosen.old.get_or_insert(own.detach());
        Ok(made.loss)
    }
}

/// The step, of `inner` steps from `first` on that use the same drawings, whose pictures are kept. `None` if
/// there is none.
fn shown_in(first: u64, inner: u64, every: u64) -> Option<u64> {
    let next = first.checked_next_multiple_of(every)?;
    (next - first < inner).then_some(next)
}

/// The divergence of a picture from the reference: the sum of k3 over its tokens, and the mean over pictures.
fn divergence(own: &Tensor, reference: &Tensor) -> Result<f64, TrainError> {
    let away = (reference - own.detach())?;
    let third = ((away.exp()? - &away)? - 1.0)?;
    let mean = third.sum(1)?.mean_all()?.to_scalar::<f32>()?;
    Ok(f64::from(mean))
}

/// How often the objective was cut off, and how far the policy moved since the drawings were made.
fn ratios(made: &Objective, numbers: &mut Numbers) -> Result<(), TrainError> {
    let [low, high] = made.clipped;
    push(numbers, "clip_low", low);
    push(numbers, "clip_high", high);
    let most = made.ratio.max_all()?.to_scalar::<f32>()?;
    push(numbers, "ratio_max", f64::from(most));
    Ok(())
}

fn push(numbers: &mut Numbers, name: &str, value: f64) {
    numbers.push((name.to_owned(), value));
}

#[cfg(test)]
mod beside_torch;

#[cfg(test)]
mod tests {
    use super::shown_in;

    #[test]
    fn drawings_that_are_used_several_times_are_shown_as_often_as_others() {
        assert_eq!(shown_in(20, 1, 20), Some(20));
        assert_eq!(shown_in(19, 1, 20), None);
        // Two updates each: drawings are made in odd steps alone.
        assert_eq!(shown_in(19, 2, 20), Some(20));
        assert_eq!(shown_in(21, 2, 20), None);
        assert_eq!(shown_in(1, 4, 0), None);
    }
}
