//! From grades to the official numbers, with their intervals.

use super::judges::judges;
use super::pooled::{self, add_terms};
use super::rule::{Board, Rule};
use super::state;
use crate::record::{Estimate, Grade, Group, Item, Object, Output, Overall, Summary};
use crate::stats::cluster::{Cluster, mean_of_ratios, ratio};
use crate::stats::formula::Terms;
use crate::stats::interval::{Interval, Method, estimate};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// The seed of every bootstrap, so that the same grades always give the same interval.
const SEED: u64 = 20_231_017;

/// The largest number of outputs without a score that the summary lists. The grades have all of them.
const LISTED: usize = 100;

/// What the summary says about the suite.
#[derive(Debug, Clone)]
pub struct SuiteFacts {
    /// The suite's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Tags to group by, in the order of the report.
    pub group_by: Vec<String>,
}

/// Aggregates the grades of a board as the rule's official convention says: the numbers, the rule's further
/// metrics and notes, and the judges that gave the scores.
///
/// Values divide Σ numerators by Σ denominators of [`Rule::fraction`]. Outputs without a score are left out
/// of the sums and counted. Intervals are 95 % intervals. They treat the items as independent, but not the
/// repeats of an item. Each grade belongs to one output that was asked for. Group keys come in order of first
/// appearance in the items.
pub fn summarize(rule: &dyn Rule, suite: &SuiteFacts, run: &str, board: &Board<'_>) -> Summary {
    let &Board { items, grades, .. } = board;
    let expected = grades.len();
    let failures = failures(board.outputs.unwrap_or_default());
    let failed = failures.len();
    let tally = Tally::new(rule, items, grades);
    let mut groups = Vec::new();
    let mut notes = Vec::new();
    let mut wilson = false;
    for tag in &suite.group_by {
        let strata = tally.by_tag(rule, items, tag);
        if strata.is_empty() {
            notes.push(format!(
                "no item has the tag `{tag}`, so there is nothing to group by it"
            ));
        }
        for stratum in &strata {
            groups.push(group_result(rule, &tally, tag, stratum, &mut wilson));
        }
    }
    if wilson {
        notes.push(
            "where all scores of a group are equal, its interval is Wilson's on items".into(),
        );
    }
    let overall = overall_result(rule, &tally, items, &mut notes);
    let answered = tally.scored + tally.ignored;
    let is_failure = |grade: &&Grade| failures.contains(&(grade.item.as_str(), grade.repeat));
    let scored = grades.iter().filter(|grade| grade.score.is_some());
    let without = failed - scored.filter(is_failure).count().min(failed);
    let unscored = expected.saturating_sub(answered + without);
    let unscored_by = state::count(grades);
    if answered < expected {
        let states = match state::listed(&unscored_by) {
            states if states.is_empty() => format!("{unscored} missing or unscored"),
            states => states,
        };
        let without = expected - answered;
        let have = if without == 1 { "has" } else { "have" };
        notes.push(format!(
            "{without} of {expected} outputs {have} no score ({failed} failed, {states}); by the official \
             convention, outputs without a score are left out of the means, not counted as 0"
        ));
    }
    if tally.ignored > 0 {
        let ignored = tally.ignored;
        let are = if ignored == 1 { "is" } else { "are" };
        notes.push(format!(
            "{ignored} of {expected} outputs {are} ignored by the benchmark's own rule and left out of the means"
        ));
    }
    notes.extend(rule.notes(board));
    Summary {
        suite: suite.name.clone(),
        suite_version: suite.version.clone(),
        model: board.model.to_owned(),
        run: run.to_owned(),
        expected,
        scored: tally.scored,
        failed,
        unscored,
        unscored_by,
        partial: answered < expected,
        overall,
        groups,
        metrics: rule.metrics(board),
        judges: judges(board.evidence),
        notes,
        extra: without_score(grades),
    }
}

