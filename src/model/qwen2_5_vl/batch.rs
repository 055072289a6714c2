//! Several conversations of one form at a time, for training.

use super::Qwen2_5Vl;
use crate::model::{ModelError, Result};
use candle_core::{Module, Tensor};

impl Qwen2_5Vl {
    /// Hidden states [B, L, D] after the final norm of rows of ids that have one length and their images, of
    /// one size each, at the same places; `image_embeds` are those of all rows in turn, `grids` of one row.
    ///
    /// # Errors
    /// Fails if the rows differ in form, and when [`Qwen2_5Vl::hidden_states`] fails.
    pub fn batch_states(
        &self,
        rows: &[Vec<u32>],
        image_embeds: Option<&Tensor>,
        grids: &[[usize; 3]],
    ) -> Result<Tensor> {
        let first = rows
            .first()
            .ok_or_else(|| ModelError::Input("there are no prompts".into()))?;
        let positions = self.positions(first, grids)?;
        for row in rows {
            if row.len() != first.len() || self.positions(row, grids)? != positions {
                return Err(ModelError::Input(
                    "prompts of different forms cannot be one batch".into(),
                ));
            }
        }
        let embeds = self.embed(&rows.concat(), image_embeds)?;
        let embeds = embeds.reshape((rows.len(), first.len(), ()))?;
        self.text
            .forward(&embeds, &self.angles(&positions.tokens)?, None)
    }

    /// Scores of the tokens that follow every position: hidden states [B, L, D] → [B, L, V].
    ///
    /// # Errors
    /// Fails if the model was built without output layer.
    pub fn all_logits(&self, hidden_states: &Tensor) -> Result<Tensor> {
        Ok(self.head()?.forward(hidden_states)?)
    }
}
