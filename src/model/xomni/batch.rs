//! Several sequences of one form at a time, for training.

use super::XOmniAr;
use crate::model::nn::{Embedding, Mask, RmsNorm};
use crate::model::{ModelError, Result};
use candle_core::{Module, Tensor};
use std::ops::Range;

impl XOmniAr {
    /// Final states [B, L, D] of sequences that have one length and their image tokens at the same places.
    ///
    /// # Errors
    /// Fails if there are none, they differ in form, or an id is outside both vocabularies.
    pub fn batch_states(&self, rows: &[Vec<u32>]) -> Result<Tensor> {
        let config = self.config();
        let spans = self.form(rows)?;
        let length = rows.first().map_or(0, Vec::len);
        let mut x = self.batch_embeds(rows, &spans)?;
        let angles = self.angles(0..length)?;
        for (index, layer) in self.layers.iter().enumerate() {
            x = if config.is_language_layer(index) {
                layer.forward(&x, &angles, None, Mask::Causal)?
            } else {
                let images = spans.iter().filter(|(image, _)| *image);
                let images: Vec<Range<usize>> = images.map(|(_, span)| span.clone()).collect();
                layer.forward_some(&x, &angles, None, &images)?
            };
        }
        let [words, images] = self.norms();
        joined(&spans, |image, span| {
            let norm: &RmsNorm = if image { images } else { words };
            let part = x.narrow(1, span.start, span.len())?.contiguous()?;
            Ok(norm.forward(&part)?)
        })
    }

    /// The spans of image tokens and of words that every row has.
    fn form(&self, rows: &[Vec<u32>]) -> Result<Vec<(bool, Range<usize>)>> {
        let config = self.config();
        let all = config.vocab_size + config.mm_vocab_size;
        if let Some(id) = rows.iter().flatten().find(|&&id| id as usize >= all) {
            return Err(ModelError::Input(format!(
                "token {id} is outside the vocabularies of {all} tokens"
            )));
        }
        let first = match rows.first() {
            Some(first) if !first.is_empty() => first,
            _ => return Err(ModelError::Input("there are no tokens".into())),
        };
        let images =
            |row: &[u32]| -> Vec<bool> { row.iter().map(|&id| config.is_image(id)).collect() };
        let wanted = images(first);
        if rows.iter().any(|row| images(row) != wanted) {
            return Err(ModelError::Input(
                "sequences of different forms cannot be one batch".into(),
            ));
        }
        let mut start = 0;
        let spans = wanted.chunk_by(|a, b| a == b).map(|span| {
            let range = start..start + span.len();
            start = range.end;
            (span[0], range)
        });
        Ok(spans.collect())
    }

    /// Token vectors [B, L, D].
    fn batch_embeds(&self, rows: &[Vec<u32>], spans: &[(bool, Range<usize>)]) -> Result<Tensor> {
        let [words, images] = self.tables();
        let first = self.config().vocab_size as u32;
        joined(spans, |image, span| {
            let (table, first): (&Embedding, u32) =
                if image { (images, first) } else { (words, 0) };
            let ids = rows.iter().flat_map(|row| &row[span.clone()]);
            let ids: Vec<u32> = ids.map(|id| id - first).collect();
            let ids = Tensor::from_vec(ids, (rows.len(), span.len()), self.device())?;
            Ok(table.forward(&ids)?)
        })
    }
}

/// The spans in their order, each computed by `part` from its kind and place.
fn joined(
    spans: &[(bool, Range<usize>)],
    part: impl Fn(bool, Range<usize>) -> Result<Tensor>,
) -> Result<Tensor> {
    let parts = spans.iter().map(|(image, span)| part(*image, span.clone()));
    Ok(Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 1)?)
}