/// Sums by item.
struct Tally {
    /// In the order of `items`.
    clusters: Vec<Cluster>,
    /// The number of scored outputs, in the order of `items`.
    outputs: Vec<u32>,
    scored: usize,
    /// In the order of `items`. Empty if the rule has no [`Rule::pooled`].
    terms: Vec<Terms>,
    /// Outputs with a score that the benchmark leaves out.
    ignored: usize,
    /// Whether every scored output has `correct`, so that 1 is the best score and 0 the worst.
    proportion: bool,
}

/// The items of one group key.
struct Stratum<'a> {
    key: &'a str,
    clusters: Vec<Cluster>,
    terms: Vec<Terms>,
    outputs: usize,
}

impl Tally {
    fn new(rule: &dyn Rule, items: &[Item], grades: &[Grade]) -> Self {
        let mut tally = Self {
            clusters: vec![Cluster::default(); items.len()],
            outputs: vec![0; items.len()],
            terms: Vec::new(),
            scored: 0,
            ignored: 0,
            proportion: true,
        };
        let pooled = rule.pooled();
        if pooled.is_some() {
            tally.terms = vec![Terms::default(); items.len()];
        }
        let mut finder = Finder::new(items);
        for grade in grades {
            let Some(at) = finder.find(&grade.item) else {
                continue;
            };
            let Some((numerator, denominator)) = rule.fraction(grade) else {
                tally.ignored += usize::from(grade.score.is_some());
                continue;
            };
            let cluster = &mut tally.clusters[at];
            cluster.numerator += numerator;
            cluster.denominator += denominator;
            if let Some(terms) = pooled.and_then(|pooled| pooled.terms(grade)) {
                add_terms(&mut tally.terms[at], &terms);
            }
            tally.outputs[at] += 1;
            tally.scored += 1;
            tally.proportion &= grade.correct.is_some();
        }
        tally
    }

    /// The name of the ratio over all items. It is a mean if each output weighs the same.
    fn micro_name(&self) -> &'static str {
        let mut pairs = self.clusters.iter().zip(&self.outputs);
        if pairs.all(|(cluster, &outputs)| cluster.denominator == f64::from(outputs)) {
            "mean over outputs"
        } else {
            "ratio of sums over outputs"
        }
    }

    /// The items of each key of a tag, keys in order of first appearance. Items without a scored output only
    /// make a key exist. Items without the tag do not count at all.
    fn by_tag<'a>(&self, rule: &dyn Rule, items: &'a [Item], tag: &str) -> Vec<Stratum<'a>> {
        let mut strata: Vec<Stratum<'_>> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            let Some(key) = rule.tag(item, tag) else {
                continue;
            };
            let index = *known.entry(key).or_insert_with(|| {
                strata.push(Stratum {
                    key,
                    clusters: Vec::new(),
                    terms: Vec::new(),
                    outputs: 0,
                });
                strata.len() - 1
            });
            if self.clusters[at].denominator > 0.0 {
                strata[index].clusters.push(self.clusters[at]);
                strata[index].terms.extend(self.terms.get(at));
                strata[index].outputs += self.outputs[at] as usize;
            }
        }
        strata
    }
}

/// Finds items by name. Grades mostly come in the order of the items, so a table is made only if they do not.
struct Finder<'a> {
    items: &'a [Item],
    last: usize,
    table: Option<HashMap<&'a str, usize>>,
}

impl<'a> Finder<'a> {
    fn new(items: &'a [Item]) -> Self {
        Self {
            items,
            last: 0,
            table: None,
        }
    }

    fn find(&mut self, name: &str) -> Option<usize> {
        for at in [self.last, self.last + 1] {
            if self.items.get(at).is_some_and(|item| item.item == name) {
                self.last = at;
                return Some(at);
            }
        }
        let items = self.items;
        let table = self.table.get_or_insert_with(|| {
            items
                .iter()
                .enumerate()
                .map(|(at, item)| (item.item.as_str(), at))
                .collect()
        });
        self.last = *table.get(name)?;
        Some(self.last)
    }
}

