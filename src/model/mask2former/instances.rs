//! From logits to instances in pixels of the original picture, as in mmdetection 2.x
//! (`MaskFormerFusionHead.instance_postprocess`), with two successive resizes of the mask logits.

use super::Masks;
use crate::model::processor::detection::Sizes;
use crate::model::{ModelError, Result};
use candle_core::D;
use rayon::prelude::*;

/// Number of candidates of a picture, those with the best class probabilities.
const MOST: usize = 100;

/// One found object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instance {
    /// The number of the class.
    pub label: usize,
    /// The query that produced the mask.
    pub query: usize,
    /// Class probability times the mean probability inside the mask.
    pub score: f32,
    /// x1, y1, x2, y2 in pixels, without the right and the bottom edge.
    pub bbox: [u32; 4],
}

/// The logits of one picture in main memory.
pub struct Logits {
    /// Class probabilities, Q · (K + 1).
    classes: Vec<Vec<f32>>,
    /// Mask logits, Q · h · w.
    masks: Vec<f32>,
    extent: (usize, usize),
    sizes: Sizes,
}

impl Logits {
    /// Reads the network's result for one picture.
    ///
    /// # Errors
    /// Fails if there is more than one picture, or if a value is not finite.
    pub fn new(masks: &Masks, sizes: Sizes) -> Result<Self> {
        let (_, _, height, width) = masks.masks_queries_logits.dims4()?;
        let classes = candle_nn::ops::softmax(&masks.class_queries_logits, D::Minus1)?;
        let values: Vec<f32> = masks.masks_queries_logits.flatten_all()?.to_vec1()?;
        let classes: Vec<Vec<f32>> = classes.squeeze(0)?.to_vec2()?;
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        if !finite(&values) || !classes.iter().all(|row| finite(row)) {
            return Err(ModelError::NotFinite {
                tensor: "the detector's output".into(),
            });
        }
        Ok(Self {
            classes,
            masks: values,
            extent: (height, width),
            sizes,
        })
    }

    /// The objects with a score above `threshold`, best first. A score never exceeds its class probability,
    /// so masks are computed only for candidates that can reach the threshold, one at a time for each thread.
    pub fn instances(&self, threshold: f32) -> Vec<Instance> {
        let mut candidates: Vec<(f32, usize, usize)> = Vec::new();
        for (query, row) in self.classes.iter().enumerate() {
            let labels = row[..row.len().saturating_sub(1)].iter().enumerate();
            candidates.extend(labels.map(|(label, probability)| (*probability, query, label)));
        }
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        candidates.truncate(MOST);
        candidates.retain(|(probability, ..)| *probability > threshold);
        let mut queries: Vec<usize> = candidates.iter().map(|(_, query, _)| *query).collect();
        queries.sort_unstable();
        queries.dedup();
        let seen: Vec<Option<(f32, [u32; 4])>> = queries
            .par_iter()
            .map(|&query| self.measure(query))
            .collect();
        let mut found: Vec<Instance> = candidates
            .into_iter()
            .filter_map(|(probability, query, label)| {
                let place = queries.binary_search(&query).ok()?;
                let (certainty, bbox) = seen[place]?;
                let score = probability * certainty;
                (score > threshold).then_some(Instance {
                    label,
                    query,
                    score,
                    bbox,
                })
            })
            .collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found
    }

    /// Which pixels of the original picture belong to a query, row by row.
    pub fn mask(&self, query: usize) -> Vec<bool> {
        let logits = self.original(query);
        logits.into_iter().map(|logit| logit > 0.0).collect()
    }

    /// The mean probability inside a mask, and its bounding box. `None` for an empty mask.
    fn measure(&self, query: usize) -> Option<(f32, [u32; 4])> {
        let logits = self.original(query);
        let (_, width) = self.sizes.original;
        let (mut count, mut total) = (0u64, 0f64);
        let mut bbox: Option<[u32; 4]> = None;
        for (y, row) in logits.chunks_exact(width).enumerate() {
            for (x, &logit) in row.iter().enumerate() {
                if logit > 0.0 {
                    count += 1;
                    total += f64::from(1.0 / (1.0 + (-logit).exp()));
                    let (x, y) = (x as u32, y as u32);
                    let [left, top, right, bottom] = bbox.get_or_insert([x, y, x, y]);
                    (*left, *top) = ((*left).min(x), (*top).min(y));
                    (*right, *bottom) = ((*right).max(x), (*bottom).max(y));
                }
            }
        }
        let [left, top, right, bottom] = bbox?;
        let certainty = (total / (count as f64 + 1e-6)) as f32;
        Some((certainty, [left, top, right + 1, bottom + 1]))
    }

    /// The logits at the size of the original picture.
    fn original(&self, query: usize) -> Vec<f32> {
        let (height, width) = self.extent;
        let plane = &self.masks[query * height * width..(query + 1) * height * width];
        let Sizes {
            original,
            resized,
            padded,
        } = self.sizes;
        let full = bilinear(plane, self.extent, padded, resized);
        bilinear(&full, resized, original, original)
    }
}

/// Half-pixel centres and two taps per axis, as in PyTorch's `interpolate(mode="bilinear",
/// align_corners=False)`. Only the first `kept` rows and columns of the result are computed.
fn bilinear(
    plane: &[f32],
    (height, width): (usize, usize),
    (rows, columns): (usize, usize),
    kept: (usize, usize),
) -> Vec<f32> {
    let taps = |size: usize, new: usize, kept: usize| -> Vec<(usize, usize, f32)> {
        let scale = size as f32 / new as f32;
        let tap = |place: usize| {
            let at = (scale * (place as f32 + 0.5) - 0.5).max(0.0);
            let near = (at as usize).min(size - 1);
            let far = (near + 1).min(size - 1);
            (near, far, (at - near as f32).clamp(0.0, 1.0))
        };
        (0..kept).map(tap).collect()
    };
    let across = taps(width, columns, kept.1);
    let mut out = Vec::with_capacity(kept.0 * kept.1);
    for (upper, lower, down) in taps(height, rows, kept.0) {
        let (upper, lower) = (&plane[upper * width..], &plane[lower * width..]);
        for &(near, far, right) in &across {
            let left = 1.0 - right;
            let above = left * upper[near] + right * upper[far];
            let below = left * lower[near] + right * lower[far];
            out.push((1.0 - down) * above + down * below);
        }
    }
    out
}
