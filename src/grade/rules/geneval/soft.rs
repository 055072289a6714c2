//! `geneval-soft`: how near a picture comes to what GenEval asks for, as trainers use it (`evaluate_reward`
//! of `reward_server/gen_eval.py` in yifan123/reward-server, commit 92ac29f).

use super::geometry::{self, Relation};
use super::objects::{Detected, DetectedObjects};
use super::{Expect, GenEval, GenEvalOptions, Include, seen_colors};
use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Case, Rule, Verdict};
use crate::record::Evidence;
use crate::record::evidence::Detections;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `geneval-soft`, described.
pub(in crate::grade::rules) const RULE: RuleDescription = RuleDescription::new::<GenEvalSoftOptions>(
    "geneval-soft",
    "GenEval by degrees: how near counts, colours and positions come; it can be negative.",
    &[Reads::Evidence(Detections::KEY)],
    |options| Ok(Box::new(GenEvalSoft::new(options.read()?)?)),
);

/// Options of `geneval-soft`; the defaults are those of GenEval.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GenEvalSoftOptions {
    /// Whose code decides where an object is in the wrong place. Default: `unirl`.
    pub reading: Reading,
    /// A detection counts above this score (strictly). Default: 0.3.
    pub threshold: f64,
    /// The same for items of tag `counting`. Default: 0.9.
    pub counting_threshold: f64,
    /// Most detections of one class that count, best first. Default: 16.
    pub max_objects: usize,
    /// Part of both objects' sizes that an offset must exceed before it counts as a relation. Default: 0.1.
    pub position_threshold: f64,
    /// The detector to believe where there are several.
    pub observer: Option<String>,
    /// Grade even when not one of many pictures holds a detection. Default: false.
    pub accept_no_detections: bool,
}

/// Whose code is followed where two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reading {
    /// UniRL: an object in the wrong place adds a 0.
    #[default]
    Unirl,
    /// Flow-GRPO: it adds a 0, and a 1 after it all the same.
    FlowGrpo,
}

impl Default for GenEvalSoftOptions {
    fn default() -> Self {
        let official = GenEvalOptions::default();
        Self {
            reading: Reading::default(),
            threshold: official.threshold,
            counting_threshold: official.counting_threshold,
            max_objects: official.max_objects,
            position_threshold: official.position_threshold,
            observer: None,
            accept_no_detections: false,
        }
    }
}

/// Score = the mean of what the `include` clauses add: for each the nearness of its count, then of its
/// colours, then its position; `exclude` is not read. Parts: `soft` (the score), `strict` (GenEval's own
/// rule), `exact` (every count, colour and position is right, and there is no object too many of a class).
pub(super) struct GenEvalSoft {
    strict: GenEval,
    reading: Reading,
}

impl GenEvalSoft {
    /// # Errors
    /// Fails if an option is outside its range.
    fn new(options: GenEvalSoftOptions) -> Result<Self, OptionError> {
        let strict = GenEval::new(GenEvalOptions {
            threshold: options.threshold,
            counting_threshold: options.counting_threshold,
            max_objects: options.max_objects,
            position_threshold: options.position_threshold,
            observer: options.observer,
            accept_no_detections: options.accept_no_detections,
            ..GenEvalOptions::default()
        })?;
        Ok(Self {
            strict,
            reading: options.reading,
        })
    }

    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let expect = Expect::of_item(case.item)?;
        if expect.include.is_empty() {
            let words = "the item's `expect` has no `include` clause";
            return Err(Lack::of_record(words));
        }
        let strict = self.strict.verdict(case)?.score.unwrap_or_default();
        let observer = self.strict.0.observer.as_deref();
        let evidence = lookup::find(case, Detections::KEY, observer)?;
        let detections = DetectedObjects::read(evidence)
            .map_err(|e| format!("malformed detector evidence: {e}"))?;
        let found = self.strict.found(&detections, expect.tag_of(case.item));
        let mut steps = Steps {
            slack: self.strict.0.position_threshold,
            reading: self.reading,
            added: Vec::new(),
            groups: Vec::new(),
        };
        for clause in &expect.include {
            steps.clause(clause, found.of_class(&clause.class))?;
        }
        let soft = steps.added.iter().sum::<f64>() / steps.added.len() as f64;
        let exact = steps.groups.iter().all(Option::is_some);
        let parts = [
            ("soft", soft),
            ("strict", strict),
            ("exact", f64::from(u8::from(exact))),
        ];
        let added: Vec<String> = steps
            .added
            .iter()
            .map(|step| format!("{step:.4}"))
            .collect();
        Ok(Verdict {
            score: Some(soft),
            parts: BTreeMap::from(parts.map(|(name, value)| (name.to_owned(), value))),
            reason: format!("mean of {}", added.join(", ")),
            ..Verdict::default()
        })
    }
}

