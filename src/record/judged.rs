//! Who judged: the models that gave scores, and what a reader of the numbers must know about them.

use super::model_name::{Class, ModelName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who judged outputs, and in which words it was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedBy {
    /// The model as the server named it, with its date where it has one; the asked one where the server named
    /// none.
    pub judge: String,
    /// Prompt set and wording. Empty if the evidence does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompts: String,
    /// Hash of the prompts, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// None in records of earlier versions, and of papers.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
}

/// What the servers said about the replies of one judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answers {
    /// The model that was asked for.
    pub asked: String,
    /// The model that answered, as the server named it. Null if it named none.
    pub answered: Option<String>,
    /// How the model that answered relates to the one asked for. Null if no reply came from a model, as with
    /// refusals by a gateway.
    pub class: Option<Class>,
    /// Replies by `system_fingerprint`.
    pub fingerprints: BTreeMap<String, usize>,
    /// When the server sent the first of these replies.
    #[schemars(with = "Option<String>")]
    pub first: Option<jiff::Timestamp>,
    /// When it sent the last of them.
    #[schemars(with = "Option<String>")]
    pub last: Option<jiff::Timestamp>,
    /// Number of replies.
    pub calls: usize,
    /// The settings let any model answer, unmarked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
}

impl JudgedBy {
    /// The model that is known to have answered. `None` if the server named none.
    fn known(&self) -> Option<ModelName> {
        match &self.answers {
            Some(answers) => answers.answered.as_deref().map(ModelName::parse),
            None => Some(ModelName::parse(&self.judge)),
        }
    }

    fn class(&self) -> Option<Class> {
        self.answers.as_ref()?.class
    }

    fn is_ignored(&self) -> bool {
        self.answers.as_ref().is_some_and(|answers| answers.ignored)
    }

    /// The name, with a remark where it is not certain.
    pub fn named(&self) -> String {
        match (self.judge.as_str(), self.class()) {
            ("", _) => "a judge without a name".to_owned(),
            (name, Some(Class::Unknown)) => format!("{name}, or so it was asked"),
            (name, _) => name.to_owned(),
        }
    }

    /// The same words were asked, as far as both say which they were.
    fn asked_alike(&self, other: &Self) -> bool {
        let differ = |a: &String, b: &String| !a.is_empty() && !b.is_empty() && a != b;
        !differ(&self.prompts, &other.prompts) && !differ(&self.sha256, &other.sha256)
    }

    /// The same judge, asked in the same words.
    fn is_same(&self, other: &Self) -> bool {
        let [one, two] = [self, other].map(|judge| ModelName::parse(&judge.judge));
        one.is_same(&two) && self.asked_alike(other)
    }
}

/// True if a row has judges and they are not the same. Prompts differ only where both sides say which they
/// were.
pub fn apart(judges: &[JudgedBy], others: &[JudgedBy]) -> bool {
    let among = |judges: &[JudgedBy], one: &JudgedBy| judges.iter().any(|judge| judge.is_same(one));
    let all_same = others.iter().all(|judge| among(judges, judge))
        && judges.iter().all(|judge| among(others, judge));
    !others.is_empty() && !all_same
}

/// The judges with their prompts.
pub fn judge_names(judges: &[JudgedBy]) -> String {
    let judges: Vec<String> = judges.iter().map(describe_judge).collect();
    judges.join(", ")
}

fn describe_judge(judge: &JudgedBy) -> String {
    let name = judge.named();
    let short = judge.sha256.get(..8).unwrap_or_default();
    let prompts = format!("{} {short}", judge.prompts);
    match prompts.trim() {
        "" => name,
        prompts => format!("{name} with prompts {prompts}"),
    }
}

/// True if scores stem from several judges, or from one that was asked in several wordings. A reply whose
/// server named no model is not known to be another's.
pub fn several(judges: &[JudgedBy]) -> bool {
    let differ = |a: &JudgedBy, b: &JudgedBy| {
        let names = a.known().zip(b.known());
        names.is_some_and(|(a, b)| !a.is_same(&b)) || !a.asked_alike(b)
    };
    pairs(judges).any(|(a, b)| differ(a, b))
}

/// True if models answered that cannot be the same.
fn mixed(judges: &[JudgedBy]) -> bool {
    let conflict = |(a, b): (&JudgedBy, &JudgedBy)| {
        let names = a.known().zip(b.known());
        names.is_some_and(|(a, b)| a.conflicts(&b))
    };
    pairs(judges).any(conflict)
}

