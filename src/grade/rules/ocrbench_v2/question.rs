//! The score of a prediction, from a question and its answers, by the metric of the question's task.

use super::answers::Answers;
use super::boxes::{self, Box4};
use super::graded::Graded;
use super::kie::{self, Gold};
use super::spotting::{self, Word};
use super::table;
use super::tasks::{Family, Task};
use super::{chart, choice, counting, dictionary, document, formula, position, vqa};
use crate::grade::reading::quote;
use crate::python::value::Value;
use crate::text::count::counted;
use crate::text::wordnet::WordNet;
use serde::Deserialize;
use serde_json::Value as Json;

/// The largest number of answers that a reason lists.
const LISTED: usize = 3;

/// `expect` of an item: the official record.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Question {
    #[serde(rename = "type")]
    pub(super) task: String,
    pub(super) answers: Json,
    #[serde(default)]
    question: Json,
    #[serde(default)]
    eval: Option<Json>,
    #[serde(default)]
    bbox: Json,
    #[serde(default)]
    content: Json,
}

impl Question {
    /// Grades a prediction. `None` for one that is missing.
    ///
    /// # Errors
    /// Fails if the official script would stop here, with the reason: the item is damaged, or the script has
    /// no rule for a missing prediction.
    pub(super) fn grade(
        &self,
        task: &Task,
        prediction: Option<&str>,
        synonyms: Option<&WordNet>,
    ) -> Result<Graded, String> {
        match prediction {
            Some(prediction) => self.grade_text(task.family, prediction, synonyms),
            None if self.missing_is_wrong(task.family)? => Ok(Graded::new(
                0.0,
                "missing prediction, which the official script counts as wrong for this task",
            )),
            None => Err(
                "missing prediction, for which the official script has no rule in this task".into(),
            ),
        }
    }

    fn missing_is_wrong(&self, family: Family) -> Result<bool, String> {
        Ok(match family {
            Family::Vqa => self.eval()? == Some("multiple choice"),
            Family::KeyInformation | Family::KeyInformationCn => self
                .read_gold(family)?
                .is_none_or(|gold| gold.combinations() <= 1),
            Family::VqaCn
            | Family::Handwriting
            | Family::Formula
            | Family::Counting
            | Family::Translation => false,
            Family::FormulaCn
            | Family::Table
            | Family::TableCn
            | Family::Chart
            | Family::Document
            | Family::Position
            | Family::Text
            | Family::Grounding
            | Family::Spotting => true,
        })
    }

    fn grade_text(
        &self,
        family: Family,
        prediction: &str,
        synonyms: Option<&WordNet>,
    ) -> Result<Graded, String> {
        match family {
            Family::Vqa | Family::VqaCn => self.vqa(family, prediction),
            Family::Handwriting => self.handwriting(prediction, synonyms),
            Family::Formula | Family::FormulaCn => self.formula(family, prediction),
            Family::Counting => self.counting(prediction),
            Family::Table => self.table(prediction),
            Family::TableCn => {
                let gold = self.first_text()?;
                Ok(Graded::of_table(
                    table::compare_html(prediction, gold),
                    "HTML",
                ))
            }
            Family::Chart if prediction.is_empty() => Ok(Graded::new(0.0, "empty prediction")),
            Family::Chart => {
                let gold = chart::read_gold(self.first_answer()?)?;
                Ok(Graded::of_table(
                    chart::compare(prediction, &gold),
                    "a dict as a table",
                ))
            }
            Family::Document => self.document(prediction),
            Family::KeyInformation | Family::KeyInformationCn => {
                self.key_information(family, prediction)
            }
            Family::Position => self.position(prediction),
            Family::Text | Family::Translation => self.text(family, prediction, synonyms),
            Family::Grounding => self.grounding(prediction),
            Family::Spotting => self.spotting(prediction),
        }
    }

    fn vqa(&self, family: Family, prediction: &str) -> Result<Graded, String> {
        let answers = Answers::read(&self.answers)?;
        let (score, by) = match (self.eval()?, family) {
            (Some("multiple choice"), _) => {
                self.check_single_answer()?;
                (
                    choice::multiple_choice(prediction, &answers),
                    "equality of the reply's letters",
                )
            }
            (Some("case sensitive"), _) => (
                vqa::vqa_case_sensitive(prediction, &answers),
                "case-sensitive containment, or ANLS of long answers",
            ),
            (Some(other), _) => {
                return Err(format!(
                    "`eval` is {other:?}, which this task does not have"
                ));
            }
            (None, Family::VqaCn) => (
                vqa::vqa_cn(prediction, &answers),
                "containment without blanks, or ANLS of answers with many commas",
            ),
            (None, _) => (
                vqa::vqa(prediction, &answers),
                "containment, or ANLS of long answers",
            ),
        };
        Ok(Graded::new(score, against(by, &answers)))
    }

