//! Applies the rules of a policy to runs and their baselines.

use super::verdict::{Ruled, Status, Verdict};
use crate::compare::{
    Allowed, Difference, DifferenceOptions, IntervalKind, Pairing, Recount, SEED, mismatches,
};
use crate::config::{Correction, Metric, PartialRuns, PolicyFile, PolicyRule, Tier};
use crate::record::{Outcomes, RunFacts};
use crate::stats::holm;
use crate::stats::power::Plan;
use crate::text::count::counted;

/// A run to judge, and its baseline.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// The scores of the run, item by item.
    pub run: &'a Outcomes,
    /// `None` if the baseline has no such run.
    pub baseline: Option<&'a Outcomes>,
    /// The rule of the run, for numbers that are not averages.
    pub recount: Option<&'a dyn Recount>,
}

/// Judges runs: applies every rule to every run of its suite. A rule is breached when its number fell by more
/// than the allowed drop and the one-sided test gives evidence of a drop. A larger drop without this evidence
/// is inconclusive.
pub fn judge(policy: &PolicyFile, candidates: &[Candidate<'_>], allowed: Allowed) -> Verdict {
    let mut rules = Vec::new();
    let mut remarks = Vec::new();
    for candidate in candidates {
        let standing = Standing::assess(candidate, allowed);
        remarks.extend(standing.remarks.iter().cloned());
        for rule in policy
            .rules
            .iter()
            .filter(|rule| concerns(rule, candidate.run))
        {
            for metric in metrics(rule, &standing) {
                rules.push((rule, measure(policy, rule, metric, candidate, &standing)));
            }
        }
    }
    for rule in &policy.rules {
        if !candidates
            .iter()
            .any(|candidate| concerns(rule, candidate.run))
        {
            rules.push((rule, missing(policy, rule)));
        }
    }
    correct(policy.correction, &mut rules);
    let rules: Vec<Ruled> = rules
        .into_iter()
        .map(|(rule, ruled)| decide(policy, rule, ruled))
        .collect();
    Verdict {
        policy: policy.name.clone(),
        title: policy.title.clone(),
        status: Verdict::worst(&rules),
        level: policy.level,
        power: policy.power,
        correction: policy.correction,
        rules,
        remarks,
    }
}

fn concerns(rule: &PolicyRule, run: &Outcomes) -> bool {
    let named = rule.suite.as_deref();
    named.is_none_or(|suite| suite == run.facts.suite)
}

/// Whether a run can be compared with its baseline.
struct Standing<'a> {
    pairing: Option<Pairing<'a>>,
    /// Why it cannot be compared at all.
    refused: Option<String>,
    /// What is missing in either run, unless the user allows it.
    partial: Option<String>,
    remarks: Vec<String>,
}

impl<'a> Standing<'a> {
    fn assess(candidate: &Candidate<'a>, allowed: Allowed) -> Self {
        let facts = &candidate.run.facts;
        let Some(baseline) = candidate.baseline else {
            return Self {
                pairing: None,
                refused: Some(format!(
                    "the baseline has no run of {} by {}; add one with `unigauge baseline save`",
                    facts.suite, facts.model
                )),
                partial: None,
                remarks: Vec::new(),
            };
        };
        let pairing = Pairing::new(baseline, candidate.run, candidate.recount);
        let (mut refused, mut partial, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
        for found in mismatches(&pairing) {
            match (allowed.lets(found.kind), found.kind) {
                (true, _) => remarks.push(format!("compared although they differ: {}", found.text)),
                (false, crate::compare::Kind::Partial) => partial.push(found.text),
                (false, kind) => {
                    refused.push(format!("{} ({} allows it)", found.text, kind.option()))
                }
            }
        }
        let joined = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join("; "));
        Self {
            pairing: Some(pairing),
            refused: joined(refused),
            partial: joined(partial),
            remarks,
        }
    }
}

/// The metric of the rule, or one metric for each group that it stands for.
fn metrics(rule: &PolicyRule, standing: &Standing<'_>) -> Vec<Metric> {
    match (&rule.metric, &standing.pairing) {
        (Metric::Groups(by), Some(pairing)) => {
            let keys = pairing.keys(by);
            let group = |key: &str| Metric::Group {
                by: by.clone(),
                key: key.to_owned(),
            };
            if keys.is_empty() {
                vec![rule.metric.clone()]
            } else {
                keys.into_iter().map(group).collect()
            }
        }
        (metric, _) => vec![metric.clone()],
    }
}

/// A rule without a result so far.
fn open(policy: &PolicyFile, rule: &PolicyRule, metric: &Metric, of: Option<&RunFacts>) -> Ruled {
    let name = |pick: fn(&RunFacts) -> &String| of.map_or_else(String::new, |f| pick(f).clone());
    Ruled {
        suite: rule
            .suite
            .clone()
            .unwrap_or_else(|| name(|facts| &facts.suite)),
        model: name(|facts| &facts.model),
        run: name(|facts| &facts.run),
        metric: metric.to_string(),
        tier: rule.tier,
        status: Status::Inconclusive,
        reason: String::new(),
        difference: None,
        drop: None,
        allowed: None,
        p: None,
        p_corrected: None,
        level: rule.level.unwrap_or(policy.level),
        detectable: None,
        needed: None,
    }
}

