//! `maps`: how near a map that a model drew is to the exact one.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::Evidence;
use crate::record::evidence::{
    Counts, DepthMeasures, EdgeMeasures, MapMeasures, SegmentMeasures, f_distance, read,
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The description of `maps`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<MapsOptions>(
    "maps",
    "A drawn map beside the exact one: F of edges, mIoU of segments, the order of depth, or IoU of a mask.",
    &[Reads::Evidence(MapMeasures::KEY)],
    |options| Ok(Box::new(Maps(options.read()?))),
);

/// Options of `maps`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MapsOptions {
    /// The observer to use if there are several.
    pub observer: Option<String>,
}

/// The place of the threshold 0.5 among the thresholds.
const MIDDLE: usize = 49;
/// Two values of depth, 0 to 1, that differ by less than this are equal.
const EQUAL: f64 = 2.0 / 255.0;

/// The score is F (distance) at the threshold 0.5 for edges, the mean intersection over union for segments,
/// the share of pairs of layers in the right order for depth (δ1 with true distances), and the intersection
/// over union for a mask.
pub(super) struct Maps(MapsOptions);

type Parts = BTreeMap<String, f64>;

impl Maps {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let evidence = lookup::find(case, MapMeasures::KEY, self.0.observer.as_deref())?;
        let seen: MapMeasures = read(evidence);
        let mut parts = Parts::new();
        let mut notes = Vec::new();
        let score = if let Some(edges) = &seen.edges {
            if edges.inverted {
                notes.push("dark lines on white were inverted".to_owned());
            }
            grade_edges(edges, &mut parts)
        } else if let Some(segments) = &seen.segments {
            grade_segments(segments, &mut parts)
        } else if let Some(depth) = &seen.depth {
            grade_depth(depth, &mut parts)
        } else {
            seen.mask_iou
        };
        let score = score.ok_or(Lack::of_record(
            "left out: neither the exact map nor the drawn one has anything to compare",
        ))?;
        parts.insert("resized".to_owned(), f64::from(u8::from(seen.resized)));
        if seen.resized {
            notes.push(
                "the output had another size and was resized to that of the input".to_owned(),
            );
        }
        Ok(Verdict {
            score: Some(score),
            parts,
            notes,
            ..Verdict::default()
        })
    }
}

/// F at 0.5 with the tolerance. The parts `f0` (without it), `null` (random points) and `above_null`, which
/// is (F − null) / (1 − null), and `ois`, the best F over all thresholds.
fn grade_edges(edges: &EdgeMeasures, parts: &mut Parts) -> Option<f64> {
    let f = f_distance(*edges.thresholds.get(MIDDLE)?)?;
    let best = edges
        .thresholds
        .iter()
        .filter_map(|counts| f_distance(*counts));
    let numbers = [
        ("f0", f_distance(edges.exact).unwrap_or(0.0)),
        ("null", edges.null),
        ("above_null", above(f, edges.null)),
        ("best_f", best.fold(0.0, f64::max)),
        ("inverted", f64::from(u8::from(edges.inverted))),
    ];
    parts.extend(numbers.map(|(name, number)| (name.to_owned(), number)));
    Some(f)
}

/// The share of what is above the null.
fn above(value: f64, null: f64) -> f64 {
    if null < 1.0 {
        (value - null) / (1.0 - null)
    } else {
        0.0
    }
}

/// The mean intersection over union of the classes that one of the maps has. The parts `accuracy`, `far` and
/// `boundary` (F of the boundaries).
fn grade_segments(segments: &SegmentMeasures, parts: &mut Parts) -> Option<f64> {
    let (miou, accuracy) = confusion_measures(segments.classes, &segments.confusion)?;
    parts.insert("accuracy".to_owned(), accuracy);
    parts.insert("far".to_owned(), segments.far);
    if let Some(f) = f_distance(segments.boundary) {
        parts.insert("boundary".to_owned(), f);
    }
    Some(miou)
}