    fn handwriting(&self, prediction: &str, synonyms: Option<&WordNet>) -> Result<Graded, String> {
        let question = self.question.as_str().ok_or("`question` is not a text")?;
        if question.contains("简答") {
            return Ok(Graded::of_text(prediction, self.first_text()?, synonyms));
        }
        self.check_single_answer()?;
        let answers = Answers::read(&self.answers)?;
        let score = choice::joined_letters(prediction, &answers);
        Ok(Graded::new(
            score,
            against(
                "containment of the letters, however they are joined",
                &answers,
            ),
        ))
    }

    fn formula(&self, family: Family, prediction: &str) -> Result<Graded, String> {
        let answers = Answers::read(&self.answers)?;
        let chinese = family == Family::FormulaCn;
        if chinese && prediction.to_lowercase() == "nan" {
            return Ok(Graded::new(0.0, "the reply is `nan`, which counts as none"));
        }
        let score = formula::formula(prediction, &answers, chinese);
        Ok(Graded::new(
            score,
            against("containment without blanks", &answers),
        ))
    }

    fn counting(&self, prediction: &str) -> Result<Graded, String> {
        let eval = self.eval()?.ok_or("the item has no `eval`")?;
        let answers = Answers::read(&self.answers)?;
        let score = counting::counting(prediction, &answers, Some(eval));
        Ok(Graded::new(
            score,
            against(&format!("counting by {eval}"), &answers),
        ))
    }

    fn table(&self, prediction: &str) -> Result<Graded, String> {
        self.check_single_answer()?;
        let Some(question) = self.question.as_str() else {
            return Ok(Graded::ignored(
                "ignored by the official script: the question is not a text",
            ));
        };
        let question = question.to_lowercase();
        let gold = self.first_text()?;
        if question.contains("html") {
            Ok(Graded::of_table(
                table::compare_html(prediction, gold),
                "HTML",
            ))
        } else if question.contains("markdown") {
            Ok(Graded::of_table(
                table::compare_markdown(prediction, gold),
                "Markdown as HTML",
            ))
        } else {
            Err("the question asks for neither HTML nor Markdown".into())
        }
    }

    fn document(&self, prediction: &str) -> Result<Graded, String> {
        self.check_single_answer()?;
        let alike = document::compare(prediction, self.first_text()?);
        let reason = format!(
            "STEDS: distance {} over {}",
            alike.distance,
            counted(alike.nodes, "node")
        );
        Ok(Graded::new(alike.score(), reason)
            .with_parts([("distance", alike.distance), ("nodes", alike.nodes as f64)]))
    }

    fn read_gold(&self, family: Family) -> Result<Option<Gold>, String> {
        self.check_single_answer()?;
        match family {
            Family::KeyInformationCn => Gold::read_literal(self.first_answer()?),
            _ => Gold::read(self.first_answer()?),
        }
    }

    fn key_information(&self, family: Family, prediction: &str) -> Result<Graded, String> {
        let Some(gold) = self.read_gold(family)? else {
            return Ok(Graded::new(
                0.0,
                "the answer's text cannot be read, which the official script counts as wrong",
            ));
        };
        let predicted = dictionary::parse(prediction);
        let keys = kie::compare(&predicted, &gold);
        let reason = format!(
            "{} extracted; {} of {} right",
            counted(predicted.len(), "pair"),
            keys.right,
            counted(keys.all, "key")
        );
        Ok(Graded::new(keys.score(), reason)
            .with_parts([("right", keys.right as f64), ("keys", keys.all as f64)]))
    }

    fn position(&self, prediction: &str) -> Result<Graded, String> {
        let predicted = dictionary::parse(prediction);
        let content = match position::answer(&predicted) {
            Some(answer) => vqa::vqa(answer, &Answers::read(&self.answers)?),
            None => 0.0,
        };
        let iou = position::iou(&predicted, boxes::of_value(&Value::from_json(&self.bbox)));
        let reason = format!(
            "{} extracted; answer {content:.4}, intersection over union {iou:.4}",
            counted(predicted.len(), "pair")
        );
        Ok(Graded::new(0.5 * content + 0.5 * iou, reason)
            .with_parts([("answer", content), ("iou", iou)]))
    }

    fn text(
        &self,
        family: Family,
        prediction: &str,
        synonyms: Option<&WordNet>,
    ) -> Result<Graded, String> {
        if prediction.is_empty() {
            return Ok(Graded::new(0.0, "empty prediction"));
        }
        let reference = self.first_text()?;
        if family == Family::Translation && reference.is_empty() {
            return Ok(Graded::ignored(
                "ignored by the official script: the reference is empty",
            ));
        }
        Ok(Graded::of_text(prediction, reference, synonyms))
    }

