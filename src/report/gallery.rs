//! The gallery's data: what the page's script turns into cards, one item a card.

use super::{RunView, score};
use crate::record::{Evidence, Grade, Item, Output};
use serde::Serialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

mod edits;

use edits::{ChangeMask, Reply, change_mask, replies};

/// Everything the script needs; embedded as JSON.
#[derive(Debug, Serialize)]
pub struct Gallery {
    pub runs: Vec<Run>,
    pub items: Vec<Card>,
    /// Outputs of all runs, and how many of them have a card here.
    pub total: usize,
    pub shown: usize,
}

/// One run, as cards refer to it by index.
#[derive(Debug, Serialize)]
pub struct Run {
    pub suite: String,
    pub label: String,
    /// The score of a perfect output.
    pub full: f64,
}

/// One item of one suite.
#[derive(Debug, Serialize)]
pub struct Card {
    pub id: String,
    pub suite: String,
    pub prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    pub tags: crate::record::Tags,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Picture>,
    pub outputs: Vec<Shown>,
}

/// A picture of the gallery: where its file lies, and, once made, its thumbnail.
#[derive(Debug, Default, Serialize)]
pub struct Picture {
    #[serde(skip)]
    pub path: PathBuf,
    #[serde(skip)]
    pub sha256: Option<String>,
    /// `data:` URI or relative file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb: Option<String>,
    /// Relative link to the original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(rename = "w")]
    pub width: u32,
    #[serde(rename = "h")]
    pub height: u32,
    /// Why there is no thumbnail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What became of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Scored with full marks, or judged correct.
    Passed,
    /// Scored below full marks, or judged incorrect.
    Failed,
    Unscored,
    /// Could not be made or observed.
    Error,
}

/// One output of one run.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Index into [`Gallery::runs`].
    pub run: usize,
    pub repeat: u32,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The grade's reason, or why there is no grade.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// A text answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What OCR read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Where an edit changed its input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<ChangeMask>,
    /// What judges said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub judge: Vec<Reply>,
}

/// A shape to draw over the picture, in its pixels.
#[derive(Debug, PartialEq, Serialize)]
pub struct Mark {
    /// `x, y` of each corner, in turn.
    pub points: Vec<i32>,
    pub label: String,
    /// Confidence, 0 to 1.
    pub score: f64,
}

/// Detections below this are noise to a reader; GenEval's rule does not look at them either.
const DETECTION_THRESHOLD: f64 = 0.3;
/// Shapes a picture, highest score first for detections, reading order for text.
const MOST_MARKS: usize = 60;

/// The cards of all runs; at most about `cap` outputs. Beyond it, items with a failed, unscored or broken output come
/// first, then passed ones at even steps through the suite, so that the same run gives the same sample.
pub fn collect(runs: &[RunView], labels: &[String], cap: usize) -> Gallery {
    let full = |run: &RunView| score::full_mark(runs.iter().filter(|r| r.suite == run.suite));
    let heads: Vec<Run> = runs
        .iter()
        .zip(labels)
        .map(|(run, label)| Run {
            suite: run.suite_title.clone(),
            label: label.clone(),
            full: full(run),
        })
        .collect();
    let indices: Vec<Index<'_>> = runs.iter().map(Index::of).collect();
    let subjects = subjects(runs);
    let total = runs
        .iter()
        .zip(&indices)
        .map(|(run, index)| run.summary.expected.max(index.outputs.len()))
        .sum();
    let mut chosen: Vec<usize> = (0..subjects.len()).collect();
    if total > cap {
        chosen = sample(&subjects, &indices, &heads, cap);
    }
    let items: Vec<Card> = chosen
        .into_iter()
        .map(|subject| card(&subjects[subject], runs, &indices, &heads))
        .collect();
    Gallery {
        shown: items.iter().map(|item| item.outputs.len()).sum(),
        runs: heads,
        items,
        total,
    }
}

/// An item and the runs that were asked it.
struct Subject<'a> {
    item: &'a Item,
    runs: Vec<usize>,
}

