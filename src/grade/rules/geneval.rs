//! `geneval`: GenEval's rule from detector evidence (`evaluation/evaluate_images.py` and `summary_scores.py`
//! of the official repository, commit af4902f).

mod geometry;
mod objects;
mod official;
mod soft;

pub(super) use soft::RULE as SOFT;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::error::OptionError;
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, OfficialFile, Rule, Verdict};
use crate::record::Overall;
use crate::record::evidence::{Detections, OfficialVerdict, Text};
use crate::record::geneval_words::COLORS as PALETTE;
use crate::record::{Evidence, Grade, Item};
use geometry::Relation;
use objects::{Detected, DetectedObjects, Found};
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// The evidence leaves out detections below this score, so no threshold may be lower.
const LOWEST_THRESHOLD: f64 = 0.05;

/// The description of `geneval`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<GenEvalOptions>(
    "geneval",
    "GenEval: the objects, counts, colours and positions that a detector finds.",
    &[
        Reads::Evidence(Detections::KEY),
        Reads::Evidence(OfficialVerdict::KEY),
    ],
    |options| Ok(Box::new(GenEval::new(options.read()?)?)),
)
.with_official_files(&["results.jsonl", "summary_scores.txt"])
.with_official_results(official::RESULTS);

/// Options of `geneval`; the defaults are the official ones.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GenEvalOptions {
    /// A detection counts above this score (strictly). Default: 0.3.
    pub threshold: f64,
    /// The same for items of tag `counting`. Default: 0.9.
    pub counting_threshold: f64,
    /// The largest number of detections of one class that count, best first. Default: 16.
    pub max_objects: usize,
    /// Of two detections of a class with an IoU of this or more, only the better one counts. 1 switches this
    /// off. Default: 1.
    pub max_overlap: f64,
    /// The part of both objects' sizes that an offset must exceed before it counts as a relation. Default:
    /// 0.1.
    pub position_threshold: f64,
    /// The detector to use if there are several.
    pub observer: Option<String>,
    /// Grade even if the detector found nothing in any of many pictures. Default: false.
    pub accept_no_detections: bool,
}

impl Default for GenEvalOptions {
    fn default() -> Self {
        Self {
            threshold: 0.3,
            counting_threshold: 0.9,
            max_objects: 16,
            max_overlap: 1.0,
            position_threshold: 0.1,
            observer: None,
            accept_no_detections: false,
        }
    }
}

/// So many pictures without a detection are not a coincidence, since GenEval's classes are common things.
const SUSPICIOUS: usize = 20;

/// `expect` of an item: the official metadata object.
#[derive(Deserialize)]
struct Expect<'a> {
    #[serde(borrow, default)]
    tag: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    include: Vec<Include<'a>>,
    #[serde(borrow, default)]
    exclude: Vec<Exclude<'a>>,
}

impl<'e> Expect<'e> {
    fn of_item(item: &'e Item) -> Result<Self, Lack> {
        Self::deserialize(&item.expect).map_err(|e| {
            Lack::of_record(format!("the item's `expect` is not GenEval metadata: {e}"))
        })
    }

    /// The task: the metadata's own tag, or else the item's.
    fn tag_of<'a>(&'a self, item: &'a Item) -> Option<&'a str> {
        let own = self.tag.as_deref();
        own.or_else(|| item.tags.get("tag").map(String::as_str))
    }
}

#[derive(Deserialize)]
struct Include<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
    count: usize,
    #[serde(borrow, default)]
    color: Option<Cow<'a, str>>,
    /// A relation, and the index of the clause that it refers to.
    #[serde(default)]
    position: Option<(Relation, usize)>,
}

impl Include<'_> {
    /// The mistake of a clause whose position refers to a clause that does not come before it.
    fn points_ahead(&self, target: usize) -> Lack {
        let class = &self.class;
        Lack::of_record(format!(
            "the item's `expect`: the position of {class} points at clause {target}, which does not come before it"
        ))
    }
}

#[derive(Deserialize)]
struct Exclude<'a> {
    #[serde(borrow)]
    class: Cow<'a, str>,
    count: usize,
}

/// An image is correct (score 1, else 0) when every `include` clause holds and no `exclude` clause does. The
/// overall value is the unweighted mean, over the six tasks, of the share of correct images.
#[derive(Debug)]
pub(super) struct GenEval(GenEvalOptions);

