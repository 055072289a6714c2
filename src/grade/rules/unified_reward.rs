//! `unified-reward`: the score that a judge gives a picture after "Final Score:", as the model UnifiedReward
//! was trained to (`flow_grpo/rewards.py` of yifan123/flow_grpo, commit ac4c86e).

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::judge::{self, Parsing};
use crate::grade::lack::Lack;
use crate::grade::rule::{Case, Rule, Verdict};
use crate::grade::scale::Scale;
use crate::record::evidence::Judgement;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::LazyLock;

/// The scale that the judge is asked to use.
const SCALE: Scale = Scale {
    least: 1.0,
    most: 5.0,
    whole: false,
};

/// The description of `unified-reward`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<UnifiedRewardOptions>(
    "unified-reward",
    "UnifiedReward: the score from 1 to 5 that a judge gives a picture.",
    &[Reads::Evidence(Judgement::KEY)],
    |options| Ok(Box::new(UnifiedReward(options.read()?))),
);

/// Options of `unified-reward`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UnifiedRewardOptions {
    /// The judge to use if there are several.
    pub observer: Option<String>,
}

/// Score = the last number after "Final Score:", 1 to 5. A reply without such a number, and a reply that was
/// cut off, have no score. (The script gives them 0, below the scale.)
pub(super) struct UnifiedReward(UnifiedRewardOptions);

impl UnifiedReward {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let calls = judge::calls(case, self.0.observer.as_deref())?;
        let (call, score) = judge::first_readable(&calls, "judge", Parsing::Strict, read)?;
        Ok(Verdict {
            score: Some(score),
            reason: format!("final score {score}{}", call.remark()),
            notes: call.notes(),
            ..Verdict::default()
        })
    }
}

/// The score in a reply.
///
/// # Errors
/// Fails if there is none, or it is not on the scale.
fn read(reply: &str) -> Result<f64, String> {
    static SCORE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)final\s+score[\s*]*:[\s*\[]*([-\u{2212}+]?\d+(?:\.\d+)?)").ok()
    });
    let all = SCORE.as_ref().into_iter();
    let last = all.flat_map(|score| score.captures_iter(reply)).last();
    let number = last.and_then(|last| last.get(1));
    let number = number.ok_or("there is no number after `Final Score:`")?;
    if let Some(odd) = SCALE.oddity(&reply[number.start()..]) {
        return Err(odd);
    }
    let score = number.as_str().parse();
    score.map_err(|_| format!("`{}` is not a number", number.as_str()))
}

impl Rule for UnifiedReward {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Evidence, Item};
    use serde_json::json;

    #[test]
    fn the_last_number_after_final_score_counts() {
        for (reply, score) in [
            ("Good.\nFinal Score: 4", 4.0),
            ("Final Score:3.5\n", 3.5),
            ("**Final Score:** 2", 2.0),
            ("**Final score**: [5]", 5.0),
            ("Final Score: 4/5", 4.0),
            ("A Final Score: 1 would be harsh.\nFinal Score: 4.25.", 4.25),
        ] {
            assert_eq!(read(reply), Ok(score), "{reply}");
        }
    }

    #[test]
    fn a_reply_without_a_score_on_the_scale_has_none() {
        for reply in [
            "",
            "Good.",
            "Score: 4",
            "Final Score: NUMBER",
            "Final Score: 0",
            "Final Score: 6",
            "Final Score: 8/10",
            "Final Score: 4/10",
            "Final Score: -3",
            "Final Score: 45",
        ] {
            assert!(read(reply).is_err(), "{reply}");
        }
    }

    #[test]
    fn a_reply_that_was_cut_off_or_refused_is_missing() {
        let item: Item =
            serde_json::from_value(json!({"item": "a", "task": "text-to-image", "prompt": "p"}))
                .unwrap();
        let grade = |call: serde_json::Value| {
            let seen: Evidence = serde_json::from_value(
                json!({"item": "a", "observer": "judge", "evidence": {"calls": [call]}}),
            )
            .unwrap();
            let rule = UnifiedReward(UnifiedRewardOptions::default());
            rule.grade(&Case {
                item: &item,
                repeat: 0,
                output: None,
                evidence: &[&seen],
            })
        };
        let whole = grade(json!({"role": "judge", "reply": "Final Score: 4", "state": "ok"}));
        assert_eq!(whole.score, Some(4.0));
        for (state, begins) in [("truncated", "cut off: "), ("ok", "unparsed: ")] {
            let reply = if state == "ok" {
                "Nice."
            } else {
                "Final Score: 4"
            };
            let none = grade(json!({"role": "judge", "reply": reply, "state": state}));
            assert_eq!(none.score, None);
            let why = none.unscored.unwrap();
            assert!(why.starts_with(begins), "{why}");
        }
        let refused = grade(json!({"role": "judge", "reply": null, "refusal": "no"}));
        assert!(refused.unscored.unwrap().starts_with("refused: "));
    }
}
