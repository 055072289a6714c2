//! The decoder, which reads words and pictures into contexts, and gives the velocities of noisy latents.

use super::config::BagelConfig;
use super::context::{Branch, Context};
use super::latents::{Latents, latent_grid, pack};
use super::layer::{Kind, LATENT, MotLayer};
use super::special::SpecialTokens;
use super::table::Grid;
use crate::model::nn::{Embedding, Linear, Mask, RmsNorm, embedding, linear, rms_norm};
use crate::model::qwen2::Angles;
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Device, Module, Tensor};

/// `language_model` with the layers that lead latents into it and out of it.
pub struct Bagel {
    words: usize,
    theta: f64,
    /// Half the width of a head.
    half: usize,
    embed_tokens: Embedding,
    pub(super) layers: Vec<MotLayer>,
    /// The final norms of plain tokens and of latents.
    norms: [RmsNorm; 2],
    lm_head: Linear,
    latents: Latents,
    dtype: DType,
}

impl Bagel {
    /// Loads the tensors from `weights`. The token stream, the norms and the layers around latents are in
    /// f32 for every dtype.
    ///
    /// # Errors
    /// Fails when [`Weights::get`] fails.
    pub fn new(config: &BagelConfig, weights: &Weights) -> Result<Self> {
        let llm = &config.llm;
        let own = weights.at("language_model");
        let (model, hidden) = (own.at("model"), llm.hidden_size);
        let exact = weights.with_dtype(DType::F32);
        let norm = |ending: &str| {
            let place = model.with_dtype(DType::F32).at(format!("norm{ending}"));
            rms_norm(&place, hidden, llm.rms_norm_eps)
        };
        let layer = |index| MotLayer::new(llm, &model.at("layers").at(index));
        Ok(Self {
            words: llm.vocab_size,
            theta: llm.rope_theta,
            half: llm.head_size() / 2,
            embed_tokens: embedding(&model.at("embed_tokens"), llm.vocab_size, hidden)?,
            layers: (0..llm.num_hidden_layers)
                .map(layer)
                .collect::<Result<_>>()?,
            norms: [norm("")?, norm(LATENT)?],
            lm_head: linear(&own.at("lm_head"), hidden, llm.vocab_size, false)?,
            latents: Latents::new(hidden, config.latents, &exact)?,
            dtype: weights.dtype(),
        })
    }

    /// The device of the weights.
    pub fn device(&self) -> &Device {
        self.embed_tokens.embeddings().device()
    }

    /// Width of a packed token of latents, 4z.
    pub fn token_width(&self) -> usize {
        self.latents.width
    }

    /// The angles of tokens at these positions.
    pub(super) fn angles(&self, positions: impl ExactSizeIterator<Item = usize>) -> Result<Angles> {
        Angles::plain(positions, self.theta, self.half, self.device())
    }

