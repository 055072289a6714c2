//! Watches which model answers. Every reply of a run folder is compared with the model that was asked for,
//! and with the replies before it.

use super::replies::Reply;
use crate::observe::{Halt, ObserveError};
use crate::record::judged::moment_text;
use crate::record::model_name::{Class, ModelName};
use crate::remote::Answering;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The models that have answered so far.
pub(super) struct Watch {
    /// The model that is asked for.
    asked: String,
    rule: Answering,
    /// Further names of the right model.
    declared: Vec<String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    heard: Vec<Heard>,
    /// Whether the user was told about replies without a name.
    told_unknown: bool,
    /// Why no further call is made.
    stopped: Option<String>,
}

/// One answering model.
struct Heard {
    /// The name in the form in which the server wrote it first.
    name: String,
    read: ModelName,
    replies: usize,
    first: Option<jiff::Timestamp>,
    /// Whether its replies are used.
    used: bool,
}

impl Watch {
    pub(super) fn new(asked: &str, rule: Answering, declared: &[String]) -> Self {
        Self {
            asked: asked.to_owned(),
            rule,
            declared: declared.to_vec(),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the settings allow any model to answer without a mark.
    pub(super) fn ignores(&self) -> bool {
        self.rule == Answering::Ignore
    }

    /// How the model of a reply relates to the model that was asked for. `None` if no model answered, such as
    /// for the refusal of a gateway.
    pub(super) fn class(&self, reply: &Reply) -> Option<Class> {
        match (&reply.model, &reply.refusal) {
            (None, Some(_)) => None,
            (model, _) => Some(Class::of_answer(
                &self.asked,
                model.as_deref(),
                &self.declared,
            )),
        }
    }

    /// Starts again with the replies on the disk.
    pub(super) fn recall<'a>(&self, replies: impl Iterator<Item = &'a Reply>) {
        let mut state = self.lock();
        *state = State::default();
        for reply in replies.filter(|reply| self.concerns(reply)) {
            if let (Some(name), Some(class)) = (&reply.model, self.class(reply)) {
                self.count(&mut state, name, class, reply.sent_or_received());
            }
        }
    }

    /// Whether a reply on the disk says which model answers for the model that is asked for now.
    fn concerns(&self, reply: &Reply) -> bool {
        match &reply.asked {
            Some(asked) => *asked == self.asked,
            // Earlier versions did not record the asked model, and wrote its name where the server gave none.
            None => {
                let named = reply
                    .model
                    .as_ref()
                    .is_some_and(|model| *model != self.asked);
                named && self.class(reply) != Some(Class::Redirected)
            }
        }
    }

    /// Counts the name in a reply. Returns true for the first reply with this name.
    fn count(
        &self,
        state: &mut State,
        name: &str,
        class: Class,
        moment: Option<jiff::Timestamp>,
    ) -> bool {
        let read = ModelName::parse(name);
        if let Some(heard) = state
            .heard
            .iter_mut()
            .find(|heard| heard.read.is_same(&read))
        {
            heard.replies += 1;
            heard.first = heard.first.or(moment);
            return false;
        }
        let used =
            self.rule != Answering::Stop || (!class.is_another() && state.rival(&read).is_none());
        state.heard.push(Heard {
            name: name.to_owned(),
            read,
            replies: 1,
            first: moment,
            used,
        });
        true
    }

    /// Whether a reply on the disk may be used.
    pub(super) fn may_use(&self, reply: &Reply) -> bool {
        let (Some(name), Answering::Stop) = (&reply.model, self.rule) else {
            return true;
        };
        let another = self.class(reply).is_some_and(Class::is_another);
        !another && self.lock().rival(&ModelName::parse(name)).is_none()
    }

    /// Counts a new reply and writes its class into it. If the reply is not used, the reason is written too.
    pub(super) fn count_new(&self, reply: &mut Reply) {
        reply.class = self.class(reply);
        let Some(class) = reply.class else {
            return;
        };
        let mut state = self.lock();
        let Some(name) = &reply.model else {
            let told = std::mem::replace(&mut state.told_unknown, true);
            if !told && !self.ignores() {
                tracing::warn!(
                    "the judge's server names no model in its replies; {} was asked",
                    self.asked
                );
            }
            return;
        };
        let first = self.count(&mut state, name, class, reply.sent_or_received());
        let why = state.remark_on(name, &self.asked, class);
        let used = state.find_heard(name).is_none_or(|heard| heard.used);
        match why {
            Some(why) if !used => {
                reply.set_aside = Some(why.clone());
                state.stopped.get_or_insert(why);
            }
            Some(why) if first && !self.ignores() => tracing::warn!("{why}"),
            _ => {}
        }
    }

    /// The error that ends the run, if a reply caused one.
    pub(super) fn stopped(&self) -> Option<ObserveError> {
        let why = self.lock().stopped.clone()?;
        Some(
            ObserveError::new("judge", why).halting(Halt::Environment {
                help: "every reply is kept in the judge's replies.jsonl, and those of the other model are not graded: ask a \
                       server that has the model, name the one that should judge in a run of its own (`--run NAME`), declare \
                       the name with `answers = [\"…\"]` under [observe.judge.server], or continue with `answering = \"mark\"`"
                    .into(),
            }),
        )
    }
}

impl State {
    /// The first model in use that cannot be this one.
    fn rival(&self, read: &ModelName) -> Option<&Heard> {
        let mut used = self.heard.iter().filter(|heard| heard.used);
        used.find(|heard| heard.read.conflicts(read))
    }