/// The mean intersection over union, and the share of right pixels. `None` without pixels.
fn confusion_measures(classes: usize, counts: &[u64]) -> Option<(f64, f64)> {
    if classes == 0 || counts.len() != classes * classes {
        return None;
    }
    let at = |truth: usize, answer: usize| counts[truth * classes + answer];
    let iou = |class: usize| {
        let truth: u64 = (0..classes).map(|other| at(class, other)).sum();
        let answer: u64 = (0..classes).map(|other| at(other, class)).sum();
        let both = at(class, class);
        let union = truth + answer - both;
        (union > 0).then(|| both as f64 / union as f64)
    };
    let each: Vec<f64> = (0..classes).filter_map(iou).collect();
    let all: u64 = counts.iter().sum();
    let right: u64 = (0..classes).map(|class| at(class, class)).sum();
    (!each.is_empty()).then(|| {
        let mean = each.iter().sum::<f64>() / each.len() as f64;
        (mean, right as f64 / all as f64)
    })
}

/// The order of the layers, with the part `reversed`, which is 1 if the order is better with near as dark; or
/// δ1 after alignment, with the errors as parts.
fn grade_depth(depth: &DepthMeasures, parts: &mut Parts) -> Option<f64> {
    let mut put = |name: &str, value: f64| {
        parts.insert(name.to_owned(), value);
    };
    if let Some(metric) = &depth.metric {
        put("abs_rel", metric.abs_rel);
        put("null_abs_rel", metric.null_abs_rel);
        put("si_rmse", metric.si_rmse);
        put("reversed", f64::from(u8::from(metric.scale < 0.0)));
        if let Some(correlation) = metric.spearman {
            put("spearman", correlation);
        }
        return Some(metric.delta1);
    }
    let share = order_share(&depth.layers)?;
    put("reversed", f64::from(u8::from(share < 0.5)));
    put("order_reversed", 1.0 - share);
    Some(share)
}

/// The mean over all pairs of layers: 1 for a pair in the right order, a half for an equal pair, 0 for a pair
/// in the wrong order. `depths` go from the farthest to the nearest, where near is bright. `None` below two
/// layers.
fn order_share(depths: &[f64]) -> Option<f64> {
    let (mut sum, mut pairs) = (0.0, 0_u32);
    for (place, far) in depths.iter().enumerate() {
        for near in &depths[place + 1..] {
            let difference = near - far;
            // Values have 8 bits, so this only forgives rounding.
            sum += if difference.abs() <= EQUAL + 1e-9 {
                0.5
            } else {
                f64::from(u8::from(difference > 0.0))
            };
            pairs += 1;
        }
    }
    (pairs > 0).then(|| sum / f64::from(pairs))
}

/// The evidence of maps. The last record of an observer about an output counts.
fn all_seen(evidence: &[Evidence]) -> impl Iterator<Item = MapMeasures> {
    let mut last: BTreeMap<(&str, u32), MapMeasures> = BTreeMap::new();
    for record in evidence {
        if let Some(value) = &record.evidence
            && value.get(MapMeasures::KEY).is_some()
        {
            last.insert((record.item.as_str(), record.repeat), read(value));
        }
    }
    last.into_values()
}

fn plus(a: Counts, b: Counts) -> Counts {
    std::array::from_fn(|place| a[place] + b[place])
}

/// The best F of the sums at one threshold for all pictures, and F of the sums at the best threshold of each
/// picture.
fn optimal(all: &[EdgeMeasures]) -> Option<(f64, f64)> {
    let steps = all.iter().map(|edges| edges.thresholds.len()).min()?;
    let at = |step: usize| {
        let counts = all.iter().map(|edges| edges.thresholds[step]);
        f_distance(counts.fold([0; 4], plus))
    };
    let ods = (0..steps).filter_map(at).fold(0.0, f64::max);
    let best = |edges: &EdgeMeasures| {
        let scored = edges.thresholds.iter().map(|counts| {
            let f = f_distance(*counts).unwrap_or(0.0);
            (f, *counts)
        });
        // Of equal ones, the first.
        scored
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map_or([0; 4], |(_, counts)| counts)
    };
    let ois = f_distance(all.iter().map(best).fold([0; 4], plus))?;
    Some((ods, ois))
}

