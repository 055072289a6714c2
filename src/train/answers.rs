//! Answers to prompts of one form. A language model learns every next token of them.

use super::TrainError;
use super::lessons::{Lesson, Subject};
use super::task::Numbers;
use candle_core::{D, Device, Tensor};
use std::collections::BTreeMap;

/// Rows of prompts with their answers.
pub(super) struct Answers {
    /// The prompt and the answer of each row, filled up to one length with the end of the turn.
    pub rows: Vec<Vec<u32>>,
    /// How many tokens a prompt has.
    prompt: usize,
    /// The token after each position, from the prompt's last one on, [B, A], and whether it counts.
    targets: Tensor,
    counted: Tensor,
}

impl Answers {
    /// Prompts of one length with an answer each; `end` ends an answer.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(super) fn new(
        prompts: &[Vec<u32>],
        mut answers: Vec<Vec<u32>>,
        end: u32,
        device: &Device,
    ) -> Result<Self, TrainError> {
        answers.iter_mut().for_each(|answer| answer.push(end));
        let longest = answers.iter().map(Vec::len).max().unwrap_or(1);
        let prompt = prompts.first().map_or(0, Vec::len);
        let shape = (answers.len(), longest);
        let places = || {
            let answers = answers.iter();
            answers.flat_map(|answer| (0..longest).map(move |place| answer.get(place)))
        };
        let counted = places().map(|token| f32::from(u8::from(token.is_some())));
        let counted: Vec<f32> = counted.collect();
        let targets: Vec<u32> = places().map(|token| *token.unwrap_or(&end)).collect();
        let rows = prompts.iter().zip(&answers).map(|(prompt, answer)| {
            let mut row = [&prompt[..], &answer[..answer.len() - 1]].concat();
            row.resize(prompt.len() + longest - 1, end);
            row
        });
        Ok(Self {
            rows: rows.collect(),
            prompt,
            targets: Tensor::from_vec(targets, shape, device)?,
            counted: Tensor::from_vec(counted, shape, device)?,
        })
    }

    /// The states that predict the answers, [B, A, D], from the states of all positions, [B, L, D].
    ///
    /// # Errors
    /// Fails if they are of other rows.
    pub(super) fn states(&self, states: &Tensor) -> Result<Tensor, TrainError> {
        let answers = states.narrow(1, self.prompt.saturating_sub(1), self.targets.dim(1)?)?;
        Ok(answers.contiguous()?)
    }

    /// The mean over all tokens of answers of −log p, from their scores [B, A, V].
    ///
    /// # Errors
    /// Fails if they are of other rows.
    pub(super) fn loss(&self, scores: &Tensor) -> Result<Tensor, TrainError> {
        let scores = candle_nn::ops::log_softmax(scores, D::Minus1)?;
        let likely = scores.gather(&self.targets.unsqueeze(2)?, 2)?.squeeze(2)?;
        let counted = self.counted.sum_all()?;
        Ok(((likely * &self.counted)?.sum_all()?.neg()? / counted)?)
    }

    /// Which answers would be decoded right, word for word, from their scores [B, A, V].
    ///
    /// # Errors
    /// Fails if they are of other rows.
    pub(super) fn right(&self, scores: &Tensor) -> Result<Vec<bool>, TrainError> {
        let wrong = scores.argmax(D::Minus1)?.ne(&self.targets)?;
        let wrong = (wrong.to_dtype(self.counted.dtype())? * &self.counted)?.sum(1)?;
        let wrong: Vec<f32> = wrong.to_vec1()?;
        Ok(wrong.into_iter().map(|wrong| wrong == 0.0).collect())
    }
}

/// How many answers of each subject are right, of those to which nothing else would be right.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<Subject, [usize; 2]>);

impl Tally {
    /// Counts lessons, and those of them whose answers are right.
    pub(super) fn add(&mut self, lessons: &[Lesson], right: &[bool]) {
        for (lesson, right) in lessons.iter().zip(right) {
            if lesson.certain {
                let count = self.0.entry(lesson.subject).or_default();
                count[0] += usize::from(*right);
                count[1] += 1;
            }
        }
    }

    /// The share of right answers by the name of each subject that was asked.
    pub(super) fn shares(&self, subjects: &[Subject]) -> Numbers {
        let share = |subject: &Subject| {
            let [right, all] = self.0.get(subject)?;
            Some((subject.name().into(), *right as f64 / *all as f64))
        };
        subjects.iter().filter_map(share).collect()
    }
}