fn missing(policy: &PolicyFile, rule: &PolicyRule) -> Ruled {
    let suite = rule.suite.as_deref().unwrap_or("any suite");
    Ruled {
        reason: format!("no run of {suite} was given"),
        ..open(policy, rule, &rule.metric, None)
    }
}

fn measure(
    policy: &PolicyFile,
    rule: &PolicyRule,
    metric: Metric,
    candidate: &Candidate<'_>,
    standing: &Standing<'_>,
) -> Ruled {
    let mut ruled = open(policy, rule, &metric, Some(&candidate.run.facts));
    let (Some(pairing), None) = (&standing.pairing, &standing.refused) else {
        ruled.reason = standing.refused.clone().unwrap_or_default();
        return ruled;
    };
    let options = DifferenceOptions {
        plan: Plan {
            level: ruled.level,
            power: policy.power,
            one_sided: true,
        },
        test: rule.test.unwrap_or(policy.test),
        interval: IntervalKind::Bca,
        resamples: policy.resamples,
        seed: SEED,
    };
    let difference = match Difference::compute(pairing, &metric, &options) {
        Ok(difference) => difference,
        Err(error) => {
            ruled.reason = error.to_string();
            return ruled;
        }
    };
    let allowance = allowance(rule, difference.before);
    ruled.drop = Some(if rule.higher_is_better {
        -difference.difference
    } else {
        difference.difference
    });
    ruled.p = Some(if rule.higher_is_better {
        difference.p_lower
    } else {
        difference.p_upper
    });
    ruled.allowed = Some(allowance);
    ruled.detectable = difference.detectable;
    ruled.needed = difference
        .needed_for(options.plan, allowance)
        .filter(|_| allowance > 0.0);
    // Missing data are judged with the rest.
    ruled.reason = standing.partial.clone().unwrap_or_default();
    ruled.difference = Some(difference);
    ruled
}

/// The smaller of the allowed drops, or 0 if the rule names none.
fn allowance(rule: &PolicyRule, before: f64) -> f64 {
    let relative = rule.max_relative_drop.map(|part| part * before.abs());
    match (rule.max_drop, relative) {
        (Some(one), Some(other)) => one.min(other),
        (one, other) => one.or(other).unwrap_or(0.0),
    }
}

/// Holm's correction over the rules that can fail the gate, and separately over the advisory rules.
fn correct(correction: Correction, rules: &mut [(&PolicyRule, Ruled)]) {
    for advisory in [false, true] {
        let mut family: Vec<&mut Ruled> = rules
            .iter_mut()
            .map(|(_, ruled)| ruled)
            .filter(|ruled| (ruled.tier == Tier::Advisory) == advisory && ruled.p.is_some())
            .collect();
        let p: Vec<f64> = family.iter().filter_map(|ruled| ruled.p).collect();
        let corrected = match correction {
            Correction::Holm => holm::adjust(&p),
            Correction::None => p,
        };
        for (ruled, p) in family.iter_mut().zip(corrected) {
            ruled.p_corrected = Some(p);
        }
    }
}

fn decide(policy: &PolicyFile, rule: &PolicyRule, mut ruled: Ruled) -> Ruled {
    let (Some(difference), Some(drop), Some(allowed), Some(p)) = (
        &ruled.difference,
        ruled.drop,
        ruled.allowed,
        ruled.p_corrected,
    ) else {
        return ruled;
    };
    let least = rule.min_pairs.unwrap_or(policy.min_pairs);
    let beyond = drop > allowed + 1e-12;
    let (mut status, mut reason) = if difference.n < least {
        let text = format!(
            "{} in both runs, but the policy requires {least}",
            counted(difference.n, "item")
        );
        (Status::Inconclusive, text)
    } else if beyond && p <= ruled.level {
        (
            Status::Breach,
            "fell by more than the allowed drop, and the test gives evidence of it".to_owned(),
        )
    } else if beyond {
        (
            Status::Inconclusive,
            "fell by more than the allowed drop, but it may be chance".to_owned(),
        )
    } else if drop > 0.0 {
        (
            Status::Pass,
            "fell by no more than the allowed drop".to_owned(),
        )
    } else {
        (Status::Pass, "did not fall".to_owned())
    };
    let partial = rule.partial.unwrap_or(policy.partial);
    if !ruled.reason.is_empty() {
        status = match partial {
            PartialRuns::Breach => Status::Breach,
            PartialRuns::Inconclusive => status.max(Status::Inconclusive),
            PartialRuns::Compare => status,
        };
        reason = format!("{reason}; {}", ruled.reason);
    }
    (ruled.status, ruled.reason) = (status, reason);
    ruled
}