/// Items in order of first appearance; the same id in another suite or version is another item.
fn subjects(runs: &[RunView]) -> Vec<Subject<'_>> {
    let mut places: HashMap<(&str, &str, &str), usize> = HashMap::new();
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        for item in run.items.iter() {
            let key = (
                run.suite.as_str(),
                run.suite_version.as_str(),
                item.item.as_str(),
            );
            let place = *places.entry(key).or_insert_with(|| {
                subjects.push(Subject {
                    item,
                    runs: Vec::new(),
                });
                subjects.len() - 1
            });
            subjects[place].runs.push(index);
        }
    }
    subjects
}

/// A run's records by item and repeat.
struct Index<'a> {
    outputs: HashMap<(&'a str, u32), &'a Output>,
    grades: HashMap<(&'a str, u32), &'a Grade>,
    evidence: HashMap<(&'a str, u32), Vec<&'a Evidence>>,
    repeats: HashMap<&'a str, Vec<u32>>,
}

impl<'a> Index<'a> {
    fn of(run: &'a RunView) -> Self {
        let outputs: HashMap<_, _> = run
            .outputs
            .iter()
            .map(|output| ((output.item.as_str(), output.repeat), output))
            .collect();
        let items: HashSet<&str> = run.items.iter().map(|item| item.item.as_str()).collect();
        let grades: HashMap<_, _> = run
            .grades
            .iter()
            .filter(|grade| items.contains(grade.item.as_str()))
            .map(|grade| ((grade.item.as_str(), grade.repeat), grade))
            .collect();
        let mut evidence: HashMap<_, Vec<&Evidence>> = HashMap::new();
        for record in &run.evidence {
            let records = evidence
                .entry((record.item.as_str(), record.repeat))
                .or_default();
            records.retain(|earlier| earlier.observer != record.observer);
            records.push(record);
        }
        let mut repeats: HashMap<&str, Vec<u32>> = HashMap::new();
        let keys: HashSet<_> = outputs.keys().chain(grades.keys()).copied().collect();
        for (item, repeat) in keys {
            repeats.entry(item).or_default().push(repeat);
        }
        repeats
            .values_mut()
            .for_each(|repeats| repeats.sort_unstable());
        Self {
            outputs,
            grades,
            evidence,
            repeats,
        }
    }

    fn repeats(&self, item: &str) -> &[u32] {
        self.repeats.get(item).map_or(&[], Vec::as_slice)
    }

    fn status(&self, key: (&str, u32), full: f64) -> Status {
        let broken = self
            .outputs
            .get(&key)
            .is_some_and(|output| output.error.is_some())
            || self
                .evidence
                .get(&key)
                .is_some_and(|records| records.iter().any(|record| record.error.is_some()));
        match self.grades.get(&key) {
            _ if broken => Status::Error,
            Some(grade) => match (grade.score, grade.correct) {
                (None, _) => Status::Unscored,
                (Some(_), Some(true)) => Status::Passed,
                (Some(_), Some(false)) => Status::Failed,
                (Some(score), None) if score >= full => Status::Passed,
                (Some(_), None) => Status::Failed,
            },
            None => Status::Unscored,
        }
    }
}

/// Which subjects to show when there are too many outputs, in the suite's order.
fn sample(
    subjects: &[Subject<'_>],
    indices: &[Index<'_>],
    heads: &[Run],
    cap: usize,
) -> Vec<usize> {
    let size = |subject: &Subject<'_>| -> usize {
        let repeats = |run: &usize| indices[*run].repeats(&subject.item.item).len();
        subject.runs.iter().map(repeats).sum::<usize>().max(1)
    };
    let passed = |subject: &Subject<'_>| {
        subject.runs.iter().all(|run| {
            let item = subject.item.item.as_str();
            let index = &indices[*run];
            index
                .repeats(item)
                .iter()
                .all(|repeat| index.status((item, *repeat), heads[*run].full) == Status::Passed)
        })
    };
    let (good, bad): (Vec<usize>, Vec<usize>) =
        (0..subjects.len()).partition(|place| passed(&subjects[*place]));
    let sizes = |places: &[usize]| -> usize { places.iter().map(|p| size(&subjects[*p])).sum() };
    let fitting = |places: &mut dyn Iterator<Item = usize>, room: usize| -> Vec<usize> {
        let mut left = room;
        places
            .filter(|place| {
                let fits = size(&subjects[*place]) <= left;
                left -= if fits { size(&subjects[*place]) } else { 0 };
                fits
            })
            .collect()
    };
    let mut chosen = fitting(&mut bad.into_iter(), cap);
    let room = cap - sizes(&chosen);
    let step = sizes(&good).div_ceil(room.max(1)).max(1);
    chosen.extend(fitting(&mut good.into_iter().step_by(step), room));
    chosen.sort_unstable();
    chosen
}

fn card(subject: &Subject<'_>, runs: &[RunView], indices: &[Index<'_>], heads: &[Run]) -> Card {
    let item = subject.item;
    let first = &runs[subject.runs[0]];
    let mut outputs = Vec::new();
    for run in &subject.runs {
        for repeat in indices[*run].repeats(&item.item) {
            let key = (item.item.as_str(), *repeat);
            outputs.push(shown(
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

/// The output that an edit of an edit started from; several runs have their first picture in common only.
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
        sha256: output.sha256.clone(),
        width: output.width.unwrap_or(0),
        height: output.height.unwrap_or(0),
        ..Picture::default()
    }
}

/// Where relative input pictures of a run's items start from: as its manifest says, else the run folder.
fn items_base(run: &RunView) -> &Path {
    let base = run.manifest.get("items_base").and_then(Value::as_str);
    base.map_or(run.dir.as_path(), Path::new)
}

fn shown(run: &RunView, place: usize, index: &Index<'_>, key: (&str, u32), full: f64) -> Shown {
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
        seen: seen.iter().find_map(|value| read(value)),
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

/// The text that OCR read, if this is its evidence.
fn read(evidence: &Value) -> Option<String> {
    evidence.get("lines")?;
    Some(evidence.get("text")?.as_str()?.to_owned())
}

/// Boxes of detections and polygons of text lines.
fn marks(evidence: &Value) -> Vec<Mark> {
    let list = |key: &str| {
        evidence
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let score = |value: &Value| value.get("score").and_then(Value::as_f64).unwrap_or(0.0);
    let label = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned()
    };
    let mut marks: Vec<Mark> = list("detections")
        .iter()
        .filter(|detection| score(detection) >= DETECTION_THRESHOLD)
        .filter_map(|detection| {
            let [left, top, right, bottom] = numbers(detection.get("box")?)[..] else {
                return None;
            };
            let color = label(detection, "color");
            Some(Mark {
                points: vec![left, top, right, top, right, bottom, left, bottom],
                label: format!("{color} {}", label(detection, "class"))
                    .trim()
                    .to_owned(),
                score: score(detection),
            })
        })
        .collect();
    marks.sort_by(|a, b| b.score.total_cmp(&a.score));
    marks.extend(list("lines").iter().filter_map(|line| {
        let points: Vec<i32> = line
            .get("polygon")?
            .as_array()?
            .iter()
            .flat_map(numbers)
            .collect();
        (points.len() >= 6 && points.len().is_multiple_of(2)).then(|| Mark {
            points,
            label: label(line, "text"),
            score: score(line),
        })
    }));
    marks.truncate(MOST_MARKS);
    marks
}

fn numbers(value: &Value) -> Vec<i32> {
    let values = value.as_array().map_or(&[][..], Vec::as_slice);
    values
        .iter()
        .filter_map(Value::as_f64)
        .map(|number| number.round() as i32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn detections_become_boxes_and_weak_ones_are_left_out() {
        let evidence = json!({"width": 64, "height": 64, "detections": [
            {"class": "cup", "score": 0.1, "box": [0, 0, 5, 5]},
            {"class": "dog", "score": 0.5, "box": [1.4, 2, 30, 40], "color": "red"},
            {"class": "cat", "score": 0.9, "box": [1, 2, 3]},
        ]});
        let dog = Mark {
            points: vec![1, 2, 30, 2, 30, 40, 1, 40],
            label: "red dog".to_owned(),
            score: 0.5,
        };
        assert_eq!(marks(&evidence), [dog]);
    }

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
