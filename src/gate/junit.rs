//! JUnit XML: a test suite for each run, and a test for each rule.

use super::verdict::{Ruled, Status, Verdict};
use crate::config::Tier;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// A breach is a failure. An inconclusive rule is an error, or skipped if `lenient` is true. An advisory rule
/// is skipped unless it passes.
///
/// # Errors
/// Fails if the report has no XML form.
pub fn render(verdict: &Verdict, lenient: bool) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new(format!("unigauge gate: {}", verdict.policy));
    let mut suites: Vec<(String, TestSuite)> = Vec::new();
    for rule in &verdict.rules {
        let name = [&rule.suite, &rule.model, &rule.run]
            .map(String::as_str)
            .join("/");
        let mut case = TestCase::new(rule.metric.clone(), status(rule, lenient));
        case.set_classname(name.clone());
        case.set_system_out(numbers(rule));
        match suites.iter_mut().find(|(known, _)| *known == name) {
            Some((_, suite)) => {
                suite.add_test_case(case);
            }
            None => {
                let mut suite = TestSuite::new(name.clone());
                suite.add_test_case(case);
                suites.push((name, suite));
            }
        }
    }
    report.add_test_suites(suites.into_iter().map(|(_, suite)| suite));
    report.to_string()
}

fn status(rule: &Ruled, lenient: bool) -> TestCaseStatus {
    let mut status = match (rule.status, rule.tier) {
        (Status::Pass, _) => TestCaseStatus::success(),
        (_, Tier::Advisory) => TestCaseStatus::skipped(),
        (Status::Breach, _) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        (Status::Inconclusive, Tier::Critical) if !lenient => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
        (Status::Inconclusive, _) => TestCaseStatus::skipped(),
    };
    if rule.status != Status::Pass {
        status.set_message(rule.reason.clone());
        status.set_type(rule.status.word());
    }
    status
}

fn numbers(rule: &Ruled) -> String {
    let [n, before, now, drop, allowed, p, seen] = super::grid::numbers(rule);
    format!(
        "{}: n {n}, baseline {before}, now {now}, drop {drop}, allowed {allowed}, p {p}, seen from {seen}",
        rule.status.word()
    )
}