    fn grounding(&self, prediction: &str) -> Result<Graded, String> {
        let Some(said) = boxes::last_in(prediction) else {
            return Ok(Graded::new(
                0.0,
                "no box (x1, y1, x2, y2) of whole numbers from 0 to 1000 in the reply",
            ));
        };
        let gold: Box4 = match boxes::of_value(&Value::from_json(&self.answers)) {
            Ok(gold) => gold,
            Err(why) => return Err(format!("`answers` is not a box: {why}")),
        };
        let iou = boxes::iou(said, gold);
        Ok(Graded::new(
            iou,
            format!("intersection over union of {said:?} and {gold:?}"),
        )
        .with_parts([("iou", iou)]))
    }

    fn spotting(&self, prediction: &str) -> Result<Graded, String> {
        let words = spotting::parse(prediction);
        if words.is_empty() {
            return Ok(Graded::new(
                0.0,
                "no word [x1, y1, x2, y2, text] in the reply",
            ));
        }
        let gold = Word::read_answers(&self.bbox, &self.content)?;
        let found = spotting::compare(&words, &gold);
        let reason = format!(
            "{} extracted; {} right of {} predicted and {} wanted that count",
            counted(words.len(), "word"),
            found.right,
            found.predicted,
            found.golden
        );
        Ok(Graded::new(found.score(), reason).with_parts([
            ("right", found.right as f64),
            ("predicted", found.predicted as f64),
            ("wanted", found.golden as f64),
        ]))
    }

    fn eval(&self) -> Result<Option<&str>, String> {
        match &self.eval {
            None => Ok(None),
            Some(Json::String(eval)) => Ok(Some(eval)),
            Some(other) => Err(format!("`eval` is {other}, where a text was expected")),
        }
    }

    /// `answers[0]`.
    fn first_answer(&self) -> Result<&Json, String> {
        let first = self.answers.as_array().and_then(|all| all.first());
        first.ok_or_else(|| "`answers` is not a list with an answer".to_owned())
    }

    fn first_text(&self) -> Result<&str, String> {
        let first = self.first_answer()?.as_str();
        first.ok_or_else(|| "the first of `answers` is not a text".to_owned())
    }

    /// # Errors
    /// Fails if there is not exactly one answer.
    fn check_single_answer(&self) -> Result<(), String> {
        match &self.answers {
            Json::Array(all) if all.len() != 1 => Err(format!(
                "the item has {} answers, where one was expected",
                all.len()
            )),
            _ => Ok(()),
        }
    }
}

/// A metric, with the first answers that the prediction was compared with.
fn against(metric: &str, answers: &Answers) -> String {
    let all = answers.texts();
    let listed: Vec<String> = all
        .iter()
        .take(LISTED)
        .map(|answer| quote(answer))
        .collect();
    let more = if all.len() > LISTED { " …" } else { "" };
    format!("{metric}, against {}{more}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::tasks::TASKS;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// A question of a task, with answers of the task's form.
    fn question(task: &Task) -> Question {
        let answers = match task.family {
            Family::Grounding => json!([1, 2, 3, 4]),
            Family::Chart => json!([{"a": 1}]),
            Family::KeyInformation => json!([{"a": ["1"]}]),
            Family::KeyInformationCn => json!(["{'a': '1'}"]),
            Family::Table | Family::TableCn => json!(["<table><tr><td>a</td></tr></table>"]),
            _ => json!(["a"]),
        };
        let spotting = task.family == Family::Spotting;
        Question {
            task: task.name.to_owned(),
            answers,
            question: json!("as html"),
            eval: (task.family == Family::Counting).then(|| json!("regression")),
            bbox: if spotting {
                json!([[0, 0, 5, 0, 5, 5, 0, 5]])
            } else {
                json!([0, 0, 5, 5])
            },
            content: json!(["a"]),
        }
    }

    fn grade_everywhere(prediction: &str) {
        for task in &TASKS {
            let graded = question(task).grade(task, Some(prediction), None);
            let score = graded
                .unwrap_or_else(|why| panic!("{}: {why}", task.name))
                .score;
            assert!(score <= 1.0, "{}: {score} for {prediction:?}", task.name);
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_score(text in ".{0,60}") {
            grade_everywhere(&text);
        }

        #[test]
        fn any_text_of_the_tasks_marks_has_a_score(
            text in "([\\[\\](){}<>,:='\"\\\\/#|`*_a1１中 \n-]|<t[dr]>|</td>|<table>|&lt;|```json\n|\n```|[0-9]{1,4}, ){0,40}"
        ) {
            grade_everywhere(&text);
        }
    }

    #[test]
    fn long_texts_take_no_time() {
        let units = [
            "[",
            "{'a': ",
            "(1,2,3,4,a)",
            "<td>",
            "<table><tr><td>",
            "# a\n",
            "```json\n",
            "a: b, ",
            "\\text{",
        ];
        let start = std::time::Instant::now();
        let words = [Family::Text, Family::Translation];
        let tasks = || TASKS.iter().filter(|task| !words.contains(&task.family));
        for unit in units {
            let text = unit.repeat(20_000 / unit.len());
            for task in tasks() {
                assert!(question(task).grade(task, Some(&text), None).is_ok());
            }
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(60));
    }
}