/// What the clauses add, in order.
struct Steps<'a> {
    slack: f64,
    reading: Reading,
    added: Vec<f64>,
    /// The objects of each clause that holds.
    groups: Vec<Option<&'a [&'a Detected<'a>]>>,
}

impl<'a> Steps<'a> {
    fn clause(
        &mut self,
        clause: &Include<'_>,
        objects: &'a [&'a Detected<'a>],
    ) -> Result<(), Lack> {
        if clause.count == 0 {
            let words = format!("the item's `expect` asks for 0 {}", clause.class);
            return Err(Lack::of_record(words));
        }
        self.added.push(nearness(clause.count, objects.len()));
        let mut holds = objects.len() == clause.count;
        if !holds && (clause.color.is_some() || clause.position.is_some()) {
            self.added.push(0.0);
        }
        if let (true, Some(color)) = (holds, &clause.color) {
            let colors = seen_colors(clause, color, objects)?;
            let right = colors.iter().filter(|seen| **seen == &**color).count();
            self.added.push(nearness(clause.count, right));
            holds = right == clause.count;
        }
        if let (true, Some((relation, target))) = (holds, clause.position) {
            holds = self.position(clause, relation, target, objects)?;
        }
        self.groups.push(holds.then_some(objects));
        Ok(())
    }

    /// Whether every object has its relation to every object of the target clause.
    fn position(
        &mut self,
        clause: &Include<'_>,
        wanted: Relation,
        target: usize,
        objects: &[&Detected<'_>],
    ) -> Result<bool, Lack> {
        let group = self.groups.get(target);
        let group = group.ok_or_else(|| clause.points_ahead(target))?;
        let Some(targets) = *group else {
            self.added.push(0.0);
            return Ok(false);
        };
        let related = |object: &Detected<'_>, other: &Detected<'_>| {
            geometry::relations(object.bbox, other.bbox, self.slack).contains(&wanted)
        };
        let holds =
            (objects.iter()).all(|object| targets.iter().all(|other| related(object, other)));
        if !holds {
            self.added.push(0.0);
        }
        if holds || self.reading == Reading::FlowGrpo {
            self.added.push(1.0);
        }
        Ok(holds)
    }
}

/// 1 − |wanted − found| / wanted; negative for more than twice as many.
fn nearness(wanted: usize, found: usize) -> f64 {
    1.0 - wanted.abs_diff(found) as f64 / wanted as f64
}

impl Rule for GenEvalSoft {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn needs(&self) -> &'static [&'static str] {
        &["include"]
    }