impl GenEval {
    /// # Errors
    /// Fails if an option is outside its range.
    pub(super) fn new(options: GenEvalOptions) -> Result<Self, OptionError> {
        let thresholds = [
            ("threshold", options.threshold),
            ("counting_threshold", options.counting_threshold),
        ];
        for (name, value) in thresholds {
            if !(LOWEST_THRESHOLD..1.0).contains(&value) {
                let wanted = "a number from 0.05 (evidence keeps no weaker detection) to below 1";
                return Err(OptionError::value(name, value, wanted));
            }
        }
        if options.max_objects == 0 {
            return Err(OptionError::value("max_objects", 0.0, "1 or more"));
        }
        if !(0.0..=1.0).contains(&options.max_overlap) {
            let value = options.max_overlap;
            return Err(OptionError::value(
                "max_overlap",
                value,
                "a number in 0..=1",
            ));
        }
        if !(options.position_threshold >= 0.0 && options.position_threshold.is_finite()) {
            let value = options.position_threshold;
            return Err(OptionError::value("position_threshold", value, "0 or more"));
        }
        Ok(Self(options))
    }

    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let expect = Expect::of_item(case.item)?;
        if expect.include.is_empty() && expect.exclude.is_empty() {
            let words = "the item's `expect` has neither `include` nor `exclude` clauses";
            return Err(Lack::of_record(words));
        }
        let observer = self.0.observer.as_deref();
        if let Ok(verdict) = lookup::find(case, OfficialVerdict::KEY, observer) {
            return official::verdict(verdict);
        }
        let evidence = lookup::find(case, Detections::KEY, observer)?;
        let detections = DetectedObjects::read(evidence)
            .map_err(|e| format!("malformed detector evidence: {e}"))?;
        let found = self.found(&detections, expect.tag_of(case.item));
        let mut reasons = Vec::new();
        self.check_included(&expect.include, &found, &mut reasons)?;
        check_excluded(&expect.exclude, &found, &mut reasons);
        let correct = reasons.is_empty();
        let score = f64::from(u8::from(correct));
        Ok(Verdict::scored(score, correct, reasons.join("\n")))
    }

    /// The detections that count for an item with this tag.
    fn found<'a>(&self, detections: &'a DetectedObjects<'a>, tag: Option<&str>) -> Found<'a> {
        let options = &self.0;
        let threshold = self.threshold(tag);
        Found::new(
            detections,
            threshold,
            options.max_objects,
            options.max_overlap,
        )
    }

    /// The score above which a detection of an item with this tag counts.
    fn threshold(&self, tag: Option<&str>) -> f64 {
        match tag {
            Some("counting") => self.0.counting_threshold,
            _ => self.0.threshold,
        }
    }

    /// Checks the clauses in order. The relations of later clauses use the objects of a clause that holds.
    fn check_included(
        &self,
        clauses: &[Include<'_>],
        found: &Found<'_>,
        reasons: &mut Vec<String>,
    ) -> Result<(), Lack> {
        let mut matched: Vec<Option<&[&Detected<'_>]>> = Vec::with_capacity(clauses.len());
        for clause in clauses {
            let objects = found.best(&clause.class, clause.count);
            let failure = match self.check_clause(clause, objects, &matched) {
                Ok(()) => None,
                Err(Failure::Wrong(reason)) => Some(reason),
                Err(Failure::Unknown(why)) => return Err(why),
            };
            matched.push(failure.is_none().then_some(objects));
            reasons.extend(failure);
        }
        Ok(())
    }

    fn check_clause(
        &self,
        clause: &Include<'_>,
        objects: &[&Detected<'_>],
        matched: &[Option<&[&Detected<'_>]>],
    ) -> Result<(), Failure> {
        if objects.len() < clause.count {
            let (class, count) = (&clause.class, clause.count);
            let reason = format!("expected {class}>={count}, found {}", objects.len());
            return Err(Failure::Wrong(reason));
        }
        if let Some(color) = &clause.color {
            check_color(clause, color, objects)?;
        }
        if let Some((relation, target)) = clause.position {
            let target = matched
                .get(target)
                .ok_or_else(|| Failure::Unknown(clause.points_ahead(target)))?;
            self.check_position(clause, relation, objects, *target)?;
        }
        Ok(())
    }

    fn check_position(
        &self,
        clause: &Include<'_>,
        wanted: Relation,
        objects: &[&Detected<'_>],
        target: Option<&[&Detected<'_>]>,
    ) -> Result<(), Failure> {
        let class = &clause.class;
        let Some(targets) = target else {
            return Err(Failure::Wrong(format!(
                "no target for {class} to be {wanted}"
            )));
        };
        for object in objects {
            for other in targets {
                let relations =
                    geometry::relations(object.bbox, other.bbox, self.0.position_threshold);
                if !relations.contains(&wanted) {
                    let names: Vec<&str> = relations.iter().map(|r| r.name()).collect();
                    return Err(Failure::Wrong(format!(
                        "expected {class} {wanted} target, found {} target",
                        names.join(" and ")
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Why a clause does not hold.
enum Failure {
    /// The picture is wrong; the official reason.
    Wrong(String),
    /// The evidence or the item does not allow a decision.
    Unknown(Lack),
}

/// GenEval's rule on what one observer saw that misses nothing: an empty picture is one.
///
/// # Errors
/// Never: the options are right.
pub(super) fn strict_on(observer: &str) -> Result<Box<dyn Rule>, OptionError> {
    let options = GenEvalOptions {
        observer: Some(observer.to_owned()),
        accept_no_detections: true,
        ..GenEvalOptions::default()
    };
    Ok(Box::new(GenEval::new(options)?))
}

/// The colours of objects of a clause that wants one of them.
///
/// # Errors
/// Fails if the wanted colour is none of the palette, or an object has no colour.
fn seen_colors<'a>(
    clause: &Include<'_>,
    wanted: &str,
    objects: &[&'a Detected<'_>],
) -> Result<Vec<&'a str>, Lack> {
    let class = &clause.class;
    if !PALETTE.contains(&wanted) {
        return Err(Lack::of_record(format!(
            "the item's `expect` asks for a {wanted} {class}; the colours are {}",
            PALETTE.join(", ")
        )));
    }
    let colors = objects.iter().map(|o| o.color.as_ref().map(Text::as_str));
    colors
        .collect::<Option<_>>()
        .ok_or_else(|| format!("incomplete evidence: a detected {class} has no `color`").into())
}

fn check_color(
    clause: &Include<'_>,
    wanted: &str,
    objects: &[&Detected<'_>],
) -> Result<(), Failure> {
    let class = &clause.class;
    let colors = seen_colors(clause, wanted, objects).map_err(Failure::Unknown)?;
    let count = |color: &str| colors.iter().filter(|&&c| c == color).count();
    if count(wanted) >= clause.count {
        return Ok(());
    }
    let seen: Vec<String> = PALETTE
        .iter()
        .filter(|&&color| colors.contains(&color))
        .map(|color| format!("{} {color}", count(color)))
        .collect();
    Err(Failure::Wrong(format!(
        "expected {wanted} {class}>={}, found {} {wanted}; and {}",
        clause.count,
        count(wanted),
        seen.join(", ")
    )))
}

fn check_excluded(clauses: &[Exclude<'_>], found: &Found<'_>, reasons: &mut Vec<String>) {
    for Exclude { class, count } in clauses {
        let seen = found.of_class(class).len();
        if seen >= *count {
            reasons.push(format!("expected {class}<{count}, found {seen}"));
        }
    }
}

impl Rule for GenEval {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    fn needs(&self) -> &'static [&'static str] {
        &["include", "exclude"]
    }

    fn overall(&self) -> Overall {
        Overall::MacroBy("tag".into())
    }

    /// `percent_correct_images` and `percent_correct_prompts` (0 to 100); a prompt is correct when any of its
    /// images is. Outputs without a score are left out of both.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let Counts {
            images,
            correct_images,
            prompts,
            correct_prompts,
        } = Counts::of_grades(board.grades);
        if images == 0 {
            return BTreeMap::new();
        }
        let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
        BTreeMap::from([
            (
                "percent_correct_images".into(),
                percent(correct_images, images),
            ),
            (
                "percent_correct_prompts".into(),
                percent(correct_prompts, prompts),
            ),
        ])
    }

    /// A detector with the wrong configuration or weights finds nothing and reports no error.
    fn doubt(&self, evidence: &[Evidence]) -> Option<String> {
        if self.0.accept_no_detections {
            return None;
        }
        let mut pictures = 0;
        for record in evidence {
            let Some(detections) = record
                .evidence
                .as_ref()
                .and_then(|e| e.get(Detections::KEY))
            else {
                continue;
            };
            if detections.as_array().is_none_or(|all| !all.is_empty()) {
                return None;
            }
            pictures += 1;
        }
        (pictures >= SUSPICIOUS).then(|| {
            format!(
                "the detector found nothing in any of {pictures} pictures; if that is right, \
                 grade with `--set accept_no_detections=true`"
            )
        })
    }

    fn official_files(&self, board: &Board<'_>) -> Vec<OfficialFile> {
        official::files(self, board)
    }
}

/// What `summary_scores.py` counts.
struct Counts {
    images: usize,
    correct_images: usize,
    prompts: usize,
    correct_prompts: usize,
}

impl Counts {
    fn of_grades(grades: &[Grade]) -> Self {
        let mut prompts: HashMap<&str, bool> = HashMap::new();
        let (mut images, mut correct_images) = (0, 0);
        for grade in grades {
            let Some(correct) = grade.correct else {
                continue;
            };
            images += 1;
            correct_images += usize::from(correct);
            *prompts.entry(&grade.item).or_default() |= correct;
        }
        Self {
            images,
            correct_images,
            correct_prompts: prompts.values().filter(|&&correct| correct).count(),
            prompts: prompts.len(),
        }
    }
}
