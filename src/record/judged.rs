//! Who judged: the models that gave scores, and what a reader of the numbers must know about them.

use super::model_name::{Class, ModelName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The judge of some outputs, and the prompts with which it was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedBy {
    /// The model as the server named it, with its date if it has one. If the server named none, the model
    /// that was asked for.
    pub judge: String,
    /// Prompt set and wording. Empty if the evidence does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompts: String,
    /// Hash of the prompts, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// `None` in records of earlier versions and of papers.
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
    /// Whether the settings accept the replies of any model without a mark.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
}

impl JudgedBy {
    /// The model that is known to have answered. `None` if the server named none.
    fn known_model(&self) -> Option<ModelName> {
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

    /// The name, with a remark if it is not certain.
    pub fn named(&self) -> String {
        match (self.judge.as_str(), self.class()) {
            ("", _) => "a judge without a name".to_owned(),
            (name, Some(Class::Unknown)) => format!("{name} (as requested)"),
            (name, _) => name.to_owned(),
        }
    }

    /// Whether both were asked in the same words, as far as both name them.
    fn asked_alike(&self, other: &Self) -> bool {
        let differ = |a: &String, b: &String| !a.is_empty() && !b.is_empty() && a != b;
        !differ(&self.prompts, &other.prompts) && !differ(&self.sha256, &other.sha256)
    }

    /// Whether both are the same judge, asked in the same words.
    fn is_same(&self, other: &Self) -> bool {
        let [one, two] = [self, other].map(|judge| ModelName::parse(&judge.judge));
        one.is_same(&two) && self.asked_alike(other)
    }
}

/// True if a row has judges and they are not the same. Prompts differ only if both sides name them.
pub fn judges_differ(judges: &[JudgedBy], others: &[JudgedBy]) -> bool {
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

/// True if the scores come from several judges, or from one that was asked in several wordings. A reply whose
/// server named no model does not count as that of another judge.
pub fn are_several_judges(judges: &[JudgedBy]) -> bool {
    let differ = |a: &JudgedBy, b: &JudgedBy| {
        let names = a.known_model().zip(b.known_model());
        names.is_some_and(|(a, b)| !a.is_same(&b)) || !a.asked_alike(b)
    };
    judge_pairs(judges).any(|(a, b)| differ(a, b))
}

/// True if models answered that cannot be the same model.
fn are_mixed(judges: &[JudgedBy]) -> bool {
    let conflict = |(a, b): (&JudgedBy, &JudgedBy)| {
        let names = a.known_model().zip(b.known_model());
        names.is_some_and(|(a, b)| a.conflicts(&b))
    };
    judge_pairs(judges).any(conflict)
}

fn judge_pairs(judges: &[JudgedBy]) -> impl Iterator<Item = (&JudgedBy, &JudgedBy)> {
    let all = judges.iter().enumerate();
    all.flat_map(|(at, one)| judges[at + 1..].iter().map(move |other| (one, other)))
}

/// Why numbers of these judges cannot be compared with others, whatever the settings of the run allow: the
/// judges are mixed, or another model answered than the one asked for.
pub fn judge_doubt(judges: &[JudgedBy]) -> Option<String> {
    if are_mixed(judges) {
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
/// for. A table does not mark what the settings accept without a mark.
pub fn is_marked(judges: &[JudgedBy]) -> bool {
    let another = |judge: &JudgedBy| judge.class().is_some_and(Class::is_another);
    let told = !judges.iter().all(JudgedBy::is_ignored);
    told && (are_mixed(judges) || judges.iter().any(another))
}

/// What a table says about a marked row whose judge is not the one that was asked for.
pub fn unasked_judges(judges: &[JudgedBy]) -> Vec<String> {
    let another = |judge: &&JudgedBy| judge.class().is_some_and(Class::is_another);
    judges
        .iter()
        .filter(another)
        .filter_map(answering_remark)
        .collect()
}

/// What the summary says about the judges of its scores.
pub fn judge_remarks(judges: &[JudgedBy]) -> Vec<String> {
    let mut told = Vec::new();
    if !judges.iter().all(JudgedBy::is_ignored) {
        if are_mixed(judges) {
            told.push(change_of_judges(judges));
        }
        told.extend(judges.iter().filter_map(answering_remark));
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
fn answering_remark(judge: &JudgedBy) -> Option<String> {
    let answers = judge.answers.as_ref()?;
    let (asked, class) = (&answers.asked, answers.class?);
    let replies = counted_replies(answers.calls);
    match class {
        Class::Same | Class::Pinned | Class::Declared => None,
        Class::Unknown => Some(format!(
            "the judge {asked} was asked, and its server named no model in {replies}"
        )),
        Class::Unpinned | Class::OtherDate | Class::Redirected => Some(format!(
            "the judge {asked} was asked, and {} answered in {replies} ({})",
            judge.judge,
            class.word()
        )),
    }
}

/// Counts the replies of several judges, in the order of their first replies.
fn change_of_judges(judges: &[JudgedBy]) -> String {
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
            (0, _) => format!("{} by {name}", counted_replies(calls)),
            (_, None) => format!("{calls} by {name}"),
            (_, Some(first)) => format!("{calls} by {name} from {}", moment_text(first)),
        }
    };
    let told: Vec<String> = known.iter().enumerate().map(one).collect();
    format!("the judge changed: {}", told.join(", then "))
}

fn counted_replies(count: usize) -> String {
    match count {
        1 => "1 reply".to_owned(),
        _ => format!("{count} replies"),
    }
}

/// A moment as messages print it.
pub fn moment_text(moment: jiff::Timestamp) -> String {
    moment.strftime("%F %T UTC").to_string()
}

/// The moment that an HTTP header `Date` names.
pub fn http_date(text: &str) -> Option<jiff::Timestamp> {
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    Some(date.timestamp())
}