    fn doubt(&self, evidence: &[Evidence]) -> Option<String> {
        self.strict.doubt(evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::record::Item;
    use serde_json::{Value, json};

    /// A picture of detections: class, left edge and colour; all are 10 × 10 pixels at the same height.
    fn picture(objects: &[(&str, u32, &str)]) -> Evidence {
        let seen = objects.iter().map(|(class, left, color)| {
            json!({"class": class, "score": 0.95, "box": [left, 0, left + 10, 10], "color": color})
        });
        let seen: Vec<Value> = seen.collect();
        serde_json::from_value(
            json!({"item": "a", "observer": "world", "evidence": {"detections": seen}}),
        )
        .unwrap()
    }

    fn verdict(reading: &str, include: Value, objects: &[(&str, u32, &str)]) -> Verdict {
        let item: Item = serde_json::from_value(
            json!({"item": "a", "task": "text-to-image", "prompt": "p", "expect": {"include": include}}),
        )
        .unwrap();
        let options = Settings::parse("options", &format!("reading = {reading:?}")).unwrap();
        let seen = picture(objects);
        let case = Case {
            item: &item,
            repeat: 0,
            output: None,
            evidence: &[&seen],
        };
        RULE.build(&options).unwrap().grade(&case)
    }

    fn soft(include: Value, objects: &[(&str, u32, &str)]) -> f64 {
        let both = ["unirl", "flow-grpo"].map(|reading| {
            let verdict = verdict(reading, include.clone(), objects);
            verdict
                .score
                .unwrap_or_else(|| panic!("{:?}", verdict.unscored))
        });
        assert_eq!(
            both[0], both[1],
            "the readings differ in wrong places alone"
        );
        both[0]
    }

    const DOGS: [(&str, u32, &str); 3] =
        [("dog", 0, "red"), ("dog", 20, "red"), ("dog", 40, "blue")];

    #[test]
    fn counts_are_graded_by_degrees_and_may_be_negative() {
        let wanted = |count: usize| json!([{"class": "dog", "count": count}]);
        assert_eq!(soft(wanted(3), &DOGS), 1.0);
        assert_eq!(soft(wanted(2), &DOGS), 0.5);
        assert_eq!(soft(wanted(4), &DOGS), 0.75);
        assert_eq!(soft(wanted(1), &DOGS), -1.0);
        assert_eq!(soft(wanted(1), &[]), 0.0);
        // Three for one, and then a 0 for the colour that is not looked at: (−1 + 0) / 2.
        let red = json!([{"class": "dog", "count": 1, "color": "red"}]);
        assert_eq!(soft(red, &DOGS), -0.5);
    }

    #[test]
    fn colours_count_among_the_right_number_of_objects() {
        // Three dogs (1), of which two are red (1 − 1/3).
        let red = json!([{"class": "dog", "count": 3, "color": "red"}]);
        assert!((soft(red, &DOGS) - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        // The mean is over all that both clauses add: 1, 1 and 0, 0.
        let both = json!([
            {"class": "dog", "count": 1, "color": "red"},
            {"class": "cat", "count": 1, "color": "blue"},
        ]);
        assert_eq!(soft(both, &DOGS[..1]), 0.5);
    }

    #[test]
    fn positions_differ_between_the_readings() {
        let wanted = json!([
            {"class": "cat", "count": 1},
            {"class": "dog", "count": 1, "position": ["left of", 0]},
        ]);
        let right = [("cat", 50, "red"), ("dog", 0, "red")];
        assert_eq!(soft(wanted.clone(), &right), 1.0);
        // 1, 1, then 0; Flow-GRPO adds another 1.
        let wrong = [("cat", 0, "red"), ("dog", 50, "red")];
        let unirl = verdict("unirl", wanted.clone(), &wrong);
        assert!((unirl.score.unwrap() - 2.0 / 3.0).abs() < 1e-12);
        let flow = verdict("flow-grpo", wanted.clone(), &wrong);
        assert_eq!(flow.score, Some(0.75));
        // No target: 0 for the cat, 1 for the dog, 0 for its place.
        assert!((soft(wanted.clone(), &right[1..]) - 1.0 / 3.0).abs() < 1e-12);
        // Two dogs for one: 1, then 0 and 0.
        let two = [("cat", 50, "red"), ("dog", 0, "red"), ("dog", 20, "red")];
        assert!((soft(wanted, &two) - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn strict_and_exact_stand_beside_the_score() {
        let parts = |objects| {
            let dog = json!([{"class": "dog", "count": 1}]);
            let verdict = verdict("unirl", dog, objects);
            ["strict", "exact", "soft"].map(|name| verdict.parts[name])
        };
        // GenEval's rule allows more than it asks for.
        assert_eq!(parts(&DOGS), [1.0, 0.0, -1.0]);
        assert_eq!(parts(&DOGS[..1]), [1.0, 1.0, 1.0]);
        assert_eq!(parts(&[]), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_cannot_be_graded_says_why() {
        let why = |include: Value| verdict("unirl", include, &DOGS).unscored.unwrap();
        assert!(why(json!([])).contains("no `include` clause"));
        assert!(why(json!([{"class": "dog", "count": 0}])).contains("asks for 0 dog"));
        let ahead = json!([{"class": "dog", "count": 3, "position": ["above", 1]}]);
        assert!(why(ahead).contains("points at clause 1"));
        let odd = json!([{"class": "dog", "count": 3, "color": "mauve"}]);
        assert!(why(odd).contains("mauve"));
    }
}
