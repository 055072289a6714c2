//! Detector evidence, and the detections of it that count.

use super::GenEvalOptions;
use super::geometry::{Box4, iou};
use crate::record::geneval_words::official_object_name;
use serde::Deserialize;
use std::borrow::Cow;

/// The `evidence` object of a detector; other keys are not looked at.
#[derive(Deserialize)]
pub struct Detections<'a> {
    #[serde(borrow)]
    detections: Vec<Detected<'a>>,
}

/// One detected object.
#[derive(Deserialize)]
pub struct Detected<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
    /// The detector's confidence, 0 to 1.
    pub score: f64,
    #[serde(rename = "box")]
    /// The box, in pixels.
    pub bbox: Box4,
    /// What the colour classifier named, where it was asked.
    #[serde(borrow, default)]
    pub color: Option<Cow<'a, str>>,
}

/// The detections that count, class by class, best first.
pub struct Found<'a> {
    classes: Vec<(&'a str, Vec<&'a Detected<'a>>)>,
}

impl<'a> Found<'a> {
    /// Per class: by score descending (ties in the evidence's order, the official order being unspecified), above the
    /// threshold, at most `max_objects`, then greedy suppression of overlaps if that is switched on.
    pub fn new(detections: &'a Detections<'a>, threshold: f64, options: &GenEvalOptions) -> Self {
        let mut classes: Vec<(&str, Vec<&Detected<'_>>)> = Vec::new();
        for detected in detections.detections.iter().filter(|d| d.score > threshold) {
            let class = official_object_name(&detected.class);
            match classes.iter_mut().find(|(name, _)| *name == class) {
                Some((_, objects)) => objects.push(detected),
                None => classes.push((class, vec![detected])),
            }
        }
        for (_, objects) in &mut classes {
            objects.sort_by(|a, b| b.score.total_cmp(&a.score));
            objects.truncate(options.max_objects);
            if options.max_overlap != 1.0 {
                suppress(objects, options.max_overlap);
            }
        }
        Self { classes }
    }

    /// The classes that have any, with their objects, best first.
    pub fn classes(&self) -> &[(&'a str, Vec<&'a Detected<'a>>)] {
        &self.classes
    }

    /// All objects of a class.
    pub fn all(&self, class: &str) -> &[&'a Detected<'a>] {
        let class = official_object_name(class);
        self.classes
            .iter()
            .find(|(name, _)| *name == class)
            .map_or(&[], |(_, objects)| objects)
    }

    /// The best `count` objects of a class, or fewer where there are fewer.
    pub fn best(&self, class: &str, count: usize) -> &[&'a Detected<'a>] {
        let all = self.all(class);
        &all[..count.min(all.len())]
    }
}

/// Keeps an object only if it overlaps every better kept one by less than `max_overlap`.
fn suppress(objects: &mut Vec<&Detected<'_>>, max_overlap: f64) {
    let mut kept: Vec<&Detected<'_>> = Vec::with_capacity(objects.len());
    objects.retain(|object| {
        let clear = kept
            .iter()
            .all(|better| iou(better.bbox, object.bbox) < max_overlap);
        if clear {
            kept.push(object);
        }
        clear
    });
}
