//! `calls`: what a judge replied.

use super::field::{Field, Text};
use crate::record::ended_by_limit;
use crate::record::model_name::Class;
use serde::{Deserialize, Serialize};

/// The calls about one output, and who was asked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Judgement<'a> {
    /// The model that gave the last reply. Null if the server named none.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub model: Field<Text<'a>>,
    /// The model that was asked for.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub judge: Field<Text<'a>>,
    /// How the model that gave the last reply relates to the one asked for. Null if no model replied. Absent
    /// in evidence of earlier versions and of other programs.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub class: Field<Class>,
    /// The address of the server; null for a judge in this process.
    #[serde(skip_deserializing)]
    pub server: Option<Text<'a>>,
    /// The prompts of the calls.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub prompts: Field<PromptsUsed<'a>>,
    /// The calls, in order.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub calls: Field<Vec<Field<Call<'a>>>>,
    /// [`Judgement::IGNORE`] if the settings accept the replies of any model without a mark.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub answering: Field<Text<'a>>,
}

impl Judgement<'_> {
    /// The key that shows this kind.
    pub const KEY: &'static str = "calls";
    /// The value of `answering` if the settings accept the replies of any model.
    pub const IGNORE: &'static str = "ignore";
}

/// The prompts that a judge is asked with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PromptsUsed<'a> {
    /// The name of the prompt set.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub set: Field<Text<'a>>,
    /// `own`, `official`, or the name of the file that the words come from.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub wording: Field<Text<'a>>,
    /// Hash of everything in the set that shapes a call, in hexadecimal digits.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub sha256: Field<Text<'a>>,
}

/// One call with its reply.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Call<'a> {
    /// What the call asks about, as the prompt set names it.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub role: Field<Text<'a>>,
    /// The judge's words, without thoughts.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub reply: Field<Text<'a>>,
    /// `ok`, `unparsed`, `refused`, or [`Call::TRUNCATED`].
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub state: Field<Text<'a>>,
    /// Why the reply ended, in a server's word. Observers of this version write `state` instead.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub finish_reason: Field<Text<'a>>,
    /// The model that replied. Null if the server named none.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub model: Field<Text<'a>>,
    /// Tokens of the question. Null if the judge does not count.
    #[serde(skip_deserializing)]
    pub input_tokens: Option<u64>,
    /// Tokens of the reply. Null if the judge does not count.
    #[serde(skip_deserializing)]
    pub output_tokens: Option<u64>,
    /// How often the request was sent.
    #[serde(skip_deserializing)]
    pub attempts: u32,
    /// Seconds of the attempt that succeeded.
    #[serde(skip_deserializing)]
    pub seconds: f64,
    /// Whether the reply was stored already.
    #[serde(skip_deserializing)]
    pub cached: bool,
    /// The server's `system_fingerprint`.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub fingerprint: Field<Text<'a>>,
    /// When the server sent the reply, as its header `Date` says it.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub server_date: Field<Text<'a>>,
    /// What the server said instead of a reply.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub refusal: Field<Text<'a>>,
    /// The model's thought, if the server sends it separately.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Text<'a>>,
    /// The token limit of a second call, which is made if a first reply was cut off.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The thought that was left out of the reply.
    #[serde(borrow, default, skip_serializing_if = "Field::is_absent")]
    pub thinking: Field<Text<'a>>,
    /// How the model that replied relates to the one asked for. Null if no model replied.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub class: Field<Class>,
}

impl Call<'_> {
    /// The `state` of a reply that the limit of tokens cut off.
    pub const TRUNCATED: &'static str = "truncated";

    /// Whether the limit of tokens cut the reply off, according to our word or a server's word.
    pub fn is_cut(&self) -> bool {
        let ended = |reason: &Text<'_>| ended_by_limit(reason);
        self.state.text() == Self::TRUNCATED || self.finish_reason.get().is_some_and(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read, written};
    use super::*;
    use serde_json::json;

    fn text<'a>(text: &'a str) -> Field<Text<'a>> {
        Text::from(text).into()
    }

    #[test]
    fn the_keys_and_their_order_are_those_of_the_files() {
        let call = Call {
            role: text("judge"),
            reply: text("5"),
            state: text("ok"),
            finish_reason: Field::Absent,
            model: Field::Null,
            input_tokens: Some(7),
            output_tokens: None,
            attempts: 1,
            seconds: 0.5,
            cached: false,
            fingerprint: text("fp"),
            server_date: text("today"),
            refusal: Field::Absent,
            reasoning: Some("hm".into()),
            max_tokens: Some(9),
            thinking: text("so"),
            class: Class::Unknown.into(),
        };
        let seen = Judgement {
            model: text("m-2026-01-01"),
            judge: text("m"),
            class: Class::Pinned.into(),
            server: None,
            prompts: PromptsUsed {
                set: text("wise"),
                wording: text("own"),
                sha256: text("00"),
            }
            .into(),
            calls: vec![call.into()].into(),
            answering: Field::Absent,
        };
        let value = written(&seen).unwrap();
        assert_eq!(
            value.to_string(),
            r#"{"model":"m-2026-01-01","judge":"m","class":"pinned","server":null,"prompts":{"set":"wise","wording":"own","sha256":"00"},"calls":[{"role":"judge","reply":"5","state":"ok","model":null,"input_tokens":7,"output_tokens":null,"attempts":1,"seconds":0.5,"cached":false,"fingerprint":"fp","server_date":"today","reasoning":"hm","max_tokens":9,"thinking":"so","class":"unknown"}]}"#
        );
        let again: Judgement<'_> = read(&value);
        let calls = again.calls.get().unwrap();
        assert_eq!(calls[0].get().unwrap().reply.text(), "5");
        assert_eq!(again.prompts.get().unwrap().set.text(), "wise");
    }

    #[test]
    fn evidence_of_others_may_name_a_class_that_is_none() {
        let value = json!({"judge": "m", "class": "odd", "calls": [1, {"reply": null}]});
        let seen: Judgement<'_> = read(&value);
        assert!(seen.class.get().is_none() && !seen.class.is_absent());
        let calls = seen.calls.get().unwrap();
        assert!(calls[0].get().is_none());
        assert_eq!(calls[1].get().unwrap().reply, Field::Null);
        assert!(seen.model.is_absent());
    }
}