    fn find_heard(&self, name: &str) -> Option<&Heard> {
        let read = ModelName::parse(name);
        self.heard.iter().find(|heard| heard.read.is_same(&read))
    }

    /// What the user must know about a model that answers. `None` if it is the right one.
    fn remark_on(&self, name: &str, asked: &str, class: Class) -> Option<String> {
        let read = ModelName::parse(name);
        if let Some(rival) = self.rival(&read) {
            let since = self.find_heard(name).and_then(|heard| heard.first);
            let since =
                since.map_or_else(String::new, |first| format!(" from {}", moment_text(first)));
            let (count, before) = (rival.replies, &rival.name);
            let noun = if count == 1 { "reply" } else { "replies" };
            return Some(format!(
                "the judge changed: {count} {noun} by {before}, then {name}{since}"
            ));
        }
        let notable = class.is_another() || class == Class::Unpinned;
        notable.then(|| {
            format!(
                "the judge {asked} was asked, and {name} answers ({})",
                class.word()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(model: Option<&str>) -> Reply {
        let text = serde_json::json!({"key": "k", "role": "judge", "reply": "5", "model": model, "asked": "m",
            "usage": {}, "attempts": 1, "seconds": 0.1, "received": "2026-11-30T01:02:03Z"});
        serde_json::from_value(text).unwrap()
    }

    fn heard(watch: &Watch, model: &str) -> Reply {
        let mut reply = reply(Some(model));
        watch.count_new(&mut reply);
        reply
    }

    #[test]
    fn a_change_stops_and_the_first_model_stays_the_right_one() {
        let watch = Watch::new("m", Answering::Stop, &[]);
        for model in ["m-2026-01-01", "org/m-20260101", "m"] {
            assert_eq!(heard(&watch, model).set_aside, None);
        }
        assert!(watch.stopped().is_none());
        let other = heard(&watch, "m-2026-02-02");
        let why = "the judge changed: 2 replies by m-2026-01-01, then m-2026-02-02 from 2026-11-30 01:02:03 UTC";
        assert_eq!(other.set_aside.as_deref(), Some(why));
        assert_eq!(other.class, Some(Class::Pinned));
        assert_eq!(watch.stopped().unwrap().message, why);
        assert!(watch.may_use(&reply(Some("m-2026-01-01"))) && !watch.may_use(&other));

        // The same replies are read from the file. The first new reply decides.
        let file = [reply(Some("m-2026-01-01")), other];
        watch.recall(file.iter());
        assert!(watch.stopped().is_none());
        assert_eq!(heard(&watch, "m-2026-01-01").set_aside, None);
        assert!(heard(&watch, "m-2026-02-02").set_aside.is_some());
        assert!(watch.stopped().is_some());
    }

    #[test]
    fn a_model_that_nobody_asked_for_is_set_aside_and_is_no_rival_of_the_right_one() {
        let watch = Watch::new("m", Answering::Stop, &[]);
        let other = heard(&watch, "cheap");
        let why = "the judge m was asked, and cheap answers (redirected)";
        assert_eq!(other.set_aside.as_deref(), Some(why));
        watch.recall([other].iter());
        assert_eq!(heard(&watch, "m").set_aside, None);
        assert!(watch.stopped().is_none());
        // A declared name is as good as any other.
        let watch = Watch::new("m", Answering::Stop, &["cheap".into()]);
        assert_eq!(heard(&watch, "cheap").class, Some(Class::Declared));
        assert!(watch.stopped().is_none());
    }

    #[test]
    fn marking_and_ignoring_go_on_and_keep_the_class() {
        for rule in [Answering::Mark, Answering::Ignore] {
            let watch = Watch::new("m", rule, &[]);
            heard(&watch, "m");
            let other = heard(&watch, "cheap");
            assert_eq!(
                (other.class, &other.set_aside),
                (Some(Class::Redirected), &None)
            );
            assert!(watch.stopped().is_none() && watch.may_use(&other));
        }
    }

    #[test]
    fn a_name_that_earlier_versions_made_up_says_nothing() {
        let watch = Watch::new("m", Answering::Stop, &[]);
        let old = |model: &str| Reply {
            asked: None,
            ..reply(Some(model))
        };
        // The name that was asked for, and the name of another judge in the same folder.
        watch.recall([old("m"), old("other")].iter());
        assert!(heard(&watch, "m-2026-01-01").set_aside.is_none());
        watch.recall([old("m-2025-05-05")].iter());
        assert!(heard(&watch, "m-2026-01-01").set_aside.is_some());
        // A missing name conflicts with no other. The refusal of a gateway is the reply of no model.
        assert_eq!(watch.class(&reply(None)), Some(Class::Unknown));
        let refused = Reply {
            refusal: Some("no".into()),
            ..reply(None)
        };
        assert_eq!(watch.class(&refused), None);
    }
}