fn group_result(
    rule: &dyn Rule,
    tally: &Tally,
    by: &str,
    stratum: &Stratum<'_>,
    wilson: &mut bool,
) -> Group {
    let clusters = &stratum.clusters;
    let (value, interval) = match rule.pooled() {
        Some(pooled) => pooled::estimate(pooled, &stratum.terms, SEED),
        None => {
            let strata = std::slice::from_ref(clusters);
            (ratio(clusters), estimate(strata, tally.proportion, SEED))
        }
    };
    *wilson |= interval.method == Method::WilsonOnItems;
    Group {
        by: by.to_owned(),
        key: stratum.key.to_owned(),
        value,
        low: interval.bounds.map(|(low, _)| low),
        high: interval.bounds.map(|(_, high)| high),
        n: stratum.clusters.len(),
        outputs: stratum.outputs,
    }
}

fn overall_result(
    rule: &dyn Rule,
    tally: &Tally,
    items: &[Item],
    notes: &mut Vec<String>,
) -> Estimate {
    if let Some(pooled) = rule.pooled() {
        let scored = tally.terms.iter().zip(&tally.outputs);
        let scored: Vec<Terms> = scored
            .filter(|(_, outputs)| **outputs > 0)
            .map(|(terms, _)| *terms)
            .collect();
        let (value, interval) = pooled::estimate(pooled, &scored, SEED);
        return to_estimate(value, &interval, scored.len(), pooled.name());
    }
    let (strata, what) = match rule.overall() {
        Overall::Micro => {
            let scored = tally.clusters.iter().filter(|c| c.denominator > 0.0);
            (
                vec![scored.copied().collect()],
                tally.micro_name().to_owned(),
            )
        }
        Overall::Items => {
            let means = (tally.clusters.iter())
                .filter(|cluster| cluster.denominator > 0.0)
                .map(|cluster| Cluster {
                    numerator: cluster.numerator / cluster.denominator,
                    denominator: 1.0,
                });
            (vec![means.collect()], "mean over items".to_owned())
        }
        Overall::MacroBy(tag) => {
            let strata = tally.by_tag(rule, items, &tag);
            for empty in strata.iter().filter(|s| s.clusters.is_empty()) {
                notes.push(format!(
                    "{tag} = {} has no score and is left out of the mean over {tag}",
                    empty.key
                ));
            }
            let clusters: Vec<Vec<Cluster>> = strata.into_iter().map(|s| s.clusters).collect();
            (clusters, format!("unweighted mean over {tag}"))
        }
    };
    let interval = estimate(&strata, tally.proportion, SEED);
    let n = strata.iter().map(Vec::len).sum();
    to_estimate(mean_of_ratios(&strata), &interval, n, &what)
}

fn to_estimate(value: Option<f64>, interval: &Interval, n: usize, what: &str) -> Estimate {
    Estimate {
        value,
        low: interval.bounds.map(|(low, _)| low),
        high: interval.bounds.map(|(_, high)| high),
        n,
        method: format!("{what}; {}", interval.method.describe()),
    }
}

/// The outputs whose last record is a failure, by item and repeat.
fn failures(outputs: &[Output]) -> HashSet<(&str, u32)> {
    if outputs.iter().all(|output| output.error.is_none()) {
        return HashSet::new();
    }
    let last: HashMap<(&str, u32), bool> = outputs
        .iter()
        .map(|output| {
            let item: &str = &output.item;
            ((item, output.repeat), output.error.is_some())
        })
        .collect();
    last.into_iter()
        .filter_map(|(key, failed)| failed.then_some(key))
        .collect()
}

/// `without_score`: the first outputs that have no score, with the reasons.
fn without_score(grades: &[Grade]) -> Object {
    let listed: Vec<_> = grades
        .iter()
        .filter(|grade| grade.score.is_none())
        .take(LISTED)
        .map(|grade| json!({"item": grade.item, "repeat": grade.repeat, "why": grade.unscored}))
        .collect();
    let mut extra = Object::new();
    if !listed.is_empty() {
        extra.insert("without_score".into(), listed.into());
    }
    extra
}
