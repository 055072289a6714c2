//! One item with the outputs of all runs.

use super::data::{Card, Picture, Run, Shown};
use super::edits::{change_mask, replies};
use super::index::{Index, Subject};
use super::marks::{marks, text_read};
use crate::record::{Item, Output};
use crate::report::RunView;
use serde_json::Value;
use std::path::Path;

/// The card of an item.
pub(super) fn card(
    subject: &Subject<'_>,
    runs: &[RunView],
    indices: &[Index<'_>],
    heads: &[Run],
) -> Card {
    let item = subject.item;
    let first = &runs[subject.runs[0]];
    let mut outputs = Vec::new();
    for run in &subject.runs {
        for repeat in indices[*run].repeats(&item.item) {
            let key = (item.item.as_str(), *repeat);
            outputs.push(shown_output(
                &runs[*run],
                *run,
                &indices[*run],
                key,
                heads[*run].full,
            ));
        }
    }
    let base = items_base(first);
    let picture = |file: &String| Picture {
        path: base.join(file),
        ..Picture::default()
    };
    Card {
        id: item.item.clone(),
        suite: first.suite_title.clone(),
        prompt: item.prompt.clone(),
        expected: expected(item),
        tags: item.tags.clone(),
        inputs: match started_from(item, subject, runs, indices) {
            Some(input) => vec![input],
            None => item.images.iter().map(picture).collect(),
        },
        outputs,
    }
}

/// The output that an edit of an edit started from. Several runs have only their first picture in common.
fn started_from(
    item: &Item,
    subject: &Subject<'_>,
    runs: &[RunView],
    indices: &[Index<'_>],
) -> Option<Picture> {
    let (from, [run]) = (item.input_from()?, &subject.runs[..]) else {
        return None;
    };
    let output = indices.get(*run)?.outputs.get(&(from, 0))?;
    Some(picture_of(&runs[*run], output.file.as_ref()?, output))
}

/// The picture of an output.
fn picture_of(run: &RunView, file: &str, output: &Output) -> Picture {
    Picture {
        path: run.dir.join(file),
        width: output.width.unwrap_or(0),
        height: output.height.unwrap_or(0),
        ..Picture::default()
    }
}

/// The folder that relative input pictures of a run's items start from: the one that its manifest names, or
/// the run folder.
fn items_base(run: &RunView) -> &Path {
    let base = run.manifest.get("items_base").and_then(Value::as_str);
    base.map_or(run.dir.as_path(), Path::new)
}

fn shown_output(
    run: &RunView,
    place: usize,
    index: &Index<'_>,
    key: (&str, u32),
    full: f64,
) -> Shown {
    let output = index.outputs.get(&key);
    let grade = index.grades.get(&key);
    let evidence = index.evidence.get(&key).map_or(&[][..], Vec::as_slice);
    let picture = output.and_then(|output| Some(picture_of(run, output.file.as_ref()?, output)));
    let failure = output
        .and_then(|output| output.error.as_deref())
        .or_else(|| evidence.iter().find_map(|record| record.error.as_ref()));
    let reason = match (failure, grade) {
        (Some(failure), _) => format!(
            "{} failed ({}): {}",
            failure.stage, failure.kind, failure.message
        ),
        (None, Some(grade)) => match &grade.unscored {
            Some(unscored) => unscored.clone(),
            None => grade.reason.clone(),
        },
        (None, None) => "not graded".to_owned(),
    };
    let seen: Vec<&Value> = evidence
        .iter()
        .filter_map(|record| record.evidence.as_ref())
        .collect();
    Shown {
        run: place,
        repeat: key.1,
        status: index.status(key, full),
        score: grade.and_then(|grade| grade.score),
        reason,
        picture,
        text: output.and_then(|output| output.text.clone()),
        seen: seen.iter().find_map(|value| text_read(value)),
        marks: seen.iter().flat_map(|value| marks(value)).collect(),
        mask: seen.iter().find_map(|value| change_mask(value)),
        judge: seen.iter().flat_map(|value| replies(value)).collect(),
    }
}

/// What the item's metadata say should be seen: texts, answers or GenEval's objects.
fn expected(item: &Item) -> Option<String> {
    let words = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    for key in ["texts", "answers", "answer"] {
        match item.expect.get(key) {
            Some(Value::Array(values)) => {
                return Some(values.iter().map(words).collect::<Vec<_>>().join("\n"));
            }
            Some(Value::Null) | None => {}
            Some(value) => return Some(words(value)),
        }
    }
    let objects = item.expect.get("include")?.as_array()?;
    let object = |value: &Value| {
        let color = value.get("color").map_or(String::new(), |c| words(c) + " ");
        let class = value.get("class").map_or(String::new(), words);
        format!(
            "{} × {color}{class}",
            value.get("count").map_or("1".to_owned(), words)
        )
    };
    Some(objects.iter().map(object).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expected_is_read_from_each_suite_s_metadata() {
        let item = |expect: Value| -> Item {
            serde_json::from_value(
                json!({"item": "1", "task": "text-to-image", "prompt": "", "expect": expect}),
            )
            .unwrap()
        };
        let geneval = json!({"include": [{"class": "dog", "count": 2}, {"class": "cup", "count": 1, "color": "red"}]});
        assert_eq!(expected(&item(geneval)).unwrap(), "2 × dog, 1 × red cup");
        assert_eq!(
            expected(&item(json!({"texts": ["a", "b"]}))).unwrap(),
            "a\nb"
        );
        assert_eq!(expected(&item(json!({"answers": 42}))).unwrap(), "42");
        assert_eq!(expected(&item(json!({"propositions": []}))), None);
    }
}
