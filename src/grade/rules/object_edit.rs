//! `object-edit`: an edit by the objects that a detector finds. The rule checks whether what was asked for is
//! there, and whether the rest is still there.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::evidence::{Detection, Detections, Field};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The description of `object-edit`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<ObjectEditOptions>(
    "object-edit",
    "An edit by the objects that a detector finds: what was asked for, and what was to stay.",
    &[Reads::Evidence(Detections::KEY)],
    |options| Ok(Box::new(ObjectEdit::new(options.read()?)?)),
);

/// Options of `object-edit`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ObjectEditOptions {
    /// The largest distance, in pixels on each axis, of an object's centre from the centre of its box, for
    /// the object to be in place. Default: 4.
    pub near: f64,
    /// The detector to use if there are several.
    pub observer: Option<String>,
}

impl Default for ObjectEditOptions {
    fn default() -> Self {
        Self {
            near: 4.0,
            observer: None,
        }
    }
}

/// `expect` of an item.
#[derive(Deserialize)]
struct Expect {
    /// Objects that must stay.
    kept: Vec<Object>,
    /// The object that must be gone.
    gone: Option<Object>,
    /// The object that must be there.
    new: Option<Object>,
}

/// An object of an item or of the evidence.
#[derive(Debug, PartialEq, Deserialize)]
struct Object {
    class: String,
    color: String,
    /// If it is absent, any place is right.
    #[serde(default, rename = "box")]
    bbox: Option<[f64; 4]>,
}

impl Object {
    /// Whether a detection is this object, in its place if it has one.
    fn matches_detection(&self, detected: &Self, near: f64) -> bool {
        let centre = |[x1, y1, x2, y2]: [f64; 4]| [(x1 + x2) / 2.0, (y1 + y2) / 2.0];
        let in_place = match (self.bbox, detected.bbox) {
            (Some(wanted), Some(seen)) => {
                let (wanted, seen) = (centre(wanted), centre(seen));
                (0..2).all(|axis| (wanted[axis] - seen[axis]).abs() <= near)
            }
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.class == detected.class && self.color == detected.color && in_place
    }

    fn description(&self) -> String {
        format!("{} {}", self.color, self.class)
    }
}

/// `follow` is 1 when the new object is there and the old one is not. `preserve` is the share of the objects
/// to keep that are still in place with their class and colour. `exact` is 1 when both hold and nothing else
/// is there. The score is follow × preserve, and `correct` is `exact`. Each detection counts for one object.
#[derive(Debug)]
pub(super) struct ObjectEdit(ObjectEditOptions);

impl ObjectEdit {
    /// # Errors
    /// Fails if the distance is not a number of pixels.
    pub(super) fn new(options: ObjectEditOptions) -> Result<Self, OptionError> {
        if options.near >= 0.0 && options.near.is_finite() {
            Ok(Self(options))
        } else {
            Err(OptionError::value("near", options.near, "0 or more pixels"))
        }
    }

    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let expect = Expect::deserialize(&case.item.expect).map_err(|error| {
            let words = format!("the item's `expect` needs `kept`, `gone` and `new`: {error}");
            Lack::of_record(words)
        })?;
        let evidence = lookup::find(case, Detections::KEY, self.0.observer.as_deref())?;
        let mut detections = read_objects(evidence)
            .map_err(|error| format!("malformed detector evidence: {error}"))?;
        let near = self.0.near;
        let mut take = |object: &Object| {
            let place = detections
                .iter()
                .position(|seen| object.matches_detection(seen, near));
            place.map(|place| detections.remove(place)).is_some()
        };
        let mut reasons = Vec::new();
        let kept = expect.kept.len();
        let mut lost = 0;
        for object in &expect.kept {
            if !take(object) {
                lost += 1;
                reasons.push(format!("the {} is not where it was", object.description()));
            }
        }
        let mut follow = true;
        if let Some(object) = expect.new.as_ref().filter(|object| !take(object)) {
            follow = false;
            reasons.push(format!("there is no {} as asked for", object.description()));
        }
        if let Some(object) = expect.gone.as_ref().filter(|object| take(object)) {
            follow = false;
            reasons.push(format!("the {} is still there", object.description()));
        }
        let preserve = match kept {
            0 => 1.0,
            _ => (kept - lost) as f64 / kept as f64,
        };
        let exact = follow && lost == 0 && detections.is_empty();
        if !detections.is_empty() {
            let seen: Vec<String> = detections.iter().map(Object::description).collect();
            reasons.push(format!("not asked for: {}", seen.join(", ")));
        }
        let number = |held: bool| f64::from(u8::from(held));
        let parts = [
            ("follow", number(follow)),
            ("preserve", preserve),
            ("exact", number(exact)),
        ];
        Ok(Verdict {
            parts: parts.map(|(name, value)| (name.to_owned(), value)).into(),
            ..Verdict::scored(number(follow) * preserve, exact, reasons.join("\n"))
        })
    }
}

/// The objects of the evidence.
fn read_objects(evidence: &Value) -> Result<Vec<Object>, String> {
    let object = |detection: Field<Detection<'_>>| {
        let detection = detection.required("detection")?;
        Ok(Object {
            class: detection.class.required("class")?.to_string(),
            color: detection.color.required("color")?.to_string(),
            bbox: detection.bbox.optional()?,
        })
    };
    lookup::detections(evidence)?
        .into_iter()
        .map(object)
        .collect()
}

impl Rule for ObjectEdit {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    /// The mean of each part over scored outputs.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        board.mean_parts()
    }
}