    /// Token vectors [1, L, D] in f32.
    pub(super) fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        self.embed_rows(&[ids])
    }

    /// Token vectors of several rows of one length, [B, L, D] in f32.
    fn embed_rows<R: AsRef<[u32]>>(&self, rows: &[R]) -> Result<Tensor> {
        let length = rows.first().map_or(0, |row| row.as_ref().len());
        let ids: Vec<u32> = rows.iter().flat_map(|row| row.as_ref()).copied().collect();
        if let Some(id) = ids.iter().find(|&&id| id as usize >= self.words) {
            return Err(ModelError::Input(format!(
                "token {id} is outside the vocabulary of {}",
                self.words
            )));
        }
        let ids = Tensor::from_vec(ids, (rows.len(), length), self.device())?;
        Ok(self.embed_tokens.forward(&ids)?.to_dtype(DType::F32)?)
    }

    /// Vectors [B, L, D] of a part through all layers → states after the final norms. `join` is that of
    /// [`MotLayer::forward`], with the number of the layer.
    pub(super) fn states(
        &self,
        embeds: Tensor,
        kind: Kind,
        angles: &Angles,
        mask: Mask<'_>,
        mut join: impl FnMut(usize, Tensor, Tensor) -> candle_core::Result<(Tensor, Tensor)>,
    ) -> Result<Tensor> {
        let mut x = embeds;
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x, kind, angles, mask, |k, v| join(index, k, v))?;
        }
        let [plain, latent] = &self.norms;
        Ok(kind.each([plain, latent], &[&x], |norm, rows| norm.forward(&rows[0]))?)
    }

    /// Reads a part, whose tokens have the given positions, into a context, which continues `steps` positions
    /// later. Returns the states [1, L, D] of the part.
    fn read(
        &self,
        embeds: Tensor,
        kind: Kind,
        mask: Mask<'_>,
        (angles, steps): (&Angles, usize),
        context: &mut Context,
    ) -> Result<Tensor> {
        let length = embeds.dim(1)?;
        let mut layers = Vec::with_capacity(self.layers.len());
        let before = &*context;
        let states = self.states(embeds, kind, angles, mask, |layer, k, v| {
            let (k, v) = before.joined(layer, &k, &v)?;
            layers.push((k.clone(), v.clone()));
            Ok((k, v))
        })?;
        context.extend(layers, length, steps);
        Ok(states)
    }

    /// Reads words, with the tokens that open and close them, into a context. Each sees what is before it.
    /// Returns their states after the final norm, [1, L, D].
    ///
    /// # Errors
    /// Fails if an id is outside the vocabulary, or the device has no room.
    pub fn read_text(
        &self,
        ids: &[u32],
        special: SpecialTokens,
        context: &mut Context,
    ) -> Result<Tensor> {
        self.read_texts(&[ids], special, context)
    }

    /// The same for a context of several sequences, with words of one length for each: [B, L, D].
    ///
    /// # Errors
    /// Fails if the lengths differ, and when [`Self::read_text`] fails.
    pub fn read_texts<R: AsRef<[u32]>>(
        &self,
        rows: &[R],
        special: SpecialTokens,
        context: &mut Context,
    ) -> Result<Tensor> {
        let closed = |row: &R| [&[special.im_start][..], row.as_ref(), &[special.im_end]].concat();
        let rows: Vec<Vec<u32>> = rows.iter().map(closed).collect();
        self.read_open(&rows, context)
    }

    /// Reads words of one length for each sequence of a context as they are, without tokens around them.
    /// Returns their states after the final norm, [B, L, D].
    ///
    /// # Errors
    /// Fails when [`Self::read_texts`] fails.
    pub fn read_open<R: AsRef<[u32]>>(&self, rows: &[R], context: &mut Context) -> Result<Tensor> {
        let length = rows.first().map_or(0, |row| row.as_ref().len());
        let start = context.mark().position;
        let angles = self.angles(start..start + length)?;
        let embeds = self.embed_rows(rows)?;
        self.read(
            embeds,
            Kind::Plain,
            Mask::Causal,
            (&angles, length),
            context,
        )
    }

    /// Reads the tokens [P, D] of a picture as the eyes see it into a context. Each sees all of the picture
    /// and what is before it. Returns the states with those of the tokens around the picture, [1, P + 2, D].
    ///
    /// # Errors
    /// Fails if the width is another, or the device has no room.
    pub fn read_picture(
        &self,
        embeds: &Tensor,
        special: SpecialTokens,
        context: &mut Context,
    ) -> Result<Tensor> {
        self.read_pictures(&embeds.unsqueeze(0)?, special, context)
    }

    /// The same for a context of several sequences, with a picture of one size for each: tokens [B, P, D] →
    /// [B, P + 2, D].
    ///
    /// # Errors
    /// Fails when [`Self::read_picture`] fails.
    pub fn read_pictures(
        &self,
        embeds: &Tensor,
        special: SpecialTokens,
        context: &mut Context,
    ) -> Result<Tensor> {
        let embeds = embeds.to_dtype(DType::F32)?;
        self.read_whole(&embeds, Kind::Plain, special, context)
    }

    /// Reads the scaled latents [z, 2h, 2w] of a picture into a context. Returns the states with those of the
    /// tokens around the picture, [1, h · w + 2, D].
    ///
    /// # Errors
    /// Fails if the picture does not fit the table of positions, or the device has no room.
    pub fn read_latents(
        &self,
        latents: &Tensor,
        special: SpecialTokens,
        context: &mut Context,
    ) -> Result<Tensor> {
        let packed = pack(&latents.to_dtype(DType::F32)?)?.unsqueeze(0)?;
        self.read_packed(&packed, latent_grid(latents)?, special, context)
    }

    /// The same for a context of several sequences, with packed latents [B, h · w, 4z] of a picture of one
    /// size for each.
    ///
    /// # Errors
    /// Fails when [`Self::read_latents`] fails.
    pub fn read_packed(
        &self,
        packed: &Tensor,
        grid: Grid,
        special: SpecialTokens,
        context: &mut Context,
    ) -> Result<Tensor> {
        let embeds = self.latents.embed(packed, grid, &[0.0])?;
        self.read_whole(&embeds, Kind::Latents, special, context)
    }

    fn read_whole(
        &self,
        embeds: &Tensor,
        kind: Kind,
        special: SpecialTokens,
        context: &mut Context,
    ) -> Result<Tensor> {
        let embeds = self.between(embeds, special)?;
        let positions = vec![context.mark().position; embeds.dim(1)?];
        let angles = self.angles(positions.into_iter())?;
        self.read(embeds, kind, Mask::None, (&angles, 1), context)
    }

    /// The tokens [B, N, D] of pictures between those that open and close a picture.
    fn between(&self, embeds: &Tensor, special: SpecialTokens) -> Result<Tensor> {
        let (batch, _, width) = embeds.dims3()?;
        let around = |id: u32| -> Result<Tensor> {
            Ok(self
                .embed(&[id])?
                .broadcast_as((batch, 1, width))?
                .contiguous()?)
        };
        let ends = (around(special.vision_start)?, around(special.vision_end)?);
        Ok(Tensor::cat(&[&ends.0, embeds, &ends.1], 1)?)
    }

    /// The branch of a drawing: pictures of the size `grid`, each after one of the contexts, or each after one
    /// of the sequences of a single context.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub fn branch(&self, contexts: &[&Context], grid: Grid) -> Result<Branch> {
        Branch::new(contexts, grid, (self.theta, self.half), self.device())
    }

    /// The states after the final norms of noisy pictures at a time in 0 to 1, with those of the tokens
    /// around them: packed latents [B, h · w, 4z] → [B, h · w + 2, D]. The branch does not change.
    ///
    /// # Errors
    /// Fails if the pictures are not those of the branch, or do not fit the table of positions.
    pub fn noise_states(
        &self,
        packed: &Tensor,
        grid: Grid,
        times: &[f64],
        special: SpecialTokens,
        branch: &Branch,
    ) -> Result<Tensor> {
        let embeds = self.latents.embed(packed, grid, times)?;
        let embeds = self.between(&embeds, special)?;
        let mask = branch.mask.as_ref().map_or(Mask::None, Mask::Add);
        self.states(
            embeds,
            Kind::Latents,
            &branch.angles,
            mask,
            |layer, k, v| branch.joined(layer, k, v),
        )
    }

    /// The velocities of the latents whose states [B, h · w + 2, D] [`Self::noise_states`] gave, [B, h · w,
    /// 4z].
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn velocity(&self, states: &Tensor) -> Result<Tensor> {
        let tokens = states.dim(1)?.saturating_sub(2);
        self.latents
            .velocity(&states.narrow(1, 1, tokens)?.contiguous()?)
    }

    /// Scores of the next token after the last of the states [1, L, D], [1, V] in f32.
    ///
    /// # Errors
    /// Fails if there are no states.
    pub fn logits(&self, states: &Tensor) -> Result<Tensor> {
        let last = states.narrow(1, states.dim(1)?.saturating_sub(1), 1)?;
        self.all_logits(&last.squeeze(1)?.contiguous()?)
    }

    /// Scores of the next tokens after states [.., D], [.., V] in f32.
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn all_logits(&self, states: &Tensor) -> Result<Tensor> {
        let scores = self.lm_head.forward(&states.to_dtype(self.dtype)?)?;
        Ok(scores.to_dtype(DType::F32)?)
    }
}
