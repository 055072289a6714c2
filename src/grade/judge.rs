//! What judges said: the calls that evidence with the key `calls` has.

use super::error::OptionError;
use super::lack::Lack;
use super::reading::quote;
use super::rule::Case;
use super::{lookup, state};
use crate::record::evidence::{self, Field, Judgement, Text};
use crate::text::thinking::{self, NO_ANSWER};
use schemars::JsonSchema;
use serde::Deserialize;

/// How a rule reads a judge's replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Parsing {
    /// As the benchmark's own script does, with all its quirks.
    #[default]
    Official,
    /// Only replies that are exactly as asked. All others have no score.
    Strict,
    /// Markup and remarks that a human reader would skip are skipped.
    Robust,
}

impl Parsing {
    /// # Errors
    /// Fails if a rule that has no robust reading is asked for one.
    pub(super) fn official_or_strict(self) -> Result<(), OptionError> {
        match self {
            Self::Official | Self::Strict => Ok(()),
            Self::Robust => Err(OptionError::Choice {
                option: "parsing",
                value: "robust",
                expected: "official or strict",
            }),
        }
    }
}

/// The note on an output whose judge's thought was left out.
const LEFT_OUT: &str =
    "a thought of the judge was left out of its reply, which an official script may read";

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    /// What the judge was asked about, such as `sc`. Empty if the evidence does not say.
    pub role: Text<'a>,
    /// The reply word for word, without thoughts.
    pub reply: Text<'a>,
    /// Whether a thought was left out, here or by the observer.
    thought: bool,
    /// Whether the reply is more than a thought.
    pub answered: bool,
    /// What the server said instead of an answer.
    pub refusal: Option<Text<'a>>,
    /// Whether the limit of tokens cut the reply off.
    pub cut: bool,
}

impl Call<'_> {
    /// What a grade adds to its reason for a reply that was read although it is not whole.
    pub(super) fn remark(&self) -> String {
        let cut =
            "; the reply was cut off by its token limit, which the official script does not check";
        let said = [(self.cut, cut), (self.thought, "; a thought was left out")];
        said.into_iter()
            .filter_map(|(told, words)| told.then_some(words))
            .collect()
    }

    /// The notes that the summary counts.
    pub(super) fn notes(&self) -> Vec<String> {
        self.thought
            .then(|| LEFT_OUT.to_owned())
            .into_iter()
            .collect()
    }
}

/// The calls about an output, in order.
///
/// # Errors
/// Fails if there are none. The error is worded for the grade's `unscored`.
pub(super) fn calls<'a>(case: &Case<'a>, observer: Option<&str>) -> Result<Vec<Call<'a>>, Lack> {
    let evidence = lookup::find(case, Judgement::KEY, observer)?;
    let judgement: Judgement<'a> = evidence::read(evidence);
    let calls = judgement.calls.into_option();
    let calls = calls.ok_or("malformed evidence: `calls` is not a list")?;
    let calls: Vec<Call<'_>> = calls.into_iter().map(call).collect::<Result<_, _>>()?;
    if calls.is_empty() {
        return Err(lookup::unseen("the judge's `calls` are an empty list"));
    }
    Ok(calls)
}

fn call(call: Field<evidence::Call<'_>>) -> Result<Call<'_>, String> {
    let call = call.into_option().unwrap_or_default();
    let cut = call.is_cut();
    let refusal = call.refusal.into_option();
    // A server that says nothing, or refuses, sends null.
    let reply = match (call.reply, &refusal) {
        (Field::Given(reply), _) => reply,
        (Field::Null, _) | (Field::Absent, Some(_)) => Text::default(),
        _ => return Err("malformed evidence: a judge's call has no text `reply`".to_owned()),
    };
    let parted = thinking::split_reply(&reply);
    let before = !call.thinking.text().is_empty();
    let thought = before || !parted.thought().is_empty();
    let answered = parted.answered() && !(before && parted.words().trim().is_empty());
    let words = (parted.words() != reply.as_str()).then(|| parted.words().to_owned());
    Ok(Call {
        role: call.role.into_option().unwrap_or_default(),
        answered,
        reply: words.map_or(reply, Text::from),
        thought,
        refusal,
        cut,
    })
}

/// The first reply of a role that `read` can read, and the result. A reply that was cut off is read only in
/// the official way.
///
/// # Errors
/// Fails if there is none, with the reason: a refusal, or the error of `read` for the last reply.
pub(super) fn first_readable<'a, T>(
    calls: &[Call<'a>],
    role: &str,
    parsing: Parsing,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<(Call<'a>, T), String> {
    let mut why = format!("missing evidence: no call of the judge has the role `{role}`");
    for call in calls.iter().filter(|call| call.role.as_str() == role) {
        let read = match call.cut && parsing != Parsing::Official {
            _ if !call.answered => Err(NO_ANSWER.to_owned()),
            true => Err("a reply that is not whole is not read".to_owned()),
            false => read(&call.reply),
        };
        match read {
            Ok(value) => return Ok((call.clone(), value)),
            Err(what) => why = unread_reason(call, &what),
        }
    }
    Err(why)
}

/// Why a reply gives no score.
pub(super) fn unread_reason(call: &Call<'_>, what: &str) -> String {
    let said = || format!("{what}; the judge said {}", quote(&call.reply));
    match (&call.refusal, call.cut) {
        (Some(refusal), _) => state::refused(&quote(refusal)),
        (None, true) => state::cut_off(&said()),
        (None, false) => state::unparsed(&said()),
    }
}
