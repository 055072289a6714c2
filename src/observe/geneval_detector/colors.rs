//! The colours of objects, by CLIP without training examples, as in GenEval.

use super::settings::Background;
use crate::model::Result;
use crate::observe::clip::{ClipEncoder, cosine};
pub(super) use crate::record::geneval_words::COLORS as PALETTE;
use image::{Rgb, RgbImage, imageops};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Names the colours of objects. It keeps the vectors of the texts of each class.
pub(super) struct ColorClassifier {
    clip: ClipEncoder,
    background: Background,
    crop: bool,
    classes: Mutex<HashMap<String, Arc<Vec<Vec<f32>>>>>,
}

/// A score for every colour of [`PALETTE`], and the index of the best one.
pub(super) struct Colors {
    pub best: usize,
    /// 100 times the cosine.
    pub scores: [f32; PALETTE.len()],
}

impl ColorClassifier {
    pub(super) fn new(clip: ClipEncoder, background: Background, crop: bool) -> Self {
        Self {
            clip,
            background,
            crop,
            classes: Mutex::default(),
        }
    }

    /// The colours of one object of the class `name`. `mask` says for each pixel, row by row, whether it
    /// belongs to the object.
    ///
    /// # Errors
    /// Fails if CLIP fails.
    pub(super) fn classify(
        &self,
        name: &str,
        image: &RgbImage,
        mask: &[bool],
        bbox: [u32; 4],
    ) -> Result<Colors> {
        let classifier = self.classifier(name)?;
        let seen = self.clip.image(&self.cut_out(image, mask, bbox))?;
        let scores: Vec<f32> = classifier
            .iter()
            .map(|text| 100.0 * cosine(&seen, text))
            .collect();
        let scores: [f32; PALETTE.len()] = std::array::from_fn(|i| scores[i]);
        // Of equal scores, the first counts, as for an argmax.
        let best =
            (1..scores.len()).fold(0, |best, i| if scores[i] > scores[best] { i } else { best });
        Ok(Colors { best, scores })
    }

    /// A unit vector for each colour, which is the mean over three wordings.
    fn classifier(&self, name: &str) -> Result<Arc<Vec<Vec<f32>>>> {
        let known = |table: &HashMap<String, Arc<Vec<Vec<f32>>>>| table.get(name).cloned();
        let lock = || self.classes.lock().unwrap_or_else(|lock| lock.into_inner());
        if let Some(known) = known(&lock()) {
            return Ok(known);
        }
        let of_color = |color: &&str| {
            let wordings = [
                format!("a photo of a {color} {name}"),
                format!("a photo of a {color}-colored {name}"),
                format!("a photo of a {color} object"),
            ];
            let vectors: Vec<Vec<f32>> = wordings
                .iter()
                .map(|text| self.clip.text(text))
                .collect::<Result<_>>()?;
            Ok(mean_direction(&vectors))
        };
        let made: Vec<Vec<f32>> = PALETTE.iter().map(of_color).collect::<Result<_>>()?;
        let made = Arc::new(made);
        lock().insert(name.to_owned(), made.clone());
        Ok(made)
    }

    /// The object alone in front of the background.
    fn cut_out(&self, image: &RgbImage, mask: &[bool], bbox: [u32; 4]) -> RgbImage {
        let mut alone = image.clone();
        if let Background::Colour(colour) = self.background {
            let pixels = alone.pixels_mut().zip(mask);
            pixels
                .filter(|(_, inside)| !**inside)
                .for_each(|(pixel, _)| *pixel = Rgb(colour));
        }
        if !self.crop {
            return alone;
        }
        let [left, top, right, bottom] = bbox;
        imageops::crop_imm(&alone, left, top, right - left, bottom - top).to_image()
    }
}

fn mean_direction(vectors: &[Vec<f32>]) -> Vec<f32> {
    let count = vectors.len() as f32;
    let width = vectors.first().map_or(0, Vec::len);
    let mean: Vec<f32> = (0..width)
        .map(|i| vectors.iter().map(|vector| vector[i]).sum::<f32>() / count)
        .collect();
    let length = mean.iter().map(|x| x * x).sum::<f32>().sqrt();
    mean.into_iter().map(|x| x / length).collect()
}