impl Rule for Maps {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn needs(&self) -> &'static [&'static str] {
        &["kind"]
    }

    /// The means of the parts; `ods` and `ois` of edges; `miou` of segments, from the sums over all pictures.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut metrics = board.mean_parts();
        let (mut edges, mut confusion) = (Vec::new(), Vec::<u64>::new());
        let mut classes = 0;
        for seen in all_seen(board.evidence) {
            edges.extend(seen.edges);
            if let Some(segments) = seen.segments {
                if confusion.is_empty() {
                    classes = segments.classes;
                    confusion = vec![0; classes * classes];
                }
                if segments.confusion.len() == confusion.len() {
                    let sums = confusion.iter_mut().zip(segments.confusion);
                    sums.for_each(|(sum, count)| *sum += count);
                }
            }
        }
        if let Some((ods, ois)) = optimal(&edges) {
            metrics.insert("ods".to_owned(), ods);
            metrics.insert("ois".to_owned(), ois);
        }
        if let Some((miou, accuracy)) = confusion_measures(classes, &confusion) {
            metrics.insert("miou".to_owned(), miou);
            metrics.insert("accuracy".to_owned(), accuracy);
        }
        metrics
    }

    fn notes(&self, _: &Board<'_>) -> Vec<String> {
        vec![
            "F of edges is F (distance): a pixel is right if a pixel of the other map is near. `null` is the F of random points, beside which it must be read."
                .to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(thresholds: &[Counts]) -> EdgeMeasures {
        EdgeMeasures {
            thresholds: thresholds.to_vec(),
            ..EdgeMeasures::default()
        }
    }

    // tests/golden/probes/make.py: `segments`.
    #[test]
    fn the_mean_is_over_the_classes_that_occur() {
        let found = confusion_measures(3, &[3, 1, 0, 1, 3, 0, 0, 0, 0]);
        assert_eq!(found, Some((0.6, 0.75)));
        assert_eq!(confusion_measures(2, &[0; 4]), None);
        assert_eq!(confusion_measures(2, &[1; 3]), None);
        // A blank answer has the background's share over the number of classes.
        let (blank, _) = confusion_measures(2, &[6, 0, 2, 0]).unwrap();
        assert_eq!(blank, 0.375);
    }

    #[test]
    fn the_order_of_layers() {
        assert_eq!(order_share(&[0.1, 0.5, 0.9]), Some(1.0));
        assert_eq!(order_share(&[0.9, 0.5, 0.1]), Some(0.0));
        assert_eq!(order_share(&[0.5; 3]), Some(0.5));
        assert_eq!(order_share(&[0.0, 1.0, 0.5]), Some(2.0 / 3.0));
        assert_eq!(order_share(&[0.5]), None);
        let mut parts = Parts::new();
        let reversed = DepthMeasures {
            layers: vec![0.9, 0.5],
            metric: None,
        };
        assert_eq!(grade_depth(&reversed, &mut parts), Some(0.0));
        assert_eq!((parts["reversed"], parts["order_reversed"]), (1.0, 1.0));
    }

    #[test]
    fn one_threshold_for_all_is_not_the_best_of_each() {
        // Each picture is right at another threshold.
        let one = edges(&[[4, 4, 4, 4], [0, 4, 0, 4]]);
        let other = edges(&[[0, 4, 0, 4], [4, 4, 4, 4]]);
        assert_eq!(optimal(&[one, other]), Some((0.5, 1.0)));
        assert_eq!(optimal(&[]), None);
    }

    #[test]
    fn what_is_above_the_null() {
        let mut parts = Parts::new();
        let mut seen = edges(&[[4, 4, 4, 4]; 99]);
        (seen.null, seen.exact) = (0.44, [2, 4, 2, 4]);
        assert_eq!(grade_edges(&seen, &mut parts), Some(1.0));
        assert_eq!((parts["above_null"], parts["f0"]), (1.0, 0.5));
        assert_eq!(above(0.44, 0.44), 0.0);
        assert_eq!(grade_edges(&edges(&[[0; 4]; 99]), &mut parts), None);
    }
}