fn pairs(judges: &[JudgedBy]) -> impl Iterator<Item = (&JudgedBy, &JudgedBy)> {
    let all = judges.iter().enumerate();
    all.flat_map(|(at, one)| judges[at + 1..].iter().map(move |other| (one, other)))
}

/// Why numbers of these judges cannot be compared with others, whatever the settings of the run allow: the
/// judges are mixed, or another model answered than the one asked for.
pub fn doubt(judges: &[JudgedBy]) -> Option<String> {
    if mixed(judges) {
        let names: Vec<String> = judges.iter().map(JudgedBy::named).collect();
        return Some(format!("mixed judges: {}", names.join(", ")));
    }
    let redirected = judges
        .iter()
        .find(|judge| judge.class() == Some(Class::Redirected))?;
    let asked = &redirected.answers.as_ref()?.asked;
    Some(format!(
        "the judge {asked} was asked, and {} answered",
        redirected.judge
    ))
}

/// Whether a table marks a row of these judges: they are mixed, or another model answered than the one asked
/// for. A table does not mark what the settings allow unmarked.
pub fn is_marked(judges: &[JudgedBy]) -> bool {
    let another = |judge: &JudgedBy| judge.class().is_some_and(Class::is_another);
    let told = !judges.iter().all(JudgedBy::is_ignored);
    told && (mixed(judges) || judges.iter().any(another))
}

/// What a table says of a marked row whose judge is not the one that was asked for.
pub fn unasked(judges: &[JudgedBy]) -> Vec<String> {
    let another = |judge: &&JudgedBy| judge.class().is_some_and(Class::is_another);
    judges.iter().filter(another).filter_map(answered).collect()
}

/// What the summary says about the judges of its scores.
pub fn remarks(judges: &[JudgedBy]) -> Vec<String> {
    let mut told = Vec::new();
    if !judges.iter().all(JudgedBy::is_ignored) {
        if mixed(judges) {
            told.push(changed(judges));
        }
        told.extend(judges.iter().filter_map(answered));
    }
    let mut prints: BTreeMap<&str, usize> = BTreeMap::new();
    for (print, count) in judges
        .iter()
        .filter_map(|judge| judge.answers.as_ref())
        .flat_map(|answers| &answers.fingerprints)
    {
        *prints.entry(print).or_default() += count;
    }
    if prints.len() > 1 {
        let each: Vec<String> = prints.iter().map(|(p, n)| format!("{p}: {n}")).collect();
        told.push(format!(
            "the judge's server gave {} system fingerprints ({}): something of it changed while it judged",
            prints.len(),
            each.join(", ")
        ));
    }
    told
}

/// How a judge differs from the one asked for. `None` if it is the same.
fn answered(judge: &JudgedBy) -> Option<String> {
    let answers = judge.answers.as_ref()?;
    let (asked, calls, class) = (&answers.asked, answers.calls, answers.class?);
    match class {
        Class::Same | Class::Pinned | Class::Declared => None,
        Class::Unknown => Some(format!(
            "the judge {asked} was asked, and its server named no model in {calls} replies"
        )),
        Class::Unpinned | Class::OtherDate | Class::Redirected => Some(format!(
            "the judge {asked} was asked, and {} answered in {calls} replies ({})",
            judge.judge,
            class.word()
        )),
    }
}

/// Counts the replies of several judges, in the order of their first replies.
fn changed(judges: &[JudgedBy]) -> String {
    let mut known: Vec<&Answers> = judges
        .iter()
        .filter_map(|judge| judge.answers.as_ref())
        .filter(|answers| answers.answered.is_some())
        .collect();
    if known.len() < 2 {
        let names: Vec<String> = judges.iter().map(JudgedBy::named).collect();
        return format!("the judge changed: {}", names.join(", then "));
    }
    if known.iter().all(|answers| answers.first.is_some()) {
        known.sort_by_key(|answers| answers.first);
    }
    let one = |(at, answers): (usize, &&Answers)| {
        let name = answers.answered.as_deref().unwrap_or_default();
        let calls = answers.calls;
        match (at, answers.first) {
            (0, _) => format!("{calls} replies by {name}"),
            (_, None) => format!("{calls} by {name}"),
            (_, Some(first)) => format!("{calls} by {name} from {}", shown(first)),
        }
    };
    let told: Vec<String> = known.iter().enumerate().map(one).collect();
    format!("the judge changed: {}", told.join(", then "))
}

/// A moment as messages print it.
pub fn shown(moment: jiff::Timestamp) -> String {
    moment.strftime("%F %T UTC").to_string()
}

/// The moment that an HTTP header `Date` names.
pub fn http_date(text: &str) -> Option<jiff::Timestamp> {
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(date.timestamp())
}
