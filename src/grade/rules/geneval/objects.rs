//! The evidence of a detector, and its detections that count.

use super::geometry::{Box4, iou};
use crate::grade::lookup;
use crate::record::evidence::{Detection, Field, Text};
use crate::record::geneval_words::official_object_name;
use serde_json::Value;

/// The objects that a detector found. Each has all that the rule needs.
pub(super) struct DetectedObjects<'a>(Vec<Detected<'a>>);

/// One detected object.
pub(super) struct Detected<'a> {
    class: Text<'a>,
    /// The detector's confidence, 0 to 1.
    pub score: f64,
    /// The box, in pixels.
    pub bbox: Box4,
    /// The colour that the classifier named, if it was asked.
    pub color: Option<Text<'a>>,
}

impl<'a> DetectedObjects<'a> {
    /// Reads a detector's evidence.
    ///
    /// # Errors
    /// Fails if an object lacks something, or has a value of another type.
    pub(super) fn read(evidence: &'a Value) -> Result<Self, String> {
        let detections = lookup::detections(evidence)?.into_iter();
        detections
            .map(Detected::checked)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl<'a> Detected<'a> {
    fn checked(detection: Field<Detection<'a>>) -> Result<Self, String> {
        let detection = detection.required("detection")?;
        Ok(Self {
            class: detection.class.required("class")?,
            score: detection.score.required("score")?,
            bbox: detection.bbox.required("box")?,
            color: detection.color.optional()?,
        })
    }
}

/// The detections that count, class by class, best first.
pub(super) struct Found<'a> {
    classes: Vec<(&'a str, Vec<&'a Detected<'a>>)>,
}

impl<'a> Found<'a> {
    /// For each class: the detections above the threshold by descending score, at most `max_objects`, then
    /// without overlaps if that is switched on. Equal scores keep the evidence's order, since the official
    /// order is unspecified.
    pub(super) fn new(
        detections: &'a DetectedObjects<'a>,
        threshold: f64,
        max_objects: usize,
        max_overlap: f64,
    ) -> Self {
        let mut classes: Vec<(&str, Vec<&Detected<'_>>)> = Vec::new();
        for detected in detections.0.iter().filter(|d| d.score > threshold) {
            let class = official_object_name(&detected.class);
            match classes.iter_mut().find(|(name, _)| *name == class) {
                Some((_, objects)) => objects.push(detected),
                None => classes.push((class, vec![detected])),
            }
        }
        for (_, objects) in &mut classes {
            objects.sort_by(|a, b| b.score.total_cmp(&a.score));
            objects.truncate(max_objects);
            if max_overlap != 1.0 {
                suppress(objects, max_overlap);
            }
        }
        Self { classes }
    }

    /// The classes that have objects, with these objects, best first.
    pub(super) fn classes(&self) -> &[(&'a str, Vec<&'a Detected<'a>>)] {
        &self.classes
    }

    /// All objects of a class.
    pub(super) fn of_class(&self, class: &str) -> &[&'a Detected<'a>] {
        let class = official_object_name(class);
        self.classes
            .iter()
            .find(|(name, _)| *name == class)
            .map_or(&[], |(_, objects)| objects)
    }

    /// The best `count` objects of a class. There may be fewer.
    pub(super) fn best(&self, class: &str, count: usize) -> &[&'a Detected<'a>] {
        let all = self.of_class(class);
        &all[..count.min(all.len())]
    }
}

/// Keeps an object only if its overlap with every better kept one is less than `max_overlap`.
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
